//! What happens to a message after it was sent.

use std::time::SystemTime;

use seatport::{Invalid, conversation};

use crate::conversation::Content;
use crate::time::given;

/// A change of a message that was sent before. It may arrive before the message does; then it waits for it.
///
/// Of two edits the later one counts, and so of two reactions of one sender, by time and then by id; a deletion is final.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Amendment {
    /// The address of the chat.
    pub chat: String,
    /// The id of the message.
    pub target: String,
    /// The network's id of the change itself.
    pub id: String,
    /// The address of who made it. The transport has checked that they may.
    pub sender: String,
    /// The network's time of it.
    pub at: SystemTime,
    /// What changes.
    pub change: AmendmentChange,
}

/// What changes.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum AmendmentChange {
    /// It says this from now on.
    Edit {
        /// What it says.
        content: Content,
    },
    /// It was taken back.
    Delete,
    /// The sender put this emoji under it; none takes an earlier one away.
    React {
        /// The emoji.
        emoji: Option<String>,
    },
}

impl TryFrom<AmendmentChange> for conversation::AmendmentChange {
    type Error = Invalid;

    fn try_from(change: AmendmentChange) -> Result<Self, Invalid> {
        Ok(match change {
            AmendmentChange::Edit { content } => Self::Edit(content.try_into()?),
            AmendmentChange::Delete => Self::Delete,
            AmendmentChange::React { emoji } => Self::React(emoji),
        })
    }
}

impl TryFrom<Amendment> for conversation::Amendment {
    type Error = Invalid;

    fn try_from(amendment: Amendment) -> Result<Self, Invalid> {
        Ok(Self {
            chat: amendment.chat.parse()?,
            target: amendment.target.parse()?,
            id: amendment.id.parse()?,
            sender: amendment.sender.parse()?,
            at: given(amendment.at)?,
            change: amendment.change.try_into()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn amendment() -> Amendment {
        Amendment {
            chat: "chat".into(),
            target: "target".into(),
            id: "id".into(),
            sender: "sender".into(),
            at: UNIX_EPOCH + Duration::from_secs(7),
            change: AmendmentChange::React { emoji: Some("👍".into()) },
        }
    }

    #[test]
    fn each_part_of_an_amendment_stands_in_its_own_place() {
        let core = conversation::Amendment::try_from(amendment()).unwrap();
        assert_eq!((core.chat.as_str(), core.target.as_str()), ("chat", "target"));
        assert_eq!((core.id.as_str(), core.sender.as_str()), ("id", "sender"));
        assert_eq!(core.at, seatport::Timestamp::from_millis(7_000));
        assert_eq!(core.change, conversation::AmendmentChange::React(Some("👍".into())));
        let edit = AmendmentChange::Edit { content: Content::Text { text: "better".into() } };
        let core = conversation::AmendmentChange::try_from(edit).unwrap();
        assert_eq!(core, conversation::AmendmentChange::Edit(conversation::Content::Text("better".into())));
    }

    #[test]
    fn each_part_of_an_amendment_is_checked() {
        let empty = String::new;
        let refused = [
            (Amendment { chat: empty(), ..amendment() }, "address"),
            (Amendment { target: empty(), ..amendment() }, "message id"),
            (Amendment { id: empty(), ..amendment() }, "message id"),
            (Amendment { sender: empty(), ..amendment() }, "address"),
            (Amendment { at: UNIX_EPOCH + Duration::from_secs(1 << 50), ..amendment() }, "time"),
        ];
        for (amendment, field) in refused {
            assert_eq!(conversation::Amendment::try_from(amendment).unwrap_err().field, field);
        }
    }
}

//! What changes a message that was sent before: edits, deletions, reactions.

use seatport::conversation::{Amendment, AmendmentChange, ChatKind};
use seatport::{Address, MessageId, Timestamp};
use whatsapp_rust::prelude::wa;
use whatsapp_rust::types::message::EditAttribute;
use whatsapp_rust::waproto::whatsapp::message::protocol_message::Type;

use crate::content::{base, content};

/// How far the sender's clock may be from the network's for its milliseconds to count.
const CLOCKS_AGREE: i64 = 5_000;

/// A change as it is written in the message that brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) target: MessageId,
    pub(crate) change: AmendmentChange,
    /// Whether it takes back what somebody else wrote.
    by_admin: bool,
    /// When it was made, by the sender's clock.
    made_at: Option<i64>,
}

/// The change that a message brings, if it is one. What its sender can never do is none: edit what somebody else wrote.
pub(crate) fn change(message: &wa::Message) -> Option<Change> {
    let message = base(message);
    let target = |key: Option<&wa::MessageKey>| MessageId::new(key?.id.as_deref()?).ok();
    if let Some(reaction) = message.reaction_message.as_option() {
        return Some(Change {
            target: target(reaction.key.as_option())?,
            change: AmendmentChange::React(reaction.text.clone().filter(|emoji| !emoji.is_empty())),
            by_admin: false,
            made_at: reaction.sender_timestamp_ms,
        });
    }
    let protocol = message.protocol_message.as_option()?;
    let key = protocol.key.as_option();
    // The key is written from where the sender stands: "from me" is what the sender wrote.
    let is_own = key.and_then(|key| key.from_me);
    let (change, by_admin) = match protocol.r#type {
        Some(Type::REVOKE) => (AmendmentChange::Delete, is_own == Some(false)),
        _ if is_own == Some(false) => return None,
        _ => (AmendmentChange::Edit(content(protocol.edited_message.as_option()?)?), false),
    };
    Some(Change { target: target(key)?, change, by_admin, made_at: protocol.timestamp_ms })
}

impl Change {
    /// Whether its sender may: what one wrote oneself, and an admin everything in the group, for which the network vouches.
    /// `wrote_it` is whether the sender wrote the target, as far as that is known.
    pub(crate) fn is_allowed(&self, kind: ChatKind, edit: &EditAttribute, wrote_it: Option<bool>) -> bool {
        match self.change {
            AmendmentChange::React(_) => true,
            AmendmentChange::Delete if self.by_admin => kind == ChatKind::Group && *edit == EditAttribute::AdminRevoke,
            AmendmentChange::Edit(_) | AmendmentChange::Delete => wrote_it != Some(false),
        }
    }

    /// Whether it matters who wrote the target.
    pub(crate) fn wants_author(&self) -> bool {
        !self.by_admin && !matches!(self.change, AmendmentChange::React(_))
    }

    /// The change as Seatport knows it. The network counts in seconds; two changes within one are told apart by the sender's
    /// clock, where it is about right.
    pub(crate) fn amendment(self, chat: Address, id: MessageId, sender: Address, at: Timestamp) -> Amendment {
        let made_at = self.made_at.filter(|made_at| made_at.abs_diff(at.as_millis()) < CLOCKS_AGREE.unsigned_abs());
        let at = made_at.map_or(at, Timestamp::from_millis);
        Amendment { chat, target: self.target, id, sender, at, change: self.change }
    }
}

#[cfg(test)]
mod tests {
    use seatport::conversation::Content;
    use whatsapp_rust::buffa::MessageField;

    use super::*;

    fn key(id: &str, from_me: Option<bool>) -> MessageField<wa::MessageKey> {
        MessageField::some(wa::MessageKey { id: Some(id.to_owned()), from_me, ..Default::default() })
    }

    fn revoke(from_me: Option<bool>) -> wa::Message {
        let protocol =
            wa::message::ProtocolMessage { r#type: Some(Type::REVOKE), key: key("A", from_me), ..Default::default() };
        wa::Message { protocol_message: MessageField::some(protocol), ..Default::default() }
    }

    fn edit(from_me: Option<bool>) -> wa::Message {
        let new = wa::Message { conversation: Some("better".to_owned()), ..Default::default() };
        let protocol = wa::message::ProtocolMessage {
            r#type: Some(Type::MESSAGE_EDIT),
            key: key("A", from_me),
            edited_message: MessageField::some(new),
            timestamp_ms: Some(1_700_000_000_123),
            ..Default::default()
        };
        wa::Message { protocol_message: MessageField::some(protocol), ..Default::default() }
    }

    fn reaction(emoji: &str) -> wa::Message {
        let reaction = wa::message::ReactionMessage {
            key: key("A", Some(false)),
            text: Some(emoji.to_owned()),
            ..Default::default()
        };
        wa::Message { reaction_message: MessageField::some(reaction), ..Default::default() }
    }

    #[test]
    fn an_edit_is_found_plain_and_wrapped() {
        let wrapper = wa::message::FutureProofMessage { message: MessageField::some(edit(Some(true))) };
        let wrapped = wa::Message { edited_message: MessageField::some(wrapper), ..Default::default() };
        for message in [edit(Some(true)), wrapped] {
            let change = change(&message).unwrap();
            assert_eq!(change.target.as_str(), "A");
            assert_eq!(change.change, AmendmentChange::Edit(Content::Text("better".to_owned())));
        }
        assert_eq!(change(&edit(Some(false))), None, "what somebody else wrote");
    }

    #[test]
    fn a_reaction_is_put_and_taken_away() {
        assert_eq!(change(&reaction("👍")).unwrap().change, AmendmentChange::React(Some("👍".to_owned())));
        assert_eq!(change(&reaction("")).unwrap().change, AmendmentChange::React(None));
        assert_eq!(change(&wa::Message { conversation: Some("hi".to_owned()), ..Default::default() }), None);
    }

    #[test]
    fn only_who_may_changes_a_message() {
        let own = change(&revoke(Some(true))).unwrap();
        assert!(own.is_allowed(ChatKind::Person, &EditAttribute::SenderRevoke, None), "nobody knows better");
        assert!(own.is_allowed(ChatKind::Person, &EditAttribute::SenderRevoke, Some(true)));
        assert!(!own.is_allowed(ChatKind::Person, &EditAttribute::SenderRevoke, Some(false)));
        let other = change(&revoke(Some(false))).unwrap();
        assert!(other.is_allowed(ChatKind::Group, &EditAttribute::AdminRevoke, None));
        assert!(!other.is_allowed(ChatKind::Group, &EditAttribute::SenderRevoke, None), "no admin");
        assert!(!other.is_allowed(ChatKind::Person, &EditAttribute::AdminRevoke, None), "there are no admins");
        assert!(change(&reaction("👍")).unwrap().is_allowed(ChatKind::Person, &EditAttribute::Empty, Some(false)));
    }

    #[test]
    fn the_senders_clock_counts_where_it_is_about_right() {
        let at = |seconds: i64| {
            let (chat, id) = (Address::new("5522@s.whatsapp.net").unwrap(), MessageId::new("E").unwrap());
            let change = change(&edit(Some(true))).unwrap();
            change.amendment(chat.clone(), id, chat, Timestamp::from_millis(seconds * 1000)).at.as_millis()
        };
        assert_eq!(at(1_700_000_000), 1_700_000_000_123);
        assert_eq!(at(1_700_000_060), 1_700_000_060_000);
    }
}

//! How a message is to be sent.

use seatport::Invalid;

use crate::mirror::mirror;

mirror! {
    /// What to do with a message of a session that is not on its way to the network.
    WhenStopped = seatport::WhenStopped {
        /// The message is refused with `NotSending`.
        Refuse,
        /// The message is stored and waits until somebody starts the session or logs it in. It needs an account to be sent from:
        /// where none ever logged in it is refused all the same. Should another account take the session over, it is cancelled.
        Queue,
    }
}

/// How a message is to be sent. With everything left out it is sent once for each call, as an answer to nothing, and not from a
/// stopped session.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct SendOptions {
    /// Names the message, so that asking again does not send it again: the same key answers the message that was stored under
    /// it. A session remembers its keys as long as its messages. 1 to 128 bytes.
    #[uniffi(default = None)]
    pub key: Option<String>,
    /// The id of the message it answers, in the same chat.
    #[uniffi(default = None)]
    pub quoted: Option<String>,
    /// What to do when the session is not on its way to the network. `Refuse`, if left out.
    #[uniffi(default = None)]
    pub when_stopped: Option<WhenStopped>,
}

impl TryFrom<SendOptions> for seatport::SendOptions {
    type Error = Invalid;

    fn try_from(options: SendOptions) -> Result<Self, Invalid> {
        Ok(Self {
            key: options.key.map(TryInto::try_into).transpose()?,
            quoted: options.quoted.map(TryInto::try_into).transpose()?,
            when_stopped: options.when_stopped.map(Into::into).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_as_usual_and_the_rest_is_checked() {
        let usual = SendOptions::default;
        assert_eq!(seatport::SendOptions::try_from(usual()).unwrap(), seatport::SendOptions::default());
        let all = SendOptions {
            key: Some("order 17".into()),
            quoted: Some("m".into()),
            when_stopped: Some(WhenStopped::Queue),
        };
        let core = seatport::SendOptions::default().key("order 17".parse().unwrap()).quoting("m".parse().unwrap());
        assert_eq!(seatport::SendOptions::try_from(all).unwrap(), core.when_stopped(seatport::WhenStopped::Queue));
        let empty = Some(String::new());
        let error = seatport::SendOptions::try_from(SendOptions { key: empty.clone(), ..usual() }).unwrap_err();
        assert_eq!(error.field, "idempotency key");
        let error = seatport::SendOptions::try_from(SendOptions { quoted: empty, ..usual() }).unwrap_err();
        assert_eq!(error.field, "message id");
    }
}

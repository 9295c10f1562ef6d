//! What the network knows from before.

use crate::conversation::{ChatUpdate, ContactUpdate};
use crate::transport::InboundMessage;

/// A piece of an account's history, as the network hands it to a newly linked device. It may come more than once.
///
/// Its messages are not unread, whatever they say; and whoever is in it from before the account's first login here is no lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Messages, oldest or newest first.
    pub messages: Vec<InboundMessage>,
    /// Chats.
    pub chats: Vec<ChatUpdate>,
    /// People.
    pub contacts: Vec<ContactUpdate>,
    /// How much of it has come so far, in percent, where the network tells.
    pub progress: Option<u8>,
}

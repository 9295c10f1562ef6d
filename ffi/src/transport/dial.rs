//! What a transport of the host is told.

use std::sync::Arc;

use crate::card::{Account, LoginMethod};
use crate::conversation::Content;
use crate::environment::Environment;
use crate::transport::{Signals, Vault};

/// What a transport can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct Capabilities {
    /// It keeps credentials in the vault, so that a restart needs no new scan. Seatport then needs a vault key.
    #[uniffi(default = false)]
    pub stores_credentials: bool,
    /// It can log in by a code typed on the phone.
    #[uniffi(default = false)]
    pub pairing_code: bool,
    /// It can go through a proxy.
    #[uniffi(default = false)]
    pub proxy: bool,
    /// It can send media, and not only texts.
    #[uniffi(default = false)]
    pub media: bool,
    /// Addresses that end so are groups. Asked when a desk is the first to write: of any other chat the messages say so.
    #[uniffi(default = [])]
    pub group_suffixes: Vec<String>,
    /// Addresses that end so speak to many: channels, status posts, broadcasts.
    #[uniffi(default = [])]
    pub broadcast_suffixes: Vec<String>,
}

/// All that a transport is told when it dials.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Dial {
    /// The id of the session it dials for.
    pub session: String,
    /// The number of the licence port that the session occupies.
    pub port: u32,
    /// What the account runs in, the proxy's password included.
    pub environment: Environment,
    /// The account that belongs to the session, once one has logged in.
    pub account: Option<Account>,
    /// How a login is to be made, if one is needed.
    pub login: LoginMethod,
    /// Where the transport keeps what it must remember, and nowhere else.
    pub vault: Arc<Vault>,
    /// Where it tells what happens.
    pub signals: Arc<Signals>,
}

/// A message that is to be sent.
#[derive(Clone, Debug, uniffi::Record)]
pub struct OutboundMessage {
    /// To which chat: the other side's address.
    pub chat: String,
    /// The id to send it under: sending the same id again must not show it twice where the network can tell.
    pub id: String,
    /// What to say. Refuse what the network has no words for.
    pub content: Content,
    /// The id of the message it answers.
    pub quoted: Option<String>,
}

/// An inbound message that was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, uniffi::Record)]
pub struct ReadMessage {
    /// Its id.
    pub id: String,
    /// The address of who sent it.
    pub sender: String,
}

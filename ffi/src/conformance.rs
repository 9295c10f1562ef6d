//! The transport suite, for transports that a host writes.
//!
//! It is part of the library when that is built with `testkit`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::SeatportError;
use crate::network::Network;
use crate::secret::Secret;

#[cfg(feature = "testkit")]
mod peer;
#[cfg(test)]
#[cfg(feature = "testkit")]
mod tests;

/// What the other side of a transport can do in a check, and what it is called. Whatever it cannot do is never asked of it, and the
/// cases that need it are left out.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PeerProfile {
    /// The address of a person to whom accounts can write, and who writes to them.
    pub chat: String,
    /// The numbers of its phones, the first one first: E.164, `+` included. For pairing codes.
    #[uniffi(default = [])]
    pub phone_numbers: Vec<String>,
    /// An HTTP proxy through which nothing gets, as `host:port`. A port of this machine that nobody listens on, if left out.
    #[uniffi(default = None)]
    pub dead_proxy: Option<String>,
    /// Scans login codes. Without it the transport logs in by itself, with whatever account.
    #[uniffi(default = false)]
    pub scan: bool,
    /// Enters pairing codes.
    #[uniffi(default = false)]
    pub enter_pairing_code: bool,
    /// A round of login codes that nobody uses ends within the patience.
    #[uniffi(default = false)]
    pub codes_expire: bool,
    /// Has two phones, so that two sessions can be logged in with an account each. Without `scan`: every session logs in with an
    /// account of its own.
    #[uniffi(default = false)]
    pub two_accounts: bool,
    /// Lets somebody write to an account.
    #[uniffi(default = false)]
    pub write: bool,
    /// Whatever text an account sends to the chat comes back to it from there, under an id of its own.
    #[uniffi(default = false)]
    pub echo: bool,
    /// The network keeps what was not acknowledged, and delivers it at the next login with the same credentials.
    #[uniffi(default = false)]
    pub redeliver: bool,
    /// Tells how many messages were not acknowledged.
    #[uniffi(default = false)]
    pub count_unacknowledged: bool,
    /// Tells what arrived from an account.
    #[uniffi(default = false)]
    pub receive: bool,
    /// The network can tell that a message comes twice under one id, and shows it once.
    #[uniffi(default = false)]
    pub show_once: bool,
    /// Cuts the connection of an account.
    #[uniffi(default = false)]
    pub cut: bool,
    /// Takes the network away and brings it back.
    #[uniffi(default = false)]
    pub go_down: bool,
    /// Lets the network hang: connections stay, and nothing is answered.
    #[uniffi(default = false)]
    pub hang: bool,
    /// Logs an account's sessions out, as a person does on the phone.
    #[uniffi(default = false)]
    pub log_out: bool,
    /// Has the network ban an account, and lift the ban.
    #[uniffi(default = false)]
    pub block: bool,
    /// Tells how many connections the network has.
    #[uniffi(default = false)]
    pub count_connections: bool,
    /// The suite may let ten minutes pass in a case.
    #[uniffi(default = false)]
    pub unhurried: bool,
    /// How long the suite waits for what has to happen. 10 s, if left out.
    #[uniffi(default = None)]
    pub patience: Option<Duration>,
    /// How long the suite waits to be sure that something does not happen. 300 ms, if left out.
    #[uniffi(default = None)]
    pub quiet: Option<Duration>,
}

/// A text as it arrived from an account.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ReceivedText {
    /// To whom it was sent.
    pub chat: String,
    /// Its id.
    pub id: String,
    /// What it says.
    pub text: String,
}

/// The other side of a transport that is checked: the phones that the accounts live on, a person who writes to them, and the
/// network between. Accounts and chats are the addresses that the transport tells; phones are numbered from 1.
///
/// It is asked for nothing that its profile does not name. Whatever it throws fails the case, and so does taking too long.
#[uniffi::export(rust, foreign)]
#[async_trait]
pub trait TransportPeer: Send + Sync {
    /// What it can do. Asked once.
    async fn profile(&self) -> Result<PeerProfile, SeatportError>;

    /// A case begins. Puts right whatever the one before has left behind: bans, a network that is away.
    async fn begin(&self) -> Result<(), SeatportError>;

    /// Scans a login code with this phone, and answers the address of the account on it.
    async fn scan(&self, phone: u32, code: Arc<Secret>) -> Result<String, SeatportError>;

    /// Types a pairing code on this phone, and answers the address of the account on it.
    async fn enter_pairing_code(&self, phone: u32, code: Arc<Secret>) -> Result<String, SeatportError>;

    /// Lets the person at the chat write a text to an account, and answers the network's id of it, if that can be known.
    async fn write(&self, account: String, text: String) -> Result<Option<String>, SeatportError>;

    /// The texts that the person at the chat got from an account so far, in order.
    async fn received(&self, account: String) -> Result<Vec<ReceivedText>, SeatportError>;

    /// How many messages for an account's sessions are not acknowledged.
    async fn unacknowledged(&self, account: String) -> Result<u32, SeatportError>;

    /// Cuts the connections of an account without a word. Whoever dials again is let in.
    async fn cut(&self, account: String) -> Result<(), SeatportError>;

    /// Takes the network away, or brings it back.
    async fn set_down(&self, down: bool) -> Result<(), SeatportError>;

    /// Lets the network hang, or go on.
    async fn set_hanging(&self, hanging: bool) -> Result<(), SeatportError>;

    /// Logs out, on the phone, every session that is linked to an account.
    async fn log_out(&self, account: String) -> Result<(), SeatportError>;

    /// Has the network ban an account, or lift the ban: its connections end, and it cannot log in.
    async fn set_blocked(&self, account: String, blocked: bool) -> Result<(), SeatportError>;

    /// How many connections the network has now, of all sessions, logged in or not.
    async fn connections(&self) -> Result<u32, SeatportError>;
}

/// How a case went.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CaseOutcome {
    /// The name of the case: `concept::what_is_promised`.
    pub name: String,
    /// What came of it.
    pub verdict: CaseVerdict,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CaseVerdict {
    /// The transport keeps the promise.
    Passed,
    /// It does not.
    Failed {
        /// What was wrong.
        problem: String,
    },
    /// Nobody knows.
    LeftOut {
        /// What the transport or its peer lacks.
        lack: String,
    },
}

/// Checks a transport against the suite: what every transport promises, case by case, each with sessions of its own. A case that
/// fails does not end the check: look through the outcomes. Takes minutes if things go wrong, for then it waits.
///
/// Every call into the host has `callback_timeout`, as in `Options`: 10 s, if left out.
///
/// # Errors
/// `NotBuilt` in a library that was built without `testkit`; `Host` when the peer does not tell its profile.
#[uniffi::export(default(callback_timeout = None))]
pub async fn check_transport(
    network: Arc<Network>,
    peer: Arc<dyn TransportPeer>,
    callback_timeout: Option<Duration>,
) -> Result<Vec<CaseOutcome>, SeatportError> {
    #[cfg(feature = "testkit")]
    return peer::check(network, peer, callback_timeout.unwrap_or(crate::options::CALLBACK_TIMEOUT)).await;
    #[cfg(not(feature = "testkit"))]
    {
        let _ = (network, peer, callback_timeout);
        Err(SeatportError::not_built("testkit"))
    }
}

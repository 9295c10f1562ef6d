//! The other side of a transport that is tested.

use std::fmt;

use async_trait::async_trait;

use super::Abilities;

/// A text as it arrived from an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// To whom it was sent.
    pub chat: String,
    /// Its id.
    pub id: String,
    /// What it says.
    pub text: String,
}

/// Why a peer could not do what it says it can. The case fails with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PeerError(String);

impl PeerError {
    /// In these words.
    pub fn new(problem: impl fmt::Display) -> Self {
        Self(problem.to_string())
    }

    fn undeclared(ability: &str) -> Self {
        Self(format!("the peer declares {ability} and does not implement it"))
    }
}

/// The other side of a transport that is tested: the phones that the accounts live on, a person who writes to them, and the
/// network between.
///
/// Only [`abilities`](Self::abilities) and [`chat`](Self::chat) have to be written; of the others, those that are declared. Accounts
/// and chats are the addresses that the transport tells; phones are numbered from 1. It may be asked from several tasks at once.
///
/// ```
/// use async_trait::async_trait;
/// use seatport_testkit::transport::{Abilities, Peer};
///
/// /// The other side of a network on which everybody is logged in at once and hears their own words.
/// #[derive(Debug)]
/// struct Echo;
///
/// #[async_trait]
/// impl Peer for Echo {
///     fn abilities(&self) -> Abilities {
///         let mut abilities = Abilities::default();
///         abilities.echo = true;
///         abilities
///     }
///
///     fn chat(&self) -> String {
///         "wall@echo".to_owned()
///     }
/// }
/// ```
#[async_trait]
pub trait Peer: fmt::Debug + Send + Sync + 'static {
    /// What it can do. Never changes.
    fn abilities(&self) -> Abilities;

    /// The address of a person to whom accounts can write, and who writes to them.
    fn chat(&self) -> String;

    /// A case begins. Puts right whatever the one before has left behind: bans, a network that is away.
    ///
    /// # Errors
    /// [`PeerError`]: the case fails.
    async fn begin(&self) -> Result<(), PeerError> {
        Ok(())
    }

    /// The phone number of a phone: E.164, `+` included. Asked for [`Abilities::enter_pairing_code`].
    fn phone_number(&self, phone: u32) -> String {
        let _ = phone;
        String::new()
    }

    /// Scans a login code with this phone, and answers the address of the account on it. For [`Abilities::scan`].
    ///
    /// # Errors
    /// [`PeerError`]: the case fails.
    async fn scan(&self, phone: u32, code: String) -> Result<String, PeerError> {
        let _ = (phone, code);
        Err(PeerError::undeclared("scan"))
    }

    /// Types a pairing code on this phone, and answers the address of the account on it. For [`Abilities::enter_pairing_code`].
    ///
    /// # Errors
    /// [`PeerError`]: the case fails.
    async fn enter_pairing_code(&self, phone: u32, code: String) -> Result<String, PeerError> {
        let _ = (phone, code);
        Err(PeerError::undeclared("enter_pairing_code"))
    }

    /// Lets the person at [`chat`](Self::chat) write a text to an account, and answers the network's id of it, if that can be known.
    /// For [`Abilities::write`].
    ///
    /// # Errors
    /// [`PeerError`]: the case fails.
    async fn write(&self, account: String, text: String) -> Result<Option<String>, PeerError> {
        let _ = (account, text);
        Err(PeerError::undeclared("write"))
    }

    /// The texts that the person at [`chat`](Self::chat) got from an account so far, in order. For [`Abilities::receive`].
    ///
    /// # Errors
    /// [`PeerError`]: the case fails.
    async fn received(&self, account: String) -> Result<Vec<Received>, PeerError> {
        let _ = account;
        Err(PeerError::undeclared("receive"))
    }

    /// How many messages for an account's sessions are not acknowledged. For [`Abilities::count_unacknowledged`].
    ///
    /// # Errors
    /// [`PeerError`]: the case fails.
    async fn unacknowledged(&self, account: String) -> Result<u32, PeerError> {
        let _ = account;
        Err(PeerError::undeclared("count_unacknowledged"))
    }

    /// Cuts the connections of an account without a word. Whoever dials again is let in. For [`Abilities::cut`].
    ///
    /// # Errors
    /// [`PeerError`]: the case fails.
    async fn cut(&self, account: String) -> Result<(), PeerError> {
        let _ = account;
        Err(PeerError::undeclared("cut"))
    }

    /// Takes the network away, or brings it back. For [`Abilities::go_down`].
    ///
    /// # Errors
    /// [`PeerError`]: the case fails.
    async fn set_down(&self, down: bool) -> Result<(), PeerError> {
        let _ = down;
        Err(PeerError::undeclared("go_down"))
    }

    /// Lets the network hang, or go on. For [`Abilities::hang`].
    ///
    /// # Errors
    /// [`PeerError`]: the case fails.
    async fn set_hanging(&self, hanging: bool) -> Result<(), PeerError> {
        let _ = hanging;
        Err(PeerError::undeclared("hang"))
    }

    /// Logs out, on the phone, every session that is linked to an account. For [`Abilities::log_out`].
    ///
    /// # Errors
    /// [`PeerError`]: the case fails.
    async fn log_out(&self, account: String) -> Result<(), PeerError> {
        let _ = account;
        Err(PeerError::undeclared("log_out"))
    }

    /// Has the network ban an account, or lift the ban: its connections end, and it cannot log in. For [`Abilities::block`].
    ///
    /// # Errors
    /// [`PeerError`]: the case fails.
    async fn set_blocked(&self, account: String, blocked: bool) -> Result<(), PeerError> {
        let _ = (account, blocked);
        Err(PeerError::undeclared("block"))
    }

    /// How many connections the network has now, of all sessions, logged in or not. For [`Abilities::count_connections`].
    ///
    /// # Errors
    /// [`PeerError`]: the case fails.
    async fn connections(&self) -> Result<u32, PeerError> {
        Err(PeerError::undeclared("count_connections"))
    }

    /// A proxy through which nothing gets, as the environment names it, with the user `mei` and this password. Asked when the
    /// transport is [capable](seatport::transport::Capabilities::proxy) of proxies. Unless overridden, one that is not there.
    ///
    /// # Errors
    /// [`PeerError`]: the case fails.
    async fn dead_proxy(&self, password: String) -> Result<String, PeerError> {
        // Nobody listens on the port of tcpmux.
        Ok(format!("http://mei:{password}@127.0.0.1:1"))
    }
}

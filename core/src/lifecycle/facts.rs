//! The four facts about a session, never folded into one word.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::Address;

/// What people asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Desired {
    /// Nobody wants it to run. It holds no port once it has come to rest.
    #[default]
    Stopped,
    /// It is meant to run, and holds a port until it is stopped.
    Started,
}

/// What follows a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Then {
    /// It rests: the port is released.
    Rest,
    /// It dials again on the same port.
    Restart,
    /// It waits for a person, on the same port.
    Block,
}

/// What the machine is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Lifecycle {
    /// At rest.
    #[default]
    Stopped,
    /// Dialling, or dialled and not yet logged in.
    Connecting {
        /// How many tries have failed since it was last online.
        attempt: u32,
    },
    /// A login code is there to be used.
    AwaitingLogin,
    /// Logged in.
    Online,
    /// Waiting to dial again.
    Backoff {
        /// How many tries have failed since it was last online.
        attempt: u32,
        /// When the next one is due.
        retry_at: Timestamp,
    },
    /// Needs a person.
    Blocked,
    /// The connection is being closed.
    Stopping {
        /// What comes after.
        then: Then,
        /// Whether the account is to be logged out on the way.
        log_out: bool,
    },
}

/// Whether an account is logged in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Login {
    /// No account has ever logged in.
    #[default]
    Never,
    /// The credentials of an account are kept: it comes online without a scan.
    LoggedIn,
    /// An account was logged in; a new scan is needed.
    LoggedOut,
}

/// The messenger identity that logged in to a session (账号).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Account {
    /// Its address on the network.
    pub address: Address,
    /// Its phone number, E.164 digits without `+`, where the network tells.
    pub phone: Option<String>,
    /// Its display name.
    pub name: Option<String>,
}

/// Why a session is blocked, or why its last connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ReasonKind {
    /// The round of login codes ran out; `refresh_login` issues a new one.
    LoginExpired,
    /// The phone (or the network) logged this device out; a new scan resumes in place.
    LoggedOut,
    /// A desk logged the account out.
    LoggedOutHere,
    /// The account was opened elsewhere. Never reconnects by itself.
    Replaced,
    /// The network banned the account; `until` says how long, where it told. Never reconnects by itself.
    Banned,
    /// The proxy refused, or cannot be reached. Nothing was sent around it.
    ProxyRefused,
    /// The network no longer accepts this version of the transport.
    ClientOutdated,
    /// Another account than the one that belongs to this session scanned the code.
    AccountMismatch,
    /// The stored credentials cannot be read: the vault key is not the one they were sealed with.
    VaultUnreadable,
    /// The transport named in the session is not part of this host.
    TransportMissing,
    /// The transport refused for good, in its own words.
    Refused,
    /// The connection was lost or never came about.
    ConnectionLost,
    /// Dialling took too long.
    DialTimedOut,
    /// No sign of life for 60 s.
    NoProofOfLife,
    /// The task that drove the session ended unexpectedly.
    Crashed,
}

impl fmt::Display for ReasonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LoginExpired => "the login code ran out; refresh the login",
            Self::LoggedOut => "logged out from the phone; scan again",
            Self::LoggedOutHere => "logged out here; scan again",
            Self::Replaced => "the account was opened elsewhere; close it there, then refresh",
            Self::Banned => "the network banned the account",
            Self::ProxyRefused => "the proxy refused the connection; check the environment, then refresh",
            Self::ClientOutdated => "the network asks for a newer client; update the host application",
            Self::AccountMismatch => "another account scanned the code; scan with the account of this session",
            Self::VaultUnreadable => "the stored credentials cannot be opened with this vault key",
            Self::TransportMissing => "this host has no such transport",
            Self::Refused => "the network refused the connection",
            Self::ConnectionLost => "the connection was lost",
            Self::DialTimedOut => "dialling took too long",
            Self::NoProofOfLife => "no sign of life from the network",
            Self::Crashed => "the task that drove the session ended unexpectedly",
        })
    }
}

/// A [`ReasonKind`] with what the network said of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reason {
    /// Which kind.
    pub kind: ReasonKind,
    /// The network's own code or words, unchanged. Never holds a secret.
    pub code: Option<String>,
    /// When it ends, where the network told.
    pub until: Option<Timestamp>,
}

impl Reason {
    /// A reason without a code or an end.
    ///
    /// ```
    /// use seatport::lifecycle::{Reason, ReasonKind};
    /// assert_eq!(Reason::new(ReasonKind::Replaced).code, None);
    /// ```
    #[must_use]
    pub fn new(kind: ReasonKind) -> Self {
        Self { kind, code: None, until: None }
    }

    /// The same with the network's code or words.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The same with an end.
    #[must_use]
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        if let Some(until) = self.until {
            write!(f, " until {until}")?;
        }
        Ok(())
    }
}

/// What is known of a session's lifecycle: what people want, what the machine does, whether an account is logged in, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Facts {
    /// What people asked for.
    pub desired: Desired,
    /// What the machine is doing.
    pub lifecycle: Lifecycle,
    /// Whether an account is logged in.
    pub login: Login,
    /// Why it is blocked, or why the last connection ended.
    pub reason: Option<Reason>,
    /// The account that belongs to this session, once one has logged in.
    pub account: Option<Account>,
    /// Counts the connections of this session. What an older connection still says is dropped.
    pub generation: u64,
}

impl Facts {
    /// Which connection ought to exist now: its generation, or none.
    #[must_use]
    pub fn connection(&self) -> Option<u64> {
        match self.lifecycle {
            Lifecycle::Connecting { .. } | Lifecycle::AwaitingLogin | Lifecycle::Online => Some(self.generation),
            Lifecycle::Stopped | Lifecycle::Backoff { .. } | Lifecycle::Blocked | Lifecycle::Stopping { .. } => None,
        }
    }
}

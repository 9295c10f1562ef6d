//! The ways in which the network turns a device away.

use std::time::Duration;

use whatsapp_rust::wacore_binary::Node;
use whatsapp_rust::wacore_binary::builder::NodeBuilder;

/// Why a login is not accepted, or a running connection is ended with a `<failure>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 401: the device is not linked, or no longer.
    LoggedOut,
    /// 402: the account may not be used for a while.
    Banned {
        /// The network's code for what the account did: 101 to 106.
        code: u16,
        /// How long from now.
        lifts_in: Duration,
    },
    /// 403: the account is locked.
    Locked,
    /// 405: the client's version is too old.
    Outdated,
    /// 503: not now.
    Unavailable,
    /// Any other reason code.
    Other(u16),
}

impl Refusal {
    /// The network's reason code.
    pub fn reason(self) -> u16 {
        match self {
            Self::LoggedOut => 401,
            Self::Banned { .. } => 402,
            Self::Locked => 403,
            Self::Outdated => 405,
            Self::Unavailable => 503,
            Self::Other(reason) => reason,
        }
    }

    pub(crate) fn stanza(self) -> Node {
        let failure = NodeBuilder::new("failure").attr("reason", self.reason().to_string()).attr("location", "fake");
        match self {
            Self::Banned { code, lifts_in } => {
                failure.attr("code", code.to_string()).attr("expire", lifts_in.as_secs().to_string()).build()
            }
            _ => failure.build(),
        }
    }
}

/// Why the server ends a connection that had logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// The account was opened elsewhere.
    Replaced,
    /// The device was taken off the account.
    DeviceRemoved,
    /// 515: the client is to connect again; normal after linking.
    Restart,
    /// 503: the server is going down.
    Unavailable,
    /// 429: too much, too fast.
    RateLimited,
}

impl StreamEnd {
    pub(crate) fn stanza(self) -> Node {
        let (code, conflict) = match self {
            Self::Replaced => ("409", Some("replaced")),
            Self::DeviceRemoved => ("401", Some("device_removed")),
            Self::Restart => ("515", None),
            Self::Unavailable => ("503", None),
            Self::RateLimited => ("429", None),
        };
        let error = NodeBuilder::new("stream:error").attr("code", code);
        match conflict {
            Some(kind) => error.children([NodeBuilder::new("conflict").attr("type", kind).build()]).build(),
            None => error.build(),
        }
    }
}

//! The card (会话卡片): what an agent sees of a session in a list.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{AgentId, PortNumber, SessionId, TransportName};
use crate::lifecycle::{Account, Facts, Lifecycle, Login, Reason};
use crate::policy::Action;
use crate::session::{Environment, Remark};

/// The status on the card, derived from the [`Facts`]; never stored as a fact of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CardStatus {
    /// 未启动: stopped, no account has ever logged in.
    NotStarted,
    /// 离线: stopped, an account has logged in before.
    Offline,
    /// 连接中: dialling, or waiting to retry.
    Connecting,
    /// 待登录: a QR or pairing code is there to be used.
    AwaitingLogin,
    /// 在线: logged in, with proof of life no older than 60 s.
    Online,
    /// 异常: needs a person.
    Blocked,
    /// 停止中: on the way to stopped.
    Stopping,
}

impl CardStatus {
    /// All of them, in the order of the product's manual.
    pub const ALL: [Self; 7] = [
        Self::NotStarted,
        Self::Offline,
        Self::Connecting,
        Self::AwaitingLogin,
        Self::Online,
        Self::Blocked,
        Self::Stopping,
    ];

    /// The status that follows from the facts. `driven` says whether a live process drives the session: without one there is
    /// neither a code to scan nor proof of life, so what was online is connecting again until somebody adopts it.
    #[must_use]
    pub fn of(facts: &Facts, driven: bool) -> Self {
        match facts.lifecycle {
            Lifecycle::Stopped if facts.login == Login::Never => Self::NotStarted,
            Lifecycle::Stopped => Self::Offline,
            Lifecycle::AwaitingLogin if driven => Self::AwaitingLogin,
            Lifecycle::Online if driven => Self::Online,
            Lifecycle::Connecting { .. } | Lifecycle::Backoff { .. } | Lifecycle::AwaitingLogin | Lifecycle::Online => {
                Self::Connecting
            }
            Lifecycle::Blocked => Self::Blocked,
            Lifecycle::Stopping { .. } => Self::Stopping,
        }
    }
}

impl fmt::Display for CardStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStarted => "not started",
            Self::Offline => "offline",
            Self::Connecting => "connecting",
            Self::AwaitingLogin => "awaiting login",
            Self::Online => "online",
            Self::Blocked => "blocked",
            Self::Stopping => "stopping",
        })
    }
}

/// What an agent sees of a session in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Card {
    /// Which session.
    pub session: SessionId,
    /// The network it lives on.
    pub transport: TransportName,
    /// The derived status.
    pub status: CardStatus,
    /// Why it is blocked, or why the last connection ended.
    pub reason: Option<Reason>,
    /// While connecting after a loss: how many tries have failed.
    pub attempt: u32,
    /// While waiting to retry: when the next try is due.
    pub next_try: Option<Timestamp>,
    /// The account that logged in here, once one has.
    pub account: Option<Account>,
    /// Whether that account is logged in.
    pub login: Login,
    /// Unread messages over all chats.
    pub unread: u64,
    /// The note on it.
    pub remark: Remark,
    /// The agent bound to it.
    pub agent: Option<AgentId>,
    /// The port it occupies.
    pub port: Option<PortNumber>,
    /// What its account runs in; without the proxy's password.
    pub environment: Environment,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// What the viewer may do with it now: allowed by the role, and by the state.
    pub actions: Vec<Action>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::Then;

    fn status(lifecycle: Lifecycle, login: Login, driven: bool) -> CardStatus {
        CardStatus::of(&Facts { lifecycle, login, ..Facts::default() }, driven)
    }

    #[test]
    fn the_status_follows_from_the_facts() {
        use CardStatus::{AwaitingLogin, Blocked, Connecting, NotStarted, Offline, Online, Stopping};

        let retry_at = Timestamp::from_millis(0);
        let rows = [
            // lifecycle, with a live process behind it, without one
            (Lifecycle::Connecting { attempt: 0 }, Connecting, Connecting),
            (Lifecycle::AwaitingLogin, AwaitingLogin, Connecting),
            (Lifecycle::Online, Online, Connecting),
            (Lifecycle::Backoff { attempt: 2, retry_at }, Connecting, Connecting),
            (Lifecycle::Blocked, Blocked, Blocked),
            (Lifecycle::Stopping { then: Then::Rest, log_out: false }, Stopping, Stopping),
            (Lifecycle::Stopping { then: Then::Restart, log_out: false }, Stopping, Stopping),
            (Lifecycle::Stopping { then: Then::Block, log_out: true }, Stopping, Stopping),
        ];
        for (lifecycle, driven, alone) in rows {
            for login in [Login::Never, Login::LoggedIn, Login::LoggedOut] {
                assert_eq!(status(lifecycle, login, true), driven, "{lifecycle:?}, {login:?}");
                assert_eq!(status(lifecycle, login, false), alone, "{lifecycle:?}, {login:?}, nobody drives it");
            }
        }
        for driven in [true, false] {
            assert_eq!(status(Lifecycle::Stopped, Login::Never, driven), NotStarted);
            assert_eq!(status(Lifecycle::Stopped, Login::LoggedIn, driven), Offline);
            assert_eq!(status(Lifecycle::Stopped, Login::LoggedOut, driven), Offline);
        }
    }

    #[test]
    fn all_lists_every_status_once_in_plain_words() {
        let words = CardStatus::ALL.map(|status| status.to_string());
        assert_eq!(words, ["not started", "offline", "connecting", "awaiting login", "online", "blocked", "stopping"]);
    }
}

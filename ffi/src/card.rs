//! The card (会话卡片): what an agent sees of a session in a list.

mod login;

use std::time::SystemTime;

use seatport::{AgentId, Invalid, lifecycle};

pub use self::login::{ChallengeKind, LoginChallenge, LoginMethod};
use crate::environment::Environment;
use crate::mirror::mirror;
use crate::time::{given, told};

mirror! {
    /// The status on a session's card.
    CardStatus = seatport::CardStatus {
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
}

mirror! {
    /// Whether an account is logged in.
    Login = lifecycle::Login {
        /// No account has ever logged in.
        Never,
        /// The credentials of an account are kept: it comes online without a scan.
        LoggedIn,
        /// An account was logged in; a new scan is needed.
        LoggedOut,
    }
}

mirror! {
    /// What an agent can ask for.
    Action = seatport::Action, or Other "action" {
        /// See cards, live status and login codes.
        View,
        /// Add an account.
        Add,
        /// Start a session.
        Start,
        /// Stop a session.
        Stop,
        /// Restart a session.
        Restart,
        /// Ask for a new login code, or for the next try now.
        RefreshLogin,
        /// Log the account out.
        LogOut,
        /// Bind an agent, change it, or unbind it.
        Assign,
        /// Edit the remark.
        SetRemark,
        /// Edit the environment.
        SetEnvironment,
        /// Delete a session.
        Delete,
        /// Delete a session, and forget its people in the lead ledger too.
        Erase,
        /// Read contacts, chats and messages, and search them.
        Read,
        /// Export a session's contacts and messages.
        Export,
        /// Send messages.
        Send,
        /// Mark chats as read.
        MarkRead,
        /// Follow the event feed.
        FollowEvents,
        /// Read the audit trail.
        ReadAudit,
        /// See the data centre.
        ViewDataCentre,
    }
}

mirror! {
    /// Why a session is blocked, or why its last connection ended.
    ReasonKind = lifecycle::ReasonKind, or Other "reason" {
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
}

/// Why a session is blocked, or why its last connection ended, with what the network said of it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Reason {
    /// Which kind.
    pub kind: ReasonKind,
    /// The network's own code or words, unchanged. Never holds a secret.
    #[uniffi(default = None)]
    pub code: Option<String>,
    /// When it ends, where the network told.
    #[uniffi(default = None)]
    pub until: Option<SystemTime>,
}

impl From<lifecycle::Reason> for Reason {
    fn from(reason: lifecycle::Reason) -> Self {
        Self { kind: reason.kind.into(), code: reason.code, until: reason.until.map(told) }
    }
}

impl TryFrom<Reason> for lifecycle::Reason {
    type Error = Invalid;

    fn try_from(reason: Reason) -> Result<Self, Invalid> {
        Ok(Self { kind: reason.kind.try_into()?, code: reason.code, until: reason.until.map(given).transpose()? })
    }
}

/// The messenger identity that logged in to a session (账号).
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Account {
    /// Its address on the network.
    pub address: String,
    /// Its phone number, E.164 digits without `+`, where the network tells.
    #[uniffi(default = None)]
    pub phone: Option<String>,
    /// Its display name.
    #[uniffi(default = None)]
    pub name: Option<String>,
}

impl From<lifecycle::Account> for Account {
    fn from(account: lifecycle::Account) -> Self {
        Self { address: account.address.into(), phone: account.phone, name: account.name }
    }
}

impl TryFrom<Account> for lifecycle::Account {
    type Error = Invalid;

    fn try_from(account: Account) -> Result<Self, Invalid> {
        Ok(Self { address: account.address.parse()?, phone: account.phone, name: account.name })
    }
}

/// What an agent sees of a session in a list.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Card {
    /// The id of the session.
    pub session: String,
    /// The network it lives on.
    pub transport: String,
    /// Its status.
    pub status: CardStatus,
    /// Why it is blocked, or why the last connection ended.
    pub reason: Option<Reason>,
    /// While connecting after a loss: how many tries have failed.
    pub attempt: u32,
    /// While waiting to retry: when the next try is due.
    pub next_try: Option<SystemTime>,
    /// The account that logged in here, once one has.
    pub account: Option<Account>,
    /// Whether that account is logged in.
    pub login: Login,
    /// Unread messages over all chats.
    pub unread: u64,
    /// The note on it; empty if there is none.
    pub remark: String,
    /// The id of the agent bound to it.
    pub agent: Option<String>,
    /// The number of the port it occupies.
    pub port: Option<u32>,
    /// What its account runs in; without the proxy's password.
    pub environment: Environment,
    /// When it was added.
    pub created_at: SystemTime,
    /// Since when it is in this state.
    pub since: SystemTime,
    /// What the viewer may do with it now: allowed by the role, and by the state.
    pub actions: Vec<Action>,
}

impl From<seatport::Card> for Card {
    fn from(card: seatport::Card) -> Self {
        Self {
            session: card.session.to_string(),
            transport: card.transport.into(),
            status: card.status.into(),
            reason: card.reason.map(Into::into),
            attempt: card.attempt,
            next_try: card.next_try.map(told),
            account: card.account.map(Into::into),
            login: card.login.into(),
            unread: card.unread,
            remark: card.remark.as_str().to_owned(),
            agent: card.agent.map(Into::into),
            port: card.port.map(|port| port.0),
            environment: card.environment.into(),
            created_at: told(card.created_at),
            since: told(card.since),
            actions: card.actions.into_iter().map(Into::into).collect(),
        }
    }
}

/// A session as it looks at one moment.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct View {
    /// Its card.
    pub card: Card,
    /// The login code to show, while there is a valid one. Of a session that another node drives, this needs a vault key that
    /// both have: without one there is none to show.
    pub challenge: Option<LoginChallenge>,
}

impl From<seatport::View> for View {
    fn from(view: seatport::View) -> Self {
        Self { card: view.card.into(), challenge: view.challenge.map(Into::into) }
    }
}

/// Which sessions to list. What is left out does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct SessionFilter {
    /// Only those whose card shows one of these statuses; an empty list does not filter.
    #[uniffi(default)]
    pub statuses: Vec<CardStatus>,
    /// Only those bound to this agent, or to nobody.
    #[uniffi(default = None)]
    pub agent: Option<AgentFilter>,
    /// Only those with this text in the remark, or in the account's name, phone number or address; letter case of ASCII aside.
    #[uniffi(default = None)]
    pub text: Option<String>,
}

/// Whom the sessions to list are bound to.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum AgentFilter {
    /// To nobody.
    Unbound,
    /// To this agent.
    BoundTo {
        /// The id of the agent.
        agent: String,
    },
}

impl TryFrom<SessionFilter> for seatport::SessionFilter {
    type Error = Invalid;

    fn try_from(filter: SessionFilter) -> Result<Self, Invalid> {
        let agent = match filter.agent {
            None => None,
            Some(AgentFilter::Unbound) => Some(None),
            Some(AgentFilter::BoundTo { agent }) => Some(Some(AgentId::new(agent)?)),
        };
        Ok(Self { statuses: filter.statuses.into_iter().map(Into::into).collect(), agent, text: filter.text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_of_today_has_a_word() {
        for action in seatport::Action::all() {
            assert_eq!(seatport::Action::try_from(Action::from(action)).unwrap(), action);
        }
        assert_eq!(seatport::Action::try_from(Action::Other).unwrap_err().field, "action");
    }

    #[test]
    fn every_status_is_the_one_of_the_same_name() {
        for status in seatport::CardStatus::ALL {
            assert_eq!(seatport::CardStatus::from(CardStatus::from(status)), status);
            assert_eq!(format!("{:?}", CardStatus::from(status)), format!("{status:?}"));
        }
    }

    #[test]
    fn every_reason_of_today_has_a_word() {
        use lifecycle::ReasonKind::*;

        let kinds = [
            LoginExpired,
            LoggedOut,
            LoggedOutHere,
            Replaced,
            Banned,
            ProxyRefused,
            ClientOutdated,
            AccountMismatch,
            VaultUnreadable,
            TransportMissing,
            Refused,
            ConnectionLost,
            DialTimedOut,
            NoProofOfLife,
            Crashed,
        ];
        for kind in kinds {
            assert_eq!(lifecycle::ReasonKind::try_from(ReasonKind::from(kind)).unwrap(), kind);
        }
    }

    #[test]
    fn a_reason_keeps_the_networks_words_and_its_end() {
        let until = seatport::Timestamp::from_millis(1_700_000_000_000);
        let banned = lifecycle::Reason::new(lifecycle::ReasonKind::Banned).code("403").until(until);
        assert_eq!(lifecycle::Reason::try_from(Reason::from(banned.clone())).unwrap(), banned);
        let unknown = Reason { kind: ReasonKind::Other, code: None, until: None };
        assert_eq!(lifecycle::Reason::try_from(unknown).unwrap_err().field, "reason");
    }

    #[test]
    fn a_filter_tells_nobody_from_somebody_and_from_anybody() {
        let core = |agent| {
            let filter = SessionFilter { agent, statuses: vec![CardStatus::Online], text: Some("vip".into()) };
            seatport::SessionFilter::try_from(filter)
        };
        assert_eq!(core(None).unwrap().agent, None);
        assert_eq!(core(Some(AgentFilter::Unbound)).unwrap().agent, Some(None));
        let bound = core(Some(AgentFilter::BoundTo { agent: "li".into() })).unwrap();
        assert_eq!(bound.agent, Some(Some(AgentId::new("li").unwrap())));
        assert_eq!((bound.statuses, bound.text.as_deref()), (vec![seatport::CardStatus::Online], Some("vip")));
        assert_eq!(core(Some(AgentFilter::BoundTo { agent: String::new() })).unwrap_err().field, "agent id");
    }
}

//! What a peer can do, and what a case needs.

use std::time::Duration;

use seatport::transport::Capabilities;

/// What a [`Peer`](super::Peer) can do. Whatever is not declared is never asked of it.
///
/// ```
/// use seatport_testkit::transport::Abilities;
/// let mut abilities = Abilities::default();
/// (abilities.echo, abilities.redeliver) = (true, true);
/// assert!(!abilities.scan);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Abilities {
    /// Scans login codes. Without it the transport logs in by itself, with whatever account.
    pub scan: bool,
    /// Enters pairing codes.
    pub enter_pairing_code: bool,
    /// A round of login codes that nobody uses ends within [`patience`](Self::patience).
    pub codes_expire: bool,
    /// Has two phones, so that two sessions can be logged in with an account each. Without [`scan`](Self::scan): every session
    /// logs in with an account of its own.
    pub two_accounts: bool,
    /// Lets somebody write to an account.
    pub write: bool,
    /// Whatever text an account sends to [`chat`](super::Peer::chat) comes back to it from there, under an id of its own.
    pub echo: bool,
    /// The network keeps what was not acknowledged, and delivers it at the next login with the same credentials.
    pub redeliver: bool,
    /// Tells how many messages the network has delivered, or is to deliver, that were not acknowledged.
    pub count_unacknowledged: bool,
    /// Tells what arrived from an account.
    pub receive: bool,
    /// The network can tell that a message comes twice under one id, and shows it once.
    pub show_once: bool,
    /// Cuts the connection of an account.
    pub cut: bool,
    /// Takes the network away and brings it back: while it is away connections are cut, and nobody can dial.
    pub go_down: bool,
    /// Lets the network hang: connections stay, and nothing is answered.
    pub hang: bool,
    /// Logs an account's sessions out, as a person does on the phone.
    pub log_out: bool,
    /// Has the network ban an account, and lift the ban.
    pub block: bool,
    /// Tells how many connections the network has.
    pub count_connections: bool,
    /// The suite may let ten minutes pass in a case: tokio's time is paused and the network runs on it, or nobody is in a hurry.
    pub unhurried: bool,
    /// How long the suite waits for what has to happen. 10 s.
    pub patience: Duration,
    /// How long the suite waits to be sure that something does not happen. 300 ms.
    pub quiet: Duration,
}

impl Default for Abilities {
    /// None, on real time.
    fn default() -> Self {
        Self {
            scan: false,
            enter_pairing_code: false,
            codes_expire: false,
            two_accounts: false,
            write: false,
            echo: false,
            redeliver: false,
            count_unacknowledged: false,
            receive: false,
            show_once: false,
            cut: false,
            go_down: false,
            hang: false,
            log_out: false,
            block: false,
            count_connections: false,
            unhurried: false,
            patience: Duration::from_secs(10),
            quiet: Duration::from_millis(300),
        }
    }
}

/// What a case cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The transport keeps credentials.
    Credentials,
    /// The transport goes through proxies.
    Proxy,
    /// The transport sends no media.
    NoMedia,
    Scan,
    /// Transport and peer both know pairing codes.
    PairingCode,
    CodesExpire,
    TwoAccounts,
    Write,
    /// Something can arrive at the account.
    Inbound,
    /// It shows what arrived from the account.
    Arrival,
    Redeliver,
    CountUnacknowledged,
    ShowOnce,
    Cut,
    GoDown,
    Hang,
    LogOut,
    Block,
    CountConnections,
    Unhurried,
}

impl Need {
    /// What is missing, if it is.
    pub(crate) fn missing(self, capabilities: Capabilities, can: &Abilities) -> Option<&'static str> {
        let (there, what) = match self {
            Self::Credentials => (capabilities.stores_credentials, "the transport stores no credentials"),
            Self::Proxy => (capabilities.proxy, "the transport goes through no proxy"),
            Self::NoMedia => (!capabilities.media, "the transport sends media"),
            Self::PairingCode if !capabilities.pairing_code => (false, "the transport knows no pairing codes"),
            Self::PairingCode => (can.enter_pairing_code, "the peer cannot enter_pairing_code"),
            Self::Scan => (can.scan, "the peer cannot scan"),
            Self::CodesExpire => (can.codes_expire, "the peer lets no codes_expire"),
            Self::TwoAccounts => (can.two_accounts, "the peer has no two_accounts"),
            Self::Write => (can.write, "the peer cannot write"),
            Self::Inbound => (can.write || can.echo, "the peer can neither write nor echo"),
            Self::Arrival => (can.receive || can.echo, "the peer can neither receive nor echo"),
            Self::Redeliver => (can.redeliver, "the peer does not redeliver"),
            Self::CountUnacknowledged => (can.count_unacknowledged, "the peer cannot count_unacknowledged"),
            Self::ShowOnce => (can.show_once, "the peer cannot show_once"),
            Self::Cut => (can.cut, "the peer cannot cut"),
            Self::GoDown => (can.go_down, "the peer cannot go_down"),
            Self::Hang => (can.hang, "the peer cannot hang"),
            Self::LogOut => (can.log_out, "the peer cannot log_out"),
            Self::Block => (can.block, "the peer cannot block"),
            Self::CountConnections => (can.count_connections, "the peer cannot count_connections"),
            Self::Unhurried => (can.unhurried, "the peer is not unhurried"),
        };
        (!there).then_some(what)
    }
}

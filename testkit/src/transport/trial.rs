//! What a case is given: the subject, and how to wait for it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seatport::lifecycle::Reason;
use seatport::transport::{ChallengeKind, ConnectError, Signal, Transport};
use seatport::{Address, Clock, MessageId, Random, SystemClock};
use tokio::time::{sleep, timeout};

use super::line::Line;
use super::seat::Seat;
use super::{Abilities, Peer, PeerError, Subject};
use crate::VirtualClock;

/// How often the suite looks again.
const LOOK: Duration = Duration::from_millis(10);
/// How often a network may want a new connection until the account is online.
const REDIALS: u32 = 4;

/// How long a connection may take to end. Seatport waits 4 s; a busy machine may need some more.
const SOON: Duration = Duration::from_secs(10);

/// One run of a case.
pub(crate) struct Trial {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) peer: Arc<dyn Peer>,
    pub(crate) can: Abilities,
    pub(crate) random: Random,
    clock: VirtualClock,
    texts: AtomicU32,
}

impl Trial {
    pub(crate) fn new(subject: Subject) -> Self {
        let Subject { transport, peer } = subject;
        let can = peer.abilities();
        // The network may remember the sessions, ids and texts of runs before this one.
        let random = Random::from_os().expect("the operating system gives randomness");
        // Right by the calendar, for a host goes by its own; and it follows paused time.
        let clock = VirtualClock::starting_at(SystemClock.now());
        Self { transport, peer, can, random, clock, texts: AtomicU32::new(0) }
    }

    /// A new session with an empty vault.
    pub(crate) fn seat(&self) -> Seat {
        Seat::new(self.transport.name(), self.clock, self.random.clone())
    }

    /// The person who writes, and is written to.
    pub(crate) fn chat(&self) -> Address {
        Address::new(self.peer.chat()).expect("the peer's chat is an address")
    }

    /// A text that nobody has said before, with these words in it.
    pub(crate) fn text(&self, words: &str) -> String {
        let number = self.texts.fetch_add(1, Ordering::Relaxed);
        format!("{words} [{number}/{:08x}]", self.random.below(1 << 32))
    }

    /// An id for a message that was not sent before.
    pub(crate) fn message_id(&self) -> MessageId {
        self.transport.new_message_id(&self.random).expect("the transport makes ids for messages")
    }

    /// What comes of this, in good time.
    pub(crate) async fn within<T>(&self, what: &str, future: impl Future<Output = T>) -> T {
        match timeout(self.can.patience, future).await {
            Ok(result) => result,
            Err(_) => panic!("{what}: not within {:?}", self.can.patience),
        }
    }

    /// What comes of this, soon: when Seatport ends something it does not wait as long as for a network.
    pub(crate) async fn soon<T>(&self, what: &str, future: impl Future<Output = T>) -> T {
        let limit = self.can.patience.min(SOON);
        match timeout(limit, future).await {
            Ok(result) => result,
            Err(_) => panic!("{what}: not within {limit:?}"),
        }
    }

    /// Has the peer do something.
    pub(crate) async fn peer<T>(&self, what: &str, doing: impl Future<Output = Result<T, PeerError>>) -> T {
        let done = self.within(&format!("the peer had to {what}"), doing).await;
        done.unwrap_or_else(|error| panic!("the peer had to {what}: {error}"))
    }

    /// Long enough to be sure that something does not happen.
    pub(crate) async fn quiet(&self) {
        sleep(self.can.quiet).await;
    }

    /// Waits until the network has no connection, if the peer can tell.
    pub(crate) async fn no_connection(&self, when: &str) {
        if self.can.count_connections {
            let none = async {
                while self.peer("count connections", self.peer.connections()).await > 0 {
                    look_again().await;
                }
            };
            self.soon(&format!("the network has no connection {when}"), none).await;
        }
    }

    /// Dials, whatever comes of it.
    pub(crate) async fn try_dial(&self, seat: &Seat) -> Result<Line<'_>, ConnectError> {
        let context = seat.context().await;
        let connection = self.within("connect answers", self.transport.connect(context)).await?;
        Ok(Line::new(self, connection))
    }

    /// Dials a network that answers.
    pub(crate) async fn dial(&self, seat: &Seat) -> Line<'_> {
        match self.try_dial(seat).await {
            Ok(line) => line,
            Err(error) => panic!("the network is there, but dialling fails: {error}"),
        }
    }

    /// Dials until the account is online; what login codes there are this phone uses.
    pub(crate) async fn log_in(&self, seat: &Seat, phone: u32) -> Line<'_> {
        self.log_in_for(seat, phone, None).await
    }

    /// The same, but only until this text has come, which may be before the account is online. It is not stored yet.
    pub(crate) async fn log_in_for(&self, seat: &Seat, phone: u32, awaited: Option<&str>) -> Line<'_> {
        let mut scanned = false;
        'dialling: for _ in 0..REDIALS {
            let mut line = self.dial(seat).await;
            line.awaited = awaited.map(str::to_owned);
            loop {
                match line.word().await {
                    // The awaited text is among them.
                    Some(Signal::Messages { .. }) => return line,
                    Some(Signal::Ready { account }) => {
                        line.account = account.address.as_str().to_owned();
                        return line;
                    }
                    Some(Signal::Challenge(challenge)) if !scanned && self.can.scan => {
                        scanned = true;
                        let code = challenge.code.expose().to_owned();
                        match challenge.kind {
                            ChallengeKind::Qr => self.peer("scan a code", self.peer.scan(phone, code)).await,
                            ChallengeKind::PairingCode => {
                                self.peer("enter a code", self.peer.enter_pairing_code(phone, code)).await
                            }
                        };
                    }
                    Some(Signal::Challenge(_) | Signal::Paired { redial: false, .. }) => {}
                    Some(Signal::Paired { redial: true, .. }) => continue 'dialling,
                    other => panic!("on the way to being online came {other:?}"),
                }
            }
        }
        panic!("the network wanted a new connection {REDIALS} times, and the account is not online");
    }

    /// Dials with what is in the vault until the account is online. A network without scans logs in without.
    pub(crate) async fn online_again(&self, seat: &Seat) -> Line<'_> {
        let mut line = self.dial(seat).await;
        loop {
            match line.word().await {
                Some(Signal::Ready { account }) => {
                    line.account = account.address.as_str().to_owned();
                    return line;
                }
                Some(Signal::Challenge(_)) if !self.can.scan => {}
                Some(Signal::Paired { redial: false, .. }) if !self.can.scan => {}
                other => panic!("it has logged in before, and instead of Ready came {other:?}"),
            }
        }
    }

    /// What a dial comes to that must not come online: how it was refused or lost, or that a new login is wanted.
    pub(crate) async fn not_online(&self, seat: &Seat) -> Ending {
        let mut line = match self.try_dial(seat).await {
            Ok(line) => line,
            Err(ConnectError::Lost(reason)) => return Ending::Lost(reason),
            Err(ConnectError::Rejected(reason)) => return Ending::Rejected(reason),
        };
        loop {
            match line.word().await {
                Some(Signal::Challenge(_)) => return Ending::WantsLogin,
                Some(Signal::Lost(reason)) => return Ending::Lost(reason),
                Some(Signal::Rejected(reason)) => return Ending::Rejected(reason),
                None => return Ending::Silent,
                Some(other @ (Signal::Ready { .. } | Signal::Paired { .. })) => panic!("it came online: {other:?}"),
                Some(_) => {}
            }
        }
    }

    /// Lets a text arrive at the account: the person writes it, or the network echoes it. Answers the id, where it is known.
    pub(crate) async fn let_arrive(&self, line: &mut Line<'_>, text: &str) -> Option<String> {
        if self.can.write {
            return self.peer("write", self.peer.write(line.account.clone(), text.to_owned())).await;
        }
        let sent = line.send_text(&self.message_id(), text).await;
        assert_eq!(sent, Ok(()), "the network echoes, so it takes a text");
        None
    }

    /// How often each of these texts has arrived from an account so far.
    async fn count_received(&self, account: &str, texts: &[&str]) -> Vec<usize> {
        let received = self.peer("tell what it received", self.peer.received(account.to_owned())).await;
        texts.iter().map(|text| received.iter().filter(|one| one.text == **text).count()).collect()
    }

    /// Waits until each of these texts has arrived from the account so many times, and makes sure that it is not more.
    pub(crate) async fn arrived(&self, line: &mut Line<'_>, texts: &[&str], times: usize) {
        if self.can.receive {
            let all = async {
                while self.count_received(&line.account, texts).await.iter().any(|count| *count < times) {
                    look_again().await;
                }
            };
            self.within(&format!("{texts:?} arrive"), all).await;
            self.quiet().await;
            let counts = self.count_received(&line.account, texts).await;
            assert_eq!(counts, vec![times; texts.len()], "so many times {texts:?} arrived");
        } else {
            let mut echoes = line.arrivals(texts).await;
            for text in texts {
                echoes.extend(line.more_arrivals(text).await);
            }
            let mut ids = BTreeSet::new();
            echoes.retain(|echo| ids.insert(echo.id.clone()));
            assert_eq!(echoes.len(), texts.len() * times, "so many times {texts:?} arrived");
        }
    }
}

/// How long the suite waits before it looks again.
pub(crate) async fn look_again() {
    sleep(LOOK).await;
}

/// How a dial ended that was not to come online.
#[derive(Debug)]
pub(crate) enum Ending {
    Lost(Reason),
    Rejected(Reason),
    /// It shows a login code.
    WantsLogin,
    /// The signals ended without a word.
    Silent,
}

impl Ending {
    /// What the network said, if it said something.
    pub(crate) fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Lost(reason) | Self::Rejected(reason) => Some(reason),
            Self::WantsLogin | Self::Silent => None,
        }
    }
}

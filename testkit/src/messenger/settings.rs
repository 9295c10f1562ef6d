//! How the network is set up, and what goes wrong with it.

use std::time::Duration;

/// How the network is set up. It does not change while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long each QR code of a round is valid.
    pub qr_codes: Vec<Duration>,
    /// How long a pairing code is valid; a round has one.
    pub pairing_code: Duration,
    /// Whether the network wants a new connection after pairing.
    pub redial_after_pairing: bool,
    /// How often the network shows that it is there.
    pub keepalive: Duration,
    /// How long the network waits for a sign of life of the other side, which it asks for by pings; then the connection
    /// counts as gone. It is how the network notices that a process is frozen, or was lost without a word. Over TCP
    /// only: within one process nobody is gone without a word.
    pub silence: Duration,
    /// How long the network waits for an acknowledgement before it delivers again on the same connection. A new
    /// connection gets everything unacknowledged at once.
    pub redelivery: Duration,
    /// How long the network takes to answer.
    pub latency: Duration,
    /// The most messages, or changes of messages, that arrive as one.
    pub batch: usize,
    /// Whether a device that is linked is told what was said before.
    pub history: bool,
    /// The most messages in a piece of that; each piece is of one chat.
    pub history_piece: usize,
}

impl Default for Settings {
    /// As WhatsApp does it: a QR code for 60 s and then five for 20 s, a new connection after pairing.
    fn default() -> Self {
        let mut qr_codes = vec![Duration::from_secs(20); 6];
        qr_codes[0] = Duration::from_secs(60);
        Self {
            qr_codes,
            pairing_code: Duration::from_secs(160),
            redial_after_pairing: true,
            keepalive: Duration::from_secs(25),
            silence: Duration::from_secs(60),
            redelivery: Duration::from_secs(30),
            latency: Duration::from_millis(20),
            batch: 20,
            history: true,
            history_piece: 50,
        }
    }
}

/// What is wrong with the network just now; by default, nothing. Set for all with
/// [`Messenger::conditions`](super::Messenger::conditions), or for one account with
/// [`Phone::conditions`](super::Phone::conditions): then for logged-in connections of that account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Connections are cut and dials come to nothing.
    pub down: bool,
    /// Nothing is answered: no dial, no close, no sign of life. What was said is not lost.
    pub hang: bool,
    /// Dials are refused: the client is too old.
    pub outdated: bool,
    /// The network takes this much longer to answer.
    pub slow: Duration,
    /// Each message is delayed by a random time up to this, so that later ones overtake earlier ones.
    pub jitter: Duration,
    /// How many of 100 deliveries arrive twice.
    pub duplicates: u8,
    /// How many of 100 acknowledgements are lost, so that the message is delivered again.
    pub lost_acks: u8,
    /// What waits is delivered in the wrong order, the newest first: a change before the message that it changes.
    pub newest_first: bool,
    /// How many of 100 messages from an account, and of its words that something was read, are put off: it may say so
    /// later.
    pub put_off: u8,
    /// How many of 100 messages from an account are taken, but the answer is lost.
    pub lost_answers: u8,
    /// Messages from an account are refused for this reason.
    pub refusing: Option<String>,
}

impl Conditions {
    /// Both at once: the worse of the two.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self {
            down: self.down || other.down,
            hang: self.hang || other.hang,
            outdated: self.outdated || other.outdated,
            slow: self.slow.max(other.slow),
            jitter: self.jitter.max(other.jitter),
            duplicates: self.duplicates.max(other.duplicates),
            lost_acks: self.lost_acks.max(other.lost_acks),
            newest_first: self.newest_first || other.newest_first,
            put_off: self.put_off.max(other.put_off),
            lost_answers: self.lost_answers.max(other.lost_answers),
            refusing: self.refusing.clone().or_else(|| other.refusing.clone()),
        }
    }
}

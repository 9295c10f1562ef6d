//! What the transport and the network say to each other: one JSON value a line, over any stream.

use std::time::Duration;

use seatport::conversation::Content;
use seatport::lifecycle::{Account, Reason};
use seatport::transport::{ChallengeKind, SendError};
use seatport::{Address, LoginMethod, MessageId, SessionId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, Lines, ReadHalf, WriteHalf};

use super::parcel::Parcel;

/// The first thing a connection says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Dial {
    pub(super) session: SessionId,
    pub(super) port: u32,
    /// The proxy it goes through, if it goes through one.
    pub(super) proxy: Option<String>,
    pub(super) device_name: Option<String>,
    /// The credentials, if there are any.
    pub(super) token: Option<String>,
    /// How to log in without.
    pub(super) method: LoginMethod,
}

/// What the transport says. A number of its own stands for each question, and the network's answer names it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToNetwork {
    Dial(Dial),
    /// The answer to a ping.
    Pong,
    /// These deliveries are safe.
    Acknowledge(Vec<u64>),
    Send {
        question: u64,
        chat: Address,
        id: MessageId,
        content: Content,
        quoted: Option<MessageId>,
    },
    MarkRead {
        question: u64,
        chat: Address,
        messages: Vec<(MessageId, Address)>,
    },
    LogOut,
    Close,
}

/// What the network says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum FromNetwork {
    /// Asks whether the other side is still there. It is answered at once, whatever else is going on.
    Ping,
    /// The dial is accepted.
    Welcome,
    /// The dial, or the connection, is refused.
    Rejected(Reason),
    Code {
        kind: CodeKind,
        code: String,
        sequence: u32,
        /// From when it arrives: the clocks of processes differ.
        valid_for: Duration,
    },
    CodesRanOut,
    Paired {
        account: Account,
        token: String,
        redial: bool,
    },
    Ready(Account),
    Alive,
    /// Something to acknowledge by these numbers.
    Delivery {
        numbers: Vec<u64>,
        parcel: Parcel,
    },
    Answer {
        question: u64,
        answer: Answer,
    },
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    Taken,
    Refused(String),
    Later(String),
}

impl From<Answer> for Result<(), SendError> {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Taken => Ok(()),
            Answer::Refused(why) => Err(SendError::Refused(why)),
            Answer::Later(why) => Err(SendError::Later(why)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum CodeKind {
    Qr,
    Pairing,
}

impl From<CodeKind> for ChallengeKind {
    fn from(kind: CodeKind) -> Self {
        match kind {
            CodeKind::Qr => Self::Qr,
            CodeKind::Pairing => Self::PairingCode,
        }
    }
}

/// A stream in both directions: a pipe within the process, or a TCP connection.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// The end of a stream that frames are read from.
pub(super) struct Ear(Lines<BufReader<ReadHalf<Box<dyn Duplex>>>>);

/// The end of a stream that frames are written to.
pub(super) struct Mouth(WriteHalf<Box<dyn Duplex>>);

/// The other side is gone.
#[derive(Debug)]
pub(super) struct HungUp;

pub(super) fn split(stream: impl Duplex + 'static) -> (Ear, Mouth) {
    let stream: Box<dyn Duplex> = Box::new(stream);
    let (read, write) = tokio::io::split(stream);
    (Ear(BufReader::new(read).lines()), Mouth(write))
}

impl Ear {
    /// The next frame; none when the other side is gone. Dropping the future loses nothing.
    pub(super) async fn hear<T: DeserializeOwned>(&mut self) -> Option<T> {
        let line = self.0.next_line().await.ok().flatten()?;
        match serde_json::from_str(&line) {
            Ok(frame) => Some(frame),
            Err(error) => {
                tracing::warn!(%error, "the other side of a simulated connection speaks another protocol; hanging up");
                None
            }
        }
    }
}

impl Mouth {
    pub(super) async fn say<T: Serialize>(&mut self, frame: &T) -> Result<(), HungUp> {
        let mut line = serde_json::to_vec(frame).map_err(|_| HungUp)?;
        line.push(b'\n');
        self.0.write_all(&line).await.map_err(|_| HungUp)?;
        self.0.flush().await.map_err(|_| HungUp)
    }

    /// Says that nothing more comes.
    pub(super) async fn finish(&mut self) {
        // The other side may be gone already.
        let _ = self.0.shutdown().await;
    }
}

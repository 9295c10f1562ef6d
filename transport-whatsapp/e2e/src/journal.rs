//! What the server saw, in order: the evidence that a test asserts on.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, anyhow};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::noise::Pattern;

/// One thing that the server saw. `connection` numbers the sockets in the order in which they were accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A socket was accepted.
    Opened {
        /// The socket.
        connection: u64,
        /// Where it came from.
        from: SocketAddr,
    },
    /// A device without an account asked to be linked.
    Registration {
        /// The socket.
        connection: u64,
        /// The handshake it chose.
        pattern: Pattern,
        /// The operating system that it claims, as the phone would list it.
        os: Option<String>,
    },
    /// A linked device asked to log in.
    Login {
        /// The socket.
        connection: u64,
        /// The handshake it chose.
        pattern: Pattern,
        /// The account's phone number.
        account: String,
        /// Whether the server let it in.
        accepted: bool,
    },
    /// A device finished linking to an account.
    Linked {
        /// The account's phone number.
        account: String,
    },
    /// A device took itself off the account.
    Unlinked {
        /// The account's phone number.
        account: String,
    },
    /// A logged-in device said that it is ready for messages.
    Active {
        /// The socket.
        connection: u64,
        /// The account's phone number.
        account: String,
    },
    /// A device's message, as one of the devices that it was sealed for opened it.
    Message {
        /// The account that sent it.
        account: String,
        /// The stanza's id.
        id: String,
        /// The chat it was sent to.
        to: String,
        /// The device that opened it.
        device: String,
        /// What was found inside.
        content: Content,
    },
    /// A device acknowledged messages.
    Receipt {
        /// The account that sent it.
        account: String,
        /// The chat or sender that it is for.
        to: String,
        /// `None` for plain delivery; otherwise `read`, `read-self`, `retry`, `sender`, `peer_msg`, `inactive`, …
        kind: Option<String>,
        /// The messages that it names.
        ids: Vec<String>,
    },
    /// A device acknowledged a message without a receipt.
    Ack {
        /// The account that sent it.
        account: String,
        /// The message.
        id: String,
        /// The error that it reports, if any.
        error: Option<String>,
    },
    /// Anything else a device sent on its own account: presence, typing, an acknowledged notification, …
    Stanza {
        /// The account that sent it.
        account: String,
        /// The stanza's name.
        tag: String,
        /// Its `type`, where it has one.
        kind: Option<String>,
    },
    /// A socket ended, on whichever side.
    Closed {
        /// The socket.
        connection: u64,
    },
}

/// What a device's message contained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A text.
    Text(String),
    /// A text that answers a message.
    Answer {
        /// The text.
        text: String,
        /// The message that it answers.
        to: String,
        /// Who wrote that, as the device says.
        by: Option<String>,
    },
    /// The copy for the account's own phone of a text sent elsewhere.
    CopyOfText(String),
    /// Something that opened, but is not a text.
    Other,
    /// It did not open.
    Sealed(String),
}

/// The record, and the way to wait for it to grow.
#[derive(Debug)]
pub struct Journal {
    entries: Mutex<Vec<Seen>>,
    length: watch::Sender<usize>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::default(), length: watch::Sender::new(0) }
    }

    pub(crate) fn record(&self, seen: Seen) {
        tracing::debug!(?seen, "journal");
        let mut entries = self.entries.lock();
        entries.push(seen);
        self.length.send_replace(entries.len());
    }

    /// How many entries there are: a mark for [`wait_since`](Self::wait_since).
    pub fn mark(&self) -> usize {
        self.entries.lock().len()
    }

    /// A copy of all entries.
    pub fn entries(&self) -> Vec<Seen> {
        self.entries.lock().clone()
    }

    /// What `pick` makes of each entry that it does not pass over.
    pub fn pick<T>(&self, pick: impl FnMut(&Seen) -> Option<T>) -> Vec<T> {
        self.entries.lock().iter().filter_map(pick).collect()
    }

    /// The first entry that `pick` does not pass over, from the beginning on; waits for it up to `patience`.
    ///
    /// # Errors
    /// Names `what` and lists the entries when patience runs out.
    pub async fn wait<T>(&self, what: &str, patience: Duration, pick: impl FnMut(&Seen) -> Option<T>) -> Result<T> {
        self.wait_since(0, what, patience, pick).await
    }

    /// Like [`wait`](Self::wait), but passes over the entries before `mark`.
    ///
    /// # Errors
    /// Names `what` and lists the entries after `mark` when patience runs out.
    pub async fn wait_since<T>(
        &self,
        mark: usize,
        what: &str,
        patience: Duration,
        mut pick: impl FnMut(&Seen) -> Option<T>,
    ) -> Result<T> {
        let mut length = self.length.subscribe();
        let mut next = mark;
        let search = async {
            loop {
                let known = *length.borrow_and_update();
                while next < known {
                    let entry = self.entries.lock()[next].clone();
                    next += 1;
                    if let Some(found) = pick(&entry) {
                        return found;
                    }
                }
                // The sender lives in `self`, so this can only end with news.
                let _ = length.changed().await;
            }
        };
        match tokio::time::timeout(patience, search).await {
            Ok(found) => Ok(found),
            Err(_) => Err(anyhow!("{what}: not seen in {patience:?}; seen: {:#?}", &self.entries.lock()[mark..])),
        }
    }

    /// The accepted logins of an account, oldest first, with the handshake of each.
    pub fn logins(&self, account: &str) -> Vec<Pattern> {
        self.pick(|seen| match seen {
            Seen::Login { account: of, pattern, accepted: true, .. } if of == account => Some(*pattern),
            _ => None,
        })
    }

    /// The texts that an account's device sent, oldest first: stanza id, chat, text.
    ///
    /// A text that was sealed for several devices of the chat is listed once for each; copies for the own phone are not.
    pub fn texts(&self, account: &str) -> Vec<(String, String, String)> {
        self.pick(|seen| match seen {
            Seen::Message { account: of, id, to, content: Content::Text(text), .. } if of == account => {
                Some((id.clone(), to.clone(), text.clone()))
            }
            _ => None,
        })
    }

    /// The ids that an account's device reported as read, in the order of the receipts.
    pub fn read(&self, account: &str) -> Vec<String> {
        self.pick(|seen| match seen {
            Seen::Receipt { account: of, kind: Some(kind), ids, .. } if of == account && kind.starts_with("read") => {
                Some(ids.clone())
            }
            _ => None,
        })
        .concat()
    }

    /// The ids for which an account's device sent any receipt or acknowledgement: what the server need not send again.
    pub fn acknowledged(&self, account: &str) -> Vec<String> {
        self.pick(|seen| match seen {
            Seen::Receipt { account: of, ids, .. } if of == account => Some(ids.clone()),
            Seen::Ack { account: of, id, .. } if of == account => Some(vec![id.clone()]),
            _ => None,
        })
        .concat()
    }
}

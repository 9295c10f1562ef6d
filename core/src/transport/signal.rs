//! What a connection says.

use tokio::sync::oneshot;

use crate::clock::Timestamp;
use crate::conversation::{Amendment, ChatKind, ChatUpdate, ContactUpdate, Content, History, MessageStatus};
use crate::ids::{Address, MessageId};
use crate::lifecycle::{Account, Reason};
use crate::transport::LoginChallenge;

/// A message from the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundMessage {
    /// In which chat: the other side's address.
    pub chat: Address,
    /// Whom the chat is with.
    pub kind: ChatKind,
    /// The phone number of the person the chat is with, E.164 digits without `+`, where the network tells.
    pub phone: Option<String>,
    /// The network's id, unique within the chat. What is delivered again has the id that it had before.
    pub id: MessageId,
    /// Who sent it: the other side, a member of the group, or the account itself.
    pub sender: Address,
    /// What the sender calls itself, where the network tells.
    pub sender_name: Option<String>,
    /// Whether the account itself sent it, from the phone or another device.
    pub from_account: bool,
    /// What it says.
    pub content: Content,
    /// The network's time of it.
    pub at: Timestamp,
    /// The message it answers, in the same chat.
    pub quoted: Option<MessageId>,
}

/// Two addresses of one person, or the phone number behind one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamePerson {
    /// The address that is given up, or the same as `canonical`.
    pub address: Address,
    /// The address that counts from now on.
    pub canonical: Address,
    /// The person's phone number, E.164 digits without `+`, where the network tells.
    pub phone: Option<String>,
}

/// Tells the transport that what it delivered is durable, so that it may acknowledge it to the network.
/// Dropped without a word, the network delivers again.
#[derive(Debug)]
pub struct Ack(Option<oneshot::Sender<()>>);

impl Ack {
    /// An acknowledgement, and what the transport waits on: an error means it was never given.
    #[must_use]
    pub fn new() -> (Self, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    /// For transports whose network needs no acknowledgement.
    #[must_use]
    pub fn unneeded() -> Self {
        Self(None)
    }

    /// It is durable.
    pub fn stored(self) {
        if let Some(sender) = self.0 {
            // The connection may be gone by now; the network delivers again and the duplicate is recognised.
            let _ = sender.send(());
        }
    }
}

/// What a connection says. The end of the signals means that it is closed. [`LoginExpired`](Self::LoginExpired),
/// [`Lost`](Self::Lost) and [`Rejected`](Self::Rejected) are last words: the signals end after them.
#[derive(Debug)]
#[non_exhaustive]
pub enum Signal {
    /// A login code to show. Each replaces the one before and lives longer; none is ever shown twice, by whatever session.
    Challenge(LoginChallenge),
    /// The phone accepted the login; the credentials are in the vault. If the vault does not take them, this was no login: the
    /// connection is lost.
    Paired {
        /// Who logged in.
        account: Account,
        /// Whether the network wants a new connection now. Seatport then closes this one and dials.
        redial: bool,
    },
    /// The account is online. Messages may come before, and a transport may wait until they are stored: Seatport does not wait for
    /// this to store them.
    Ready {
        /// Who is online.
        account: Account,
    },
    /// The network is there.
    Alive,
    /// Messages, in the order the network sent them.
    Messages {
        /// The messages.
        messages: Vec<InboundMessage>,
        /// To be given once all of them are durable.
        ack: Ack,
    },
    /// Changes of messages that were sent before.
    Amendments {
        /// The changes, in the order the network sent them.
        amendments: Vec<Amendment>,
        /// To be given once all of them are durable.
        ack: Ack,
    },
    /// What the network knows from before this device was linked.
    History {
        /// A piece of it.
        history: Box<History>,
        /// To be given once it is durable.
        ack: Ack,
    },
    /// What the network says about people.
    Contacts(Vec<ContactUpdate>),
    /// What the network says about chats.
    Chats(Vec<ChatUpdate>),
    /// Who turned out to be whom.
    Identities(Vec<SamePerson>),
    /// What became of messages of ours.
    Status {
        /// In which chat.
        chat: Address,
        /// Which messages.
        ids: Vec<MessageId>,
        /// The status they have reached.
        status: MessageStatus,
    },
    /// The chat was read on another device of the account.
    Read {
        /// Which chat.
        chat: Address,
        /// Up to and including this message; none means all of it.
        up_to: Option<MessageId>,
    },
    /// The round of login codes ran out.
    LoginExpired,
    /// The connection was lost; dialling again may help.
    Lost(Reason),
    /// The network refused; only a person can help. Seatport goes by the kind of the reason: after
    /// [`LoggedOut`](crate::lifecycle::ReasonKind::LoggedOut), say, it forgets the credentials, and after
    /// [`Banned`](crate::lifecycle::ReasonKind::Banned) it keeps them.
    Rejected(Reason),
}

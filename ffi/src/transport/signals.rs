//! What a connection of the host tells.

use std::fmt;

use seatport::transport::{Ack, Signal};
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::card::{Account, LoginChallenge, Reason};
use crate::conversation::{Amendment, ChatUpdate, ContactUpdate, History, InboundMessage, MessageStatus, SamePerson};
use crate::transport::TransportError;

/// Where one connection of a transport of the host tells what happens. Every method waits while Seatport is behind: a transport
/// that waits for the answer of one before it goes on keeps the order, and reads no faster than it is stored.
///
/// Each throws `Ended` once the connection is over: because Seatport closed it, or because `lost`, `rejected`, `login_expired` or
/// `paired` with `redial` said so. `Invalid` means that a value was not acceptable; nothing was told.
#[derive(uniffi::Object)]
pub struct Signals(mpsc::Sender<Signal>);

impl Signals {
    /// Signals that arrive at this place.
    pub(super) fn new(sender: mpsc::Sender<Signal>) -> Self {
        Self(sender)
    }

    // Neither this nor waiting for an acknowledgement needs a runtime: the host's own may poll it.
    async fn tell(&self, signal: Signal) -> Result<(), TransportError> {
        self.0.send(signal).await.map_err(|_| TransportError::ended())
    }

    /// Tells it, and waits until it is durable.
    async fn store(&self, signal: Signal, stored: oneshot::Receiver<()>) -> Result<(), TransportError> {
        self.tell(signal).await?;
        stored.await.map_err(|_| match self.0.is_closed() {
            true => TransportError::ended(),
            false => TransportError::NotStored {
                problem: "this was not stored; do not acknowledge it, so that the network delivers it again".to_owned(),
            },
        })
    }
}

#[uniffi::export]
impl Signals {
    /// A login code to show. Each replaces the one before.
    pub async fn challenge(&self, challenge: LoginChallenge) -> Result<(), TransportError> {
        self.tell(Signal::Challenge(challenge.try_into()?)).await
    }

    /// The phone accepted the login, and the credentials are in the vault. If the network wants a new connection now, say `redial`:
    /// this one is then closed.
    pub async fn paired(&self, account: Account, redial: bool) -> Result<(), TransportError> {
        self.tell(Signal::Paired { account: account.try_into()?, redial }).await
    }

    /// The account is online.
    pub async fn ready(&self, account: Account) -> Result<(), TransportError> {
        self.tell(Signal::Ready { account: account.try_into()? }).await
    }

    /// The network is there. An online connection that tells nothing at all for 60 s counts as lost.
    pub async fn alive(&self) -> Result<(), TransportError> {
        self.tell(Signal::Alive).await
    }

    /// Messages, in the order the network sent them. Answers once all of them are durable: acknowledge them to the network then,
    /// and only then.
    ///
    /// # Errors
    /// `NotStored` when they are not: do not acknowledge them.
    pub async fn messages(&self, messages: Vec<InboundMessage>) -> Result<(), TransportError> {
        let messages = messages.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        let (ack, stored) = Ack::new();
        self.store(Signal::Messages { messages, ack }, stored).await
    }

    /// Changes of messages that were sent before, in the order the network sent them. Answers once all of them are durable.
    ///
    /// # Errors
    /// As for `messages`.
    pub async fn amendments(&self, amendments: Vec<Amendment>) -> Result<(), TransportError> {
        let amendments = amendments.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        let (ack, stored) = Ack::new();
        self.store(Signal::Amendments { amendments, ack }, stored).await
    }

    /// What the network knows from before this device was linked: a piece of it. Answers once it is durable.
    ///
    /// # Errors
    /// As for `messages`.
    pub async fn history(&self, history: History) -> Result<(), TransportError> {
        let history = Box::new(history.try_into()?);
        let (ack, stored) = Ack::new();
        self.store(Signal::History { history, ack }, stored).await
    }

    /// What the network says about people.
    pub async fn contacts(&self, contacts: Vec<ContactUpdate>) -> Result<(), TransportError> {
        self.tell(Signal::Contacts(contacts.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?)).await
    }

    /// What the network says about chats.
    pub async fn chats(&self, chats: Vec<ChatUpdate>) -> Result<(), TransportError> {
        self.tell(Signal::Chats(chats.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?)).await
    }

    /// Who turned out to be whom.
    pub async fn identities(&self, people: Vec<SamePerson>) -> Result<(), TransportError> {
        self.tell(Signal::Identities(people.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?)).await
    }

    /// What became of these messages of ours in a chat.
    pub async fn status(&self, chat: String, ids: Vec<String>, status: MessageStatus) -> Result<(), TransportError> {
        let ids = ids.iter().map(|id| id.parse()).collect::<Result<_, seatport::Invalid>>()?;
        self.tell(Signal::Status { chat: chat.parse()?, ids, status: status.into() }).await
    }

    /// The chat was read on another device of the account, up to and including a message; none means all of it.
    #[uniffi::method(default(up_to = None))]
    pub async fn read(&self, chat: String, up_to: Option<String>) -> Result<(), TransportError> {
        let up_to = up_to.map(|id| id.parse()).transpose()?;
        self.tell(Signal::Read { chat: chat.parse()?, up_to }).await
    }

    /// The round of login codes ran out. The connection is then over.
    pub async fn login_expired(&self) -> Result<(), TransportError> {
        self.tell(Signal::LoginExpired).await
    }

    /// The connection was lost; dialling again may help. It is then over.
    pub async fn lost(&self, reason: Reason) -> Result<(), TransportError> {
        self.tell(Signal::Lost(reason.try_into()?)).await
    }

    /// The network refused; only a person can help. The connection is then over.
    pub async fn rejected(&self, reason: Reason) -> Result<(), TransportError> {
        self.tell(Signal::Rejected(reason.try_into()?)).await
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_closed() { "Signals(ended)" } else { "Signals" })
    }
}

//! What Seatport asks of a messenger network.
//!
//! A [`Transport`] dials: [`Transport::connect`] answers a [`Connection`], whose signals say what happens and whose commands
//! say what is to be done. It never reconnects by itself, keeps what it must remember in the [`Vault`](crate::vault::Vault)
//! and nowhere else, and acknowledges a message to its network only when Seatport has stored it. One transport serves many sessions
//! at once, which know nothing of each other.
//!
//! Whether a transport does all that this module asks, the transport suite of `seatport-testkit` tells; `examples/echo` shows how one
//! is written.

mod challenge;
mod command;
mod connection;
mod signal;

use std::fmt::Debug;

use async_trait::async_trait;

pub use challenge::{ChallengeKind, LoginChallenge};
pub use command::{SendError, TransportCommand};
pub use connection::{ConnectContext, ConnectError, Connection, ConnectionGuard};
pub use signal::{Ack, InboundMessage, SamePerson, Signal};

use crate::conversation::ChatKind;
use crate::error::Invalid;
use crate::ids::{Address, MessageId, TransportName};
use crate::random::Random;

/// What a transport can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Capabilities {
    /// It keeps credentials in the vault, so that a restart needs no new scan.
    pub stores_credentials: bool,
    /// It can log in by a code typed on the phone.
    pub pairing_code: bool,
    /// It can go through a proxy. One that cannot is never asked to dial with a proxy in its environment.
    pub proxy: bool,
    /// It can send media, and not only texts.
    pub media: bool,
}

impl Capabilities {
    /// Keeps credentials in the vault.
    #[must_use]
    pub fn storing_credentials(mut self) -> Self {
        self.stores_credentials = true;
        self
    }

    /// Can log in by a code typed on the phone.
    #[must_use]
    pub fn with_pairing_code(mut self) -> Self {
        self.pairing_code = true;
        self
    }

    /// Can send media.
    #[must_use]
    pub fn with_media(mut self) -> Self {
        self.media = true;
        self
    }

    /// Can go through a proxy.
    #[must_use]
    pub fn with_proxy(mut self) -> Self {
        self.proxy = true;
        self
    }
}

/// The adapter to a messenger network. Nothing that it shows by `Debug`, and no reason that it gives, holds a secret: a login code,
/// credentials, the password of a proxy.
///
/// ```
/// use std::time::Duration;
/// use async_trait::async_trait;
/// use seatport::lifecycle::Account;
/// use seatport::transport::{
///     Capabilities, ConnectContext, ConnectError, Connection, ConnectionGuard, Signal, Transport, TransportCommand,
/// };
/// use seatport::{Address, TransportName};
/// use tokio::sync::mpsc;
///
/// /// A network on which everybody is online at once and nobody ever writes.
/// #[derive(Debug)]
/// struct Quiet(Account);
///
/// #[async_trait]
/// impl Transport for Quiet {
///     fn name(&self) -> TransportName {
///         TransportName::new("quiet").expect("a valid name")
///     }
///
///     fn capabilities(&self) -> Capabilities {
///         Capabilities::default()
///     }
///
///     async fn connect(&self, _context: ConnectContext) -> Result<Connection, ConnectError> {
///         let (say, signals) = mpsc::channel(16);
///         let (commands, mut told) = mpsc::channel(16);
///         let ready = Signal::Ready { account: self.0.clone() };
///         let task = tokio::spawn(async move {
///             let mut signal = ready;
///             while say.send(signal).await.is_ok() {
///                 tokio::select! {
///                     () = tokio::time::sleep(Duration::from_secs(25)) => {}
///                     command = told.recv() => match command {
///                         Some(TransportCommand::Send { done, .. }) => drop(done.send(Ok(()))),
///                         Some(TransportCommand::Close | TransportCommand::LogOut) | None => return,
///                         Some(_) => {}
///                     },
///                 }
///                 signal = Signal::Alive;
///             }
///         });
///         Ok(Connection { signals, commands, guard: ConnectionGuard::abort(task.abort_handle()) })
///     }
/// }
///
/// # use seatport::memory::MemoryStorage;
/// # use seatport::{Agent, CardStatus, NewAccount, Role, Seatport, WhenFull};
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let quiet = Quiet(Account { address: Address::new("me@quiet")?, phone: None, name: None });
/// let seatport = Seatport::builder().storage(MemoryStorage::new()).transport(quiet).build().await?;
/// seatport.agents().put(Agent::new("mei", "Mei Lin", Role::Supervisor)?).await?;
/// let desk = seatport.desk(&"mei".parse()?).await?;
/// let session = desk.add_and_start(NewAccount::on("quiet"), WhenFull::Fail).await?;
/// desk.watch(session).await?.until(|view| view.card.status == CardStatus::Online).await?;
/// assert_eq!(desk.stop(session).await?.status, CardStatus::Offline);
/// # Ok::<(), seatport::Error>(())
/// # }).unwrap();
/// ```
#[async_trait]
pub trait Transport: Debug + Send + Sync + 'static {
    /// The name that sessions know it by.
    fn name(&self) -> TransportName;

    /// What it can do. Never changes.
    fn capabilities(&self) -> Capabilities;

    /// A fresh id for a message of ours, in the form the network expects. No two are the same.
    fn new_message_id(&self, random: &Random) -> Result<MessageId, Invalid> {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        MessageId::new(bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>())
    }

    /// Whom a chat with this address is with, as far as the network's addresses tell. Asked when a desk is the first to write:
    /// of any other chat the messages say so. One person, if left out.
    fn chat_kind(&self, chat: &Address) -> ChatKind {
        let _ = chat;
        ChatKind::Person
    }

    /// Dials for one session.
    ///
    /// - With credentials in the vault it logs in with them; without, it issues login codes as `context.login` says. Every dial begins
    ///   a round of its own, which counts from 1.
    /// - A vault that does not open is rejected as [unreadable](crate::lifecycle::ReasonKind::VaultUnreadable) and left as it is.
    /// - A network that is away is lost, and not rejected.
    /// - Answers as soon as it can be spoken to; what follows arrives as signals.
    /// - If the environment names a proxy, everything goes through it or nothing goes at all.
    /// - Dropping the future, or the connection, ends everything it started, at once.
    /// - At least every 60 s while online it sends a signal; [`Signal::Alive`] if there is nothing else to say.
    /// - Never reconnects by itself: it says [`Signal::Lost`] and ends.
    ///
    /// # Errors
    /// [`ConnectError`]: trying again may help, or only a person can.
    async fn connect(&self, context: ConnectContext) -> Result<Connection, ConnectError>;
}

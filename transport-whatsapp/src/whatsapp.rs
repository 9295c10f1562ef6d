//! The transport itself.

use std::sync::Arc;

use async_trait::async_trait;
use seatport::conversation::ChatKind;
use seatport::lifecycle::{Reason, ReasonKind};
use seatport::transport::{Capabilities, ConnectContext, ConnectError, Connection, ConnectionGuard, Transport};
use seatport::{Address, Invalid, MessageId, Random, TransportName};
use tokio::sync::mpsc;
use whatsapp_rust::wacore::net::WHATSAPP_WEB_WS_URL;

use crate::address::{jid, kind};
use crate::connection::Line;
use crate::dialler::Dialler;
use crate::engine::{Engine, WebVersion};
use crate::farewell::Farewell;
use crate::fate::{Ending, Fate};
use crate::history::Takeover;
use crate::inbound::Inbound;
use crate::login::LoginCodes;
use crate::news::News;
use crate::outbound::{Outbound, message_id};
use crate::people::People;
use crate::scope::Scope;
use crate::socket::Sockets;
use crate::store::Store;

/// How many signals wait for Seatport before the network has to.
const SIGNALS_AHEAD: usize = 64;
/// How many commands wait for the connection.
const COMMANDS_AHEAD: usize = 64;

/// WhatsApp, as a linked device of each account.
///
/// ```
/// use seatport::memory::MemoryStorage;
/// use seatport::vault::VaultKey;
/// use seatport::{Random, Seatport};
/// use seatport_whatsapp::WhatsApp;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let seatport = Seatport::builder()
///     .storage(MemoryStorage::new())
///     .transport(WhatsApp::default())
///     .vault_key(VaultKey::generate(&Random::from_os()?))
///     .build()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WhatsApp {
    server: http::Uri,
    version: Option<WebVersion>,
    pace: u32,
}

impl Default for WhatsApp {
    fn default() -> Self {
        Self { server: http::Uri::from_static(WHATSAPP_WEB_WS_URL), version: None, pace: 1 }
    }
}

impl WhatsApp {
    /// Claims to be this version of WhatsApp Web, such as `(2, 3000, 1026131876)`. If left out, the current one is asked for at
    /// web.whatsapp.com, at most once a day and session, through the session's proxy. The network turns versions away when they
    /// have become too old: [`ClientOutdated`](ReasonKind::ClientOutdated).
    #[must_use]
    pub fn web_version(mut self, primary: u32, secondary: u32, tertiary: u32) -> Self {
        self.version = Some((primary, secondary, tertiary));
        self
    }

    /// Connects to another server than WhatsApp's, by its WebSocket URL: `wss://…`, or `ws://…` without TLS. For tests.
    ///
    /// ```
    /// use seatport_whatsapp::WhatsApp;
    /// assert!(WhatsApp::default().server_url("ws://127.0.0.1:4430/ws/chat").is_ok());
    /// assert!(WhatsApp::default().server_url("https://web.whatsapp.com").is_err());
    /// ```
    ///
    /// # Errors
    /// [`Invalid`] when it is not such a URL.
    pub fn server_url(mut self, url: &str) -> Result<Self, Invalid> {
        let invalid =
            |problem: &str| Invalid::new("server URL", problem, "write it like wss://web.whatsapp.com/ws/chat");
        let uri: http::Uri = url.parse().map_err(|_| invalid("not a URL"))?;
        match (uri.scheme_str(), uri.host()) {
            (Some("ws" | "wss"), Some(_)) => {}
            (Some("ws" | "wss"), None) => return Err(invalid("it names no host")),
            _ => return Err(invalid("its scheme is neither ws nor wss")),
        }
        self.server = uri;
        Ok(self)
    }

    /// Lets everything that the protocol waits for pass so many times faster: a login code of 60 s is gone in 60 s ÷ `pace`. For
    /// tests against a server that plays along.
    #[doc(hidden)]
    #[must_use]
    pub fn pace(mut self, pace: u32) -> Self {
        self.pace = pace.max(1);
        self
    }
}

#[async_trait]
impl Transport for WhatsApp {
    fn name(&self) -> TransportName {
        #[expect(clippy::expect_used, reason = "the name is a constant, and a good one")]
        TransportName::new("whatsapp").expect("a valid name")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default().storing_credentials().with_pairing_code().with_proxy()
    }

    fn new_message_id(&self, random: &Random) -> Result<MessageId, Invalid> {
        message_id(random)
    }

    fn chat_kind(&self, chat: &Address) -> ChatKind {
        jid(chat).as_ref().and_then(kind).unwrap_or_default()
    }

    async fn connect(&self, context: ConnectContext) -> Result<Connection, ConnectError> {
        let ConnectContext { environment, login, vault, clock, .. } = context;
        let (signals, connection_signals) = mpsc::channel(SIGNALS_AHEAD);
        let (connection_commands, commands) = mpsc::channel(COMMANDS_AHEAD);
        let fate = Fate::undecided();
        let (scope, end) = Scope::open(self.pace);
        let dialler = Arc::new(Dialler::new(environment.proxy.clone()));
        let sockets = Sockets {
            server: self.server.clone(),
            dialler: dialler.clone(),
            scope: scope.clone(),
            fate: fate.clone(),
            signals: signals.clone(),
        };
        let (learn, learnt) = mpsc::unbounded_channel();
        let store = Store::new(vault, clock.clone(), fate.clone(), learn);
        let people = People::new(signals.clone());
        let inbound =
            Inbound { signals: signals.clone(), people: people.clone(), store: store.clone(), fate: fate.clone() };
        let backend = Arc::new(store.clone());
        let engine =
            Engine::start(backend, &environment, self.version, sockets, inbound.clone()).await.map_err(|error| {
                // Only the vault can be in the way of it; what it said is the better reason.
                match fate.get() {
                    Some(Ending::Rejected(reason)) => ConnectError::Rejected(reason),
                    Some(Ending::Lost(reason)) => ConnectError::Lost(reason),
                    Some(Ending::Closed | Ending::LoginExpired | Ending::Linked(_)) | None => {
                        tracing::warn!(%error, "the client could not be started");
                        ConnectError::Rejected(
                            Reason::new(ReasonKind::Refused).code("the stored device cannot be read"),
                        )
                    }
                }
            })?;
        let farewell =
            Farewell { server: self.server.clone(), dialler, environment, version: self.version, pace: self.pace };
        let line = Line {
            engine,
            history: Takeover::new(signals.clone(), store.clone(), fate.clone()),
            inbound,
            people,
            learnt,
            news: News::default(),
            store,
            fate,
            scope,
            end,
            clock,
            signals,
            commands,
            codes: LoginCodes::new(login),
            outbound: Outbound::default(),
            paired: None,
            last_error: None,
            farewell,
        };
        // Whoever drops the connection aborts the task, and with it the scope that it owns.
        let guard = ConnectionGuard::abort(tokio::spawn(line.run()).abort_handle());
        Ok(Connection { signals: connection_signals, commands: connection_commands, guard })
    }
}

//! A session's connection, from the first dial to the last signal.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::ids::{PortNumber, SessionId};
use crate::lifecycle::{Reason, ReasonKind};
use crate::runtime::actor::Parcel;
use crate::runtime::node::Node;
use crate::secret::Secret;
use crate::session::SessionRecord;
use crate::storage::Fence;
use crate::transport::{Ack, ConnectContext, ConnectError, Connection, InboundMessage, Signal, TransportCommand};
use crate::vault::{PROXY_PASSWORD, Vault, VaultError};

/// What a link has to tell.
#[derive(Debug)]
pub(crate) enum LinkEvent {
    /// Dialling came to this.
    Dialled(Result<(), ConnectError>),
    /// The connection says something.
    Signal(Signal),
    /// The connection is closed.
    Closed,
}

/// A session's connection. Dropping it ends the connection at once and closes its vault.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) generation: u64,
    vault: Vault,
    state: State,
    /// A signal that was taken out too early: it comes next.
    put_back: Option<Signal>,
    /// What the connection brought and is yet to be stored. It goes with the connection: the network delivers it again.
    pub(crate) backlog: VecDeque<Parcel>,
}

#[derive(Debug)]
enum State {
    Dialling(JoinHandle<Result<Connection, ConnectError>>),
    Up(Connection),
    Down,
}

impl Link {
    /// Begins to dial in a task of its own, so that a transport that hangs holds up nobody.
    pub(crate) fn dial(
        node: &Arc<Node>,
        record: &SessionRecord,
        port: PortNumber,
        fence: Fence,
        patient: bool,
    ) -> Self {
        let vault = Vault::new(node.storage.clone(), node.sealer.clone(), record.id, fence);
        let generation = record.facts.generation;
        let (node, record, context_vault) = (node.clone(), record.clone(), vault.clone());
        let task = tokio::spawn(async move {
            let mut record = record;
            if patient {
                node.reconnects.take().await;
                // That may have taken a while, and people may have changed the environment.
                let stored = node.storage.session(record.id).await.map_err(VaultError::from)?;
                record.environment = stored.map_or(record.environment, |stored| stored.record.environment);
            }
            let Some(transport) = node.transports.get(&record.transport) else {
                return Err(ConnectError::Rejected(
                    Reason::new(ReasonKind::TransportMissing).code(record.transport.as_str()),
                ));
            };
            // It had one when the environment was set; the host may have given the name to another transport since.
            if record.environment.proxy.is_some() && !transport.capabilities().proxy {
                let reason = Reason::new(ReasonKind::ProxyRefused).code("this host's transport knows no proxy");
                return Err(ConnectError::Rejected(reason));
            }
            let mut environment = record.environment;
            if let Some(proxy) = &mut environment.proxy {
                proxy.password = proxy_password(&node, record.id, &proxy.to_string()).await?;
            }
            let context = ConnectContext {
                session: record.id,
                port,
                environment,
                account: record.facts.account,
                login: record.login_method,
                vault: context_vault,
                clock: node.clock.clone(),
                random: node.random.clone(),
            };
            // Or another node may own the session by now, and dial. If the lease is lost, this task is ended instead.
            node.lease_held().await;
            let connected = tokio::time::timeout(node.timing.dial, transport.connect(context))
                .await
                .unwrap_or_else(|_| Err(ConnectError::Lost(Reason::new(ReasonKind::DialTimedOut))));
            match connected {
                Ok(_) if !node.holds_its_lease() => {
                    let reason = Reason::new(ReasonKind::ConnectionLost).code("the node's lease ran out meanwhile");
                    Err(ConnectError::Lost(reason))
                }
                other => other,
            }
        });
        let state = State::Dialling(task);
        Self { generation, vault, state, put_back: None, backlog: VecDeque::new() }
    }

    /// What happens next. Cancel-safe.
    pub(crate) async fn next(&mut self) -> LinkEvent {
        if let Some(signal) = self.put_back.take() {
            return LinkEvent::Signal(signal);
        }
        match &mut self.state {
            State::Dialling(task) => {
                let dialled = task.await.unwrap_or_else(|error| {
                    // A transport that panics while dialling fails this dial and nothing else.
                    let reason = Reason::new(ReasonKind::Crashed);
                    tracing::error!(%error, "a transport panicked while dialling");
                    Err(ConnectError::Lost(reason))
                });
                LinkEvent::Dialled(match dialled {
                    Ok(connection) => {
                        self.state = State::Up(connection);
                        Ok(())
                    }
                    Err(error) => {
                        self.state = State::Down;
                        Err(error)
                    }
                })
            }
            State::Up(connection) => match connection.signals.recv().await {
                Some(signal) => LinkEvent::Signal(signal),
                None => {
                    self.state = State::Down;
                    LinkEvent::Closed
                }
            },
            State::Down => LinkEvent::Closed,
        }
    }

    /// The next messages, if they are what comes next and are there already.
    pub(crate) fn more_messages(&mut self) -> Option<(Vec<InboundMessage>, Ack)> {
        let State::Up(connection) = &mut self.state else { return None };
        if self.put_back.is_some() {
            return None;
        }
        match connection.signals.try_recv() {
            Ok(Signal::Messages { messages, ack }) => Some((messages, ack)),
            Ok(other) => {
                self.put_back = Some(other);
                None
            }
            Err(_) => None,
        }
    }

    /// Tells the connection something; answers whether it is up and will hear it.
    pub(crate) fn tell(&self, command: TransportCommand) -> bool {
        match &self.state {
            State::Up(connection) => connection.commands.try_send(command).is_ok(),
            State::Dialling(_) | State::Down => false,
        }
    }

    /// Closes the vault for good, once the writes under way are done.
    pub(crate) async fn close_vault(&self) {
        self.vault.revoke_and_settle().await;
    }

    /// Lets the connection end in its own time, behind the session's back: it may say a last word to its network, but neither
    /// its signals nor its vault count any more.
    pub(crate) fn farewell(mut self, command: TransportCommand, limit: Duration) {
        self.vault.revoke();
        if self.tell(command) {
            tokio::spawn(async move {
                let ended = async { while !matches!(self.next().await, LinkEvent::Closed) {} };
                let _ = tokio::time::timeout(limit, ended).await;
            });
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.vault.revoke();
        if let State::Dialling(task) = &self.state {
            task.abort();
        }
    }
}

/// The password for this proxy. If the vault holds the one for another proxy, the environment was changed this moment: then
/// the next dial has both.
async fn proxy_password(node: &Node, session: SessionId, endpoint: &str) -> Result<Option<Secret>, ConnectError> {
    let sealed = node.storage.vault_get(session, PROXY_PASSWORD).await.map_err(VaultError::from)?;
    let Some(sealed) = sealed else { return Ok(None) };
    let entry = node.sealer.open(session, PROXY_PASSWORD, &sealed)?;
    match String::from_utf8_lossy(&entry).split_once('\n') {
        Some((of, password)) if of == endpoint => Ok(Some(Secret::new(password))),
        _ => Err(ConnectError::Lost(Reason::new(ReasonKind::ConnectionLost).code("the environment has changed"))),
    }
}

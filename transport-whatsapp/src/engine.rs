//! The client of one connection, as Seatport wants it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use seatport::Environment;
use tokio::sync::oneshot;
use whatsapp_rust::async_channel::Receiver;
use whatsapp_rust::store::persistence_manager::PersistenceManager;
use whatsapp_rust::sync_task::MajorSyncTask;
use whatsapp_rust::traits::Backend;
use whatsapp_rust::wacore::types::events::{ChannelEventHandler, Event, Subscription};
use whatsapp_rust::{Client, InboundDurabilityHook, RawNodeLease, anyhow};

use crate::appearance::appearance;
use crate::socket::Sockets;
use crate::web::Web;

/// A version of WhatsApp Web: what a client says it is.
pub(crate) type WebVersion = (u32, u32, u32);

/// How often what the device has learnt is saved besides; what matters is saved when it happens.
const SAVE_EVERY: Duration = Duration::from_secs(30);
/// How long saving the last and leaving may take. Stopping a session has to end within 4 s.
const LEAVE: Duration = Duration::from_secs(2);

/// A client that runs: it dials once, and ends when that connection does.
pub(crate) struct Engine {
    pub(crate) client: Arc<Client>,
    pub(crate) device: Arc<PersistenceManager>,
    pub(crate) events: Receiver<Arc<Event>>,
    /// What the client puts off: whoever has the engine does it.
    pub(crate) tasks: Receiver<MajorSyncTask>,
    /// Comes when the client's connection is over. The client ends it without an event now and then.
    pub(crate) ended: oneshot::Receiver<()>,
    _subscription: Subscription,
    _stanzas: RawNodeLease,
}

impl Engine {
    /// Starts a client over this backend, which asks `inbound` before it acknowledges a message. What it starts ends with the
    /// sockets' scope.
    pub(crate) async fn start(
        backend: Arc<dyn Backend>,
        environment: &Environment,
        version: Option<WebVersion>,
        sockets: Sockets,
        inbound: impl InboundDurabilityHook + 'static,
    ) -> Result<Self, anyhow::Error> {
        let device = Arc::new(PersistenceManager::new(backend).await?);
        for command in appearance(environment) {
            device.process_command(command).await;
        }
        let (fate, scope) = (sockets.fate.clone(), sockets.scope.clone());
        let mut builder = Client::builder()
            .with_runtime(scope.clone())
            .with_persistence_manager(device.clone())
            .with_http_client(Web { dialler: sockets.dialler.clone(), fate })
            .with_transport_factory(sockets)
            .with_inbound_durability_hook(inbound)
            .with_background_saver_interval(SAVE_EVERY);
        if let Some(version) = version {
            builder = builder.with_version_override(version);
        }
        let (client, tasks) = builder.build().await?.into_parts();
        // Whether and when to dial again Seatport decides.
        client.enable_auto_reconnect.store(false, Ordering::SeqCst);
        let (handler, events) = ChannelEventHandler::new();
        let subscription = client.subscribe_handler(handler);
        let stanzas = client.acquire_raw_node_forwarding();
        let (ending, ended) = oneshot::channel();
        let running = client.clone();
        scope.start(async move {
            running.run().await;
            // An error means that nobody waits for it any longer.
            let _ = ending.send(());
        });
        Ok(Self { client, device, events, tasks, ended, _subscription: subscription, _stanzas: stanzas })
    }

    /// Saves what the device has learnt, and leaves.
    pub(crate) async fn leave(&self) {
        if tokio::time::timeout(LEAVE, self.client.disconnect()).await.is_err() {
            tracing::debug!("a client that does not leave is abandoned");
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine")
    }
}

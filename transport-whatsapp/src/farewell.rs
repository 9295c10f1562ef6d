//! Unlinking a device that was linked by the wrong account.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use seatport::Environment;
use tokio::sync::mpsc;
use whatsapp_rust::anyhow::{Result, bail};
use whatsapp_rust::traits::DeviceStore;
use whatsapp_rust::types::durability_hook::InboundMessage;
use whatsapp_rust::wacore::store::{Device, InMemoryBackend};
use whatsapp_rust::{Client, InboundDurabilityHook};

use crate::dialler::Dialler;
use crate::engine::{Engine, WebVersion};
use crate::fate::Fate;
use crate::scope::Scope;
use crate::socket::Sockets;

/// How long it may take. Seatport gives it 4 s.
const LIMIT: Duration = Duration::from_millis(3500);

/// What it takes to log in once more, only to log out: linking is not logging in, and only who is logged in can unlink.
#[derive(Debug)]
pub(crate) struct Farewell {
    pub(crate) server: http::Uri,
    pub(crate) dialler: Arc<Dialler>,
    pub(crate) environment: Environment,
    pub(crate) version: Option<WebVersion>,
    pub(crate) pace: u32,
}

/// Nobody hears what comes in meanwhile: nothing of it is acknowledged.
struct Deaf;

#[async_trait]
impl InboundDurabilityHook for Deaf {
    async fn on_messages(&self, _: Arc<Client>, _: &[InboundMessage]) -> Result<()> {
        bail!("nobody listens")
    }
}

impl Farewell {
    /// Takes the device off its account. What it is stays in memory: its credentials are gone from the vault by now, and must
    /// not come back.
    pub(crate) async fn unlink(self, device: &Device) {
        let (scope, _end) = Scope::open(self.pace);
        match tokio::time::timeout(LIMIT, self.log_in_and_out(scope, device)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::info!(%error, "a stranger's phone goes on listing the device"),
            Err(_) => tracing::info!("a stranger's phone may go on listing the device: the network did not answer"),
        }
    }

    async fn log_in_and_out(self, scope: Scope, device: &Device) -> Result<()> {
        let backend = InMemoryBackend::new();
        backend.save(device).await?;
        let (signals, _) = mpsc::channel(1);
        let Self { server, dialler, environment, version, .. } = self;
        let sockets = Sockets { server, dialler, scope, fate: Fate::undecided(), signals };
        let mut engine = Engine::start(Arc::new(backend), &environment, version, sockets, Deaf).await?;
        let logged_in = async {
            while !engine.client.is_logged_in() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            () = logged_in => engine.client.logout().await,
            _ = &mut engine.ended => bail!("it was not let in"),
        }
        Ok(())
    }
}

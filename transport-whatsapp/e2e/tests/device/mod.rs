//! A plain `whatsapp-rust` client as a linked device, with the events that it reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use async_trait::async_trait;
use seatport_whatsapp_e2e::FakeServer;
use whatsapp_rust::async_channel::Receiver;
use whatsapp_rust::bot::BotHandle;
use whatsapp_rust::http::{HttpClient, HttpRequest, HttpResponse};
use whatsapp_rust::prelude::*;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;
use whatsapp_rust::types::durability_hook::InboundMessage;
use whatsapp_rust::wacore::store::InMemoryBackend;
use whatsapp_rust::wacore::types::events::{ChannelEventHandler, Subscription};
use whatsapp_rust::wacore::types::message::MessageCategory;
use whatsapp_rust::{InboundDurabilityHook, SendOptions};

/// How long a step may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a device keeps across restarts, and whether its owner manages to write messages down.
#[derive(Clone)]
pub(crate) struct Keepsake {
    store: Arc<InMemoryBackend>,
    pub(crate) disk_works: Arc<AtomicBool>,
}

impl Keepsake {
    pub(crate) fn new() -> Self {
        Self { store: Arc::new(InMemoryBackend::new()), disk_works: Arc::new(AtomicBool::new(true)) }
    }
}

/// A running device.
pub(crate) struct Device {
    handle: BotHandle,
    events: Receiver<Arc<Event>>,
    _subscription: Subscription,
}

struct NoHttp;

#[async_trait]
impl HttpClient for NoHttp {
    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse> {
        bail!("no network for {}", request.url)
    }
}

struct Disk(Arc<AtomicBool>);

#[async_trait]
impl InboundDurabilityHook for Disk {
    async fn on_messages(&self, _: Arc<Client>, _: &[InboundMessage]) -> Result<()> {
        if self.0.load(Ordering::SeqCst) { Ok(()) } else { bail!("the disk is full") }
    }
}

impl Device {
    pub(crate) async fn start(server: &FakeServer, keepsake: &Keepsake) -> Result<Self> {
        let bot = Bot::builder()
            .with_backend_arc(keepsake.store.clone())
            .with_transport_factory(TokioWebSocketTransportFactory::new().with_url(server.url()))
            .with_http_client(NoHttp)
            .with_runtime(TokioRuntime)
            .with_version((2, 3000, 1))
            .with_inbound_durability_hook(Disk(keepsake.disk_works.clone()))
            .build()
            .await?;
        let (handler, events) = ChannelEventHandler::new();
        let subscription = bot.client().subscribe_handler(handler);
        Ok(Self { handle: bot.spawn(), events, _subscription: subscription })
    }

    pub(crate) fn client(&self) -> Arc<Client> {
        self.handle.client()
    }

    pub(crate) async fn stop(self) {
        self.handle.shutdown().await;
    }

    /// The first event from now on that `pick` does not pass over.
    pub(crate) async fn wait<T>(&self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> Result<T> {
        let mut passed = Vec::new();
        let search = async {
            loop {
                let event = self.events.recv().await?;
                if let Some(found) = pick(&event) {
                    return anyhow::Ok(found);
                }
                passed.push(format!("{:?}", event.kind()));
            }
        };
        let found = tokio::time::timeout(PATIENCE, search).await;
        found.map_err(|_| anyhow!("{what}: not reported; reported: {passed:?}"))?
    }

    pub(crate) async fn qr(&self) -> Result<String> {
        self.wait("a QR code", |event| match event {
            Event::PairingQrCode(code) => Some(code.code.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn online(&self) -> Result<()> {
        self.wait("being online", |event| matches!(event, Event::Connected(_)).then_some(())).await
    }

    /// The next message that is not one of the phone's about the account itself: its id and text.
    pub(crate) async fn message(&self) -> Result<(String, String)> {
        self.wait("a message", |event| match event {
            Event::Messages(batch) => {
                let message = batch.iter().find(|message| message.info.category != MessageCategory::Peer)?;
                Some((message.info.id.clone(), message.message.text_content().unwrap_or_default().to_owned()))
            }
            _ => None,
        })
        .await
    }

    pub(crate) async fn send(&self, to: &str, id: &str, text: &str) -> Result<()> {
        let message = wa::Message { conversation: Some(text.to_owned()), ..Default::default() };
        let options = SendOptions::default().with_message_id(id);
        self.client().send_message_with_options(to.parse::<Jid>()?, message, options).await?;
        Ok(())
    }
}

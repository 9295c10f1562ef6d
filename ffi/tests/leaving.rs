//! What becomes of the host's objects when its process is about to end. In a process of its own: it is final.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use seatport_ffi::agent::{Agent, Role};
use seatport_ffi::card::{Account, CardStatus};
use seatport_ffi::conversation::SendOptions;
use seatport_ffi::port::WhenFull;
use seatport_ffi::transport::{
    AnyConnection, Capabilities, Connection, Dial, OutboundMessage, ReadMessage, Transport, TransportError,
};
use seatport_ffi::{LogLevel, LogRecord, LogSink, Network, NewAccount, Options, Seatport, SeatportError, Storage};
use seatport_ffi::{end_all, set_log_sink};
use tokio::sync::Notify;

/// The host: how often it was called, and what of it was given back.
#[derive(Default)]
struct Host {
    calls: AtomicU32,
    given_back: AtomicU32,
    dial: Mutex<Option<Dial>>,
    sending: Notify,
}

struct Part(Arc<Host>);

impl Part {
    fn called(&self) {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.0.given_back.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Transport for Part {
    async fn connect(&self, dial: Dial) -> Result<AnyConnection, TransportError> {
        self.called();
        dial.signals.ready(Account { address: "me@host".to_owned(), phone: None, name: None }).await?;
        *self.0.dial.lock() = Some(dial);
        Ok(AnyConnection(Arc::new(Part(self.0.clone()))))
    }
}

#[async_trait]
impl Connection for Part {
    async fn send(&self, _: OutboundMessage) -> Result<(), TransportError> {
        self.called();
        // To be given back when the call is dropped.
        let _part = Part(self.0.clone());
        self.0.sending.notify_one();
        std::future::pending().await
    }

    async fn mark_read(&self, _: String, _: Vec<ReadMessage>) -> Result<(), TransportError> {
        self.called();
        Ok(())
    }

    async fn log_out(&self) -> Result<(), TransportError> {
        self.called();
        Ok(())
    }

    async fn close(&self) -> Result<(), TransportError> {
        self.called();
        Ok(())
    }
}

impl LogSink for Part {
    fn write(&self, _: Vec<LogRecord>) -> Result<(), SeatportError> {
        self.called();
        Ok(())
    }
}

#[tokio::test]
async fn a_host_that_leaves_is_called_no_more_and_its_objects_are_left_alone() {
    let host = Arc::new(Host::default());
    let network = Network::hosted("host".to_owned(), Capabilities::default(), Arc::new(Part(host.clone()))).unwrap();
    set_log_sink(Some(Arc::new(Part(host.clone()))), LogLevel::Trace).unwrap();
    let seatport = Seatport::open(options(network.clone())).await.unwrap();
    seatport
        .put_agent(Agent { id: "mei".to_owned(), name: "Mei Lin".to_owned(), role: Role::Supervisor })
        .await
        .unwrap();
    let desk = seatport.desk("mei".to_owned()).await.unwrap();
    let account =
        NewAccount { transport: "host".to_owned(), environment: None, agent: None, remark: String::new(), login: None };
    let session = desk.add_and_start(account, WhenFull::Fail).await.unwrap();
    let (watch, mut seen) = (desk.watch(session.clone()).await.unwrap(), 0);
    loop {
        let update = watch.next(seen).await.unwrap();
        if update.view.card.status == CardStatus::Online {
            break;
        }
        seen = update.number;
    }

    let to = "li@host".to_owned();
    desk.send_text(session, to, "hello".to_owned(), SendOptions::default()).await.unwrap();
    host.sending.notified().await;

    end_all(Duration::from_secs(5)).unwrap();
    let calls = host.calls.load(Ordering::SeqCst);
    assert!(calls > 0);
    let ended = desk.agent().await;
    assert!(matches!(ended, Err(SeatportError::ShutDown { .. })), "{ended:?}");
    let dial = host.dial.lock().take().unwrap();
    let told = dial.signals.alive().await;
    assert!(matches!(told, Err(TransportError::Ended { .. })), "{told:?}");
    let stored = dial.vault.put("name".to_owned(), Vec::new()).await;
    assert!(matches!(stored, Err(TransportError::Ended { .. })), "{stored:?}");
    drop((desk, watch, seatport, network, dial));
    set_log_sink(None, LogLevel::Trace).unwrap();
    assert_eq!(host.calls.load(Ordering::SeqCst), calls, "nothing was called, not even to say goodbye");
    assert_eq!(host.given_back.load(Ordering::SeqCst), 0);
}

fn options(network: Arc<Network>) -> Options {
    Options {
        storage: Storage::Memory,
        networks: vec![network],
        vault_key: None,
        previous_vault_keys: Vec::new(),
        vault_key_provider: None,
        insecure_plaintext_vault: true,
        ports: None,
        agent_scope: None,
        node_labels: HashMap::new(),
        max_sessions: None,
        without_rebalancing: false,
        allow_account_change: false,
        retention: None,
        timing: None,
        clock: None,
        callback_timeout: None,
        worker_threads: 2,
    }
}

//! The transport by itself, where the desk cannot show it: acknowledgements, and vaults that do not open.

mod office;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use office::{ALICE, BOB, PATIENCE, eventually, text, whatsapp};
use seatport::lifecycle::ReasonKind;
use seatport::memory::MemoryStorage;
use seatport::storage::VaultStore;
use seatport::transport::{
    ConnectContext, ConnectError, Connection, InboundMessage, Signal, Transport, TransportCommand,
};
use seatport::vault::{Vault, VaultKey};
use seatport::{Clock, PortNumber, Random, SessionId, SessionRecord, SystemClock, TransportName};
use seatport_whatsapp_e2e::{FakeServer, History, HistoryChat, HistoryMessage, Seen};

/// A session that no Seatport drives.
struct Seat {
    server: FakeServer,
    storage: MemoryStorage,
    record: SessionRecord,
    random: Random,
}

impl Seat {
    async fn new() -> Result<Self> {
        let random = Random::seeded(1);
        let session = SessionId::generate(SystemClock.now(), &random);
        let record = SessionRecord::new(session, SystemClock.now(), TransportName::new("whatsapp")?);
        Ok(Self { server: FakeServer::start().await?, storage: MemoryStorage::new(), record, random })
    }

    async fn connect(&self, key: u8) -> Result<Connection, ConnectError> {
        let key = VaultKey::new([key; 32]);
        let vault = Vault::detached(Arc::new(self.storage.clone()), self.record.clone(), &key, &self.random).await?;
        let context =
            ConnectContext::new(self.record.id, PortNumber(1), vault, Arc::new(SystemClock), self.random.clone());
        whatsapp(&self.server.url()).expect("a URL").connect(context).await
    }

    async fn linked(&self) -> Result<Connection> {
        let mut connection = self.connect(7).await?;
        let code = until(&mut connection, |signal| match signal {
            Signal::Challenge(challenge) => Some(challenge.code.expose().to_owned()),
            _ => None,
        })
        .await?;
        self.server.phone(ALICE).scan(&code).await?;
        until(&mut connection, |signal| matches!(signal, Signal::Paired { redial: true, .. }).then_some(())).await?;
        drop(connection);
        let mut connection = self.connect(7).await?;
        until(&mut connection, |signal| matches!(signal, Signal::Ready { .. }).then_some(())).await?;
        Ok(connection)
    }
}

/// The first signal that `pick` does not pass over.
async fn until<T>(connection: &mut Connection, pick: impl Fn(Signal) -> Option<T>) -> Result<T> {
    let search = async {
        while let Some(signal) = connection.signals.recv().await {
            if let Some(found) = pick(signal) {
                return Ok(found);
            }
        }
        bail!("the signals ended")
    };
    tokio::time::timeout(PATIENCE, search).await.context("no such signal")?
}

fn one(mut messages: Vec<InboundMessage>) -> InboundMessage {
    assert_eq!(messages.len(), 1);
    messages.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_stored_is_delivered_again_until_it_is() -> Result<()> {
    let seat = Seat::new().await?;
    let mut connection = seat.linked().await?;
    let (phone, bob) = (seat.server.phone(ALICE), seat.server.person(BOB));
    eventually("nothing else is waiting", async || phone.unacknowledged().await.is_empty()).await?;
    let id = bob.write(&phone, "do not lose me").await?;
    let messages = |signal| match signal {
        Signal::Messages { messages, ack } => Some((messages, ack)),
        _ => None,
    };
    for _ in 0..2 {
        let (arrived, ack) = until(&mut connection, messages).await?;
        let arrived = one(arrived);
        assert_eq!((arrived.id.as_str(), arrived.content), (id.as_str(), text("do not lose me")));
        drop(ack);
        let lost = |signal| match signal {
            Signal::Lost(reason) => Some(reason),
            _ => None,
        };
        assert_eq!(until(&mut connection, lost).await?.code.as_deref(), Some("not stored"));
        assert!(phone.unacknowledged().await.contains(&id));
        connection = seat.connect(7).await?;
    }
    let (arrived, ack) = until(&mut connection, messages).await?;
    assert_eq!(one(arrived).id.as_str(), id);
    ack.stored();
    eventually("it is acknowledged", async || phone.unacknowledged().await.is_empty()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_that_was_not_stored_is_not_confirmed_and_comes_again() -> Result<()> {
    let seat = Seat::new().await?;
    let mut connection = seat.linked().await?;
    let (phone, bob) = (seat.server.phone(ALICE), seat.server.person(BOB));
    let message = HistoryMessage::text("OLD1", "long ago", 1_600_000_000);
    let chat = HistoryChat { jid: bob.jid(), messages: vec![message], ..Default::default() };
    phone.share_history(&History { chats: vec![chat], progress: Some(40), ..Default::default() }).await?;
    let history = |signal| match signal {
        Signal::History { history, ack } => Some((history, ack)),
        _ => None,
    };
    let (piece, ack) = until(&mut connection, history).await?;
    assert_eq!((one(piece.messages).content, piece.progress), (text("long ago"), Some(40)));
    drop(ack);
    let lost = |signal| match signal {
        Signal::Lost(reason) => Some(reason),
        _ => None,
    };
    assert_eq!(until(&mut connection, lost).await?.code.as_deref(), Some("not stored"));
    let confirmed =
        |seen: &Seen| matches!(seen, Seen::Receipt { kind: Some(kind), .. } if kind == "hist_sync").then_some(());
    assert!(seat.server.journal().pick(confirmed).is_empty(), "the phone was told that it arrived");

    let mut connection = seat.connect(7).await?;
    let (piece, ack) = until(&mut connection, history).await?;
    assert_eq!((one(piece.messages).content, piece.progress), (text("long ago"), Some(40)));
    ack.stored();
    let kept = async || {
        let kept = seat.storage.vault_list(seat.record.id, "net/history").await;
        kept.is_ok_and(|kept| kept.is_empty())
    };
    eventually("it is kept no longer", kept).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_waits_for_no_acknowledgement() -> Result<()> {
    let seat = Seat::new().await?;
    let connection = seat.linked().await?;
    let (phone, bob) = (seat.server.phone(ALICE), seat.server.person(BOB));
    eventually("nothing else is waiting", async || phone.unacknowledged().await.is_empty()).await?;
    drop(connection);
    eventually("the connection is gone", async || phone.live_connections() == 0).await?;
    bob.write(&phone, "are you there?").await?;

    let mut connection = seat.connect(7).await?;
    let waiting = until(&mut connection, |signal| match signal {
        Signal::Messages { ack, .. } => Some(ack),
        _ => None,
    })
    .await?;
    connection.commands.send(TransportCommand::Close).await?;
    let closed = async { while connection.signals.recv().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(4), closed).await.context("it did not close")?;
    drop(waiting);
    eventually("the connection is gone", async || phone.live_connections() == 0).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_a_connection_ends_everything_at_once() -> Result<()> {
    let seat = Seat::new().await?;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let mut connection = seat.connect(7).await?;
    until(&mut connection, |signal| matches!(signal, Signal::Challenge(_)).then_some(())).await?;
    assert!(tasks() > before);
    drop(connection);
    eventually("every task has ended", async || tasks() <= before).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_under_another_key_is_refused_and_left_alone() -> Result<()> {
    let seat = Seat::new().await?;
    drop(seat.linked().await?);
    let kept = seat.storage.vault_list(seat.record.id, "").await?;
    assert!(!kept.is_empty());
    let Err(ConnectError::Rejected(reason)) = seat.connect(8).await else { bail!("it was let in") };
    assert_eq!(reason.kind, ReasonKind::VaultUnreadable);
    assert_eq!(seat.storage.vault_list(seat.record.id, "").await?, kept);
    drop(seat.connect(7).await?);
    Ok(())
}

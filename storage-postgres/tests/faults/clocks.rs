//! Nodes whose clocks disagree by hours.

use std::sync::Arc;
use std::time::Duration;

use seatport::vault::VaultKey;
use seatport::{
    Address, Agent, AgentId, CardStatus, Clock, Desk, NewAccount, Page, Role, Seatport, SendOptions, SessionId,
    SystemClock, Timestamp, Timing, WhenFull,
};
use seatport_postgres::PostgresStorage;
use seatport_testkit::messenger::Messenger;
use tokio::time::timeout;

use crate::sample::{PATIENCE, until};
use crate::shared;

/// A clock that goes wrong by so many hours.
#[derive(Debug)]
struct Wrong(i64);

impl Clock for Wrong {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().as_millis() + self.0 * 3_600_000)
    }
}

async fn node(schema: &str, messenger: &Messenger, hours: i64) -> (Seatport, Desk) {
    let storage = PostgresStorage::options().schema(schema).open(&shared().await.url()).await.unwrap();
    let timing = Timing {
        lease: Duration::from_secs(2),
        scan: Duration::from_millis(200),
        retry_first: Duration::from_millis(100),
        send_every: Duration::ZERO,
        ..Timing::default()
    };
    let builder = Seatport::builder().storage(storage).transport(messenger.transport()).timing(timing);
    let seatport = builder.vault_key(VaultKey::new([7; 32])).clock(Wrong(hours)).build().await.unwrap();
    let mei = Agent::new("mei", "Mei", Role::Supervisor).unwrap();
    seatport.agents().put(mei).await.unwrap();
    let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    (seatport, desk)
}

async fn online(desk: &Desk, session: SessionId) {
    let mut watch = desk.watch(session).await.unwrap();
    let online = watch.until(|view| view.card.status == CardStatus::Online);
    timeout(PATIENCE, online).await.expect("never online").unwrap();
}

/// One is right, one is an hour ahead and one an hour behind. A session goes from the one to the next as they die, and
/// whoever drives it, every one of them sees it, sends through it and stops and starts it. No lease is cut short or
/// stretched by anybody's clock.
#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_hours_apart_change_nothing() {
    let schema = shared().await.fresh_schema();
    let messenger = Messenger::new(7, Arc::new(SystemClock));
    let (phone, bob) = (messenger.phone("+8613800138000"), messenger.person("bob"));
    let (right, desk) = node(&schema, &messenger, 0).await;
    let session = desk.add_and_start(NewAccount::on("simulated"), WhenFull::Fail).await.unwrap();
    let mut watch = desk.watch(session).await.unwrap();
    let shown = watch.until(|view| view.challenge.is_some()).await.unwrap();
    phone.scan(shown.challenge.unwrap().code.expose()).unwrap();
    online(&desk, session).await;

    let (ahead, desk_ahead) = node(&schema, &messenger, 1).await;
    let (behind, desk_behind) = node(&schema, &messenger, -1).await;
    let everybody_works = async |desks: &[&Desk], round: &str| {
        for (number, desk) in desks.iter().enumerate() {
            online(desk, session).await;
            let (text, chat) = (format!("{round}-{number}"), bob.address().clone());
            desk.send_text(session, &chat, text.clone(), SendOptions::default()).await.unwrap();
            until("it is heard", async || bob.received().iter().any(|heard| heard.text() == text)).await;
            bob.write(phone.address(), text);
            until("it is stored", async || phone.unacknowledged() == 0).await;
        }
    };
    everybody_works(&[&desk, &desk_ahead, &desk_behind], "first").await;
    // A while longer than the lease: nobody takes what another one drives, however late it is for them.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let logins = |messenger: &Messenger| messenger.journal().logins(phone.address()).count();
    let before = logins(&messenger);
    assert!(before <= 3, "it changed hands {before} times with all nodes alive");

    drop((right, desk));
    everybody_works(&[&desk_ahead, &desk_behind], "second").await;
    desk_behind.stop(session).await.unwrap();
    desk_ahead.start(session, WhenFull::Fail).await.unwrap();
    everybody_works(&[&desk_ahead, &desk_behind], "third").await;
    drop((ahead, desk_ahead));
    everybody_works(&[&desk_behind], "fourth").await;
    assert_eq!(messenger.journal().overlaps, []);
    let chat: Address = bob.address().clone();
    let messages = desk_behind.messages(session, &chat, Page::first(100)).await.unwrap();
    assert_eq!(messages.len(), 2 * (3 + 2 + 2 + 1));
    behind.shutdown(Duration::from_secs(5)).await;
}

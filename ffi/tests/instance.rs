//! An instance as a host sees it: opened, used, given up in the middle of a call, shut down.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use seatport_ffi::agent::{Agent, Role};
use seatport_ffi::card::SessionFilter;
use seatport_ffi::messenger::Messenger;
use seatport_ffi::page::{Edge, Page};
use seatport_ffi::port::{PortRange, WhenFull};
use seatport_ffi::{Desk, NewAccount, Options, Seatport, SeatportError, Storage};

const A_WHILE: Duration = Duration::from_secs(10);

fn options(storage: Storage) -> Options {
    let messenger = Messenger::new(7).unwrap();
    Options {
        storage,
        networks: vec![messenger.network().unwrap()],
        vault_key: None,
        previous_vault_keys: Vec::new(),
        vault_key_provider: None,
        insecure_plaintext_vault: true,
        ports: Some(PortRange { first: 1, capacity: 1 }),
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

async fn open() -> (Arc<Seatport>, Arc<Desk>) {
    let seatport = Seatport::open(options(Storage::Memory)).await.unwrap();
    let mei = Agent { id: "mei".into(), name: "Mei Lin".into(), role: Role::Supervisor };
    seatport.put_agent(mei).await.unwrap();
    let desk = seatport.desk("mei".into()).await.unwrap();
    (seatport, desk)
}

fn account() -> NewAccount {
    NewAccount { transport: "simulated".into(), environment: None, agent: None, remark: "one".into(), login: None }
}

fn first(limit: u32) -> Page {
    Page { edge: Edge::First, limit }
}

#[tokio::test]
async fn a_batch_that_did_not_arrive_is_answered_again() {
    let (_seatport, desk) = open().await;
    let session = desk.add_account(account()).await.unwrap();
    desk.set_remark(session.clone(), "two".into()).await.unwrap();
    let feed = desk.events(HashMap::new()).await.unwrap();

    let lost = feed.next(0, 1).await.unwrap();
    assert_eq!((lost.number, lost.events[0].seq), (1, 1));
    assert!(feed.cursors(0).await.unwrap().values().all(|seq| *seq == 0), "nothing has arrived yet");
    let again = feed.next(0, 1).await.unwrap();
    assert_eq!((again.number, again.events), (1, lost.events));
    assert_eq!(feed.cursors(1).await.unwrap(), HashMap::from([(session, 1)]));
    assert_eq!(feed.next(1, 10).await.unwrap().events[0].seq, 2);
    assert!(matches!(feed.next(7, 1).await, Err(SeatportError::Invalid { .. })));
    assert!(matches!(feed.next(2, 0).await, Err(SeatportError::Invalid { .. })));
}

#[tokio::test]
async fn a_consumer_acknowledges_only_what_arrived() {
    let (_seatport, desk) = open().await;
    let session = desk.add_account(account()).await.unwrap();
    desk.set_remark(session, "two".into()).await.unwrap();
    let consumer = desk.consume("crm".into()).await.unwrap();
    consumer.next(0, 1).await.unwrap();
    // It got lost.
    consumer.acknowledge(0).await.unwrap();
    let behind = |states: Vec<seatport_ffi::event::ConsumerState>| states[0].behind;
    assert_eq!(behind(desk.consumers().await.unwrap()), 2);
    consumer.acknowledge(1).await.unwrap();
    assert_eq!(behind(desk.consumers().await.unwrap()), 1);
}

#[tokio::test]
async fn an_ended_reader_answers_closed_to_who_waits_and_to_who_comes() {
    let (_seatport, desk) = open().await;
    let feed = desk.events(HashMap::new()).await.unwrap();
    let waiting = tokio::spawn({
        let feed = feed.clone();
        async move { feed.next(0, 1).await }
    });
    tokio::task::yield_now().await;
    feed.end().unwrap();
    let waited = tokio::time::timeout(A_WHILE, waiting).await.unwrap().unwrap();
    assert!(matches!(waited, Err(SeatportError::Closed { .. })));
    assert!(matches!(feed.next(0, 1).await, Err(SeatportError::Closed { .. })));
    assert!(matches!(feed.cursors(0).await, Err(SeatportError::Closed { .. })));
}

#[tokio::test]
async fn a_call_that_is_given_up_ends_and_leaves_its_place_in_the_queue() {
    let (_seatport, desk) = open().await;
    let holder = desk.add_and_start(account(), WhenFull::Fail).await.unwrap();
    let waiter = desk.add_account(account()).await.unwrap();
    let wait = desk.start(waiter.clone(), WhenFull::Wait { timeout: Duration::from_secs(3600) });
    assert!(tokio::time::timeout(Duration::from_millis(50), wait).await.is_err(), "there is one port");
    desk.stop(holder).await.unwrap();
    // Nobody stands before it any more.
    let other = desk.add_account(account()).await.unwrap();
    let patient = WhenFull::Wait { timeout: A_WHILE };
    assert_eq!(desk.start(other.clone(), patient).await.unwrap().session, other);
    assert!(desk.card(waiter).await.unwrap().port.is_none());
}

#[tokio::test]
async fn after_a_shutdown_every_call_says_so_and_those_under_way_end() {
    let (seatport, desk) = open().await;
    let feed = desk.events(HashMap::new()).await.unwrap();
    let waiting = tokio::spawn({
        let feed = feed.clone();
        async move { feed.next(0, 1).await }
    });
    tokio::task::yield_now().await;
    seatport.shutdown(A_WHILE).await.unwrap();
    let waited = tokio::time::timeout(A_WHILE, waiting).await.unwrap().unwrap();
    assert!(matches!(waited, Err(SeatportError::ShutDown { .. })), "{waited:?}");
    let cards = desk.cards(SessionFilter { statuses: Vec::new(), agent: None, text: None }, first(1)).await;
    assert!(matches!(cards, Err(SeatportError::ShutDown { .. })));
    assert!(matches!(seatport.desk("mei".into()).await, Err(SeatportError::ShutDown { .. })));
    seatport.shutdown(A_WHILE).await.unwrap();
}

#[tokio::test]
async fn an_end_meets_those_who_wait_for_events_however_they_come_together() {
    for round in 0..100 {
        let (seatport, desk) = open().await;
        let feeds: Vec<_> = (0..4)
            .map(|_| {
                let desk = desk.clone();
                tokio::spawn(async move { desk.events(HashMap::new()).await?.next(0, 1).await.map(drop) })
            })
            .collect();
        tokio::task::yield_now().await;
        let ended = tokio::time::timeout(A_WHILE, seatport.shutdown(A_WHILE)).await;
        ended.unwrap_or_else(|_| panic!("round {round}: the shutdown hangs")).unwrap();
        for feed in feeds {
            let waited = tokio::time::timeout(A_WHILE, feed).await;
            let waited = waited.unwrap_or_else(|_| panic!("round {round}: a feed hangs")).unwrap();
            assert!(matches!(waited, Err(SeatportError::ShutDown { .. })), "{waited:?}");
        }
    }
}

#[tokio::test]
async fn an_instance_that_is_let_go_of_frees_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seatport.db").to_str().unwrap().to_owned();
    let file = || Storage::Sqlite { path: path.clone(), durable: true };
    let seatport = Seatport::open(options(file())).await.unwrap();
    let refused = Seatport::open(options(file())).await.unwrap_err();
    assert!(matches!(&refused, SeatportError::Storage { kind, retry: false, .. } if kind == "InUse"), "{refused:?}");
    drop(seatport);
    let mut tries = 0;
    while let Err(error) = Seatport::open(options(file())).await {
        tries += 1;
        assert!(tries < 500, "the file is still held: {error}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let field = |error: SeatportError| match error {
        SeatportError::Invalid { field, .. } => field,
        other => panic!("{other:?}"),
    };
    let (seatport, desk) = open().await;
    assert_eq!(field(desk.card("seat 1".into()).await.unwrap_err()), "session id");
    assert_eq!(field(seatport.desk(String::new()).await.unwrap_err()), "agent id");
    assert_eq!(field(seatport.resize_ports(0).await.unwrap_err()), "port capacity");
    assert_eq!(field(desk.events(HashMap::from([("x".into(), 1)])).await.unwrap_err()), "session id");
    let unknown = desk.add_account(NewAccount { transport: "carrier pigeon".into(), ..account() }).await.unwrap_err();
    assert!(matches!(unknown, SeatportError::UnknownTransport { name, .. } if name == "carrier pigeon"));
}

//! What the runtime does when a transport misbehaves.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use seatport::lifecycle::{Reason, ReasonKind};
use seatport::memory::MemoryStorage;
use seatport::transport::{Ack, Signal, Transport, TransportCommand};
use seatport::vault::{VaultError, VaultKey};
use seatport::{Agent, AgentId, CardStatus, Environment, Error, EventBody, NewAccount, Role, Seatport, WhenFull};
use tokio::time::Instant;

use crate::office;
use crate::scripted::{Dial, Scripted, account, from, online};

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test(start_paused = true)]
async fn stop_answers_within_five_seconds_though_the_connection_never_closes() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let dropped = transport.dropped.clone();
    let (_seatport, desk) = office(transport, 10).await;
    let (session, mut line) = online(&desk, &mut lines).await;
    let begin = Instant::now();
    let card = is_send(desk.stop(session)).await.unwrap();
    assert_eq!((card.status, card.port), (CardStatus::Offline, None));
    assert!(begin.elapsed() <= Duration::from_secs(5), "{:?}", begin.elapsed());
    assert!(matches!(line.commands.recv().await, Some(TransportCommand::Close)), "it was asked to close");
    assert_eq!(dropped.load(Ordering::SeqCst), 1, "and then abandoned");
    assert!(line.context.vault.put("late", b"word").await.is_err(), "what it still writes is refused");
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_hangs_is_given_up_and_tried_again() {
    let (transport, _lines) = Scripted::new(Dial::Hangs);
    let (_seatport, desk) = office(transport, 10).await;
    let session = desk.add_and_start(NewAccount::on("scripted"), WhenFull::Fail).await.unwrap();
    let mut watch = desk.watch(session).await.unwrap();
    let view = watch.until(|view| view.card.next_try.is_some()).await.unwrap();
    assert_eq!(view.card.attempt, 1);
    assert_eq!(view.card.reason.unwrap().kind, ReasonKind::DialTimedOut);
    let view = watch.until(|view| view.card.attempt == 3).await.unwrap();
    assert!(view.card.port.is_some(), "the port stays");
    let begin = Instant::now();
    is_send(desk.start(session, WhenFull::Fail)).await.unwrap();
    desk.stop(session).await.unwrap();
    assert!(begin.elapsed() <= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_panics_ends_its_own_dial_only() {
    let (transport, _lines) = Scripted::new(Dial::Panics);
    let (_seatport, desk) = office(transport, 10).await;
    let session = desk.add_and_start(NewAccount::on("scripted"), WhenFull::Fail).await.unwrap();
    let view = desk.watch(session).await.unwrap().until(|view| view.card.next_try.is_some()).await.unwrap();
    assert_eq!(view.card.reason.unwrap().kind, ReasonKind::Crashed);
    assert_eq!(desk.stop(session).await.unwrap().port, None);
}

#[tokio::test(start_paused = true)]
async fn silence_for_sixty_seconds_counts_as_lost_and_any_word_as_life() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 10).await;
    let (session, line) = online(&desk, &mut lines).await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(50)).await;
        line.signals.send(Signal::Alive).await.unwrap();
    }
    assert_eq!(desk.card(session).await.unwrap().status, CardStatus::Online);
    let begin = Instant::now();
    let mut watch = desk.watch(session).await.unwrap();
    let view = watch.until(|view| view.card.status == CardStatus::Connecting).await.unwrap();
    assert_eq!(begin.elapsed().as_secs(), 60);
    assert_eq!(view.card.reason.unwrap().kind, ReasonKind::NoProofOfLife);
}

#[tokio::test(start_paused = true)]
async fn a_backlog_that_keeps_coming_is_no_dial_that_takes_too_long() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 10).await;
    let session = desk.add_and_start(NewAccount::on("scripted"), WhenFull::Fail).await.unwrap();
    let line = lines.recv().await.unwrap();
    for number in 0..5 {
        tokio::time::sleep(Duration::from_secs(40)).await;
        let (ack, stored) = Ack::new();
        let messages = vec![from("bob", &number.to_string())];
        line.signals.send(Signal::Messages { messages, ack }).await.unwrap();
        stored.await.unwrap();
    }
    let card = desk.card(session).await.unwrap();
    assert_eq!((card.status, card.attempt, card.unread), (CardStatus::Connecting, 0, 5));
    line.signals.send(Signal::Ready { account: account("a") }).await.unwrap();
    desk.watch(session).await.unwrap().until(|view| view.card.status == CardStatus::Online).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_an_older_connection_says_is_dropped() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 10).await;
    let (session, old) = online(&desk, &mut lines).await;
    old.signals.send(Signal::Lost(Reason::new(ReasonKind::ConnectionLost))).await.unwrap();
    let _new = lines.recv().await.unwrap();
    assert!(old.signals.send(Signal::Ready { account: account("a") }).await.is_err(), "nobody listens to it");
    assert_eq!(desk.card(session).await.unwrap().status, CardStatus::Connecting);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_is_refused_and_unlinked_again() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 10).await;
    let (session, _line) = online(&desk, &mut lines).await;
    desk.restart(session).await.unwrap();
    drop(_line);
    let mut line = lines.recv().await.unwrap();
    line.signals.send(Signal::Ready { account: account("stranger") }).await.unwrap();
    let mut watch = desk.watch(session).await.unwrap();
    let view = watch.until(|view| view.card.status == CardStatus::Blocked).await.unwrap();
    assert_eq!(view.card.reason.unwrap().kind, ReasonKind::AccountMismatch);
    assert_eq!(view.card.account, Some(account("a")));
    assert!(matches!(line.commands.recv().await, Some(TransportCommand::LogOut)));
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_wiped_do_not_come_back() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 10).await;
    let (session, line) = online(&desk, &mut lines).await;
    line.context.vault.put("identity", b"key").await.unwrap();
    line.signals.send(Signal::Rejected(Reason::new(ReasonKind::LoggedOut))).await.unwrap();
    let mut watch = desk.watch(session).await.unwrap();
    watch.until(|view| view.card.status == CardStatus::Blocked).await.unwrap();
    assert!(matches!(line.context.vault.put("identity", b"late").await, Err(VaultError::Revoked)));
    assert!(line.context.vault.list("").await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_transport_without_proxy_support_takes_no_environment_with_one_and_is_never_dialled_around_it() {
    let environment = || Environment::new().proxy("http://proxy.example:8080").unwrap();
    let storage = MemoryStorage::new();
    let build = async |storage: MemoryStorage, proxy: bool| {
        let (mut transport, lines) = Scripted::new(Dial::Answers);
        transport.proxy = proxy;
        let builder = Seatport::builder().storage(storage).transport(transport);
        let seatport = builder.build().await.unwrap();
        seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
        let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
        (seatport, desk, lines)
    };
    let (seatport, desk, _lines) = build(storage.clone(), false).await;
    let refused = desk.add_account(NewAccount::on("scripted").environment(environment())).await;
    assert!(matches!(refused, Err(Error::Unsupported { .. })), "{refused:?}");
    drop((seatport, desk));

    let (seatport, desk, _lines) = build(storage.reopen(), true).await;
    let session = desk.add_account(NewAccount::on("scripted").environment(environment())).await.unwrap();
    drop((seatport, desk));

    // The host has another transport of that name by now.
    let (_seatport, desk, mut lines) = build(storage.reopen().reopen(), false).await;
    desk.start(session, WhenFull::Fail).await.unwrap();
    let mut watch = desk.watch(session).await.unwrap();
    let view = watch.until(|view| view.card.status == CardStatus::Blocked).await.unwrap();
    assert_eq!(view.card.reason.unwrap().kind, ReasonKind::ProxyRefused);
    assert!(lines.try_recv().is_err(), "it was never dialled");
}

#[tokio::test(start_paused = true)]
async fn another_account_may_log_in_where_the_host_allows_it() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let builder = Seatport::builder().storage(MemoryStorage::new()).transport(transport).allow_account_change();
    let seatport = builder.build().await.unwrap();
    seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
    let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    let (session, line) = online(&desk, &mut lines).await;
    let mut events = desk.events(desk.cursors().await.unwrap()).await.unwrap();
    desk.restart(session).await.unwrap();
    drop(line);
    let line = lines.recv().await.unwrap();
    line.signals.send(Signal::Ready { account: account("b") }).await.unwrap();
    loop {
        if let EventBody::LoggedIn { account: who } = events.next().await.unwrap().body {
            assert_eq!(who, account("b"));
            break;
        }
    }
    assert_eq!(desk.card(session).await.unwrap().account, Some(account("b")));
}

#[tokio::test(start_paused = true)]
async fn one_transport_may_serve_two_instances() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let transport: Arc<dyn Transport> = Arc::new(transport);
    let mut online_at = Vec::new();
    for _ in 0..2 {
        let building = Seatport::builder().storage(MemoryStorage::new()).shared_transport(transport.clone());
        let seatport = building.vault_key(VaultKey::new([7; 32])).build().await.unwrap();
        seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
        let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
        let (session, line) = online(&desk, &mut lines).await;
        assert_eq!(line.context.session, session);
        online_at.push((seatport, desk, session, line));
    }
    for (_, desk, session, _) in &online_at {
        assert_eq!(desk.card(*session).await.unwrap().status, CardStatus::Online);
    }
}

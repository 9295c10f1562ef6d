//! A network that is down, hangs or drags.

use std::time::Duration;

use seatport::lifecycle::ReasonKind;
use seatport::transport::{ConnectError, Signal, TransportCommand};
use seatport_testkit::messenger::{End, Journal, Settings};
use tokio::time::{Instant, sleep, timeout};

use crate::seat::{FOR_EVER, Seat, messenger, one_online, send, signal, stored};

#[tokio::test(start_paused = true)]
async fn a_network_that_goes_down_cuts_and_lets_nobody_in() {
    let (messenger, phone, seat, mut connection) = one_online().await;
    messenger.conditions(|now| now.down = true);
    let Some(Signal::Lost(reason)) = signal(&mut connection).await else { panic!("not lost") };
    assert_eq!(reason.kind, ReasonKind::ConnectionLost);
    assert!(signal(&mut connection).await.is_none());
    assert!(matches!(seat.dial().await, Err(ConnectError::Lost(_))));

    messenger.person("bob").write(phone.address(), "are you there?");
    messenger.conditions(|now| now.down = false);
    let mut connection = seat.online().await;
    assert_eq!(stored(&mut connection).await.len(), 1);
    let ends: Vec<Option<End>> = messenger.journal().connections.iter().map(|c| c.end.map(|(end, _)| end)).collect();
    assert_eq!(ends, [Some(End::Paired), Some(End::Cut), Some(End::Cut), None]);
}

#[tokio::test(start_paused = true)]
async fn the_network_may_be_down_for_one_account_alone() {
    let messenger = messenger(Settings::default());
    let (phone, other) = (messenger.phone("+8613800138000"), messenger.phone("+8613800138001"));
    let (seat, other_seat) = (Seat::new(1, messenger.transport()), Seat::new(2, messenger.transport()));
    let (mut connection, other_connection) = (seat.log_in(&phone).await, other_seat.log_in(&other).await);
    phone.conditions(|now| now.down = true);
    assert!(matches!(signal(&mut connection).await, Some(Signal::Lost(_))));
    assert!(matches!(seat.dial().await, Err(ConnectError::Lost(_))));
    let bob = messenger.person("bob");
    assert_eq!(send(&other_connection, bob.address(), "OUT1", "hello").await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_sign_of_life_comes_every_25_seconds() {
    let (_messenger, _phone, _seat, mut connection) = one_online().await;
    let started = Instant::now();
    for beat in 1..=10 {
        assert!(matches!(signal(&mut connection).await, Some(Signal::Alive)));
        let late = started.elapsed().as_millis() - beat * 25_000;
        assert!(late < 1_000, "beat {beat} came {late} ms late");
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_that_hangs_answers_nothing_and_forgets_nothing() {
    let (messenger, phone, _seat, mut connection) = one_online().await;
    messenger.conditions(|now| now.hang = true);
    messenger.person("bob").write(phone.address(), "are you there?");
    assert!(timeout(FOR_EVER, connection.signals.recv()).await.is_err(), "a hanging network spoke");

    let hanging = Seat::new(2, messenger.transport());
    assert!(timeout(FOR_EVER, hanging.dial()).await.is_err(), "a hanging network answered a dial");
    connection.commands.send(TransportCommand::Close).await.unwrap();
    assert!(timeout(FOR_EVER, connection.signals.recv()).await.is_err(), "a hanging network closed");

    messenger.conditions(|now| now.hang = false);
    assert!(signal(&mut connection).await.is_none());
    assert_eq!(phone.unacknowledged(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_drops_a_hanging_connection_is_rid_of_it() {
    let (messenger, phone, seat, connection) = one_online().await;
    phone.conditions(|now| now.hang = true);
    sleep(Duration::from_secs(60)).await;
    let dial = tokio::spawn({
        let dialled = Seat::new(2, messenger.transport());
        messenger.conditions(|now| now.hang = true);
        async move { dialled.dial().await.map(drop) }
    });
    sleep(Duration::from_secs(60)).await;
    assert_eq!(messenger.journal().connections.iter().filter(|c| c.end.is_none()).count(), 2);
    drop(connection);
    dial.abort();
    sleep(Duration::from_millis(1)).await;
    let last_two: Vec<_> = messenger.journal().connections[1..].iter().filter_map(|c| c.end).map(|(e, _)| e).collect();
    assert_eq!(last_two, [End::HungUp, End::HungUp]);
    messenger.conditions(|now| now.hang = false);
    phone.conditions(|now| now.hang = false);
    seat.online().await;
    assert!(!messenger.journal().overlapped(phone.address()));
}

#[tokio::test(start_paused = true)]
async fn a_slow_network_answers_late() {
    let (messenger, _phone, _seat, connection) = one_online().await;
    messenger.conditions(|now| now.slow = Duration::from_secs(3));
    let started = Instant::now();
    send(&connection, messenger.person("bob").address(), "OUT1", "hello").await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 3);
}

/// A day in which much goes wrong.
async fn bad_day(seed: u64) -> (Journal, Vec<String>) {
    let clock = std::sync::Arc::new(seatport_testkit::VirtualClock::default());
    let messenger = seatport_testkit::messenger::Messenger::new(seed, clock);
    let phone = messenger.phone("+8613800138000");
    let seat = Seat::new(seed, messenger.transport());
    let mut connection = seat.log_in(&phone).await;
    messenger.conditions(|now| {
        (now.duplicates, now.lost_acks, now.jitter) = (30, 30, Duration::from_secs(10));
    });
    let bob = messenger.person("bob");
    let mut order = Vec::new();
    for round in 0..5 {
        for n in 0..10 {
            bob.write(phone.address(), format!("{round}.{n}"));
        }
        while phone.unacknowledged() > 0 {
            match signal(&mut connection).await {
                Some(Signal::Messages { messages, ack }) => {
                    order.extend(messages.iter().map(|message| message.id.to_string()));
                    ack.stored();
                }
                Some(Signal::Alive) => {}
                other => panic!("messages were due, not {other:?}"),
            }
            sleep(Duration::from_millis(100)).await;
        }
        drop(connection);
        connection = seat.online().await;
    }
    (messenger.journal(), order)
}

#[tokio::test(start_paused = true)]
async fn a_seed_repeats_a_run() {
    async fn order(seed: u64) -> (usize, Vec<String>) {
        let (journal, order) = bad_day(seed).await;
        assert!(!journal.overlaps.iter().any(|_| true));
        (journal.connections.len(), order)
    }
    let first = order(7).await;
    assert_eq!(first, order(7).await);
    assert_ne!(first, order(8).await);
    assert!(first.1.len() > 50, "nothing came twice");
}

//! Messages come at least once, and in the end all of them.

use std::collections::BTreeSet;
use std::time::Duration;

use seatport::MessageId;
use seatport::conversation::Content;
use seatport::transport::{Signal, TransportCommand};
use seatport_testkit::messenger::Settings;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::seat::{Seat, messenger, one_online, stored, texts, within};

#[tokio::test(start_paused = true)]
async fn a_message_says_who_wrote_what_and_when() {
    let (messenger, phone, _seat, mut connection) = one_online().await;
    let bob = messenger.person("bob");
    let id = bob.write(phone.address(), "hello");
    let messages = stored(&mut connection).await;
    let message = &messages[0];
    assert_eq!((&message.chat, &message.sender, &message.id), (bob.address(), bob.address(), &id));
    assert_eq!(message.sender_name.as_deref(), Some("bob"));
    assert_eq!(message.content, Content::Text("hello".into()));
    assert!(!message.from_account);
    assert!(message.at >= messenger.journal().connections[0].dialled_at);

    bob.send(phone.address(), Content::Undecryptable);
    assert_eq!(stored(&mut connection).await[0].content, Content::Undecryptable);
}

#[tokio::test(start_paused = true)]
async fn an_acknowledged_message_never_comes_again() {
    let (messenger, phone, seat, mut connection) = one_online().await;
    messenger.person("bob").write(phone.address(), "hello");
    stored(&mut connection).await;
    assert!(within(Duration::from_secs(3600), &mut connection).await.is_empty());
    assert_eq!(phone.unacknowledged(), 0);
    drop(connection);
    let mut connection = seat.online().await;
    assert!(within(Duration::from_secs(3600), &mut connection).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_acknowledged_comes_again() {
    let (messenger, phone, seat, mut connection) = one_online().await;
    let id = messenger.person("bob").write(phone.address(), "hello");
    for _ in 0..3 {
        let signals = within(Duration::from_secs(30), &mut connection).await;
        let [Signal::Messages { messages, .. }] = &signals[..] else { panic!("{signals:?}") };
        assert_eq!(messages[0].id, id);
        // The acknowledgement is dropped with the signals.
    }
    assert_eq!(phone.unacknowledged(), 1);
    within(Duration::from_secs(5), &mut connection).await;
    drop(connection);
    let mut connection = seat.online().await;
    let online = Instant::now();
    assert_eq!(stored(&mut connection).await[0].id, id);
    assert!(online.elapsed() < Duration::from_secs(1), "a new connection gets it at once");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(phone.unacknowledged(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_written_while_offline_comes_at_the_next_login_in_order() {
    let (messenger, phone, seat, connection) = one_online().await;
    drop(connection);
    let bob = messenger.person("bob");
    let written: Vec<String> = (0..50).map(|n| format!("message {n}")).collect();
    for text in &written {
        bob.write(phone.address(), text);
    }
    let mut connection = seat.online().await;
    let mut got = Vec::new();
    while got.len() < 50 {
        let messages = stored(&mut connection).await;
        assert!(messages.len() <= 20, "{} at once", messages.len());
        got.extend(texts(&messages));
    }
    assert_eq!(got, written);
}

#[tokio::test(start_paused = true)]
async fn without_a_linked_device_messages_stay_on_the_phone() {
    let messenger = messenger(Settings { history: false, ..Settings::default() });
    let phone = messenger.phone("+8613800138000");
    messenger.person("bob").write(phone.address(), "before");
    let seat = Seat::new(1, messenger.transport());
    let mut connection = seat.log_in(&phone).await;
    messenger.person("bob").write(phone.address(), "after");
    assert_eq!(texts(&stored(&mut connection).await), ["after"]);
}

#[tokio::test(start_paused = true)]
async fn duplicates_carry_the_same_id() {
    let (messenger, phone, _seat, mut connection) = one_online().await;
    messenger.conditions(|now| now.duplicates = 100);
    let id = messenger.person("bob").write(phone.address(), "hello");
    for _ in 0..2 {
        assert_eq!(stored(&mut connection).await[0].id, id);
    }
    assert!(within(Duration::from_secs(3600), &mut connection).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lost_acknowledgement_brings_the_message_again() {
    let (messenger, phone, _seat, mut connection) = one_online().await;
    phone.conditions(|now| now.lost_acks = 100);
    let id = messenger.person("bob").write(phone.address(), "hello");
    for _ in 0..3 {
        assert_eq!(stored(&mut connection).await[0].id, id);
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(phone.unacknowledged(), 1);
    phone.conditions(|now| now.lost_acks = 0);
    stored(&mut connection).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(phone.unacknowledged(), 0);
}

#[tokio::test(start_paused = true)]
async fn jitter_reorders_and_loses_nothing() {
    let (messenger, phone, _seat, mut connection) = one_online().await;
    messenger.conditions(|now| now.jitter = Duration::from_secs(5));
    let bob = messenger.person("bob");
    let written: Vec<String> = (0..30).map(|n| format!("{n:02}")).collect();
    for text in &written {
        bob.write(phone.address(), text);
    }
    let mut got = Vec::new();
    while got.len() < written.len() {
        got.extend(texts(&stored(&mut connection).await));
    }
    assert_ne!(got, written, "thirty messages kept their order over five seconds of jitter");
    got.sort();
    assert_eq!(got, written);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_behind_loses_nothing_and_can_still_speak() {
    let (messenger, phone, _seat, mut connection) = one_online().await;
    let bob = messenger.person("bob");
    for n in 0..2_000 {
        bob.write(phone.address(), "x".repeat(1_000) + &n.to_string());
    }
    sleep(Duration::from_secs(5)).await;
    // Nobody has taken a signal yet, and more is waiting than fits on the way.
    for n in 0..100 {
        let (done, _) = oneshot::channel();
        let id = MessageId::new(format!("A{n}")).unwrap();
        let (chat, content) = (bob.address().clone(), Content::Text("one moment".into()));
        let command = TransportCommand::Send { chat, id, content, quoted: None, done };
        connection.commands.send(command).await.unwrap();
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(bob.received().len(), 100);

    let mut got = BTreeSet::new();
    while got.len() < 2_000 {
        got.extend(stored(&mut connection).await.into_iter().map(|message| message.id));
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(phone.unacknowledged(), 0);
}

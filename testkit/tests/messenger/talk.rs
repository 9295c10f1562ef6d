//! What accounts send, what becomes of it, and what the phone does beside.

use seatport::conversation::MessageStatus;
use seatport::transport::{SendError, Signal};
use seatport_testkit::messenger::Settings;

use crate::seat::{Seat, challenge, mark_read, messenger, one_online, send, signal, stored, texts};

#[tokio::test(start_paused = true)]
async fn the_same_id_is_shown_once_and_counted() {
    let (messenger, phone, seat, connection) = one_online().await;
    let bob = messenger.person("bob");
    for _ in 0..2 {
        assert_eq!(send(&connection, bob.address(), "OUT1", "hello").await, Ok(()));
    }
    drop(connection);
    let connection = seat.online().await;
    assert_eq!(send(&connection, bob.address(), "OUT1", "hello").await, Ok(()));
    assert_eq!(send(&connection, bob.address(), "OUT2", "again").await, Ok(()));

    let received: Vec<(String, String)> =
        bob.received().into_iter().map(|r| (r.id.to_string(), r.text().to_owned())).collect();
    assert_eq!(received, [("OUT1".into(), "hello".into()), ("OUT2".into(), "again".into())]);
    let sent = messenger.journal().sent;
    assert_eq!(sent.iter().map(|sent| sent.times).collect::<Vec<_>>(), [3, 1]);
    assert!(sent.iter().all(|sent| sent.from == *phone.address() && sent.to == *bob.address()));
}

#[tokio::test(start_paused = true)]
async fn a_message_to_nobody_is_refused() {
    let (messenger, _phone, _seat, connection) = one_online().await;
    let nobody = seatport::Address::new("nobody@simulated").unwrap();
    let Err(SendError::Refused(why)) = send(&connection, &nobody, "OUT1", "hello").await else { panic!("not refused") };
    assert_eq!(why, "404: nobody has the address nobody@simulated");
    assert!(messenger.journal().sent.is_empty());
}

#[tokio::test(start_paused = true)]
async fn before_the_login_messages_go_later() {
    let messenger = messenger(Settings::default());
    let seat = Seat::new(1, messenger.transport());
    let mut connection = seat.dial().await.unwrap();
    challenge(&mut connection).await;
    let bob = messenger.person("bob");
    assert_eq!(
        send(&connection, bob.address(), "OUT1", "hello").await,
        Err(SendError::Later("not logged in yet".into()))
    );
    assert!(bob.received().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_account_writes_to_another() {
    let messenger = messenger(Settings::default());
    let (phone, other) = (messenger.phone("+8613800138000"), messenger.phone("+8613800138001"));
    let (seat, other_seat) = (Seat::new(1, messenger.transport()), Seat::new(2, messenger.transport()));
    let connection = seat.log_in(&phone).await;
    let mut other_connection = other_seat.log_in(&other).await;
    assert_eq!(send(&connection, other.address(), "OUT1", "hello").await, Ok(()));
    let messages = stored(&mut other_connection).await;
    assert_eq!((&messages[0].chat, texts(&messages)), (phone.address(), vec!["hello".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn delivered_and_read_come_back_even_while_offline() {
    let (messenger, phone, seat, mut connection) = one_online().await;
    let bob = messenger.person("bob");
    send(&connection, bob.address(), "OUT1", "hello").await.unwrap();
    let id = bob.received()[0].id.clone();

    bob.confirm(phone.address(), &id);
    let Some(Signal::Status { chat, ids, status }) = signal(&mut connection).await else { panic!("no status") };
    assert_eq!((&chat, ids, status), (bob.address(), vec![id.clone()], MessageStatus::Delivered));

    drop(connection);
    bob.read(phone.address(), &id);
    let mut connection = seat.online().await;
    let Some(Signal::Status { status, .. }) = signal(&mut connection).await else { panic!("no status") };
    assert_eq!(status, MessageStatus::Read);
}

#[tokio::test(start_paused = true)]
async fn a_person_sees_what_was_read() {
    let (messenger, phone, _seat, mut connection) = one_online().await;
    let bob = messenger.person("bob");
    let id = bob.write(phone.address(), "hello");
    stored(&mut connection).await;
    assert!(bob.seen_by(phone.address()).is_empty());
    for _ in 0..2 {
        assert_eq!(mark_read(&connection, bob.address(), &[(&id, bob.address())]).await, Ok(()));
    }
    assert_eq!(bob.seen_by(phone.address()), [id], "once, however often it is told");
    assert_eq!(messenger.journal().receipts, 2);
}

#[tokio::test(start_paused = true)]
async fn what_the_phone_writes_and_reads_is_seen_here() {
    let (messenger, phone, _seat, mut connection) = one_online().await;
    let bob = messenger.person("bob");
    let question = bob.write(phone.address(), "are you there?");
    stored(&mut connection).await;

    let answer = phone.write(bob.address(), "yes");
    let messages = stored(&mut connection).await;
    assert_eq!((&messages[0].id, &messages[0].chat), (&answer, bob.address()));
    assert!(messages[0].from_account);
    assert_eq!(bob.received()[0].text(), "yes");

    phone.read(bob.address());
    let Some(Signal::Read { chat, up_to }) = signal(&mut connection).await else { panic!("nothing read") };
    assert_eq!((&chat, up_to), (bob.address(), Some(question)));
}

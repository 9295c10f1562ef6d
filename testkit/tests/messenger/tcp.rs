//! The same network over TCP, on real time.

use std::sync::Arc;
use std::time::Duration;

use seatport::SystemClock;
use seatport::conversation::{Content, Media, MediaKind, MediaReference};
use seatport::lifecycle::ReasonKind;
use seatport::transport::{ConnectError, Signal};
use seatport_testkit::messenger::{Messenger, Settings, SimulatedTransport};
use tokio::time::timeout;

use crate::seat::{Seat, mark_read, say, signal, stored, texts};

/// The paused-time tests cover the behaviour; this one, that the way over a socket is the same.
#[tokio::test]
async fn a_session_logs_in_talks_and_comes_back_over_tcp() {
    let messenger = Messenger::with_settings(7, Arc::new(SystemClock), Settings::default());
    let listener = messenger.listen("127.0.0.1:0").await.unwrap();
    let phone = messenger.phone("+8613800138000");
    let bob = messenger.person("bob");
    bob.write(phone.address(), "long ago");
    let seat = Seat::new(1, SimulatedTransport::remote(listener.address().to_string()));

    let mut connection = seat.log_in(&phone).await;
    let Some(Signal::History { history, ack }) = signal(&mut connection).await else { panic!("no history") };
    assert_eq!((history.messages[0].content.clone(), history.progress), (Content::Text("long ago".into()), Some(100)));
    ack.stored();
    bob.write(phone.address(), "你好\n\"quoted\"");
    assert_eq!(texts(&stored(&mut connection).await), ["你好\n\"quoted\""]);
    let mut picture = Media::new(MediaKind::Image, "image/jpeg");
    picture.duration = Some(Duration::from_millis(1_500));
    picture.reference = Some(MediaReference::new("simulated:1"));
    let picture = Content::Media(picture);
    let id = bob.send(phone.address(), picture.clone());
    assert_eq!(stored(&mut connection).await[0].content, picture);
    bob.react(phone.address(), &id, Some("👍"));
    let Some(Signal::Amendments { ack, .. }) = signal(&mut connection).await else { panic!("no reaction") };
    ack.stored();
    phone.mute(bob.address(), None);
    let Some(Signal::Chats(chats)) = signal(&mut connection).await else { panic!("not muted") };
    assert_eq!(chats[0].muted_until, Some(None), "that it sounds again is something, and not nothing");
    assert_eq!(say(&connection, bob.address(), "OUT1", picture.clone(), Some(id.clone())).await, Ok(()));
    assert_eq!((&bob.received()[0].content, &bob.received()[0].quoted), (&picture, &Some(id.clone())));
    assert_eq!(mark_read(&connection, bob.address(), &[(&id, bob.address())]).await, Ok(()));
    assert_eq!(bob.seen_by(phone.address()), [id]);
    drop(connection);
    bob.write(phone.address(), "still there?");
    let mut connection = seat.online().await;
    assert_eq!(texts(&stored(&mut connection).await), ["still there?"]);
    assert!(!messenger.journal().overlapped(phone.address()));

    drop(listener);
    let lost = timeout(Duration::from_secs(10), signal(&mut connection)).await.unwrap();
    assert!(matches!(lost, Some(Signal::Lost(_))), "{lost:?}");
    let Err(ConnectError::Lost(reason)) = seat.dial().await else { panic!("nobody listens") };
    assert_eq!(reason.kind, ReasonKind::ConnectionLost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dialling_right_after_a_drop_is_no_overlap_on_many_threads_either() {
    let settings = Settings { latency: Duration::ZERO, ..Settings::default() };
    let messenger = Messenger::with_settings(7, Arc::new(SystemClock), settings);
    let listener = messenger.listen("127.0.0.1:0").await.unwrap();
    let mut sessions = tokio::task::JoinSet::new();
    for n in 0..8 {
        let phone = messenger.phone(&format!("+861380013800{n}"));
        let transport = match n % 2 {
            0 => messenger.transport(),
            _ => SimulatedTransport::remote(listener.address().to_string()),
        };
        sessions.spawn(async move {
            let seat = Seat::new(n, transport);
            let mut connection = seat.log_in(&phone).await;
            for _ in 0..50 {
                drop(connection);
                connection = seat.online().await;
            }
        });
    }
    sessions.join_all().await;
    let journal = messenger.journal();
    assert_eq!(journal.overlaps, []);
    assert_eq!(journal.connections.len(), 8 * 52);
}

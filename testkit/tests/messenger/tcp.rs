//! The same network over TCP, on real time.

use std::sync::Arc;
use std::time::Duration;

use seatport::SystemClock;
use seatport::lifecycle::ReasonKind;
use seatport::transport::{ConnectError, Signal};
use seatport_testkit::messenger::{Messenger, Settings, SimulatedTransport};
use tokio::time::timeout;

use crate::seat::{Seat, send, signal, stored, texts};

/// The paused-time tests cover the behaviour; this one, that the way over a socket is the same.
#[tokio::test]
async fn a_session_logs_in_talks_and_comes_back_over_tcp() {
    let messenger = Messenger::with_settings(7, Arc::new(SystemClock), Settings::default());
    let listener = messenger.listen("127.0.0.1:0").await.unwrap();
    let phone = messenger.phone("+8613800138000");
    let bob = messenger.person("bob");
    let seat = Seat::new(1, SimulatedTransport::remote(listener.address().to_string()));

    let mut connection = seat.log_in(&phone).await;
    bob.write(phone.address(), "你好\n\"quoted\"");
    assert_eq!(texts(&stored(&mut connection).await), ["你好\n\"quoted\""]);
    assert_eq!(send(&connection, bob.address(), "OUT1", "hello").await, Ok(()));
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

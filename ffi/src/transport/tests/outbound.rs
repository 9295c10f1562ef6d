use std::sync::Arc;
use std::time::Duration;

use seatport::conversation::Content as CoreContent;
use seatport::lifecycle::ReasonKind as CoreKind;
use seatport::transport::{Connection as CoreConnection, SendError, Signal, TransportCommand};
use tokio::sync::oneshot;

use super::double::{Host, LIMIT, Mood, Seat, rest, tell};
use crate::card::{Reason, ReasonKind};
use crate::conversation::Content;
use crate::transport::{ReadMessage, TransportError};

type Answer = oneshot::Receiver<Result<(), SendError>>;

async fn send(connection: &CoreConnection, id: &str) -> Answer {
    let (done, answer) = oneshot::channel();
    let (chat, id) = ("li@bulletin".parse().unwrap(), id.parse().unwrap());
    let content = CoreContent::Text("hello".to_owned());
    let quoted = Some("before".parse().unwrap());
    tell(connection, TransportCommand::Send { chat, id, content, quoted, done }).await;
    answer
}

#[tokio::test(start_paused = true)]
async fn messages_reach_the_host_whole_and_one_after_the_other() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let connection = seat.dial(&host.hosted()).await.unwrap();
    let answers = [send(&connection, "1").await, send(&connection, "2").await];
    for answer in answers {
        assert_eq!(answer.await.unwrap(), Ok(()));
    }
    let sent = host.sent.lock();
    assert_eq!(sent.iter().map(|message| message.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!((sent[0].chat.as_str(), sent[0].quoted.as_deref()), ("li@bulletin", Some("before")));
    assert!(matches!(&sent[0].content, Content::Text { text } if text == "hello"));
}

#[tokio::test(start_paused = true)]
async fn read_messages_are_named_with_their_senders() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let connection = seat.dial(&host.hosted()).await.unwrap();
    let (done, answer) = oneshot::channel();
    let messages = vec![("7".parse().unwrap(), "li@bulletin".parse().unwrap())];
    let chat = "li@bulletin".parse().unwrap();
    tell(&connection, TransportCommand::MarkRead { chat, messages, done }).await;
    assert_eq!(answer.await.unwrap(), Ok(()));
    let read = ReadMessage { id: "7".to_owned(), sender: "li@bulletin".to_owned() };
    assert_eq!(*host.read.lock(), [("li@bulletin".to_owned(), vec![read])]);
}

#[tokio::test(start_paused = true)]
async fn a_message_is_refused_or_put_off_as_the_host_says_and_a_fault_puts_it_off() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let connection = seat.dial(&host.hosted()).await.unwrap();
    let said = |problem: &str| problem.to_owned();
    let answer = async |mood| {
        *host.sending.lock() = mood;
        send(&connection, "1").await.await.unwrap().unwrap_err()
    };
    let refused = Mood::Failing(TransportError::Refused { problem: said("too long") });
    assert_eq!(answer(refused).await, SendError::Refused(said("too long")));
    let later = Mood::Failing(TransportError::Later { problem: said("busy") });
    assert_eq!(answer(later).await, SendError::Later(said("busy")));
    let thrown = uniffi::UnexpectedUniFFICallbackError::new("KeyError");
    let expected = SendError::Later(said("the transport failed: KeyError"));
    assert_eq!(answer(Mood::Failing(thrown.into())).await, expected);
    assert!(matches!(answer(Mood::Panicking).await, SendError::Later(_)));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_hangs_while_it_sends_loses_no_more_than_its_time() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let connection = seat.dial(&host.hosted()).await.unwrap();
    *host.sending.lock() = Mood::Hanging;
    let begin = tokio::time::Instant::now();
    let stuck = send(&connection, "1").await;
    host.until(|host| host.sent.lock().len() == 1).await;
    *host.sending.lock() = Mood::Willing;
    let next = send(&connection, "2").await;
    assert!(matches!(stuck.await.unwrap(), Err(SendError::Later(why)) if why.contains("send within 2s")));
    assert_eq!(begin.elapsed(), LIMIT);
    assert_eq!(host.given_up(), 1);
    assert_eq!(next.await.unwrap(), Ok(()), "the connection goes on");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_lost_while_it_sends_says_so_and_puts_the_message_off() {
    for (kind, rejected) in [(ReasonKind::ConnectionLost, false), (ReasonKind::Banned, true)] {
        let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
        let mut connection = seat.dial(&host.hosted()).await.unwrap();
        let reason = Reason { kind, code: Some("17".to_owned()), until: None };
        let error = if rejected { TransportError::Rejected { reason } } else { TransportError::Lost { reason } };
        *host.sending.lock() = Mood::Failing(error);
        let answer = send(&connection, "1").await;
        assert!(matches!(answer.await.unwrap(), Err(SendError::Later(_))));
        match &rest(&mut connection).await[..] {
            [Signal::Lost(reason)] if !rejected => assert_eq!(reason.code.as_deref(), Some("17")),
            [Signal::Rejected(reason)] if rejected => assert_eq!(reason.kind, CoreKind::Banned),
            other => panic!("{other:?}"),
        }
        assert_eq!(*host.ends.lock(), ["close", "drop"]);
    }
}

#[tokio::test(start_paused = true)]
async fn closing_does_not_wait_for_a_message_that_hangs() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let mut connection = seat.dial(&host.hosted()).await.unwrap();
    *host.sending.lock() = Mood::Hanging;
    let begin = tokio::time::Instant::now();
    let (stuck, waiting) = (send(&connection, "1").await, send(&connection, "2").await);
    host.until(|host| host.sent.lock().len() == 1).await;
    tell(&connection, TransportCommand::Close).await;
    assert!(stuck.await.is_err() && waiting.await.is_err(), "dropped: they count as put off");
    rest(&mut connection).await;
    assert_eq!((begin.elapsed(), host.given_up()), (Duration::ZERO, 1));
}

#[tokio::test(start_paused = true)]
async fn a_command_after_the_end_is_answered_at_once() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let mut connection = seat.dial(&host.hosted()).await.unwrap();
    *host.leaving.lock() = Mood::Hanging;
    tell(&connection, TransportCommand::Close).await;
    let begin = tokio::time::Instant::now();
    let answer = send(&connection, "1").await;
    assert!(answer.await.is_err(), "dropped: it counts as put off");
    assert!(begin.elapsed().is_zero(), "although the host still closes");
    rest(&mut connection).await;
    assert!(connection.commands.is_closed());
    assert!(host.sent.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_dropped_is_closed_and_let_go_of() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let connection = seat.dial(&host.hosted()).await.unwrap();
    *host.sending.lock() = Mood::Hanging;
    let _stuck = send(&connection, "1").await;
    host.until(|host| host.sent.lock().len() == 1).await;
    // Whoever still could tell it something does not keep it.
    let commands = connection.commands.clone();
    drop(connection);
    commands.closed().await;
    host.until(|host| host.ends.lock().len() == 2).await;
    assert_eq!(*host.ends.lock(), ["close", "drop"]);
    assert_eq!(host.given_up(), 1, "what it was doing was given up");
    assert!(matches!(host.dial().signals.alive().await, Err(TransportError::Ended { .. })));
}

#[tokio::test(start_paused = true)]
async fn connections_of_two_sessions_do_not_mix() {
    let (host, seats) = (Arc::new(Host::default()), [Seat::new(1), Seat::new(2)]);
    let transport = host.hosted();
    let mut connections = Vec::new();
    for seat in &seats {
        connections.push(seat.dial(&transport).await.unwrap());
    }
    let dials = host.dials.lock().clone();
    dials[1].signals.alive().await.unwrap();
    dials[0].signals.login_expired().await.unwrap();
    assert!(matches!(rest(&mut connections[0]).await[..], [Signal::LoginExpired]));
    assert!(matches!(connections[1].signals.recv().await, Some(Signal::Alive)));
    dials[0].vault.put("name".to_owned(), vec![0]).await.unwrap();
    assert_eq!(dials[1].vault.get("name".to_owned()).await.unwrap(), None);
    assert_eq!(send(&connections[1], "1").await.await.unwrap(), Ok(()), "the other one goes on");
}

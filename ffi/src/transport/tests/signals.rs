use std::sync::Arc;
use std::time::{Duration, SystemTime};

use seatport::lifecycle::ReasonKind as CoreKind;
use seatport::transport::{Signal, TransportCommand};

use super::double::{Host, LIMIT, Mood, Seat, me, rest, tell};
use crate::card::{Account, Reason, ReasonKind};
use crate::card::{ChallengeKind, LoginChallenge};
use crate::conversation::{ChatKind, Content, History, InboundMessage, MessageStatus};
use crate::secret::Secret;
use crate::transport::TransportError;

fn message(id: &str) -> InboundMessage {
    InboundMessage {
        chat: "li@bulletin".to_owned(),
        kind: ChatKind::Person,
        id: id.to_owned(),
        sender: "li@bulletin".to_owned(),
        content: Content::Text { text: "hello".to_owned() },
        at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        from_account: false,
        phone: None,
        sender_name: None,
        quoted: None,
    }
}

fn lost() -> Reason {
    Reason { kind: ReasonKind::ConnectionLost, code: Some("reset".to_owned()), until: None }
}

#[tokio::test(start_paused = true)]
async fn what_the_host_tells_arrives_in_order() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let mut connection = seat.dial(&host.hosted()).await.unwrap();
    let signals = host.dial().signals;
    let challenge = LoginChallenge {
        kind: ChallengeKind::Qr,
        code: Secret::new("2@abc".to_owned()),
        sequence: 1,
        expires_at: SystemTime::UNIX_EPOCH + Duration::from_secs(60),
    };
    signals.challenge(challenge).await.unwrap();
    signals.paired(me(), false).await.unwrap();
    signals.ready(me()).await.unwrap();
    signals.status("li@bulletin".to_owned(), vec!["1".to_owned()], MessageStatus::Read).await.unwrap();
    signals.read("li@bulletin".to_owned(), None).await.unwrap();
    signals.alive().await.unwrap();

    let mut heard = Vec::new();
    for _ in 0..6 {
        heard.push(connection.signals.recv().await.unwrap());
    }
    assert!(matches!(&heard[0], Signal::Challenge(code) if code.code.expose() == "2@abc" && code.sequence == 1));
    assert!(
        matches!(&heard[1], Signal::Paired { account, redial: false } if account.address.as_str() == "me@bulletin")
    );
    assert!(matches!(&heard[2], Signal::Ready { account } if account.phone.as_deref() == Some("8613800138000")));
    assert!(matches!(&heard[3], Signal::Status { ids, .. } if ids.len() == 1));
    assert!(matches!(&heard[4], Signal::Read { up_to: None, .. }));
    assert!(matches!(&heard[5], Signal::Alive));
}

#[tokio::test(start_paused = true)]
async fn messages_are_answered_once_they_are_stored_and_not_before() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let mut connection = seat.dial(&host.hosted()).await.unwrap();
    let signals = host.dial().signals;
    let telling = tokio::spawn(async move { signals.messages(vec![message("1"), message("2")]).await });
    let Some(Signal::Messages { messages, ack }) = connection.signals.recv().await else { panic!("no messages") };
    assert_eq!(messages.iter().map(|message| message.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(!telling.is_finished(), "nothing is stored yet");
    ack.stored();
    telling.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn messages_that_are_not_stored_are_answered_with_an_error() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let mut connection = seat.dial(&host.hosted()).await.unwrap();
    let signals = host.dial().signals;
    let telling = signals.clone();
    let telling = tokio::spawn(async move { telling.history(History::default()).await });
    drop(connection.signals.recv().await.unwrap());
    assert!(matches!(telling.await.unwrap(), Err(TransportError::NotStored { .. })));

    let telling = tokio::spawn(async move { signals.amendments(Vec::new()).await });
    let unheard = connection.signals.recv().await.unwrap();
    drop(connection);
    host.until(|host| host.ends.lock().len() == 2).await;
    drop(unheard);
    assert!(matches!(telling.await.unwrap(), Err(TransportError::Ended { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_tells_faster_than_seatport_hears_waits_and_loses_nothing() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let mut connection = seat.dial(&host.hosted()).await.unwrap();
    let signals = host.dial().signals;
    let telling = tokio::spawn(async move {
        for count in 1..=500 {
            signals.status("li@bulletin".to_owned(), vec![count.to_string()], MessageStatus::Sent).await?;
        }
        signals.lost(lost()).await
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!telling.is_finished(), "it waits");
    let heard = rest(&mut connection).await;
    telling.await.unwrap().unwrap();
    let ids: Vec<_> = heard
        .iter()
        .filter_map(|signal| match signal {
            Signal::Status { ids, .. } => Some(ids[0].as_str().to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(ids, (1..=500).map(|count| count.to_string()).collect::<Vec<_>>());
    assert!(matches!(heard.last(), Some(Signal::Lost(_))));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_makes_no_sense_is_refused_and_nothing_is_told() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let mut connection = seat.dial(&host.hosted()).await.unwrap();
    let signals = host.dial().signals;
    let refused = signals.messages(vec![message("1"), message("")]).await.unwrap_err();
    assert!(matches!(&refused, TransportError::Invalid { problem } if problem.contains("message id")), "{refused}");
    let nobody = Account { address: "a\nb".to_owned(), ..me() };
    assert!(matches!(signals.ready(nobody).await, Err(TransportError::Invalid { .. })));
    signals.alive().await.unwrap();
    assert!(matches!(connection.signals.recv().await, Some(Signal::Alive)));
}

#[tokio::test(start_paused = true)]
async fn the_last_word_of_a_connection_ends_it() {
    for word in 0..4 {
        let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
        let mut connection = seat.dial(&host.hosted()).await.unwrap();
        let signals = host.dial().signals;
        match word {
            0 => signals.lost(lost()).await,
            1 => signals.rejected(Reason { kind: ReasonKind::LoggedOut, ..lost() }).await,
            2 => signals.login_expired().await,
            _ => signals.paired(me(), true).await,
        }
        .unwrap();
        let heard = rest(&mut connection).await;
        assert_eq!(heard.len(), 1, "{heard:?}");
        match &heard[0] {
            Signal::Lost(reason) => assert_eq!(reason.code.as_deref(), Some("reset")),
            Signal::Rejected(reason) => assert_eq!(reason.kind, CoreKind::LoggedOut),
            Signal::LoginExpired | Signal::Paired { redial: true, .. } => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(*host.ends.lock(), ["close", "drop"], "the host is told once");
        assert!(matches!(signals.alive().await, Err(TransportError::Ended { .. })));
    }
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_lets_go_of_its_signals_has_lost_the_connection() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let mut connection = seat.dial(&host.hosted()).await.unwrap();
    host.dials.lock().clear();
    let heard = rest(&mut connection).await;
    assert!(matches!(&heard[..], [Signal::Lost(reason)] if reason.kind == CoreKind::ConnectionLost));
}

#[tokio::test(start_paused = true)]
async fn closing_ends_the_signals_once_the_host_has_closed_or_used_up_its_time() {
    for mood in [Mood::Willing, Mood::Panicking, Mood::Hanging] {
        let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
        let mut connection = seat.dial(&host.hosted()).await.unwrap();
        let hangs = matches!(mood, Mood::Hanging);
        *host.leaving.lock() = mood;
        let begin = tokio::time::Instant::now();
        tell(&connection, TransportCommand::LogOut).await;
        assert!(rest(&mut connection).await.is_empty());
        assert_eq!(begin.elapsed(), if hangs { LIMIT * 2 } else { Duration::ZERO });
        assert_eq!(*host.ends.lock(), ["log_out", "close", "drop"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_closes_while_it_waits_for_storage_is_not_stuck() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let mut connection = seat.dial(&host.hosted()).await.unwrap();
    let signals = host.dial().signals;
    // More than fits anywhere on the way, and nobody hears it.
    let telling = tokio::spawn(async move {
        loop {
            if let Err(error) = signals.alive().await {
                return error;
            }
        }
    });
    *host.leaving.lock() = Mood::Hanging;
    tell(&connection, TransportCommand::Close).await;
    assert!(matches!(telling.await.unwrap(), TransportError::Ended { .. }), "although close has not come back");
    rest(&mut connection).await;
}

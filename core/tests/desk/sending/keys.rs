//! Once for each key.

use std::sync::Barrier;

use seatport::conversation::MessageStatus;
use seatport::{Error, Page};

use super::{bob, handed_over, once, until};
use crate::office;
use crate::scripted::{Dial, Scripted, address, online};

#[tokio::test(start_paused = true)]
async fn the_same_key_sends_once_and_only_the_same_message() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let (session, mut line) = online(&desk, &mut lines).await;
    let first = desk.send_text(session, &bob(), "your order", once("17")).await.unwrap();
    handed_over(&mut line).await.2.send(Ok(())).unwrap();
    until(&desk, session, &first, MessageStatus::Sent).await;
    let lines_before = desk.audit(0, 1000).await.unwrap().len();
    assert_eq!(desk.send_text(session, &bob(), "your order", once("17")).await.unwrap(), first);
    assert_eq!(desk.audit(0, 1000).await.unwrap().len(), lines_before, "nothing was done");
    for (chat, text) in [("bob", "another order"), ("ada", "your order")] {
        match desk.send_text(session, &address(chat), text, once("17")).await {
            Err(Error::KeyReused { key, message }) => assert_eq!((key.as_str(), message), ("17", first.clone())),
            other => panic!("{chat}: {other:?}"),
        }
    }
    let other = desk.send_text(session, &bob(), "your order", once("18")).await.unwrap();
    assert_ne!(other, first);
    desk.stop(session).await.unwrap();
    let again = desk.send_text(session, &bob(), "your order", once("17")).await;
    assert_eq!(again.unwrap(), first, "what was sent before needs nothing to be sent");
    assert!(matches!(desk.send_text(session, &bob(), "new", once("19")).await, Err(Error::NotSending { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_that_race_with_one_key_send_one_message() {
    let (mut transport, mut lines) = Scripted::new(Dial::Answers);
    // Both have found the key unused when they meet here.
    transport.meet = Some(Barrier::new(2));
    let (_seatport, desk) = office(transport, 1).await;
    let (session, _line) = online(&desk, &mut lines).await;
    let both = async |key: &'static str, texts: [&'static str; 2]| {
        let [one, other] = texts.map(|text| {
            let desk = desk.clone();
            tokio::spawn(async move { desk.send_text(session, &bob(), text, once(key)).await })
        });
        (one.await.unwrap(), other.await.unwrap())
    };
    let (one, other) = both("17", ["your order", "your order"]).await;
    assert_eq!(one.unwrap(), other.unwrap());
    match both("18", ["your order", "another order"]).await {
        (Ok(sent), Err(Error::KeyReused { message, .. })) | (Err(Error::KeyReused { message, .. }), Ok(sent)) => {
            assert_eq!(sent, message);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(desk.messages(session, &bob(), Page::first(1000)).await.unwrap().len(), 2);
}

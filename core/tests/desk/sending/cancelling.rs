//! Not at all, if it was cancelled in time.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use seatport::conversation::{MessageStatus, SendFailure};
use seatport::memory::MemoryStorage;
use seatport::storage::{Expect, MessageUpdate, SessionCommit, SessionStore};
use seatport::transport::{Ack, SendError, Signal};
use seatport::{Agent, AgentId, Clock, Error, Role, Seatport, SystemClock, Timestamp};

use super::{bob, handed_over, plainly, stored, until};
use crate::office;
use crate::scripted::{Dial, Scripted, from, id, online};

#[tokio::test(start_paused = true)]
async fn a_message_that_is_cancelled_before_its_turn_is_never_handed_over() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let (session, mut line) = online(&desk, &mut lines).await;
    let first = desk.send_text(session, &bob(), "one", plainly()).await.unwrap();
    let second = desk.send_text(session, &bob(), "two", plainly()).await.unwrap();
    let third = desk.send_text(session, &bob(), "three", plainly()).await.unwrap();
    handed_over(&mut line).await.2.send(Ok(())).unwrap();
    until(&desk, session, &first, MessageStatus::Sent).await;
    desk.cancel_send(session, &bob(), &second).await.unwrap();
    desk.cancel_send(session, &bob(), &second).await.unwrap();
    let found = stored(&desk, session, &second).await;
    assert_eq!((found.message.status, found.failure), (MessageStatus::Failed, Some(SendFailure::Cancelled)));
    let (handed, _, done) = handed_over(&mut line).await;
    assert_eq!(handed, third, "the second one is passed over");
    done.send(Err(SendError::Refused("no such number".to_owned()))).unwrap();
    until(&desk, session, &third, MessageStatus::Failed).await;
    for (late, status) in [(&first, MessageStatus::Sent), (&third, MessageStatus::Failed)] {
        match desk.cancel_send(session, &bob(), late).await {
            Err(Error::AlreadySent { message, status: found }) => assert_eq!((&message, found), (late, status)),
            other => panic!("{other:?}"),
        }
    }
    let nothing = desk.cancel_send(session, &bob(), &id("nothing")).await;
    assert!(matches!(nothing, Err(Error::UnknownMessage(_))), "{nothing:?}");
    let (ack, stored) = Ack::new();
    line.signals.send(Signal::Messages { messages: vec![from("bob", "theirs")], ack }).await.unwrap();
    stored.await.unwrap();
    let theirs = desk.cancel_send(session, &bob(), &id("theirs")).await;
    assert!(matches!(theirs, Err(Error::AlreadySent { .. })), "{theirs:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_cancelled_while_it_is_handed_over_may_still_turn_out_to_be_sent() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let (session, mut line) = online(&desk, &mut lines).await;
    let message = desk.send_text(session, &bob(), "one", plainly()).await.unwrap();
    let (_, _, done) = handed_over(&mut line).await;
    desk.cancel_send(session, &bob(), &message).await.unwrap();
    assert_eq!(stored(&desk, session, &message).await.message.status, MessageStatus::Failed);
    done.send(Ok(())).unwrap();
    assert_eq!(until(&desk, session, &message, MessageStatus::Sent).await.failure, None);

    let message = desk.send_text(session, &bob(), "two", plainly()).await.unwrap();
    let (_, _, done) = handed_over(&mut line).await;
    desk.cancel_send(session, &bob(), &message).await.unwrap();
    done.send(Err(SendError::Later("not now".to_owned()))).unwrap();
    let more = tokio::time::timeout(Duration::from_secs(30), line.commands.recv()).await;
    assert!(more.is_err(), "it is not tried again: {more:?}");
}

/// A clock that lets something happen, once, when somebody looks at it.
#[derive(Clone, Default)]
struct Interrupting(Arc<Mutex<Option<Happening>>>);

type Happening = Box<dyn FnOnce() + Send>;

impl std::fmt::Debug for Interrupting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interrupting")
    }
}

impl Clock for Interrupting {
    fn now(&self) -> Timestamp {
        if let Some(happens) = self.0.lock().unwrap().take() {
            happens();
        }
        SystemClock.now()
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_sent_while_somebody_cancels_it_is_not_said_to_be_cancelled() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (storage, clock) = (MemoryStorage::new(), Interrupting::default());
    let builder = Seatport::builder().storage(storage.clone()).transport(transport).clock(clock.clone());
    let seatport = builder.build().await.unwrap();
    seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
    let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    let (session, mut line) = online(&desk, &mut lines).await;
    let message = desk.send_text(session, &bob(), "one", plainly()).await.unwrap();
    let (_, _, _done) = handed_over(&mut line).await;
    let (chat, id, status) = (bob(), message.clone(), MessageStatus::Sent);
    *clock.0.lock().unwrap() = Some(Box::new(move || {
        let mut commit = SessionCommit::new(session, SystemClock.now(), Expect::Present);
        commit.updates.push(MessageUpdate { chat, id, status, failure: None });
        // This storage never waits.
        let landed = pin!(storage.commit(commit)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(landed, Poll::Ready(Ok(_))));
    }));
    let late = desk.cancel_send(session, &bob(), &message).await;
    assert!(matches!(late, Err(Error::AlreadySent { status: MessageStatus::Sent, .. })), "{late:?}");
}

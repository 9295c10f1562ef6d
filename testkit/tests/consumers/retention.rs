//! What is trimmed when, and what those who follow the feed are told.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use seatport::memory::MemoryStorage;
use seatport::storage::{Deletion, EventStore, Storage, StorageError};
use seatport::{
    Action, AgentId, AgentScope, AuditEntry, Cursors, Error, Event, EventStream, Outcome, Retention, SessionId,
    Timestamp,
};
use seatport_testkit::storage::{Answer, Call, Fault, Faults, Faulty, Intercept, Intercepted};
use tokio::time::{sleep, timeout};

use crate::{MINUTE, Office, from_to, newest, numbers, ten_minutes};

/// Until nothing more comes.
async fn rest(stream: &mut EventStream) -> Vec<Result<Event, Error>> {
    let mut answers = Vec::new();
    while let Ok(answer) = timeout(Duration::from_millis(1), stream.next()).await {
        answers.push(answer);
    }
    answers
}

#[tokio::test(start_paused = true)]
async fn events_that_are_too_old_go_from_time_to_time_and_the_newest_stay() {
    let office = Office::keeping(ten_minutes()).await;
    let session = office.session(10).await;
    sleep(9 * MINUTE).await;
    office.happens(session, 5).await;
    assert_eq!(office.trimmed(session).await, 0, "ten minutes are not over");
    sleep(3 * MINUTE).await;
    assert_eq!(office.trimmed(session).await, 10);
    sleep(20 * MINUTE).await;
    assert_eq!(office.trimmed(session).await, 15);
    assert_eq!(office.mei.cursors().await.unwrap().after(session), 15, "the numbers go on");

    // By number; more than one call's worth, in more than one session.
    let office = Office::keeping(newest(7)).await;
    let sessions = [office.session(2500).await, office.session(8).await, office.session(7).await];
    sleep(2 * MINUTE).await;
    let trimmed =
        [office.trimmed(sessions[0]).await, office.trimmed(sessions[1]).await, office.trimmed(sessions[2]).await];
    assert_eq!(trimmed, [2493, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn without_a_retention_everything_stays() {
    let office = Office::keeping(Retention::default()).await;
    let session = office.session(10).await;
    sleep(100 * MINUTE).await;
    assert_eq!(office.trimmed(session).await, 0);
}

#[tokio::test(start_paused = true)]
async fn who_comes_too_late_is_told_once_and_goes_on_behind_the_gap() {
    let office = Office::keeping(newest(5)).await;
    let (gone, whole) = (office.session(20).await, office.session(5).await);
    sleep(2 * MINUTE).await;
    let mut feed = office.mei.events(Cursors([(gone, 3)].into())).await.unwrap();
    let answers = rest(&mut feed).await;
    let (errors, events): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_err);
    let events: Vec<_> = events.into_iter().map(Result::unwrap).collect();
    match &errors[..] {
        [Err(error @ Error::EventsTrimmed { session, after: 3, kept_from: 16 })] => {
            assert_eq!(*session, gone);
            assert!(
                error.to_string().starts_with(&format!("events 4 to 15 of session {gone} were trimmed")),
                "{error}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(numbers(&events, gone), from_to(16, 20));
    assert_eq!(numbers(&events, whole), from_to(1, 5), "nothing else is lost");
    assert_eq!(feed.cursors(), &Cursors([(gone, 20), (whole, 5)].into()));
}

#[tokio::test(start_paused = true)]
async fn who_is_overtaken_by_trimming_is_told_even_if_nothing_is_left() {
    let office = Office::keeping(ten_minutes()).await;
    let session = office.session(1000).await;
    let mut feed = office.mei.events(Cursors::default()).await.unwrap();
    assert_eq!(feed.next_batch(300).await.unwrap().len(), 256, "what was read at once");
    sleep(20 * MINUTE).await;
    assert!(matches!(feed.next().await, Err(Error::EventsTrimmed { after: 256, kept_from: 1001, .. })));
    assert_eq!(feed.cursors().after(session), 1000);
    office.happens(session, 1).await;
    assert_eq!(feed.next().await.unwrap().seq, 1001);
    // Who had read everything has missed nothing.
    sleep(20 * MINUTE).await;
    office.happens(session, 1).await;
    assert_eq!(feed.next().await.unwrap().seq, 1002);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_session_is_not_taken_for_a_trimmed_one() {
    let office = Office::keeping(Retention::default()).await;
    let (deleted, stays) = (office.session(300).await, office.session(3).await);
    let mut feed = office.mei.events(Cursors::default()).await.unwrap();
    assert_eq!(feed.next_batch(1000).await.unwrap().len(), 256);
    office.mei.delete(deleted).await.unwrap();
    let events: Vec<_> = rest(&mut feed).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(numbers(&events, stays), from_to(1, 3));
    assert_eq!(feed.cursors(), &Cursors([(stays, 3)].into()));
}

/// Deletes a session at the moment when its events are read.
#[derive(Debug, Default)]
struct Deletes(Mutex<Option<SessionId>>);

#[async_trait]
impl Intercept for Deletes {
    async fn call(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        let doomed = match &call {
            Call::Events(session, ..) => self.0.lock().take_if(|doomed| doomed == session),
            _ => None,
        };
        if let Some(session) = doomed {
            let revision = storage.session(session).await?.unwrap().revision;
            let (at, agent) = (Timestamp::from_millis(0), AgentId::new("mei").unwrap());
            let line = AuditEntry { at, agent, action: Action::Delete, session: Some(session), outcome: Outcome::Done };
            storage.delete(session, revision, Deletion::Delete, line).await?;
        }
        call.send(storage).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_deleted_while_its_events_are_read_is_not_taken_for_a_trimmed_one() {
    let storage = Arc::new(Intercepted::new(Arc::new(MemoryStorage::new()), Deletes::default()));
    let office = Office::open(storage.clone(), Retention::default(), AgentScope::All).await;
    let (doomed, stays) = (office.session(5).await, office.session(3).await);
    *storage.layer().0.lock() = Some(doomed);
    let mut feed = office.mei.events(Cursors([(doomed, 2)].into())).await.unwrap();
    let events: Vec<_> = rest(&mut feed).await.into_iter().map(Result::unwrap).collect();
    assert_eq!((events.len(), numbers(&events, stays)), (3, from_to(1, 3)));
    assert_eq!(feed.cursors(), &Cursors([(stays, 3)].into()));
}

#[tokio::test(start_paused = true)]
async fn trimming_that_fails_is_tried_again_and_ends_with_the_node() {
    let storage = Arc::new(MemoryStorage::new());
    let mut failures = 3;
    let faults = Faults::scripted(move |call| match call {
        Call::TrimEvents(..) if failures > 0 => {
            failures -= 1;
            Fault::FailBefore
        }
        _ => Fault::None,
    });
    let office = Office::open(Arc::new(Faulty::new(storage.clone(), faults)), newest(1), AgentScope::All).await;
    let session = office.session(10).await;
    sleep(MINUTE + MINUTE / 2).await;
    assert_eq!(office.trimmed(session).await, 9, "not a minute later each time");

    office.happens(session, 5).await;
    office.seatport.shutdown(Duration::from_secs(1)).await;
    sleep(10 * MINUTE).await;
    let reopened = storage.reopen();
    assert_eq!(reopened.event_heads(None, 10).await.unwrap()[0].trimmed, 9);
}

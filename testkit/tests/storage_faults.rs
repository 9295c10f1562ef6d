//! Faults do what they say, and a layer that changes nothing changes nothing.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use seatport::memory::MemoryStorage;
use seatport::storage::{AuditStore, Storage, StorageError, StorageErrorKind};
use seatport::{Action, AgentId, AuditEntry, Outcome, Random, Retry, Timestamp};
use seatport_testkit::storage::{Backend, Call, Fault, Faults, Faulty, Memory, Odds};
use tokio::time::Instant;

/// The reference storage behind a layer without faults: forwarding is held to the suite as well.
mod forwarded {
    use super::*;

    #[derive(Default)]
    struct Forwarded(Memory);

    #[async_trait(?Send)]
    impl Backend for Forwarded {
        async fn open(&mut self) -> Arc<dyn Storage> {
            Arc::new(Faulty::new(self.0.open().await, Faults::scripted(|_| Fault::None)))
        }
    }

    seatport_testkit::storage_suite!(Forwarded::default());
}

fn line() -> AuditEntry {
    AuditEntry {
        at: Timestamp::from_millis(0),
        agent: AgentId::new("mei").unwrap(),
        action: Action::View,
        session: None,
        outcome: Outcome::Done,
    }
}

/// A storage whose writes meet these faults in turn, and then no more; and what it writes to.
fn faulty<const N: usize>(faults: [Fault; N]) -> (Faulty, MemoryStorage) {
    let memory = MemoryStorage::new();
    let mut faults = faults.into_iter();
    let plan = move |call: &Call<'_>| if call.reads_only() { None } else { faults.next() }.unwrap_or(Fault::None);
    (Faulty::new(Arc::new(memory.clone()), Faults::scripted(plan)), memory)
}

async fn lines(storage: &dyn Storage) -> usize {
    storage.audit(0, 1000).await.unwrap().len()
}

fn kind<T: std::fmt::Debug>(answer: Result<T, StorageError>) -> StorageErrorKind {
    answer.unwrap_err().kind()
}

#[tokio::test(start_paused = true)]
async fn a_delayed_call_succeeds_later() {
    let (faulty, memory) = faulty([Fault::Delay(Duration::from_secs(3))]);
    let begun = Instant::now();
    faulty.record(line()).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
    assert_eq!(lines(&memory).await, 1);
}

#[tokio::test]
async fn a_call_that_fails_before_has_written_nothing() {
    let (faulty, memory) = faulty([Fault::FailBefore]);
    let error = faulty.record(line()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (StorageErrorKind::Busy, Retry::Later));
    assert_eq!(lines(&memory).await, 0);
    faulty.record(line()).await.unwrap();
    assert_eq!(lines(&memory).await, 1);
}

#[tokio::test]
async fn a_call_that_fails_after_has_written_everything() {
    let (faulty, memory) = faulty([Fault::FailAfter]);
    assert_eq!(kind(faulty.record(line()).await), StorageErrorKind::Busy);
    assert_eq!(lines(&memory).await, 1);
}

#[tokio::test]
async fn after_a_crash_everything_is_closed_until_it_is_opened_again() {
    for (fault, written) in [(Fault::CrashBefore, 1), (Fault::CrashAfter, 2)] {
        let (faulty, memory) = faulty([Fault::None, fault]);
        faulty.record(line()).await.unwrap();
        let alive = tokio::time::timeout(Duration::from_millis(1), faulty.layer().crashed()).await;
        assert!(alive.is_err(), "nothing has crashed yet");

        assert_eq!(kind(faulty.record(line()).await), StorageErrorKind::Closed);
        faulty.layer().crashed().await;
        assert_eq!(kind(faulty.record(line()).await), StorageErrorKind::Closed);
        assert_eq!(kind(faulty.audit(0, 9).await), StorageErrorKind::Closed);
        assert_eq!(lines(&memory.reopen()).await, written, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_reaches_calls_that_are_under_way() {
    let (faulty, memory) = faulty([Fault::Delay(Duration::from_secs(3)), Fault::CrashBefore]);
    let (slow, crash) = tokio::join!(faulty.record(line()), faulty.record(line()));
    assert_eq!((kind(slow), kind(crash)), (StorageErrorKind::Closed, StorageErrorKind::Closed));
    assert_eq!(lines(&memory).await, 0, "the slow call had not written yet");
}

#[tokio::test(start_paused = true)]
async fn a_seed_repeats_its_faults() {
    let odds = Odds {
        delay: 100,
        longest_delay: Duration::from_secs(1),
        fail_before: 100,
        fail_after: 100,
        ..Odds::default()
    };
    let run = async |seed| {
        let memory = MemoryStorage::new();
        let faulty = Faulty::new(Arc::new(memory.clone()), Faults::seeded(Random::seeded(seed), odds));
        let begun = Instant::now();
        let mut failed = Vec::new();
        for call in 0..200 {
            if faulty.record(line()).await.is_err() {
                failed.push(call);
            }
        }
        (failed, begun.elapsed(), lines(&memory).await)
    };
    let (failed, delayed, written) = run(7).await;
    assert_eq!(run(7).await, (failed.clone(), delayed, written));
    assert_ne!(run(8).await, (failed.clone(), delayed, written));
    assert!((20..=60).contains(&failed.len()), "about a fifth: {failed:?}");
    assert!(!delayed.is_zero());
    assert!((200 - failed.len()..200).contains(&written), "some failed before, some after: {written}");

    let deadly = Faults::seeded(Random::seeded(7), Odds { crash_before: 500, crash_after: 500, ..Odds::default() });
    let faulty = Faulty::new(Arc::new(MemoryStorage::new()), deadly);
    assert_eq!(kind(faulty.record(line()).await), StorageErrorKind::Closed);
}

//! Storages that delay, fail and crash on purpose.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use seatport::Random;
use seatport::storage::{Storage, StorageError, StorageErrorKind};
use tokio::sync::watch;

use super::{Answer, Call, Intercept, Intercepted};

/// A storage with [`Faults`].
///
/// ```
/// use std::sync::Arc;
/// use seatport::memory::MemoryStorage;
/// use seatport::storage::{StorageErrorKind, VaultStore};
/// use seatport_testkit::storage::{Call, Fault, Faults, Faulty};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let memory = MemoryStorage::new();
/// let faulty = Faulty::new(Arc::new(memory.clone()), Faults::scripted(|call| match call {
///     Call::SetKeyCheck(_) => Fault::CrashAfter,
///     _ => Fault::None,
/// }));
/// let error = faulty.set_key_check(vec![7]).await.unwrap_err();
/// assert_eq!(error.kind(), StorageErrorKind::Closed);
///
/// faulty.layer().crashed().await; // time to drop whatever used it, and to build it again
/// assert_eq!(memory.reopen().key_check().await?, Some(vec![7]));
/// # Ok(())
/// # }
/// ```
pub type Faulty = Intercepted<Faults>;

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It takes this much longer, and then succeeds.
    Delay(Duration),
    /// It answers [`StorageErrorKind::Busy`], and nothing was written.
    FailBefore,
    /// It answers [`StorageErrorKind::Busy`], although everything was written.
    FailAfter,
    /// The process dies before anything is written.
    CrashBefore,
    /// The process dies after everything was written, before it learns so.
    CrashAfter,
}

/// How many of a thousand calls go wrong, and how. The sum is at most 1000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Odds {
    /// How many are delayed.
    pub delay: u64,
    /// By how much at most.
    pub longest_delay: Duration,
    /// How many fail with nothing written.
    pub fail_before: u64,
    /// How many fail with everything written.
    pub fail_after: u64,
    /// How many kill the process with nothing written.
    pub crash_before: u64,
    /// How many kill the process with everything written.
    pub crash_after: u64,
}

impl Odds {
    /// Draws what happens to the next call.
    fn draw(&self, random: &Random) -> Fault {
        let mut left = random.below(1000);
        let outcomes = [
            (self.delay, Fault::Delay(random.up_to(self.longest_delay))),
            (self.fail_before, Fault::FailBefore),
            (self.fail_after, Fault::FailAfter),
            (self.crash_before, Fault::CrashBefore),
            (self.crash_after, Fault::CrashAfter),
        ];
        for (odds, fault) in outcomes {
            match left.checked_sub(odds) {
                None => return fault,
                Some(rest) => left = rest,
            }
        }
        Fault::None
    }
}

type Plan = Box<dyn FnMut(&Call<'_>) -> Fault + Send>;

/// Decides for every call what goes wrong with it.
///
/// After a crash every call answers [`StorageErrorKind::Closed`], those under way included: a dead process learns nothing.
pub struct Faults {
    plan: Mutex<Plan>,
    crashed: watch::Sender<bool>,
}

impl Faults {
    /// What goes wrong is up to `plan`, which is asked for each call.
    pub fn scripted(plan: impl FnMut(&Call<'_>) -> Fault + Send + 'static) -> Self {
        Self { plan: Mutex::new(Box::new(plan)), crashed: watch::Sender::new(false) }
    }

    /// What goes wrong is drawn from `random`: the same seed and the same calls give the same faults.
    #[must_use]
    pub fn seeded(random: Random, odds: Odds) -> Self {
        Self::scripted(move |_| odds.draw(&random))
    }

    /// Waits until the process has crashed.
    pub async fn crashed(&self) {
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.crashed.subscribe().wait_for(|crashed| *crashed).await;
    }

    /// Whether the process has crashed.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        *self.crashed.borrow()
    }

    /// Kills the process now.
    pub fn crash(&self) {
        self.crashed.send_replace(true);
    }

    fn check_alive(&self) -> Result<(), StorageError> {
        if *self.crashed.borrow() {
            let message = "the process that had it open has crashed, on purpose; open it again";
            return Err(StorageError::new(StorageErrorKind::Closed, message));
        }
        Ok(())
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("crashed", &*self.crashed.borrow()).finish_non_exhaustive()
    }
}

fn failed(when: &str) -> StorageError {
    StorageError::new(StorageErrorKind::Busy, format!("failed on purpose, {when}; try again"))
}

#[async_trait]
impl Intercept for Faults {
    async fn call(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        self.check_alive()?;
        let fault = (self.plan.lock())(&call);
        match fault {
            Fault::Delay(time) => tokio::time::sleep(time).await,
            Fault::FailBefore => return Err(failed("before anything was written")),
            Fault::CrashBefore => self.crash(),
            Fault::None | Fault::FailAfter | Fault::CrashAfter => {}
        }
        self.check_alive()?;
        let answer = call.send(storage).await;
        if fault == Fault::CrashAfter {
            self.crash();
        }
        self.check_alive()?;
        match fault {
            Fault::FailAfter => answer.and(Err(failed("after everything was written"))),
            _ => answer,
        }
    }
}

//! A storage whose calls go wrong as the test says. Unlike a [`Faulty`](seatport_testkit::storage::Faulty) one it takes a new
//! plan while a node runs on it, delays an answer as well as a call, and fails in any way there is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use seatport::memory::MemoryStorage;
use seatport::storage::{Storage, StorageError, StorageErrorKind};
use seatport_testkit::storage::{Answer, Call, Intercept, Intercepted};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tamper {
    Nothing,
    /// It reaches the storage this much later.
    DelayCall(Duration),
    /// It reaches the storage at once, and its answer comes this much later.
    DelayAnswer(Duration),
    /// It never reaches the storage and is never answered.
    Hang,
    /// It never reaches the storage and fails like this.
    Fail(StorageErrorKind),
    /// It is done, and fails like this.
    FailThoughDone(StorageErrorKind),
}

type Plan = Box<dyn FnMut(&Call<'_>) -> Tamper + Send>;

pub(crate) struct Layer {
    plan: Mutex<Plan>,
    tampered: Notify,
}

pub(crate) type Tampered = Intercepted<Layer>;

/// This storage, with a plan that is asked about each call.
pub(crate) fn tampered(
    memory: &MemoryStorage,
    plan: impl FnMut(&Call<'_>) -> Tamper + Send + 'static,
) -> Arc<Tampered> {
    let layer = Layer { plan: Mutex::new(Box::new(plan)), tampered: Notify::new() };
    Arc::new(Intercepted::new(Arc::new(memory.clone()), layer))
}

/// A plan in which all goes well.
pub(crate) fn nothing(_: &Call<'_>) -> Tamper {
    Tamper::Nothing
}

/// A plan in which this happens to all such calls.
pub(crate) fn always(such: impl Fn(&Call<'_>) -> bool, tamper: Tamper) -> impl FnMut(&Call<'_>) -> Tamper {
    times(usize::MAX, such, tamper)
}

/// A plan in which this happens to the first such call.
pub(crate) fn once(such: impl Fn(&Call<'_>) -> bool, tamper: Tamper) -> impl FnMut(&Call<'_>) -> Tamper {
    times(1, such, tamper)
}

/// A plan in which this happens to so many such calls.
pub(crate) fn times(
    mut left: usize,
    such: impl Fn(&Call<'_>) -> bool,
    tamper: Tamper,
) -> impl FnMut(&Call<'_>) -> Tamper {
    move |call| match left > 0 && such(call) {
        true => {
            left -= 1;
            tamper
        }
        false => Tamper::Nothing,
    }
}

impl Layer {
    /// From now on this is the plan.
    pub(crate) fn plan(&self, plan: impl FnMut(&Call<'_>) -> Tamper + Send + 'static) {
        *self.plan.lock() = Box::new(plan);
    }

    /// Waits until a call was tampered with, so that a test whose bad moment never came does not pass.
    pub(crate) async fn tampered(&self) {
        timeout(Duration::from_secs(60), self.tampered.notified()).await.expect("no such call was made");
    }
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layer").finish_non_exhaustive()
    }
}

#[async_trait]
impl Intercept for Layer {
    async fn call(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        let tamper = (self.plan.lock())(&call);
        if tamper != Tamper::Nothing {
            self.tampered.notify_one();
        }
        match tamper {
            Tamper::Nothing => call.send(storage).await,
            Tamper::DelayCall(time) => {
                sleep(time).await;
                call.send(storage).await
            }
            Tamper::DelayAnswer(time) => {
                let answer = call.send(storage).await;
                sleep(time).await;
                answer
            }
            Tamper::Hang => std::future::pending().await,
            Tamper::Fail(kind) => Err(kind.into()),
            Tamper::FailThoughDone(kind) => call.send(storage).await.and(Err(kind.into())),
        }
    }
}

//! The runtime of one instance.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::error::SeatportError;

/// How long an end waits for threads that are busy.
const PATIENCE: Duration = Duration::from_secs(5);

/// All engines, so that a host can end them before it ends itself.
static ENGINES: Mutex<Vec<Weak<Engine>>> = Mutex::new(Vec::new());

/// The threads on which engines end, or ended: a host that waits for such an end hears of it on one of them.
static ENDS: Mutex<Vec<thread::JoinHandle<()>>> = Mutex::new(Vec::new());

/// The threads that an instance runs on. Ends with [`end`](Self::end), or else with its last owner.
#[derive(Debug)]
pub(crate) struct Engine {
    /// None once it has ended.
    runtime: Mutex<Option<Runtime>>,
}

impl Engine {
    /// An engine of this many threads.
    pub(crate) fn start(threads: u32) -> Result<Arc<Self>, SeatportError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.clamp(1, 64) as usize)
            .thread_name("seatport")
            .enable_all()
            .build()
            .map_err(|error| SeatportError::Internal { detail: format!("no threads to run on: {error}") })?;
        let engine = Arc::new(Self { runtime: Mutex::new(Some(runtime)) });
        let mut engines = ENGINES.lock();
        engines.retain(|engine| engine.strong_count() > 0);
        engines.push(Arc::downgrade(&engine));
        Ok(engine)
    }

    /// Runs this on the engine's threads. A call that the host drops is dropped there too; one that an end comes before, or over,
    /// answers [`SeatportError::ShutDown`].
    pub(crate) async fn run<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, SeatportError>
    where
        T: Send + 'static,
        E: Into<SeatportError> + Send + 'static,
    {
        let mut task = {
            let runtime = self.runtime.lock();
            let Some(runtime) = runtime.as_ref() else { return Err(SeatportError::ended()) };
            Spawned(runtime.spawn(call))
        };
        let ended = (&mut task.0).await;
        match ended {
            Ok(answer) => answer.map_err(Into::into),
            Err(error) if error.is_panic() => {
                Err(SeatportError::Internal { detail: "a call panicked; please report it with the log".to_owned() })
            }
            Err(_) => Err(SeatportError::ended()),
        }
    }

    /// Ends it: whatever still runs is dropped.
    pub(crate) async fn end(&self) {
        let (done, ended) = tokio::sync::oneshot::channel::<()>();
        // Whether it is said or let go of: it is over.
        self.end_within(PATIENCE, move || drop(done));
        let _: Result<(), _> = ended.await;
    }

    /// Ends it, and waits for its threads for this long; then says so. On a thread of its own, since a runtime must not be waited
    /// for on one of its own threads.
    fn end_within(&self, patience: Duration, then: impl FnOnce() + Send + 'static) {
        let Some(runtime) = self.runtime.lock().take() else { return };
        let end = move || {
            runtime.shutdown_timeout(patience);
            then();
        };
        match thread::Builder::new().name("seatport-end".to_owned()).spawn(end) {
            Ok(end) => {
                let mut ends = ENDS.lock();
                ends.retain(|end| !end.is_finished());
                ends.push(end);
            }
            // The runtime went down with the closure that was not run, without being waited for.
            Err(error) => tracing::warn!(%error, "no thread to end an instance on"),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.get_mut().take() {
            runtime.shutdown_background();
        }
    }
}

/// A task that ends when it is dropped.
struct Spawned<T>(JoinHandle<T>);

impl<T> Drop for Spawned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Ends every instance in this process that was not shut down, as a crash would: nothing that was acknowledged is lost. Afterwards
/// Seatport calls nothing of the host any more.
///
/// For the very end of a process, where the language itself is taken down: the packages call it from the hook that their
/// language has for that. Waits up to `patience` for each.
///
/// # Errors
/// None.
#[uniffi::export]
pub fn end_all(patience: Duration) -> Result<(), SeatportError> {
    crate::host::leave();
    let engines: Vec<Arc<Engine>> = ENGINES.lock().drain(..).filter_map(|engine| engine.upgrade()).collect();
    // Nothing is ever sent: the channel closes with the last end.
    let (done, ended) = std::sync::mpsc::channel::<()>();
    for engine in &engines {
        let done = done.clone();
        engine.end_within(patience, move || drop(done));
    }
    drop(done);
    let _ = ended.recv();
    // Whoever was told of an end may leave before the thread that told it has come back from the host.
    let ends = std::mem::take(&mut *ENDS.lock());
    ends.into_iter().for_each(|end| drop(end.join()));
    Ok(())
}

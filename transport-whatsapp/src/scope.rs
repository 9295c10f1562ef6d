//! Everything that a connection started, to be ended with it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use whatsapp_rust::Runtime;
use whatsapp_rust::wacore::runtime::AbortHandle;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The runtime that a client is given: it knows every task that the client started.
///
/// A client that was told to disconnect leaves tasks behind (the rotation of QR codes lives up to 160 s); here they end with the
/// connection.
#[derive(Clone)]
pub(crate) struct Scope {
    /// None once it has ended.
    tasks: Arc<Mutex<Option<Vec<tokio::task::AbortHandle>>>>,
    /// How many times faster than real time its waits pass.
    pace: u32,
}

impl Scope {
    /// A scope, and what ends it.
    pub(crate) fn open(pace: u32) -> (Self, ScopeEnd) {
        let scope = Self { tasks: Arc::new(Mutex::new(Some(Vec::new()))), pace };
        (scope.clone(), ScopeEnd(scope))
    }

    /// How long a wait of this length really takes.
    pub(crate) fn real(&self, wait: Duration) -> Duration {
        wait / self.pace
    }

    /// Starts a task; answers how to abort it, unless the scope has ended.
    pub(crate) fn start(&self, task: impl Future<Output = ()> + Send + 'static) -> Option<tokio::task::AbortHandle> {
        let mut tasks = self.tasks.lock();
        let tasks = tasks.as_mut()?;
        // Looked through whenever the list would have to grow, so that the cost of it stays even.
        if tasks.len() == tasks.capacity() {
            tasks.retain(|task| !task.is_finished());
        }
        let handle = tokio::spawn(task).abort_handle();
        tasks.push(handle.clone());
        Some(handle)
    }

    fn end(&self) {
        for task in self.tasks.lock().take().unwrap_or_default() {
            task.abort();
        }
    }
}

#[async_trait]
impl Runtime for Scope {
    fn spawn(&self, task: Task) -> AbortHandle {
        match self.start(task) {
            Some(handle) => AbortHandle::new(move || handle.abort()),
            None => AbortHandle::noop(),
        }
    }

    fn spawn_detached(&self, task: Task) {
        self.start(task);
    }

    fn sleep(&self, duration: Duration) -> Task {
        Box::pin(tokio::time::sleep(self.real(duration)))
    }

    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>) -> Task {
        Box::pin(async move {
            if tokio::task::spawn_blocking(work).await.is_err_and(|error| error.is_cancelled()) {
                // The host's runtime shuts down and the work was never begun: the client takes the return for its result.
                std::future::pending::<()>().await;
            }
        })
    }

    fn yield_now(&self) -> Option<Task> {
        Some(Box::pin(tokio::task::yield_now()))
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("open", &self.tasks.lock().is_some()).finish_non_exhaustive()
    }
}

/// Ends its scope when it is dropped: what runs is aborted, and nothing starts any more.
#[derive(Debug)]
pub(crate) struct ScopeEnd(Scope);

impl Drop for ScopeEnd {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers true once the future it went into was dropped.
    fn tripwire() -> (impl Future<Output = ()> + Send + 'static, tokio::sync::oneshot::Receiver<()>) {
        let (alive, dropped) = tokio::sync::oneshot::channel::<()>();
        let task = async move {
            let _alive = alive;
            std::future::pending::<()>().await;
        };
        (task, dropped)
    }

    #[tokio::test]
    async fn the_end_of_a_scope_ends_its_tasks_and_starts_no_more() {
        let (scope, end) = Scope::open(1);
        let (detached, first) = tripwire();
        scope.spawn_detached(Box::pin(detached));
        let (kept, second) = tripwire();
        let handle = scope.spawn(Box::pin(kept));
        tokio::task::yield_now().await;
        drop(end);
        assert!(first.await.is_err() && second.await.is_err());
        handle.abort();

        let (late, third) = tripwire();
        scope.spawn(Box::pin(late)).detach();
        assert!(third.await.is_err(), "dropped without ever running");
    }

    #[tokio::test(start_paused = true)]
    async fn waits_pass_as_fast_as_the_pace_says() {
        let (scope, _end) = Scope::open(20);
        let begin = tokio::time::Instant::now();
        scope.sleep(Duration::from_secs(60)).await;
        assert_eq!(begin.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test]
    async fn finished_tasks_are_forgotten() {
        let (scope, _end) = Scope::open(1);
        for _ in 0..1000 {
            scope.spawn_detached(Box::pin(async {}));
            tokio::task::yield_now().await;
        }
        assert!(scope.tasks.lock().as_ref().is_some_and(|tasks| tasks.len() < 16));
    }
}

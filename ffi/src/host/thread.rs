//! Synchronous calls into the host.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use super::Trouble;
use super::call::inside;

type Job = Box<dyn FnOnce() + Send>;

/// A thread on which the host is called, one call after the other, so that a host that hangs stops nobody else. While it hangs it
/// is not called again. Begins with the first call, and ends with its owner, once the host has come back.
#[derive(Debug)]
pub(crate) struct HostThread {
    what: &'static str,
    jobs: Mutex<Jobs>,
    /// The number of the last job that came back.
    done: Arc<AtomicU64>,
    /// The number of the last job that was not waited for any longer.
    given_up: AtomicU64,
}

#[derive(Debug, Default)]
struct Jobs {
    last: u64,
    /// None until the first call.
    queue: Option<mpsc::Sender<Job>>,
}

impl HostThread {
    /// A thread for this kind of call.
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, jobs: Mutex::default(), done: Arc::default(), given_up: AtomicU64::new(0) }
    }

    fn start(&self) -> Result<mpsc::Sender<Job>, Trouble> {
        let (queue, jobs) = mpsc::channel::<Job>();
        let done = self.done.clone();
        let work = move || {
            for job in jobs {
                job();
                done.fetch_add(1, Ordering::AcqRel);
            }
        };
        let spawned = thread::Builder::new().name(format!("seatport-{}", self.what)).spawn(work);
        spawned.map(|_| queue).map_err(|_| Trouble::NoThread { what: self.what })
    }

    /// Puts a job into the queue, and answers its number.
    fn enqueue(&self, job: Job) -> Result<u64, Trouble> {
        let mut jobs = self.jobs.lock();
        let queue = match jobs.queue.take() {
            Some(queue) => queue,
            None => self.start()?,
        };
        // The thread ends only when the queue does.
        let _ = queue.send(job);
        jobs.queue = Some(queue);
        jobs.last += 1;
        Ok(jobs.last)
    }

    /// Calls the host and waits this long for the answer.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        limit: Duration,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Trouble> {
        let what = self.what;
        if self.done.load(Ordering::Acquire) < self.given_up.load(Ordering::Acquire) {
            return Err(Trouble::Busy { what });
        }
        let (answer, answered) = mpsc::sync_channel(1);
        let job: Job = Box::new(move || {
            // Whoever asked may not wait any more.
            let _ = answer.send(inside(what, call));
        });
        let number = self.enqueue(job)?;
        match answered.recv_timeout(limit) {
            Ok(said) => said,
            // Not its end without an answer: a job answers even if the call panics.
            Err(_) => {
                self.given_up.fetch_max(number, Ordering::AcqRel);
                Err(Trouble::TooSlow { what, limit })
            }
        }
    }
}

//! The queue for ports: first come, first served.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

/// What a start does when no port is free.
///
/// ```
/// use std::time::Duration;
/// use seatport::{Desk, Error, SessionId, WhenFull};
///
/// async fn start(desk: &Desk, session: SessionId) -> Result<(), Error> {
///     match desk.start(session, WhenFull::Fail).await {
///         Err(Error::PoolFull { holders, .. }) => {
///             println!("{} sessions hold the ports; waiting for one of them", holders.len());
///             desk.start(session, WhenFull::Wait { timeout: Duration::from_secs(60) }).await.map(drop)
///         }
///         other => other.map(drop),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// It answers [`Error::PoolFull`](crate::Error::PoolFull).
    Fail,
    /// It queues, behind those that came before. A caller that gives up, or times out, leaves nothing behind.
    Wait {
        /// How long it queues at most.
        timeout: Duration,
    },
}

/// Those who wait for a port, in the order they came.
#[derive(Debug)]
pub(crate) struct PortQueue {
    waiting: Mutex<Waiting>,
    /// Raised whenever a port may have become free or the queue moved.
    moved: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Waiting {
    tickets: VecDeque<u64>,
    next: u64,
}

impl PortQueue {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { waiting: Mutex::default(), moved: watch::channel(0).0 })
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.lock().tickets.len()
    }

    /// A port may have become free.
    pub(crate) fn moved(&self) {
        self.moved.send_modify(|count| *count += 1);
    }

    /// Takes a place at the end. Dropping the ticket gives it up.
    pub(crate) fn join(self: &Arc<Self>) -> Ticket {
        let mut waiting = self.waiting.lock();
        let number = waiting.next;
        waiting.next += 1;
        waiting.tickets.push_back(number);
        Ticket { queue: self.clone(), number, moved: self.moved.subscribe() }
    }
}

/// A place in the queue.
#[derive(Debug)]
pub(crate) struct Ticket {
    queue: Arc<PortQueue>,
    number: u64,
    moved: watch::Receiver<u64>,
}

impl Ticket {
    /// Whether nobody is in front. What moves from here on, [`moved`](Self::moved) tells.
    pub(crate) fn is_first(&mut self) -> bool {
        self.moved.borrow_and_update();
        self.queue.waiting.lock().tickets.front() == Some(&self.number)
    }

    /// Waits until a port may have become free, or the queue moved.
    pub(crate) async fn moved(&mut self) {
        // The sender lives in the queue that this ticket holds.
        let _ = self.moved.changed().await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.queue.waiting.lock().tickets.retain(|number| *number != self.number);
        self.queue.moved();
    }
}

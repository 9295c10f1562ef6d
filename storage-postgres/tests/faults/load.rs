//! Many who write, and remember what they were told.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use seatport::storage::{SessionCommit, Storage, StorageErrorKind};
use seatport::{MessageId, Page, Retry, SessionId};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::sample::{ANN, add, address, commit, inbound, patiently, until};

const SESSIONS: usize = 8;
/// How many tasks write to each session.
const WRITERS: usize = 3;

/// The load: writes until it is told to stop, and says everything again that it was not told is stored.
pub(crate) struct Load {
    tasks: JoinSet<()>,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    stored: Mutex<Vec<(SessionId, MessageId)>>,
    acknowledged: AtomicUsize,
    put_off: AtomicUsize,
    over: AtomicBool,
}

impl Load {
    pub(crate) async fn on(storage: &Arc<dyn Storage>) -> Self {
        let (mut tasks, told) = (JoinSet::new(), Arc::new(Told::default()));
        for _ in 0..SESSIONS {
            let session = add(&**storage).await;
            for writer in 0..WRITERS {
                tasks.spawn(write(storage.clone(), session, writer, told.clone()));
            }
        }
        Self { tasks, told }
    }

    /// Waits until so many more were stored.
    pub(crate) async fn goes_on(&self, more: usize) {
        let before = self.told.acknowledged.load(Ordering::Relaxed);
        let count = || self.told.acknowledged.load(Ordering::Relaxed);
        until("the load goes on", async || count() >= before + more).await;
    }

    /// How often the storage was busy.
    pub(crate) fn put_off(&self) -> usize {
        self.told.put_off.load(Ordering::Relaxed)
    }

    /// Ends it: everything that was acknowledged is there once, and nothing else is.
    pub(crate) async fn check(self, storage: &dyn Storage) {
        self.told.over.store(true, Ordering::Relaxed);
        self.tasks.join_all().await;
        let stored = std::mem::take(&mut *self.told.stored.lock());
        let sessions: BTreeSet<_> = stored.iter().map(|(session, _)| *session).collect();
        assert_eq!(sessions.len(), SESSIONS);
        for session in sessions {
            let expected: BTreeSet<_> = stored.iter().filter(|(of, _)| *of == session).map(|(_, id)| id).collect();
            let (mut found, mut page) = (Vec::new(), Page::first(1_000));
            loop {
                let more = storage.messages(session, &address(ANN), page).await.unwrap();
                let Some(last) = more.last() else { break };
                page = Page::after(last.seq, 1_000);
                found.extend(more.into_iter().map(|stored| stored.message.id));
            }
            found.retain(|id| id.as_str().starts_with("load"));
            let unique: BTreeSet<_> = found.iter().collect();
            assert_eq!(unique.len(), found.len(), "something is stored twice");
            assert_eq!(unique, expected);
            let row = storage.session(session).await.unwrap().unwrap();
            assert_eq!(row.unread, found.len() as u64 + 1);
            let mut last = 0;
            while let Some(events) = Some(storage.events(session, last, 1_000).await.unwrap()).filter(|e| !e.is_empty())
            {
                assert_eq!(events[0].seq, last + 1);
                last += events.len() as u64;
                assert_eq!(events.last().unwrap().seq, last);
            }
            assert_eq!(row.last_event, last);
        }
    }
}

async fn write(storage: Arc<dyn Storage>, session: SessionId, writer: usize, told: Arc<Told>) {
    for number in 0.. {
        if told.over.load(Ordering::Relaxed) {
            return;
        }
        let message = inbound(&format!("load-{writer}-{number}"));
        let id = message.message.id.clone();
        let again = SessionCommit { messages: vec![message], ..commit(session) };
        loop {
            match storage.commit(again.clone()).await {
                Ok(_) => break,
                Err(error) => {
                    assert_eq!((error.kind(), error.retry()), (StorageErrorKind::Busy, Retry::Later), "{error:?}");
                    told.put_off.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_millis(20)).await;
                }
            }
        }
        told.stored.lock().push((session, id));
        told.acknowledged.fetch_add(1, Ordering::Relaxed);
    }
}

/// The storage answers again.
pub(crate) async fn answers(storage: &dyn Storage, session: SessionId) {
    patiently(|| storage.commit(commit(session))).await;
    patiently(|| storage.session(session)).await.unwrap();
}

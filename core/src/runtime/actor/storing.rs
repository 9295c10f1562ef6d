//! What the session's task asks of the storage: patiently while that is busy, and only for as long as the session is its own.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{Actor, Exit};
use crate::conversation::{MessageStatus, SendFailure};
use crate::error::Retry;
use crate::ids::{Address, MessageId};
use crate::random::Random;
use crate::storage::{Committed, Expect, MessageUpdate, SessionCommit, StorageError, StorageErrorKind, StoredSession};

/// How often a failing storage is tried again before the session is given up for a while.
const STORAGE_TRIES: u32 = 6;
/// How long one call to the storage may take.
const STORAGE: Duration = Duration::from_secs(10);

impl Actor {
    pub(super) async fn commit(&self, commit: SessionCommit) -> Result<Committed, Exit> {
        let storage = &self.node.storage;
        match patiently(&self.node.random, || storage.commit(commit.clone())).await {
            Err(Exit::Storage(error))
                if matches!(error.kind(), StorageErrorKind::Fenced | StorageErrorKind::NotFound) =>
            {
                Err(Exit::Fenced)
            }
            other => other,
        }
    }

    /// Reads what was committed for this session by others; answers whether it is in another state now.
    pub(super) async fn refresh(&mut self) -> Result<bool, Exit> {
        let (storage, id) = (&self.node.storage, self.stored.record.id);
        let stored = patiently(&self.node.random, || storage.session(id)).await?;
        let stored = stored.filter(|stored| stored.owner == Some(self.fence)).ok_or(Exit::Fenced)?;
        let state = |stored: &StoredSession| (stored.record.facts.lifecycle, stored.record.facts.generation);
        let moved = state(&self.stored) != state(&stored);
        self.stored = stored;
        self.look_again();
        if moved {
            self.patient = false;
            self.entered();
        }
        Ok(moved)
    }

    pub(super) async fn update(
        &mut self,
        chat: Address,
        ids: Vec<MessageId>,
        status: MessageStatus,
        failure: Option<SendFailure>,
    ) -> Result<(), Exit> {
        let mut commit = self.conversation_commit();
        let update = |id| MessageUpdate { chat: chat.clone(), id, status, failure: failure.clone() };
        commit.updates = ids.into_iter().map(update).collect();
        self.commit(commit).await.map(drop)
    }

    /// A commit that leaves the lifecycle alone: it needs no particular revision, only ownership.
    pub(super) fn conversation_commit(&self) -> SessionCommit {
        let mut commit = SessionCommit::new(self.stored.record.id, self.node.now(), Expect::Present);
        commit.fence = Some(self.fence);
        commit
    }
}

/// Asks the storage, and again while it is busy.
pub(super) async fn patiently<T, F>(random: &Random, ask: impl Fn() -> F) -> Result<T, Exit>
where
    F: Future<Output = Result<T, StorageError>>,
{
    let mut tries = 0;
    loop {
        let error = match timeout(STORAGE, ask()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => error,
            Err(_) => {
                let message = format!("no answer within {STORAGE:?}; the database is stuck");
                return Err(Exit::Storage(StorageError::new(StorageErrorKind::Busy, message)));
            }
        };
        tries += 1;
        if error.retry() == Retry::No || tries == STORAGE_TRIES {
            return Err(Exit::Storage(error));
        }
        let wait = Duration::from_millis(20) * 2_u32.pow(tries);
        sleep(wait / 2 + random.up_to(wait / 2)).await;
    }
}

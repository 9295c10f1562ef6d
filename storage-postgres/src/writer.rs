//! The writers of commits: what many callers want written at the same moment lands in one transaction (group commit).
//!
//! Each writer has a queue and a share of the sessions, so that a session's commits stay in their order. It takes what waits, runs all of it
//! in one transaction, and answers; meanwhile the next batch gathers. Once queued, a commit happens whether or not its caller
//! still waits.
//!
//! A commit that is refused has written nothing, so the others of its batch just go on. One that fails half-way spoils the
//! transaction: then each commit of the batch gets a transaction of its own.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use seatport::storage::{Committed, SessionCommit, StorageError};
use tokio::sync::{mpsc, oneshot};

use crate::commit;
use crate::core::Core;
use crate::error::Failure;
use crate::gate::Call;

/// How many commits one transaction takes at most, so that the first of them does not wait for all of a flood.
const BATCH: usize = 512;

/// How many rows one transaction writes at most, more or less.
const ROWS: usize = 5000;

/// A commit, and who waits for the answer.
struct Request {
    commit: SessionCommit,
    answer: oneshot::Sender<Result<Committed, StorageError>>,
    _call: Call,
}

/// The queues of the writers.
#[derive(Clone, Debug)]
pub(crate) struct Writers(Arc<[mpsc::UnboundedSender<Request>]>);

impl Writers {
    /// Starts as many writers as there are connections for them.
    pub(crate) fn start(core: &Arc<Core>) -> Self {
        let queues = (0..core.options.writers).map(|_| {
            let (queue, waiting) = mpsc::unbounded_channel();
            tokio::spawn(write(core.clone(), waiting));
            queue
        });
        Self(queues.collect())
    }

    /// Lands a commit, and answers once it is durable.
    pub(crate) async fn land(&self, core: &Core, commit: SessionCommit) -> Result<Committed, StorageError> {
        let call = core.gate.enter()?;
        let mut hasher = DefaultHasher::new();
        commit.session.hash(&mut hasher);
        let queue = usize::try_from(hasher.finish() % self.0.len() as u64).unwrap_or(0);
        let (answer, answered) = oneshot::channel();
        if self.0[queue].send(Request { commit, answer, _call: call }).is_err() {
            return Err(core.abandoned());
        }
        answered.await.unwrap_or_else(|_| Err(core.abandoned()))
    }
}

/// Serves a queue until nobody can put anything into it any more.
async fn write(core: Arc<Core>, mut queue: mpsc::UnboundedReceiver<Request>) {
    let mut waiting = Vec::new();
    while queue.recv_many(&mut waiting, BATCH).await > 0 {
        let mut waiting = std::mem::take(&mut waiting).into_iter().peekable();
        while let Some(first) = waiting.next() {
            let mut rows = weight(&first.commit);
            let alone = is_alone(&first.commit);
            let mut batch = vec![first];
            while let Some(next) = waiting.next_if(|next| {
                rows += weight(&next.commit);
                !alone && !is_alone(&next.commit) && rows <= ROWS
            }) {
                batch.push(next);
            }
            serve(&core, batch).await;
        }
    }
}

/// About how many rows a commit writes.
fn weight(commit: &SessionCommit) -> usize {
    1 + commit.messages.len() + commit.contacts.len() + commit.chats.len() + commit.amendments.len()
}

/// Whether a commit has a transaction to itself: it moves rows that others of the batch may have loaded.
fn is_alone(commit: &SessionCommit) -> bool {
    !commit.identities.is_empty()
}

/// Lands a batch and answers.
async fn serve(core: &Core, batch: Vec<Request>) {
    let commits: Vec<_> = batch.iter().map(|request| &request.commit).collect();
    match land(core, &commits).await {
        Ok(outcomes) => {
            core.fresh.note(commits.into_iter());
            answer(batch, outcomes);
        }
        // Nobody knows which of them it is. When the database is away it is none.
        Err(failure) if batch.len() > 1 && !failure.is_transient() && !matches!(failure, Failure::Unknown) => {
            tracing::debug!(?failure, "a batch failed; its commits get a transaction each");
            for request in batch {
                Box::pin(serve(core, vec![request])).await;
            }
        }
        Err(failure) => {
            let error = core.error(failure);
            let copies = batch.iter().skip(1).map(|_| Err(StorageError::new(error.kind(), message(&error))));
            let copies: Vec<_> = copies.collect();
            answer(batch, std::iter::once(Err(error)).chain(copies).collect());
        }
    }
}

/// What an error says, without what all of them begin with.
fn message(error: &StorageError) -> String {
    let words = error.to_string();
    words.strip_prefix("storage: ").map(str::to_owned).unwrap_or(words)
}

fn answer(batch: Vec<Request>, outcomes: Vec<Result<Committed, StorageError>>) {
    for (request, outcome) in batch.into_iter().zip(outcomes) {
        // An error means that the caller no longer waits.
        let _ = request.answer.send(outcome);
    }
}

/// Lands a batch, with as many attempts as there is time for.
async fn land(core: &Core, commits: &[&SessionCommit]) -> Result<Vec<Result<Committed, StorageError>>, Failure> {
    let mut patience = core.patience();
    loop {
        // A panic is a fault of this batch alone.
        let landing = AssertUnwindSafe(commit::land(core, commits)).catch_unwind();
        let landed = landing.await.unwrap_or_else(|_| Err(core.abandoned().into()));
        match landed {
            Ok(outcomes) => return Ok(outcomes),
            Err(failure) => core.again(&mut patience, failure).await?,
        }
    }
}

#[cfg(test)]
mod tests {
    use seatport::storage::StorageErrorKind;

    use super::*;

    #[test]
    fn an_error_for_many_says_the_same_to_each() {
        let error = StorageError::from(StorageErrorKind::Full);
        let copy = StorageError::new(error.kind(), message(&error));
        assert_eq!(copy.to_string(), error.to_string());
    }
}

//! What is handed out batch by batch: events, views, lines.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use crate::engine::Engine;
use crate::error::SeatportError;

/// Where batches come from.
pub(crate) trait Source: Send + Sync + 'static {
    /// What is handed out at a time.
    type Batch: Clone + Send + Sync + 'static;

    /// The next batch, of at most `max` items where it has items. Cancel-safe.
    fn read(&mut self, max: u32) -> impl Future<Output = Result<Self::Batch, seatport::Error>> + Send;
}

/// Hands the batches of a source to a host and loses none: a host that gives a call up may never see its answer, though it was
/// on its way. So each call says which batch was the last that arrived, and one that did not is answered again.
pub(crate) struct Reader<S: Source> {
    engine: Arc<Engine>,
    turn: Arc<Mutex<Turn<S>>>,
    closed: watch::Sender<bool>,
}

/// A source between two batches.
pub(crate) struct Turn<S: Source> {
    pub(crate) source: S,
    /// The number of the last batch; 0 before the first.
    number: u64,
    /// That batch.
    last: Option<S::Batch>,
}

impl<S: Source> Turn<S> {
    async fn next(&mut self, seen: u64, max: u32) -> Result<(u64, S::Batch), SeatportError> {
        if let Some(unseen) = self.unseen(seen)? {
            return Ok((self.number, unseen.clone()));
        }
        let batch = self.source.read(max).await?;
        self.number += 1;
        self.last = Some(batch.clone());
        Ok((self.number, batch))
    }

    /// The last batch, if the one before is the last that arrived.
    pub(crate) fn unseen(&self, seen: u64) -> Result<Option<&S::Batch>, SeatportError> {
        match &self.last {
            _ if seen == self.number => Ok(None),
            Some(last) if seen + 1 == self.number => Ok(Some(last)),
            _ => {
                let problem = format!("{seen}, but the last one was {}", self.number);
                Err(seatport::Invalid::new("number of the last batch", problem, "pass the number it came with").into())
            }
        }
    }
}

impl<S: Source> Reader<S> {
    pub(crate) fn new(engine: Arc<Engine>, source: S) -> Self {
        let turn = Turn { source, number: 0, last: None };
        Self { engine, turn: Arc::new(Mutex::new(turn)), closed: watch::Sender::new(false) }
    }

    /// The batch after the one with the number `seen`, with its own number.
    pub(crate) async fn next(&self, seen: u64, max: u32) -> Result<(u64, S::Batch), SeatportError> {
        if max == 0 {
            return Err(seatport::Invalid::new("batch", "a limit of zero", "ask for at least one item").into());
        }
        self.ask(move |mut turn| async move { turn.next(seen, max).await }).await
    }

    /// Asks the source something between two batches.
    pub(crate) async fn ask<T, A>(
        &self,
        ask: impl FnOnce(OwnedMutexGuard<Turn<S>>) -> A + Send + 'static,
    ) -> Result<T, SeatportError>
    where
        T: Send + 'static,
        A: Future<Output = Result<T, SeatportError>> + Send + 'static,
    {
        let (turn, mut closed) = (self.turn.clone(), self.closed.subscribe());
        let call = async move {
            tokio::select! {
                biased;
                _ = closed.wait_for(|closed| *closed) => Err(SeatportError::closed()),
                answer = async { ask(turn.lock_owned().await).await } => answer,
            }
        };
        self.engine.run(call).await
    }

    /// Ends it: calls under way answer [`SeatportError::Closed`], and so do later ones.
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }
}

impl<S: Source> std::fmt::Debug for Reader<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("closed", &*self.closed.borrow()).finish_non_exhaustive()
    }
}

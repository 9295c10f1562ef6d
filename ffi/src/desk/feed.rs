//! The event feed: following it, and those who consume it.

use std::collections::HashMap;
use std::sync::Arc;

use super::Desk;
use crate::error::SeatportError;
use crate::event::{ConsumerState, Event, cursors_given, cursors_told};
use crate::instance::all;
use crate::reader::{Reader, Source, Turn};

/// What events are read from.
trait Feed: Source<Batch = Vec<seatport::Event>> {
    /// How far each session's events were handed out.
    fn handed_out(&self) -> &seatport::Cursors;
}

/// How far the events that arrived go: what was handed out, without the batch that got lost on its way.
fn arrived<S: Feed>(turn: &Turn<S>, seen: u64) -> Result<seatport::Cursors, SeatportError> {
    let mut cursors = turn.source.handed_out().clone();
    for event in turn.unseen(seen)?.into_iter().flatten().rev() {
        cursors.0.insert(event.session, event.seq - 1);
    }
    Ok(cursors)
}

impl Source for seatport::EventStream {
    type Batch = Vec<seatport::Event>;

    async fn read(&mut self, max: u32) -> Result<Self::Batch, seatport::Error> {
        self.next_batch(max as usize).await
    }
}

impl Feed for seatport::EventStream {
    fn handed_out(&self) -> &seatport::Cursors {
        self.cursors()
    }
}

impl Source for seatport::Consumer {
    type Batch = Vec<seatport::Event>;

    async fn read(&mut self, max: u32) -> Result<Self::Batch, seatport::Error> {
        self.next_batch(max as usize).await
    }
}

impl Feed for seatport::Consumer {
    fn handed_out(&self) -> &seatport::Cursors {
        self.cursors()
    }
}

/// Events, and the number of this batch.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct EventBatch {
    /// To be passed to the next call.
    pub number: u64,
    /// The events, in the order of their sessions.
    pub events: Vec<Event>,
}

/// Follows the events of all sessions that the agent sees.
#[derive(Debug, uniffi::Object)]
pub struct EventFeed(Reader<seatport::EventStream>);

/// Reads the event feed under a name, and says what it has handled: each event comes at least once, in the order of its session, and
/// none is missed, however often the process dies in between. So handle first and acknowledge then.
#[derive(Debug, uniffi::Object)]
pub struct Consumer {
    name: String,
    reader: Reader<seatport::Consumer>,
}

#[uniffi::export]
impl Desk {
    /// How far the events of all sessions that the agent sees have come, by session: `events` from here on gives what happens from now
    /// on.
    ///
    /// # Errors
    /// `Denied`.
    pub async fn cursors(&self) -> Result<HashMap<String, u64>, SeatportError> {
        self.run(|desk| async move { Ok(cursors_told(desk.cursors().await?)) }).await
    }

    /// Follows the events of all sessions that the agent sees: everything after the cursors, and then what happens. A session that the
    /// cursors do not name begins with its first event.
    ///
    /// # Errors
    /// `Denied`; `Invalid` for a cursor that names no session.
    pub async fn events(&self, cursors: HashMap<String, u64>) -> Result<Arc<EventFeed>, SeatportError> {
        let cursors = cursors_given(cursors)?;
        let stream = self.run(|desk| async move { Ok(desk.events(cursors).await?) }).await?;
        Ok(Arc::new(EventFeed(Reader::new(self.engine.clone(), stream))))
    }

    /// Goes on where the consumer of this name has got to: gives every event that it has not acknowledged. A new one is registered, and
    /// begins with the oldest event that is kept; from now on no event is trimmed before it acknowledged it.
    ///
    /// # Errors
    /// `Denied`, also for an agent who works only on the sessions bound to them.
    pub async fn consume(&self, name: String) -> Result<Arc<Consumer>, SeatportError> {
        let consumer = name.parse()?;
        let consumer = self.run(|desk| async move { Ok(desk.consume(&consumer).await?) }).await?;
        Ok(Arc::new(Consumer { name, reader: Reader::new(self.engine.clone(), consumer) }))
    }

    /// The consumers that are registered, by name, and how far behind each is. One that is never heard of again holds back all trimming
    /// until it is forgotten.
    ///
    /// # Errors
    /// Those of `consume`.
    pub async fn consumers(&self) -> Result<Vec<ConsumerState>, SeatportError> {
        self.run(|desk| async move { Ok(all(desk.consumers().await?)) }).await
    }

    /// Forgets a consumer: what only it held back may be trimmed from now on.
    ///
    /// # Errors
    /// `UnknownConsumer`, and those of `consume`.
    pub async fn forget_consumer(&self, name: String) -> Result<(), SeatportError> {
        let name = name.parse()?;
        self.run(|desk| async move { Ok(desk.forget_consumer(&name).await?) }).await
    }
}

#[uniffi::export]
impl EventFeed {
    /// The next events, at least one and at most `max`, once there is one. `seen` is the number of the last batch that arrived, 0 at
    /// first: one that got lost on its way is answered again.
    ///
    /// # Errors
    /// `EventsTrimmed` when the next events of a session are not kept any more, and then the next call goes on behind them; `Denied`
    /// once the agent may not; `Closed`.
    pub async fn next(&self, seen: u64, max: u32) -> Result<EventBatch, SeatportError> {
        let (number, events) = self.0.next(seen, max).await?;
        Ok(EventBatch { number, events: all(events) })
    }

    /// How far the events that arrived go, by session: to be kept, and passed to `events` the next time.
    ///
    /// # Errors
    /// `Closed`.
    pub async fn cursors(&self, seen: u64) -> Result<HashMap<String, u64>, SeatportError> {
        self.0.ask(move |turn| async move { Ok(cursors_told(arrived(&turn, seen)?)) }).await
    }

    /// Ends it: a call under way answers `Closed`, and so do later ones.
    ///
    /// # Errors
    /// None.
    pub fn end(&self) -> Result<(), SeatportError> {
        self.0.close();
        Ok(())
    }
}

#[uniffi::export]
impl Consumer {
    /// Its name.
    ///
    /// # Errors
    /// None.
    pub fn name(&self) -> Result<String, SeatportError> {
        Ok(self.name.clone())
    }

    /// The next events, at least one and at most `max`, once there is one. `seen` is the number of the last batch that arrived, 0 at
    /// first: one that got lost on its way is answered again.
    ///
    /// # Errors
    /// `Denied` once the agent does not see all sessions any more; `EventsTrimmed` only if somebody forgot the consumer meanwhile;
    /// `Closed`.
    pub async fn next(&self, seen: u64, max: u32) -> Result<EventBatch, SeatportError> {
        let (number, events) = self.reader.next(seen, max).await?;
        Ok(EventBatch { number, events: all(events) })
    }

    /// Acknowledges everything that arrived so far: it does not come again.
    ///
    /// # Errors
    /// `UnknownConsumer` once somebody forgot it; `Denied` once the agent does not see all sessions any more; `Closed`.
    pub async fn acknowledge(&self, seen: u64) -> Result<(), SeatportError> {
        let acknowledge = move |mut turn: tokio::sync::OwnedMutexGuard<Turn<seatport::Consumer>>| async move {
            let arrived = arrived(&turn, seen)?;
            Ok(turn.source.acknowledge_up_to(&arrived).await?)
        };
        self.reader.ask(acknowledge).await
    }

    /// Acknowledges a part of what was handed out: of each session named, everything up to this number.
    ///
    /// # Errors
    /// `Invalid` when it names an event that was not handed out; and those of `acknowledge`.
    pub async fn acknowledge_up_to(&self, handled: HashMap<String, u64>) -> Result<(), SeatportError> {
        let handled = cursors_given(handled)?;
        let acknowledge = move |mut turn: tokio::sync::OwnedMutexGuard<Turn<seatport::Consumer>>| async move {
            Ok(turn.source.acknowledge_up_to(&handled).await?)
        };
        self.reader.ask(acknowledge).await
    }

    /// Ends it: a call under way answers `Closed`, and so do later ones. What was not acknowledged comes again.
    ///
    /// # Errors
    /// None.
    pub fn end(&self) -> Result<(), SeatportError> {
        self.reader.close();
        Ok(())
    }
}

//! Durable consumers of the event feed.

use crate::error::{Error, Invalid};
use crate::event::{Cursors, Event};
use crate::ids::ConsumerName;
use crate::policy::Action;
use crate::runtime::events::EventStream;
use crate::storage::{StorageError, StorageErrorKind};

/// Reads the event feed under a name, and says what it has handled: each event comes at least once, in the order of its session,
/// and none is missed, however often the process dies in between. Made by [`Desk::consume`](crate::Desk::consume).
///
/// What was handed out and not acknowledged comes again the next time the consumer begins. So handle first and acknowledge then;
/// and if handling twice does harm, keep each event's session and number with what was done.
///
/// Two that read under one name at the same time are both handed everything, and what either acknowledges is gone for both.
///
/// ```
/// use seatport::{ConsumerName, Desk, Error, Event};
///
/// async fn feed_the_crm(desk: &Desk, hand_over: impl Fn(&[Event])) -> Result<(), Error> {
///     let mut consumer = desk.consume(&ConsumerName::new("crm")?).await?;
///     loop {
///         let batch = consumer.next_batch(100).await?;
///         hand_over(&batch);
///         consumer.acknowledge().await?; // not before it was handed over
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Consumer {
    name: ConsumerName,
    stream: EventStream,
    acknowledged: Cursors,
}

/// A consumer that is registered, and how far it has got.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsumerState {
    /// Its name.
    pub name: ConsumerName,
    /// How many events it has not acknowledged, over all sessions.
    pub behind: u64,
}

impl Consumer {
    pub(crate) fn new(name: ConsumerName, stream: EventStream, acknowledged: Cursors) -> Self {
        Self { name, stream, acknowledged }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &ConsumerName {
        &self.name
    }

    /// The next event, once there is one. Cancel-safe.
    ///
    /// # Errors
    /// Those of [`EventStream::next`]; [`Error::Denied`] also once the agent does not see all sessions any more.
    /// [`Error::EventsTrimmed`] only if somebody [forgot](crate::Desk::forget_consumer) the consumer meanwhile.
    pub async fn next(&mut self) -> Result<Event, Error> {
        self.stream.next().await
    }

    /// The next events, at least one and at most `max`, once there is one. Cancel-safe.
    ///
    /// # Errors
    /// Those of [`next`](Self::next).
    pub async fn next_batch(&mut self, max: usize) -> Result<Vec<Event>, Error> {
        self.stream.next_batch(max).await
    }

    /// What was handed out so far, and what had been acknowledged before.
    #[must_use]
    pub fn cursors(&self) -> &Cursors {
        self.stream.cursors()
    }

    /// Acknowledges everything that was handed out so far: it does not come again. A call that fails or is dropped may have done
    /// so or not, and may be repeated.
    ///
    /// # Errors
    /// [`Error::UnknownConsumer`] once somebody forgot it; [`Error::Denied`] once the agent does not see all sessions any more.
    pub async fn acknowledge(&mut self) -> Result<(), Error> {
        let handled = self.stream.cursors().clone();
        self.acknowledge_up_to(&handled).await
    }

    /// Acknowledges a part of what was handed out: of each session named, everything up to this number.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it names an event that was not handed out, and then nothing is acknowledged; and those of
    /// [`acknowledge`](Self::acknowledge).
    pub async fn acknowledge_up_to(&mut self, handled: &Cursors) -> Result<(), Error> {
        let desk = self.stream.desk();
        desk.admit_to_all(Action::FollowEvents).await?;
        let handed_out = self.stream.cursors();
        if let Some((session, seq)) = handled.0.iter().find(|(session, seq)| **seq > handed_out.after(**session)) {
            let problem = format!("event {seq} of session {session} was not handed out");
            return Err(Invalid::new("acknowledgement", problem, "acknowledge what was handled").into());
        }
        let news = handled.0.iter().filter(|(session, seq)| **seq > self.acknowledged.after(**session));
        let news = Cursors(news.map(|(session, seq)| (*session, *seq)).collect());
        if !news.0.is_empty() {
            let storage = &desk.node().storage;
            storage.acknowledge(&self.name, &news).await.map_err(|error| unknown(error, &self.name))?;
            self.acknowledged.0.extend(news.0);
        }
        // The sessions that are gone: their events are, too.
        self.acknowledged.0.retain(|session, _| handed_out.0.contains_key(session));
        Ok(())
    }
}

/// What a storage answers of a consumer that it does not know, by name.
pub(crate) fn unknown(error: StorageError, name: &ConsumerName) -> Error {
    match error.kind() {
        StorageErrorKind::NotFound => Error::UnknownConsumer(name.clone()),
        _ => error.into(),
    }
}

//! Empty functions of the same shape as real ones, so that a benchmark can tell what a call costs from what it does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use seatport::{Cursors, SessionId};

use crate::card::{Action, Card, SessionFilter};
use crate::desk::{Desk, EventBatch};
use crate::engine::Engine;
use crate::error::SeatportError;
use crate::event::Event;
use crate::host;
use crate::instance::all;
use crate::page::Page;
use crate::transport::{Connection, OutboundMessage, TransportError};

/// The longest list of cards, and the largest batch of events, that is kept to be answered.
const KEPT: u32 = 1000;

/// Answers what was read beforehand: each method looks like the one of the same name that does something.
#[derive(Debug, uniffi::Object)]
pub struct Probe {
    engine: Arc<Engine>,
    desk: seatport::Desk,
    session: SessionId,
    card: Card,
    cards: Arc<Vec<Card>>,
    events: Arc<Vec<Event>>,
}

/// A call of core, without the way there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ProbedCall {
    /// `Desk.may`.
    May,
    /// `Desk.card`.
    Card,
    /// `Desk.cards`, a page of 1000.
    Cards,
    /// `EventFeed.next`, batches of 1000.
    Next,
}

#[uniffi::export]
impl Probe {
    /// Reads what the empty functions answer: the card of this session, the first 1000 cards and the first 1000 events.
    ///
    /// # Errors
    /// Those of the desk.
    #[uniffi::constructor]
    pub async fn of(desk: Arc<Desk>, session: String) -> Result<Arc<Self>, SeatportError> {
        let session: SessionId = session.parse()?;
        let (engine, inner) = desk.parts();
        let desk = inner.clone();
        let read = async move {
            let card = inner.card(session).await?;
            let cards = inner.cards(&seatport::SessionFilter::default(), seatport::Page::first(KEPT)).await?;
            let events = inner.events(Cursors::default()).await?.next_batch(KEPT as usize).await?;
            Ok::<_, seatport::Error>((card, cards, events))
        };
        let (card, cards, events) = engine.run(read).await?;
        let (card, cards, events) = (card.into(), Arc::new(all(cards)), Arc::new(all(events)));
        Ok(Arc::new(Self { engine, desk, session, card, cards, events }))
    }

    /// Looks like `Seatport.node_id`.
    ///
    /// # Errors
    /// None.
    pub fn node_id(&self) -> Result<String, SeatportError> {
        Ok(self.card.session.clone())
    }

    /// Looks like `Desk.may`.
    ///
    /// # Errors
    /// None.
    pub async fn may(&self, action: Action) -> Result<bool, SeatportError> {
        self.engine.run(async move { Ok::<_, SeatportError>(action == Action::View) }).await
    }

    /// Looks like `Desk.card`.
    ///
    /// # Errors
    /// None.
    pub async fn card(&self, session: String) -> Result<Card, SeatportError> {
        let card = self.card.clone();
        self.engine.run(async move { Ok::<_, SeatportError>(Card { session, ..card }) }).await
    }

    /// Looks like `Desk.cards`.
    ///
    /// # Errors
    /// None.
    pub async fn cards(&self, _filter: SessionFilter, _page: Page) -> Result<Vec<Card>, SeatportError> {
        let cards = self.cards.clone();
        self.engine.run(async move { Ok::<_, SeatportError>(cards.to_vec()) }).await
    }

    /// Looks like `EventFeed.next`.
    ///
    /// # Errors
    /// None.
    pub async fn next(&self, seen: u64, max: u32) -> Result<EventBatch, SeatportError> {
        let events = self.events.clone();
        let batch = async move {
            let events = events.iter().take(max as usize).cloned().collect();
            Ok::<_, SeatportError>(EventBatch { number: seen + 1, events })
        };
        self.engine.run(batch).await
    }

    /// Calls a connection of the host as the bridge does by itself.
    ///
    /// # Errors
    /// Those of the host.
    pub async fn send(&self, connection: Arc<dyn Connection>, message: OutboundMessage) -> Result<(), TransportError> {
        let sent = self.engine.run(async move { Ok::<_, SeatportError>(connection.send(message).await) }).await;
        sent?
    }

    /// Calls a connection of the host as Seatport does: with a limit, and only while the host is not leaving.
    ///
    /// # Errors
    /// Those of the host.
    pub async fn send_limited(
        &self,
        connection: Arc<dyn Connection>,
        message: OutboundMessage,
    ) -> Result<(), TransportError> {
        let limit = Duration::from_secs(10);
        let sent = async move { Ok::<_, SeatportError>(host::call("send", limit, connection.send(message)).await) };
        self.engine.run(sent).await?
    }

    /// What core itself takes for a call, on average over so many.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn spent_in_core(&self, call: ProbedCall, times: u32) -> Result<Duration, SeatportError> {
        let (desk, session) = (self.desk.clone(), self.session);
        let spent = async move {
            let mut stream = desk.events(Cursors::default()).await?;
            let begun = Instant::now();
            for _ in 0..times {
                match call {
                    ProbedCall::May => drop(desk.may(seatport::Action::View).await?),
                    ProbedCall::Card => drop(desk.card(session).await?),
                    ProbedCall::Cards => {
                        drop(desk.cards(&seatport::SessionFilter::default(), seatport::Page::first(KEPT)).await?);
                    }
                    ProbedCall::Next => drop(stream.next_batch(KEPT as usize).await?),
                }
            }
            Ok::<_, seatport::Error>(begun.elapsed() / times.max(1))
        };
        self.engine.run(spent).await
    }
}

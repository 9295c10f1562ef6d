//! Leads, and events that nobody needs any more, kept wrongly.

use std::time::Duration;

use seatport::Retention;
use seatport::storage::{Deletion, Storage, StorageError, StorageErrorKind};
use seatport_testkit::storage::{Answer, Call};

use crate::Defect;
use crate::broken::Broken;

impl Broken {
    /// Asks for other figures.
    pub(crate) async fn ask_ledger(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        match (self.defect, call) {
            (Defect::CountsTheQuarterAfter, Call::LeadTotals(from, until)) => {
                Call::LeadTotals(from, until + Duration::from_millis(1)).send(storage).await
            }
            (Defect::DropsTotalsOfDeleted, Call::LeadTotals(from, until)) => {
                let mut totals = Vec::new();
                for total in storage.lead_totals(from, until).await? {
                    totals.extend(storage.session(total.entry.session).await?.map(|_| total));
                }
                Ok(totals.into())
            }
            (Defect::CountsForWhoIsBoundNow, Call::LeadTotals(from, until)) => {
                let mut totals = storage.lead_totals(from, until).await?;
                for total in &mut totals {
                    let row = storage.session(total.entry.session).await?;
                    total.entry.agent = row.and_then(|row| row.record.agent);
                }
                Ok(totals.into())
            }
            (_, call) => call.send(storage).await,
        }
    }

    /// Changes figures, and what is known of events.
    pub(crate) fn distort_ledger(&self, asked: Call<'_>, mut answer: Answer) -> Answer {
        match (self.defect, asked, &mut answer) {
            (Defect::CountsEveryQuarterAlone, _, Answer::Totals(totals)) => {
                totals.iter_mut().for_each(|total| total.count = 1);
            }
            (Defect::SortsTotalsBySession, _, Answer::Totals(totals)) => {
                totals.sort_by_key(|total| total.entry.session);
            }
            (Defect::SortsCorrectionsByQuarter, _, Answer::Adjustments(made)) => {
                made.sort_by_key(|made| made.entry.quarter);
            }
            (Defect::MakesNoCorrections, _, Answer::Adjustments(made)) => made.clear(),
            (Defect::RebuildsOnTop, _, Answer::Totals(totals)) if *self.rebuilt.lock() => {
                totals.iter_mut().for_each(|total| total.count *= 2);
            }
            (Defect::ForgetsWhatWasTrimmed, _, Answer::Heads(heads)) => {
                heads.iter_mut().for_each(|head| head.trimmed = 0);
            }
            (Defect::NumbersEventsAnew, Call::Events(_, after, _), Answer::Events(events)) => {
                (after + 1..).zip(events).for_each(|(seq, event)| event.seq = seq);
            }
            (Defect::AcknowledgesBackwards | Defect::RemembersDeletedSessions, _, Answer::Acknowledged(known)) => {
                known.0.extend(&self.acknowledged.lock().0);
            }
            _ => {}
        }
        answer
    }

    /// Writes something else.
    pub(crate) async fn write_ledger(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        if let Call::Acknowledge(_, handled) = &call {
            self.acknowledged.lock().0.extend(&handled.0);
        }
        match (self.defect, call) {
            (Defect::ErasesNothing, Call::Delete(id, revision, _, audit)) => {
                Call::Delete(id, revision, Deletion::Delete, audit).send(storage).await
            }
            (Defect::ErasesEveryTime, Call::Delete(id, revision, _, audit)) => {
                Call::Delete(id, revision, Deletion::Erase, audit).send(storage).await
            }
            (Defect::ReplacesAnyLedgerKey, Call::ReplaceLedgerKey(_, sealed)) => {
                let old = storage.ledger_key().await?;
                Call::ReplaceLedgerKey(old.as_deref(), sealed).send(storage).await
            }
            (Defect::RebuildsOnTop, Call::RebuildLeads) => {
                *self.rebuilt.lock() = true;
                Call::RebuildLeads.send(storage).await
            }
            (Defect::TrimsNothing, Call::TrimEvents(..)) => Ok(Answer::Number(0)),
            (Defect::KeepsOneMore, Call::TrimEvents(session, keep, now, limit)) => {
                let keep = Retention { count: keep.count.map(|count| count + 1), ..*keep };
                Ok(storage.trim_events(session, &keep, now, limit).await?.into())
            }
            (Defect::TrimsWhatIsJustAsOld, Call::TrimEvents(session, keep, now, limit)) => {
                Call::TrimEvents(session, keep, now + Duration::from_millis(1), limit).send(storage).await
            }
            (Defect::TrimsWithoutLimit, Call::TrimEvents(session, keep, now, _)) => {
                Call::TrimEvents(session, keep, now, u32::MAX).send(storage).await
            }
            (Defect::TrimsAtOnce, Call::TrimEvents(session, keep, now, limit)) if *keep == Retention::default() => {
                let nothing = Retention { count: Some(0), ..*keep };
                Ok(storage.trim_events(session, &nothing, now, limit).await?.into())
            }
            (Defect::TrimsWhatIsNeeded, Call::TrimEvents(session, keep, now, limit)) => {
                for consumer in storage.consumers().await? {
                    storage.remove_consumer(&consumer).await?;
                }
                Call::TrimEvents(session, keep, now, limit).send(storage).await
            }
            (Defect::RegistersAnew, Call::RegisterConsumer(name)) => {
                let _ = storage.remove_consumer(name).await;
                Call::RegisterConsumer(name).send(storage).await
            }
            (Defect::RemovesUnknownConsumers, Call::RemoveConsumer(name)) => {
                match storage.remove_consumer(name).await {
                    Err(error) if error.kind() == StorageErrorKind::NotFound => Ok(Answer::Done(())),
                    other => other.map(Answer::Done),
                }
            }
            (Defect::RegistersWhoAcknowledges, Call::Acknowledge(name, handled)) => {
                storage.register_consumer(name).await?;
                Call::Acknowledge(name, handled).send(storage).await
            }
            (_, call) => call.send(storage).await,
        }
    }
}

//! The lead ledger: [`Tables`], and what they are told.

use async_trait::async_trait;

use super::MemoryStorage;
use super::session::Session;
use crate::clock::Timestamp;
use crate::leads::{Fact, LeadAdjustment, LeadTotal, PersonKey, Tables, ledger};
use crate::lifecycle::Desired;
use crate::storage::{LeadStore, StorageError};

/// Something the ledger is told.
pub(super) enum Telling {
    /// What happened between this person and the session.
    Fact(PersonKey, Fact),
    /// These two are one person.
    SamePerson(PersonKey, PersonKey),
}

impl Session {
    /// Notes who is bound to the session and whether it ought to run, from now on.
    pub(super) fn note_shift(&self, tables: &mut Tables, now: Timestamp) {
        let running = self.record.facts.desired == Desired::Started;
        tables.set_shift(self.record.id, now, self.record.agent.clone(), running);
    }

    /// Tells the ledger something of this session.
    pub(super) fn tell(&self, tables: &mut Tables, telling: Telling, now: Timestamp) {
        let Ok(()) = match telling {
            Telling::SamePerson(one, other) => ledger::same_person(tables, &one, &other, now),
            Telling::Fact(person, fact) => {
                let first_login = self.record.first_login_at;
                ledger::record(tables, &person, self.record.id, first_login, &fact, now)
            }
        };
    }
}

#[async_trait]
impl LeadStore for MemoryStorage {
    async fn lead_totals(&self, from: Timestamp, until: Timestamp) -> Result<Vec<LeadTotal>, StorageError> {
        Ok(self.open()?.leads.totals(from, until))
    }

    async fn lead_adjustments(&self, from: Timestamp, until: Timestamp) -> Result<Vec<LeadAdjustment>, StorageError> {
        Ok(self.open()?.leads.adjustments(from, until))
    }

    async fn rebuild_leads(&self) -> Result<(), StorageError> {
        let Ok(()) = ledger::rebuild(&mut self.open()?.leads);
        Ok(())
    }

    async fn ledger_key(&self) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.open()?.ledger_key.clone())
    }

    async fn replace_ledger_key(&self, old: Option<&[u8]>, sealed: &[u8]) -> Result<bool, StorageError> {
        let mut state = self.open()?;
        let in_force = state.ledger_key.as_deref() == old;
        if in_force {
            state.ledger_key = Some(sealed.to_vec());
        }
        Ok(in_force)
    }
}

//! What the ledger asks of a storage.

use super::row::{Moment, Pair, PairFacts, PairId, PersonId, Shift, Trace, Visit};
use crate::clock::Timestamp;
use crate::ids::SessionId;
use crate::leads::{LeadAdjustment, LeadEntry, PersonKey};

/// The rows of a ledger, as one transaction of a storage sees and changes them.
///
/// Each method is one indexed statement of a database; none of them decides anything. A call of the ledger
/// ([`record`](super::record), [`same_person`](super::same_person), [`erase`](super::erase), [`rebuild`](super::rebuild))
/// happens within one transaction, and that transaction is rolled back when a method fails. Two calls that change the ledger
/// never run at the same time, or the storage makes them serializable.
///
/// [`Tables`](crate::leads::Tables) is the reference.
pub trait LedgerRows {
    /// Why a row could not be read or written.
    type Error;

    /// The person with this key.
    fn person(&self, key: &PersonKey) -> Result<Option<PersonId>, Self::Error>;

    /// Adds a person with one key. No person has it.
    fn add_person(&mut self, key: &PersonKey) -> Result<PersonId, Self::Error>;

    /// Gives a person one more key. No person has it.
    fn add_key(&mut self, person: PersonId, key: &PersonKey) -> Result<(), Self::Error>;

    /// Gives every key and every trace of `from` to `to`, and removes `from`, which has no pairs any more.
    fn join_person(&mut self, from: PersonId, to: PersonId) -> Result<(), Self::Error>;

    /// Removes a person with its keys and traces. It has no pairs any more.
    fn remove_person(&mut self, person: PersonId) -> Result<(), Self::Error>;

    /// The first `limit` persons after this one, ascending; from the first one on without it.
    fn persons(&self, after: Option<PersonId>, limit: u32) -> Result<Vec<PersonId>, Self::Error>;

    /// What is left of the person's leads in erased sessions, in any order.
    fn traces(&self, person: PersonId) -> Result<Vec<Trace>, Self::Error>;

    /// Adds a trace to a person; it may have another that is equal.
    fn add_trace(&mut self, person: PersonId, trace: &Trace) -> Result<(), Self::Error>;

    /// The pair of this person and this session.
    fn pair(&self, person: PersonId, session: SessionId) -> Result<Option<Pair>, Self::Error>;

    /// All pairs of a person, in any order.
    fn pairs(&self, person: PersonId) -> Result<Vec<Pair>, Self::Error>;

    /// Any `limit` pairs of a session, fewer only if there are no more.
    fn session_pairs(&self, session: SessionId, limit: u32) -> Result<Vec<Pair>, Self::Error>;

    /// Adds a pair without visits. The two have none.
    fn add_pair(&mut self, person: PersonId, session: SessionId, facts: &PairFacts) -> Result<PairId, Self::Error>;

    /// Replaces the person and the facts of the pair with this id.
    fn put_pair(&mut self, pair: &Pair) -> Result<(), Self::Error>;

    /// Removes a pair and its visits.
    fn remove_pair(&mut self, pair: PairId) -> Result<(), Self::Error>;

    /// The last visit of a pair that starts at this moment or before it.
    fn visit_until(&self, pair: PairId, moment: &Moment) -> Result<Option<Visit>, Self::Error>;

    /// The first visit of a pair that starts after this moment; its very first one without a moment.
    fn visit_after(&self, pair: PairId, moment: Option<&Moment>) -> Result<Option<Visit>, Self::Error>;

    /// All visits of a pair in the order of their starts. Asked for only when the pair begins or ceases to count, on a merge
    /// of its person, on erasure and on rebuilding.
    fn visits(&self, pair: PairId) -> Result<Vec<Visit>, Self::Error>;

    /// Adds a visit, or replaces the one with the same start.
    fn put_visit(&mut self, pair: PairId, visit: &Visit) -> Result<(), Self::Error>;

    /// Removes the visit with this start. There is one.
    fn remove_visit(&mut self, pair: PairId, start: &Moment) -> Result<(), Self::Error>;

    /// Who was bound to the session at that time, and whether it was running: the last shift at or before the time, else the
    /// session's first one.
    fn shift(&self, session: SessionId, at: Timestamp) -> Result<Option<Shift>, Self::Error>;

    /// Removes all shifts of a session.
    fn remove_shifts(&mut self, session: SessionId) -> Result<(), Self::Error>;

    /// Adds `change`, never 0, to the total of this entry. A total that does not exist counts as 0, and one that becomes 0
    /// ceases to exist.
    fn add(&mut self, entry: &LeadEntry, change: i64) -> Result<(), Self::Error>;

    /// Appends a correction. It is no part of the totals.
    fn adjust(&mut self, adjustment: &LeadAdjustment) -> Result<(), Self::Error>;

    /// Adds `count` to the visits without a person that count as this entry. It is no part of the totals, which hold them
    /// already.
    fn add_anonymous(&mut self, entry: &LeadEntry, count: u64) -> Result<(), Self::Error>;

    /// Sets the totals to the visits without a person, and nothing else.
    fn restart_totals(&mut self) -> Result<(), Self::Error>;
}

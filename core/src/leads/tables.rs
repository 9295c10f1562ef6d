//! The ledger in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ops::Bound::{Excluded, Unbounded};

use super::ledger::{LedgerRows, Moment, Pair, PairFacts, PairId, PersonId, Shift, Trace, Visit};
use super::{LeadAdjustment, LeadEntry, LeadTotal, PersonKey};
use crate::clock::Timestamp;
use crate::ids::{AgentId, SessionId};

/// A ledger in memory: the reference [`LedgerRows`], with the figures that came of it.
///
/// ```
/// use seatport::leads::Tables;
/// use seatport::leads::ledger::LedgerRows;
/// use seatport::{Random, SessionId, Timestamp};
///
/// let noon = Timestamp::from_millis(1_700_000_000_000);
/// let session = SessionId::generate(noon, &Random::seeded(7));
/// let mut tables = Tables::default();
/// tables.set_shift(session, noon, Some("mei".parse()?), true);
/// let Ok(shift) = tables.shift(session, noon);
/// assert_eq!(shift.and_then(|shift| shift.agent), Some("mei".parse()?));
/// # Ok::<(), seatport::Invalid>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// The last number given to a person.
    last_person: i64,
    /// The last number given to a pair.
    last_pair: i64,
    keys: BTreeMap<PersonKey, PersonId>,
    persons: BTreeMap<PersonId, Person>,
    pairs: BTreeMap<PairId, Pair>,
    sessions: BTreeMap<SessionId, BTreeSet<PairId>>,
    visits: BTreeMap<PairId, BTreeMap<Moment, Visit>>,
    shifts: BTreeMap<SessionId, BTreeMap<Timestamp, Shift>>,
    anonymous: BTreeMap<LeadEntry, u64>,
    totals: BTreeMap<LeadEntry, u64>,
    adjustments: Vec<LeadAdjustment>,
}

#[derive(Clone, Debug, Default)]
struct Person {
    keys: BTreeSet<PersonKey>,
    traces: Vec<Trace>,
    pairs: BTreeMap<SessionId, PairId>,
}

impl Tables {
    /// Says who is bound to a session from a time on, and whether the session is running; told in the order of time. A row is
    /// added only if that differs from what is in force at that time; it takes the place of one of the same time.
    pub fn set_shift(&mut self, session: SessionId, at: Timestamp, agent: Option<AgentId>, running: bool) {
        let shifts = self.shifts.entry(session).or_default();
        let before = shifts.range(..=at).next_back();
        if before.is_none_or(|(_, shift)| shift.agent != agent || shift.running != running) {
            shifts.insert(at, Shift { at, agent, running });
        }
    }

    /// The totals of the quarters of an hour in `from..until`, in the order of their entries.
    #[must_use]
    pub fn totals(&self, from: Timestamp, until: Timestamp) -> Vec<LeadTotal> {
        let totals = self.totals.iter().filter(|(entry, _)| (from..until).contains(&entry.quarter));
        totals.map(|(entry, count)| LeadTotal { entry: entry.clone(), count: *count }).collect()
    }

    /// The corrections of the quarters of an hour in `from..until`, in the order in which they were posted.
    #[must_use]
    pub fn adjustments(&self, from: Timestamp, until: Timestamp) -> Vec<LeadAdjustment> {
        let adjustments = self.adjustments.iter().filter(|made| (from..until).contains(&made.entry.quarter));
        adjustments.cloned().collect()
    }

    fn pairs_of(&self, ids: impl IntoIterator<Item = PairId>) -> Vec<Pair> {
        ids.into_iter().filter_map(|id| self.pairs.get(&id).cloned()).collect()
    }
}

impl LedgerRows for Tables {
    type Error = Infallible;

    fn person(&self, key: &PersonKey) -> Result<Option<PersonId>, Infallible> {
        Ok(self.keys.get(key).copied())
    }

    fn add_person(&mut self, key: &PersonKey) -> Result<PersonId, Infallible> {
        self.last_person += 1;
        let person = PersonId(self.last_person);
        self.persons.insert(person, Person::default());
        self.add_key(person, key)?;
        Ok(person)
    }

    fn add_key(&mut self, person: PersonId, key: &PersonKey) -> Result<(), Infallible> {
        self.keys.insert(*key, person);
        self.persons.entry(person).or_default().keys.insert(*key);
        Ok(())
    }

    fn join_person(&mut self, from: PersonId, to: PersonId) -> Result<(), Infallible> {
        let gone = self.persons.remove(&from).unwrap_or_default();
        self.keys.extend(gone.keys.iter().map(|key| (*key, to)));
        let person = self.persons.entry(to).or_default();
        person.keys.extend(gone.keys);
        person.traces.extend(gone.traces);
        Ok(())
    }

    fn remove_person(&mut self, person: PersonId) -> Result<(), Infallible> {
        let gone = self.persons.remove(&person).unwrap_or_default();
        for key in &gone.keys {
            self.keys.remove(key);
        }
        Ok(())
    }

    fn persons(&self, after: Option<PersonId>, limit: u32) -> Result<Vec<PersonId>, Infallible> {
        let persons = self.persons.range((after.map_or(Unbounded, Excluded), Unbounded));
        Ok(persons.map(|(person, _)| *person).take(limit as usize).collect())
    }

    fn traces(&self, person: PersonId) -> Result<Vec<Trace>, Infallible> {
        Ok(self.persons.get(&person).map(|person| person.traces.clone()).unwrap_or_default())
    }

    fn add_trace(&mut self, person: PersonId, trace: &Trace) -> Result<(), Infallible> {
        self.persons.entry(person).or_default().traces.push(trace.clone());
        Ok(())
    }

    fn pair(&self, person: PersonId, session: SessionId) -> Result<Option<Pair>, Infallible> {
        let id = self.persons.get(&person).and_then(|person| person.pairs.get(&session));
        Ok(id.and_then(|id| self.pairs.get(id)).cloned())
    }

    fn pairs(&self, person: PersonId) -> Result<Vec<Pair>, Infallible> {
        let ids = self.persons.get(&person).into_iter().flat_map(|person| person.pairs.values().copied());
        Ok(self.pairs_of(ids))
    }

    fn session_pairs(&self, session: SessionId, limit: u32) -> Result<Vec<Pair>, Infallible> {
        let ids = self.sessions.get(&session).into_iter().flatten().copied();
        Ok(self.pairs_of(ids.take(limit as usize)))
    }

    fn add_pair(&mut self, person: PersonId, session: SessionId, facts: &PairFacts) -> Result<PairId, Infallible> {
        self.last_pair += 1;
        let id = PairId(self.last_pair);
        self.put_pair(&Pair { id, person, session, facts: facts.clone() })?;
        Ok(id)
    }

    fn put_pair(&mut self, pair: &Pair) -> Result<(), Infallible> {
        if let Some(before) = self.pairs.insert(pair.id, pair.clone())
            && let Some(person) = self.persons.get_mut(&before.person)
        {
            person.pairs.remove(&before.session);
        }
        self.persons.entry(pair.person).or_default().pairs.insert(pair.session, pair.id);
        self.sessions.entry(pair.session).or_default().insert(pair.id);
        Ok(())
    }

    fn remove_pair(&mut self, pair: PairId) -> Result<(), Infallible> {
        self.visits.remove(&pair);
        if let Some(gone) = self.pairs.remove(&pair) {
            self.persons.entry(gone.person).or_default().pairs.remove(&gone.session);
            self.sessions.entry(gone.session).or_default().remove(&pair);
        }
        Ok(())
    }

    fn visit_until(&self, pair: PairId, moment: &Moment) -> Result<Option<Visit>, Infallible> {
        let visit = self.visits.get(&pair).and_then(|visits| visits.range(..=moment).next_back());
        Ok(visit.map(|(_, visit)| visit.clone()))
    }

    fn visit_after(&self, pair: PairId, moment: Option<&Moment>) -> Result<Option<Visit>, Infallible> {
        let after = (moment.map_or(Unbounded, Excluded), Unbounded);
        let visit = self.visits.get(&pair).and_then(|visits| visits.range::<Moment, _>(after).next());
        Ok(visit.map(|(_, visit)| visit.clone()))
    }

    fn visits(&self, pair: PairId) -> Result<Vec<Visit>, Infallible> {
        Ok(self.visits.get(&pair).into_iter().flat_map(|visits| visits.values().cloned()).collect())
    }

    fn put_visit(&mut self, pair: PairId, visit: &Visit) -> Result<(), Infallible> {
        self.visits.entry(pair).or_default().insert(visit.start.clone(), visit.clone());
        Ok(())
    }

    fn remove_visit(&mut self, pair: PairId, start: &Moment) -> Result<(), Infallible> {
        self.visits.entry(pair).or_default().remove(start);
        Ok(())
    }

    fn shift(&self, session: SessionId, at: Timestamp) -> Result<Option<Shift>, Infallible> {
        let shifts = self.shifts.get(&session);
        let shift = shifts.and_then(|shifts| shifts.range(..=at).next_back().or_else(|| shifts.iter().next()));
        Ok(shift.map(|(_, shift)| shift.clone()))
    }

    fn remove_shifts(&mut self, session: SessionId) -> Result<(), Infallible> {
        self.shifts.remove(&session);
        Ok(())
    }

    fn add(&mut self, entry: &LeadEntry, change: i64) -> Result<(), Infallible> {
        let count = self.totals.entry(entry.clone()).or_default();
        *count = count.saturating_add_signed(change);
        if *count == 0 {
            self.totals.remove(entry);
        }
        Ok(())
    }

    fn adjust(&mut self, adjustment: &LeadAdjustment) -> Result<(), Infallible> {
        self.adjustments.push(adjustment.clone());
        Ok(())
    }

    fn add_anonymous(&mut self, entry: &LeadEntry, count: u64) -> Result<(), Infallible> {
        *self.anonymous.entry(entry.clone()).or_default() += count;
        Ok(())
    }

    fn restart_totals(&mut self) -> Result<(), Infallible> {
        self.totals = self.anonymous.clone();
        Ok(())
    }
}

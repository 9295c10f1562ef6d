//! The rows of the ledger that a transaction has locked and fetched, and what becomes of them in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use seatport::leads::ledger::{self, LedgerRows, Moment, Pair, PairFacts, PairId, PersonId, Shift, Trace, Visit};
use seatport::leads::{LeadAdjustment, LeadEntry, PersonKey};
use seatport::{SessionId, Timestamp};

use super::{Telling, Told};

/// A part of the ledger, which knows what it does not know: what is asked of it beyond that is an error, and nothing is
/// guessed.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// The keys that were told about and are known.
    pub(super) keys: BTreeMap<PersonKey, PersonId>,
    /// Whom a key is of that was not known before: the row is there, and nobody else sees it yet.
    pub(super) reserved: BTreeMap<PersonKey, PersonId>,
    pub(super) persons: BTreeMap<PersonId, Person>,
    /// A pair that is not stored yet has a number below 0. Visits are stored by person and session, so it needs no other.
    pub(super) pairs: BTreeMap<PairId, Pair>,
    /// Which pair a person has with a session.
    pub(super) by_session: BTreeMap<(PersonId, SessionId), PairId>,
    /// In the order of their starts.
    pub(super) visits: BTreeMap<PairId, Vec<Visit>>,
    /// The pairs of which every visit is there.
    pub(super) whole: BTreeSet<PairId>,
    /// Of pairs that have more visits than their newest ones, the first of these: what is later is there.
    pub(super) newest: BTreeMap<PairId, Moment>,
    /// Of each session those from the earliest time told on.
    pub(super) shifts: BTreeMap<SessionId, BTreeMap<Timestamp, Shift>>,
    /// Who became whom, in this order.
    pub(super) joined: Vec<(PersonId, PersonId)>,
    /// By how much the totals change.
    pub(super) totals: BTreeMap<LeadEntry, i64>,
    pub(super) anonymous: BTreeMap<LeadEntry, u64>,
    pub(super) adjustments: Vec<LeadAdjustment>,
    pub(super) traces: Vec<(PersonId, Trace)>,
    pub(super) removed: Vec<PersonId>,
}

/// Where the visit with this start is among these, or where it would be.
pub(super) fn place(visits: &[Visit], start: &Moment) -> Result<usize, usize> {
    visits.binary_search_by(|visit| visit.start.cmp(start))
}

/// Puts a visit among these, in the place of the one with the same start if there is one.
pub(super) fn put(visits: &mut Vec<Visit>, visit: Visit) {
    match place(visits, &visit.start) {
        Ok(there) => visits[there] = visit,
        Err(between) => visits.insert(between, visit),
    }
}

/// What is known of a person.
#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    pub(super) depth: Depth,
    pub(super) traces: Vec<Trace>,
}

/// How much of a person is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    /// The pairs with the sessions that tell of the person, each with its newest visits.
    #[default]
    Told,
    /// Beside that all pairs, each with its first visit, and the traces.
    Firsts,
    /// Everything.
    All,
}

/// What was asked for and is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// More of this person.
    Person(PersonId, Depth),
    /// The other visits of this pair.
    Visits(PairId),
}

/// What is to be fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AllMissing {
    pub(super) persons: BTreeMap<PersonId, Depth>,
    pub(super) visits: BTreeSet<PairId>,
}

impl AllMissing {
    pub(super) fn is_empty(&self) -> bool {
        self.persons.is_empty() && self.visits.is_empty()
    }

    pub(super) fn add(&mut self, missing: Missing) {
        match missing {
            Missing::Person(person, depth) => {
                let known = self.persons.entry(person).or_default();
                *known = depth.max(*known);
            }
            Missing::Visits(pair) => drop(self.visits.insert(pair)),
        }
    }
}

impl Rows {
    /// What the merges among these will ask for: all of a person who gets another key, for all that is told under that key then
    /// belongs to the person as well, whose pairs were not looked for under it.
    pub(super) fn before_merges(&self, told: &[Told]) -> AllMissing {
        let mut missing = AllMissing::default();
        for told in told {
            if let Telling::SamePerson(one, other) = &told.telling {
                let (one, other) = (self.keys.get(one), self.keys.get(other));
                if one != other {
                    for person in one.into_iter().chain(other) {
                        missing.add(Missing::Person(*person, Depth::All));
                    }
                }
            }
        }
        missing
    }

    /// Tells the ledger all this. If something is missing, the rows are worth nothing afterwards.
    pub(super) fn hear(&mut self, told: &[Told]) -> AllMissing {
        let mut all = AllMissing::default();
        for Told { session, first_login, at, telling } in told {
            let heard = match telling {
                Telling::Shift { agent, running } => {
                    let shift = Shift { at: *at, agent: agent.clone(), running: *running };
                    self.set_shift(*session, shift);
                    Ok(())
                }
                Telling::SamePerson(one, other) => ledger::same_person(self, one, other, *at),
                Telling::Fact(person, fact) => ledger::record(self, person, *session, *first_login, fact, *at),
            };
            if let Err(missing) = heard {
                all.add(missing);
            }
        }
        all
    }

    /// Adds a shift, unless that is in force already.
    fn set_shift(&mut self, session: SessionId, shift: Shift) {
        let shifts = self.shifts.entry(session).or_default();
        let before = shifts.range(..=shift.at).next_back();
        if before.is_none_or(|(_, before)| before.agent != shift.agent || before.running != shift.running) {
            shifts.insert(shift.at, shift);
        }
    }

    /// Answers with the person if so much is known of them.
    fn known(&self, person: PersonId, depth: Depth) -> Result<&Person, Missing> {
        let known = self.persons.get(&person).filter(|known| known.depth >= depth);
        known.ok_or(Missing::Person(person, depth))
    }

    /// The visits of this pair that are there, in the order of their starts.
    fn visits_of(&self, pair: PairId) -> &[Visit] {
        self.visits.get(&pair).map_or(&[], Vec::as_slice)
    }

    /// Whether the pair is not stored yet, so that all there is of it is here.
    fn is_new(pair: PairId) -> bool {
        pair.0 < 0
    }

    fn has_all_of(&self, pair: PairId) -> bool {
        let person = || self.pairs.get(&pair).and_then(|pair| self.persons.get(&pair.person));
        Self::is_new(pair) || self.whole.contains(&pair) || person().is_some_and(|person| person.depth == Depth::All)
    }

    /// Answers if the visits around this moment are there.
    fn has_around(&self, pair: PairId, moment: &Moment) -> Result<(), Missing> {
        let is_late = || self.newest.get(&pair).is_some_and(|first| first <= moment);
        if self.has_all_of(pair) || is_late() { Ok(()) } else { Err(Missing::Visits(pair)) }
    }
}

impl LedgerRows for Rows {
    type Error = Missing;

    fn person(&self, key: &PersonKey) -> Result<Option<PersonId>, Missing> {
        Ok(self.keys.get(key).copied())
    }

    fn add_person(&mut self, key: &PersonKey) -> Result<PersonId, Missing> {
        // Whoever is told about is known or has a number reserved; nobody has the number 0.
        let reserved = self.reserved.get(key).copied();
        let person = reserved.ok_or(Missing::Person(PersonId(0), Depth::All))?;
        self.persons.insert(person, Person { depth: Depth::All, ..Person::default() });
        self.keys.insert(*key, person);
        Ok(person)
    }

    fn add_key(&mut self, person: PersonId, key: &PersonKey) -> Result<(), Missing> {
        self.known(person, Depth::All)?;
        self.keys.insert(*key, person);
        Ok(())
    }

    fn join_person(&mut self, from: PersonId, to: PersonId) -> Result<(), Missing> {
        self.known(from, Depth::All)?;
        self.known(to, Depth::All)?;
        let gone = self.persons.remove(&from).unwrap_or_default();
        self.persons.entry(to).or_default().traces.extend(gone.traces);
        self.keys.values_mut().filter(|person| **person == from).for_each(|person| *person = to);
        self.joined.push((from, to));
        Ok(())
    }

    fn remove_person(&mut self, person: PersonId) -> Result<(), Missing> {
        self.persons.remove(&person);
        self.keys.retain(|_, of| *of != person);
        self.removed.push(person);
        Ok(())
    }

    fn persons(&self, after: Option<PersonId>, limit: u32) -> Result<Vec<PersonId>, Missing> {
        let persons = self.persons.range((after.map_or(Unbounded, Excluded), Unbounded));
        Ok(persons.map(|(person, _)| *person).take(limit as usize).collect())
    }

    fn traces(&self, person: PersonId) -> Result<Vec<Trace>, Missing> {
        Ok(self.known(person, Depth::Firsts)?.traces.clone())
    }

    fn add_trace(&mut self, person: PersonId, trace: &Trace) -> Result<(), Missing> {
        self.persons.entry(person).or_default().traces.push(trace.clone());
        self.traces.push((person, trace.clone()));
        Ok(())
    }

    fn pair(&self, person: PersonId, session: SessionId) -> Result<Option<Pair>, Missing> {
        self.known(person, Depth::Told)?;
        Ok(self.by_session.get(&(person, session)).and_then(|id| self.pairs.get(id)).cloned())
    }

    fn pairs(&self, person: PersonId) -> Result<Vec<Pair>, Missing> {
        self.known(person, Depth::Firsts)?;
        let [first, last] = [0, u8::MAX].map(|byte| (person, SessionId::from_bytes([byte; 16])));
        Ok(self.by_session.range(first..=last).filter_map(|(_, id)| self.pairs.get(id).cloned()).collect())
    }

    fn session_pairs(&self, session: SessionId, limit: u32) -> Result<Vec<Pair>, Missing> {
        let pairs = self.pairs.values().filter(|pair| pair.session == session);
        Ok(pairs.take(limit as usize).cloned().collect())
    }

    fn add_pair(&mut self, person: PersonId, session: SessionId, facts: &PairFacts) -> Result<PairId, Missing> {
        let first = self.pairs.keys().next().map_or(0, |first| first.0.min(0));
        let id = PairId(first - 1);
        self.put_pair(&Pair { id, person, session, facts: facts.clone() })?;
        Ok(id)
    }

    fn put_pair(&mut self, pair: &Pair) -> Result<(), Missing> {
        if let Some(before) = self.pairs.insert(pair.id, pair.clone()) {
            self.by_session.remove(&(before.person, before.session));
        }
        self.by_session.insert((pair.person, pair.session), pair.id);
        Ok(())
    }

    fn remove_pair(&mut self, pair: PairId) -> Result<(), Missing> {
        self.visits.remove(&pair);
        if let Some(gone) = self.pairs.remove(&pair) {
            self.by_session.remove(&(gone.person, gone.session));
        }
        Ok(())
    }

    fn visit_until(&self, pair: PairId, moment: &Moment) -> Result<Option<Visit>, Missing> {
        self.has_around(pair, moment)?;
        let visits = self.visits_of(pair);
        Ok(visits[..visits.partition_point(|visit| visit.start <= *moment)].last().cloned())
    }

    fn visit_after(&self, pair: PairId, moment: Option<&Moment>) -> Result<Option<Visit>, Missing> {
        match (moment, self.pairs.get(&pair)) {
            (Some(moment), _) => self.has_around(pair, moment)?,
            (None, Some(of)) if !self.has_all_of(pair) => drop(self.known(of.person, Depth::Firsts)?),
            (None, _) => {}
        }
        let visits = self.visits_of(pair);
        let first = moment.map_or(0, |moment| visits.partition_point(|visit| visit.start <= *moment));
        Ok(visits.get(first).cloned())
    }

    fn visits(&self, pair: PairId) -> Result<Vec<Visit>, Missing> {
        if !self.has_all_of(pair) {
            return Err(Missing::Visits(pair));
        }
        Ok(self.visits_of(pair).to_vec())
    }

    fn put_visit(&mut self, pair: PairId, visit: &Visit) -> Result<(), Missing> {
        put(self.visits.entry(pair).or_default(), visit.clone());
        Ok(())
    }

    fn remove_visit(&mut self, pair: PairId, start: &Moment) -> Result<(), Missing> {
        let visits = self.visits.entry(pair).or_default();
        if let Ok(there) = place(visits, start) {
            visits.remove(there);
        }
        Ok(())
    }

    fn shift(&self, session: SessionId, at: Timestamp) -> Result<Option<Shift>, Missing> {
        let shifts = self.shifts.get(&session);
        let shift = shifts.and_then(|shifts| shifts.range(..=at).next_back().or_else(|| shifts.iter().next()));
        Ok(shift.map(|(_, shift)| shift.clone()))
    }

    fn remove_shifts(&mut self, _: SessionId) -> Result<(), Missing> {
        // Who erases a session does it piece by piece, and removes them at the end.
        Ok(())
    }

    fn add(&mut self, entry: &LeadEntry, change: i64) -> Result<(), Missing> {
        *self.totals.entry(entry.clone()).or_default() += change;
        Ok(())
    }

    fn adjust(&mut self, adjustment: &LeadAdjustment) -> Result<(), Missing> {
        self.adjustments.push(adjustment.clone());
        Ok(())
    }

    fn add_anonymous(&mut self, entry: &LeadEntry, count: u64) -> Result<(), Missing> {
        *self.anonymous.entry(entry.clone()).or_default() += count;
        Ok(())
    }

    fn restart_totals(&mut self) -> Result<(), Missing> {
        self.totals.clear();
        Ok(())
    }
}

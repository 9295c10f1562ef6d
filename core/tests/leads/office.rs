//! Feeding a ledger.

use seatport::conversation::Author;
use seatport::leads::ledger::{self, LedgerRows};
use seatport::leads::{Fact, LeadAdjustment, LeadEntry, LeadQuery, LeadReport, LeadTotal, PersonKey, Tables};
use seatport::{AgentId, Random, SessionId, Timestamp};

use crate::log::{Kind, Line, Log, SECOND, What};

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// All time there is.
pub(crate) const ALWAYS: (Timestamp, Timestamp) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));

/// The ledger after a whole log.
pub(crate) fn ledger_of(log: &Log) -> Tables {
    let mut tables = Tables::default();
    for shift in &log.shifts {
        tables.set_shift(shift.session, shift.at, shift.agent.clone(), shift.running);
    }
    log.lines.iter().for_each(|line| hear(&mut tables, log, line));
    tables
}

/// What a host tells the ledger of a line.
fn hear(tables: &mut Tables, log: &Log, line: &Line) {
    let Ok(()) = match &line.what {
        What::Happened { session, person, at, id, kind } => {
            let (at, id) = (*at, id.clone());
            let fact = match kind {
                Kind::Message | Kind::Undecryptable => Fact::Wrote { at, id },
                Kind::Ours(by) => Fact::Answered { at, id, by: by.clone() },
                Kind::History => Fact::Known { at },
                _ => return,
            };
            ledger::record(tables, person, *session, log.login(*session), &fact, line.heard)
        }
        What::SamePerson(a, b) => ledger::same_person(tables, a, b, line.heard),
        What::Deleted(_) => Ok(()),
        What::Erased(session) => ledger::erase(tables, *session),
    };
}

/// The report of a query, read from the ledger at this time.
pub(crate) fn report(tables: &Tables, query: &LeadQuery, now: Timestamp) -> LeadReport {
    let (from, until) = query.range();
    let before = query.range_before().map(|(from, until)| tables.totals(from, until)).unwrap_or_default();
    LeadReport::new(query, &tables.totals(from, until), &before, now)
}

/// A ledger for tests that tell a story: times are in milliseconds, and everything is heard of as it happens, unless said
/// otherwise. All accounts logged in at 0.
pub(crate) struct Office {
    pub(crate) tables: Tables,
    pub(crate) sessions: Vec<SessionId>,
    pub(crate) login: Option<Timestamp>,
    /// When the next thing is heard of, if not as it happens.
    pub(crate) heard: Option<i64>,
}

pub(crate) const ANN: PersonKey = PersonKey::from_bytes([1; 16]);
pub(crate) const BOB: PersonKey = PersonKey::from_bytes([2; 16]);

impl Office {
    pub(crate) fn new() -> Self {
        let random = Random::seeded(1);
        let sessions = (0..3).map(|n| SessionId::generate(at(n * SECOND), &random)).collect();
        Self { tables: Tables::default(), sessions, login: Some(at(0)), heard: None }
    }

    pub(crate) fn tell(&mut self, person: PersonKey, session: usize, fact: Fact) -> &mut Self {
        let (Fact::Wrote { at: time, .. } | Fact::Answered { at: time, .. } | Fact::Known { at: time }) = &fact;
        let heard = self.heard.map_or(*time, at);
        let Ok(()) = ledger::record(&mut self.tables, &person, self.sessions[session], self.login, &fact, heard);
        self
    }

    pub(crate) fn writes(&mut self, person: PersonKey, session: usize, millis: i64) -> &mut Self {
        self.writes_as(person, session, millis, "m")
    }

    pub(crate) fn writes_as(&mut self, person: PersonKey, session: usize, millis: i64, id: &str) -> &mut Self {
        self.tell(person, session, Fact::Wrote { at: at(millis), id: id.parse().unwrap() })
    }

    pub(crate) fn answered(&mut self, person: PersonKey, session: usize, millis: i64, by: Author) -> &mut Self {
        self.tell(person, session, Fact::Answered { at: at(millis), id: "o".parse().unwrap(), by })
    }

    pub(crate) fn known(&mut self, person: PersonKey, session: usize, millis: i64) -> &mut Self {
        self.tell(person, session, Fact::Known { at: at(millis) })
    }

    pub(crate) fn same(&mut self, a: PersonKey, b: PersonKey, heard: i64) -> &mut Self {
        let Ok(()) = ledger::same_person(&mut self.tables, &a, &b, at(heard));
        self
    }

    pub(crate) fn erase(&mut self, session: usize) -> &mut Self {
        let Ok(()) = ledger::erase(&mut self.tables, self.sessions[session]);
        self
    }

    pub(crate) fn shift(&mut self, session: usize, millis: i64, agent: Option<&str>, running: bool) -> &mut Self {
        let agent = agent.map(|agent| agent.parse().unwrap());
        self.tables.set_shift(self.sessions[session], at(millis), agent, running);
        self
    }

    pub(crate) fn totals(&self) -> Vec<LeadTotal> {
        self.tables.totals(ALWAYS.0, ALWAYS.1)
    }

    /// Every visit's entry, by session and time.
    pub(crate) fn entries(&self) -> Vec<LeadEntry> {
        let totals = self.totals().into_iter();
        let mut entries: Vec<LeadEntry> = totals.flat_map(|total| vec![total.entry; total.count as usize]).collect();
        entries.sort_by_key(|entry| (entry.session, entry.quarter));
        entries
    }

    pub(crate) fn adjustments(&self) -> Vec<LeadAdjustment> {
        self.tables.adjustments(ALWAYS.0, ALWAYS.1)
    }

    /// Rebuilds the totals, and sees that they are the same to the byte.
    pub(crate) fn rebuilt(&mut self) -> &mut Self {
        let before = serde_json::to_string(&self.totals()).unwrap();
        let Ok(()) = ledger::rebuild(&mut self.tables);
        assert_eq!(serde_json::to_string(&self.totals()).unwrap(), before);
        self
    }

    /// Whether the ledger knows a person by this key.
    pub(crate) fn knows(&self, person: PersonKey) -> bool {
        let Ok(person) = self.tables.person(&person);
        person.is_some()
    }
}

pub(crate) fn mei() -> Author {
    Author::Agent(mei_id())
}

pub(crate) fn mei_id() -> AgentId {
    "mei".parse().unwrap()
}

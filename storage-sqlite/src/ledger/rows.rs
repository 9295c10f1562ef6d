//! The rows of the ledger: each method is one statement, as the trait asks.

use rusqlite::{Connection, Row, params};
use seatport::leads::ledger::{LedgerRows, Moment, Outbound, Pair, PairFacts, PairId, PersonId, Shift, Trace, Visit};
use seatport::leads::{LeadAdjustment, LeadEntry, PersonKey};
use seatport::{SessionId, Timestamp};

use super::entry::{self, ENTRY};
use super::shift;
use crate::codes::{Code, Json, Text, millis, time};
use crate::error::Failure;
use crate::sql::{all, execute, first};

/// The columns that [`pair`] reads.
const PAIR: &str = "id, person, session, first_login, first_activity, outbound_at, outbound_id, outbound_by";

/// The columns that [`visit`] reads.
const VISIT: &str = "at, id, until, agent, late";

/// The ledger, inside the writer's transaction.
pub(crate) struct Ledger<'a>(&'a Connection);

impl<'a> Ledger<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self(connection)
    }
}

fn pair(row: &Row<'_>) -> rusqlite::Result<Pair> {
    let first_outbound = match (time(row, 5)?, row.get::<_, Option<Text<_>>>(6)?, Json::maybe(row, 7)?) {
        (Some(at), Some(Text(id)), Some(by)) => Some(Outbound { moment: Moment { at, id }, by }),
        _ => None,
    };
    Ok(Pair {
        id: PairId(row.get(0)?),
        person: PersonId(row.get(1)?),
        session: SessionId::from_bytes(row.get(2)?),
        facts: PairFacts { first_login: time(row, 3)?, first_activity: time(row, 4)?, first_outbound },
    })
}

fn visit(row: &Row<'_>) -> rusqlite::Result<Visit> {
    let (Text(id), agent) = (row.get(1)?, row.get::<_, Option<Text<_>>>(3)?);
    Ok(Visit {
        start: Moment { at: Timestamp::from_millis(row.get(0)?), id },
        end: Timestamp::from_millis(row.get(2)?),
        agent: agent.map(|Text(agent)| agent),
        late: row.get(4)?,
    })
}

impl LedgerRows for Ledger<'_> {
    type Error = Failure;

    fn person(&self, key: &PersonKey) -> Result<Option<PersonId>, Failure> {
        let sql = "SELECT person FROM person_key WHERE key = ?1";
        Ok(first(self.0, sql, [key.as_bytes()], |row| row.get(0))?.map(PersonId))
    }

    fn add_person(&mut self, key: &PersonKey) -> Result<PersonId, Failure> {
        execute(self.0, "INSERT INTO person DEFAULT VALUES", [])?;
        let person = PersonId(self.0.last_insert_rowid());
        self.add_key(person, key)?;
        Ok(person)
    }

    fn add_key(&mut self, person: PersonId, key: &PersonKey) -> Result<(), Failure> {
        execute(self.0, "INSERT INTO person_key (key, person) VALUES (?1, ?2)", params![key.as_bytes(), person.0])?;
        Ok(())
    }

    fn join_person(&mut self, from: PersonId, to: PersonId) -> Result<(), Failure> {
        execute(self.0, "UPDATE person_key SET person = ?2 WHERE person = ?1", [from.0, to.0])?;
        execute(self.0, "UPDATE trace SET person = ?2 WHERE person = ?1", [from.0, to.0])?;
        self.remove_person(from)
    }

    fn remove_person(&mut self, person: PersonId) -> Result<(), Failure> {
        // Its keys and traces go with it.
        execute(self.0, "DELETE FROM person WHERE id = ?1", [person.0])?;
        Ok(())
    }

    fn persons(&self, after: Option<PersonId>, limit: u32) -> Result<Vec<PersonId>, Failure> {
        let after = after.map_or(i64::MIN, |person| person.0);
        let sql = "SELECT id FROM person WHERE id > ?1 ORDER BY id LIMIT ?2";
        Ok(all(self.0, sql, params![after, limit], |row| row.get(0).map(PersonId))?)
    }

    fn traces(&self, person: PersonId) -> Result<Vec<Trace>, Failure> {
        Ok(all(self.0, "SELECT at, id, tie FROM trace WHERE person = ?1", [person.0], |row| {
            let Text(id) = row.get(1)?;
            Ok(Trace { start: Moment { at: Timestamp::from_millis(row.get(0)?), id }, tie: row.get(2)? })
        })?)
    }

    fn add_trace(&mut self, person: PersonId, trace: &Trace) -> Result<(), Failure> {
        let sql = "INSERT INTO trace (person, at, id, tie) VALUES (?1, ?2, ?3, ?4)";
        let values = params![person.0, trace.start.at.as_millis(), trace.start.id.as_str(), trace.tie];
        execute(self.0, sql, values)?;
        Ok(())
    }

    fn pair(&self, person: PersonId, session: SessionId) -> Result<Option<Pair>, Failure> {
        let sql = format!("SELECT {PAIR} FROM pair WHERE person = ?1 AND session = ?2");
        Ok(first(self.0, &sql, params![person.0, session.as_bytes()], pair)?)
    }

    fn pairs(&self, person: PersonId) -> Result<Vec<Pair>, Failure> {
        Ok(all(self.0, &format!("SELECT {PAIR} FROM pair WHERE person = ?1"), [person.0], pair)?)
    }

    fn session_pairs(&self, session: SessionId, limit: u32) -> Result<Vec<Pair>, Failure> {
        let sql = format!("SELECT {PAIR} FROM pair WHERE session = ?1 LIMIT ?2");
        Ok(all(self.0, &sql, params![session.as_bytes(), limit], pair)?)
    }

    fn add_pair(&mut self, person: PersonId, session: SessionId, facts: &PairFacts) -> Result<PairId, Failure> {
        let sql =
            "INSERT INTO pair (person, session, first_login, first_activity, outbound_at, outbound_id, outbound_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let PairFacts { first_login, first_activity, first_outbound } = facts;
        let outbound = first_outbound.as_ref();
        let values = params![
            person.0,
            session.as_bytes(),
            millis(*first_login),
            millis(*first_activity),
            outbound.map(|outbound| outbound.moment.at.as_millis()),
            outbound.map(|outbound| outbound.moment.id.as_str()),
            outbound.map(|outbound| Json(&outbound.by)),
        ];
        execute(self.0, sql, values)?;
        Ok(PairId(self.0.last_insert_rowid()))
    }

    fn put_pair(&mut self, pair: &Pair) -> Result<(), Failure> {
        let sql =
            "UPDATE pair SET person = ?2, first_login = ?3, first_activity = ?4, outbound_at = ?5, outbound_id = ?6,
                 outbound_by = ?7
             WHERE id = ?1";
        let PairFacts { first_login, first_activity, first_outbound } = &pair.facts;
        let outbound = first_outbound.as_ref();
        let values = params![
            pair.id.0,
            pair.person.0,
            millis(*first_login),
            millis(*first_activity),
            outbound.map(|outbound| outbound.moment.at.as_millis()),
            outbound.map(|outbound| outbound.moment.id.as_str()),
            outbound.map(|outbound| Json(&outbound.by)),
        ];
        execute(self.0, sql, values)?;
        Ok(())
    }

    fn remove_pair(&mut self, pair: PairId) -> Result<(), Failure> {
        // Its visits go with it.
        execute(self.0, "DELETE FROM pair WHERE id = ?1", [pair.0])?;
        Ok(())
    }

    fn visit_until(&self, pair: PairId, moment: &Moment) -> Result<Option<Visit>, Failure> {
        let sql = format!(
            "SELECT {VISIT} FROM visit WHERE pair = ?1 AND (at, id) <= (?2, ?3) ORDER BY at DESC, id DESC LIMIT 1"
        );
        Ok(first(self.0, &sql, params![pair.0, moment.at.as_millis(), moment.id.as_str()], visit)?)
    }

    fn visit_after(&self, pair: PairId, moment: Option<&Moment>) -> Result<Option<Visit>, Failure> {
        let Some(moment) = moment else {
            let sql = format!("SELECT {VISIT} FROM visit WHERE pair = ?1 ORDER BY at, id LIMIT 1");
            return Ok(first(self.0, &sql, [pair.0], visit)?);
        };
        let sql = format!("SELECT {VISIT} FROM visit WHERE pair = ?1 AND (at, id) > (?2, ?3) ORDER BY at, id LIMIT 1");
        Ok(first(self.0, &sql, params![pair.0, moment.at.as_millis(), moment.id.as_str()], visit)?)
    }

    fn visits(&self, pair: PairId) -> Result<Vec<Visit>, Failure> {
        Ok(all(self.0, &format!("SELECT {VISIT} FROM visit WHERE pair = ?1 ORDER BY at, id"), [pair.0], visit)?)
    }

    fn put_visit(&mut self, pair: PairId, visit: &Visit) -> Result<(), Failure> {
        let sql = "INSERT INTO visit (pair, at, id, until, agent, late) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET until = excluded.until, agent = excluded.agent, late = excluded.late";
        let agent = visit.agent.as_ref().map(|agent| agent.as_str());
        let (at, id) = (visit.start.at.as_millis(), visit.start.id.as_str());
        execute(self.0, sql, params![pair.0, at, id, visit.end.as_millis(), agent, visit.late])?;
        Ok(())
    }

    fn remove_visit(&mut self, pair: PairId, start: &Moment) -> Result<(), Failure> {
        let sql = "DELETE FROM visit WHERE pair = ?1 AND at = ?2 AND id = ?3";
        execute(self.0, sql, params![pair.0, start.at.as_millis(), start.id.as_str()])?;
        Ok(())
    }

    fn shift(&self, session: SessionId, at: Timestamp) -> Result<Option<Shift>, Failure> {
        shift::at(self.0, session, at)
    }

    fn remove_shifts(&mut self, session: SessionId) -> Result<(), Failure> {
        execute(self.0, "DELETE FROM shift WHERE session = ?1", [session.as_bytes()])?;
        Ok(())
    }

    fn add(&mut self, entry: &LeadEntry, change: i64) -> Result<(), Failure> {
        let columns = entry.into();
        let sql = format!(
            "INSERT INTO lead_total ({ENTRY}, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET count = count + excluded.count"
        );
        execute(self.0, &sql, &entry::values(&columns, &change)[..])?;
        if change < 0 {
            let sql =
                "DELETE FROM lead_total WHERE quarter = ?1 AND session = ?2 AND agent = ?3 AND class = ?4 AND late = ?5
                 AND replier = ?6 AND seconds = ?7 AND count <= ?8";
            execute(self.0, sql, &entry::values(&columns, &0)[..])?;
        }
        Ok(())
    }

    fn adjust(&mut self, adjustment: &LeadAdjustment) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO lead_adjustment ({ENTRY}, change, posted_at, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        );
        let columns = (&adjustment.entry).into();
        let (posted_at, reason) = (adjustment.posted_at.as_millis(), Code(adjustment.reason));
        let mut values = entry::values(&columns, &adjustment.change).to_vec();
        values.extend([&posted_at as &dyn rusqlite::ToSql, &reason]);
        execute(self.0, &sql, values.as_slice())?;
        Ok(())
    }

    fn add_anonymous(&mut self, entry: &LeadEntry, count: u64) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO lead_anonymous ({ENTRY}, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET count = count + excluded.count"
        );
        execute(self.0, &sql, &entry::values(&entry.into(), &count)[..])?;
        Ok(())
    }

    fn restart_totals(&mut self) -> Result<(), Failure> {
        execute(self.0, "DELETE FROM lead_total", [])?;
        let sql = format!("INSERT INTO lead_total ({ENTRY}, count) SELECT {ENTRY}, count FROM lead_anonymous");
        execute(self.0, &sql, [])?;
        Ok(())
    }
}

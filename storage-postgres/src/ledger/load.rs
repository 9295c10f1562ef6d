//! Locking the persons that a transaction tells about, and fetching what is known of them.
//!
//! Three locks on a person's row say who may do what, each stronger than the one before:
//!
//! - *shared* (`KEY SHARE`), by everybody who tells of the person: it stays the person it is, with its keys, its traces and its
//!   pairs. What somebody does under it belongs to a pair with a session whose row they hold, so nobody else does it;
//! - *counted* (`NO KEY UPDATE`), beside it: for whoever compares the pairs of the person, because one of them begins, ceases
//!   or counts otherwise. There is one at a time, and the others who share the row go on: what they do to their pairs compares
//!   as before, or they would need this lock too;
//! - *whole* (`UPDATE`): for merges and erasures, which move and remove what is others'. It excludes everybody.
//!
//! A transaction shares or wholly locks all its persons in one statement, in the order of their numbers, and then counts those
//! it has to, in the same order. So nobody waits for somebody who waits: who shares a row holds up those alone who want it whole,
//! and these hold it from the beginning.
//!
//! When it comes to light meanwhile that somebody else took a key or was merged, there are more persons to lock, in no order. Then
//! the transaction does not wait: it fails, and all of it is tried again (a share that is free is taken at once, so that is rare).
//! Waiting there is worse than a deadlock now and then: whoever is its victim comes again at once and meets the same ones waiting.
//!
//! A key that nobody has yet has no row to lock. So its row is inserted then, with the number of the person it may become: another
//! transaction that inserts the same waits, as for every unique key. These locks live in the rows. Advisory locks would live in
//! the server's lock table, which is too small for the thousands of persons that one look at an account's history brings.

use std::collections::{BTreeMap, BTreeSet};

use seatport::leads::ledger::{Moment, Outbound, Pair, PairFacts, PairId, PersonId, Shift, Trace, Visit};
use seatport::leads::{Fact, PersonKey};
use seatport::storage::{StorageError, StorageErrorKind};
use seatport::{SessionId, Timestamp};
use tokio_postgres::Row;

use super::rows::{AllMissing, Depth, Person, Rows, put};
use super::{Telling, Told};
use crate::codes::{At, Flag, Id, Json, Text};
use crate::error::Failure;
use crate::sql::{Connection, Params, all, execute, integer, prepare};

/// Locks whoever has one of the keys, and takes the keys that nobody has. Who has a key stays who has it from then on: a person
/// loses a key only together with the row. Keys are taken in their order, so that two who take the same do not wait for each other,
/// and after the locks: Postgres runs a union from its first part on. It does not promise that; the worst would be a deadlock, which
/// is retried.
macro_rules! lock {
    ($strength:literal) => {
        concat!(
            "WITH told AS MATERIALIZED (
                 SELECT asked.key, known.person FROM UNNEST($1::bytea[]) AS asked (key)
                 LEFT JOIN LATERAL (SELECT person FROM person_key WHERE key = asked.key LIMIT 1) AS known ON true
             ), reserved AS (
                 INSERT INTO person_key (key, person)
                 SELECT key, nextval('person_id_seq') FROM told WHERE person IS NULL ORDER BY key
                 ON CONFLICT DO NOTHING RETURNING key, person
             )
             SELECT k.key, p.id, false FROM (SELECT * FROM told WHERE person IS NOT NULL ORDER BY person) AS k
             CROSS JOIN LATERAL (SELECT id FROM person WHERE id = k.person FOR ",
            $strength,
            ") AS p
             UNION ALL SELECT key, person, true FROM reserved"
        )
    };
}

/// How a transaction locks its persons: at first it waits for others.
struct Lock {
    first: &'static str,
    /// It has locks now, so it must not wait for others, who may wait for these: it fails, and all of it is tried again.
    again: &'static str,
}

const SHARE: Lock = Lock { first: lock!("KEY SHARE"), again: lock!("KEY SHARE NOWAIT") };
const LOCK_WHOLE: Lock = Lock { first: lock!("UPDATE"), again: lock!("UPDATE NOWAIT") };

/// Locks persons whose pairs are compared. They are shared already.
const LOCK_COUNTED: &str = "SELECT id FROM person WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE";

/// The pairs told about with their newest visits.
///
/// Each row is looked up by itself (LATERAL), so that the plan is the same however many there are.
const KNOWN: &str = "SELECT
        p.id, p.person, p.session, p.first_login, p.first_activity, p.outbound_at, p.outbound_id, p.outbound_by,
        v.pair, v.at, v.id, v.until, v.agent, v.late
    FROM UNNEST($1::bytea[], $2::uuid[]) AS told (key, session)
    CROSS JOIN LATERAL (SELECT person FROM person_key WHERE key = told.key LIMIT 1) AS k
    CROSS JOIN LATERAL (SELECT * FROM pair WHERE person = k.person AND session = told.session LIMIT 1) AS p
    LEFT JOIN LATERAL (SELECT * FROM visit WHERE pair = p.id ORDER BY at DESC, id DESC LIMIT $3) AS v ON true";

/// How many visits of a pair that is. Most pairs have no more, and most messages are newer than these.
const NEWEST: usize = 4;

/// Of each session the shifts from the one on that is in force at the time; before the first one all.
const SHIFTS: &str = "SELECT s.session, s.at, s.agent, s.running
    FROM UNNEST($1::uuid[], $2::bigint[]) AS told (session, at)
    JOIN shift AS s ON s.session = told.session AND s.at >= coalesce(
        (SELECT max(at) FROM shift WHERE session = told.session AND at <= told.at), -9223372036854775808)";

const PAIRS: &str = "SELECT id, person, session, first_login, first_activity, outbound_at, outbound_id, outbound_by
    FROM pair WHERE person = ANY ($1::bigint[])";

const FIRSTS: &str = "SELECT p.id, v.at, v.id, v.until, v.agent, v.late
    FROM pair AS p CROSS JOIN LATERAL (SELECT * FROM visit WHERE pair = p.id ORDER BY at, id LIMIT 1) AS v
    WHERE p.person = ANY ($1::bigint[])";

const TRACES: &str = "SELECT person, at, id, tie FROM trace WHERE person = ANY ($1::bigint[])";

/// All visits of these persons, and all of these pairs.
const VISITS: &str = "SELECT pair, at, id, until, agent, late FROM visit
    WHERE pair = ANY (ARRAY(SELECT id FROM pair WHERE person = ANY ($1::bigint[])) || $2::bigint[])";

/// Locks whoever is told about, and fetches what most tellings need.
pub(super) async fn begin(tx: &Connection, told: &[Told]) -> Result<Rows, Failure> {
    let asked = Asked::of(told);
    let merges = told.iter().any(|told| matches!(told.telling, Telling::SamePerson(..)));
    let Lock { first: mut lock, again } = if merges { LOCK_WHOLE } else { SHARE };
    let newest = integer(NEWEST as u64);
    let mut rows = Rows::default();
    loop {
        prepare(tx, &[lock, KNOWN, SHIFTS]).await?;
        let wanted = asked.without(&rows);
        let (keys, sessions) = asked.pairs();
        let (by_key, by_pair): (Params<'_>, Params<'_>) = (&[&wanted], &[&keys, &sessions, &newest]);
        let by_session: Params<'_> = &[&asked.sessions, &asked.since];
        // In this order: what is read after the lock is as it will stay.
        let (locked, known, shifts) = tokio::try_join!(
            biased;
            all(tx, lock, by_key, key),
            all(tx, KNOWN, by_pair, known),
            all(tx, SHIFTS, by_session, shift),
        )?;
        for (key, person, is_new) in locked {
            let keys = if is_new { &mut rows.reserved } else { &mut rows.keys };
            keys.insert(key, person);
        }
        if !asked.without(&rows).is_empty() {
            // Somebody else took the key, or was merged or forgotten while we waited for the lock: once more.
            lock = again;
            continue;
        }
        rows.persons = rows.keys.values().map(|person| (*person, Person::default())).collect();
        let (pairs, visits): (Vec<_>, Vec<_>) = known.into_iter().unzip();
        rows.take_in(pairs, visits.into_iter().flatten());
        rows.note_newest();
        for (session, shift) in shifts {
            rows.shifts.entry(session).or_default().insert(shift.at, shift);
        }
        return Ok(rows);
    }
}

/// Fetches more of persons that are shared, and locks them for that: so that their pairs can be compared.
pub(super) async fn more(tx: &Connection, rows: &mut Rows, missing: &AllMissing) -> Result<(), Failure> {
    if missing.is_empty() {
        return Ok(());
    }
    let of_visits = missing.visits.iter().filter_map(|pair| rows.pairs.get(pair)).map(|pair| pair.person.0);
    let persons: BTreeSet<i64> = missing.persons.keys().map(|person| person.0).chain(of_visits).collect();
    let persons: Vec<i64> = persons.into_iter().collect();
    prepare(tx, &[LOCK_COUNTED, PAIRS, FIRSTS, VISITS, TRACES]).await?;
    let locked: Params<'_> = &[&persons];
    let ((), ()) = tokio::try_join!(
        biased;
        async { execute(tx, LOCK_COUNTED, locked).await.map(drop) },
        fetch(tx, rows, missing),
    )?;
    Ok(())
}

/// Fetches more of persons that are locked, or seen in a snapshot.
pub(super) async fn fetch(tx: &Connection, rows: &mut Rows, missing: &AllMissing) -> Result<(), Failure> {
    for (person, depth) in &missing.persons {
        let person = rows.persons.get_mut(person).ok_or_else(not_there)?;
        person.depth = person.depth.max(*depth);
    }
    let persons: Vec<i64> = missing.persons.keys().map(|person| person.0).collect();
    let whole = missing.persons.iter().filter(|(_, depth)| **depth == Depth::All);
    let whole: Vec<i64> = whole.map(|(person, _)| person.0).collect();
    let pairs_alone: Vec<i64> = missing.visits.iter().map(|pair| pair.0).collect();
    let by_person: Params<'_> = &[&persons];
    let of_these: Params<'_> = &[&whole, &pairs_alone];
    let (pairs, firsts, visits, traces) = tokio::try_join!(
        biased;
        all(tx, PAIRS, by_person, pair),
        all(tx, FIRSTS, by_person, visit),
        all(tx, VISITS, of_these, visit),
        all(tx, TRACES, by_person, trace),
    )?;
    rows.take_in(pairs, firsts.into_iter().chain(visits));
    rows.whole.extend(&missing.visits);
    for person in missing.persons.keys() {
        rows.persons.entry(*person).or_default().traces.clear();
    }
    for (person, trace) in traces {
        rows.persons.entry(person).or_default().traces.push(trace);
    }
    Ok(())
}

impl Rows {
    fn take_in(&mut self, pairs: impl IntoIterator<Item = Pair>, visits: impl IntoIterator<Item = (PairId, Visit)>) {
        for pair in pairs {
            self.by_session.insert((pair.person, pair.session), pair.id);
            self.pairs.insert(pair.id, pair);
        }
        for (pair, visit) in visits {
            put(self.visits.entry(pair).or_default(), visit);
        }
    }

    /// Notes of each pair whether its newest visits are all it has.
    fn note_newest(&mut self) {
        for pair in self.pairs.keys() {
            match self.visits.get(pair).and_then(|visits| visits.first().filter(|_| visits.len() >= NEWEST)) {
                Some(first) => drop(self.newest.insert(*pair, first.start.clone())),
                None => drop(self.whole.insert(*pair)),
            }
        }
    }

    /// These persons, locked, of whom nothing is known yet.
    pub(super) fn of_locked(persons: impl IntoIterator<Item = PersonId>) -> Self {
        let persons = persons.into_iter().map(|person| (person, Person::default())).collect();
        Self { persons, ..Self::default() }
    }
}

/// What tellings ask for.
struct Asked {
    /// Each key with the sessions it is told about with, if any.
    keys: BTreeMap<PersonKey, BTreeSet<SessionId>>,
    sessions: Vec<Id<SessionId>>,
    /// From when on the session's shifts matter.
    since: Vec<At>,
}

impl Asked {
    fn of(told: &[Told]) -> Self {
        let mut keys = BTreeMap::<PersonKey, BTreeSet<SessionId>>::new();
        let mut since = BTreeMap::<SessionId, Timestamp>::new();
        for Told { session, at, telling, .. } in told {
            let at = match telling {
                Telling::Shift { .. } => *at,
                Telling::SamePerson(one, other) => {
                    keys.entry(*one).or_default();
                    keys.entry(*other).or_default();
                    continue;
                }
                Telling::Fact(key, fact) => {
                    keys.entry(*key).or_default().insert(*session);
                    let Fact::Wrote { at, .. } = fact else { continue };
                    *at
                }
            };
            since.entry(*session).and_modify(|since| *since = at.min(*since)).or_insert(at);
        }
        let (sessions, since) = since.into_iter().map(|(session, since)| (Id(session), At(since))).unzip();
        Self { keys, sessions, since }
    }

    /// The keys that are neither known nor reserved.
    fn without(&self, rows: &Rows) -> Vec<&[u8]> {
        let keys = self.keys.keys().filter(|key| !rows.keys.contains_key(key) && !rows.reserved.contains_key(key));
        keys.map(|key| key.as_bytes().as_slice()).collect()
    }

    /// Each key with each of the sessions it is told about with.
    fn pairs(&self) -> (Vec<&[u8]>, Vec<Id<SessionId>>) {
        let pairs = self.keys.iter().flat_map(|(key, sessions)| sessions.iter().map(move |session| (key, session)));
        pairs.map(|(key, session)| (key.as_bytes().as_slice(), Id(*session))).unzip()
    }
}

/// A key, who has it, and whether it is reserved.
fn key(row: &Row) -> Result<(PersonKey, PersonId, bool), Failure> {
    let key: &[u8] = row.try_get(0)?;
    let key = key.try_into().map_err(|_| not_there())?;
    Ok((PersonKey::from_bytes(key), PersonId(row.try_get(1)?), row.try_get(2)?))
}

/// A pair told about, with one of its visits.
fn known(row: &Row) -> Result<(Pair, Option<(PairId, Visit)>), Failure> {
    let visited = row.try_get::<_, Option<i64>>(8)?.is_some();
    Ok((pair_at(row, 0)?, visited.then(|| visit_at(row, 8)).transpose()?))
}

fn pair(row: &Row) -> Result<Pair, Failure> {
    pair_at(row, 0)
}

/// The columns `id, person, session, first_login, first_activity, outbound_at, outbound_id, outbound_by` from the given one on.
fn pair_at(row: &Row, column: usize) -> Result<Pair, Failure> {
    let time = |place| Ok::<_, Failure>(row.try_get::<_, Option<At>>(column + place)?.map(|At(at)| at));
    let (id, by) = (row.try_get::<_, Option<Text<_>>>(column + 6)?, row.try_get::<_, Option<Json<_>>>(column + 7)?);
    let first_outbound = match (time(5)?, id, by) {
        (Some(at), Some(Text(id)), Some(Json(by))) => Some(Outbound { moment: Moment { at, id }, by }),
        _ => None,
    };
    let Id(session) = row.try_get(column + 2)?;
    Ok(Pair {
        id: PairId(row.try_get(column)?),
        person: PersonId(row.try_get(column + 1)?),
        session,
        facts: PairFacts { first_login: time(3)?, first_activity: time(4)?, first_outbound },
    })
}

fn visit(row: &Row) -> Result<(PairId, Visit), Failure> {
    visit_at(row, 0)
}

/// The columns `pair, at, id, until, agent, late` from the given one on.
fn visit_at(row: &Row, column: usize) -> Result<(PairId, Visit), Failure> {
    let (At(at), Text(id), At(end)) = (row.try_get(column + 1)?, row.try_get(column + 2)?, row.try_get(column + 3)?);
    let agent = row.try_get::<_, Option<Text<_>>>(column + 4)?.map(|Text(agent)| agent);
    let Flag(late) = row.try_get(column + 5)?;
    Ok((PairId(row.try_get(column)?), Visit { start: Moment { at, id }, end, agent, late }))
}

fn trace(row: &Row) -> Result<(PersonId, Trace), Failure> {
    let (At(at), Text(id)) = (row.try_get(1)?, row.try_get(2)?);
    Ok((PersonId(row.try_get(0)?), Trace { start: Moment { at, id }, tie: row.try_get(3)? }))
}

fn shift(row: &Row) -> Result<(SessionId, Shift), Failure> {
    let (Id(session), At(at), Flag(running)) = (row.try_get(0)?, row.try_get(1)?, row.try_get(3)?);
    let agent = row.try_get::<_, Option<Text<_>>>(2)?.map(|Text(agent)| agent);
    Ok((session, Shift { at, agent, running }))
}

/// The functions of the ledger asked for what cannot be asked for, if the rows are as they were written.
pub(super) fn not_there() -> Failure {
    let message = "the lead ledger in the database does not hang together; restore a backup";
    StorageError::new(StorageErrorKind::Corrupt, message).into()
}

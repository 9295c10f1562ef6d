//! Locking the persons that a transaction tells about, and fetching what is known of them.
//!
//! Who holds the lock on a person's row is the only one to change anything of the person: keys, traces, pairs, visits. A key that
//! nobody has yet has no row to lock. So its row is inserted at once, with the number of the person it may become: another
//! transaction that inserts the same waits, as for every unique key. These locks live in the rows. Advisory locks would live in
//! the server's lock table, which is too small for the thousands of persons that one look at an account's history brings.

use std::collections::{BTreeMap, BTreeSet};

use seatport::leads::ledger::{Moment, Outbound, Pair, PairFacts, PairId, PersonId, Shift, Trace, Visit};
use seatport::leads::{Fact, PersonKey};
use seatport::storage::{StorageError, StorageErrorKind};
use seatport::{MessageId, SessionId, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::rows::{AllMissing, Depth, Person, Rows};
use super::{Telling, Told};
use crate::codes::{At, Flag, Id, Json, Text};
use crate::error::Failure;
use crate::sql::{Connection, Params, all, prepare};

/// Takes the keys that nobody has. In their order, so that two who take the same do not wait for each other.
const RESERVE: &str = "INSERT INTO person_key (key, person)
    SELECT new.key, nextval(pg_get_serial_sequence('person', 'id')) FROM UNNEST($1::bytea[]) AS new (key)
    WHERE NOT EXISTS (SELECT FROM person_key AS known WHERE known.key = new.key)
    ORDER BY new.key
    ON CONFLICT DO NOTHING RETURNING key, person";

const LOCK: &str = "SELECT id FROM person
    WHERE id = ANY (ARRAY(SELECT person FROM person_key WHERE key = ANY ($1::bytea[]))) ORDER BY id FOR UPDATE";

const KEYS: &str = "SELECT key, person FROM person_key WHERE key = ANY ($1::bytea[])";

/// The pairs told about.
const TOLD: &str =
    "SELECT p.id, p.person, p.session, p.first_login, p.first_activity, p.outbound_at, p.outbound_id, p.outbound_by
    FROM UNNEST($1::bytea[], $2::uuid[]) AS told (key, session)
    JOIN person_key AS k ON k.key = told.key
    JOIN pair AS p ON p.person = k.person AND p.session = told.session";

/// Of each pair the visits around the moments told: the last one that starts at the first moment or before, those that start
/// up to the last moment, and the next one. Whatever the messages do to visits, they do to these.
const AROUND: &str = "SELECT p.id, v.at, v.id, v.until, v.agent, v.late
    FROM UNNEST($1::bytea[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::text[])
        AS told (key, session, first_at, first_id, last_at, last_id)
    JOIN person_key AS k ON k.key = told.key
    JOIN pair AS p ON p.person = k.person AND p.session = told.session
    CROSS JOIN LATERAL (
        (SELECT * FROM visit WHERE pair = p.id AND (at, id) <= (told.first_at, told.first_id)
         ORDER BY at DESC, id DESC LIMIT 1)
        UNION ALL
        (SELECT * FROM visit WHERE pair = p.id AND (at, id) > (told.first_at, told.first_id)
             AND (at, id) <= (told.last_at, told.last_id))
        UNION ALL
        (SELECT * FROM visit WHERE pair = p.id AND (at, id) > (told.last_at, told.last_id) ORDER BY at, id LIMIT 1)
    ) AS v";

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
    let keys: Vec<&[u8]> = asked.keys.iter().map(|key| key.as_bytes().as_slice()).collect();
    prepare(tx, &[RESERVE, LOCK, KEYS, TOLD, AROUND, SHIFTS]).await?;
    let by_key: Params<'_> = &[&keys];
    let by_pair: Params<'_> = &[&asked.pairs.keys, &asked.pairs.sessions];
    let by_session: Params<'_> = &[&asked.sessions, &asked.since];
    let around = asked.pairs.with_moments();
    let mut reserved = BTreeMap::new();
    loop {
        // In this order: what is read after the lock is as it will stay.
        let (new, locked, known, pairs, visits, shifts) = tokio::try_join!(
            biased;
            all(tx, RESERVE, by_key, key),
            all(tx, LOCK, by_key, |row| Ok(PersonId(row.try_get(0)?))),
            all(tx, KEYS, by_key, key),
            all(tx, TOLD, by_pair, pair),
            all(tx, AROUND, &around, visit),
            all(tx, SHIFTS, by_session, shift),
        )?;
        reserved.extend(new);
        let locked: BTreeSet<PersonId> = locked.into_iter().chain(reserved.values().copied()).collect();
        if known.len() < asked.keys.len() || known.iter().any(|(_, person)| !locked.contains(person)) {
            // Somebody was merged or forgotten while we waited for the lock: now that we have it, once more.
            continue;
        }
        let mut rows = Rows { reserved, ..Rows::default() };
        for (key, person) in known {
            if !rows.reserved.contains_key(&key) {
                rows.keys.insert(key, person);
                rows.persons.entry(person).or_default();
            }
        }
        rows.take_in(pairs, visits);
        for (session, shift) in shifts {
            rows.shifts.entry(session).or_default().insert(shift.at, shift);
        }
        return Ok(rows);
    }
}

/// Fetches more of persons that are locked.
pub(super) async fn more(tx: &Connection, rows: &mut Rows, missing: &AllMissing) -> Result<(), Failure> {
    if missing.is_empty() {
        return Ok(());
    }
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
        all(tx, PAIRS, by_person, pair),
        all(tx, FIRSTS, by_person, visit),
        all(tx, VISITS, of_these, visit),
        all(tx, TRACES, by_person, trace),
    )?;
    rows.take_in(pairs, firsts.into_iter().chain(visits));
    for pair in &missing.visits {
        let person = rows.pairs.get(pair).ok_or_else(not_there)?.person;
        rows.persons.entry(person).or_default().whole.insert(*pair);
    }
    for person in missing.persons.keys() {
        rows.persons.entry(*person).or_default().traces.clear();
    }
    for (person, trace) in traces {
        rows.persons.entry(person).or_default().traces.push(trace);
    }
    Ok(())
}

impl Rows {
    fn take_in(&mut self, pairs: Vec<Pair>, visits: impl IntoIterator<Item = (PairId, Visit)>) {
        for pair in pairs {
            self.persons.entry(pair.person).or_default().pairs.insert(pair.session, pair.id);
            self.pairs.insert(pair.id, pair);
        }
        for (pair, visit) in visits {
            self.visits.entry(pair).or_default().insert(visit.start.clone(), visit);
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
    /// In their order.
    keys: BTreeSet<PersonKey>,
    pairs: AskedPairs,
    sessions: Vec<Id<SessionId>>,
    /// From when on the session's shifts matter.
    since: Vec<At>,
}

/// Each pair of a key and a session, with the first and the last moment told.
#[derive(Default)]
struct AskedPairs {
    keys: Vec<Vec<u8>>,
    sessions: Vec<Id<SessionId>>,
    first_at: Vec<Option<At>>,
    first_id: Vec<Option<String>>,
    last_at: Vec<Option<At>>,
    last_id: Vec<Option<String>>,
}

impl Asked {
    fn of(told: &[Told]) -> Self {
        let mut keys = BTreeSet::new();
        let mut moments = BTreeMap::<(PersonKey, SessionId), BTreeSet<(Timestamp, &MessageId)>>::new();
        let mut since = BTreeMap::<SessionId, Timestamp>::new();
        for Told { session, at, telling, .. } in told {
            let at = match telling {
                Telling::Shift { .. } => *at,
                Telling::SamePerson(one, other) => {
                    keys.extend([*one, *other]);
                    continue;
                }
                Telling::Fact(key, fact) => {
                    keys.insert(*key);
                    let moments = moments.entry((*key, *session)).or_default();
                    let Fact::Wrote { at, id } = fact else { continue };
                    moments.insert((*at, id));
                    *at
                }
            };
            since.entry(*session).and_modify(|since| *since = at.min(*since)).or_insert(at);
        }
        let mut pairs = AskedPairs::default();
        for ((key, session), moments) in moments {
            let (first, last) = (moments.first(), moments.last());
            pairs.keys.push(key.as_bytes().to_vec());
            pairs.sessions.push(Id(session));
            pairs.first_at.push(first.map(|(at, _)| At(*at)));
            pairs.first_id.push(first.map(|(_, id)| id.as_str().to_owned()));
            pairs.last_at.push(last.map(|(at, _)| At(*at)));
            pairs.last_id.push(last.map(|(_, id)| id.as_str().to_owned()));
        }
        let (sessions, since) = since.into_iter().map(|(session, since)| (Id(session), At(since))).unzip();
        Self { keys, pairs, sessions, since }
    }
}

impl AskedPairs {
    fn with_moments(&self) -> [&(dyn ToSql + Sync); 6] {
        [&self.keys, &self.sessions, &self.first_at, &self.first_id, &self.last_at, &self.last_id]
    }
}

fn key(row: &Row) -> Result<(PersonKey, PersonId), Failure> {
    let key: &[u8] = row.try_get(0)?;
    let key = key.try_into().map_err(|_| not_there())?;
    Ok((PersonKey::from_bytes(key), PersonId(row.try_get(1)?)))
}

fn pair(row: &Row) -> Result<Pair, Failure> {
    let time = |column| Ok::<_, Failure>(row.try_get::<_, Option<At>>(column)?.map(|At(at)| at));
    let outbound = (time(5)?, row.try_get::<_, Option<Text<_>>>(6)?, row.try_get::<_, Option<Json<_>>>(7)?);
    let first_outbound = match outbound {
        (Some(at), Some(Text(id)), Some(Json(by))) => Some(Outbound { moment: Moment { at, id }, by }),
        _ => None,
    };
    let Id(session) = row.try_get(2)?;
    Ok(Pair {
        id: PairId(row.try_get(0)?),
        person: PersonId(row.try_get(1)?),
        session,
        facts: PairFacts { first_login: time(3)?, first_activity: time(4)?, first_outbound },
    })
}

fn visit(row: &Row) -> Result<(PairId, Visit), Failure> {
    let (At(at), Text(id), At(end), Flag(late)) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(5)?);
    let agent = row.try_get::<_, Option<Text<_>>>(4)?.map(|Text(agent)| agent);
    Ok((PairId(row.try_get(0)?), Visit { start: Moment { at, id }, end, agent, late }))
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

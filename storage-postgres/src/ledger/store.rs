//! Storing what became of the rows: what differs from what was fetched, one statement for each table and sort of change.

use std::collections::BTreeMap;

use seatport::SessionId;
use seatport::conversation::Author;
use seatport::leads::ledger::{Pair, PairId, PersonId, Visit};
use tokio_postgres::types::ToSql;

use super::entry::{Columns, ENTRIES, ENTRY};
use super::rows::{Rows, place};
use crate::codes::{At, Code, Count, Flag, Id, Json};
use crate::statements::{Column, Statements};

/// What stores what changed from `before` to `after`.
pub(super) fn difference(before: &Rows, after: &Rows) -> Statements {
    let mut statements = Statements::default();
    persons(before, after, &mut statements);
    pairs(before, after, &mut statements);
    visits(before, after, &mut statements);
    shifts(before, after, &mut statements);
    figures(after, &mut statements);
    statements
}

fn persons(before: &Rows, after: &Rows, statements: &mut Statements) {
    let new: Vec<i64> =
        after.reserved.values().filter(|person| after.persons.contains_key(person)).map(|person| person.0).collect();
    if !new.is_empty() {
        statements.add("INSERT INTO person (id) SELECT * FROM UNNEST($1::bigint[])", vec![Box::new(new)]);
    }

    // Who became somebody who became somebody else is that.
    let mut last: BTreeMap<PersonId, PersonId> = BTreeMap::new();
    for (from, to) in &after.joined {
        last.values_mut().filter(|person| **person == *from).for_each(|person| *person = *to);
        last.insert(*from, *to);
    }
    if !last.is_empty() {
        let (from, to): (Vec<i64>, Vec<i64>) = last.iter().map(|(from, to)| (from.0, to.0)).unzip();
        for table in ["person_key", "trace"] {
            let sql = format!(
                "UPDATE {table} AS t SET person = j.kept FROM UNNEST($1::bigint[], $2::bigint[]) AS j (gone, kept)
                 WHERE t.person = j.gone"
            );
            statements.add(sql, vec![Box::new(from.clone()), Box::new(to.clone())]);
        }
        statements.add("DELETE FROM person WHERE id = ANY ($1::bigint[])", vec![Box::new(from)]);
    }

    // The keys that were reserved belong to somebody who has another one, or to nobody.
    let (mut keys, mut persons, mut unused) = (Vec::new(), Vec::new(), Vec::new());
    for (key, reserved) in &before.reserved {
        match after.keys.get(key) {
            Some(person) if person == reserved => {}
            Some(person) => {
                keys.push(key.as_bytes().to_vec());
                persons.push(person.0);
            }
            None => unused.push(key.as_bytes().to_vec()),
        }
    }
    if !keys.is_empty() {
        let sql =
            "UPDATE person_key AS k SET person = n.person FROM UNNEST($1::bytea[], $2::bigint[]) AS n (key, person)
             WHERE k.key = n.key";
        statements.add(sql, vec![Box::new(keys), Box::new(persons)]);
    }
    if !unused.is_empty() {
        statements.add("DELETE FROM person_key WHERE key = ANY ($1::bytea[])", vec![Box::new(unused)]);
    }

    if !after.removed.is_empty() {
        let gone: Vec<i64> = after.removed.iter().map(|person| person.0).collect();
        for (table, column) in [("person_key", "person"), ("trace", "person"), ("person", "id")] {
            let sql = format!("DELETE FROM {table} WHERE {column} = ANY ($1::bigint[])");
            statements.add(sql, vec![Box::new(gone.clone())]);
        }
    }
    let traces = after.traces.iter().filter(|(person, _)| !after.removed.contains(person));
    let (persons, traces): (Vec<i64>, Vec<_>) = traces.map(|(person, trace)| (person.0, trace)).unzip();
    if !persons.is_empty() {
        let at: Vec<At> = traces.iter().map(|trace| At(trace.start.at)).collect();
        let ids: Vec<String> = traces.iter().map(|trace| trace.start.id.as_str().to_owned()).collect();
        let ties: Vec<i64> = traces.iter().map(|trace| trace.tie).collect();
        let sql = "INSERT INTO trace (person, at, id, tie)
             SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::text[], $4::bigint[])";
        statements.add(sql, vec![Box::new(persons), Box::new(at), Box::new(ids), Box::new(ties)]);
    }
}

/// Pairs as they are written.
fn pair_columns(pairs: &[&Pair]) -> Vec<Column> {
    fn column<T: ToSql + Sync + Send + 'static>(pairs: &[&Pair], value: impl Fn(&Pair) -> T) -> Column {
        Box::new(pairs.iter().map(|pair| value(pair)).collect::<Vec<T>>())
    }
    let outbound = |pair: &Pair| pair.facts.first_outbound.clone();
    vec![
        column(pairs, |pair| pair.id.0),
        column(pairs, |pair| pair.person.0),
        column(pairs, |pair| Id(pair.session)),
        column(pairs, |pair| pair.facts.first_login.map(At)),
        column(pairs, |pair| pair.facts.first_activity.map(At)),
        column(pairs, |pair| outbound(pair).map(|outbound| At(outbound.moment.at))),
        column(pairs, |pair| outbound(pair).map(|outbound| outbound.moment.id.as_str().to_owned())),
        column(pairs, |pair| outbound(pair).map(|outbound| Json::<Author>(outbound.by))),
    ]
}

const PAIRS: &str =
    "UNNEST($1::bigint[], $2::bigint[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
    $8::text[]) AS n (id, person, session, first_login, first_activity, outbound_at, outbound_id, outbound_by)";

fn pairs(before: &Rows, after: &Rows, statements: &mut Statements) {
    let gone: Vec<i64> = before.pairs.keys().filter(|id| !after.pairs.contains_key(id)).map(|id| id.0).collect();
    if !gone.is_empty() {
        statements.add("DELETE FROM visit WHERE pair = ANY ($1::bigint[])", vec![Box::new(gone.clone())]);
        statements.add("DELETE FROM pair WHERE id = ANY ($1::bigint[])", vec![Box::new(gone)]);
    }
    let is_new = |pair: &Pair| pair.id.0 < 0;
    let changed: Vec<&Pair> =
        after.pairs.values().filter(|pair| !is_new(pair) && before.pairs.get(&pair.id) != Some(pair)).collect();
    if !changed.is_empty() {
        let sql = format!(
            "UPDATE pair AS p SET person = n.person, first_login = n.first_login, first_activity = n.first_activity,
                 outbound_at = n.outbound_at, outbound_id = n.outbound_id, outbound_by = n.outbound_by
             FROM {PAIRS} WHERE p.id = n.id"
        );
        statements.add(sql, pair_columns(&changed));
    }
    let new: Vec<&Pair> = after.pairs.values().filter(|pair| is_new(pair)).collect();
    if !new.is_empty() {
        let sql = format!(
            "INSERT INTO pair (person, session, first_login, first_activity, outbound_at, outbound_id, outbound_by)
             SELECT person, session, first_login, first_activity, outbound_at, outbound_id, outbound_by FROM {PAIRS}"
        );
        statements.add(sql, pair_columns(&new));
    }
}

/// Visits to be written, as columns.
#[derive(Default)]
struct Visits {
    pair: Vec<i64>,
    person: Vec<i64>,
    session: Vec<Id<SessionId>>,
    at: Vec<At>,
    id: Vec<String>,
    until: Vec<At>,
    agent: Vec<Option<String>>,
    late: Vec<Flag>,
}

impl Visits {
    fn push(&mut self, pair: &Pair, visit: &Visit) {
        self.pair.push(pair.id.0);
        self.person.push(pair.person.0);
        self.session.push(Id(pair.session));
        self.at.push(At(visit.start.at));
        self.id.push(visit.start.id.as_str().to_owned());
        self.until.push(At(visit.end));
        self.agent.push(visit.agent.as_ref().map(|agent| agent.as_str().to_owned()));
        self.late.push(Flag(visit.late));
    }
}

const PUT_VISIT: &str =
    "ON CONFLICT (pair, at, id) DO UPDATE SET until = excluded.until, agent = excluded.agent, late = excluded.late";

fn visits(before: &Rows, after: &Rows, statements: &mut Statements) {
    let (mut gone, mut put, mut new) = ((Vec::new(), Vec::new(), Vec::new()), Visits::default(), Visits::default());
    for (id, visits) in &after.visits {
        let Some(pair) = after.pairs.get(id) else { continue };
        let known = before.visits.get(id).map_or(&[][..], Vec::as_slice);
        for visit in visits {
            match place(known, &visit.start) {
                Ok(there) if known[there] == *visit => {}
                _ if *id < PairId(0) => new.push(pair, visit),
                _ => put.push(pair, visit),
            }
        }
        for start in known.iter().map(|visit| &visit.start).filter(|start| place(visits, start).is_err()) {
            gone.0.push(id.0);
            gone.1.push(At(start.at));
            gone.2.push(start.id.as_str().to_owned());
        }
    }
    if !gone.0.is_empty() {
        let sql = "DELETE FROM visit AS v USING UNNEST($1::bigint[], $2::bigint[], $3::text[]) AS g (pair, at, id)
             WHERE v.pair = g.pair AND v.at = g.at AND v.id = g.id";
        statements.add(sql, vec![Box::new(gone.0), Box::new(gone.1), Box::new(gone.2)]);
    }
    if !put.pair.is_empty() {
        let sql = format!(
            "INSERT INTO visit (pair, at, id, until, agent, late)
             SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::smallint[])
             {PUT_VISIT}"
        );
        let Visits { pair, at, id, until, agent, late, .. } = put;
        let columns: Vec<Column> =
            vec![Box::new(pair), Box::new(at), Box::new(id), Box::new(until), Box::new(agent), Box::new(late)];
        statements.add(sql, columns);
    }
    if !new.pair.is_empty() {
        // The pair's number is the database's affair.
        let sql = "INSERT INTO visit (pair, at, id, until, agent, late)
             SELECT p.id, n.at, n.id, n.until, n.agent, n.late
             FROM UNNEST($1::bigint[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::smallint[])
                 AS n (person, session, at, id, until, agent, late)
             JOIN pair AS p ON p.person = n.person AND p.session = n.session";
        let Visits { person, session, at, id, until, agent, late, .. } = new;
        let columns: Vec<Column> = vec![
            Box::new(person),
            Box::new(session),
            Box::new(at),
            Box::new(id),
            Box::new(until),
            Box::new(agent),
            Box::new(late),
        ];
        statements.add(sql, columns);
    }
}

fn shifts(before: &Rows, after: &Rows, statements: &mut Statements) {
    let (mut sessions, mut at, mut agents, mut running) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (session, shifts) in &after.shifts {
        let known = before.shifts.get(session);
        for shift in shifts.values().filter(|shift| known.and_then(|known| known.get(&shift.at)) != Some(shift)) {
            sessions.push(Id(*session));
            at.push(At(shift.at));
            agents.push(shift.agent.as_ref().map(|agent| agent.as_str().to_owned()));
            running.push(Flag(shift.running));
        }
    }
    if !sessions.is_empty() {
        let sql = "INSERT INTO shift (session, at, agent, running)
             SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::smallint[])
             ON CONFLICT (session, at) DO UPDATE SET agent = excluded.agent, running = excluded.running";
        statements.add(sql, vec![Box::new(sessions), Box::new(at), Box::new(agents), Box::new(running)]);
    }
}

/// Totals in the order of their entries, as everybody adds them, so that nobody waits for somebody who waits.
fn figures(after: &Rows, statements: &mut Statements) {
    let totals = after.totals.iter().filter(|(_, change)| **change != 0);
    let (entries, changes): (Vec<_>, Vec<i64>) = totals.map(|(entry, change)| (entry, *change)).unzip();
    if !entries.is_empty() {
        let columns = Columns::of(entries).and([Box::new(changes) as Column]);
        statements.add(add_to("lead_total"), columns);
    }
    let less = after.totals.iter().filter(|(_, change)| **change < 0).map(|(entry, _)| entry);
    let less: Vec<_> = less.collect();
    if !less.is_empty() {
        let sql = format!(
            "DELETE FROM lead_total AS t USING UNNEST({ENTRIES}) AS n ({ENTRY})
             WHERE t.quarter = n.quarter AND t.session = n.session AND t.agent = n.agent AND t.class = n.class
                 AND t.late = n.late AND t.replier = n.replier AND t.seconds = n.seconds AND t.count <= 0"
        );
        statements.add(sql, Columns::of(less).and([]));
    }
    if !after.anonymous.is_empty() {
        let counts: Vec<Count> = after.anonymous.values().copied().map(Count).collect();
        let columns = Columns::of(after.anonymous.keys()).and([Box::new(counts) as Column]);
        statements.add(add_to("lead_anonymous"), columns);
    }
    if !after.adjustments.is_empty() {
        let made = &after.adjustments;
        let changes: Vec<i64> = made.iter().map(|made| made.change).collect();
        let posted: Vec<At> = made.iter().map(|made| At(made.posted_at)).collect();
        let reasons: Vec<_> = made.iter().map(|made| Code(made.reason)).collect();
        let columns = Columns::of(made.iter().map(|made| &made.entry));
        let columns = columns.and([Box::new(changes) as Column, Box::new(posted), Box::new(reasons)]);
        let sql = format!(
            "INSERT INTO lead_adjustment ({ENTRY}, change, posted_at, reason)
             SELECT {ENTRY}, change, posted_at, reason
             FROM UNNEST({ENTRIES}, $8::bigint[], $9::bigint[], $10::smallint[])
                 WITH ORDINALITY AS n ({ENTRY}, change, posted_at, reason, place)
             ORDER BY place"
        );
        statements.add(sql, columns);
    }
}

/// Adds the counts of the eighth parameter to a table of counted entries.
pub(super) fn add_to(table: &str) -> String {
    format!(
        "INSERT INTO {table} ({ENTRY}, count) SELECT * FROM UNNEST({ENTRIES}, $8::bigint[])
         ON CONFLICT ({ENTRY}) DO UPDATE SET count = {table}.count + excluded.count"
    )
}

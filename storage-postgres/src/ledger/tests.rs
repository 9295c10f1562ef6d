//! The ledger beside the reference, [`Tables`], told the same; in batches of any size, and on several connections at once.

use deadpool_postgres::{Manager, Pool};
use seatport::conversation::Author;
use seatport::leads::{EntryClass, LeadAdjustment, LeadEntry, LeadTotal, LeadWindow, Replier, Reply, Tables, Windows};
use seatport::{MessageId, Random};
use seatport_testkit::postgres::Cluster;
use tokio_postgres::NoTls;

use super::*;
use crate::codes::{At, Code, Count, Id};
use crate::ledger::entry::ENTRY;
use crate::open::plans;
use crate::sql::all;

const NOON: i64 = 1_700_000_000_000;
const HOUR: i64 = 3_600_000;

/// A schema of its own, and connections to it.
fn database(connections: usize) -> (Pool, String) {
    let cluster = Cluster::shared();
    let schema = cluster.fresh_schema();
    let initial = include_str!("../migrations/0001_initial.sql");
    cluster.sql(&format!("CREATE SCHEMA {schema}; SET search_path = {schema}; {initial}"));
    let mut config: tokio_postgres::Config = cluster.url().parse().unwrap();
    config.options(format!("-c search_path={schema} {}", plans()));
    let manager = Manager::new(config, NoTls);
    (Pool::builder(manager).max_size(connections).build().unwrap(), schema)
}

/// Does the work in a transaction, again as long as others hold what it must not wait for. Nobody waits in a circle.
async fn transaction(on: &Connection, work: impl AsyncFn(&Connection) -> Result<(), Failure>) {
    loop {
        on.batch_execute("BEGIN").await.unwrap();
        let done = match work(on).await {
            Ok(()) => on.batch_execute("COMMIT").await.map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        match done {
            Ok(()) => return,
            Err(failure) => {
                on.batch_execute("ROLLBACK").await.unwrap();
                assert!(would_have_waited(&failure), "{failure:?}");
            }
        }
    }
}

/// Whether somebody else has a lock, and this failed instead of waiting for it.
fn would_have_waited(failure: &Failure) -> bool {
    let code = tokio_postgres::error::SqlState::LOCK_NOT_AVAILABLE;
    matches!(failure, Failure::Postgres(error) if error.code() == Some(&code))
}

async fn totals(on: &Connection) -> Vec<LeadTotal> {
    let sql = format!("SELECT {ENTRY}, count FROM lead_total ORDER BY {ENTRY}");
    let totals = all(on, &sql, &[], |row| {
        let Count(count) = row.try_get(7)?;
        Ok(LeadTotal { entry: entry::read(row)?, count })
    });
    totals.await.unwrap()
}

async fn adjustments(on: &Connection) -> Vec<LeadAdjustment> {
    let sql = format!("SELECT {ENTRY}, change, posted_at, reason FROM lead_adjustment ORDER BY number");
    let made = all(on, &sql, &[], |row| {
        let (At(posted_at), Code(reason)) = (row.try_get(8)?, row.try_get(9)?);
        Ok(LeadAdjustment { posted_at, reason, entry: entry::read(row)?, change: row.try_get(7)? })
    });
    made.await.unwrap()
}

async fn number(on: &Connection, sql: &str) -> i64 {
    on.query_one(sql, &[]).await.unwrap().get(0)
}

fn session(number: u64) -> SessionId {
    SessionId::generate(Timestamp::from_millis(NOON), &Random::seeded(number))
}

fn person(number: u64) -> PersonKey {
    PersonKey::from_bytes([u8::try_from(number).unwrap(); 16])
}

/// Anything that may be told, of few persons and sessions, so that they meet.
fn draw(random: &Random, step: i64, sessions: u64, persons: u64, merges: bool) -> Told {
    let below = |limit: u64| i64::try_from(random.below(limit)).unwrap();
    let at = Timestamp::from_millis(NOON + below(20_000) * HOUR / 40);
    let id = MessageId::new(format!("m{}", random.below(50))).unwrap();
    let agent = |number: i64| AgentId::new(format!("agent{number}")).unwrap();
    let key = person(random.below(persons));
    let telling = match random.below(60) {
        0 | 1 => Telling::Shift { agent: (below(2) == 0).then(|| agent(below(3))), running: below(3) > 0 },
        2 if merges => Telling::SamePerson(key, person(random.below(persons))),
        3 | 4 => Telling::Fact(key, Fact::Known { at: at - std::time::Duration::from_secs(3_600 * random.below(120)) }),
        5..=14 => {
            let by = if below(2) == 0 { Author::Device } else { Author::Agent(agent(below(3))) };
            Telling::Fact(key, Fact::Answered { at, id, by })
        }
        _ => Telling::Fact(key, Fact::Wrote { at, id }),
    };
    let session = session(random.below(sessions));
    // Shifts are told in the order of time.
    let first_login = Some(Timestamp::from_millis(NOON - HOUR));
    Told { session, first_login, at: Timestamp::from_millis(NOON + step * HOUR / 5), telling }
}

/// Tells the ledger, and runs what is left to be run.
async fn tell(tx: &Connection, told: &[Told]) -> Result<(), Failure> {
    super::tell(tx, told).await?.run(tx).await
}

fn tell_reference(tables: &mut Tables, told: &Told) {
    let Told { session, first_login, at, telling } = told;
    let Ok(()) = match telling {
        Telling::Shift { agent, running } => {
            tables.set_shift(*session, *at, agent.clone(), *running);
            Ok(())
        }
        Telling::SamePerson(one, other) => seatport::leads::ledger::same_person(tables, one, other, *at),
        Telling::Fact(person, fact) => {
            seatport::leads::ledger::record(tables, person, *session, *first_login, fact, *at)
        }
    };
}

const ALWAYS: (Timestamp, Timestamp) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));

#[tokio::test]
async fn told_in_batches_of_any_size_it_says_what_the_reference_says() {
    for seed in 0..8 {
        let (pool, _) = database(1);
        let on = pool.get().await.unwrap();
        let random = Random::seeded(seed);
        let mut tables = Tables::default();
        let mut step = 0;
        for round in 0..40 {
            let size = 1 + random.below(1 + random.below(60));
            let batch: Vec<Told> = (0..size)
                .map(|_| {
                    step += 1;
                    draw(&random, step, 5, 40, true)
                })
                .collect();
            batch.iter().for_each(|told| tell_reference(&mut tables, told));
            transaction(&on, async |tx| tell(tx, &batch).await).await;
            if round % 13 == 12 {
                let gone = session(random.below(5));
                let Ok(()) = seatport::leads::ledger::erase(&mut tables, gone);
                transaction(&on, async |tx| erase(tx, gone).await).await;
            }
            assert_eq!(totals(&on).await, tables.totals(ALWAYS.0, ALWAYS.1), "seed {seed}, round {round}");
            assert_eq!(adjustments(&on).await, tables.adjustments(ALWAYS.0, ALWAYS.1), "seed {seed}, round {round}");
        }
        let before = totals(&on).await;
        assert!(before.len() > 50);
        transaction(&on, async |tx| rebuild(tx).await).await;
        assert_eq!(totals(&on).await, before, "seed {seed}: rebuilt");
        assert_hangs_together(&on).await;
    }
}

/// Nothing is left of what was removed.
async fn assert_hangs_together(on: &Connection) {
    for sql in [
        "SELECT count(*) FROM visit WHERE pair NOT IN (SELECT id FROM pair)",
        "SELECT count(*) FROM pair WHERE person NOT IN (SELECT id FROM person)",
        "SELECT count(*) FROM trace WHERE person NOT IN (SELECT id FROM person)",
        "SELECT count(*) FROM person_key WHERE person NOT IN (SELECT id FROM person)",
        "SELECT count(*) FROM person WHERE id NOT IN (SELECT person FROM person_key)",
        "SELECT count(*) FROM lead_total WHERE count <= 0",
    ] {
        assert_eq!(number(on, sql).await, 0, "{sql}");
    }
}

#[tokio::test]
async fn a_total_that_is_wrong_is_corrected_on_rebuilding() {
    let (pool, _) = database(1);
    let on = pool.get().await.unwrap();
    let random = Random::seeded(5);
    let batch: Vec<Told> = (0..200).map(|step| draw(&random, step, 5, 30, false)).collect();
    transaction(&on, async |tx| tell(tx, &batch).await).await;
    let before = totals(&on).await;
    on.batch_execute(
        "DELETE FROM lead_total WHERE quarter IN (SELECT quarter FROM lead_total ORDER BY quarter LIMIT 9)",
    )
    .await
    .unwrap();
    on.batch_execute("UPDATE lead_total SET count = count + 2 WHERE late = 1").await.unwrap();
    on.batch_execute(
        "INSERT INTO lead_total SELECT 0, session, agent, class, late, replier, seconds, 7 FROM lead_total LIMIT 1",
    )
    .await
    .unwrap();
    assert_ne!(totals(&on).await, before);
    for _ in 0..2 {
        transaction(&on, async |tx| rebuild(tx).await).await;
        assert_eq!(totals(&on).await, before);
    }
}

/// Several nodes hear of the same persons, each in sessions of its own, and of who is who, at the same moment.
#[tokio::test]
async fn several_connections_that_tell_of_the_same_persons_count_each_once() {
    for (round, merges) in [(0, false), (1, false), (2, true), (3, true)] {
        const CONNECTIONS: u64 = 6;
        let (pool, _) = database(CONNECTIONS as usize);
        let script = |connection: u64| {
            let random = Random::seeded(100 * round + connection);
            (0..25)
                .map(|batch| {
                    (0..12)
                        .map(|step| {
                            let mut told = draw(&random, batch * 12 + step, 1, 20, merges);
                            // A session is told of by one connection at a time, and has one agent: so that no order matters.
                            told.session = session(connection);
                            if let Telling::Shift { agent, running } = &mut told.telling {
                                (*agent, *running) = (None, true);
                            }
                            told
                        })
                        .collect()
                })
                .collect::<Vec<Vec<Told>>>()
        };
        let mut tables = Tables::default();
        let mut telling = Vec::new();
        for connection in 0..CONNECTIONS {
            script(connection).iter().flatten().for_each(|told| tell_reference(&mut tables, told));
            let pool = pool.clone();
            let script = script(connection);
            telling.push(async move {
                let on = pool.get().await.unwrap();
                for batch in script {
                    transaction(&on, async |tx| tell(tx, &batch).await).await;
                }
            });
        }
        futures_util::future::join_all(telling).await;
        let on = pool.get().await.unwrap();
        assert_eq!(totals(&on).await, tables.totals(ALWAYS.0, ALWAYS.1), "round {round}");
        assert_hangs_together(&on).await;
        assert_eq!(number(&on, "SELECT count(*) FROM person_key").await, 20);
        let pairs = "SELECT count(*) - count(DISTINCT (person, session)) FROM pair";
        assert_eq!(number(&on, pairs).await, 0, "nothing is there twice");
    }
}

fn wrote(number: u64, key: PersonKey, hours: i64) -> Told {
    let at = Timestamp::from_millis(NOON + hours * HOUR);
    let fact = Fact::Wrote { at, id: MessageId::new(format!("m{hours}")).unwrap() };
    let first_login = Some(Timestamp::from_millis(NOON));
    Told { session: session(number), first_login, at, telling: Telling::Fact(key, fact) }
}

/// A lock that somebody waits for ends the wait with an error here.
#[tokio::test]
async fn who_tells_of_a_person_that_others_tell_of_waits_for_merges_alone() {
    let (pool, _) = database(2);
    let (one, other) = (pool.get().await.unwrap(), pool.get().await.unwrap());
    other.batch_execute("SET lock_timeout = '100ms'").await.unwrap();
    let mut tables = Tables::default();
    let mut also = |told: &[Told]| told.iter().for_each(|told| tell_reference(&mut tables, told));
    let known = [wrote(1, person(1), 0), wrote(2, person(1), 1)];
    also(&known);
    transaction(&one, async |tx| tell(tx, &known).await).await;

    // The first session's visit is prolonged, then it has another one.
    let under_way = [wrote(1, person(1), 2), wrote(1, person(1), 40)];
    also(&under_way);
    one.batch_execute("BEGIN").await.unwrap();
    tell(&one, &under_way).await.unwrap();
    // The same in the second; and a third session sees the person for the first time, so that its leads are compared.
    for told in [wrote(2, person(1), 3), wrote(2, person(1), 50), wrote(3, person(1), 4)] {
        also(std::slice::from_ref(&told));
        transaction(&other, async |tx| tell(tx, std::slice::from_ref(&told)).await).await;
    }
    let merge = Told { telling: Telling::SamePerson(person(1), person(2)), ..wrote(4, person(1), 5) };
    other.batch_execute("BEGIN").await.unwrap();
    let refused = tell(&other, std::slice::from_ref(&merge)).await.unwrap_err();
    assert!(would_have_waited(&refused), "{refused:?}");
    other.batch_execute("ROLLBACK").await.unwrap();

    one.batch_execute("COMMIT").await.unwrap();
    also(std::slice::from_ref(&merge));
    transaction(&other, async |tx| tell(tx, std::slice::from_ref(&merge)).await).await;
    assert_eq!(totals(&one).await, tables.totals(ALWAYS.0, ALWAYS.1));
    assert_hangs_together(&one).await;
}

/// Most tellings find the newest visits only; these concern older ones.
#[tokio::test]
async fn a_late_message_finds_its_visit_among_many() {
    let (pool, _) = database(1);
    let on = pool.get().await.unwrap();
    let mut tables = Tables::default();
    let visits = (0..9).map(|visit| wrote(1, person(1), 100 * visit));
    // Into a gap, at the end of a visit, between two that become one, before all.
    let late = [250, 303, 520, 579, 540, -100].map(|hours| wrote(1, person(1), hours));
    for told in visits.chain(late) {
        tell_reference(&mut tables, &told);
        transaction(&on, async |tx| tell(tx, std::slice::from_ref(&told)).await).await;
        assert_eq!(totals(&on).await, tables.totals(ALWAYS.0, ALWAYS.1), "{told:?}");
    }
    assert_eq!(adjustments(&on).await, tables.adjustments(ALWAYS.0, ALWAYS.1));
}

#[tokio::test]
async fn an_erasure_takes_a_session_with_many_pairs() {
    let (pool, _) = database(1);
    let on = pool.get().await.unwrap();
    let one = |number: i64, session: SessionId| Told {
        session,
        first_login: Some(Timestamp::from_millis(NOON)),
        at: Timestamp::from_millis(NOON),
        telling: Telling::Fact(
            PersonKey::from_bytes(u128::try_from(number).unwrap().to_be_bytes()),
            Fact::Wrote { at: Timestamp::from_millis(NOON + number), id: MessageId::new("m").unwrap() },
        ),
    };
    let many: Vec<Told> = (0..5_000).map(|number| one(number, session(1))).collect();
    let elsewhere: Vec<Told> = (0..2_500).map(|number| one(2 * number, session(2))).collect();
    for batch in [&many, &elsewhere] {
        transaction(&on, async |tx| tell(tx, batch).await).await;
    }
    let before = totals(&on).await;
    transaction(&on, async |tx| erase(tx, session(1)).await).await;
    assert_eq!(totals(&on).await, before, "no total changes");
    assert_eq!(number(&on, "SELECT count(*) FROM person").await, 2_500, "the others are forgotten");
    assert_eq!(number(&on, "SELECT count(*) FROM trace").await, 2_500);
    assert_hangs_together(&on).await;
    transaction(&on, async |tx| rebuild(tx).await).await;
    assert_eq!(totals(&on).await, before, "nor on rebuilding");
}

/// Entries of every sort, in their order.
fn entries() -> Vec<LeadEntry> {
    let agents = [None, Some("a"), Some("mei"), Some("美")].map(|id| id.map(|id| id.parse::<AgentId>().unwrap()));
    let sets = [Windows::default(), Windows::default().with(LeadWindow::Days7), Windows::from_bits(15)];
    let classes = sets.map(|new_in| EntryClass::Lead { new_in });
    let classes = classes.into_iter().chain([EntryClass::OutreachReply, EntryClass::Returning]);
    let repliers = agents.iter().map(|agent| agent.clone().map(Replier::Agent)).chain([Some(Replier::Device)]);
    let mut entries = Vec::new();
    for (session, class) in classes.flat_map(|class| [1, 2].map(|number| (session(number), class))) {
        for (agent, by) in repliers.clone().flat_map(|by| agents.clone().map(|agent| (agent, by.clone()))) {
            for (quarter, late, seconds) in
                [(-900_000, false, 0), (0, false, 70), (0, true, 7), (900_000, true, u32::MAX)]
            {
                let reply = by.clone().map(|by| Reply { by, seconds });
                let quarter = Timestamp::from_millis(quarter);
                entries.push(LeadEntry { quarter, session, agent: agent.clone(), class, late, reply });
            }
        }
    }
    entries.sort();
    entries.dedup();
    entries
}

#[tokio::test]
async fn columns_sort_as_entries_do_and_give_them_back() {
    let (pool, _) = database(1);
    let on = pool.get().await.unwrap();
    let mut rows = rows::Rows::default();
    let entries = entries();
    rows.totals = entries.iter().rev().map(|entry| (entry.clone(), 1)).collect();
    store::difference(&rows::Rows::default(), &rows).run(&on).await.unwrap();
    let found: Vec<LeadEntry> = totals(&on).await.into_iter().map(|total| total.entry).collect();
    assert_eq!(found, entries);
}

#[tokio::test]
async fn an_erasure_that_finds_somebody_merged_does_not_wait_for_who_became_of_them() {
    let (pool, _) = database(3);
    let (one, other, third) = (pool.get().await.unwrap(), pool.get().await.unwrap(), pool.get().await.unwrap());
    transaction(&one, async |tx| tell(tx, &[wrote(1, person(1), 0), wrote(2, person(2), 0)]).await).await;
    let pair_of = async |who: u64| {
        let sql = "SELECT id, person FROM pair WHERE session = $1";
        let row = one.query_one(sql, &[&Id(session(who))]).await.unwrap();
        (row.get::<_, i64>(0), row.get::<_, i64>(1))
    };
    let ((pair, merged), (_, kept)) = (pair_of(1).await, pair_of(2).await);
    let erasing = number(&other, "SELECT pg_backend_pid()::bigint").await;

    third.batch_execute(&format!("BEGIN; SELECT FROM person WHERE id = {kept} FOR KEY SHARE")).await.unwrap();
    one.batch_execute(&format!("BEGIN; SELECT FROM person WHERE id = {merged} FOR UPDATE")).await.unwrap();
    other.batch_execute("BEGIN").await.unwrap();
    let merging = async {
        let waits = format!("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = {erasing}");
        while number(&one, &waits).await == 0 {
            tokio::task::yield_now().await;
        }
        one.batch_execute(&format!("UPDATE pair SET person = {kept} WHERE id = {pair}; COMMIT")).await.unwrap();
    };
    let patience = std::time::Duration::from_secs(60);
    let (erased, ()) = tokio::join!(tokio::time::timeout(patience, erase(&other, session(1))), merging);
    let erased = erased.expect("it waits");
    assert!(matches!(&erased, Err(failure) if would_have_waited(failure)), "{erased:?}");
}

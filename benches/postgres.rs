//! Postgres: durable ingest of 50 sessions beside the raw limit, and four nodes that want the same ports.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::try_join_all;
use seatport::Clock;
use seatport::lifecycle::PortChange;
use seatport::storage::{Expect, PortStore, SessionCommit, SessionStore};
use seatport::{PortRange, Random, SessionId, SessionRecord, SystemClock, TransportName};
use seatport_benches::figures::{Bound, Figures};
use seatport_benches::place::quick;
use seatport_benches::postgres::{Ingest, SCHEMA, Server};
use seatport_benches::rounds::{Contestant, Rounds, median};
use seatport_postgres::PostgresStorage;
use tokio::runtime::Runtime;
use tokio_postgres::NoTls;

const SESSIONS: usize = 50;
/// How many messages a network leaves unacknowledged in each session.
const WINDOWS: [usize; 3] = [8, 32, 128];
/// Nodes that want ports, and how many starts and stops each has under way at once.
const NODES: usize = 4;
const AT_ONCE: usize = 8;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // The ratio of a single turn is off by a tenth now and then.
    let (messages, count) = if quick() { (100, 3) } else { (400, 15) };
    let mut figures = Figures::default();
    let ingest = runtime.block_on(Ingest::prepare(Server::start(), SESSIONS, messages))?;
    for window in WINDOWS {
        ingested(&runtime, &ingest, window, count, &mut figures)?;
    }
    drop(ingest);
    ports(&runtime, count, &mut figures)?;
    figures.write()
}

/// Compares ours with the raw limit.
fn ingested(runtime: &Runtime, ingest: &Ingest, window: usize, count: usize, figures: &mut Figures) -> Result<()> {
    let bare = runtime.block_on(ingest.record(window))?;
    let mut waited = Vec::new();
    let ours = || {
        let (took, waits) = runtime.block_on(ingest.ours(window))?;
        waited.extend(waits.iter().map(|wait| wait.as_secs_f64() * 1e3));
        Ok(took)
    };
    let contestants: Vec<Contestant<'_>> = vec![Box::new(ours), Box::new(|| runtime.block_on(bare.run()))];
    let rounds = Rounds::run(count, contestants)?;
    let (flight, messages, recording) = (window * SESSIONS, ingest.messages() as f64, &bare.recording);
    let (least, most) = rounds.spread(1, 0);
    println!("\n{flight} in flight ({window} for each of {SESSIONS} sessions); ratio by turn {least:.2} to {most:.2}");
    println!(
        "  {} transactions on {} connections recorded, {} messages each in the median",
        recording.transactions(),
        recording.connections(),
        median(recording.messages.iter().map(|size| *size as f64).collect())
    );
    println!("  acknowledged after {:.1} ms in the median", median(waited));
    figures.show(format!("ingest, {flight} in flight"), messages / rounds.seconds(0), "messages/s");
    figures.show(
        format!("bare tokio-postgres, the same {} rows", recording.rows),
        messages / rounds.seconds(1),
        "messages/s",
    );
    figures.bounded(
        format!("ingest / bare tokio-postgres, {flight} in flight"),
        rounds.ratio(1, 0),
        Bound::AtLeast(0.6),
    );
    Ok(())
}

/// Compares claiming and releasing ports with the bare statement.
fn ports(runtime: &Runtime, count: usize, figures: &mut Figures) -> Result<()> {
    let server = Server::start();
    let turns = if quick() { 10 } else { 50 };
    let (storages, sessions) = runtime.block_on(async {
        server.create("ports").await?;
        let mut storages = Vec::with_capacity(NODES);
        for _ in 0..NODES {
            storages.push(server.open("ports").await?);
        }
        // Fewer ports than there are who want one at once would only measure refusals.
        storages[0].resize_ports(PortRange::new(1, (2 * NODES * AT_ONCE) as u32)?).await?;
        let random = Random::from_os()?;
        let mut sessions = Vec::with_capacity(NODES * AT_ONCE);
        for _ in 0..NODES * AT_ONCE {
            let (id, now) = (SessionId::generate(SystemClock.now(), &random), SystemClock.now());
            let mut commit = SessionCommit::new(id, now, Expect::New);
            commit.record = Some(SessionRecord::new(id, now, TransportName::new("bench")?));
            storages[0].commit(commit).await?;
            sessions.push(id);
        }
        Ok::<_, anyhow::Error>((storages, sessions))
    })?;
    let url = server.url("ports");
    let contestants: Vec<Contestant<'_>> = vec![
        Box::new(|| runtime.block_on(claim_and_release(&storages, &sessions, turns))),
        Box::new(|| runtime.block_on(bare_claim_and_release(&url, &sessions, turns))),
    ];
    let rounds = Rounds::run(count, contestants)?;
    let pairs = (turns * sessions.len()) as f64;
    println!("\n{NODES} nodes, {AT_ONCE} sessions each that claim a port and release it again");
    figures.show("ports claimed and released", pairs / rounds.seconds(0), "pairs/s");
    figures.show("bare UPDATE … RETURNING, no event, no audit", pairs / rounds.seconds(1), "pairs/s");
    figures.show("ports claimed and released / bare UPDATE … RETURNING", rounds.ratio(1, 0), "x");
    Ok(())
}

async fn claim_and_release(storages: &[PostgresStorage], sessions: &[SessionId], turns: usize) -> Result<Duration> {
    let started = Instant::now();
    let each = sessions.iter().enumerate().map(|(place, session)| async move {
        let storage = &storages[place % storages.len()];
        for _ in 0..turns {
            for port in [PortChange::Claim, PortChange::Release] {
                let commit = SessionCommit::new(*session, SystemClock.now(), Expect::Present);
                storage.commit(SessionCommit { port, ..commit }).await?;
            }
        }
        Ok::<_, anyhow::Error>(())
    });
    try_join_all(each).await?;
    Ok(started.elapsed())
}

/// The same by two statements, on a connection for each of those who want a port at once.
async fn bare_claim_and_release(url: &str, sessions: &[SessionId], turns: usize) -> Result<Duration> {
    let mut clients = Vec::with_capacity(sessions.len());
    for session in sessions {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(&format!("SET search_path = \"{SCHEMA}\"")).await?;
        // The row lock on the organisation is what keeps two from taking the same number.
        let claim = "WITH locked AS MATERIALIZED (SELECT port_first FROM organisation FOR UPDATE)
             UPDATE session SET port = (
                 SELECT number FROM locked, generate_series(port_first, port_first + $2) AS number
                 WHERE NOT EXISTS (SELECT FROM session WHERE port = number) ORDER BY number LIMIT 1)
             WHERE id = $1 RETURNING port";
        let claim = client.prepare(claim).await?;
        let release = client.prepare("UPDATE session SET port = NULL WHERE id = $1 RETURNING key").await?;
        clients.push((client, claim, release, uuid::Uuid::from_bytes(*session.as_bytes())));
    }
    let ports = (2 * sessions.len()) as i64;
    let started = Instant::now();
    let each = clients.iter().map(|(client, claim, release, session)| async move {
        for _ in 0..turns {
            // Two that claim at once see the same snapshot; the constraint refuses one of them, which tries again.
            while client.query_one(claim, &[session, &ports]).await.is_err() {}
            client.query_one(release, &[session]).await?;
        }
        Ok::<_, anyhow::Error>(())
    });
    try_join_all(each).await?;
    Ok(started.elapsed())
}

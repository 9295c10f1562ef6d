//! Many sessions over three nodes that share one Postgres: how they spread, what they cost at rest, and how they come back when
//! a node dies.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use seatport::{CardStatus, Page, SessionFilter, SystemClock};
use seatport_benches::figures::Figures;
use seatport_benches::network::Network;
use seatport_benches::office::Office;
use seatport_benches::place::quick;
use seatport_benches::postgres::Server;
use seatport_benches::rounds::median;
use tokio_postgres::{Client, NoTls};

const NODES: usize = 3;
const DATABASE: &str = "cluster";

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> Result<()> {
    let sessions = if quick() { 1_000 } else { 10_000 };
    let mut figures = Figures::default();
    let server = Server::start();
    server.create(DATABASE).await?;
    let network = Network::default();
    let mut nodes = Vec::with_capacity(NODES);
    for _ in 0..NODES {
        nodes.push(open(&server, &network).await?);
    }

    // Everything is started at one desk, and spreads.
    let started = Instant::now();
    nodes[0].start(sessions).await?;
    online(&nodes[0], sessions).await?;
    figures.show(format!("{sessions} sessions added, started, online"), started.elapsed().as_secs_f64(), "s");
    println!("  spread: {}", spread(&nodes[0]).await?);

    let rest = if quick() { 5 } else { 20 };
    figures.show(format!("transactions at rest, {sessions} idle sessions"), at_rest(&server, rest).await?, "/s");

    let mut times = Vec::new();
    for _ in 0..if quick() { 20 } else { 200 } {
        let started = Instant::now();
        let cards = nodes[1].desk.cards(&SessionFilter::default(), Page::first(50)).await?;
        anyhow::ensure!(cards.len() == 50, "{} cards", cards.len());
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    figures.show("first page of 50 cards", median(times), "ms");

    // All of them come back at once: a new boot of the whole cluster.
    for node in nodes.drain(..) {
        node.close().await;
    }
    let booted = Instant::now();
    for node in try_join_all((0..NODES).map(|_| open(&server, &network))).await? {
        nodes.push(node);
    }
    online(&nodes[0], sessions).await?;
    figures.show(
        format!("{sessions} sessions online after all {NODES} nodes booted"),
        booted.elapsed().as_secs_f64(),
        "s",
    );
    println!("  spread: {}", spread(&nodes[0]).await?);

    // A node dies without a word.
    let dead = nodes.pop().context("three nodes")?;
    let node = dead.seatport.node_id();
    let orphans = nodes[0].storage().nodes().await?;
    let orphans = orphans.iter().find(|live| live.profile.id == node).map_or(0, |live| live.report.sessions);
    let killed = Instant::now();
    drop(dead);
    // Until its lease is over, its sessions are believed to be online.
    while nodes[0].storage().nodes().await?.len() == NODES {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let over = Instant::now();
    online(&nodes[0], sessions).await?;
    figures.show(
        format!("a node with {orphans} sessions died: its lease was over after"),
        (over - killed).as_secs_f64(),
        "s",
    );
    figures.show(format!("and all {sessions} were online again after that in"), over.elapsed().as_secs_f64(), "s");
    println!("  spread: {}", spread(&nodes[0]).await?);

    // Another takes its place, and gets its share.
    let joined = Instant::now();
    nodes.push(open(&server, &network).await?);
    let share = sessions as f64 / NODES as f64;
    loop {
        let live = nodes[0].storage().nodes().await?;
        let least = live.iter().map(|node| node.report.sessions).min().unwrap_or(0);
        if f64::from(least) > share * 0.8 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    figures.show("until a new node has its share, within a fifth", joined.elapsed().as_secs_f64(), "s");
    println!("  spread: {}", spread(&nodes[0]).await?);
    for node in nodes {
        node.close().await;
    }
    figures.write()
}

async fn open(server: &Server, network: &Network) -> Result<Office> {
    Office::open_on(Arc::new(server.open(DATABASE).await?), network.clone(), SystemClock).await
}

/// Waits until so many sessions are online.
async fn online(office: &Office, sessions: usize) -> Result<()> {
    let filter = SessionFilter { statuses: vec![CardStatus::Online], ..SessionFilter::default() };
    while office.storage().sessions(&filter, Page::first(u32::MAX)).await?.len() < sessions {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Which node drives how many.
async fn spread(office: &Office) -> Result<String> {
    let mut counts = std::collections::BTreeMap::new();
    for stored in office.storage().sessions(&SessionFilter::default(), Page::first(u32::MAX)).await? {
        *counts.entry(stored.owner.map(|owner| owner.node)).or_insert(0_u32) += 1;
    }
    Ok(counts.values().map(ToString::to_string).collect::<Vec<_>>().join(" + "))
}

/// How many transactions a second the server sees while nothing happens.
async fn at_rest(server: &Server, seconds: u64) -> Result<f64> {
    // Until everything that followed from the starts is done.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (client, connection) = tokio_postgres::connect(&server.url("postgres"), NoTls).await?;
    tokio::spawn(connection);
    let before = transactions(&client).await?;
    let started = Instant::now();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    Ok((transactions(&client).await? - before) as f64 / started.elapsed().as_secs_f64())
}

/// How many transactions the database has seen. A statement by itself is one.
async fn transactions(client: &Client) -> Result<i64> {
    let sql = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1";
    Ok(client.query_one(sql, &[&DATABASE]).await?.get(0))
}

//! What one call at a desk costs, and how fast events are read: on a database of 10,000 sessions.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use criterion::{Criterion, Throughput};
use rusqlite::Connection;
use seatport::{Cursors, SystemClock};
use seatport_benches::figures::Figures;
use seatport_benches::history::{self, History};
use seatport_benches::office::Office;
use seatport_benches::place::{copy_database, fresh};
use tokio::runtime::Runtime;

/// How many events of a feed are read in one go.
const EVENTS: u32 = 5_000;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    let directory = fresh("desk")?;
    let file = directory.join("desk.db");
    let office = runtime.block_on(async {
        copy_database(&History::open(0).await?.file, &file)?;
        Office::open(&file, SystemClock).await
    })?;
    let bare = Connection::open(&file)?;
    // Once each, so that nothing is measured that fails.
    runtime.block_on(async {
        let session = history::busy(3)?.session;
        office.desk.card(session).await?;
        office.desk.set_remark(session, "remark").await?;
        Ok::<_, anyhow::Error>(office.desk.events(Cursors::default()).await?.next_batch(1000).await?.len())
    })?;
    let measured = Measured(directory.join("criterion"));
    let mut criterion = Criterion::default().output_directory(&measured.0).configure_from_args();
    calls(&mut criterion, &runtime, &office, &bare)?;
    events(&mut criterion, &runtime, &office, &bare);
    criterion.final_summary();

    let mut figures = Figures::default();
    let [row, storage, desk] = ["bare", "storage", "desk"].map(|name| measured.seconds("card", name));
    let (row, storage, desk) = (row?, storage?, desk?);
    figures.show("the row of a session by a bare statement", row * 1e6, "us");
    figures.show("the same from the storage", storage * 1e6, "us");
    figures.show("its card at a desk, permission checked", desk * 1e6, "us");
    figures.show(
        "a remark at a desk, on disk, with event and audit line",
        measured.seconds("remark", "desk")? * 1e6,
        "us",
    );
    let rate = |seconds: f64| f64::from(EVENTS) / seconds;
    let [bare, desk] = ["bare", "desk"].map(|name| measured.seconds("events", name));
    let (bare, desk) = (bare?, desk?);
    figures.show("events by a bare statement", rate(bare), "events/s");
    figures.show("events at a desk, of all sessions", rate(desk), "events/s");
    figures.write()
}

fn calls(criterion: &mut Criterion, runtime: &Runtime, office: &Office, bare: &Connection) -> Result<()> {
    let (desk, storage, session) = (&office.desk, office.storage(), history::busy(3)?.session);
    let mut card = criterion.benchmark_group("card");
    let mut statement = bare.prepare("SELECT * FROM session WHERE id = ?1")?;
    card.bench_function("bare", |b| {
        b.iter(|| statement.query_row([session.as_bytes()], |row| row.get::<_, i64>(0)).is_ok());
    });
    card.bench_function("storage", |b| b.iter(|| runtime.block_on(storage.session(session)).is_ok()));
    card.bench_function("desk", |b| b.iter(|| runtime.block_on(desk.card(session)).is_ok()));
    card.finish();

    let mut remark = criterion.benchmark_group("remark");
    let mut number = 0;
    remark.bench_function("desk", |b| {
        b.iter(|| {
            number += 1;
            runtime.block_on(desk.set_remark(session, format!("remark {number}"))).is_ok()
        });
    });
    remark.finish();
    Ok(())
}

fn events(criterion: &mut Criterion, runtime: &Runtime, office: &Office, bare: &Connection) {
    let mut feed = criterion.benchmark_group("events");
    feed.throughput(Throughput::Elements(EVENTS.into()));
    feed.bench_function("bare", |b| {
        let read = || {
            let mut events = bare.prepare_cached("SELECT body FROM event ORDER BY session, seq LIMIT ?1")?;
            events.query_map([EVENTS], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
        };
        b.iter(|| black_box(read()).is_ok());
    });
    feed.bench_function("desk", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let mut feed = office.desk.events(Cursors::default()).await?;
                let mut read = 0;
                while read < EVENTS as usize {
                    read += black_box(feed.next_batch(1000).await?).len();
                }
                Ok::<_, seatport::Error>(read)
            })
        });
    });
    feed.finish();
}

/// Where criterion writes down what it measured.
struct Measured(PathBuf);

impl Measured {
    /// The median.
    fn seconds(&self, group: &str, name: &str) -> Result<f64> {
        let file = self.0.join(group).join(name).join("new/estimates.json");
        let estimates: serde_json::Value = serde_json::from_str(&read(&file)?)?;
        let nanoseconds = estimates["median"]["point_estimate"].as_f64();
        Ok(nanoseconds.with_context(|| format!("no median in {}", file.display()))? / 1e9)
    }
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("criterion wrote no {}", file.display()))
}

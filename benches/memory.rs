//! What a session that is started and idle takes of the memory.

use std::fs;

use anyhow::{Context, Result};
use seatport::SystemClock;
use seatport_benches::figures::Figures;
use seatport_benches::office::Office;
use seatport_benches::place::{fresh, quick};

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    let file = fresh("memory")?.join("memory.db");
    let mut figures = Figures::default();
    runtime.block_on(async {
        let office = Office::open(&file, SystemClock).await?;
        let sessions = if quick() { 200 } else { 1_000 };
        // So that what is made once is there: caches, threads, prepared statements.
        office.start(sessions / 10).await?;
        office.online(sessions / 10).await?;
        let before = resident()?;
        office.start(sessions).await?;
        office.online(sessions / 10 + sessions).await?;
        let after = resident()?;
        figures.show(format!("resident, {} idle sessions", sessions / 10 + sessions), after / 1024.0, "MB");
        figures.show("each of them", (after - before) / sessions as f64, "KB");
        office.close().await;
        figures.write()
    })
}

/// What this program takes of the memory, in KB. Linux only.
fn resident() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no resident size")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

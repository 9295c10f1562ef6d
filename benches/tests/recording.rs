//! A bare loop repeats exactly what ours wrote.

use anyhow::Result;
use seatport_benches::ingest::{Ingest, Pace};

#[test]
fn a_recording_holds_every_row_and_every_text_of_what_was_ingested() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let ingest = Ingest::prepare(directory.path(), 3, 60)?;
    // Fails unless the bare loop makes the same database.
    let bare = ingest.record("window", Pace::Window(16))?;
    assert_eq!(bare.recording.messages.iter().sum::<usize>(), 180);
    assert!(bare.recording.rows() > 3 * 180, "a message, its text, its event, and more: {}", bare.recording.rows());

    let single = ingest.record("single", Pace::OneByOne)?;
    assert_eq!(single.recording.messages, [1; 180], "one at a time makes a transaction for each");
    Ok(())
}

#[test]
fn a_run_counts_its_transactions() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let ingest = Ingest::prepare(directory.path(), 2, 20)?;
    let run = ingest.ours(Pace::OneByOne)?;
    assert_eq!(run.waits.len(), 40);
    assert!(run.transactions >= 40, "{} transactions", run.transactions);
    Ok(())
}

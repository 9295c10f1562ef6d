//! A peer: a server as they are written today, without group commit.
//!
//! One thread owns the database; connections hand it what they received and wait for the answer, and it commits each message by
//! itself. It decides nothing and looks nothing up: it is told which rows to write.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};

use crate::recording::{Recording, connect};

/// Which transaction to write, and whom to answer.
type Request = (usize, oneshot::Sender<()>);

/// Has the server write a recording of one message to a transaction, from so many connections; answers how long that took.
///
/// # Errors
/// Those of SQLite.
pub fn serve(runtime: &Runtime, recording: &Recording, database: &Path, connections: usize) -> Result<Duration> {
    let transactions = recording.transactions();
    let connection = connect(database)?;
    let mut writer = recording.prepare(&connection)?;
    let (requests, mut received) = mpsc::channel::<Request>(connections);
    let _runtime = runtime.enter();
    // Rows refer to earlier ones, so the connections take the messages in their order.
    let next = std::sync::Arc::new(tokio::sync::Mutex::new(0..transactions.len()));
    let started = Instant::now();
    for _ in 0..connections {
        let (requests, next) = (requests.clone(), next.clone());
        tokio::spawn(async move {
            loop {
                let stored = {
                    let mut next = next.lock().await;
                    let Some(message) = next.next() else { return };
                    let (answer, stored) = oneshot::channel();
                    if requests.send((message, answer)).await.is_err() {
                        return;
                    }
                    stored
                };
                if stored.await.is_err() {
                    return;
                }
            }
        });
    }
    drop(requests);
    let mut written = 0;
    while let Some((message, answer)) = received.blocking_recv() {
        writer.transaction(&transactions[message])?;
        written += 1;
        // A connection that hung up does not want to know.
        let _ = answer.send(());
    }
    (written == transactions.len()).then_some(started.elapsed()).context("the server lost a message")
}

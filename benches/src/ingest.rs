//! Ingest: messages that come from the network, all the way into the database and back as an acknowledgement.
//!
//! A database is prepared once, in which each session knows some people. Every run begins with a copy of it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use seatport::transport::InboundMessage;
use seatport::{Clock, PortNumber, SystemClock};
use tokio::runtime::Runtime;

use crate::clock::{Behind, days};
use crate::cpu::computed;
use crate::office::Office;
use crate::place::copy_database;
use crate::recording::{Recorder, Recording, transactions_seen, watch};
use crate::traffic::Traffic;

/// How many messages wait for their acknowledgement while a database is prepared.
const WINDOW: usize = 64;

/// What is ingested, and where.
#[derive(Debug)]
pub struct Ingest {
    directory: PathBuf,
    runtime: Runtime,
    sessions: usize,
    /// How many messages each session gets.
    messages: u64,
}

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    /// From the first message handed over to the last one acknowledged.
    pub took: Duration,
    /// How long all threads together computed.
    pub computed: Duration,
    /// How many transactions the database saw meanwhile.
    pub transactions: u32,
    /// How long each message waited for its acknowledgement.
    pub waits: Vec<Duration>,
}

/// How messages are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// To all sessions at once, with so many unacknowledged for each.
    Window(usize),
    /// One at a time over all sessions: the next one when this one was acknowledged.
    OneByOne,
}

impl Ingest {
    /// Prepares a database with so many sessions in an empty directory.
    ///
    /// # Errors
    /// Those of the office.
    pub fn prepare(directory: &Path, sessions: usize, messages: u64) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
        let ingest = Self { directory: directory.to_owned(), runtime, sessions, messages };
        let three_days_ago = Behind(days(3));
        ingest.runtime.block_on(async {
            let office = Office::open(&ingest.template(), three_days_ago).await?;
            office.start(sessions).await?;
            let ports = office.online(sessions).await?;
            // After the first login, so that these people were leads in their time.
            let mut traffic = Traffic::new(1, three_days_ago.now() + Duration::from_secs(60));
            let known = ports.iter().map(|port| Ok((*port, traffic.acquaintances(u64::from(port.0))?)));
            let known = known.collect::<Result<Vec<_>>>()?;
            deliver(&office, known, Pace::Window(WINDOW)).await?;
            office.close().await;
            Ok::<_, anyhow::Error>(())
        })?;
        Ok(ingest)
    }

    fn template(&self) -> PathBuf {
        self.directory.join("prepared.db")
    }

    fn database(&self) -> PathBuf {
        self.directory.join("run.db")
    }

    /// How many messages one run ingests.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages * self.sessions as u64
    }

    /// Ingests everything through the whole path.
    ///
    /// # Errors
    /// Those of the office.
    pub fn ours(&self, pace: Pace) -> Result<Run> {
        copy_database(&self.template(), &self.database())?;
        self.runtime.block_on(async {
            let (office, traffic) = self.open().await?;
            let before = transactions_seen(&self.database())?;
            let (started, idle) = (Instant::now(), computed()?);
            let waits = deliver(&office, traffic, pace).await?;
            let (took, computed) = (started.elapsed(), computed()?.saturating_sub(idle));
            let transactions = transactions_seen(&self.database())?.wrapping_sub(before);
            office.close().await;
            Ok(Run { took, computed, transactions, waits })
        })
    }

    /// Does the same once more, and records what it writes.
    ///
    /// # Errors
    /// Those of the office and of the recorder; or a message is missing in the recording.
    pub fn record(&self, name: &str, pace: Pace) -> Result<Bare> {
        copy_database(&self.template(), &self.database())?;
        watch(&self.database())?;
        let [before, state] = ["before", "after"].map(|side| self.directory.join(format!("{name}-{side}.db")));
        let recording = self.runtime.block_on(async {
            let (office, traffic) = self.open().await?;
            let recorder = Recorder::begin(&self.database(), &before, &state)?;
            deliver(&office, traffic, pace).await?;
            let recording = recorder.end()?;
            office.close().await;
            Ok::<_, anyhow::Error>(recording)
        })?;
        let recorded: usize = recording.messages.iter().sum();
        ensure!(recorded as u64 == self.messages(), "{recorded} of {} messages were recorded", self.messages());
        let bare = Bare { recording, before, database: self.directory.join("bare.db") };
        bare.run()?;
        bare.recording.verify(&bare.database)?;
        Ok(bare)
    }

    /// An office with all sessions online, and what they are going to be told.
    async fn open(&self) -> Result<(Office, Vec<(PortNumber, Vec<InboundMessage>)>)> {
        let office = Office::open(&self.database(), SystemClock).await?;
        let ports = office.online(self.sessions).await?;
        let mut traffic = Traffic::new(2, SystemClock.now());
        let messages = ports.into_iter().map(|port| Ok((port, traffic.messages(u64::from(port.0), self.messages)?)));
        Ok((office, messages.collect::<Result<_>>()?))
    }
}

/// Has every message of a session delivered; answers how long each waited for its acknowledgement.
///
/// # Errors
/// A connection ended before.
pub async fn deliver(
    office: &Office,
    messages: Vec<(PortNumber, Vec<InboundMessage>)>,
    pace: Pace,
) -> Result<Vec<Duration>> {
    let mut waits = Vec::new();
    match pace {
        Pace::Window(window) => {
            let floods = messages.into_iter().map(|(port, messages)| office.network.flood(port, messages, window));
            for flood in floods.collect::<Result<Vec<_>>>()? {
                waits.extend(flood.acknowledged().await?);
            }
        }
        Pace::OneByOne => {
            for (port, messages) in messages {
                waits.extend(office.network.flood(port, messages, 1)?.acknowledged().await?);
            }
        }
    }
    Ok(waits)
}

/// The raw limit: what ours wrote, written by bare SQLite.
#[derive(Debug)]
pub struct Bare {
    /// What it writes.
    pub recording: Recording,
    before: PathBuf,
    database: PathBuf,
}

impl Bare {
    /// Writes all of it; answers how long that took.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn run(&self) -> Result<Run> {
        let database = self.fresh()?;
        let idle = computed()?;
        let took = self.recording.replay(database)?;
        let transactions = u32::try_from(self.recording.transactions().len())?;
        Ok(Run { took, computed: computed()?.saturating_sub(idle), transactions, waits: Vec::new() })
    }

    /// An own copy of the state before.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn fresh(&self) -> Result<&Path> {
        copy_database(&self.before, &self.database)?;
        Ok(&self.database)
    }
}

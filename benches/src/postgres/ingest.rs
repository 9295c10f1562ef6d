//! Ingest into Postgres, and the raw limit of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use seatport::transport::InboundMessage;
use seatport::{Clock, PortNumber, SystemClock};

use super::recording::{Recorder, Recording};
use super::server::{SCHEMA, Server};
use crate::clock::{Behind, days};
use crate::ingest::{Pace, deliver};
use crate::network::Network;
use crate::office::Office;
use crate::traffic::Traffic;

/// The database that every run begins with a copy of.
const PREPARED: &str = "prepared";
/// How many messages wait for their acknowledgement while it is prepared.
const WINDOW: usize = 64;

/// What is ingested, and where.
#[derive(Debug)]
pub struct Ingest {
    server: Server,
    sessions: usize,
    /// How many messages each session gets.
    messages: u64,
}

impl Ingest {
    /// Prepares a database with so many sessions.
    ///
    /// # Errors
    /// Those of the office.
    pub async fn prepare(server: Server, sessions: usize, messages: u64) -> Result<Self> {
        let ingest = Self { server, sessions, messages };
        ingest.server.create(PREPARED).await?;
        let three_days_ago = Behind(days(3));
        let office = ingest.office(PREPARED, three_days_ago).await?;
        office.start(sessions).await?;
        let ports = office.online(sessions).await?;
        // After the first login, so that these people were leads in their time.
        let mut traffic = Traffic::new(1, three_days_ago.now() + Duration::from_secs(60));
        let known = ports.iter().map(|port| Ok((*port, traffic.acquaintances(u64::from(port.0))?)));
        deliver(&office, known.collect::<Result<Vec<_>>>()?, Pace::Window(WINDOW)).await?;
        office.close().await;
        Ok(ingest)
    }

    /// How many messages one run ingests.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages * self.sessions as u64
    }

    async fn office(&self, database: &str, clock: impl Clock) -> Result<Office> {
        let storage = self.server.open(database).await?;
        Office::open_on(Arc::new(storage), Network::default(), clock).await
    }

    /// An office with all sessions online, and what they are going to be told.
    async fn open(&self, database: &str) -> Result<(Office, Vec<(PortNumber, Vec<InboundMessage>)>)> {
        let office = self.office(database, SystemClock).await?;
        let ports = office.online(self.sessions).await?;
        let mut traffic = Traffic::new(2, SystemClock.now());
        let messages = ports.into_iter().map(|port| Ok((port, traffic.messages(u64::from(port.0), self.messages)?)));
        Ok((office, messages.collect::<Result<_>>()?))
    }

    /// Ingests everything through the whole path; answers how long that took, and how long each message waited.
    ///
    /// # Errors
    /// Those of the office.
    pub async fn ours(&self, window: usize) -> Result<(Duration, Vec<Duration>)> {
        self.server.copy(PREPARED, "ours").await?;
        let (office, traffic) = self.open("ours").await?;
        let started = Instant::now();
        let waits = deliver(&office, traffic, Pace::Window(window)).await?;
        let took = started.elapsed();
        office.close().await;
        Ok((took, waits))
    }

    /// Does the same once more, and records what it writes.
    ///
    /// # Errors
    /// Those of the office and of the recorder; or a message is missing in the recording.
    pub async fn record(&self, window: usize) -> Result<Bare<'_>> {
        self.server.copy(PREPARED, "recorded").await?;
        let (office, traffic) = self.open("recorded").await?;
        office.close().await;
        // With every session where it is when it is online, and nobody connected: the state before.
        let before = format!("before-{window}");
        self.server.copy("recorded", &before).await?;
        let office = self.office("recorded", SystemClock).await?;
        office.online(self.sessions).await?;
        let recorder = Recorder::begin(&self.server.url("recorded"), SCHEMA).await?;
        deliver(&office, traffic, Pace::Window(window)).await?;
        let recording = recorder.end().await?;
        office.close().await;
        let recorded: usize = recording.messages.iter().sum();
        ensure!(recorded as u64 == self.messages(), "{recorded} of {} messages were recorded", self.messages());
        let bare = Bare { recording, server: &self.server, before };
        bare.run().await?;
        bare.recording.verify(&self.server.url("recorded"), &self.server.url("bare")).await?;
        Ok(bare)
    }
}

/// The raw limit: what ours wrote, written by bare tokio-postgres.
#[derive(Debug)]
pub struct Bare<'a> {
    /// What it writes.
    pub recording: Recording,
    server: &'a Server,
    before: String,
}

impl Bare<'_> {
    /// Writes all of it; answers how long that took.
    ///
    /// # Errors
    /// Those of Postgres.
    pub async fn run(&self) -> Result<Duration> {
        self.server.copy(&self.before, "bare").await?;
        self.recording.replay(&self.server.url("bare"), SCHEMA).await
    }
}

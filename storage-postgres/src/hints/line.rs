//! The connection on which notifications come and go.

use std::future::poll_fn;
use std::time::Duration;

use seatport::storage::Change;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_postgres::{AsyncMessage, Client, Statement};
use uuid::Uuid;

use super::Hints;
use super::words::{self, Word};
use crate::connect::Target;
use crate::error::Failure;
use crate::hosts::Driver;

/// How long to gather hints after some were sent. Each notification takes a lock that all databases of the server share, and wakes
/// every process that listens.
const GATHER: Duration = Duration::from_millis(20);

/// How long to wait before the connection is made anew; each time twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long a notification may take.
const SLOW: Duration = Duration::from_secs(10);

/// How long to go on sending after nothing more comes.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The line to the other processes.
#[derive(Debug)]
pub(crate) struct Line {
    target: Target,
    channel: String,
    process: Uuid,
    hints: Hints,
    /// What was taken out of the outbox and not sent so far.
    unsent: Vec<Word>,
}

/// A connection that listens.
struct Open {
    client: Client,
    notify: Statement,
    heard: mpsc::UnboundedReceiver<String>,
    driver: JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Line {
    /// Connects, and keeps the line up in the background from then on.
    pub(crate) async fn open(
        target: Target,
        schema: &str,
        process: Uuid,
        hints: Hints,
    ) -> Result<JoinHandle<()>, Failure> {
        let channel = format!("seatport {schema}");
        let line = Self { target, channel, process, hints, unsent: Vec::new() };
        let open = line.connect().await?;
        Ok(tokio::spawn(line.keep(open)))
    }

    async fn connect(&self) -> Result<Open, Failure> {
        let (client, connection) = self.target.connect().await?;
        let (hear, heard) = mpsc::unbounded_channel();
        let driver = tokio::spawn(drive(connection, hear));
        let notify = async {
            client.batch_execute(&format!("LISTEN \"{}\"", self.channel)).await?;
            client.prepare("SELECT pg_notify($1, $2)").await
        };
        match timeout(SLOW, notify).await {
            Ok(Ok(notify)) => Ok(Open { client, notify, heard, driver }),
            Ok(Err(error)) => {
                driver.abort();
                Err(error.into())
            }
            Err(_) => {
                driver.abort();
                Err(Failure::Away)
            }
        }
    }

    async fn keep(mut self, mut open: Open) {
        loop {
            self.serve(&mut open).await;
            if self.hints.has_stopped() {
                return;
            }
            drop(open);
            tracing::warn!(database = %self.target, "the connection for notifications broke; making it anew");
            open = match self.connect_again().await {
                Some(open) => open,
                None => return,
            };
            // Whatever the others said in the meantime was not heard.
            self.hints.announce_here(Change::Any);
        }
    }

    async fn connect_again(&self) -> Option<Open> {
        let mut pause = FIRST_PAUSE;
        loop {
            if self.hints.has_stopped() {
                return None;
            }
            match self.connect().await {
                Ok(open) => return Some(open),
                Err(failure) => tracing::debug!(?failure, "no connection for notifications"),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Sends and hears until the connection breaks or nothing more comes.
    async fn serve(&mut self, open: &mut Open) {
        if self.send(open).await.is_err() {
            return;
        }
        let mut gathered = Instant::now();
        loop {
            let wanted = async {
                sleep_until(gathered).await;
                self.hints.0.wake.notified().await;
            };
            tokio::select! {
                biased;
                heard = open.heard.recv() => match heard {
                    Some(notification) => self.hear(&notification),
                    None => return,
                },
                () = wanted => {
                    let stopped = self.hints.has_stopped();
                    let sent = if stopped { timeout(LAST_WORDS, self.send(open)).await.unwrap_or(Ok(())) } else { self.send(open).await };
                    if stopped || sent.is_err() {
                        return;
                    }
                    gathered = Instant::now() + GATHER;
                }
            }
        }
    }

    fn hear(&self, notification: &str) {
        for word in words::read(self.process, notification) {
            match word {
                Word::Change(change) => self.hints.announce_here(change),
                Word::Notice(notice) => self.hints.notice_here(notice),
            }
        }
    }

    /// Sends all that is in the outbox. What could not be sent stays for the next time, but for notices.
    async fn send(&mut self, open: &Open) -> Result<(), Failure> {
        let notices = {
            let mut outbox = self.hints.0.outbox.lock();
            self.unsent.extend(outbox.take_changes().into_iter().map(Word::Change));
            std::mem::take(&mut outbox.notices)
        };
        let mut words = std::mem::take(&mut self.unsent);
        let changes = words.len();
        words.extend(notices.into_iter().map(Word::Notice));
        let notifications = words::write(self.process, &words);
        let sending = async {
            for notification in &notifications {
                open.client.execute(&open.notify, &[&self.channel, notification]).await?;
            }
            Ok::<_, tokio_postgres::Error>(())
        };
        let sent = timeout(SLOW, sending).await.map_or(Err(Failure::Away), |sent| sent.map_err(Failure::from));
        if sent.is_err() {
            words.truncate(changes);
            self.unsent = words;
        }
        sent
    }
}

/// Does what the connection has to do, and passes on what is heard on it.
async fn drive(connection: Driver, hear: mpsc::UnboundedSender<String>) {
    let mut connection = connection;
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(notification) = message
            && hear.send(notification.payload().to_owned()).is_err()
        {
            return;
        }
    }
}

//! Reading and writing on a connection of a pool.
//!
//! A write has its connection to itself until it is known what became of it. When the connection breaks while the transaction is
//! being committed, nobody knows whether it landed; so every transaction leaves a mark, which can be asked for afterwards. The
//! mark is a row, and not the number of the transaction, because a standby that was promoted in the meantime has the row if and
//! only if it has the transaction, while it may have given the number to another one.

use std::ops::Deref;
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use seatport::storage::{Change, StorageError};
use tokio::time::timeout;
use tokio_postgres::error::Severity;
use uuid::Uuid;

use crate::PostgresStorage;
use crate::connect::get;
use crate::core::Core;
use crate::error::Failure;
use crate::retry::Patience;
use crate::sql::{Connection, execute, first};
use crate::statements::Statements;

/// What [`PostgresStorage::read`] does with a connection.
pub(crate) type Reading<A, T> = for<'a> fn(&'a Connection, &'a A) -> BoxFuture<'a, Result<T, Failure>>;

/// What [`PostgresStorage::write`] does in a transaction.
pub(crate) type Writing<A, T> = for<'a> fn(&'a Tx<'a>, &'a A) -> BoxFuture<'a, Result<T, Failure>>;

/// Leaves the mark of a transaction. The row is locked until the transaction ends.
pub(crate) const MARK: &str = "INSERT INTO landed (process, lane, number, at) VALUES ($1, $2, $3, clock_timestamp())
     ON CONFLICT (process, lane) DO UPDATE SET number = excluded.number, at = excluded.at";

/// Asks for the last mark of a lane. Waits for a transaction that is about to change it.
const ASK: &str = "INSERT INTO landed (process, lane, number, at) VALUES ($1, $2, 0, clock_timestamp())
     ON CONFLICT (process, lane) DO UPDATE SET at = excluded.at RETURNING number";

/// The marks of this process's transactions, by lane: one transaction at a time has a lane to itself.
#[derive(Debug, Default)]
pub(crate) struct Lanes(Mutex<Spare>);

#[derive(Debug, Default)]
struct Spare {
    lanes: Vec<Lane>,
    made: i64,
}

#[derive(Debug)]
struct Lane {
    lane: i64,
    number: i64,
}

impl Lanes {
    fn take(&self) -> Lane {
        let mut spare = self.0.lock();
        let mut lane = spare.lanes.pop().unwrap_or_else(|| {
            spare.made += 1;
            Lane { lane: spare.made, number: 0 }
        });
        lane.number += 1;
        lane
    }

    fn give_back(&self, lane: Lane) {
        self.0.lock().lanes.push(lane);
    }
}

/// A connection inside a transaction.
#[derive(Debug)]
pub(crate) struct Tx<'a> {
    connection: &'a Connection,
    changes: Mutex<Vec<Change>>,
}

impl Tx<'_> {
    /// Announces this, here and to the other processes, once the transaction is durable.
    pub(crate) fn announce(&self, change: Change) {
        self.changes.lock().push(change);
    }

    pub(crate) fn into_changes(self) -> Vec<Change> {
        self.changes.into_inner()
    }
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// A connection that is in use. Unless it is given back, it is closed: nobody knows what still runs on it.
#[derive(Debug)]
pub(crate) struct InUse(Option<Connection>);

impl InUse {
    /// One of this pool.
    pub(crate) async fn of(pool: &Pool) -> Result<Self, Failure> {
        Ok(Self(Some(get(pool).await?)))
    }

    /// The connection, unless it was given back.
    pub(crate) fn on(&self) -> Result<&Connection, Failure> {
        self.0.as_ref().ok_or(Failure::Away)
    }

    pub(crate) fn give_back(&mut self) {
        self.0 = None;
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(Object::take(connection));
        }
    }
}

/// A transaction, from before it begins until it is known what became of it. Dropped, it has not happened.
#[derive(Debug)]
pub(crate) struct Transaction<'c> {
    core: &'c Core,
    connection: InUse,
    lane: Option<Lane>,
}

impl<'c> Transaction<'c> {
    /// Takes a connection for it from this pool.
    pub(crate) async fn on(core: &'c Core, pool: &Pool) -> Result<Self, Failure> {
        let connection = InUse::of(pool).await?;
        Ok(Self { core, connection, lane: Some(core.lanes.take()) })
    }

    /// What the work is done with.
    pub(crate) fn tx(&self) -> Result<Tx<'_>, Failure> {
        Ok(Tx { connection: self.connection.on()?, changes: Mutex::default() })
    }

    /// Begins it. May be pipelined with what follows, if that only reads: nothing says that it began until this has answered.
    pub(crate) async fn begin(&self, begin: &str) -> Result<(), Failure> {
        Ok(self.connection.on()?.batch_execute(begin).await?)
    }

    /// Leaves its mark.
    pub(crate) async fn mark(&self) -> Result<(), Failure> {
        let Some(lane) = &self.lane else { return Ok(()) };
        execute(self.connection.on()?, MARK, &[&self.core.process, &lane.lane, &lane.number]).await?;
        Ok(())
    }

    /// Undoes it.
    pub(crate) async fn roll_back(mut self) {
        let Ok(connection) = self.connection.on() else { return };
        if let Ok(Ok(())) = timeout(self.core.options.connect_timeout, connection.batch_execute("ROLLBACK")).await {
            self.connection.give_back();
            self.give_lane_back();
        }
    }

    /// Runs these as its last statements, and makes it durable. When the answer is an error other than [`Failure::Unknown`],
    /// nothing has happened.
    pub(crate) async fn commit(mut self, last: Statements) -> Result<(), Failure> {
        match timeout(self.core.limit(), last.run_and_commit(self.connection.on()?)).await {
            Ok(Ok(())) => {
                self.connection.give_back();
                self.give_lane_back();
                Ok(())
            }
            Ok(Err(Failure::Postgres(error))) if is_plain(&error) => Err(error.into()),
            Ok(Err(_)) | Err(_) => {
                self.connection = InUse(None);
                let landed = self.has_landed().await?;
                self.give_lane_back();
                if landed { Ok(()) } else { Err(Failure::Away) }
            }
        }
    }

    /// Asks on another connection whether it landed.
    async fn has_landed(&self) -> Result<bool, Failure> {
        let Some(lane) = &self.lane else { return Err(Failure::Unknown) };
        let mut patience = self.core.patience();
        loop {
            match self.core.read_once(&(self.core.process, lane.lane), last_mark).await {
                Ok(last) => return Ok(last == Some(lane.number)),
                Err(failure) => patience.again(failure).await.map_err(|_| Failure::Unknown)?,
            }
        }
    }

    fn give_lane_back(&mut self) {
        if let Some(lane) = self.lane.take() {
            self.core.lanes.give_back(lane);
        }
    }
}

/// The last mark of a lane.
fn last_mark<'a>(on: &'a Connection, (process, lane): &'a (Uuid, i64)) -> BoxFuture<'a, Result<Option<i64>, Failure>> {
    async move { first(on, ASK, &[process, lane], |row| Ok(row.try_get(0)?)).await }.boxed()
}

/// Whether the server refused, and the connection goes on.
fn is_plain(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|error| error.parsed_severity() == Some(Severity::Error))
}

/// What kind of transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// As most are.
    Plain,
    /// It sees the database as it is when it begins.
    Snapshot,
}

impl Kind {
    fn begin(self) -> &'static str {
        match self {
            Self::Plain => "BEGIN",
            Self::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ",
        }
    }
}

impl Core {
    pub(crate) async fn read_once<A: Sync, T>(&self, input: &A, work: Reading<A, T>) -> Result<T, Failure> {
        let mut connection = InUse::of(&self.pool).await?;
        let on = connection.on()?;
        let limit = self.options.statement_timeout + self.limit();
        let read = timeout(limit, work(on, input)).await.unwrap_or(Err(Failure::Away));
        match &read {
            Err(Failure::Away | Failure::Unknown) => {}
            Err(Failure::Postgres(error)) if !is_plain(error) => {}
            Ok(_) | Err(_) => connection.give_back(),
        }
        read
    }

    async fn write_once<A, T>(&self, kind: Kind, input: &A, work: Writing<A, T>) -> Result<T, Failure> {
        let transaction = Transaction::on(self, &self.pool).await?;
        let tx = transaction.tx()?;
        let mut writing = Box::pin(async {
            transaction.begin(kind.begin()).await?;
            let ((), written) = tokio::try_join!(biased; transaction.mark(), work(&tx, input))?;
            Ok(written)
        });
        let written = loop {
            match timeout(self.limit(), &mut writing).await {
                Ok(written) => break written,
                Err(_) if kind == Kind::Snapshot && self.server_answers().await => {}
                Err(_) => return Err(Failure::Away),
            }
        };
        drop(writing);
        let changes = tx.into_changes();
        match written {
            Ok(written) => {
                transaction.commit(Statements::default()).await?;
                self.hints.announce(&changes);
                Ok(written)
            }
            Err(failure) => {
                transaction.roll_back().await;
                Err(failure)
            }
        }
    }

    /// Whether the server answers others. If all their connections are in use, they will find out.
    async fn server_answers(&self) -> bool {
        let asked = timeout(self.limit(), async {
            let mut connection = InUse::of(&self.writers).await?;
            execute(connection.on()?, "SELECT 1", &[]).await?;
            connection.give_back();
            Ok(())
        });
        matches!(asked.await, Ok(Ok(()) | Err(Failure::Storage(_))))
    }

    /// What to do about a failure before another attempt.
    pub(crate) async fn again(&self, patience: &mut Patience, failure: Failure) -> Result<(), Failure> {
        if failure.is_read_only() {
            // The connections were made before another server took over.
            self.pool.retain(|_, _| false);
            self.writers.retain(|_, _| false);
        }
        patience.again(failure).await
    }

    /// How long the steps of a transaction may take, until it is given up together with its connection: the server has given up
    /// a statement before, and says nothing because it stands still or nothing gets through.
    pub(crate) fn limit(&self) -> Duration {
        self.options.statement_timeout + self.options.connect_timeout
    }

    /// How long a call is tried again.
    pub(crate) fn patience(&self) -> Patience {
        Patience::new(self.options.retry_for)
    }

    /// The error for the caller.
    pub(crate) fn error(&self, failure: Failure) -> StorageError {
        failure.into_error(&self.target)
    }
}

impl PostgresStorage {
    /// Reads on a connection of the pool. `input` is what `work` needs. The work may be run again, on another connection.
    ///
    /// It may also be a single statement that writes, if doing it twice is the same as doing it once.
    pub(crate) async fn read<A: Sync, T>(&self, input: A, work: Reading<A, T>) -> Result<T, StorageError> {
        let core = &self.handle.core;
        let _call = core.gate.enter()?;
        let mut patience = core.patience();
        loop {
            match core.read_once(&input, work).await {
                Ok(read) => return Ok(read),
                Err(failure) => core.again(&mut patience, failure).await.map_err(|failure| core.error(failure))?,
            }
        }
    }

    /// Does this work in a transaction of its own, as a whole or not at all, and answers once it is durable. Goes on when the
    /// caller no longer waits.
    ///
    /// The work may be run again, on another connection: after a deadlock, say.
    pub(crate) async fn write<A, T>(&self, input: A, work: Writing<A, T>) -> Result<T, StorageError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.transact(Kind::Plain, input, work).await
    }

    /// The same in a transaction that sees the database as it is when it begins, all along. It may take as long as it takes, while
    /// the server answers others.
    pub(crate) async fn write_in_snapshot<A, T>(&self, input: A, work: Writing<A, T>) -> Result<T, StorageError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.transact(Kind::Snapshot, input, work).await
    }

    async fn transact<A, T>(&self, kind: Kind, input: A, work: Writing<A, T>) -> Result<T, StorageError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let core = self.handle.core.clone();
        let call = core.gate.enter()?;
        let writing = tokio::spawn(async move {
            let _call = call;
            let mut patience = core.patience();
            loop {
                match core.write_once(kind, &input, work).await {
                    Ok(written) => return Ok(written),
                    Err(failure) => core.again(&mut patience, failure).await.map_err(|failure| core.error(failure))?,
                }
            }
        });
        writing.await.unwrap_or_else(|_| Err(self.handle.core.abandoned()))
    }
}

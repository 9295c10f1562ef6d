//! How a storage is opened and closed.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use seatport::storage::StorageError;
use tokio::time::timeout;
use uuid::Uuid;

use crate::connect::Target;
use crate::core::Core;
use crate::error::Failure;
use crate::gate::Gate;
use crate::hints::{Hints, Line, poll};
use crate::options::PostgresOptions;
use crate::retry::Patience;
use crate::search::gather::{self, Fresh};
use crate::sql::{execute, first};
use crate::transaction::{InUse, Lanes};
use crate::writer::Writers;
use crate::{Handle, PostgresStorage, delete, migrate};

/// How long closing waits for what is no more than good manners.
const MANNERS: Duration = Duration::from_secs(3);

/// For how long opening is tried again when others are in the way.
const OPENING: Duration = Duration::from_secs(60);

impl PostgresStorage {
    pub(crate) async fn open_with(url: &str, options: PostgresOptions) -> Result<Self, StorageError> {
        let target = Target::read(url, &options)?;
        let common = target.with_settings(&common(&options));
        let speaking = common.with_settings(&[("synchronous_commit", "off".to_owned())]);

        let pool = common.pool(options.connections, &options)?;
        let writers = common.pool(options.writers, &options)?;
        let mut core = Core {
            target: target.clone(),
            pool,
            writers,
            process: Uuid::nil(),
            lanes: Lanes::default(),
            gate: Gate::default(),
            hints: Hints::default(),
            fresh: Fresh::default(),
            line: Mutex::new(None),
            options,
        };
        let failed = |failure: Failure| failure.into_error(&target);
        // Whoever cannot be reached now is not waited for.
        drop(InUse::of(&core.pool).await.map_err(failed)?);
        let mut patience = Patience::new(OPENING);
        while let Err(failure) = migrate::migrate(&core).await {
            if failure.is_read_only() {
                return Err(failed(failure));
            }
            patience.again(failure).await.map_err(failed)?;
        }
        let (process, now) = greet(&core).await.map_err(failed)?;
        core.process = process;
        let line = Line::open(speaking, &core.options.schema, process, core.hints.clone());
        *core.line.lock() = Some(line.await.map_err(failed)?);

        let core = Arc::new(core);
        tokio::spawn(gather::run(Arc::downgrade(&core)));
        tokio::spawn(poll::run(Arc::downgrade(&core), core.options.poll, now));
        let writers = Writers::start(&core);
        let storage = Self { handle: Arc::new(Handle { core, writers }) };
        tokio::spawn(finish_deletions(storage.clone()));
        Ok(storage)
    }
}

/// How statements are run: each row that they ask for is looked up in an index, whatever the statistics say. A plan that was made
/// while a table was small stays with the connection while the table grows, so it may not read all of the table.
const PLANS: [(&str, &str); 6] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    // These would read all of an index.
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    // What is looked up for one row is hardly ever what another one wants.
    ("enable_memoize", "off"),
    ("jit", "off"),
];

/// These as options of a connection that a test makes by itself.
#[cfg(test)]
pub(crate) fn plans() -> String {
    PLANS.map(|(name, value)| format!("-c {name}={value}")).join(" ")
}

/// What holds for all connections.
fn common(options: &PostgresOptions) -> Vec<(&'static str, String)> {
    let millis = |time: Duration| time.as_millis().to_string();
    let mut settings = vec![
        ("search_path", format!("\"{}\"", options.schema)),
        ("statement_timeout", millis(options.statement_timeout)),
        ("lock_timeout", millis(options.lock_timeout)),
        ("idle_in_transaction_session_timeout", millis(options.idle_timeout)),
        // A process that is gone without a word holds nothing up for long.
        ("client_connection_check_interval", "1000".to_owned()),
        ("tcp_keepalives_idle", "5".to_owned()),
        ("tcp_keepalives_interval", "2".to_owned()),
        ("tcp_keepalives_count", "3".to_owned()),
        ("tcp_user_timeout", "10000".to_owned()),
        ("default_transaction_isolation", "read\\ committed".to_owned()),
        ("standard_conforming_strings", "on".to_owned()),
    ];
    settings.extend(PLANS.map(|(name, value)| (name, value.to_owned())));
    settings
}

/// A name for this opening of the storage, and the time, in microseconds, on the clock of the database.
async fn greet(core: &Core) -> Result<(Uuid, i64), Failure> {
    let mut connection = InUse::of(&core.pool).await?;
    let on = connection.on()?;
    // Marks of processes that are long gone.
    execute(on, "DELETE FROM landed WHERE at < clock_timestamp() - interval '1 day'", &[]).await?;
    let sql = "SELECT gen_random_uuid(), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    let greeted = first(on, sql, &[], |row| Ok((row.try_get(0)?, row.try_get(1)?))).await?;
    connection.give_back();
    greeted.ok_or(Failure::Away)
}

/// Finishes deletions that the death of a process interrupted.
async fn finish_deletions(storage: PostgresStorage) {
    if let Err(error) = delete::sweep(&storage).await {
        tracing::debug!(%error, "the rest of deleted sessions is removed another time");
    }
}

impl Core {
    /// Finishes what was begun, and lets go of the database.
    pub(crate) async fn close(&self) {
        self.gate.shut().await;
        self.hints.stop();
        let line = self.line.lock().take();
        if let Some(mut line) = line
            && timeout(MANNERS, &mut line).await.is_err()
        {
            line.abort();
        }
        let _ = timeout(MANNERS, self.remove_marks()).await;
        self.pool.close();
        self.writers.close();
    }

    async fn remove_marks(&self) -> Result<(), Failure> {
        let mut connection = InUse::of(&self.pool).await?;
        execute(connection.on()?, "DELETE FROM landed WHERE process = $1", &[&self.process]).await?;
        connection.give_back();
        Ok(())
    }
}

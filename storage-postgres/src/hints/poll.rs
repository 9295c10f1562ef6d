//! Asking now and then for what no notification told of.

use std::collections::HashMap;
use std::sync::Weak;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use seatport::SessionId;
use seatport::storage::Change;
use tokio::time::sleep;

use crate::codes::Id;
use crate::core::Core;
use crate::error::Failure;
use crate::sql::{Connection, all};

/// How much earlier than it was committed a write may say that it was made.
const MARGIN: i64 = 10_000_000;

/// The time, and whether somebody waits for a port; and then the sessions that somebody who is not their owner wrote to, and when. All
/// times are in microseconds, on the clock of the database.
const ASK: &str =
    "SELECT NULL::uuid, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, EXISTS (SELECT 1 FROM port_queue)
     UNION ALL
     SELECT id, (extract(epoch FROM asked_at) * 1000000)::bigint, false FROM session
     WHERE asked_at > to_timestamp($1::bigint / 1000000.0)";

/// What an answer says.
#[derive(Debug, Default)]
struct Found {
    now: i64,
    waiting: bool,
    asked: HashMap<SessionId, i64>,
}

/// Asks again and again, until the storage is closed or gone.
///
/// `now` is the time at which the storage was opened.
pub(crate) async fn run(core: Weak<Core>, interval: Duration, now: i64) {
    let mut before = Found { now, ..Found::default() };
    loop {
        sleep(interval).await;
        let Some(core) = core.upgrade().filter(|core| !core.gate.is_shut()) else { return };
        match core.read_once(&(before.now - MARGIN), ask).await {
            Ok(found) => {
                for (session, asked) in &found.asked {
                    if before.asked.get(session) != Some(asked) {
                        core.hints.announce_here(Change::Session { session: *session, by_owner: false });
                    }
                }
                if found.waiting {
                    core.hints.announce_here(Change::Ports);
                }
                before = found;
            }
            Err(failure) => tracing::debug!(?failure, "the database was not asked what is new"),
        }
    }
}

fn ask<'a>(on: &'a Connection, since: &'a i64) -> BoxFuture<'a, Result<Found, Failure>> {
    async move {
        let mut found = Found::default();
        for (id, at, waiting) in all(on, ASK, &[since], |row| {
            Ok((row.try_get::<_, Option<Id<SessionId>>>(0)?, row.try_get(1)?, row.try_get(2)?))
        })
        .await?
        {
            match id {
                Some(Id(session)) => _ = found.asked.insert(session, at),
                None => (found.now, found.waiting) = (at, waiting),
            }
        }
        Ok(found)
    }
    .boxed()
}

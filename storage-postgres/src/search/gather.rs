//! Sorting what was written into the indexes of texts.
//!
//! GIN keeps what is new in a list first (`fastupdate`), and sorts it in when the list is long enough: whoever writes the row that
//! makes it so has to wait for that, a second and longer. So the list may be long here, and is sorted in beside the writers,
//! soon after anything was written; a search reads what is in the list at that time as well. With nothing new nothing is asked.

use std::sync::Weak;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use seatport::storage::SessionCommit;
use tokio::time::sleep;

use crate::core::Core;
use crate::error::Failure;
use crate::sql::{Connection, execute};

/// How long texts wait at most, unless it takes longer to sort them in.
const INTERVAL: Duration = Duration::from_secs(2);

/// Sorts in what is new, unless another process is about it.
const GATHER: &str =
    "SELECT gin_clean_pending_list('message_text_by_gram'), gin_clean_pending_list('contact_text_by_gram')
     WHERE pg_try_advisory_xact_lock(hashtextextended('seatport texts ' || current_schema(), 0))";

/// Whether texts were written since the last time.
#[derive(Debug, Default)]
pub(crate) struct Fresh(AtomicBool);

impl Fresh {
    /// These commits were written.
    pub(crate) fn note<'a>(&self, mut commits: impl Iterator<Item = &'a SessionCommit>) {
        let has_texts = |commit: &SessionCommit| {
            !(commit.messages.is_empty()
                && commit.contacts.is_empty()
                && commit.amendments.is_empty()
                && commit.identities.is_empty())
        };
        if commits.any(has_texts) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Sorts in what is new again and again, until the storage is closed or gone.
pub(crate) async fn run(core: Weak<Core>) {
    loop {
        sleep(INTERVAL).await;
        let Some(core) = core.upgrade().filter(|core| !core.gate.is_shut()) else { return };
        if core.fresh.0.swap(false, Ordering::Relaxed)
            && let Err(failure) = core.read_once(&(), gather).await
        {
            tracing::debug!(?failure, "new texts are sorted into their index by whoever writes the next ones");
        }
    }
}

/// Answers whether it was done here.
fn gather<'a>(on: &'a Connection, _: &'a ()) -> BoxFuture<'a, Result<bool, Failure>> {
    async move { Ok(execute(on, GATHER, &[]).await? == 1) }.boxed()
}

#[cfg(test)]
mod tests {
    use seatport::storage::Storage;
    use seatport_testkit::postgres::Cluster;

    use super::*;
    use crate::PostgresStorage;

    #[tokio::test]
    async fn the_list_of_new_texts_is_sorted_in() {
        let cluster = Cluster::shared();
        let storage = PostgresStorage::options().schema(cluster.fresh_schema()).open(&cluster.url()).await.unwrap();
        assert!(storage.handle.core.read_once(&(), gather).await.unwrap());
        storage.close().await.unwrap();
    }
}

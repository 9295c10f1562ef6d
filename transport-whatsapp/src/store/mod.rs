//! What a linked device must remember, in the session's vault and nowhere else.
//!
//! One file per trait of the client's backend. Nothing is cached here: the client caches what it reads often, and a second
//! copy would be a second truth. A vault that fails ends the connection, for a client whose keys cannot be read or written
//! only does damage.

mod app_state;
mod author;
mod device;
mod history;
mod name;
mod pending;
mod protocol;
mod secrets;
mod sent;
mod signal;

use std::sync::Arc;

use seatport::Clock;
use seatport::transport::ConnectError;
use seatport::vault::{Vault, VaultError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use whatsapp_rust::wacore::store::error::{Result, StoreError};
use zeroize::Zeroizing;

pub(crate) use history::KeptHistory;
pub(crate) use name::name;

use crate::fate::{Ending, Fate};
use crate::people::Learnt;

/// Bytes that may be secret: wiped when they are dropped.
type Bytes = Zeroizing<Vec<u8>>;

/// An entry to be written, or removed.
type Write = (String, Option<Bytes>);

/// The client's backend.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    vault: Vault,
    clock: Arc<dyn Clock>,
    fate: Fate,
    /// Where it says which hidden addresses and phone numbers were learnt to belong together.
    learnt: mpsc::UnboundedSender<Learnt>,
    /// Held by whoever writes what depends on what it read. One client owns the vault, so nobody else does.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Whether it may be written. Every write holds this, so that whoever closes it waits for those on their way.
    open: Arc<tokio::sync::RwLock<bool>>,
}

impl Store {
    pub(crate) fn new(vault: Vault, clock: Arc<dyn Clock>, fate: Fate, learnt: mpsc::UnboundedSender<Learnt>) -> Self {
        Self { vault, clock, fate, learnt, turn: Arc::default(), open: Arc::new(tokio::sync::RwLock::new(true)) }
    }

    /// Answers when what is being written is there; nothing is written any more. A task that was aborted may be in the middle
    /// of a write, and what Seatport wipes after a logout must not come back.
    pub(crate) async fn close(&self) {
        *self.open.write().await = false;
    }

    fn failed(&self, error: VaultError) -> StoreError {
        let error = ConnectError::from(error);
        self.fate.decide(Ending::from(error.clone()));
        StoreError::Database(Box::new(error))
    }

    fn now_secs(&self) -> i64 {
        self.clock.now().as_millis() / 1000
    }

    async fn get(&self, name: &str) -> Result<Option<Bytes>> {
        self.vault.get(name).await.map_err(|error| self.failed(error))
    }

    /// All entries below this one, with the rest of their names.
    async fn below(&self, parent: &str) -> Result<Vec<(String, Bytes)>> {
        let prefix = format!("{parent}/");
        let entries = self.vault.list(&prefix).await.map_err(|error| self.failed(error))?;
        Ok(entries.into_iter().map(|(name, bytes)| (name[prefix.len()..].to_owned(), bytes)).collect())
    }

    async fn write(&self, writes: Vec<Write>) -> Result<()> {
        if writes.is_empty() {
            return Ok(());
        }
        let open = self.open.read().await;
        if !*open {
            return Err(self.failed(VaultError::Revoked));
        }
        let writes = writes.iter().map(|(name, bytes)| (name.as_str(), bytes.as_ref().map(|bytes| bytes.as_slice())));
        self.vault.write(writes).await.map_err(|error| self.failed(error))
    }

    async fn put(&self, name: String, bytes: &[u8]) -> Result<()> {
        self.write(vec![(name, keep(bytes))]).await
    }

    async fn remove(&self, name: String) -> Result<()> {
        self.write(vec![(name, None)]).await
    }

    /// Removes all entries below this one, of which the rest of the name and the content are as asked; answers how many.
    async fn remove_below(&self, parent: &str, doomed: impl Fn(&str, &[u8]) -> bool) -> Result<u32> {
        let entries = self.below(parent).await?;
        let doomed = entries.into_iter().filter(|(rest, bytes)| doomed(rest, bytes));
        let writes: Vec<Write> = doomed.map(|(rest, _)| (format!("{parent}/{rest}"), None)).collect();
        let count = u32::try_from(writes.len()).unwrap_or(u32::MAX);
        self.write(writes).await?;
        Ok(count)
    }

    async fn get_json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        self.get(name).await?.map(|bytes| from_json(&bytes)).transpose()
    }

    async fn put_json(&self, name: String, value: &impl Serialize) -> Result<()> {
        self.put(name, &to_json(value)?).await
    }
}

fn to_json(value: &impl Serialize) -> Result<Bytes> {
    serde_json::to_vec(value).map(Zeroizing::new).map_err(|error| StoreError::Serialization(Box::new(error)))
}

fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::Serialization(Box::new(error)))
}

fn keep(bytes: &[u8]) -> Option<Bytes> {
    Some(Zeroizing::new(bytes.to_vec()))
}

/// Bytes with the time they were stored at, in seconds, before them.
fn stamped(now: i64, bytes: &[u8]) -> Bytes {
    Zeroizing::new([&now.to_be_bytes(), bytes].concat())
}

/// The time, and the bytes after it.
fn unstamped(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (time, rest) = bytes.split_first_chunk()?;
    Some((i64::from_be_bytes(*time), rest))
}

/// Whether a stamped entry was stored before this time. What is not one is taken for old.
fn older_than(cutoff: i64) -> impl Fn(&str, &[u8]) -> bool {
    move |_, bytes| unstamped(bytes).is_none_or(|(time, _)| time < cutoff)
}

#[cfg(test)]
mod tests;

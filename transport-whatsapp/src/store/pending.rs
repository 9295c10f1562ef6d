//! Messages that were opened and not yet handed over: a key opens a message only once, so it must not be lost in between.

use whatsapp_rust::traits::{PendingInboundKey, PendingInboundRow};
use whatsapp_rust::wacore::store::error::Result;

use super::{Store, name, older_than, stamped, unstamped};

const PENDING: &str = "pending";

impl Store {
    pub(super) async fn hold(&self, rows: &[PendingInboundRow<'_>]) -> Result<()> {
        let now = self.now_secs();
        let entry = |row: &PendingInboundRow<'_>| {
            (name(&[PENDING, row.chat, row.sender, row.id]), Some(stamped(now, row.message)))
        };
        self.write(rows.iter().map(entry).collect()).await
    }

    pub(super) async fn held(&self, chat: &str, sender: &str, id: &str) -> Result<Option<Vec<u8>>> {
        let entry = self.get(&name(&[PENDING, chat, sender, id])).await?;
        Ok(entry.and_then(|entry| unstamped(&entry).map(|(_, message)| message.to_vec())))
    }

    pub(super) async fn let_go(&self, keys: &[PendingInboundKey<'_>]) -> Result<()> {
        self.write(keys.iter().map(|key| (name(&[PENDING, key.chat, key.sender, key.id]), None)).collect()).await
    }

    pub(super) async fn let_go_before(&self, cutoff: i64) -> Result<u32> {
        self.remove_below(PENDING, older_than(cutoff)).await
    }
}

//! The secrets of messages, by which votes, reactions and edits of them are opened.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use whatsapp_rust::traits::{
    MessageSecret, MsgSecretEntry, MsgSecretStore, merge_msg_secret_expiry, merge_msg_secret_message_ts,
};
use whatsapp_rust::wacore::store::error::Result;

use super::{Store, Write, from_json, name, to_json};

pub(super) const SECRET: &str = "msg-secret";

#[derive(Serialize, Deserialize)]
struct Row {
    secret: MessageSecret,
    /// In seconds; 0 for never.
    expires_at: i64,
    /// In seconds; 0 where it is not known.
    message_ts: i64,
}

impl Store {
    async fn secret(&self, chat: &str, sender: &str, id: &str) -> Result<Option<Row>> {
        self.get_json(&name(&[SECRET, chat, sender, id])).await
    }
}

#[async_trait]
impl MsgSecretStore for Store {
    async fn put_msg_secrets(&self, entries: Vec<MsgSecretEntry>) -> Result<usize> {
        let _turn = self.turn.lock().await;
        // By name: one batch may hold the same message twice.
        let mut rows = std::collections::BTreeMap::<String, Row>::new();
        for entry in &entries {
            let name = name(&[SECRET, &entry.chat, &entry.sender, &entry.msg_id]);
            let known = match rows.remove(&name) {
                Some(row) => Some(row),
                None => self.secret(&entry.chat, &entry.sender, &entry.msg_id).await?,
            };
            let (expires_at, message_ts) = known.map_or((entry.expires_at, entry.message_ts), |known| {
                (
                    merge_msg_secret_expiry(known.expires_at, entry.expires_at),
                    merge_msg_secret_message_ts(known.message_ts, entry.message_ts),
                )
            });
            rows.insert(name, Row { secret: entry.secret, expires_at, message_ts });
        }
        let writes = rows.into_iter().map(|(name, row)| Ok((name, Some(to_json(&row)?))));
        self.write(writes.collect::<Result<Vec<Write>>>()?).await?;
        Ok(entries.len())
    }

    async fn get_msg_secret(&self, chat: &str, sender: &str, id: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.secret(chat, sender, id).await?.map(|row| row.secret.to_vec()))
    }

    async fn get_msg_secret_with_ts(&self, chat: &str, sender: &str, id: &str) -> Result<Option<(Vec<u8>, i64)>> {
        Ok(self.secret(chat, sender, id).await?.map(|row| (row.secret.to_vec(), row.message_ts)))
    }

    async fn delete_expired_msg_secrets(&self, now: i64) -> Result<u32> {
        self.remove_below(SECRET, |_, bytes| {
            from_json::<Row>(bytes).is_ok_and(|row| row.expires_at != 0 && row.expires_at <= now)
        })
        .await
    }
}

//! What was sent lately: whoever could not open it asks for it again.

use whatsapp_rust::wacore::store::error::Result;

use super::{Store, name, older_than, stamped, unstamped};

const SENT: &str = "sent";

impl Store {
    pub(super) async fn note_sent(&self, chat: &str, id: &str, payload: &[u8]) -> Result<()> {
        self.put(name(&[SENT, chat, id]), &stamped(self.now_secs(), payload)).await
    }

    /// Hands it out once: two requests for the same message must not both be served.
    pub(super) async fn take_sent(&self, chat: &str, id: &str) -> Result<Option<Vec<u8>>> {
        let name = name(&[SENT, chat, id]);
        let _turn = self.turn.lock().await;
        let Some(entry) = self.get(&name).await? else { return Ok(None) };
        self.remove(name).await?;
        Ok(unstamped(&entry).map(|(_, payload)| payload.to_vec()))
    }

    pub(super) async fn forget_sent(&self, cutoff: i64) -> Result<u32> {
        self.remove_below(SENT, older_than(cutoff)).await
    }
}

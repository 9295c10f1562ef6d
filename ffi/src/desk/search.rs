//! Finding messages and people, in all sessions that the agent sees.

use super::Desk;
use crate::conversation::{ContactHit, MessageHit, SearchQuery};
use crate::error::SeatportError;
use crate::instance::all;
use crate::page;

#[uniffi::export]
impl Desk {
    /// Messages that say each word of the query, letter case aside, in the sessions that the agent sees: the session that was added
    /// last first, in a session the message that was stored last first. Those after the hit with the place `after`, at most `limit`, and never more
    /// than 1000.
    ///
    /// # Errors
    /// `Invalid` for a text without a word, one over 256 bytes, or a limit of zero.
    #[uniffi::method(default(after = None))]
    pub async fn search_messages(
        &self,
        query: SearchQuery,
        limit: u32,
        after: Option<String>,
    ) -> Result<Vec<MessageHit>, SeatportError> {
        let query = query.try_into()?;
        let after = after.as_deref().map(page::message_hit).transpose()?;
        self.run(move |desk| async move { Ok(all(desk.search_messages(&query, after, limit).await?)) }).await
    }

    /// Contacts with each word of the query in their names, phone number or address, letter case aside, in the sessions that the
    /// agent sees: the session that was added last first, in a session by address. Those after the hit with the place `after`, at most `limit`, and
    /// never more than 1000.
    ///
    /// # Errors
    /// Those of `search_messages`.
    #[uniffi::method(default(after = None))]
    pub async fn search_contacts(
        &self,
        query: SearchQuery,
        limit: u32,
        after: Option<String>,
    ) -> Result<Vec<ContactHit>, SeatportError> {
        let query = query.try_into()?;
        let after = after.as_deref().map(page::contact_hit).transpose()?;
        self.run(move |desk| async move { Ok(all(desk.search_contacts(&query, after.as_ref(), limit).await?)) }).await
    }
}

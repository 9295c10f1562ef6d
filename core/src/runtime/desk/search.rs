//! Finding messages and people, in all sessions that the agent sees.

use super::{Desk, limited};
use crate::conversation::{Contact, ContactHit, MessageHit, SearchQuery};
use crate::error::{Error, Invalid};
use crate::ids::{Address, SessionId};
use crate::policy::Action;
use crate::storage::Page;
use crate::text::multi_line;

/// The longest text to search for, in bytes of UTF-8.
const MAX_SEARCH_BYTES: usize = 256;

impl Desk {
    /// Messages that say each word of the query, letter case aside, in the sessions that the agent sees: the session that was
    /// added last first, in a session the message that was stored last first. Those after the hit at `after`, at most `limit`
    /// (and never more than 1000).
    ///
    /// ```
    /// use seatport::conversation::{MessageHit, SearchQuery};
    /// use seatport::{Desk, Error};
    ///
    /// async fn all_refunds(desk: &Desk) -> Result<Vec<MessageHit>, Error> {
    ///     let mut found: Vec<MessageHit> = Vec::new();
    ///     loop {
    ///         let after = found.last().map(|hit| (hit.session, hit.message.seq));
    ///         match desk.search_messages(&SearchQuery::new("refund"), after, 100).await? {
    ///             page if page.is_empty() => return Ok(found),
    ///             page => found.extend(page),
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for a text without a word, one over 256 bytes, or a limit of zero; [`Error::UnknownSession`] and
    /// [`Error::Denied`] for the session it is narrowed to.
    pub async fn search_messages(
        &self,
        query: &SearchQuery,
        after: Option<(SessionId, u64)>,
        limit: u32,
    ) -> Result<Vec<MessageHit>, Error> {
        let limit = limited(Page::<u64>::first(limit))?.limit;
        match self.narrowed_search(query).await? {
            Some(query) => Ok(self.node().storage.search_messages(&query, after, limit).await?),
            None => Ok(Vec::new()),
        }
    }

    /// Contacts with each word of the query in their names, phone number or address, letter case aside, in the sessions that
    /// the agent sees: the session that was added last first, in a session by address. Those after the contact `after`, at most
    /// `limit` (and never more than 1000).
    ///
    /// # Errors
    /// Those of [`search_messages`](Self::search_messages).
    pub async fn search_contacts(
        &self,
        query: &SearchQuery,
        after: Option<&(SessionId, Address)>,
        limit: u32,
    ) -> Result<Vec<ContactHit>, Error> {
        let limit = limited(Page::<u64>::first(limit))?.limit;
        match self.narrowed_search(query).await? {
            Some(query) => Ok(self.node().storage.search_contacts(&query, after, limit).await?),
            None => Ok(Vec::new()),
        }
    }

    /// One contact.
    ///
    /// # Errors
    /// [`Error::UnknownContact`].
    pub async fn contact(&self, session: SessionId, address: &Address) -> Result<Contact, Error> {
        self.admit_to(Action::Read, session).await?;
        let contact = self.node().storage.contact(session, address).await?;
        contact.ok_or_else(|| Error::UnknownContact(address.clone()))
    }

    /// The query, checked and narrowed to what the agent may see; none if that is nothing.
    async fn narrowed_search(&self, query: &SearchQuery) -> Result<Option<SearchQuery>, Error> {
        let agent = match query.session {
            Some(session) => self.admit_to(Action::Read, session).await?.0,
            None => self.admit(Action::Read, None).await?,
        };
        let text = multi_line("search", query.text.clone(), 1, MAX_SEARCH_BYTES)?;
        let query = SearchQuery { text, ..query.clone() };
        if query.words().next().is_none() {
            return Err(Invalid::new("search", "nothing but white space", "give it at least one word").into());
        }
        if self.sees_all(&agent) {
            return Ok(Some(query));
        }
        // The storage looks at who is bound when it searches: nothing is found that was taken away in between.
        match &query.bound_to {
            Some(asked) if *asked != agent.id => Ok(None),
            _ => Ok(Some(SearchQuery { bound_to: Some(agent.id), ..query })),
        }
    }
}

//! Searching messages and contacts.

use std::cmp::Reverse;

use crate::conversation::{ContactHit, MessageHit, SearchQuery};
use crate::ids::{Address, SessionId};
use crate::memory::session::Session;
use crate::memory::{State, taken};

/// Texts that contain each word, letter case aside.
struct Words(Vec<String>);

impl Words {
    fn of(query: &SearchQuery) -> Self {
        Self(query.words().map(folded).collect())
    }

    fn found_in(&self, text: &str) -> bool {
        let text = folded(text);
        !self.0.is_empty() && self.0.iter().all(|word| text.contains(word))
    }
}

/// The text without letter case. Which of the two small sigmas a capital becomes depends on what is around it, so they are one.
fn folded(text: &str) -> String {
    text.to_lowercase().replace('ς', "σ")
}

impl State {
    pub(super) fn search_messages(
        &self,
        query: &SearchQuery,
        after: Option<(SessionId, u64)>,
        limit: u32,
    ) -> Vec<MessageHit> {
        let words = Words::of(query);
        let edge = after.map(|(session, place)| (self.turn(session), Reverse(place)));
        let hits = self.searched(query).into_iter().flat_map(|session| {
            let of = &session.conversations;
            let places = of.messages.keys().rev().filter(move |place| edge < Some((session.turn(), Reverse(**place))));
            let messages = places.filter_map(|place| of.at(*place));
            messages.map(|message| MessageHit { session: session.record.id, message })
        });
        let found =
            hits.filter(|hit| hit.message.message.content.searchable().is_some_and(|text| words.found_in(&text)));
        taken(found, limit)
    }

    pub(super) fn search_contacts(
        &self,
        query: &SearchQuery,
        after: Option<&(SessionId, Address)>,
        limit: u32,
    ) -> Vec<ContactHit> {
        let words = Words::of(query);
        let edge = after.map(|(session, address)| (self.turn(*session), address));
        let hits = self.searched(query).into_iter().flat_map(|session| {
            let contacts = session.conversations.contacts.values();
            let contacts = contacts.filter(move |contact| edge < Some((session.turn(), &contact.address)));
            contacts.map(|contact| ContactHit { session: session.record.id, contact: contact.clone() })
        });
        taken(hits.filter(|hit| words.found_in(&hit.contact.searchable())), limit)
    }

    /// The sessions in which to look, in their order.
    fn searched(&self, query: &SearchQuery) -> Vec<&Session> {
        let sessions = self.sessions.values().filter(|session| {
            query.session.is_none_or(|id| session.record.id == id)
                && query.bound_to.as_ref().is_none_or(|agent| session.record.agent.as_ref() == Some(agent))
        });
        let mut sessions: Vec<&Session> = sessions.collect();
        sessions.sort_by_key(|session| session.turn());
        sessions
    }

    /// When it is this session's turn; nothing comes after one that is not there.
    fn turn(&self, session: SessionId) -> Reverse<u64> {
        self.sessions.get(&session).map_or(Reverse(0), Session::turn)
    }
}

impl Session {
    /// When it is its turn: the one that was added last comes first.
    fn turn(&self) -> Reverse<u64> {
        Reverse(self.number)
    }
}

//! Which part of a list, and the places in lists as texts.

use seatport::conversation::ChatCursor;
use seatport::{Address, Invalid, SessionId, Timestamp};

/// Which part of a list. A list has an order of its own, and its parts are always answered in that order.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Page {
    /// Where it begins or ends.
    pub edge: Edge,
    /// At most so many items, 1 to 1000.
    pub limit: u32,
}

/// Where a page begins or ends. The place of a card is the session's id, of a contact its address, of a message its `seq` in
/// decimal, of a chat its `cursor`.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Edge {
    /// It begins at the start of the list.
    First,
    /// It begins right after this place.
    After {
        /// The place of an item that was in the list.
        place: String,
    },
    /// It ends right before this place.
    Before {
        /// The place of an item that was in the list.
        place: String,
    },
    /// It ends at the end of the list.
    Last,
}

impl Page {
    /// A page of cards.
    pub(crate) fn of_sessions(self) -> Result<seatport::Page<SessionId>, Invalid> {
        self.with(|place| place.parse())
    }

    /// A page of contacts.
    pub(crate) fn of_contacts(self) -> Result<seatport::Page<Address>, Invalid> {
        self.with(|place| place.parse())
    }

    /// A page of messages.
    pub(crate) fn of_messages(self) -> Result<seatport::Page<u64>, Invalid> {
        self.with(|place| seq(place).ok_or_else(|| unreadable("message", "pass the seq of a message, in decimal")))
    }

    /// A page of chats.
    pub(crate) fn of_chats(self) -> Result<seatport::Page<ChatCursor>, Invalid> {
        self.with(chat_cursor)
    }

    fn with<K>(self, place: impl FnOnce(&str) -> Result<K, Invalid>) -> Result<seatport::Page<K>, Invalid> {
        let edge = match self.edge {
            Edge::First => seatport::Edge::First,
            Edge::After { place: after } => seatport::Edge::After(place(&after)?),
            Edge::Before { place: before } => seatport::Edge::Before(place(&before)?),
            Edge::Last => seatport::Edge::Last,
        };
        Ok(seatport::Page { edge, limit: self.limit })
    }
}

fn unreadable(what: &str, way_out: &str) -> Invalid {
    Invalid::new(format!("place of a {what}"), "not one that was handed out", way_out)
}

/// A number, written as it was handed out.
fn seq(text: &str) -> Option<u64> {
    text.parse().ok().filter(|seq: &u64| seq.to_string() == text)
}

/// The place of a chat in its list, as a text: the time of its newest message in milliseconds since 1970, or nothing, then a
/// space and the address.
pub(crate) fn chat_place(cursor: &ChatCursor) -> String {
    let at = cursor.at.map(|at| at.as_millis().to_string()).unwrap_or_default();
    format!("{at} {}", cursor.address)
}

fn chat_cursor(place: &str) -> Result<ChatCursor, Invalid> {
    let read = || {
        let (at, address) = place.split_once(' ')?;
        let at = match at {
            "" => None,
            at => Some(Timestamp::from_millis(at.parse().ok()?)),
        };
        Some(ChatCursor { at, address: address.parse().ok()? })
    };
    read().ok_or_else(|| unreadable("chat", "pass the cursor of a chat as it was handed out"))
}

/// The place of a message that was found, as a text: session and `seq`.
pub(crate) fn message_hit_place(session: SessionId, seq: u64) -> String {
    format!("{session} {seq}")
}

/// The message that was found there.
pub(crate) fn message_hit(place: &str) -> Result<(SessionId, u64), Invalid> {
    let read = || {
        let (session, number) = place.split_once(' ')?;
        Some((session.parse().ok()?, seq(number)?))
    };
    read().ok_or_else(|| unreadable("message that was found", "pass the cursor of a hit as it was handed out"))
}

/// The place of a contact that was found, as a text: session and address.
pub(crate) fn contact_hit_place(session: SessionId, address: &Address) -> String {
    format!("{session} {address}")
}

/// The contact that was found there.
pub(crate) fn contact_hit(place: &str) -> Result<(SessionId, Address), Invalid> {
    let read = || {
        let (session, address) = place.split_once(' ')?;
        Some((session.parse().ok()?, address.parse().ok()?))
    };
    read().ok_or_else(|| unreadable("contact that was found", "pass the cursor of a hit as it was handed out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(place: &str) -> Page {
        Page { edge: Edge::After { place: place.into() }, limit: 20 }
    }

    #[test]
    fn each_edge_is_that_of_core() {
        let session = SessionId::from_bytes([7; 16]);
        let place = session.to_string();
        let page = |edge| Page { edge, limit: 20 }.of_sessions().unwrap();
        assert_eq!(page(Edge::First), seatport::Page::first(20));
        assert_eq!(page(Edge::After { place: place.clone() }), seatport::Page::after(session, 20));
        assert_eq!(page(Edge::Before { place }), seatport::Page::before(session, 20));
        assert_eq!(page(Edge::Last), seatport::Page::last(20));
    }

    #[test]
    fn the_place_of_a_chat_survives_as_a_text() {
        for at in [None, Some(i64::MIN), Some(-1), Some(1_700_000_000_123)] {
            for address in ["8613800138000@s.whatsapp.net", " a b ", "7 x"] {
                let cursor = ChatCursor { at: at.map(Timestamp::from_millis), address: address.parse().unwrap() };
                let page = after(&chat_place(&cursor)).of_chats().unwrap();
                assert_eq!(page, seatport::Page::after(cursor, 20));
            }
        }
    }

    #[test]
    fn the_place_of_a_hit_survives_as_a_text() {
        let (session, address) = (SessionId::from_bytes([7; 16]), Address::new("a b").unwrap());
        assert_eq!(message_hit(&message_hit_place(session, u64::MAX)).unwrap(), (session, u64::MAX));
        assert_eq!(contact_hit(&contact_hit_place(session, &address)).unwrap(), (session, address));
    }

    #[test]
    fn a_place_that_was_not_handed_out_is_refused() {
        assert_eq!(after("seat 1").of_sessions().unwrap_err().field, "session id");
        assert_eq!(after("").of_contacts().unwrap_err().field, "address");
        for place in ["", "-1", "+1", "01", "1 ", "one", "18446744073709551616"] {
            assert_eq!(after(place).of_messages().unwrap_err().field, "place of a message", "{place:?}");
        }
        for place in ["", "7", "7 ", "x a", "9223372036854775808 a"] {
            assert_eq!(after(place).of_chats().unwrap_err().field, "place of a chat", "{place:?}");
        }
        let session = SessionId::from_bytes([7; 16]);
        for place in [String::new(), session.to_string(), format!("{session} "), format!("x {session}")] {
            assert!(message_hit(&place).is_err() && contact_hit(&place).is_err(), "{place:?}");
        }
    }
}

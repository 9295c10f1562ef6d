//! Which part of a list: keyset paging, both ways.

use crate::ids::SessionId;

/// Which part of a list. A list has an order of its own, and its parts are always answered in that order; `K` names a place
/// in it.
///
/// ```
/// use seatport::{Page, SessionId};
/// let page: Page = Page::first(50);
/// # let (first, last) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
/// let next = Page::after(last, 50);
/// let back_again = Page::before(last, 50);
/// let newest_messages: Page<u64> = Page::first(20);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<K = SessionId> {
    /// Where it begins or ends.
    pub edge: Edge<K>,
    /// At most so many items.
    pub limit: u32,
}

/// Where a page begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge<K> {
    /// It begins at the start of the list.
    First,
    /// It begins right after this place.
    After(K),
    /// It ends right before this place.
    Before(K),
    /// It ends at the end of the list.
    Last,
}

impl<K> Page<K> {
    /// The first `limit`.
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self { edge: Edge::First, limit }
    }

    /// The `limit` that follow this place.
    #[must_use]
    pub fn after(place: K, limit: u32) -> Self {
        Self { edge: Edge::After(place), limit }
    }

    /// The `limit` that come right before this place.
    #[must_use]
    pub fn before(place: K, limit: u32) -> Self {
        Self { edge: Edge::Before(place), limit }
    }

    /// The last `limit`.
    #[must_use]
    pub fn last(limit: u32) -> Self {
        Self { edge: Edge::Last, limit }
    }

    /// The same part with another limit.
    #[must_use]
    pub fn limited(self, limit: u32) -> Self {
        Self { limit, ..self }
    }
}

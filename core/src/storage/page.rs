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
/// assert_eq!(Page::after(3_u64, 20).map(|place| place * 2), Page::after(6, 20));
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

    /// The same part, with places in other terms: as SQL compares them, say.
    #[must_use]
    pub fn map<E>(self, place: impl FnOnce(K) -> E) -> Page<E> {
        let edge = match self.edge {
            Edge::First => Edge::First,
            Edge::After(edge) => Edge::After(place(edge)),
            Edge::Before(edge) => Edge::Before(place(edge)),
            Edge::Last => Edge::Last,
        };
        Page { edge, limit: self.limit }
    }

    /// The same part with another limit.
    #[must_use]
    pub fn limited(self, limit: u32) -> Self {
        Self { limit, ..self }
    }
}

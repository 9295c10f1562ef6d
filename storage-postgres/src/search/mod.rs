//! Searching: the two indexes of texts, of messages and of contacts, and asking them.
//!
//! Postgres' own trigrams (`pg_trgm`) are an extension, which a server may not have, and find no Chinese word of two characters,
//! the most usual one. So the index holds [grams](seatport::storage::grams) of ours, as numbers in an array with a GIN index:
//! every gram, the first two letters of every longer one, and the session's key below zero. A text that has all the numbers of
//! a query is a candidate; whoever asks compares it with the words themselves.
//!
//! What a search costs, where a session is one that is searched and `limit` is small:
//!
//! - A frequent word is found by reading along the texts in the order of the answer: 1,000 at first, and then as many as it takes
//!   at the rate at which it was found, 20,000 in all at most. That does not grow with the history.
//! - A rare word in all sessions is looked up in the index once, and that is the cost of reading what the index has on the rarest
//!   of its grams, plus a row for each text with all of them, 10,000 at most.
//! - What is neither, and whatever is searched in some sessions only, is looked up session by session, in one statement that
//!   ends when it has enough: the cost of four or so pages of the index for a session without it, and a row for each candidate
//!   in a session with it.
//!
//! Writing a text costs about three times the row of its message: some 75 numbers for a message of 55 characters. They are not
//! sorted into the index one by one, but by the thousand and beside the writers, see [`gather`]: that is several times as fast,
//! and nobody waits for it.

pub(crate) mod gather;
pub(crate) mod index;
mod kind;
mod query;
#[cfg(test)]
mod tests;

pub(crate) use query::{contacts, messages};

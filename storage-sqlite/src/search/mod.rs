//! Searching: the two indexes of texts, of messages and of contacts, and asking them.

mod grams;
pub(crate) mod index;
mod query;

pub(crate) use query::{contacts, messages};

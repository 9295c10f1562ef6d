//! Groups and channels.

use super::{Received, built};
use crate::error::SeatportError;

/// A chat of many, on the simulated network. People and accounts write in it by its address.
#[derive(Debug, uniffi::Object)]
pub struct Group(built::Group);

impl Group {
    pub(super) fn new(group: built::Group) -> Self {
        Self(group)
    }
}

#[uniffi::export]
impl Group {
    /// Where it is reached.
    ///
    /// # Errors
    /// None.
    pub fn address(&self) -> Result<String, SeatportError> {
        Ok(self.0.address().to_string())
    }

    /// What was said in it, in order.
    ///
    /// # Errors
    /// None.
    pub fn received(&self) -> Result<Vec<Received>, SeatportError> {
        Ok(self.0.received())
    }
}

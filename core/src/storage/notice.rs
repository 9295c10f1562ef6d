//! Notices: short words between processes, kept nowhere.

use std::fmt;

use crate::ids::SessionId;
use crate::storage::{StorageError, StorageErrorKind};

/// How long a notice may be.
pub const MAX_NOTICE_BYTES: usize = 4096;

/// A short word about a session, from one process to the others: for what must not be kept, a login code say. Its bytes are
/// sealed. `Debug` shows how long it is, not what it says.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// Which session.
    pub session: SessionId,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

impl Notice {
    /// Refuses one that is too long: for storages.
    ///
    /// # Errors
    /// [`StorageErrorKind::Other`], as [`Storage::notify`](super::Storage::notify) says.
    pub fn checked(self) -> Result<Self, StorageError> {
        if self.sealed.len() <= MAX_NOTICE_BYTES {
            return Ok(self);
        }
        let message = format!("a notice of {} bytes; {MAX_NOTICE_BYTES} is the most", self.sealed.len());
        Err(StorageError::new(StorageErrorKind::Other, message))
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notice({}: {} bytes)", self.session, self.sealed.len())
    }
}

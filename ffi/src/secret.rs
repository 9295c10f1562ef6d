//! Text that must not be seen.

use std::sync::Arc;

/// A text that no `repr`, `toString` or log shows: a login code, a password, the address of a database.
#[derive(Debug, PartialEq, Eq, uniffi::Object)]
#[uniffi::export(Eq)]
pub struct Secret(pub(crate) seatport::Secret);

#[uniffi::export]
impl Secret {
    /// Takes the text in.
    #[uniffi::constructor]
    #[must_use]
    pub fn new(text: String) -> Arc<Self> {
        Self(seatport::Secret::new(text)).into()
    }

    /// The text itself; the name is a reminder to whoever reads the call.
    #[must_use]
    pub fn expose(&self) -> String {
        self.0.expose().to_owned()
    }
}

impl From<seatport::Secret> for Secret {
    fn from(secret: seatport::Secret) -> Self {
        Self(secret)
    }
}

//! The phone an account lives on.

use std::sync::Arc;

use super::{Conditions, built};
use crate::card::Account;
use crate::error::SeatportError;
use crate::secret::Secret;

/// The phone with an account, on the simulated network: links sessions and unlinks them.
#[derive(Debug, uniffi::Object)]
pub struct Phone(pub(super) built::Phone);

/// A session that is linked to an account, as the phone lists it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LinkedDevice {
    /// The id of the session.
    pub session: String,
    /// The name it gave itself.
    pub name: Option<String>,
}

impl Phone {
    pub(super) fn new(phone: built::Phone) -> Self {
        Self(phone)
    }
}

#[uniffi::export]
impl Phone {
    /// The account on this phone.
    ///
    /// # Errors
    /// None.
    pub fn account(&self) -> Result<Account, SeatportError> {
        Ok(self.0.account().into())
    }

    /// Where the account is reached.
    ///
    /// # Errors
    /// None.
    pub fn address(&self) -> Result<String, SeatportError> {
        Ok(self.0.account().address.to_string())
    }

    /// Scans a QR code: the session that shows it is linked.
    ///
    /// # Errors
    /// `Invalid` when the code is unknown or has expired, the account is banned, or the phone has no connection to the network.
    pub fn scan(&self, code: Arc<Secret>) -> Result<(), SeatportError> {
        self.0.scan(code.0.expose())
    }

    /// Types the pairing code that was issued for this phone's number.
    ///
    /// # Errors
    /// As for `scan`; a code for another number is unknown here.
    pub fn enter_pairing_code(&self, code: Arc<Secret>) -> Result<(), SeatportError> {
        self.0.enter_pairing_code(code.0.expose())
    }

    /// The sessions that are linked to this account.
    ///
    /// # Errors
    /// None.
    pub fn devices(&self) -> Result<Vec<LinkedDevice>, SeatportError> {
        Ok(self.0.devices())
    }

    /// Logs a linked session out: its connection ends, and its credentials are worthless.
    ///
    /// # Errors
    /// `Invalid` when it is not linked.
    pub fn log_out(&self, session: String) -> Result<(), SeatportError> {
        self.0.log_out(session.parse()?)
    }

    /// Opens the account somewhere else: the connection that is logged in now is replaced.
    ///
    /// # Errors
    /// None.
    pub fn open_elsewhere(&self) -> Result<(), SeatportError> {
        self.0.open_elsewhere();
        Ok(())
    }

    /// How many messages linked sessions have not acknowledged yet.
    ///
    /// # Errors
    /// None.
    pub fn unacknowledged(&self) -> Result<u64, SeatportError> {
        Ok(self.0.unacknowledged())
    }

    /// Sets what is wrong with the network for this account alone.
    ///
    /// # Errors
    /// `Invalid` for a percentage above 100.
    pub fn set_conditions(&self, conditions: Conditions) -> Result<(), SeatportError> {
        conditions.check()?;
        self.0.set_conditions(conditions);
        Ok(())
    }
}

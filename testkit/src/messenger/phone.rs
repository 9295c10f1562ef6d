//! The phone an account lives on.

use std::sync::Arc;

use seatport::lifecycle::Account as Identity;
use seatport::{Address, LoginMethod, SessionId};
use tokio::time::Instant;

use super::account::Account;
use super::link::{Link, Stage};
use super::network::{Network, State};
use super::settings::Conditions;

/// The phone with an account: links devices and unlinks them, writes and reads.
#[derive(Clone)]
pub struct Phone {
    pub(super) network: Arc<Network>,
    account: Identity,
}

/// A session that is linked to the account, as the phone lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkedDevice {
    /// Which session.
    pub session: SessionId,
    /// The name it gave itself.
    pub name: Option<String>,
}

/// Why the phone could not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PhoneError {
    /// The network never issued this code, or it is for another phone.
    #[error("this is no login code for this phone; use the one that is shown now")]
    UnknownCode,
    /// The code was used, has run out, or was replaced by a newer one.
    #[error("the login code has expired; use the one that is shown now")]
    ExpiredCode,
    /// The account is banned.
    #[error("the account is banned and links no devices; unban it first")]
    Banned,
    /// The phone has no connection to the network.
    #[error("the phone cannot reach the network; bring it up first")]
    Offline,
    /// The session is not linked.
    #[error("session {0} is not linked to this phone; list the linked devices")]
    NotLinked(SessionId),
}

impl Phone {
    pub(super) fn new(network: Arc<Network>, account: Identity) -> Self {
        Self { network, account }
    }

    /// The account on this phone.
    #[must_use]
    pub fn account(&self) -> &Identity {
        &self.account
    }

    /// Where the account is reached.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.account.address
    }

    /// Scans a QR code: the session that shows it is linked.
    ///
    /// # Errors
    /// [`PhoneError`]: the code is unknown or expired, the account is banned, or the phone is offline.
    pub fn scan(&self, code: &str) -> Result<(), PhoneError> {
        self.link(code, |_| true)
    }

    /// Enters the pairing code that was issued for this phone's number.
    ///
    /// # Errors
    /// As for [`scan`](Self::scan); a code for another number is unknown here.
    pub fn enter_pairing_code(&self, code: &str) -> Result<(), PhoneError> {
        let own = self.account.phone.as_deref();
        self.link(code, |link| matches!(&link.dial.method, LoginMethod::PairingCode { phone } if Some(&**phone) == own))
    }

    fn link(&self, code: &str, fits: impl Fn(&Link) -> bool) -> Result<(), PhoneError> {
        let mut state = self.network.state();
        let now = state.now();
        let online = state.accounts.get(&self.account.address).is_some_and(|account| {
            let conditions = state.conditions.and(&account.conditions);
            !conditions.down && !conditions.hang
        });
        if !online {
            return Err(PhoneError::Offline);
        }
        if state.accounts.get(&self.account.address).is_some_and(|account| account.ban(now).is_some()) {
            return Err(PhoneError::Banned);
        }
        if !state.codes.contains(code) {
            return Err(PhoneError::UnknownCode);
        }
        let shown = state.links.values_mut().find(|link| {
            matches!(&link.stage, Stage::Code { code: shown, expires, .. } if shown == code && Instant::now() < *expires)
        });
        let link = shown.ok_or(PhoneError::ExpiredCode)?;
        if !fits(link) {
            return Err(PhoneError::UnknownCode);
        }
        link.stage = Stage::Scanned { account: self.account.address.clone() };
        link.wake.notify_one();
        Ok(())
    }

    /// The sessions that are linked to this account.
    #[must_use]
    pub fn devices(&self) -> Vec<LinkedDevice> {
        self.with(|_, account| {
            let devices = account.devices.values();
            devices.map(|device| LinkedDevice { session: device.session, name: device.name.clone() }).collect()
        })
    }

    /// Logs a linked session out: its connection ends, and its credentials are worthless.
    ///
    /// # Errors
    /// [`PhoneError::NotLinked`].
    pub fn log_out(&self, session: SessionId) -> Result<(), PhoneError> {
        let mut state = self.network.state();
        let Some(account) = state.accounts.get_mut(&self.account.address) else {
            return Err(PhoneError::NotLinked(session));
        };
        let before = account.devices.len();
        account.devices.retain(|_, device| device.session != session);
        if account.devices.len() == before {
            return Err(PhoneError::NotLinked(session));
        }
        let live = account.live.and_then(|id| state.links.get(&id));
        if live.is_some_and(|link| link.dial.session == session) {
            state.kick(&self.account.address, State::logged_out());
        }
        Ok(())
    }

    /// Opens the account somewhere else: the connection that is logged in now is replaced.
    pub fn open_elsewhere(&self) {
        self.network.state().kick(&self.account.address, State::replaced());
    }

    /// How many messages linked sessions have not acknowledged yet.
    #[must_use]
    pub fn unacknowledged(&self) -> usize {
        self.with(|_, account| account.devices.values().map(|device| device.waiting()).sum())
    }

    /// How many things of any kind linked sessions have not acknowledged yet: messages, changes of them, history, receipts.
    #[must_use]
    pub fn undelivered(&self) -> usize {
        self.with(|_, account| account.devices.values().map(|device| device.undelivered()).sum())
    }

    /// Changes what is wrong with the network for this account alone.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use seatport_testkit::{VirtualClock, messenger::Messenger};
    /// # let messenger = Messenger::new(7, Arc::new(VirtualClock::default()));
    /// # let phone = messenger.phone("+8613800138000");
    /// phone.conditions(|now| now.hang = true);
    /// ```
    pub fn conditions(&self, change: impl FnOnce(&mut Conditions)) {
        let mut state = self.network.state();
        if let Some(account) = state.accounts.get_mut(&self.account.address) {
            change(&mut account.conditions);
        }
        state.wake_all();
    }

    fn with<T: Default>(&self, look: impl FnOnce(&State, &Account) -> T) -> T {
        let state = self.network.state();
        state.accounts.get(&self.account.address).map(|account| look(&state, account)).unwrap_or_default()
    }
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Phone").field(&self.account.address).finish()
    }
}

//! The simulated messenger as a peer.

use async_trait::async_trait;
use seatport::{Address, Proxy};
use tokio::time::{Duration, sleep};

use super::{Abilities, Peer, PeerError, Received};
use crate::messenger::{Messenger, Person, Phone};

/// The person who writes.
const PERSON: &str = "bob";

/// Plays the other side of a simulated [`Messenger`]: its phones, and somebody called bob.
#[derive(Clone, Debug)]
pub struct SimulatedPeer {
    messenger: Messenger,
    abilities: Abilities,
}

impl SimulatedPeer {
    /// The peer on this network, in this process and on paused time, so that hours pass in milliseconds.
    #[must_use]
    pub fn new(messenger: Messenger) -> Self {
        let ten_minutes = Duration::from_secs(600);
        let quiet = Duration::from_secs(5);
        let abilities =
            Abilities { codes_expire: true, unhurried: true, patience: ten_minutes, quiet, ..on_real_time() };
        Self { messenger, abilities }
    }

    /// The peer on this network, on real time: over TCP, say.
    #[must_use]
    pub fn on_real_time(messenger: Messenger) -> Self {
        Self { messenger, abilities: on_real_time() }
    }

    fn phone(&self, phone: u32) -> Phone {
        self.messenger.phone(&self.phone_number(phone))
    }

    /// The phone with the account of this address.
    fn phone_of(&self, account: &str) -> Phone {
        self.messenger.phone(account.split('@').next().unwrap_or_default())
    }

    fn person(&self) -> Person {
        self.messenger.person(PERSON)
    }
}

fn on_real_time() -> Abilities {
    Abilities {
        scan: true,
        enter_pairing_code: true,
        two_accounts: true,
        write: true,
        redeliver: true,
        count_unacknowledged: true,
        receive: true,
        show_once: true,
        cut: true,
        go_down: true,
        hang: true,
        log_out: true,
        block: true,
        count_connections: true,
        ..Abilities::default()
    }
}

#[async_trait]
impl Peer for SimulatedPeer {
    fn abilities(&self) -> Abilities {
        self.abilities.clone()
    }

    fn chat(&self) -> String {
        self.person().address().as_str().to_owned()
    }

    async fn begin(&self) -> Result<(), PeerError> {
        self.messenger.conditions(|now| (now.down, now.hang) = (false, false));
        (1..=2).for_each(|phone| self.messenger.unban(self.phone(phone).address()));
        Ok(())
    }

    fn phone_number(&self, phone: u32) -> String {
        format!("+86138001380{phone:02}")
    }

    async fn scan(&self, phone: u32, code: String) -> Result<String, PeerError> {
        let phone = self.phone(phone);
        phone.scan(&code).map_err(PeerError::new)?;
        Ok(phone.address().as_str().to_owned())
    }

    async fn enter_pairing_code(&self, phone: u32, code: String) -> Result<String, PeerError> {
        let phone = self.phone(phone);
        phone.enter_pairing_code(&code).map_err(PeerError::new)?;
        Ok(phone.address().as_str().to_owned())
    }

    async fn write(&self, account: String, text: String) -> Result<Option<String>, PeerError> {
        let account = Address::new(account).map_err(PeerError::new)?;
        Ok(Some(self.person().write(&account, text).as_str().to_owned()))
    }

    async fn received(&self, account: String) -> Result<Vec<Received>, PeerError> {
        let from = self.person().received().into_iter().filter(|received| received.from.as_str() == account);
        Ok(from
            .map(|received| Received {
                chat: self.chat(),
                id: received.id.as_str().to_owned(),
                text: received.text().to_owned(),
            })
            .collect())
    }

    async fn unacknowledged(&self, account: String) -> Result<u32, PeerError> {
        u32::try_from(self.phone_of(&account).unacknowledged()).map_err(PeerError::new)
    }

    async fn cut(&self, account: String) -> Result<(), PeerError> {
        let phone = self.phone_of(&account);
        phone.conditions(|now| now.down = true);
        while self.messenger.journal().live(phone.address()) > 0 {
            sleep(Duration::from_millis(1)).await;
        }
        phone.conditions(|now| now.down = false);
        Ok(())
    }

    async fn set_down(&self, down: bool) -> Result<(), PeerError> {
        self.messenger.conditions(|now| now.down = down);
        Ok(())
    }

    async fn set_hanging(&self, hanging: bool) -> Result<(), PeerError> {
        self.messenger.conditions(|now| now.hang = hanging);
        Ok(())
    }

    async fn log_out(&self, account: String) -> Result<(), PeerError> {
        let phone = self.phone_of(&account);
        phone.devices().into_iter().try_for_each(|device| phone.log_out(device.session)).map_err(PeerError::new)
    }

    async fn set_blocked(&self, account: String, blocked: bool) -> Result<(), PeerError> {
        let account = Address::new(account).map_err(PeerError::new)?;
        match blocked {
            true => self.messenger.ban(&account, None),
            false => self.messenger.unban(&account),
        }
        Ok(())
    }

    async fn connections(&self) -> Result<u32, PeerError> {
        let connections = self.messenger.journal().connections;
        u32::try_from(connections.iter().filter(|connection| connection.end.is_none()).count()).map_err(PeerError::new)
    }

    async fn dead_proxy(&self, password: String) -> Result<String, PeerError> {
        let url = format!("socks5://mei:{password}@proxy.example:1080");
        let proxy: Proxy = url.parse().map_err(PeerError::new)?;
        self.messenger.refuse_proxy(&proxy);
        Ok(url)
    }
}

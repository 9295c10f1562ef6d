//! The transport suite, run against the echo transport.

use std::time::Duration;

use async_trait::async_trait;
use seatport::Address;
use seatport_echo::{EchoNetwork, EchoTransport, WALL};
use seatport_testkit::transport::{Abilities, Peer, PeerError, Subject};

/// The other side of the echo network.
#[derive(Debug)]
struct Echo(EchoNetwork);

fn address(text: String) -> Result<Address, PeerError> {
    Address::new(text).map_err(PeerError::new)
}

#[async_trait]
impl Peer for Echo {
    fn abilities(&self) -> Abilities {
        let mut can = Abilities::default();
        (can.scan, can.two_accounts, can.codes_expire) = (true, true, true);
        (can.echo, can.redeliver, can.count_unacknowledged, can.show_once) = (true, true, true, true);
        (can.cut, can.log_out, can.count_connections) = (true, true, true);
        // Tokio's time is paused, so nobody waits for it.
        (can.unhurried, can.patience) = (true, Duration::from_secs(120));
        can
    }

    fn chat(&self) -> String {
        WALL.to_owned()
    }

    async fn scan(&self, phone: u32, code: String) -> Result<String, PeerError> {
        let account = self.0.scan(phone, &code).map_err(PeerError::new)?;
        Ok(account.as_str().to_owned())
    }

    async fn unacknowledged(&self, account: String) -> Result<u32, PeerError> {
        u32::try_from(self.0.unacknowledged(&address(account)?)).map_err(PeerError::new)
    }

    async fn cut(&self, account: String) -> Result<(), PeerError> {
        self.0.cut(&address(account)?);
        Ok(())
    }

    async fn log_out(&self, account: String) -> Result<(), PeerError> {
        self.0.log_out(&address(account)?);
        Ok(())
    }

    async fn connections(&self) -> Result<u32, PeerError> {
        u32::try_from(self.0.connections()).map_err(PeerError::new)
    }
}

async fn echo() -> Subject {
    tokio::time::pause();
    let network = EchoNetwork::default();
    Subject::new(EchoTransport::new(network.clone()), Echo(network))
}

seatport_testkit::transport_suite! {
    subject: echo(),
    left_out: [
        // The network knows QR codes only, and no proxies.
        "login::a_code_for_a_phone_is_typed_there",
        "environment::nothing_goes_around_a_proxy",
        "environment::the_password_of_a_proxy_is_not_told",
        // Nobody is on it who could write first.
        "inbound::what_came_meanwhile_comes_at_the_next_login",
        "inbound::nothing_is_lost_while_seatport_is_behind",
        // It is in this process: it neither hangs nor goes away. And it bans nobody.
        "end::a_dial_that_hangs_can_be_dropped",
        "end::a_connection_that_hangs_can_be_dropped",
        "loss::a_command_under_way_ends_with_the_connection",
        "loss::a_network_that_is_away_is_lost_and_not_rejected",
        "loss::a_banned_account_is_rejected",
        "loss::a_ban_that_is_lifted_is_over",
    ]
}

//! A transport without credentials that shows one login code, so that a host needs no vault key.

use std::time::Duration;

use async_trait::async_trait;
use seatport::transport::{
    Capabilities, ConnectContext, ConnectError, Connection, ConnectionGuard, LoginChallenge, Signal, Transport,
};
use seatport::{ChallengeKind, Secret, TransportName};
use tokio::sync::mpsc;

/// The code it shows.
pub(crate) const CODE: &str = "open sesame, four and twenty";

#[derive(Debug)]
pub(crate) struct Showing;

#[async_trait]
impl Transport for Showing {
    fn name(&self) -> TransportName {
        TransportName::new("showing").unwrap()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn connect(&self, context: ConnectContext) -> Result<Connection, ConnectError> {
        let (say, signals) = mpsc::channel(4);
        let (commands, obey) = mpsc::channel(4);
        let expires_at = context.clock.now() + Duration::from_secs(600);
        let challenge = LoginChallenge { kind: ChallengeKind::Qr, code: Secret::new(CODE), sequence: 1, expires_at };
        say.send(Signal::Challenge(challenge)).await.unwrap();
        // The connection lasts until Seatport lets go of it.
        let guard = ConnectionGuard::new(move || drop((say, obey)));
        Ok(Connection { signals, commands, guard })
    }
}

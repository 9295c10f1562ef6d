//! The peer of a host, as the suite sees it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use seatport_testkit::transport::{Abilities, Outcome, Peer, PeerError, Received, Subject, run_all};

use super::{CaseOutcome, CaseVerdict, PeerProfile, TransportPeer};
use crate::engine::Engine;
use crate::error::SeatportError;
use crate::host::{Held, call};
use crate::network::Network;
use crate::secret::Secret;

/// How many threads a check runs on.
const THREADS: u32 = 2;
/// Nobody listens on the port of tcpmux.
const NOBODY: &str = "127.0.0.1:1";

/// Runs the suite on threads of its own.
pub(super) async fn check(
    network: Arc<Network>,
    peer: Arc<dyn TransportPeer>,
    limit: Duration,
) -> Result<Vec<CaseOutcome>, SeatportError> {
    let (engine, peer) = (Engine::start(THREADS)?, Held::new(peer));
    let outcomes = engine.run(async move {
        let profile = call("profile", limit, peer.profile()).await?;
        let abilities = abilities(&profile);
        let peer = Arc::new(HostedPeer { peer, profile, abilities, limit });
        let report = run_all(&Subject { transport: network.transport(limit), peer }).await;
        let outcome = |verdict: seatport_testkit::transport::Verdict| CaseOutcome {
            name: verdict.case.to_owned(),
            verdict: match verdict.outcome {
                Outcome::Passed => CaseVerdict::Passed,
                Outcome::Failed(problem) => CaseVerdict::Failed { problem },
                Outcome::LeftOut(lack) => CaseVerdict::LeftOut { lack: lack.to_owned() },
            },
        };
        Ok::<_, SeatportError>(report.0.into_iter().map(outcome).collect())
    });
    let outcomes = outcomes.await;
    engine.end().await;
    outcomes
}

fn abilities(profile: &PeerProfile) -> Abilities {
    let mut abilities = Abilities::default();
    abilities.scan = profile.scan;
    abilities.enter_pairing_code = profile.enter_pairing_code;
    abilities.codes_expire = profile.codes_expire;
    abilities.two_accounts = profile.two_accounts;
    abilities.write = profile.write;
    abilities.echo = profile.echo;
    abilities.redeliver = profile.redeliver;
    abilities.count_unacknowledged = profile.count_unacknowledged;
    abilities.receive = profile.receive;
    abilities.show_once = profile.show_once;
    abilities.cut = profile.cut;
    abilities.go_down = profile.go_down;
    abilities.hang = profile.hang;
    abilities.log_out = profile.log_out;
    abilities.block = profile.block;
    abilities.count_connections = profile.count_connections;
    abilities.unhurried = profile.unhurried;
    abilities.patience = profile.patience.unwrap_or(abilities.patience);
    abilities.quiet = profile.quiet.unwrap_or(abilities.quiet);
    abilities
}

/// A peer of the host.
struct HostedPeer {
    peer: Held<dyn TransportPeer>,
    profile: PeerProfile,
    abilities: Abilities,
    /// How long a call into the host may take.
    limit: Duration,
}

impl HostedPeer {
    async fn ask<T>(
        &self,
        what: &'static str,
        asking: impl Future<Output = Result<T, SeatportError>> + Send,
    ) -> Result<T, PeerError> {
        call(what, self.limit, asking).await.map_err(PeerError::new)
    }
}

#[async_trait]
impl Peer for HostedPeer {
    fn abilities(&self) -> Abilities {
        self.abilities.clone()
    }

    fn chat(&self) -> String {
        self.profile.chat.clone()
    }

    fn phone_number(&self, phone: u32) -> String {
        let index = (phone as usize).saturating_sub(1);
        self.profile.phone_numbers.get(index).cloned().unwrap_or_default()
    }

    async fn dead_proxy(&self, password: String) -> Result<String, PeerError> {
        let proxy = self.profile.dead_proxy.as_deref().unwrap_or(NOBODY);
        Ok(format!("http://mei:{password}@{proxy}"))
    }

    async fn begin(&self) -> Result<(), PeerError> {
        self.ask("begin", self.peer.begin()).await
    }

    async fn scan(&self, phone: u32, code: String) -> Result<String, PeerError> {
        self.ask("scan", self.peer.scan(phone, Secret::new(code))).await
    }

    async fn enter_pairing_code(&self, phone: u32, code: String) -> Result<String, PeerError> {
        self.ask("enter_pairing_code", self.peer.enter_pairing_code(phone, Secret::new(code))).await
    }

    async fn write(&self, account: String, text: String) -> Result<Option<String>, PeerError> {
        self.ask("write", self.peer.write(account, text)).await
    }

    async fn received(&self, account: String) -> Result<Vec<Received>, PeerError> {
        let received = self.ask("received", self.peer.received(account)).await?;
        Ok(received.into_iter().map(|one| Received { chat: one.chat, id: one.id, text: one.text }).collect())
    }

    async fn unacknowledged(&self, account: String) -> Result<u32, PeerError> {
        self.ask("unacknowledged", self.peer.unacknowledged(account)).await
    }

    async fn cut(&self, account: String) -> Result<(), PeerError> {
        self.ask("cut", self.peer.cut(account)).await
    }

    async fn set_down(&self, down: bool) -> Result<(), PeerError> {
        self.ask("set_down", self.peer.set_down(down)).await
    }

    async fn set_hanging(&self, hanging: bool) -> Result<(), PeerError> {
        self.ask("set_hanging", self.peer.set_hanging(hanging)).await
    }

    async fn log_out(&self, account: String) -> Result<(), PeerError> {
        self.ask("log_out", self.peer.log_out(account)).await
    }

    async fn set_blocked(&self, account: String, blocked: bool) -> Result<(), PeerError> {
        self.ask("set_blocked", self.peer.set_blocked(account, blocked)).await
    }

    async fn connections(&self) -> Result<u32, PeerError> {
        self.ask("connections", self.peer.connections()).await
    }
}

impl fmt::Debug for HostedPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostedPeer").field("profile", &self.profile).finish_non_exhaustive()
    }
}

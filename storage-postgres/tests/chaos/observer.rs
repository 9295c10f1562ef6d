//! Somebody who looks at the database and at the network all the time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use parking_lot::Mutex;
use seatport::lifecycle::{Desired, Lifecycle};
use seatport::storage::StoredSession;
use seatport::{CardStatus, PortNumber, SessionId};
use seatport_testkit::messenger::Journal;
use tokio::time::{Instant, sleep};

use crate::SESSIONS;
use crate::processes::PATIENCE;
use crate::world::World;

/// When somebody who looks on wonders what is the matter.
const LONG: Duration = Duration::from_secs(8);

/// When each session was last seen to be as it ought to be: online for the database and for the network, or at rest.
#[derive(Debug, Default)]
pub(crate) struct Observed(Mutex<BTreeMap<SessionId, Instant>>);

impl Observed {
    /// Waits until every session has been as it ought to be after this moment.
    pub(crate) async fn all_well_since(&self, moment: Instant, world: &World, why: &str) {
        let (begin, mut said) = (Instant::now(), false);
        loop {
            let unwell: Vec<_> = {
                let seen = self.0.lock();
                let accounts = world.accounts.lock();
                let unwell = accounts.keys().filter(|id| seen.get(id).is_none_or(|seen| *seen < moment));
                unwell.copied().collect()
            };
            if unwell.is_empty() {
                return;
            }
            if begin.elapsed() > LONG && !said {
                said = true;
                show(world, &unwell, why).await;
            }
            if begin.elapsed() > PATIENCE {
                show(world, &unwell, why).await;
                panic!("after {why}, {} sessions are not what they ought to be", unwell.len());
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Says what is the matter with these sessions.
async fn show(world: &World, sessions: &[SessionId], why: &str) {
    let seats = world.nodes.lock().clone();
    let names: Vec<_> = seats.iter().map(|seat| seat.node().id).collect();
    let live = live(&world.messenger.journal());
    println!("  {} sessions are unwell for long after {why}", sessions.len());
    for session in sessions.iter().take(5) {
        let Some(stored) = world.patiently(|| world.storage.session(*session)).await else { continue };
        let owner = stored.owner.map(|owner| names.iter().position(|name| *name == owner.node));
        let (facts, live) = (&stored.record.facts, live.contains(session));
        println!("    {session}: {facts:?}, driven by {owner:?}, connected: {live}");
    }
}

/// Looks again and again.
pub(crate) async fn observe(world: World) {
    loop {
        sleep(Duration::from_millis(100)).await;
        let begin = Instant::now();
        // While the database is away there is nothing to be seen.
        let Ok(sessions) = world.sessions().await else { continue };
        let journal = world.messenger.journal();
        no_overlaps(&journal);
        ports_add_up(&sessions);
        let live = live(&journal);
        let mut seen = world.observed.0.lock();
        for stored in &sessions {
            let (id, facts) = (stored.record.id, &stored.record.facts);
            assert_ne!(stored.status(), CardStatus::Blocked, "{stored:?}");
            assert_ne!(stored.status(), CardStatus::AwaitingLogin, "nobody scans again: {stored:?}");
            let well = match facts.desired {
                Desired::Started => stored.status() == CardStatus::Online && live.contains(&id),
                Desired::Stopped => facts.lifecycle == Lifecycle::Stopped && !live.contains(&id),
            };
            if well {
                seen.insert(id, begin);
            }
        }
    }
}

fn no_overlaps(journal: &Journal) {
    for overlap in &journal.overlaps {
        for record in journal.connections.iter().filter(|record| [overlap.first, overlap.second].contains(&record.id)) {
            println!("  {record:?}");
        }
    }
    assert_eq!(journal.overlaps, [], "two connections of one account");
}

/// The sessions whose account has a connection.
fn live(journal: &Journal) -> BTreeSet<SessionId> {
    let open = journal.connections.iter().filter(|connection| connection.end.is_none());
    open.filter(|connection| connection.login.is_some()).map(|connection| connection.session).collect()
}

/// Whoever is not at rest holds a port, nobody else does, and nobody holds another one's.
fn ports_add_up(sessions: &[StoredSession]) {
    assert_eq!(sessions.len(), SESSIONS);
    for stored in sessions {
        let facts = &stored.record.facts;
        assert_eq!(stored.port.is_some(), facts.lifecycle != Lifecycle::Stopped, "{stored:?}");
        assert!(stored.port.is_some() || facts.desired == Desired::Stopped, "{stored:?}");
    }
    let held: Vec<_> = sessions.iter().filter_map(|stored| stored.port).collect();
    let numbers: BTreeSet<PortNumber> = held.iter().copied().collect();
    assert_eq!(numbers.len(), held.len(), "a port is held twice");
    assert!(numbers.iter().all(|number| (1..=SESSIONS).contains(&(number.0 as usize))), "{numbers:?}");
}

/// After a round: the pool says what the sessions say, and every session is what the supervisor was told that it is.
pub(crate) async fn check(world: &World, round: u32) {
    let begin = Instant::now();
    loop {
        let told: BTreeMap<_, _> =
            world.accounts.lock().iter().map(|(id, account)| (*id, (account.orders, account.told))).collect();
        let before = world.patiently(|| world.storage.port_usage()).await;
        let sessions = world.patiently(|| world.sessions()).await;
        let after = world.patiently(|| world.storage.port_usage()).await;
        for stored in &sessions {
            let account = &world.accounts.lock()[&stored.record.id];
            if let (orders, Some(told)) = told[&stored.record.id]
                && account.orders == orders
            {
                assert_eq!(stored.record.facts.desired, told, "round {round}: an acknowledged order is lost");
            }
        }
        // What the supervisor changed in between is no fault.
        if before == after {
            let held: Vec<_> = sessions.iter().filter_map(|stored| Some((stored.port?, stored.record.id))).collect();
            let occupied: Vec<_> = before.occupied.iter().map(|one| (one.port, one.session)).collect();
            let (held, occupied): (BTreeSet<_>, BTreeSet<_>) =
                (held.into_iter().collect(), occupied.into_iter().collect());
            if held == occupied {
                return;
            }
        }
        assert!(begin.elapsed() < PATIENCE, "round {round}: the ports do not add up: {before:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

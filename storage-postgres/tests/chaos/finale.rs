//! When all faults are over: nothing is lost, nothing is there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use seatport::conversation::Direction;
use seatport::lifecycle::Desired;
use seatport::{Page, SessionId};
use tokio::time::{Instant, sleep};

use crate::figures::Figures;
use crate::people;
use crate::processes::{Answer, PATIENCE};
use crate::world::World;
use crate::{observer, reconcile};

pub(crate) async fn check(world: &World, figures: &Figures) {
    world.observed.all_well_since(Instant::now(), world, "the last round").await;
    observer::check(world, 0).await;
    // Whoever was stopped gets what was written meanwhile at the next start.
    let sessions: Vec<_> = world.accounts.lock().keys().copied().collect();
    for session in &sessions {
        let begin = Instant::now();
        while world.any_node().ask(format!("start {session}")).await != Answer::Done {
            assert!(begin.elapsed() < PATIENCE, "{session} cannot be started");
            sleep(Duration::from_millis(50)).await;
        }
        let mut accounts = world.accounts.lock();
        let account = accounts.get_mut(session).unwrap();
        (account.told, account.orders) = (Some(Desired::Started), account.orders + 2);
    }
    world.observed.all_well_since(Instant::now(), world, "the last start").await;
    let mut total = 0;
    for session in &sessions {
        total += everything_is_stored(world, *session).await;
    }
    figures.line(format!("{total} messages of people, each stored once"));
    figures.line(format!("{} messages of agents, each shown once", everything_is_heard(world).await));
    let journal = world.messenger.journal();
    let overlaps = journal.overlaps.len();
    assert_eq!(overlaps, 0);
    figures.line(format!("{} connections, {overlaps} overlaps", journal.connections.len()));
    let mut ends = BTreeMap::<String, u32>::new();
    for (end, _) in journal.connections.iter().filter_map(|connection| connection.end) {
        *ends.entry(format!("{end:?}")).or_default() += 1;
    }
    figures.line(format!("how connections ended: {ends:?}"));
    figures.look_up(world);
    everything_agrees(world).await;
}

/// Waits until all that is stored agrees. The nodes go on, so that something may be written between two looks.
async fn everything_agrees(world: &World) {
    let begin = Instant::now();
    loop {
        let found = reconcile::disagreements(&*world.storage).await;
        if found.is_empty() {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "{found:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until the network has got rid of everything for this account, and answers how many messages there are.
async fn everything_is_stored(world: &World, session: SessionId) -> usize {
    let begin = Instant::now();
    let unacknowledged = || world.accounts.lock()[&session].phone.unacknowledged();
    while unacknowledged() > 0 {
        assert!(begin.elapsed() < PATIENCE, "{} messages never arrived", unacknowledged());
        sleep(Duration::from_millis(10)).await;
    }
    let mut ids = BTreeSet::new();
    for chat in world.storage.chats(session, Page::first(100)).await.unwrap() {
        for stored in reconcile::messages(&*world.storage, session, &chat.address).await {
            let inbound = stored.message.direction == Direction::Inbound;
            assert!(!inbound || ids.insert(stored.message.id.clone()), "stored twice: {:?}", stored.message);
        }
    }
    let written = world.accounts.lock()[&session].written;
    assert_eq!(ids.len(), written, "what people wrote to {session}");
    written
}

/// Waits until people have heard everything that agents were told is on its way to them. Nothing was shown twice, or to
/// somebody else.
async fn everything_is_heard(world: &World) -> usize {
    let begin = Instant::now();
    loop {
        let mut heard = BTreeSet::new();
        for number in 0..people::PEOPLE {
            let person = world.messenger.person(&people::name(number));
            for received in person.received() {
                let news = heard.insert((received.text().to_owned(), person.address().to_string()));
                assert!(news, "shown twice: {received:?}");
            }
        }
        let said: BTreeSet<_> =
            world.accounts.lock().values().flat_map(|account| account.said.iter().cloned()).collect();
        let missing = said.difference(&heard).count();
        if missing == 0 {
            return said.len();
        }
        assert!(begin.elapsed() < PATIENCE, "{missing} messages never went out");
        sleep(Duration::from_millis(20)).await;
    }
}

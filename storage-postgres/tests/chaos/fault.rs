//! What happens to nodes and to the database.

use std::sync::Arc;
use std::time::Duration;

use seatport::{Clock, Random, SessionId, SystemClock, Timestamp};
use tokio::time::{Instant, sleep};

use crate::LEASE;
use crate::figures::Figures;
use crate::observer;
use crate::processes::{Answer, Node};
use crate::world::{Seat, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A node is killed, and another one started.
    Kill,
    /// A node stands still for longer than its lease, and goes on.
    Freeze,
    /// A node's connections to the database end, and no new ones are made for a while.
    Cut,
    /// Nothing gets through from a node to the database, or back, and nobody is told; then it does again.
    Hang,
    /// A node is slow in talking to the database.
    Slow,
    /// The database is shut down and started again.
    Restart,
    /// The database dies and is started again.
    Crash,
    /// A node is drained and ended, and another one started.
    Drain,
}

impl Fault {
    pub(crate) fn pick(random: &Random) -> Self {
        use Fault::{Crash, Cut, Drain, Freeze, Hang, Kill, Restart, Slow};
        let all = [Kill, Kill, Kill, Freeze, Freeze, Freeze, Cut, Cut, Hang, Hang, Slow, Restart, Crash, Drain, Drain];
        all[usize::try_from(random.below(all.len() as u64)).unwrap()]
    }
}

/// A fault, and then everything has to be well again.
pub(crate) async fn round(world: World, number: u32, fault: Fault, figures: Figures) {
    let begin = Instant::now();
    match fault {
        Fault::Restart | Fault::Crash => {
            let _alone = world.database.lock().await;
            let cluster = world.cluster.clone();
            let restarting = tokio::task::spawn_blocking(move || {
                if fault == Fault::Crash {
                    cluster.kill();
                }
                cluster.restart();
            });
            restarting.await.unwrap();
        }
        _ => to_a_node(&world, fault, &figures).await,
    }
    let over = Instant::now();
    world.observed.all_well_since(over, &world, &format!("round {number}, {fault:?}")).await;
    observer::check(&world, number).await;
    figures.round(fault);
    println!("round {number}: {fault:?} for {:.1?}, well again after {:.1?}", over - begin, over.elapsed());
}

async fn to_a_node(world: &World, fault: Fault, figures: &Figures) {
    // One to which nothing else is being done.
    let seats = world.nodes.lock().clone();
    let first = world.pick(seats.len());
    let (seat, _taken) = loop {
        let free = (0..seats.len()).map(|n| &seats[(first + n) % seats.len()]);
        match free.filter_map(|seat| Some((seat.clone(), seat.taken.try_lock().ok()?))).next() {
            Some(found) => break (found.0, found.1),
            None => sleep(Duration::from_millis(20)).await,
        }
    };
    let node = seat.node();
    println!("  {}: {fault:?} of node {}", SystemClock.now(), node.id);
    let part = |from: f64, to: f64| LEASE.mul_f64(from) + world.random.up_to(LEASE.mul_f64(to - from));
    match fault {
        Fault::Kill => {
            let (sessions, at) = driven(world, &node).await;
            node.kill();
            world.replace(&seat).await;
            figures.killed(sessions, at);
        }
        Fault::Drain => drain(world, &seat, &node, figures).await,
        Fault::Freeze => {
            node.freeze();
            sleep(part(1.05, 1.5)).await;
            node.thaw();
        }
        Fault::Cut => {
            node.cable.cut();
            sleep(part(0.2, 1.4)).await;
            node.cable.mend();
        }
        Fault::Hang => {
            node.cable.freeze();
            sleep(part(0.2, 1.4)).await;
            node.cable.mend();
        }
        Fault::Slow => {
            node.cable.slow_down(part(0.02, 0.1));
            sleep(part(0.5, 1.5)).await;
            node.cable.mend();
        }
        Fault::Restart | Fault::Crash => unreachable!("not done to a node"),
    }
}

async fn drain(world: &World, seat: &Arc<Seat>, node: &Arc<Node>, figures: &Figures) {
    let (sessions, at) = driven(world, node).await;
    let answer = node.ask("drain").await;
    // While something happens to the database as well, it may not succeed; then the node ends as it is.
    figures.drained(sessions, at, answer == Answer::Done);
    node.kill();
    world.replace(seat).await;
}

/// The sessions that a node drives, and when.
async fn driven(world: &World, node: &Node) -> (Vec<SessionId>, Timestamp) {
    let sessions = world.patiently(|| world.sessions()).await;
    let own = sessions.iter().filter(|stored| stored.owner.is_some_and(|owner| owner.node == node.id));
    (own.map(|stored| stored.record.id).collect(), SystemClock.now())
}

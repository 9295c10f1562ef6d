//! Three node processes share one database and 60 sessions, and whatever can happen to processes, networks and servers
//! happens to them, while people write to every account, agents write to people through any node, and a supervisor
//! stops and starts sessions. The messenger network lives in this process and remembers everything.
//!
//! A test without the usual harness: it starts itself again as the nodes. `SEATPORT_ROUNDS` says how many faults there
//! are (200 if it does not, which takes about 7 minutes on two cores), and `SEATPORT_SEED` repeats which ones, to whom
//! and when. What meets them is up to the machine.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

#[path = "../processes/mod.rs"]
mod processes;
#[path = "../../../testkit/tests/reconcile/mod.rs"]
mod reconcile;

mod fault;
mod figures;
mod finale;
mod observer;
mod people;
mod world;

use std::time::{Duration, Instant};

use fault::Fault;
use figures::Figures;
use world::World;

const SESSIONS: usize = 60;
const NODES: usize = 3;
const LEASE: Duration = Duration::from_millis(2_500);
/// When the network notices that somebody is gone: long before the lease of a node runs out.
const SILENCE: Duration = Duration::from_millis(800);
const ROUNDS: u32 = 200;
/// How many faults there are at once, at most.
const AT_ONCE: usize = 2;

#[tokio::main]
async fn main() {
    processes::be_one_if_told().await;
    let begin = Instant::now();
    let rounds = std::env::var("SEATPORT_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let world = World::new().await;
    println!("60 sessions online after {:.1?}", begin.elapsed());
    let figures = Figures::default();
    let mut background = tokio::task::JoinSet::new();
    background.spawn(observer::observe(world.clone()));
    background.spawn(people::write(world.clone()));
    background.spawn(people::send(world.clone()));
    background.spawn(people::supervise(world.clone()));
    tokio::select! {
        () = chaos(&world, rounds, &figures) => {}
        Some(ended) = background.join_next() => panic!("{ended:?}"),
    }
    let survived = begin.elapsed();
    world.calm_down();
    let ended = async {
        while let Some(ended) = background.join_next().await {
            ended.unwrap();
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = finale::check(&world, &figures) => {}
        () = ended => {}
    }
    println!("{rounds} rounds in {survived:.0?}: {figures}");
    println!("test chaos ... ok, {:.0?}", begin.elapsed());
    world.end().await;
}

/// One fault after the other, as many at once as may be.
async fn chaos(world: &World, rounds: u32, figures: &Figures) {
    let mut now = tokio::task::JoinSet::new();
    for number in 1..=rounds {
        while now.len() >= AT_ONCE {
            now.join_next().await.unwrap().unwrap();
        }
        // Now and then alone.
        if world.random.below(3) == 0 {
            while let Some(ended) = now.join_next().await {
                ended.unwrap();
            }
        }
        let fault = Fault::pick(&world.random);
        now.spawn(fault::round(world.clone(), number, fault, figures.clone()));
        tokio::time::sleep(world.random.up_to(Duration::from_millis(500))).await;
    }
    while let Some(ended) = now.join_next().await {
        ended.unwrap();
    }
}

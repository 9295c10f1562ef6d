//! Random steps on the memory storage and on SQLite side by side. Both answer the same, hold the same after it, and keep what
//! no storage may break. What is found is told with the fewest steps that show it.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

mod generator;
mod invariants;
mod made_up;
mod pair;
mod reading;
#[path = "../reconcile/mod.rs"]
mod reconcile;
mod step;

use seatport::Random;

use crate::pair::{Pair, Seen, Wrong};
use crate::step::{Step, shortest};

/// How many seeds are tried.
const SEEDS: u64 = 12;
/// How many steps each of them makes.
const STEPS: usize = 120;
/// After how many steps everything is compared.
const EVERY: usize = 4;
/// On so many threads.
const THREADS: u64 = 2;

/// What has to come up with some seed, for the test to say much.
const EXPECTED: [&str; 18] = [
    "AgentBound",
    "Exists",
    "Fenced",
    "NotFound",
    "NotStopped",
    "PoolFull",
    "Stale",
    "ChatChanged",
    "ChatRead",
    "ContactChanged",
    "IdentityMerged",
    "MessageAmended",
    "MessageStatusChanged",
    "MessageStored",
    "Added",
    "RemarkChanged",
    "Late",
    "Merged",
];

/// When everything is compared, and with which choices of what to ask.
#[derive(Clone, Copy)]
enum Looks {
    /// After each so many steps, with other choices every time.
    Every(usize),
    /// After each step, with these choices.
    Always(u64),
}

/// Does the steps; in the end everything is compared, too. What is wrong comes with the number of the step that shows it.
fn run(steps: &[Step], seed: u64, looks: Looks) -> Result<Seen, (u64, Wrong)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut pair = Pair::new().await;
        for (number, step) in (1..).zip(steps) {
            let at = |wrong| (number as u64, wrong);
            pair.step(step).await.map_err(at)?;
            let choices = match looks {
                Looks::Every(count) if number % count == 0 || number == steps.len() => seed ^ (number as u64) << 32,
                Looks::Every(_) => continue,
                Looks::Always(number) => seed ^ number << 32,
            };
            let held = reading::everything(&pair, &Random::seeded(choices)).await.map_err(at)?;
            invariants::check(&pair, &held).await.map_err(at)?;
            if generator::is_plain(seed) {
                pair.reconcile().await.map_err(at)?;
            }
        }
        pair.seen().await.map_err(|wrong| (steps.len() as u64, wrong))
    })
}

/// Tries one seed, and answers what came up. What goes wrong is told with as few steps as show it.
fn try_seed(seed: u64) -> Seen {
    let steps = generator::steps(seed, STEPS);
    let (number, wrong) = match run(&steps, seed, Looks::Every(EVERY)) {
        Ok(seen) => return seen,
        Err(found) => found,
    };
    println!("SEATPORT_SEED={seed}: after step {number}: {wrong}");
    let looks = Looks::Always(number);
    let about = |wrong: &str| wrong.split([' ', ',', '\n']).next().map(ToOwned::to_owned);
    let shown = shortest(steps, |steps| run(steps, seed, looks).is_err_and(|(_, less)| about(&less) == about(&wrong)));
    let wrong = run(&shown, seed, looks).err().map_or(wrong, |(_, wrong)| wrong);
    panic!("SEATPORT_SEED={seed} repeats this: after {shown:#?}\n{wrong}");
}

#[test]
fn sqlite_answers_and_holds_what_the_reference_does() {
    if let Ok(seed) = std::env::var("SEATPORT_SEED") {
        try_seed(seed.parse().unwrap());
        return;
    }
    let seen = std::thread::scope(|scope| {
        let seeds = |first| move || (first..SEEDS).step_by(THREADS as usize).flat_map(try_seed).collect::<Seen>();
        let threads: Vec<_> = (0..THREADS).map(|first| scope.spawn(seeds(first))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Seen>()
    });
    let missing: Vec<_> = EXPECTED.into_iter().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "these never came up: {missing:?}");
}

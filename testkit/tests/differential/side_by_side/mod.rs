//! Random steps on the memory storage and on another one side by side. Both answer the same, hold the same after it, and keep
//! what no storage may break. What is found is told with the fewest steps that show it.

mod generator;
mod invariants;
mod made_up;
mod pair;
mod reading;
#[path = "../../reconcile/mod.rs"]
mod reconcile;
mod step;

use seatport::Random;
use seatport_testkit::storage::Backend;

use pair::{Pair, Seen, Wrong};
use step::{Step, shortest};

/// How many steps each seed makes.
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
fn run(steps: &[Step], seed: u64, looks: Looks, other: impl Backend + 'static) -> Result<Seen, (u64, Wrong)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut pair = Pair::new(other).await;
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
fn try_seed<B: Backend + 'static>(seed: u64, other: &impl Fn() -> B) -> Seen {
    let steps = generator::steps(seed, STEPS);
    let (number, wrong) = match run(&steps, seed, Looks::Every(EVERY), other()) {
        Ok(seen) => return seen,
        Err(found) => found,
    };
    println!("SEATPORT_SEED={seed}: after step {number}: {wrong}");
    let looks = Looks::Always(number);
    let about = |wrong: &str| wrong.split([' ', ',', '\n']).next().map(ToOwned::to_owned);
    let shows = |steps: &[Step]| run(steps, seed, looks, other()).is_err_and(|(_, less)| about(&less) == about(&wrong));
    let shown = shortest(steps, shows);
    let wrong = run(&shown, seed, looks, other()).err().map_or(wrong, |(_, wrong)| wrong);
    panic!("SEATPORT_SEED={seed} repeats this: after {shown:#?}\n{wrong}");
}

/// Tries so many seeds, or the one that is set.
pub(crate) fn compare<B: Backend + 'static>(seeds: u64, other: impl Fn() -> B + Sync) {
    if let Ok(seed) = std::env::var("SEATPORT_SEED") {
        try_seed(seed.parse().unwrap(), &other);
        return;
    }
    let other = &other;
    let seen = std::thread::scope(|scope| {
        let some = |first| {
            move || (first..seeds).step_by(THREADS as usize).flat_map(|seed| try_seed(seed, other)).collect::<Seen>()
        };
        let threads: Vec<_> = (0..THREADS).map(|first| scope.spawn(some(first))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Seen>()
    });
    let missing: Vec<_> = EXPECTED.into_iter().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "these never came up: {missing:?}");
}

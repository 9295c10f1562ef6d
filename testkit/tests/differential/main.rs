//! Random steps on the memory storage and on SQLite side by side. Both answer the same, hold the same after it, and keep what
//! no storage may break. What is found is told with the fewest steps that show it.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

mod generator;
mod invariants;
mod made_up;
mod pair;
mod reading;
mod step;

use seatport::Random;

use crate::pair::{Pair, Wrong};
use crate::step::{Step, shortest};

/// How many seeds are tried.
const SEEDS: u64 = 16;
/// How many steps each of them makes.
const STEPS: usize = 120;
/// After how many steps everything is compared.
const EVERY: usize = 4;
/// On so many threads.
const THREADS: u64 = 2;

/// Does the steps; everything is compared after each `every` of them, and in the end.
fn run(steps: &[Step], seed: u64, every: usize) -> Result<(), Wrong> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut pair = Pair::new().await;
        let random = Random::seeded(seed);
        for (number, step) in steps.iter().enumerate() {
            pair.step(step).await?;
            if (number + 1) % every == 0 || number + 1 == steps.len() {
                let held = reading::everything(&pair, &random).await?;
                invariants::check(&pair, &held).await?;
            }
        }
        Ok(())
    })
}

/// What goes wrong with this seed, told with as few steps as show something wrong.
fn try_seed(seed: u64) {
    let steps = generator::steps(seed, STEPS);
    let Err(wrong) = run(&steps, seed, EVERY) else { return };
    println!("SEATPORT_SEED={seed} repeats this: {wrong}");
    let shown = shortest(steps, |steps| run(steps, seed, 1).is_err());
    let wrong = run(&shown, seed, 1).err().unwrap_or(wrong);
    panic!("SEATPORT_SEED={seed}: after {shown:#?}\n{wrong}");
}

#[test]
fn sqlite_answers_and_holds_what_the_reference_does() {
    if let Ok(seed) = std::env::var("SEATPORT_SEED") {
        return try_seed(seed.parse().unwrap());
    }
    std::thread::scope(|scope| {
        for first in 0..THREADS {
            scope.spawn(move || (first..SEEDS).step_by(THREADS as usize).for_each(try_seed));
        }
    });
}

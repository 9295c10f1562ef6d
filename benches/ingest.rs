//! Durable ingest of 50 sessions, beside the raw limit and beside servers that commit each message by itself.

use std::time::Duration;

use anyhow::Result;
use seatport_benches::figures::{Bound, Figures};
use seatport_benches::ingest::{Bare, Ingest, Pace, Run};
use seatport_benches::place::{fresh, quick};
use seatport_benches::rounds::{Contestant, Rounds, median};
use seatport_benches::{peer, rounds};

const SESSIONS: usize = 50;
/// How many messages a network leaves unacknowledged in each session.
const WINDOWS: [usize; 3] = [8, 32, 128];
/// The window that the others are compared in.
const USUAL: usize = 32;

fn main() -> Result<()> {
    let (messages, count) = if quick() { (100, 3) } else { (400, 7) };
    let mut figures = Figures::default();
    let ingest = Ingest::prepare(&fresh("ingest")?, SESSIONS, messages)?;
    let single = Ingest::prepare(&fresh("ingest-one-by-one")?, SESSIONS, if quick() { 10 } else { 20 })?;
    for window in WINDOWS {
        compare(&ingest, window, count, &mut figures)?;
    }
    one_by_one(&ingest, &single, count, &mut figures)?;
    figures.write()
}

/// Compares ours with the raw limit.
fn compare(ingest: &Ingest, window: usize, count: usize, figures: &mut Figures) -> Result<()> {
    let pace = Pace::Window(window);
    let bare = ingest.record(&format!("window-{window}"), pace)?;
    let (mut runs, mut raw, messages) = (Vec::new(), Vec::new(), ingest.messages() as f64);
    let contestants: Vec<Contestant<'_>> =
        vec![Box::new(|| noted(&mut runs, ingest.ours(pace)?)), Box::new(|| noted(&mut raw, bare.run()?))];
    let rounds = Rounds::run(count, contestants)?;
    let flight = window * SESSIONS;
    let (least, most) = rounds.spread(1, 0);
    println!("\n{flight} in flight ({window} for each of {SESSIONS} sessions); ratio by turn {least:.2} to {most:.2}");
    println!("  transactions {}; messages in each: {}", transactions(&runs), batches(&bare));
    println!("  acknowledged after {}", waits(&runs));
    let computed = |runs: &[Run]| median(runs.iter().map(|run| run.computed.as_secs_f64()).collect()) * 1e6 / messages;
    println!("  computed for each message: {:.1} us, bare SQLite {:.1} us", computed(&runs), computed(&raw));
    figures.show(format!("ingest, {flight} in flight"), messages / rounds.seconds(0), "messages/s");
    figures.show(
        format!("bare SQLite, the same {} rows", bare.recording.rows()),
        messages / rounds.seconds(1),
        "messages/s",
    );
    figures.bounded(format!("ingest / bare SQLite, {flight} in flight"), rounds.ratio(1, 0), Bound::AtLeast(0.6));
    Ok(())
}

/// Compares ours in its usual window with those who commit each message by itself.
fn one_by_one(ingest: &Ingest, single: &Ingest, count: usize, figures: &mut Figures) -> Result<()> {
    let bare = single.record("one-by-one", Pace::OneByOne)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    let contestants: Vec<Contestant<'_>> = vec![
        Box::new(|| Ok(ingest.ours(Pace::Window(USUAL))?.took)),
        Box::new(|| Ok(single.ours(Pace::OneByOne)?.took)),
        Box::new(|| Ok(bare.run()?.took)),
        Box::new(|| peer::serve(&runtime, &bare.recording, bare.fresh()?, SESSIONS)),
    ];
    let rounds = Rounds::run(count, contestants)?;
    let flight = USUAL * SESSIONS;
    let (together, apart) = (ingest.messages() as f64, single.messages() as f64);
    println!("\none commit for each message: {apart} messages, beside {together} with {flight} in flight");
    let names = [
        "ours, awaited message by message",
        "bare SQLite, a transaction for each message",
        "a tokio server, a transaction for each message",
    ];
    for (contestant, name) in (1..).zip(names) {
        figures.show(name, apart / rounds.seconds(contestant), "messages/s");
        let ratio = rounds.ratio(contestant, 0) * together / apart;
        let (least, most) = rounds.spread(contestant, 0);
        println!("  ratio by turn {:.1} to {:.1}", least * together / apart, most * together / apart);
        figures.bounded(format!("ingest, {flight} in flight / {name}"), ratio, Bound::AtLeast(8.0));
    }
    Ok(())
}

/// Keeps a run, and answers how long it took.
fn noted(runs: &mut Vec<Run>, run: Run) -> Result<Duration> {
    let took = run.took;
    runs.push(run);
    Ok(took)
}

fn transactions(runs: &[Run]) -> String {
    let counts: Vec<_> = runs.iter().skip(1).map(|run| run.transactions.to_string()).collect();
    counts.join(", ")
}

fn batches(bare: &Bare) -> String {
    let mut sizes = bare.recording.messages.clone();
    sizes.sort_unstable();
    let middle = median(sizes.iter().map(|size| *size as f64).collect());
    format!("{} to {}, median {middle}, in {} transactions recorded", sizes[0], sizes[sizes.len() - 1], sizes.len())
}

fn waits(runs: &[Run]) -> String {
    let mut waits: Vec<f64> =
        runs.iter().skip(1).flat_map(|run| &run.waits).map(|wait| wait.as_secs_f64() * 1e3).collect();
    waits.sort_by(f64::total_cmp);
    let at = |part: f64| waits[((waits.len() - 1) as f64 * part) as usize];
    format!("{:.1} ms in the median, {:.1} ms for 99 in 100", rounds::median(waits.clone()), at(0.99))
}

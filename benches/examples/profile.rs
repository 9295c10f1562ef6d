//! temporary

use seatport_benches::ingest::{Ingest, Pace};
use seatport_benches::cpu::computed;
fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let n: u64 = args[1].parse()?;
    let window: usize = args[2].parse()?;
    let rounds: usize = args[3].parse()?;
    let ingest = Ingest::prepare(&seatport_benches::place::fresh("profile")?, 50, n)?;
    if args.get(4).is_some() {
        let bare = ingest.record("p", Pace::Window(window))?;
        for _ in 0..rounds {
            let c = computed()?;
            let took = bare.run()?;
            println!("bare {:.0} msg/s, cpu {:.1} us/msg (with copy)", ingest.messages() as f64 / took.as_secs_f64(), computed()?.saturating_sub(c).as_secs_f64() * 1e6 / ingest.messages() as f64);
        }
        return Ok(());
    }
    for _ in 0..rounds {
        let c = computed()?;
        let run = ingest.ours(Pace::Window(window))?;
        println!("ours {:.0} msg/s, {} txns, cpu {:.1} us/msg (with open, close)", ingest.messages() as f64 / run.took.as_secs_f64(), run.transactions, computed()?.saturating_sub(c).as_secs_f64() * 1e6 / ingest.messages() as f64);
    }
    Ok(())
}

//! The time that this program has computed, on all cores together: unlike the time that passes, it hardly depends on what else
//! the machine does.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Linux counts in hundredths of a second, whatever the machine is.
const TICK: Duration = Duration::from_millis(10);

/// The time computed so far, that of threads which have ended included; exact to a tick of the kernel, 10 ms. Linux only.
///
/// # Errors
/// The kernel keeps no such account.
pub fn computed() -> Result<Duration> {
    let account = fs::read_to_string("/proc/self/stat").context("no account of computing time")?;
    // Behind the name of the program, which may hold anything: the 3rd field and those that follow.
    let (_, fields) = account.rsplit_once(')').context("an account without a program")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
    Ok(TICK * ticks.sum::<Result<u32, _>>()?)
}

//! The quickstart, run as a program.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod arguments;
mod story;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a run printed, and how it ended.
struct Run {
    succeeded: bool,
    took: Duration,
    out: String,
    err: String,
}

/// Runs the program, for 30 s at most.
fn quickstart(arguments: &[&str]) -> Run {
    let mut program = Command::new(env!("CARGO_BIN_EXE_seatport-quickstart"));
    let begin = Instant::now();
    let mut child =
        program.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // What it prints fits into the pipe, so that it can be read when it has ended.
    while child.try_wait().unwrap().is_none() && begin.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let took = begin.elapsed();
    // Fails if it has ended, as it should have.
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { succeeded: output.status.success(), took, out: text(output.stdout), err: text(output.stderr) }
}

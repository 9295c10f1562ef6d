//! The process of a server, and those that it starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::unprivileged::{command, program, run};

const PATIENCE: Duration = Duration::from_secs(120);
const GLANCE: Duration = Duration::from_millis(10);

/// A server that runs.
#[derive(Debug)]
pub(super) struct Server(Child);

impl Server {
    /// Starts it and waits until it takes connections.
    ///
    /// # Errors
    /// It ended instead; what it had to say.
    pub(super) fn start(directory: &Path) -> Result<Self, String> {
        let log = directory.join("log");
        let file = fs::File::options().create(true).append(true).open(&log);
        let file = file.unwrap_or_else(|error| panic!("cannot write {}: {error}", log.display()));
        let written = || file.try_clone().unwrap_or_else(|error| panic!("cannot write {}: {error}", log.display()));
        let said_before = file.metadata().map_or(0, |log| log.len());
        let data = directory.join("data");
        let mut postgres = command(program("postgres"));
        postgres.arg("-D").arg(&data).stdout(written()).stderr(written());
        let child = postgres.spawn().unwrap_or_else(|error| panic!("cannot start {postgres:?}: {error}"));

        let mut server = Self(child);
        let begun = Instant::now();
        while !ready(&data, server.0.id()) {
            if let Ok(Some(status)) = server.0.try_wait() {
                let said = fs::read(&log).unwrap_or_default();
                let said = said.get(usize::try_from(said_before).unwrap_or_default()..).unwrap_or_default();
                return Err(format!("{status}: {}", String::from_utf8_lossy(said)));
            }
            if begun.elapsed() > PATIENCE {
                server.kill();
                return Err(format!("it was not ready after {PATIENCE:?}"));
            }
            sleep(GLANCE);
        }
        Ok(server)
    }

    /// `TERM`, `INT` and `QUIT` are the shutdowns that Postgres calls smart, fast and immediate.
    pub(super) fn stop(mut self, signal: &str) {
        signal_to(signal, &[self.0.id()]);
        // Frozen, it would not hear.
        self.thaw();
        let begun = Instant::now();
        while self.ended().is_none() {
            if begun.elapsed() > PATIENCE {
                self.kill();
                panic!("the server did not stop within {PATIENCE:?} after {signal}");
            }
            sleep(GLANCE);
        }
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap_or_else(|error| panic!("cannot wait for the server: {error}"))
    }

    /// Kills all its processes at once, as a failure of the power does.
    pub(super) fn kill(mut self) {
        signal_to("KILL", &self.freeze());
        self.0.wait().unwrap_or_else(|error| panic!("cannot wait for the server: {error}"));
    }

    /// Stops all its processes where they are; answers which.
    pub(super) fn freeze(&self) -> Vec<u32> {
        let first = self.0.id();
        // It first: then it starts no other.
        signal_to("STOP", &[first]);
        let all: Vec<u32> = children(first).into_iter().chain([first]).collect();
        signal_to("STOP", &all);
        all
    }

    pub(super) fn thaw(&self) {
        let first = self.0.id();
        let all: Vec<u32> = children(first).into_iter().chain([first]).collect();
        signal_to("CONT", &all);
    }
}

/// Whether the server with this process id says in its file that it takes connections.
fn ready(data: &Path, process: u32) -> bool {
    let said = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = said.lines().map(str::trim);
    lines.next() == Some(process.to_string().as_str()) && lines.nth(6) == Some("ready")
}

/// The processes of a server each have a process group of their own, so that they have to be named.
fn children(of: u32) -> Vec<u32> {
    let numbers = |text: &str| text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    if let Ok(children) = fs::read_to_string(PathBuf::from(format!("/proc/{of}/task/{of}/children"))) {
        return numbers(&children);
    }
    let pgrep = Command::new("pgrep").args(["-P", &of.to_string()]).output();
    let pgrep = pgrep.unwrap_or_else(|error| panic!("the children of a process cannot be listed here: {error}"));
    numbers(&String::from_utf8_lossy(&pgrep.stdout))
}

/// The shell's own `kill`, for there need not be another. Who is gone already needs no signal.
fn signal_to(signal: &str, processes: &[u32]) {
    let mut shell = command("/bin/sh");
    shell.args(["-c", r#"for one in "$@"; do kill -s "$0" "$one" 2>/dev/null; done; true"#, signal]);
    run(shell.args(processes.iter().map(u32::to_string)));
}

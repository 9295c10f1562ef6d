//! The story, run as a program.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(180);

/// What has to be there, in this order.
const STORY: &[&str] = &[
    "Three nodes, one Postgres",
    "ada    starts",
    "bob    starts",
    "cleo   starts",
    "12 accounts are added",
    "ada    drives ",
    "bob    drives ",
    "cleo   drives ",
    "Customers begin to write",
    "bob    is killed; it drove ",
    "They are online again, without a scan, ",
    "ada    drives ",
    "cleo   drives ",
    "dora   starts in its place",
    "ada    is drained",
    "Each of them was offline for ",
    "emil   starts in its place",
    "What came of it",
    "and 0 of them overlapped",
];

/// The program, with a place of its own for what it makes. Ends with the test.
struct Program {
    child: Child,
    /// Where its temporary files are.
    folder: tempfile::TempDir,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("c").tempdir_in("/tmp").unwrap();
        // As root, the server is somebody else, who makes a directory in it and removes that again: like `/tmp` itself.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o1777)).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_seatport-cluster"));
        program.args(arguments).env("TMPDIR", folder.path()).stdin(Stdio::null());
        let child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self { child, folder }
    }

    /// Waits until it ends; answers whether it succeeded.
    fn ends(&mut self) -> bool {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            assert!(begin.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Nothing of what it made is left.
    fn is_gone(&self) {
        let begin = Instant::now();
        while self.folder.path().read_dir().unwrap().count() > 0 {
            assert!(begin.elapsed() < PATIENCE, "the server's directory is still there");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Fails if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_story_is_told_whole_and_in_order() {
    let mut program = Program::start(&["--pace", "500", "--lease", "2000"]);
    let (out, err) = (program.child.stdout.take().unwrap(), program.child.stderr.take().unwrap());
    let reading = std::thread::spawn(move || std::io::read_to_string(out).unwrap());
    let complaining = std::thread::spawn(move || std::io::read_to_string(err).unwrap());
    let succeeded = program.ends();
    let (out, err) = (reading.join().unwrap(), complaining.join().unwrap());
    assert!(succeeded, "{out}{err}");
    let mut rest = &*out;
    for line in STORY {
        let at = rest.find(line).unwrap_or_else(|| panic!("{line:?} is not there, or not in its place:\n{out}"));
        rest = &rest[at + line.len()..];
    }
    for words in [
        ("customers wrote ", " messages, and ", " are stored"),
        ("the office sent ", " answers, and customers got ", "\n"),
    ] {
        let (_, rest) = out.split_once(words.0).unwrap();
        let (told, rest) = rest.split_once(words.1).unwrap();
        let (came, _) = rest.split_once(words.2).unwrap();
        assert_eq!(told, came);
        assert!(told.parse::<u32>().unwrap() > 0);
    }
    program.is_gone();
}

#[test]
fn ctrl_c_ends_everything() {
    let mut program = Program::start(&["--pace", "600000"]);
    let mut lines = BufReader::new(program.child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("Customers begin to write")), "it ended by itself");
    let process = program.child.id().to_string();
    assert!(Command::new("/bin/sh").args(["-c", "kill -s INT \"$0\"", &process]).status().unwrap().success());
    assert!(!program.ends());
    let err = std::io::read_to_string(program.child.stderr.take().unwrap()).unwrap();
    assert!(err.contains("stopped half way through the story"), "{err}");
    program.is_gone();
}

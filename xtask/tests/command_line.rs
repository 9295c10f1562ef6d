//! The commands as a person calls them, with a cargo that only writes down how it was called.
#![cfg(unix)]

use std::env;
use std::ffi::OsString;
use std::fs;
use std::iter;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Stands in for cargo: notes its arguments and fails where they match a pattern of the shell.
struct RecordingCargo {
    directory: TempDir,
}

impl RecordingCargo {
    fn failing_at(pattern: &str) -> Self {
        Self::running(&format!("case \"$*\" in {pattern}) exit 101 ;; esac"))
    }

    fn running(script: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let program = directory.path().join("cargo");
        executable(&program, &format!("echo \"$*\" >> \"$0.calls\"\n{script}"));
        // A server is looked for on PATH first: here it is found, and does nothing.
        for server in ["initdb", "pg_ctl", "postgres"] {
            executable(&directory.path().join(server), "");
        }
        Self { directory }
    }

    fn xtask(&self, args: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(args.split_whitespace())
            .env("PATH", self.path())
            .env("CARGO", self.directory.path().join("cargo"))
            .env("CARGO_TARGET_DIR", self.directory.path())
            .output()
            .expect("xtask starts")
    }

    fn path(&self) -> OsString {
        let before = env::var_os("PATH").unwrap_or_default();
        let with_ours = iter::once(self.directory.path().to_owned()).chain(env::split_paths(&before));
        env::join_paths(with_ours).expect("a path to search")
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.directory.path().join("cargo.calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }
}

fn executable(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("the script is written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("the script is executable");
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_failing_step_stops_nothing_and_fails_the_run() {
    let cargo = RecordingCargo::failing_at("'fmt --all --check'");
    let output = cargo.xtask("test");

    assert_eq!(output.status.code(), Some(1));
    let calls = cargo.calls();
    let place = |call: &str| calls.iter().position(|one| one == call).unwrap_or_else(|| panic!("no call of `{call}`"));
    assert!(place("fmt --all --check") < place("test --locked -p seatport"));
    assert!(place("test --locked -p seatport") < place("test --locked -p seatport-quickstart"));
    let stdout = stdout(&output);
    assert!(stdout.contains("== core: cargo test --locked -p seatport\n"), "{stdout}");
    assert!(stdout.contains("\nlint         failed "), "{stdout}");
    assert!(stdout.ends_with("15 passed, 1 failed\n"), "{stdout}");
}

#[test]
fn only_the_named_suites_run_in_the_order_of_the_table() {
    let cargo = RecordingCargo::failing_at("nothing");
    let output = cargo.xtask("test --only sqlite --only core --only core");

    assert_eq!(output.status.code(), Some(0));
    assert_eq!(cargo.calls(), ["test --locked -p seatport", "test --locked -p seatport-sqlite"]);
    assert!(stdout(&output).ends_with("2 passed, 0 failed\n"));
}

#[test]
fn an_unknown_suite_is_answered_with_the_valid_ones() {
    let cargo = RecordingCargo::failing_at("nothing");
    let output = cargo.xtask("test --only databse");

    assert_eq!(output.status.code(), Some(2));
    assert!(cargo.calls().is_empty());
    let stderr = stderr(&output);
    for name in
        ["lint", "core", "sqlite", "postgres", "migrate", "testkit", "whatsapp", "quickstart", "benches", "xtask"]
    {
        assert!(stderr.contains(name), "{stderr}");
    }
}

#[test]
fn a_missing_tool_fails_with_the_command_that_installs_it() {
    for (command, missing, install) in [
        ("test", "'clippy --version'", "rustup component add clippy"),
        ("test --only lint", "'fmt --version'", "rustup component add rustfmt"),
        ("deny", "'deny --version'", "cargo install --locked cargo-deny"),
    ] {
        let cargo = RecordingCargo::failing_at(missing);
        let output = cargo.xtask(command);

        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(install), "{}", stderr(&output));
        assert!(cargo.calls().iter().all(|call| call.ends_with("--version")), "ran {:?}", cargo.calls());
    }
}

#[test]
fn deny_checks_both_workspaces() {
    let cargo = RecordingCargo::failing_at("*e2e*");
    let output = cargo.xtask("deny");

    assert_eq!(output.status.code(), Some(1));
    let checks: Vec<_> = cargo.calls().into_iter().filter(|call| call.contains(" check ")).collect();
    assert_eq!(checks.len(), 2, "{checks:?}");
    assert!(checks[1].contains("transport-whatsapp/e2e/Cargo.toml"), "{checks:?}");
}

#[test]
fn a_bound_that_is_not_kept_fails_the_run_and_is_shown_in_the_table() {
    let figures = "ingest / bare SQLite\\t0.5\\tx\\t>= 0.6\\ningest\\t900\\tmessages/s\\t\\n";
    let cargo = RecordingCargo::running(&format!("printf '{figures}' > \"$SEATPORT_FIGURES\""));
    let output = cargo.xtask("bench --quick ingest");

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(cargo.calls(), ["bench --locked -p seatport-benches --bench ingest -- --quick"]);
    let stdout = stdout(&output);
    assert!(stdout.contains(">= 0.6   failed\n"), "{stdout}");
    assert!(stdout.ends_with("0 of 1 bounds kept\n"), "{stdout}");
}

#[test]
fn all_benchmarks_run_though_one_breaks() {
    let cargo = RecordingCargo::failing_at("*reads*");
    let output = cargo.xtask("bench");

    assert_eq!(output.status.code(), Some(1));
    let calls = cargo.calls();
    assert_eq!(calls.len(), 9, "{calls:?}");
    assert!(calls.iter().all(|call| !call.contains("--quick")), "{calls:?}");
    assert!(stdout(&output).contains("\nreads    failed before it had measured everything\n"), "{}", stdout(&output));
}

#[test]
fn help_lists_the_commands_and_the_suites() {
    let cargo = RecordingCargo::failing_at("nothing");
    let help = stdout(&cargo.xtask("--help"));
    assert!(help.contains("test") && help.contains("bench") && help.contains("deny"), "{help}");
    let help = stdout(&cargo.xtask("test --help"));
    assert!(help.contains("- quickstart:"), "{help}");
    let help = stdout(&cargo.xtask("bench --help"));
    assert!(help.contains("- ingest:") && help.contains("--quick"), "{help}");
}

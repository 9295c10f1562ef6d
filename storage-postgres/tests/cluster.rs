//! The temporary server that the tests here stand on. Its tests are here and not beside it, for the tests of the testkit run
//! without Postgres.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use seatport_testkit::postgres::Cluster;

/// Waits until it is so.
fn until(what: &str, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
#[ignore = "the process that the next test kills"]
fn a_process_with_a_server() {
    let cluster = Cluster::shared();
    println!("\ncluster {} {}", cluster.port(), cluster.socket().display());
    // A child that outlives us, and has what we have open.
    let mut child = Command::new("sleep");
    child.arg("30").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    child.spawn().unwrap().wait().unwrap();
}

#[test]
fn the_server_of_a_killed_process_is_stopped_and_removed() {
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args(["--ignored", "--exact", "a_process_with_a_server", "--nocapture"]).stdout(Stdio::piped());
    let mut process = process.spawn().unwrap();
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let (port, directory) = said
        .find_map(|line| {
            let (port, directory) = line.strip_prefix("cluster ")?.split_once(' ')?;
            Some((port.parse().unwrap(), directory.to_owned()))
        })
        .unwrap();
    assert!(listens(port) && Path::new(&directory).exists());

    process.kill().unwrap();
    process.wait().unwrap();
    until("the server is stopped", || !listens(port));
    until("its directory is removed", || !Path::new(&directory).exists());
}

#[test]
fn a_server_that_is_dropped_is_gone() {
    let cluster = Cluster::start();
    let (port, directory) = (cluster.port(), cluster.socket().to_owned());
    cluster.freeze();
    drop(cluster);
    assert!(!listens(port) && !directory.exists());
}

#[test]
fn what_was_committed_survives_stops_and_kills() {
    let cluster = Cluster::start();
    cluster.sql("CREATE TABLE seat (port int)");
    for round in 1..=3 {
        cluster.sql(&format!("INSERT INTO seat VALUES ({round})"));
        cluster.kill();
        assert!(!listens(cluster.port()));
        cluster.restart();
        assert_eq!(cluster.sql("SELECT count(*), max(port) FROM seat"), format!("{round}|{round}"));
    }
    cluster.restart();
    cluster.freeze();
    cluster.thaw();
    assert_eq!(cluster.sql("SELECT count(*) FROM seat"), "3");
}

#[test]
fn a_promoted_standby_has_what_was_committed() {
    let cluster = Cluster::start();
    let standby = cluster.standby();
    cluster.wait_for_standbys();
    cluster.sql("CREATE TABLE seat (port int)");
    cluster.sql("INSERT INTO seat VALUES (7)");
    cluster.kill();
    standby.promote();
    assert_eq!(standby.sql("SELECT port FROM seat"), "7");
    standby.sql("INSERT INTO seat VALUES (8)");
}

#[test]
fn no_two_tests_get_one_schema() {
    let cluster = Cluster::shared();
    assert_ne!(cluster.fresh_schema(), cluster.fresh_schema());
}

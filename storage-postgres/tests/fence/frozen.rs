//! The process that is frozen, and what is done to it.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use seatport::storage::{Fence, LeaseStore, NodeReport, SessionCommit, SessionStore, Storage};
use seatport::{NodeId, SessionId};
use seatport_testkit::Cable;
use seatport_testkit::postgres::Cluster;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use crate::sample::{LONG, PATIENCE, add, commit, dump, inbound, node, patiently, profile, until};
use crate::{open, writes};

const SESSIONS: usize = 4;
/// How many tasks write to each session.
const WRITERS: usize = 4;
const LEASE: Duration = Duration::from_millis(1_500);

/// If this process was started to be frozen: works until its standard input speaks, then tries to go on.
pub(crate) async fn be_it_if_told() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let ["frozen", port, schema, sessions @ ..] = &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        return;
    };
    let storage = open(port.parse().unwrap(), schema).await;
    let own = node();
    storage.join(&profile(own), LEASE).await.unwrap();
    let mut fences = Vec::new();
    for session in sessions {
        let session = session.parse().unwrap();
        fences.push((session, storage.claim(session, own).await.unwrap().unwrap()));
    }
    println!("node {own}");
    let keeper = storage.clone();
    tokio::spawn(async move {
        let report = NodeReport { sessions: 1, accepting: true };
        while keeper.renew(own, LEASE, report).await.is_ok() {
            sleep(LEASE / 10).await;
        }
    });
    let mut work = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        for (session, fence) in fences.clone() {
            work.spawn(write(storage.clone(), session, fence, writer));
        }
    }
    // Everything that was under way ends, one way or the other.
    let mut word = String::new();
    BufReader::new(tokio::io::stdin()).read_line(&mut word).await.unwrap();
    work.join_all().await;
    for (session, fence) in fences {
        writes::try_all(&storage, session, fence, |what, came| println!("tried {what}: {came:?}")).await;
        println!("released {:?}", storage.release(session, fence).await.map_err(|error| error.kind()));
    }
    println!("end");
    std::process::exit(0);
}

/// Stores one message after the other until that is refused.
async fn write(storage: impl Storage, session: SessionId, fence: Fence, writer: usize) {
    for number in 0.. {
        let id = format!("{session}-{writer}-{number}");
        let commit = SessionCommit { fence: Some(fence), messages: vec![inbound(&id)], ..commit(session) };
        match storage.commit(commit).await {
            Ok(_) => println!("stored {id}"),
            Err(error) => return println!("refused {:?}", error.kind()),
        }
    }
}

/// What it says.
struct Words(Lines<BufReader<ChildStdout>>);

impl Words {
    async fn next(&mut self) -> String {
        let line = timeout(PATIENCE, self.0.next_line()).await.expect("the process says nothing more").unwrap();
        line.expect("the process has ended")
    }
}

fn signal(child: &Child, name: &str) {
    let mut shell = std::process::Command::new("/bin/sh");
    let process = child.id().unwrap().to_string();
    assert!(shell.args(["-c", "kill -s \"$0\" \"$1\"", name, &process]).status().unwrap().success());
}

pub(crate) async fn a_process_that_was_frozen_changes_no_row(cluster: &Cluster, within_a_transaction: bool) {
    let schema = cluster.fresh_schema();
    let storage = open(cluster.port(), &schema).await;
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        sessions.push(add(&storage).await);
    }
    let cable = Cable::to(format!("127.0.0.1:{}", cluster.port())).await.unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["frozen", &cable.address().port().to_string(), &schema]);
    command.args(sessions.iter().map(ToString::to_string)).kill_on_drop(true);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut words = Words(BufReader::new(child.stdout.take().unwrap()).lines());
    let first: NodeId = words.next().await.strip_prefix("node ").unwrap().parse().unwrap();
    let mut stored = BTreeSet::new();
    while stored.len() < 100 {
        stored.insert(words.next().await.strip_prefix("stored ").unwrap().to_owned());
    }

    // Its words are read all the time: it is not to stand still for any other reason.
    let listening = tokio::spawn(listen(words, stored));
    if within_a_transaction {
        cable.freeze_before("COMMIT");
        until("it ends a transaction", async || !cable.is_set()).await;
    }
    signal(&child, "STOP");
    let live = async || storage.nodes().await.unwrap().iter().any(|live| live.profile.id == first);
    until("its lease has run out", async || !live().await).await;
    let second = node();
    storage.join(&profile(second), LONG).await.unwrap();
    for session in &sessions {
        // It holds rows of a session until the server ends its transaction, and no longer.
        patiently(|| storage.claim(*session, second)).await.expect("nobody else owns it");
    }
    let before = dump(cluster, &schema);
    cable.mend();
    signal(&child, "CONT");
    child.stdin.take().unwrap().write_all(b"go on\n").await.unwrap();
    let acknowledged = listening.await.unwrap();
    assert_eq!(dump(cluster, &schema), before, "it has changed something");
    // What it was told is stored was stored before.
    for id in acknowledged {
        let session = id.rsplitn(3, '-').last().unwrap().parse::<SessionId>().unwrap();
        let (chat, id) = (crate::sample::address(crate::sample::ANN), seatport::MessageId::new(&*id).unwrap());
        let message = seatport::storage::ConversationStore::message(&storage, session, &chat, &id).await.unwrap();
        assert!(message.is_some(), "{id} was acknowledged and is not there");
    }
    for session in sessions {
        let owner = storage.session(session).await.unwrap().unwrap().owner.unwrap();
        assert_eq!(owner.node, second);
    }
    storage.close().await.unwrap();
}

/// Hears the process out; answers what it was told is stored.
async fn listen(mut words: Words, mut stored: BTreeSet<String>) -> BTreeSet<String> {
    let (mut refused, mut tried) = (0, 0);
    loop {
        let line = words.next().await;
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match word {
            "stored" => drop(stored.insert(rest.to_owned())),
            "refused" => {
                assert!(["Fenced", "Busy"].contains(&rest), "{line}");
                refused += 1;
            }
            "tried" => {
                assert!(rest.ends_with(": Err(Fenced)"), "{line}");
                tried += 1;
            }
            "released" => assert_eq!(rest, "Ok(())"),
            "end" => break,
            _ => panic!("unexpected: {line}"),
        }
    }
    assert_eq!(refused, SESSIONS * WRITERS, "some of the work that was queued went on");
    assert_eq!(tried, SESSIONS * 17);
    stored
}

//! The program, run as one.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

mod reading;
mod sample;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use seatport::Random;
use seatport::conversation::{Content, SearchQuery};
use seatport::storage::{
    AgentStore, ConversationStore, Expect, LeadStore, SessionCommit, SessionStore, Storage, StorageErrorKind,
};
use seatport_postgres::PostgresStorage;
use seatport_sqlite::SqliteStorage;
use seatport_testkit::postgres::Cluster;
use tempfile::TempDir;

use sample::{adding, fill, inbound, session};

/// A SQLite database, and a schema that it goes to.
struct Move {
    directory: TempDir,
    schema: String,
}

impl Move {
    async fn new(messages: u64) -> Self {
        let this = Self { directory: tempfile::tempdir().unwrap(), schema: Cluster::shared().fresh_schema() };
        fill(&this.file(), messages).await;
        this
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("seatport.db")
    }

    fn command(&self, more: &[&str]) -> Command {
        command(&self.file(), &self.schema, more)
    }

    fn run(&self, more: &[&str]) -> Output {
        self.command(more).output().unwrap()
    }

    async fn source(&self) -> SqliteStorage {
        SqliteStorage::open(self.file()).await.unwrap()
    }

    async fn target(&self) -> PostgresStorage {
        open(&self.schema).await
    }

    /// Compares all that the two show.
    async fn assert_reads_the_same(&self) {
        let (source, target) = (self.source().await, self.target().await);
        let (expected, found) = (reading::everything(&source).await, reading::everything(&target).await);
        assert!(expected.len() > 100);
        for (expected, found) in expected.iter().zip(&found) {
            assert_eq!(found, expected);
        }
        assert_eq!(found.len(), expected.len());
        source.close().await.unwrap();
        target.close().await.unwrap();
    }

    fn sql(&self, sql: &str) -> String {
        Cluster::shared().sql(&format!("SET search_path = \"{}\"; {sql}", self.schema))
    }
}

fn command(file: &Path, schema: &str, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatport-migrate"));
    let to = format!("{}?schema={schema}", Cluster::shared().url());
    command.arg("--from").arg(format!("sqlite:{}", file.display())).args(["--to", &to]).args(more);
    command
}

async fn open(schema: &str) -> PostgresStorage {
    PostgresStorage::options().schema(schema).open(&Cluster::shared().url()).await.unwrap()
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", printed(output));
    assert!(printed(output).contains("the same on both sides"), "{}", printed(output));
}

/// It failed, and said this.
fn assert_refused(output: &Output, because: &str) {
    assert!(!output.status.success() && printed(output).contains(because), "not {because}: {}", printed(output));
}

#[tokio::test]
async fn everything_is_moved_and_goes_on_there() {
    let this = Move::new(1_500).await;
    assert_done(&this.run(&[]));
    assert_done(&this.run(&["--verify"]));
    this.assert_reads_the_same().await;

    // New rows get numbers that none has.
    let target = this.target().await;
    target.commit(adding(7)).await.unwrap();
    for number in [2, 7] {
        let mut commit = SessionCommit::new(session(number), adding(7).at, Expect::Present);
        commit.messages = vec![inbound("new@net", "new", 90_000, Content::Text("a new beginning".into()))];
        commit.messages[0].person = Some(seatport::leads::PersonKey::from_bytes([200; 16]));
        target.commit(commit).await.unwrap();
    }
    let found = target.search_messages(&SearchQuery::new("new beginning"), None, 9).await.unwrap();
    assert_eq!(found.len(), 2);
    target.rebuild_leads().await.unwrap();
    target.close().await.unwrap();
    assert_refused(&this.run(&["--verify"]), "not what they are");
    assert_refused(&this.run(&[]), "holds rows in the table");
}

#[tokio::test]
async fn a_total_is_the_same_when_it_is_counted_again() {
    let this = Move::new(1_500).await;
    assert_done(&this.run(&[]));
    let (source, target) = (this.source().await, this.target().await);
    source.rebuild_leads().await.unwrap();
    target.rebuild_leads().await.unwrap();
    source.close().await.unwrap();
    target.close().await.unwrap();
    this.assert_reads_the_same().await;
}

/// Kills it, and says whether it was still running.
fn kill_after(mut child: Child, time: Duration) -> bool {
    std::thread::sleep(time);
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    running
}

#[tokio::test]
async fn killed_at_any_moment_it_goes_on_where_it_was() {
    let this = Move::new(6_000).await;
    let random = Random::from_os().unwrap();
    let small = ["--rows", "50"];
    let (mut killed, mut half) = (0, 0);
    while killed < 12 {
        let child = this.command(&small).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        if !kill_after(child, Duration::from_millis(random.below(700))) {
            break;
        }
        killed += 1;
        if this.sql("SELECT to_regclass('moving_in') IS NOT NULL") == "t" {
            half += 1;
            let refused = PostgresStorage::options().schema(&this.schema).open(&Cluster::shared().url()).await;
            assert_eq!(refused.unwrap_err().kind(), StorageErrorKind::InUse, "nobody opens what is half moved");
        }
    }
    println!("killed {killed} times, {half} times with something half moved");
    if this.sql("SELECT to_regclass('moving_in') IS NOT NULL OR to_regclass('session') IS NULL") != "f" {
        assert_done(&this.run(&small));
    }
    assert_done(&this.run(&["--verify"]));
    this.assert_reads_the_same().await;
}

#[tokio::test]
async fn what_is_tampered_with_is_found() {
    let this = Move::new(300).await;
    assert_done(&this.run(&[]));
    for (table, tampering, mending) in [
        (
            "message",
            "UPDATE message SET status = 4 - status WHERE seq = 5",
            "UPDATE message SET status = 4 - status WHERE seq = 5",
        ),
        ("vault", "UPDATE vault SET sealed = sealed || '\\x00' WHERE name = 'proxy'", ""),
        (
            "message_text",
            "UPDATE message_text SET grams[1] = grams[1] + 1 WHERE seq = 5",
            "UPDATE message_text SET grams[1] = grams[1] - 1 WHERE seq = 5",
        ),
        ("audit", "DELETE FROM audit WHERE number = 1", ""),
    ] {
        this.sql(tampering);
        assert_refused(&this.run(&["--verify"]), &format!("{table} ("));
        this.sql(mending);
    }
}

#[tokio::test]
async fn what_cannot_be_moved_is_refused() {
    let this = Move::new(30).await;
    let schema = &this.schema;
    let elsewhere = this.directory.path().join("other.db");
    let run = |file: &Path, schema: &str| command(file, schema, &[]).output().unwrap();
    assert_refused(&run(&elsewhere, schema), "there is no file");
    std::fs::write(&elsewhere, "no database").unwrap();
    assert_refused(&run(&elsewhere, schema), "no SQLite database of Seatport");
    assert_refused(&this.run(&["--verify"]), "nothing was moved");

    let source = this.source().await;
    assert_refused(&this.run(&[]), "in use by process");
    source.close().await.unwrap();
    let newer = this.directory.path().join("newer.db");
    std::fs::copy(this.file(), &newer).unwrap();
    let connection = rusqlite::Connection::open(&newer).unwrap();
    connection.pragma_update(None, "user_version", 9).unwrap();
    assert_refused(&run(&newer, schema), "has version 9 of the tables");
    connection.execute_batch("PRAGMA user_version = 1; CREATE TABLE more (x)").unwrap();
    assert_refused(&run(&newer, schema), "a table more");
    connection.execute_batch("DROP TABLE more; ALTER TABLE chat ADD COLUMN pinned INTEGER").unwrap();
    drop(connection);
    assert_refused(&run(&newer, schema), "no column pinned in chat");

    let used = Cluster::shared().fresh_schema();
    let storage = open(&used).await;
    storage.put_agent(seatport::Agent::new("mei", "Mei", seatport::Role::Agent).unwrap()).await.unwrap();
    storage.close().await.unwrap();
    assert_refused(&run(&this.file(), &used), "rows in the table agent");

    let wrong = Command::new(env!("CARGO_BIN_EXE_seatport-migrate"))
        .args(["--from", &format!("sqlite:{}", this.file().display()), "--to", "mysql://u:hush@h/d"])
        .output()
        .unwrap();
    assert_refused(&wrong, "URL");
    assert!(!printed(&wrong).contains("hush"));
}

#[tokio::test]
async fn what_is_half_moved_is_not_mixed_with_another_source() {
    let (this, other) = (Move::new(30).await, Move::new(30).await);
    assert_done(&this.run(&[]));
    // As an earlier run leaves it that was killed at its end.
    this.sql("CREATE TABLE moving_in (fingerprint bytea NOT NULL, path text NOT NULL); INSERT INTO moving_in VALUES ('\\x01', '/elsewhere/seatport.db')");
    assert_refused(&command(&other.file(), &this.schema, &[]).output().unwrap(), "from /elsewhere/seatport.db");
}

//! What a statement costs must not grow with history: none walks through a table that does, nor through all that such a table
//! holds of one session. Deleting a session does, of course; and its vault has few entries.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use seatport::storage::Storage;

use crate::SqliteStorage;
use crate::error::Failure;

mod everything;

/// The tables that hold history, with the names they go by in statements. `audit` is one of them, `session` is not: a list of
/// cards may look at every card. Neither are `agent` and `consumer`, which people register.
const HISTORY: [&str; 29] = [
    "message",
    "m",
    "a",
    "b",
    "event",
    "contact",
    "k",
    "chat",
    "c",
    "vault",
    "audit",
    "alias",
    "amendment",
    "r",
    "send_key",
    "s",
    "acknowledged",
    "person",
    "person_key",
    "trace",
    "pair",
    "visit",
    "shift",
    "lead_total",
    "lead_anonymous",
    "lead_adjustment",
    "message_text",
    "contact_text",
    "held",
];

/// What may walk through all there is of a session: its deletion, and what asks its vault, which has few entries.
const ALL_OF_A_SESSION: [&str; 3] = ["DELETE", "vault", "SELECT seq, content FROM message WHERE session = ?1"];

/// What rebuilding the totals may do, which reads the whole ledger.
const REBUILDING: [&str; 2] = [
    "DELETE FROM lead_total",
    "INSERT INTO lead_total (quarter, session, agent, class, late, replier, seconds, count) SELECT",
];

static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn note(event: TraceEvent<'_>) {
    if let TraceEvent::Stmt(statement, _) = event {
        SEEN.lock().insert(statement.sql().into_owned());
    }
}

fn trace(connection: &Connection) -> Result<(), Failure> {
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note));
    Ok(())
}

/// How SQLite would go about a statement.
fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    // Only the plan is wanted: parameters may stay unbound.
    explain.raw_query().mapped(|row| row.get("detail")).collect::<Result<_, _>>().unwrap()
}

/// Whether a step of a plan walks through all there is of something that grows.
fn walks(step: &str, sql: &str) -> bool {
    // What a search asks an index of texts: M is the expression, < and > bound the numbers.
    if step.starts_with("SCAN message_text VIRTUAL TABLE") || step.starts_with("SCAN contact_text VIRTUAL TABLE") {
        return !(step.contains('M') && step.contains('<') && step.contains('>'));
    }
    HISTORY.iter().any(|table| {
        let of_the_session = format!("SEARCH {table} USING PRIMARY KEY (session=?)");
        let all_of_it = step == format!("SCAN {table}") || step.starts_with(&format!("SCAN {table} "));
        all_of_it || (step == of_the_session && !ALL_OF_A_SESSION.iter().any(|all| sql.contains(all)))
    })
}

#[tokio::test]
async fn no_statement_walks_through_history() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("seatport.db");
    let storage = SqliteStorage::options().readers(1).open(&file).await.unwrap();
    storage.writer.write(|step| trace(step.connection)).await.unwrap();
    storage.readers.read(trace).await.unwrap();

    everything::use_it(&storage).await;
    storage.close().await.unwrap();

    let connection = Connection::open(&file).unwrap();
    let (mut statements, mut dear) = (0, Vec::new());
    let seen = SEEN.lock();
    // FTS5 keeps its own tables in its own way.
    for sql in seen.iter().filter(|sql| !sql.starts_with("--") && !sql.contains("'main'.")) {
        let first_word = sql.split_whitespace().next().unwrap_or_default();
        if !["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&first_word)
            || REBUILDING
                .iter()
                .any(|rebuilding| *sql == *rebuilding || (sql.starts_with(rebuilding) && rebuilding.len() > 30))
        {
            continue;
        }
        statements += 1;
        for step in plan(&connection, sql) {
            if walks(&step, sql) || step.contains("TEMP B-TREE") {
                dear.push(format!("{step}\n  in {sql}"));
            }
        }
    }
    assert!(dear.is_empty(), "{}", dear.join("\n"));
    assert!(statements > 120, "only {statements} statements were seen");
    assert!(statements <= crate::open::STATEMENTS_KEPT, "there is no room for {statements} prepared statements");
}

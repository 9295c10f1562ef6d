//! What a read costs must not grow with history: none walks through a table that does, nor sorts what it has to read first.

use futures_util::FutureExt;
use seatport::conversation::{ChatCursor, SearchQuery};
use seatport::storage::{ConversationStore, Edge, Page, Storage};
use seatport::{Address, AgentId, MessageId, SendKey, SessionId, Timestamp};
use seatport_testkit::postgres::Cluster;
use serde_json::Value;

use crate::PostgresStorage;
use crate::conversation::tests::statistics;
use crate::sql::Connection;

/// The tables that hold history. `session` is not among them: a search of all sessions may look at each.
const HISTORY: [&str; 8] =
    ["alias", "contact", "chat", "message", "send_key", "amendment", "message_text", "contact_text"];

/// Every read there is, on every page.
async fn read_everything(storage: &PostgresStorage) {
    let session = SessionId::from_bytes(0x1001_u128.to_be_bytes());
    let (ann, id, key) = (Address::new("a1").unwrap(), MessageId::new("m1").unwrap(), SendKey::new("k").unwrap());
    let cursor = ChatCursor { at: Some(Timestamp::from_millis(5)), address: ann.clone() };
    storage.contact(session, &ann).await.unwrap();
    storage.chat(session, &ann).await.unwrap();
    storage.message(session, &ann, &id).await.unwrap();
    storage.keyed(session, &key).await.unwrap();
    storage.pending(session, 5).await.unwrap();
    storage.untold_reads(session, 5).await.unwrap();
    for page in
        [Page::first(5), Page::after(cursor.clone(), 5), Page::before(cursor, 5), Page { edge: Edge::Last, limit: 5 }]
    {
        storage.chats(session, page).await.unwrap();
    }
    for page in
        [Page::first(5), Page::after(ann.clone(), 5), Page::before(ann.clone(), 5), Page { edge: Edge::Last, limit: 5 }]
    {
        storage.contacts(session, page).await.unwrap();
    }
    for page in [Page::first(5), Page::after(7, 5), Page::before(7, 5), Page { edge: Edge::Last, limit: 5 }] {
        storage.messages(session, &ann, page).await.unwrap();
    }
    for scope in [None, Some(session)] {
        for bound_to in [None, Some(AgentId::new("mei").unwrap())] {
            // Grams that many texts have, as far as the planner can know.
            let query = SearchQuery { session: scope, bound_to, text: "hello there".into() };
            storage.search_messages(&query, None, 5).await.unwrap();
            storage.search_messages(&query, Some((session, 7)), 5).await.unwrap();
            storage.search_contacts(&query, Some(&(session, ann.clone())), 5).await.unwrap();
        }
    }
}

/// What the steps of this plan do that no read may do.
fn dear(plan: &Value, ordered: bool, found: &mut Vec<String>) {
    let text = |name: &str| plan[name].as_str().unwrap_or_default();
    let (step, table) = (text("Node Type"), text("Relation Name"));
    let by_index = ["Index Scan", "Index Only Scan"].contains(&step) && plan["Index Cond"].is_string();
    if HISTORY.contains(&table) && !by_index && step != "Bitmap Heap Scan" || ordered && step.contains("Sort") {
        found.push(format!("{step} {table}"));
    }
    for below in plan["Plans"].as_array().into_iter().flatten() {
        dear(below, ordered, found);
    }
}

/// How Postgres goes about what this connection has prepared, where that is dear; and how many statements there were.
async fn check(on: &Connection) -> (Vec<String>, usize) {
    let sql = "SELECT name, statement, cardinality(parameter_types) FROM pg_prepared_statements";
    let (mut found, mut statements) = (Vec::new(), 0);
    for row in on.query(sql, &[]).await.unwrap() {
        let (name, statement, parameters): (String, String, i32) = (row.get(0), row.get(1), row.get(2));
        if !HISTORY.iter().any(|table| statement.contains(&format!("FROM {table}"))) {
            continue;
        }
        statements += 1;
        let values = vec!["NULL"; usize::try_from(parameters).unwrap()].join(", ");
        let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE \"{name}\"({values})");
        let explained = on.simple_query(&explain).await.unwrap();
        let text = explained.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        let plan: Value = serde_json::from_str(text.unwrap()).unwrap();
        let is_search = statement.contains("_text AS x") || statement.contains("WITH ORDINALITY");
        let mut steps = Vec::new();
        dear(&plan[0]["Plan"], !is_search, &mut steps);
        for (table, index) in [("m.status = 0", "message_pending"), ("m.unread = 2", "message_untold")] {
            if statement.contains(table) && !plan.to_string().contains(index) {
                steps.push(format!("not by {index}"));
            }
        }
        if !steps.is_empty() {
            found.push(format!("{}\n  in {statement}", steps.join(", ")));
        }
    }
    (found, statements)
}

#[tokio::test]
async fn no_read_walks_through_history() {
    let cluster = Cluster::shared();
    let schema = cluster.fresh_schema();
    let storage = PostgresStorage::options().schema(&schema).connections(1).open(&cluster.url()).await.unwrap();
    for (round, statistics) in statistics().into_iter().enumerate() {
        cluster.sql(&format!("SET search_path = \"{schema}\"; {statistics}"));
        read_everything(&storage).await;
        let (dear, statements) = storage.read((), |on, ()| check(on).map(Ok).boxed()).await.unwrap();
        assert!(dear.is_empty(), "round {round}: {}", dear.join("\n"));
        assert!(statements > 20, "only {statements} statements were seen");
    }
    // What it looks for, it finds.
    let bad = storage.read((), |on, ()| {
        async move {
            on.prepare_cached("SELECT seq FROM message AS m WHERE m.sender = $1").await?;
            on.prepare_cached("SELECT key FROM chat WHERE session = $1 ORDER BY unread").await?;
            Ok(check(on).await.0)
        }
        .boxed()
    });
    assert_eq!(bad.await.unwrap().len(), 2);
    storage.close().await.unwrap();
}

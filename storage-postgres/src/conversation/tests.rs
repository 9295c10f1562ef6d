//! What the suite of all storages cannot see: that a batch is one commit after the other, only cheaper.

use std::ops::RangeInclusive;

use seatport::conversation::{
    Amendment, AmendmentChange, Author, ChatKind, ChatUpdate, ContactUpdate, Content, Direction, MessageStatus,
    SendFailure,
};
use seatport::leads::PersonKey;
use seatport::storage::{ChatNews, Expect, Identity, Incoming, MessageUpdate, ReadMark, SessionCommit};
use seatport::{Address, AgentId, MessageId, Random, SendKey, SessionId, Timestamp};
use seatport_testkit::postgres::Cluster;
use seatport_testkit::storage::text_from;

use super::{Working, identify};
use crate::codes::Id;
use crate::head::Heads;
use crate::ledger::Told;
use crate::open::plans;
use crate::sql::Connection;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A connection to a schema of its own, as the storage sets it up.
async fn connect() -> Connection {
    let cluster = Cluster::shared();
    let schema = cluster.fresh_schema();
    let mut config: tokio_postgres::Config = cluster.url().parse().unwrap();
    config.options(format!("-c search_path={schema} {}", plans()));
    let manager = deadpool_postgres::Manager::new(config, tokio_postgres::NoTls);
    let connection = deadpool_postgres::Pool::builder(manager).build().unwrap().get().await.unwrap();
    connection.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
    connection.batch_execute(include_str!("../migrations/0001_initial.sql")).await.unwrap();
    connection
}

fn session(number: u64) -> SessionId {
    SessionId::generate(NOW, &Random::seeded(number))
}

/// Rows of so many sessions, and their heads.
async fn heads(on: &Connection, count: u64) -> Heads {
    let sql = "INSERT INTO session (id, revision, status, search, record) VALUES ($1, 1, 0, '', '')";
    for number in 0..count {
        on.execute(sql, &[&Id(session(number))]).await.unwrap();
    }
    Heads::lock(on, &(0..count).map(|number| Id(session(number))).collect::<Vec<_>>()).await.unwrap()
}

/// Lands commits as one batch.
async fn land(on: &Connection, heads: &mut Heads, commits: &[SessionCommit], told: &mut Vec<Told>) {
    on.batch_execute("BEGIN").await.unwrap();
    let mut working = Working::load(on, &commits.iter().collect::<Vec<_>>()).await.unwrap();
    for commit in commits {
        working.apply(heads.get_mut(commit.session).unwrap(), commit, told).unwrap();
    }
    working.store(on).await.unwrap();
    on.batch_execute("COMMIT").await.unwrap();
}

/// How many prepared statements this connection has run.
async fn statements_run(on: &Connection) -> i64 {
    let sql = "SELECT coalesce(sum(generic_plans + custom_plans), 0)::bigint FROM pg_prepared_statements";
    on.query_one(sql, &[]).await.unwrap().get(0)
}

fn address(text: &str) -> Address {
    Address::new(text).unwrap()
}

fn inbound(chat: &str, id: &str) -> Incoming {
    text_from(chat, id, format!("it says {id}"), NOW)
}

#[tokio::test]
async fn a_batch_runs_as_many_statements_however_many_messages_it_brings() {
    let on = connect().await;
    let mut heads = heads(&on, 8).await;
    let mut counts = Vec::new();
    // The first round prepares all; in the next two the chats are there, in the last ones they are not.
    for (round, messages) in [1, 1, 20, 200].into_iter().enumerate() {
        let chat = |number: usize| if round < 3 { "ann@net".to_owned() } else { format!("{number}@net") };
        let commits: Vec<SessionCommit> = (0..8)
            .map(|number| {
                let mut commit = SessionCommit::new(session(number), NOW, Expect::Present);
                commit.messages = (0..messages).map(|n| inbound(&chat(n), &format!("{round} {n}"))).collect();
                commit
            })
            .collect();
        let before = statements_run(&on).await;
        land(&on, &mut heads, &commits, &mut Vec::new()).await;
        counts.push(statements_run(&on).await - before - 1);
    }
    assert_eq!(counts[1], counts[2], "{counts:?}");
    assert_eq!(counts[0], counts[3], "new chats and contacts are as many statements as changed ones: {counts:?}");
    assert!(counts.iter().all(|count| *count <= 10), "{counts:?}");
    let messages: i64 = on.query_one("SELECT count(*) FROM message", &[]).await.unwrap().get(0);
    assert_eq!(messages, 8 * 222);
}

/// How many sessions random commits are for.
const SESSIONS: u64 = 2;

/// Commits of few addresses and ids, so that all meets all.
struct Made<'a> {
    random: &'a Random,
    now: i64,
    keys: u64,
}

impl Made<'_> {
    fn below(&self, bound: u64) -> u64 {
        self.random.below(bound)
    }

    fn some<T>(&mut self, percent: u64, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut all = Vec::new();
        while all.len() < 4 && self.below(100) < percent {
            all.push(make(self));
        }
        all
    }

    fn address(&self) -> Address {
        address(["ann@net", "bob@net", "eve@net", "group@net"][self.below(4) as usize])
    }

    fn id(&self) -> MessageId {
        MessageId::new(["a", "b", "c", "d"][self.below(4) as usize]).unwrap()
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now + self.below(9) as i64 * 1_000)
    }

    fn text(&self) -> String {
        ["", "hello", "退款", "nul\0in it"][self.below(4) as usize].to_owned()
    }

    fn content(&self) -> Content {
        match self.below(5) {
            0 => Content::Undecryptable,
            1 => Content::System(self.text()),
            2 => Content::Deleted,
            _ => Content::Text(self.text()),
        }
    }

    fn person(&self) -> Option<PersonKey> {
        (self.below(2) == 0).then(|| PersonKey::from_bytes([self.below(3) as u8; 16]))
    }

    fn status(&self) -> MessageStatus {
        [MessageStatus::Pending, MessageStatus::Failed, MessageStatus::Sent, MessageStatus::Read]
            [self.below(4) as usize]
    }

    fn message(&mut self) -> Incoming {
        let mut incoming = inbound("ann@net", "a");
        let message = &mut incoming.message;
        (message.chat, message.id, message.sender) = (self.address(), self.id(), self.address());
        (message.content, message.at) = (self.content(), self.time());
        if self.below(3) == 0 {
            (message.direction, message.status) = (Direction::Outbound, self.status());
            message.author = Some(Author::Agent(AgentId::new("ada").unwrap()));
        }
        message.quoted = (self.below(3) == 0).then(|| self.id());
        incoming.historical = self.below(5) == 0;
        incoming.person = self.person();
        incoming.sender_name = (self.below(3) == 0).then(|| self.text());
        self.keys += 1;
        incoming.key = (self.below(5) == 0).then(|| SendKey::new(self.keys.to_string()).unwrap());
        incoming
    }

    fn amendment(&mut self) -> Amendment {
        let change = match self.below(6) {
            0 => AmendmentChange::Delete,
            1 => AmendmentChange::React(None),
            2 | 3 => AmendmentChange::React(Some("👍\0".to_owned())),
            _ => AmendmentChange::Edit(self.content()),
        };
        let (chat, target, sender, at) = (self.address(), self.id(), self.address(), self.time());
        self.keys += 1;
        Amendment { chat, target, id: MessageId::new(self.keys.to_string()).unwrap(), sender, at, change }
    }

    fn commit(&mut self) -> SessionCommit {
        self.now += 500;
        let session = session(self.below(SESSIONS));
        let mut commit = SessionCommit::new(session, Timestamp::from_millis(self.now), Expect::Present);
        commit.contacts = self.some(20, |of| ContactUpdate {
            name: (of.below(2) == 0).then(|| of.text()),
            avatar: (of.below(2) == 0).then(|| Some(of.text())),
            ..ContactUpdate::new(of.address())
        });
        commit.chats = self.some(20, |of| {
            let mut update = ChatUpdate::new(of.address(), ChatKind::Person);
            update.archived = (of.below(2) == 0).then(|| of.below(2) == 0);
            update.active_at = (of.below(2) == 0).then(|| of.time());
            ChatNews { update, person: of.person() }
        });
        commit.messages = self.some(60, Self::message);
        commit.amendments = self.some(50, Self::amendment);
        commit.updates = self.some(40, |of| {
            let failure = Some(SendFailure::Refused(of.text()));
            MessageUpdate { chat: of.address(), id: of.id(), status: of.status(), failure }
        });
        commit.read = self.some(30, |of| {
            let up_to = (of.below(2) == 0).then(|| of.id());
            ReadMark { chat: of.address(), up_to, tell: of.below(2) == 0 }
        });
        commit.told = self.some(30, |of| (of.address(), of.id()));
        commit
    }
}

/// All that is stored, but for keys, which no one sees.
async fn rows(on: &Connection, heads: &Heads, told: &[Told]) -> Vec<String> {
    let sql = "SELECT row('chat', s.id, c.address, c.kind, c.listed, c.unread, c.waiting, c.last, c.recency, c.archived, c.muted_until,
             c.oldest, c.complete, c.person)::text FROM chat AS c JOIN session AS s ON s.key = c.session
             WHERE c.listed = 1 OR c.waiting > 0
         UNION ALL SELECT row('contact', s.id, k.address, k.phone, k.name, k.saved_name, k.avatar, k.first_seen, k.last_seen)::text
             FROM contact AS k JOIN session AS s ON s.key = k.session
         UNION ALL SELECT row('message', s.id, m.seq, c.address, m.id, m.direction, m.status, m.unread, m.body, m.reacted, m.at,
                 m.edited_at, m.sender, m.author, m.quoted, m.failure, m.content)::text
             FROM message AS m JOIN session AS s ON s.key = m.session JOIN chat AS c ON c.key = m.chat
         UNION ALL SELECT row('amendment', s.id, c.address, r.target, r.change, r.slot, r.at, r.id, r.waits, r.value)::text
             FROM amendment AS r JOIN chat AS c ON c.key = r.chat JOIN session AS s ON s.key = c.session
         UNION ALL SELECT row('send_key', s.id, x.key, x.seq)::text FROM send_key AS x JOIN session AS s ON s.key = x.session
         UNION ALL SELECT row('text of a message', s.id, t.seq, t.grams)::text
             FROM message_text AS t JOIN session AS s ON s.key = t.session
         UNION ALL SELECT row('text of a contact', s.id, t.address, t.grams)::text
             FROM contact_text AS t JOIN session AS s ON s.key = t.session
         ORDER BY 1";
    let mut rows: Vec<String> = on.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    for head in (0..SESSIONS).map(|number| heads.get(session(number)).unwrap()) {
        rows.push(format!("{:?}", head.counters));
        rows.extend(head.events.iter().map(|event| format!("{event:?}")));
        rows.extend(told.iter().filter(|told| told.session == head.id).map(|told| format!("{told:?}")));
    }
    rows
}

/// Whether the counters of sessions and chats are what one would count.
async fn counts_add_up(on: &Connection, heads: &Heads) {
    let sql = "SELECT c.address FROM chat AS c
         WHERE c.unread <> (SELECT count(*) FROM message AS m WHERE m.chat = c.key AND m.unread = 1)
            OR c.waiting <> (SELECT count(*) FROM amendment AS r WHERE r.chat = c.key AND r.waits = 1)
            OR c.last IS DISTINCT FROM (SELECT m.seq FROM message AS m WHERE m.chat = c.key ORDER BY m.at DESC, m.seq DESC LIMIT 1)";
    assert!(on.query(sql, &[]).await.unwrap().is_empty());
    for head in (0..SESSIONS).map(|number| heads.get(session(number)).unwrap()) {
        let sql = "SELECT coalesce(sum(unread), 0)::bigint FROM chat WHERE session = $1";
        let unread: i64 = on.query_one(sql, &[&head.key]).await.unwrap().get(0);
        assert_eq!(unread, head.counters.unread as i64);
    }
}

/// Some history of sessions with these numbers, which are larger than those of others, so that statistics have something to tell.
/// It tells nothing of the tables of other tests, whose plans are theirs.
fn history(sessions: RangeInclusive<u32>) -> String {
    let (first, last) = sessions.into_inner();
    let (all, of_these) = (format!("generate_series({first}, {last})"), format!("session BETWEEN {first} AND {last}"));
    format!(
        "INSERT INTO session (key, id, revision, status, search, record)
            SELECT n, ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 1, 0, '', '' FROM {all} AS n;
        INSERT INTO alias SELECT s, 'o' || n, 'a' || n, 'a' || n FROM {all} AS s, generate_series(1, 60) AS n;
        INSERT INTO contact (session, address) SELECT s, 'a' || n FROM {all} AS s, generate_series(1, 60) AS n;
        INSERT INTO chat (key, session, address, kind, listed, last, recency)
            SELECT s * 60 + n, s, 'a' || n, 0, 1, n, n FROM {all} AS s, generate_series(1, 60) AS n;
        INSERT INTO message (session, seq, chat, id, direction, status, unread, body, reacted, at, sender, content)
            SELECT s, n, s * 60 + n % 60, 'm' || n, 1, 2, n % 10 / 9, 1, 0, n, 'a' || n % 60, '\"Deleted\"'
            FROM {all} AS s, generate_series(1, 500) AS n;
        INSERT INTO send_key SELECT session, id, seq FROM message WHERE {of_these};
        INSERT INTO amendment SELECT chat, id, 2, sender, at, id, 0, '👍' FROM message WHERE {of_these};
        INSERT INTO message_text SELECT session, seq, ARRAY[1, 2, 3, seq::integer] FROM message WHERE {of_these};
        INSERT INTO contact_text SELECT session, address, ARRAY[1, 2, 3, key::integer] FROM contact WHERE {of_these};
        ANALYZE session, alias, contact, chat, message, send_key, amendment, message_text, contact_text;"
    )
}

/// What the statistics tell in turn: nothing at first, then that the tables are about as small as when a server begins to gather
/// any (50 rows), then that they are large.
pub(super) fn statistics() -> [String; 3] {
    [String::new(), history(1_001..=1_001), history(1_002..=1_040)]
}

/// The steps of a plan that read a table by no index, or all that an index has. Only `session` may be small.
fn walks(plan: &serde_json::Value, found: &mut Vec<String>) {
    let step = plan["Node Type"].as_str().unwrap_or_default();
    let on_rows = ["Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Index Scan"].contains(&step);
    if on_rows && !plan["Index Cond"].is_string() {
        found.push(format!("{step} {}", plan["Relation Name"]));
    }
    plan["Plans"].as_array().into_iter().flatten().for_each(|below| walks(below, found));
}

/// The statements that this connection has prepared and that walk through a table, and how many there are in all.
async fn dear_statements(on: &Connection) -> (Vec<String>, usize) {
    let sql = "SELECT name, statement, cardinality(parameter_types) FROM pg_prepared_statements
         WHERE cardinality(parameter_types) > 0 AND statement ~ 'message|chat|contact|alias|amendment|send_key'";
    let prepared = on.query(sql, &[]).await.unwrap();
    let mut dear = Vec::new();
    for row in &prepared {
        let (name, statement, parameters): (String, String, i32) = (row.get(0), row.get(1), row.get(2));
        let values = vec!["NULL"; usize::try_from(parameters).unwrap()].join(", ");
        let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE \"{name}\"({values})");
        let explained = on.simple_query(&explain).await.unwrap();
        let text = explained.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        let plan: serde_json::Value = serde_json::from_str(text.unwrap()).unwrap();
        let mut steps = Vec::new();
        walks(&plan[0]["Plan"], &mut steps);
        if !steps.is_empty() {
            dear.push(format!("{}\n  in {statement}", steps.join(", ")));
        }
    }
    (dear, prepared.len())
}

#[tokio::test]
async fn no_write_walks_through_history() {
    let on = connect().await;
    let mut heads = heads(&on, SESSIONS).await;
    let random = Random::seeded(1);
    let mut made = Made { random: &random, now: NOW.as_millis(), keys: 0 };
    for (round, statistics) in (0..).zip(statistics()) {
        on.batch_execute(&statistics).await.unwrap();
        let commits: Vec<_> = (0..40).map(|_| made.commit()).collect();
        land(&on, &mut heads, &commits, &mut Vec::new()).await;
        for (from, to) in [("ann@net", "bob@net"), ("eve@net", "new@net")] {
            let identity = Identity { address: address(from), canonical: address(to), persons: None };
            let head = heads.get_mut(session(round % SESSIONS)).unwrap();
            identify(&on, head, NOW, &identity, &mut Vec::new()).await.unwrap();
        }
        let (dear, statements) = dear_statements(&on).await;
        assert!(dear.is_empty(), "round {round}: {}", dear.join("\n"));
        assert!(statements > 30, "only {statements} statements were seen");
    }
    // What it looks for, it finds.
    on.prepare_cached("UPDATE message SET unread = 0 WHERE sender = $1").await.unwrap();
    assert_eq!(dear_statements(&on).await.0.len(), 1);
}

#[tokio::test]
async fn however_commits_are_batched_the_same_is_stored() {
    for seed in 0..3 {
        let mut all = Vec::new();
        for batch in [1, 7, 100] {
            let (on, mut told) = (connect().await, Vec::new());
            let mut heads = heads(&on, SESSIONS).await;
            let random = Random::seeded(seed);
            let mut made = Made { random: &random, now: NOW.as_millis(), keys: 0 };
            for _ in 0..3 {
                let commits: Vec<_> = (0..30).map(|_| made.commit()).collect();
                for commits in commits.chunks(batch) {
                    land(&on, &mut heads, commits, &mut told).await;
                }
                // In between some people turn out to be others.
                let (address, canonical) = (made.address(), made.address());
                let identity = Identity { address, canonical, persons: None };
                for number in 0..SESSIONS {
                    identify(&on, heads.get_mut(session(number)).unwrap(), NOW, &identity, &mut told).await.unwrap();
                }
                counts_add_up(&on, &heads).await;
            }
            all.push(rows(&on, &heads, &told).await);
        }
        for other in &all[1..] {
            let differs = all[0].iter().zip(other).find(|(one, other)| one != other);
            assert_eq!(differs, None, "seed {seed}");
            assert_eq!(all[0].len(), other.len(), "seed {seed}");
        }
    }
}

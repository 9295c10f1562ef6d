//! What is on disk has to be readable by every later version: whoever breaks this test needs a migration.

use crate::sample::{NOW, add, audit, inbound, place, session_id};
use rusqlite::Connection;
use seatport::conversation::{Amendment, AmendmentChange, Author, Content, Direction, MessageStatus};
use seatport::leads::PersonKey;
use seatport::lifecycle::{Account, Desired, Lifecycle, Login, PortChange, Reason, ReasonKind};
use seatport::storage::{AgentStore, Identity, SessionStore, Storage};
use seatport::{
    Action, Address, Agent, AgentId, AuditHash, CardStatus, Environment, EventBody, Platform, Role, SessionRecord,
    Timestamp,
};
use seatport_sqlite::SqliteStorage;

/// A record in which everything is set.
fn full(mut record: SessionRecord) -> SessionRecord {
    let environment = Environment::new().proxy("socks5://mei:hunter2@proxy.example:1080").unwrap();
    let environment = environment.device_name("Desk 3").unwrap().platform(Platform::MacOs).locale("zh-CN").unwrap();
    record.environment = environment.time_zone("Asia/Shanghai").unwrap().label("team", "sales").unwrap();
    record.agent = Some(AgentId::new("mei").unwrap());
    record.first_login_at = Some(NOW);
    record.facts.desired = Desired::Started;
    record.facts.lifecycle = Lifecycle::Backoff { attempt: 2, retry_at: NOW };
    record.facts.login = Login::LoggedIn;
    record.facts.reason = Some(Reason::new(ReasonKind::Banned).code("402").until(NOW));
    record.facts.account = Some(Account {
        address: Address::new("8613800138000@net").unwrap(),
        phone: Some("8613800138000".into()),
        name: Some("Front Desk".into()),
    });
    record
}

#[tokio::test]
async fn the_rows_are_as_they_were_in_version_1() {
    let (_directory, file) = place();
    let storage = SqliteStorage::open(&file).await.unwrap();
    storage.put_agent(Agent::new("mei", "Mei Lin", Role::Agent).unwrap()).await.unwrap();
    let id = session_id(1);
    let mut commit = add(id, "VIP");
    commit.record = commit.record.map(full);
    commit.port = PortChange::Claim;
    let mut sent = inbound("person@net", "2", "hello");
    sent.message.direction = Direction::Outbound;
    sent.message.sender = Address::new("8613800138000@net").unwrap();
    sent.message.author = Some(Author::Agent(AgentId::new("mei").unwrap()));
    sent.message.status = MessageStatus::Sent;
    sent.message.at = Timestamp::from_millis(NOW.as_millis() + 1);
    let mut unreadable = inbound("person@net", "1", "");
    unreadable.message.content = Content::Undecryptable;
    sent.message.quoted = Some("1".parse().unwrap());
    sent.key = Some("once".parse().unwrap());
    unreadable.person = Some(PersonKey::from_bytes([7; 16]));
    sent.person = unreadable.person;
    commit.messages = vec![unreadable, sent];
    let change = |target: &str, number: &str, change| {
        let [target, id] = [target, number].map(|id| id.parse().unwrap());
        let [chat, sender] = ["person@net"; 2].map(|address| address.parse().unwrap());
        Amendment { chat, target, id, sender, at: NOW, change }
    };
    commit.amendments = vec![
        change("1", "x", AmendmentChange::React(Some("👍".into()))),
        change("2", "y", AmendmentChange::Edit(Content::Text("hello!".into()))),
        change("3", "z", AmendmentChange::Delete),
    ];
    let [address, canonical] = ["lid@net", "person@net"].map(|address| address.parse().unwrap());
    commit.identities = vec![Identity { address, canonical, persons: None }];
    commit.events = vec![EventBody::StatusChanged { status: CardStatus::Connecting, reason: None }];
    commit.audit = vec![audit(id, Action::Add)];
    storage.commit(commit).await.unwrap();
    storage.close().await.unwrap();

    let connection = Connection::open(&file).unwrap();
    let row = |table: &str, columns: &str, place: u32| {
        let sql = format!("SELECT json_array({columns}) FROM {table} LIMIT 1 OFFSET {place}");
        connection.query_row(&sql, [], |row| row.get::<_, String>(0)).unwrap()
    };
    assert_eq!(row("agent", "id, name, role", 0), r#"["mei","Mei Lin",1]"#);
    let columns =
        "hex(id), revision, port, owner, epoch, unread, last_message, last_event, trimmed, status, agent, first_login";
    assert_eq!(
        row("session", columns, 0),
        format!(r#"["{}",1,1,null,0,1,2,5,0,2,"mei",1700000000000]"#, id.to_string().replace('-', "").to_uppercase())
    );
    assert_eq!(
        row("session", "replace(search, char(31), '|')", 0),
        r#"["vip|front desk|8613800138000|8613800138000@net"]"#
    );
    let stored: String = connection.query_row("SELECT record FROM session", [], |row| row.get(0)).unwrap();
    let expected = r#"{"id":"ID","created_at":1700000000000,"transport":"sim",
        "environment":{"proxy":{"scheme":"socks5","host":"proxy.example","port":1080,"username":"mei"},
        "device_name":"Desk 3","platform":"macos","locale":"zh-CN","time_zone":"Asia/Shanghai","labels":{"team":"sales"}},
        "remark":"VIP","agent":"mei","login_method":"Qr",
        "facts":{"desired":"Started","lifecycle":{"Backoff":{"attempt":2,"retry_at":1700000000000}},"login":"LoggedIn",
        "reason":{"kind":"Banned","code":"402","until":1700000000000},
        "account":{"address":"8613800138000@net","phone":"8613800138000","name":"Front Desk"},"generation":0},
        "since":1700000000000,"first_login_at":1700000000000}"#;
    let expected = expected.split("\n        ").collect::<String>().replace("ID", &id.to_string());
    assert_eq!(stored, expected);

    assert_eq!(
        row("contact", "address, phone, name, saved_name, avatar, first_seen, last_seen", 0),
        r#"["person@net",null,"Li Na",null,null,1700000000000,1700000000000]"#
    );
    let columns =
        "address, kind, listed, unread, waiting, last, recency, archived, muted_until, oldest, complete, hex(person)";
    assert_eq!(
        row("chat", columns, 0),
        format!(r#"["person@net",0,1,1,1,2,-1700000000001,0,null,null,0,"{}"]"#, "07".repeat(16))
    );
    let columns =
        "seq, id, direction, status, unread, body, reacted, at, edited_at, sender, author, quoted, failure, content";
    assert_eq!(
        row("message", columns, 0),
        r#"[1,"1",0,3,1,0,1,1700000000000,null,"person@net",null,null,null,"\"Undecryptable\""]"#
    );
    assert_eq!(
        row("message", columns, 1),
        r#"[2,"2",1,2,0,1,0,1700000000001,1700000000000,"8613800138000@net","{\"Agent\":\"mei\"}","1",null,"{\"Text\":\"hello!\"}"]"#
    );
    let columns = "target, change, slot, at, id, waits, value";
    assert_eq!(row("amendment", columns, 0), r#"["1",2,"person@net",1700000000000,"x",0,"👍"]"#);
    assert_eq!(row("amendment", columns, 1), r#"["2",1,"",1700000000000,"y",0,"{\"Text\":\"hello!\"}"]"#);
    assert_eq!(row("amendment", columns, 2), r#"["3",0,"",1700000000000,"z",1,null]"#);
    assert_eq!(row("send_key", "key, seq", 0), r#"["once",2]"#);
    assert_eq!(row("alias", "address, canonical", 0), r#"["lid@net","person@net"]"#);
    assert_eq!(
        row("event", "seq, at, body", 0),
        r#"[1,1700000000000,"{\"MessageStored\":{\"chat\":\"person@net\",\"id\":\"1\",\"inbound\":true}}"]"#
    );
    assert_eq!(
        row("event", "seq, at, body", 4),
        r#"[5,1700000000000,"{\"StatusChanged\":{\"status\":\"Connecting\",\"reason\":null}}"]"#
    );
    let expected = r#"{"at":1700000000000,"agent":"mei","action":"Add","session":"ID","outcome":"Done"}"#;
    let entry: String = connection.query_row("SELECT entry FROM audit", [], |row| row.get(0)).unwrap();
    assert_eq!(entry, expected.replace("ID", &id.to_string()));
    let hash = row("audit", "number, hex(hash)", 0);
    let line = AuditHash::START.followed_by(1, &audit(id, Action::Add));
    assert_eq!(hash, format!(r#"[1,"{}"]"#, line.to_string().to_uppercase()));

    assert_eq!(row("person_key", "hex(key), person", 0), format!(r#"["{}",1]"#, "07".repeat(16)));
    let columns = "id, person, hex(session) = replace(upper('ID'), '-', ''), first_login, first_activity, outbound_at, outbound_id, \
        outbound_by"
        .replace("ID", &id.to_string());
    assert_eq!(
        row("pair", &columns, 0),
        r#"[1,1,1,1700000000000,1700000000000,1700000000001,"2","{\"Agent\":\"mei\"}"]"#
    );
    assert_eq!(row("visit", "pair, at, id, until, agent, late", 0), r#"[1,1700000000000,"1",1700000000000,"mei",0]"#);
    assert_eq!(row("shift", "at, agent, running", 0), r#"[1700000000000,"mei",1]"#);
    assert_eq!(
        row("lead_total", "quarter, agent, class, late, replier, seconds, count", 0),
        r#"[1699999200000,"mei",15,0,"amei",0,1]"#
    );
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((pragma("application_id"), pragma("user_version")), (0x5365_6174, 1));
}

//! What is on disk has to be readable by every later version: whoever breaks this test needs a migration.

use crate::sample::{NOW, add, audit, inbound, place, session_id};
use rusqlite::Connection;
use seatport::conversation::{Author, Content, Direction, MessageStatus};
use seatport::lifecycle::{Account, Desired, Lifecycle, Login, PortChange, Reason, ReasonKind};
use seatport::storage::{AgentStore, SessionStore, Storage};
use seatport::{
    Action, Address, Agent, AgentId, CardStatus, Environment, EventBody, Platform, Role, SessionRecord, Timestamp,
};
use seatport_sqlite::SqliteStorage;

/// A record in which everything is set.
fn full(mut record: SessionRecord) -> SessionRecord {
    let environment = Environment::new().proxy("socks5://mei:hunter2@proxy.example:1080").unwrap();
    let environment = environment.device_name("Desk 3").unwrap().platform(Platform::MacOs).locale("zh-CN").unwrap();
    record.environment = environment.time_zone("Asia/Shanghai").unwrap().label("team", "sales").unwrap();
    record.agent = Some(AgentId::new("mei").unwrap());
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
    commit.messages = vec![unreadable, sent];
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
    assert_eq!(
        row("session", "hex(id), revision, port, owner, epoch, unread, last_message, last_event, status, agent", 0),
        format!(r#"["{}",1,1,null,0,1,2,3,2,"mei"]"#, id.to_string().replace('-', "").to_uppercase())
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
        "since":1700000000000}"#;
    let expected = expected.split("\n        ").collect::<String>().replace("ID", &id.to_string());
    assert_eq!(stored, expected);

    assert_eq!(
        row("contact", "address, name, first_seen, last_seen", 0),
        r#"["person@net","Li Na",1700000000000,1700000000000]"#
    );
    assert_eq!(row("chat", "address, last, inbound, read, read_inbound", 0), r#"["person@net",2,1,0,0]"#);
    let columns = "seq, id, direction, inbound, status, at, sender, author, content";
    assert_eq!(row("message", columns, 0), r#"[1,"1",0,1,3,1700000000000,"person@net",null,"\"Undecryptable\""]"#);
    assert_eq!(
        row("message", columns, 1),
        r#"[2,"2",1,1,2,1700000000001,"8613800138000@net","{\"Agent\":\"mei\"}","{\"Text\":\"hello\"}"]"#
    );
    assert_eq!(
        row("event", "seq, at, body", 0),
        r#"[1,1700000000000,"{\"MessageStored\":{\"chat\":\"person@net\",\"id\":\"1\",\"inbound\":true}}"]"#
    );
    assert_eq!(
        row("event", "seq, at, body", 2),
        r#"[3,1700000000000,"{\"StatusChanged\":{\"status\":\"Connecting\",\"reason\":null}}"]"#
    );
    let expected = r#"{"at":1700000000000,"agent":"mei","action":"Add","session":"ID","outcome":"Done"}"#;
    let entry: String = connection.query_row("SELECT entry FROM audit", [], |row| row.get(0)).unwrap();
    assert_eq!(entry, expected.replace("ID", &id.to_string()));
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((pragma("application_id"), pragma("user_version")), (0x5365_6174, 1));
}

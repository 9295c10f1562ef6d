//! The data centre is for supervisors: an agent reaches no lead figure, by whatever call.

use std::path::Path;
use std::time::Duration;

use crate::permissions::{Call, House, calls, calls_beside, house, li, refused};
use seatport::conversation::{Author, Content, Direction, Message, MessageStatus};
use seatport::leads::{LeadQuery, PersonKey};
use seatport::lifecycle::Account;
use seatport::storage::{Expect, Incoming, SessionCommit, SessionStore};
use seatport::{Action, Address, AgentScope, CardStatus, EventBody, MessageId, NewAccount, SessionId, Timestamp};

const HOUR: Duration = Duration::from_secs(3600);
const BEGIN: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// What lead figures look like wherever they are shown, stored or printed.
const WORDS: [&str; 9] = [
    "leadreport",
    "leadrow",
    "figures",
    "duplicate",
    "returning",
    "outreach",
    "unanswered",
    "leadadjustment",
    "new_in",
];

fn everything() -> impl Iterator<Item = Call> {
    calls().into_iter().chain(calls_beside())
}

/// The methods of the desk, as they stand in the source.
fn methods(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(methods(&path));
            continue;
        }
        let (source, mut of_the_desk) = (std::fs::read_to_string(&path).unwrap(), false);
        for line in source.lines() {
            if line.starts_with("impl") {
                of_the_desk = line.contains(" Desk {");
            }
            let method = line.strip_prefix("    pub async fn ").or_else(|| line.strip_prefix("    pub fn "));
            if let Some(method) = method.filter(|_| of_the_desk) {
                found.push(method.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            }
        }
    }
    found
}

#[test]
fn every_method_of_the_desk_is_in_the_tables() {
    let mut methods = methods(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/runtime"));
    let mut called: Vec<String> =
        everything().map(|(_, name, _)| name.split(':').next().unwrap_or_default().to_owned()).collect();
    methods.sort();
    called.sort();
    called.dedup();
    assert!(methods.len() > 30, "the methods were not found: {methods:?}");
    assert_eq!(called, methods, "the tables and the desk");
}

/// A message of this hour.
fn said(direction: Direction, person: u8, id: &str, hour: u32) -> Incoming {
    let other = Address::new(if person == 1 { "bob" } else { "cid" }).unwrap();
    let (sender, author, status) = match direction {
        Direction::Inbound => (other.clone(), None, MessageStatus::Delivered),
        Direction::Outbound => (Address::new("me").unwrap(), Some(Author::Agent(li())), MessageStatus::Sent),
    };
    let message = Message {
        chat: other,
        id: MessageId::new(id).unwrap(),
        direction,
        sender,
        author,
        content: Content::Text("hello".into()),
        at: BEGIN + HOUR * hour,
        status,
        quoted: None,
    };
    Incoming { person: Some(PersonKey::from_bytes([0xAA + person; 16])), ..Incoming::new(message) }
}

/// One of each kind.
fn all_kinds_of_events() -> Vec<EventBody> {
    let (chat, id) = (Address::new("bob").unwrap(), MessageId::new("1").unwrap());
    let account = Account { address: Address::new("me").unwrap(), phone: None, name: None };
    vec![
        EventBody::Added,
        EventBody::StatusChanged { status: CardStatus::Online, reason: None },
        EventBody::LoggedIn { account },
        EventBody::LoggedOut,
        EventBody::AgentChanged { agent: Some(li()) },
        EventBody::RemarkChanged,
        EventBody::EnvironmentChanged,
        EventBody::MessageStored { chat: chat.clone(), id: id.clone(), inbound: true },
        EventBody::MessageAmended { chat: chat.clone(), id: id.clone() },
        EventBody::MessageStatusChanged { chat: chat.clone(), id, status: MessageStatus::Read },
        EventBody::ChatChanged { chat: chat.clone() },
        EventBody::ContactChanged { address: chat.clone() },
        EventBody::IdentityMerged { address: chat.clone(), canonical: Address::new("cid").unwrap() },
        EventBody::HistoryReceived { messages: 7, progress: Some(50) },
        EventBody::ChatRead { chat },
    ]
}

/// A house where people have come: somebody new, who was answered and came back; the same person in another session; and
/// somebody we had written to first.
async fn visited() -> House {
    let house = house(AgentScope::All).await;
    let other = house.mei.add_account(NewAccount::on("scripted")).await.unwrap();
    let of_bob = [
        said(Direction::Inbound, 1, "1", 1),
        said(Direction::Outbound, 1, "2", 2),
        said(Direction::Inbound, 1, "3", 30),
        said(Direction::Outbound, 2, "4", 31),
        said(Direction::Inbound, 2, "5", 32),
    ];
    commit(&house, house.session, of_bob.into()).await;
    commit(&house, other, vec![said(Direction::Inbound, 1, "6", 33)]).await;
    house
}

async fn commit(house: &House, session: SessionId, messages: Vec<Incoming>) {
    let stored = house.storage.session(session).await.unwrap().unwrap();
    // So late that every figure is told as a correction too.
    let mut commit = SessionCommit::new(session, BEGIN + HOUR * 24 * 60, Expect::Revision(stored.revision));
    let mut record = stored.record;
    record.first_login_at = Some(BEGIN);
    (commit.record, commit.messages, commit.events) = (Some(record), messages, all_kinds_of_events());
    house.storage.commit(commit).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_agent_reaches_no_lead_figure_by_any_call() {
    let mut seen_by_mei = String::new();
    for (_, _, run) in everything().filter(|(action, ..)| *action == Action::ViewDataCentre) {
        let house = visited().await;
        seen_by_mei += &run(&house.mei, house.session).await.unwrap().to_lowercase();
    }
    for word in WORDS {
        assert!(seen_by_mei.contains(word), "a supervisor sees no {word:?}, so that looking for it proves nothing");
    }
    for call in everything() {
        let house = visited().await;
        if call.0 == Action::ViewDataCentre {
            refused(&house, &call, Action::ViewDataCentre).await;
        }
        let answer = call.2(&house.li, house.session).await;
        let told = match &answer {
            Ok(answer) => answer.to_lowercase(),
            Err(error) => format!("{error} {error:?}").to_lowercase(),
        };
        let told_of = WORDS.iter().chain(&["ababab", "acacac"]).find(|word| told.contains(**word));
        assert_eq!(told_of, None, "{}: {answer:?}", call.1);
    }
}

#[tokio::test(start_paused = true)]
async fn no_kind_of_event_tells_of_leads() {
    let house = visited().await;
    let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/event.rs")).unwrap();
    let (_, body) = source.split_once("pub enum EventBody {").unwrap();
    let variants = body.lines().take_while(|line| *line != "}").filter_map(|line| line.strip_prefix("    "));
    let variants: Vec<&str> = variants
        .filter(|line| line.starts_with(char::is_uppercase))
        .map(|line| line.trim_end_matches([',', '{', ' ']))
        .collect();
    assert!(variants.len() > 10, "the kinds were not found: {variants:?}");

    let (_, _, follow) = everything().last().unwrap();
    let events = follow(&house.li, house.session).await.unwrap();
    for variant in variants {
        assert!(events.contains(variant), "no {variant} was among the events");
    }
    assert!(!WORDS.iter().any(|word| events.to_lowercase().contains(word)), "{events}");
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_sees_the_figures_and_nobody_else_does_from_one_moment_to_the_next() {
    let house = visited().await;
    let query = LeadQuery::new("2023-11-14".parse().unwrap(), 7, "UTC").unwrap();
    let total = house.mei.leads(&query).await.unwrap().current.total;
    let figures = (total.new, total.duplicate, total.returning, total.outreach_replies, total.replied);
    assert_eq!(figures, (1, 1, 1, 1, 1));
    house.mei.rebuild_leads().await.unwrap();
    assert_eq!(house.mei.leads(&query).await.unwrap().current.total, total);
    let lines = house.mei.audit(0, 1000).await.unwrap();
    assert_eq!(lines.last().unwrap().entry.action, Action::ViewDataCentre, "computing them anew is on record");

    let mei = seatport::Agent::new("mei", "Mei", seatport::Role::Agent).unwrap();
    house.seatport.agents().put(mei).await.unwrap();
    assert!(matches!(house.mei.leads(&query).await, Err(seatport::Error::Denied { .. })));
}

#[tokio::test(start_paused = true)]
async fn the_spreadsheet_names_sessions_and_agents_that_are_there_still() {
    use seatport::leads::{CsvOptions, Dimension};
    let house = visited().await;
    house.mei.assign(house.session, Some(&li())).await.unwrap();
    house.mei.set_remark(house.session, "spring campaign").await.unwrap();
    let query = LeadQuery::new("2023-11-14".parse().unwrap(), 7, "UTC").unwrap();
    let query = query.by([Dimension::Session, Dimension::Agent]).unwrap();
    let csv = async |options| String::from_utf8(house.mei.export_leads(&query, options).await.unwrap()).unwrap();

    let named = csv(CsvOptions::default()).await;
    assert!(named.starts_with("session,session_name,attribution,agent,agent_name,"), "{named}");
    assert!(named.contains(&format!("{},spring campaign,agent,li,li,", house.session)), "{named}");
    let by_host = CsvOptions { sessions: [(house.session, "Shop 7".into())].into(), ..CsvOptions::default() };
    assert!(csv(by_host).await.contains(",Shop 7,"));

    house.mei.delete(house.session).await.unwrap();
    let deleted = csv(CsvOptions::default()).await;
    assert!(deleted.contains(&format!("{},,agent,li,li,", house.session)), "{deleted}");
}

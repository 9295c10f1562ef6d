//! What a connection brings: stored in order, in commits of a bounded size, acknowledged when it is durable.

use std::time::Duration;

use seatport::conversation::{
    Amendment, AmendmentChange, ChatKind, ChatUpdate, ContactUpdate, Content, Coverage, History, MessageStatus,
};
use seatport::leads::{EntryClass, LeadWindow};
use seatport::memory::MemoryStorage;
use seatport::storage::{Change, LeadStore, Storage};
use seatport::transport::{Ack, InboundMessage, SamePerson, Signal};
use seatport::vault::VaultKey;
use seatport::{
    Agent, AgentId, CardStatus, Clock, Cursors, Desk, EventBody, NewAccount, Page, Role, Seatport, SeatportBuilder,
    SessionId, SystemClock, Timestamp, WhenFull,
};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::scripted::{Dial, Line, Scripted, address, from, id, online, ready};

struct House {
    storage: MemoryStorage,
    _seatport: Seatport,
    desk: Desk,
    lines: mpsc::UnboundedReceiver<Line>,
}

async fn house(storage: MemoryStorage, with: impl FnOnce(SeatportBuilder) -> SeatportBuilder) -> House {
    let (transport, lines) = Scripted::new(Dial::Answers);
    let builder = with(Seatport::builder().storage(storage.clone()).transport(transport));
    let seatport = builder.build().await.unwrap();
    seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
    let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    House { storage, _seatport: seatport, desk, lines }
}

async fn plain_house() -> House {
    house(MemoryStorage::new(), |builder| builder).await
}

/// Messages as the network delivers them.
fn delivered(messages: Vec<InboundMessage>) -> (Signal, oneshot::Receiver<()>) {
    let (ack, stored) = Ack::new();
    (Signal::Messages { messages, ack }, stored)
}

fn piece(history: History) -> (Signal, oneshot::Receiver<()>) {
    let (ack, stored) = Ack::new();
    (Signal::History { history: Box::new(history), ack }, stored)
}

/// How many commits the session's owner made.
fn commits(changes: &mut broadcast::Receiver<Change>) -> usize {
    let made = std::iter::from_fn(|| changes.try_recv().ok());
    made.filter(|change| matches!(change, Change::Session { by_owner: true, .. })).count()
}

async fn said(house: &House, session: SessionId) -> Vec<String> {
    let found = house.desk.messages(session, &address("bob"), Page::last(1000)).await.unwrap();
    let mut found: Vec<_> = found.into_iter().map(|stored| (stored.seq, stored.message.id.to_string())).collect();
    found.sort();
    found.into_iter().map(|(_, id)| id).collect()
}

async fn events(house: &House, session: SessionId) -> Vec<EventBody> {
    let last = house.desk.cursors().await.unwrap().after(session);
    let mut feed = house.desk.events(Cursors::default()).await.unwrap();
    let mut bodies = Vec::new();
    while feed.cursors().after(session) < last {
        bodies.push(feed.next().await.unwrap().body);
    }
    bodies
}

#[tokio::test(start_paused = true)]
async fn messages_that_wait_are_stored_together_and_all_acknowledged() {
    let mut house = plain_house().await;
    let (session, line) = online(&house.desk, &mut house.lines).await;
    let mut changes = house.storage.changes();
    let acks: Vec<_> = (0..12)
        .map(|number| {
            let (signal, stored) = delivered(vec![from("bob", &format!("{number:02}"))]);
            line.signals.try_send(signal).unwrap();
            stored
        })
        .collect();
    for stored in acks {
        stored.await.unwrap();
    }
    assert_eq!(commits(&mut changes), 1);
    assert_eq!(said(&house, session).await, (0..12).map(|number| format!("{number:02}")).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn what_comes_between_messages_keeps_its_place() {
    let mut house = plain_house().await;
    let (session, line) = online(&house.desk, &mut house.lines).await;
    let mut changes = house.storage.changes();
    let (first, _first) = delivered(vec![from("bob", "1")]);
    let (second, _second) = delivered(vec![from("bob", "2")]);
    let (third, third_stored) = delivered(vec![from("bob", "3")]);
    for signal in [first, second, Signal::Read { chat: address("bob"), up_to: None }, third] {
        line.signals.try_send(signal).unwrap();
    }
    third_stored.await.unwrap();
    assert_eq!(commits(&mut changes), 3);
    assert_eq!(house.desk.card(session).await.unwrap().unread, 1, "the third came after the reading");
}

#[tokio::test(start_paused = true)]
async fn one_commit_takes_no_more_than_it_should() {
    let mut house = plain_house().await;
    let (session, line) = online(&house.desk, &mut house.lines).await;
    let mut changes = house.storage.changes();
    let bunch = |bunch: u32| (0..100).map(|n| from("bob", &format!("{:04}", bunch * 100 + n))).collect();
    let mut acks = Vec::new();
    for number in 0..5 {
        let (signal, stored) = delivered(bunch(number));
        line.signals.try_send(signal).unwrap();
        acks.push(stored);
    }
    acks.pop().unwrap().await.unwrap();
    assert_eq!(commits(&mut changes), 2, "three hundred, and two hundred");

    let (signal, stored) = delivered((0..1200).map(|n| from("bob", &format!("b{n:04}"))).collect());
    line.signals.try_send(signal).unwrap();
    stored.await.unwrap();
    assert_eq!(commits(&mut changes), 3, "five hundred at a time");
    assert_eq!(house.desk.card(session).await.unwrap().unread, 1700);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_stored_is_not_acknowledged() {
    let mut house = plain_house().await;
    let (_session, line) = online(&house.desk, &mut house.lines).await;
    // The storage is gone from under the session.
    let _after = house.storage.reopen();
    let mut acks = Vec::new();
    for number in 0..3 {
        let (signal, stored) = delivered(vec![from("bob", &number.to_string())]);
        line.signals.try_send(signal).unwrap();
        acks.push(stored);
    }
    let (signal, stored) = piece(History { messages: vec![from("bob", "old")], ..History::default() });
    line.signals.try_send(signal).unwrap();
    acks.push(stored);
    for stored in acks {
        assert!(stored.await.is_err(), "dropped without a word");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_history_is_stored_piece_by_piece_and_acknowledged_at_the_end() {
    let mut house = plain_house().await;
    let (session, line) = online(&house.desk, &mut house.lines).await;
    let history = || History {
        messages: (0..1200).map(|n| from("bob", &format!("{n:04}"))).collect(),
        chats: vec![ChatUpdate {
            coverage: Some(Coverage { oldest: Timestamp::from_millis(1), complete: true }),
            ..ChatUpdate::new(address("bob"), ChatKind::Person)
        }],
        contacts: vec![ContactUpdate { saved_name: Some("Bob".to_owned()), ..ContactUpdate::new(address("bob")) }],
        progress: Some(40),
    };
    let mut changes = house.storage.changes();
    let (signal, stored) = piece(history());
    line.signals.send(signal).await.unwrap();
    stored.await.unwrap();
    assert_eq!(commits(&mut changes), 3);
    let chat = house.desk.chat(session, &address("bob")).await.unwrap();
    assert_eq!((chat.name.as_deref(), chat.unread), (Some("Bob"), 0), "nobody has to read it");
    assert!(chat.coverage.unwrap().complete);
    let all = events(&house, session).await;
    let received = |events: &[EventBody]| {
        let of = |body: &&EventBody| matches!(body, EventBody::HistoryReceived { .. });
        events.iter().filter(of).cloned().collect::<Vec<_>>()
    };
    assert_eq!(received(&all), [EventBody::HistoryReceived { messages: 1200, progress: Some(40) }]);
    assert!(matches!(all.last(), Some(EventBody::HistoryReceived { .. })), "when all of it is there");

    let (signal, stored) = piece(history());
    line.signals.send(signal).await.unwrap();
    stored.await.unwrap();
    let again = events(&house, session).await;
    assert_eq!(again.len(), all.len() + 1, "but for the news that it came, nothing happened twice");

    let (signal, stored) = piece(History { progress: Some(100), ..History::default() });
    line.signals.send(signal).await.unwrap();
    stored.await.unwrap();
    let last = events(&house, session).await.pop().unwrap();
    assert_eq!(last, EventBody::HistoryReceived { messages: 0, progress: Some(100) });
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_long_history() {
    let mut house = plain_house().await;
    let (session, line) = online(&house.desk, &mut house.lines).await;
    let history =
        History { messages: (0..50_000).map(|n| from("bob", &n.to_string())).collect(), ..History::default() };
    let (signal, stored) = piece(history);
    line.signals.send(signal).await.unwrap();
    let closed = tokio::spawn(async move {
        let mut line = line;
        line.commands.recv().await;
    });
    let card = house.desk.stop(session).await.unwrap();
    assert_eq!(card.status, CardStatus::Offline);
    closed.await.unwrap();
    // Whether all of it was stored depends on who was faster; it was acknowledged only if it was.
    let all = house.desk.messages(session, &address("bob"), Page::first(1)).await.unwrap();
    let complete = all.first().is_some_and(|newest| newest.seq == 50_000);
    assert_eq!(stored.await.is_ok(), complete);
}

#[tokio::test(start_paused = true)]
async fn amendments_are_kept_and_then_acknowledged() {
    let mut house = plain_house().await;
    let (session, line) = online(&house.desk, &mut house.lines).await;
    let (signal, stored) = delivered(vec![from("bob", "1")]);
    line.signals.send(signal).await.unwrap();
    stored.await.unwrap();
    let change = |name: &str, change| Amendment {
        chat: address("bob"),
        target: id("1"),
        id: id(name),
        sender: address("bob"),
        at: Timestamp::from_millis(1_700_000_001_000),
        change,
    };
    let amendments = vec![
        change("edit", AmendmentChange::Edit(Content::Text("what I meant".to_owned()))),
        change("thumb", AmendmentChange::React(Some("👍".to_owned()))),
    ];
    let (ack, kept) = Ack::new();
    line.signals.send(Signal::Amendments { amendments, ack }).await.unwrap();
    kept.await.unwrap();
    let found = house.desk.message(session, &address("bob"), &id("1")).await.unwrap().unwrap();
    assert_eq!(found.message.content, Content::Text("what I meant".to_owned()));
    assert_eq!(found.reactions[0].emoji, "👍");
    assert_eq!(found.message.status, MessageStatus::Delivered);
    let (ack, kept) = Ack::new();
    line.signals.send(Signal::Amendments { amendments: Vec::new(), ack }).await.unwrap();
    kept.await.unwrap();
}

/// The people who are new, and those who were counted before.
async fn leads(storage: &MemoryStorage) -> (u64, u64) {
    let (mut new, mut duplicate) = (0, 0);
    for total in storage.lead_totals(Timestamp::from_millis(0), Timestamp::from_millis(i64::MAX)).await.unwrap() {
        match total.entry.class {
            EntryClass::Lead { new_in } if new_in.contains(LeadWindow::Lifetime) => new += total.count,
            EntryClass::Lead { .. } => duplicate += total.count,
            other => panic!("{other:?}"),
        }
    }
    (new, duplicate)
}

const PHONE: &str = "8613800138000";

/// Somebody writes after the account has logged in.
async fn writes(line: &Line, person: &str, message: &str, phone: Option<&str>) {
    let mut written = from(person, message);
    written.at = SystemClock.now() + Duration::from_secs(60);
    written.phone = phone.map(str::to_owned);
    let (signal, stored) = delivered(vec![written]);
    line.signals.send(signal).await.unwrap();
    stored.await.unwrap();
}

/// What a phone number, or another address, says about `1@lid`.
fn learnt(way: u32) -> Signal {
    let phone = || Some(format!("+{PHONE}"));
    let (lid, pn) = (address("1@lid"), address("pn"));
    match way {
        0 => Signal::Contacts(vec![ContactUpdate { phone: phone(), ..ContactUpdate::new(lid) }]),
        1 => Signal::Chats(vec![ChatUpdate { phone: phone(), ..ChatUpdate::new(lid, ChatKind::Person) }]),
        2 => Signal::Identities(vec![SamePerson { address: lid.clone(), canonical: lid, phone: phone() }]),
        // Without the number: it is known from before, of the one or of the other.
        3 => Signal::Identities(vec![SamePerson { address: lid, canonical: pn, phone: None }]),
        _ => Signal::Identities(vec![SamePerson { address: pn, canonical: lid, phone: None }]),
    }
}

#[tokio::test(start_paused = true)]
async fn a_phone_number_that_is_learnt_later_makes_two_people_one() {
    for way in 0..5 {
        let mut house = plain_house().await;
        let (_session, line) = online(&house.desk, &mut house.lines).await;
        let (other, other_line) = online(&house.desk, &mut house.lines).await;
        writes(&line, "1@lid", "a", None).await;
        writes(&other_line, "pn", "b", Some(PHONE)).await;
        assert_eq!(leads(&house.storage).await, (2, 0));
        // Even a session to which that person never wrote may learn it.
        other_line.signals.send(learnt(way)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(leads(&house.storage).await, (1, 1), "way {way}");
        let known = house.desk.contact(other, &address("pn")).await.unwrap();
        assert_eq!(known.phone.as_deref(), Some(PHONE), "a message told it");
        let canonical = if way == 4 { "1@lid" } else { "pn" };
        assert_eq!(known.address, address(canonical));
    }
}

#[tokio::test(start_paused = true)]
async fn groups_bring_no_leads() {
    let mut house = plain_house().await;
    let (session, line) = online(&house.desk, &mut house.lines).await;
    let mut written = from("friends", "1");
    (written.kind, written.sender, written.phone) = (ChatKind::Group, address("bob"), Some(PHONE.to_owned()));
    written.at = SystemClock.now() + Duration::from_secs(60);
    let (signal, stored) = delivered(vec![written]);
    line.signals.send(signal).await.unwrap();
    stored.await.unwrap();
    let mut group = ChatUpdate::new(address("friends"), ChatKind::Group);
    group.phone = Some(PHONE.to_owned());
    line.signals.send(Signal::Chats(vec![group])).await.unwrap();
    line.signals.send(Signal::Alive).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(leads(&house.storage).await, (0, 0));
    assert_eq!(house.desk.chat(session, &address("friends")).await.unwrap().kind, ChatKind::Group);
}

#[tokio::test(start_paused = true)]
async fn people_are_known_again_after_a_restart_and_once_there_is_a_vault_key() {
    let key = || VaultKey::new([7; 32]);
    let mut before = plain_house().await;
    let (_session, line) = online(&before.desk, &mut before.lines).await;
    writes(&line, "bob", "1", Some(PHONE)).await;
    let in_the_clear = before.storage.ledger_key().await.unwrap().unwrap();
    // A second node on the same storage finds the key that is there.
    let _second = house(before.storage.clone(), |builder| builder).await;
    assert_eq!(before.storage.ledger_key().await.unwrap().unwrap(), in_the_clear);
    let storage = before.storage.reopen();
    drop((before, line));

    let after = house(storage.clone(), |builder| builder.vault_key(key())).await;
    let sealed = storage.ledger_key().await.unwrap().unwrap();
    assert_ne!(sealed, in_the_clear);
    assert!(!sealed.windows(8).any(|part| in_the_clear.windows(8).any(|clear| part == clear)), "it is sealed now");
    let mut lines = after.lines;
    let other = after.desk.add_account(NewAccount::on("scripted")).await.unwrap();
    // The session that ran before is taken up again, too.
    drop(lines.recv().await.unwrap());
    after.desk.start(other, WhenFull::Fail).await.unwrap();
    let line = loop {
        let line = lines.recv().await.unwrap();
        if line.context.session == other {
            break line;
        }
    };
    line.signals.send(Signal::Ready { account: crate::scripted::account("b") }).await.unwrap();
    after.desk.watch(other).await.unwrap().until(|view| view.card.status == CardStatus::Online).await.unwrap();
    writes(&line, "bob", "2", Some(PHONE)).await;
    assert_eq!(leads(&storage).await, (1, 1), "the same person, at another session");
}

#[tokio::test(start_paused = true)]
async fn the_first_login_decides_who_was_there_before() {
    let mut house = plain_house().await;
    let session = house.desk.add_and_start(NewAccount::on("scripted"), WhenFull::Fail).await.unwrap();
    let line = ready(&house.desk, session, &mut house.lines).await;
    let (signal, stored) = piece(History { messages: vec![from("bob", "long ago")], ..History::default() });
    line.signals.send(signal).await.unwrap();
    stored.await.unwrap();
    writes(&line, "bob", "again", None).await;
    writes(&line, "ada", "hello", None).await;
    assert_eq!(leads(&house.storage).await, (1, 0), "Ada is new, Bob is not");
}

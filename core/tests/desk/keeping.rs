//! What is kept of a session: finding it, carrying it off, deleting it; and the trail of who did so.

use std::collections::BTreeSet;

use crate::permissions::{House, house, li};
use seatport::conversation::{ContactUpdate, Content, Direction, Message, MessageStatus, SearchQuery};
use seatport::memory::MemoryStorage;
use seatport::storage::{Expect, Identity, Incoming, SessionCommit, SessionStore};
use seatport::{
    Action, Address, AgentScope, AuditFault, AuditHead, AuditLine, Error, ExportEnd, ExportLine, MessageId, NewAccount,
    Outcome, SessionId, Timestamp, WhenFull,
};

fn address(text: &str) -> Address {
    Address::new(text).unwrap()
}

fn written(chat: &str, number: i64) -> Incoming {
    Incoming::new(Message {
        chat: address(chat),
        id: MessageId::new(format!("{chat} {number}")).unwrap(),
        direction: Direction::Inbound,
        sender: address(chat),
        author: None,
        content: Content::Text(format!("hello {number}")),
        at: Timestamp::from_millis(1_700_000_000_000 + number),
        status: MessageStatus::Delivered,
        quoted: None,
    })
}

async fn store(storage: &MemoryStorage, session: SessionId, messages: Vec<Incoming>) {
    let at = Timestamp::from_millis(1_700_000_000_000);
    let mut commit = SessionCommit::new(session, at, Expect::Present);
    commit.messages = messages;
    storage.commit(commit).await.unwrap();
}

async fn exported(house: &House, session: SessionId) -> Vec<ExportLine> {
    let (mut export, mut lines) = (house.li.export_session(session).await.unwrap(), Vec::new());
    while let Some(line) = export.next().await.unwrap() {
        assert!(!line.contains('\n'));
        lines.push(serde_json::from_str(&line).unwrap());
    }
    assert_eq!(export.next().await.unwrap(), None, "after the end nothing comes");
    lines
}

#[tokio::test(start_paused = true)]
async fn what_is_searched_for_is_found_in_the_sessions_that_the_agent_sees() {
    for (scope, seen) in [(AgentScope::All, 2), (AgentScope::BoundOnly, 1)] {
        let house = house(scope).await;
        let mine = house.mei.add_account(NewAccount::on("scripted").bind(li())).await.unwrap();
        for session in [house.session, mine] {
            store(&house.storage, session, vec![written("bob", 1)]).await;
        }
        let (hello, bob) = (SearchQuery::new("HELLO 1"), SearchQuery::new("bob"));
        assert_eq!(house.mei.search_messages(&hello, None, 10).await.unwrap().len(), 2);
        let found = house.li.search_messages(&hello, None, 10).await.unwrap();
        assert_eq!((found.len(), found[0].session), (seen, mine));
        assert_eq!(house.li.search_contacts(&bob, None, 10).await.unwrap().len(), seen);
        let rest = house.li.search_messages(&hello, Some((mine, found[0].message.seq)), 10).await.unwrap();
        assert_eq!(rest.len(), seen - 1);

        // Narrowed by the caller: to what others are bound to, or to one session.
        let of_mei = SearchQuery { bound_to: Some("mei".parse().unwrap()), ..hello.clone() };
        assert!(house.li.search_messages(&of_mei, None, 10).await.unwrap().is_empty());
        let of_li = SearchQuery { bound_to: Some(li()), ..hello.clone() };
        assert_eq!(house.li.search_messages(&of_li, None, 10).await.unwrap().len(), 1);
        let here = SearchQuery { session: Some(mine), ..hello.clone() };
        assert_eq!(house.li.search_messages(&here, None, 10).await.unwrap().len(), 1);

        house.mei.assign(mine, None).await.unwrap();
        let left = house.li.search_messages(&hello, None, 10).await.unwrap().len();
        assert_eq!(left, if scope == AgentScope::All { 2 } else { 0 });
    }
}

#[tokio::test(start_paused = true)]
async fn a_search_needs_a_word_and_takes_256_bytes() {
    let house = house(AgentScope::All).await;
    let search = async |text: &str| house.li.search_messages(&SearchQuery::new(text), None, 10).await.map(drop);
    let said = async |text: &str| search(text).await.unwrap_err().to_string();
    assert_eq!(said("").await, "invalid search: empty; give it at least one character");
    assert_eq!(said(" \t\n").await, "invalid search: nothing but white space; give it at least one word");
    assert_eq!(said(&"x".repeat(257)).await, "invalid search: 257 bytes long; keep it within 256 bytes");
    search(&"x".repeat(256)).await.unwrap();
    assert!(said("a\0b").await.contains("U+0000"));
    assert!(house.li.search_contacts(&SearchQuery::new(""), None, 10).await.is_err());
    assert!(house.li.search_contacts(&SearchQuery::new("bob"), None, 0).await.is_err());
    let ghost = SearchQuery { session: Some(SessionId::from_bytes([9; 16])), ..SearchQuery::new("bob") };
    assert!(matches!(house.li.search_contacts(&ghost, None, 10).await, Err(Error::UnknownSession(_))));
}

#[tokio::test(start_paused = true)]
async fn a_contact_is_found_by_its_address() {
    let house = house(AgentScope::All).await;
    store(&house.storage, house.session, vec![written("bob", 1)]).await;
    assert_eq!(house.li.contact(house.session, &address("bob")).await.unwrap().address, address("bob"));
    let unknown = house.li.contact(house.session, &address("cid")).await;
    assert!(matches!(unknown, Err(Error::UnknownContact(unknown)) if unknown == address("cid")));
}

#[tokio::test(start_paused = true)]
async fn an_export_holds_everything_in_its_order_and_says_that_it_is_whole() {
    let house = house(AgentScope::All).await;
    // More than one page, and one that came late.
    let mut messages: Vec<_> = (2..1200).map(|number| written("bob", number)).collect();
    messages.extend([written("bob", 1), written("cid", 3000)]);
    store(&house.storage, house.session, messages).await;
    let mut commit = SessionCommit::new(house.session, Timestamp::from_millis(0), Expect::Present);
    commit.contacts.push(ContactUpdate { phone: Some("491700000000".into()), ..ContactUpdate::new(address("dan")) });
    house.storage.commit(commit).await.unwrap();

    let lines = exported(&house, house.session).await;
    let Some(ExportLine::Header(header)) = lines.first() else { panic!("{:?}", lines.first()) };
    assert_eq!((header.format.as_str(), header.version), ("seatport-session", 1));
    assert_eq!(header.card, house.li.card(house.session).await.unwrap());
    assert_eq!(lines.last(), Some(&ExportLine::End(ExportEnd { contacts: 3, chats: 2, messages: 1200 - 1 + 1 })));

    let (mut contacts, mut chats, mut said) = (Vec::new(), Vec::new(), Vec::new());
    for line in &lines {
        match line {
            ExportLine::Contact(contact) => contacts.push(contact.address.as_str()),
            ExportLine::Chat(chat) => chats.push((chat.address.as_str(), said.len(), chat.last.is_some())),
            ExportLine::Message(stored) => {
                let message = &stored.message;
                assert_eq!(message.chat.as_str(), chats.last().unwrap().0, "a message follows its chat");
                said.push(message.at.as_millis() - 1_700_000_000_000);
            }
            _ => {}
        }
    }
    assert_eq!(contacts, ["bob", "cid", "dan"]);
    assert_eq!(chats, [("bob", 0, false), ("cid", 1199, false)]);
    assert!(said.iter().copied().eq((1..1200).chain([3000])), "oldest first, each once");
    let lines = house.mei.audit(0, 1000).await.unwrap();
    let exports: Vec<_> = lines.iter().filter(|line| line.entry.action == Action::Export).collect();
    assert_eq!(exports.len(), 1, "it is on record once");
    assert_eq!((&exports[0].entry.agent, exports[0].entry.outcome), (&li(), Outcome::Done));
}

#[tokio::test(start_paused = true)]
async fn a_chat_that_gets_a_message_while_it_is_exported_is_not_passed_over() {
    let house = house(AgentScope::All).await;
    for number in 0..1500 {
        store(&house.storage, house.session, vec![written(&format!("{number:04}"), number)]).await;
    }
    let mut export = house.li.export_session(house.session).await.unwrap();
    let (mut chats, mut count) = (Vec::new(), 0);
    while let Some(line) = export.next().await.unwrap() {
        if let ExportLine::Chat(chat) = serde_json::from_str(&line).unwrap() {
            chats.push(chat.address.as_str().to_owned());
            // One that was written already, and one that is still to come, move to the front of the list.
            if count < 700 {
                let (behind, ahead) = (count / 2, 1499 - count / 2);
                for chat in [behind, ahead] {
                    store(&house.storage, house.session, vec![written(&format!("{chat:04}"), 9000 + count)]).await;
                }
                count += 1;
            }
        }
    }
    chats.sort();
    assert!(chats.iter().cloned().eq((0..1500).map(|number| format!("{number:04}"))), "each chat once");
}

#[tokio::test(start_paused = true)]
async fn an_export_loses_no_message_of_a_chat_that_becomes_one_with_another_meanwhile() {
    let house = house(AgentScope::All).await;
    let both = |chat: &str, number| {
        let mut message = written(chat, number);
        message.message.id = MessageId::new(format!("both {number}")).unwrap();
        message
    };
    // The last message of the first page is known at the other address already: it is the one that will not stay.
    store(&house.storage, house.session, vec![both("rob", 499)]).await;
    store(&house.storage, house.session, (0..1200).map(|number| both("bob", number)).collect()).await;
    let mut export = house.li.export_session(house.session).await.unwrap();
    let (mut ids, mut merged) = (BTreeSet::new(), false);
    while let Some(line) = export.next().await.unwrap() {
        let ExportLine::Message(stored) = serde_json::from_str(&line).unwrap() else { continue };
        ids.insert(stored.message.id.clone());
        if stored.message.chat == address("bob") && !merged {
            merged = true;
            let (address, canonical) = (address("bob"), address("rob"));
            let mut commit = SessionCommit::new(house.session, Timestamp::from_millis(0), Expect::Present);
            commit.identities.push(Identity { address, canonical, persons: None });
            house.storage.commit(commit).await.unwrap();
        }
    }
    assert!(merged);
    assert_eq!(ids.len(), 1200);
}

#[tokio::test(start_paused = true)]
async fn an_export_ends_when_the_session_or_the_permission_does() {
    let house = house(AgentScope::BoundOnly).await;
    let mine = house.mei.add_account(NewAccount::on("scripted").bind(li())).await.unwrap();
    store(&house.storage, mine, vec![written("bob", 1)]).await;
    let mut export = house.li.export_session(mine).await.unwrap();
    export.next().await.unwrap().unwrap();
    house.mei.assign(mine, None).await.unwrap();
    assert!(matches!(export.next().await, Err(Error::Denied { action: Action::Export, .. })));
    house.mei.assign(mine, Some(&li())).await.unwrap();
    assert!(export.next().await.unwrap().unwrap().starts_with("{\"contact\":"), "and goes on where it was");
    house.mei.delete(mine).await.unwrap();
    assert!(matches!(export.next().await, Err(Error::UnknownSession(_))));
    assert!(matches!(house.li.export_session(mine).await, Err(Error::UnknownSession(_))));
}

#[tokio::test(start_paused = true)]
async fn the_format_of_an_export_is_the_one_it_has_always_been() {
    let house = house(AgentScope::All).await;
    store(&house.storage, house.session, vec![written("bob", 1)]).await;
    let (mut export, mut lines) = (house.li.export_session(house.session).await.unwrap(), Vec::new());
    while let Some(line) = export.next().await.unwrap() {
        lines.push(line);
    }
    assert!(
        lines[0].starts_with(r#"{"header":{"format":"seatport-session","version":1,"exported_at":"#),
        "{}",
        lines[0]
    );
    let expected = [
        r#"{"contact":{"address":"bob","phone":null,"name":null,"saved_name":null,"avatar":null,"first_seen":1700000000001,"last_seen":1700000000001}}"#,
        r#"{"chat":{"address":"bob","kind":"Person","name":null,"unread":1,"archived":false,"muted_until":null,"coverage":null,"last":null}}"#,
        r#"{"message":{"seq":1,"message":{"chat":"bob","id":"bob 1","direction":"Inbound","sender":"bob","author":null,"content":{"Text":"hello 1"},"at":1700000000001,"status":"Delivered","quoted":null},"edited_at":null,"reactions":[],"failure":null}}"#,
        r#"{"end":{"contacts":1,"chats":1,"messages":1}}"#,
    ];
    assert_eq!(lines[1..], expected);
}

#[tokio::test(start_paused = true)]
async fn a_session_is_erased_like_it_is_deleted_and_on_record_as_such() {
    let house = house(AgentScope::All).await;
    house.li.start(house.session, WhenFull::Fail).await.unwrap();
    assert!(matches!(house.li.erase(house.session).await, Err(Error::IllegalTransition(_))));
    house.li.stop(house.session).await.unwrap();
    house.li.erase(house.session).await.unwrap();
    assert!(matches!(house.li.card(house.session).await, Err(Error::UnknownSession(_))));
    let lines = house.mei.audit(0, 1000).await.unwrap();
    let erased = lines.iter().filter(|line| line.entry.action == Action::Erase);
    assert_eq!(erased.map(|line| line.entry.outcome).collect::<Vec<_>>(), [Outcome::Illegal, Outcome::Done]);
}

#[tokio::test(start_paused = true)]
async fn a_whole_trail_is_proved_whole_and_another_one_is_not_taken_for_it() {
    let house = house(AgentScope::All).await;
    let first = house.mei.verify_audit(None).await.unwrap();
    for number in 0..2100 {
        house.mei.set_remark(house.session, number.to_string()).await.unwrap();
    }
    let head = house.mei.verify_audit(Some(&first)).await.unwrap();
    assert_eq!(head.lines, first.lines + 2100);
    assert_eq!(house.mei.verify_audit(Some(&head)).await.unwrap(), head);
    let last: Vec<AuditLine> = house.mei.audit(head.lines - 1, 10).await.unwrap();
    assert_eq!((last[0].number, last[0].hash), (head.lines, head.hash));

    // Of another trail, that was as long, or longer.
    let other = AuditHead { hash: first.hash, ..head };
    let rewritten = house.mei.verify_audit(Some(&other)).await;
    assert!(
        matches!(rewritten, Err(Error::AuditBroken { number, fault: AuditFault::Rewritten }) if number == head.lines)
    );
    let longer = AuditHead { lines: head.lines + 5, ..head };
    let shortened = house.mei.verify_audit(Some(&longer)).await;
    assert!(
        matches!(shortened, Err(Error::AuditBroken { number, fault: AuditFault::Missing }) if number == head.lines + 1)
    );
    assert!(matches!(house.li.verify_audit(None).await, Err(Error::Denied { action: Action::ReadAudit, .. })));
}

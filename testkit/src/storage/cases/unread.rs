//! Unread counters: a pure function of what is stored, however it came there.

use std::collections::BTreeMap;

use seatport::conversation::{Direction, StoredMessage};
use seatport::storage::{MessagePage, SessionCommit, Storage};
use seatport::{EventBody, Random};

use crate::storage::Backend;
use crate::storage::sample::{add, address, id, inbound, outbound, reading, storing};

/// The counters, which have to agree: on the row, and the chats' by address.
async fn unread(storage: &dyn Storage, session: u64) -> BTreeMap<String, u64> {
    let chats = storage.chats(id(session), None, 100).await.unwrap();
    let row = storage.session(id(session)).await.unwrap().expect("the session is there");
    assert_eq!(row.unread, chats.iter().map(|chat| chat.unread).sum::<u64>(), "the row's is the sum of the chats'");
    chats.into_iter().map(|chat| (chat.address.as_str().to_owned(), chat.unread)).collect()
}

async fn unread_of(storage: &dyn Storage, chat: &str) -> u64 {
    unread(storage, 1).await.get(chat).copied().expect("the chat is there")
}

/// Lands a commit; the events it added.
async fn events_of(storage: &dyn Storage, commit: SessionCommit) -> Vec<EventBody> {
    let before = storage.session(commit.session).await.unwrap().expect("the session is there").last_event;
    let session = commit.session;
    storage.commit(commit).await.unwrap();
    storage.events(session, before, 100).await.unwrap().into_iter().map(|event| event.body).collect()
}

pub(crate) async fn inbound_messages_count_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    let messages = [inbound("ann@net", "a", 1), inbound("ann@net", "b", 2), inbound("bob@net", "c", 3)];
    assert_eq!(storage.commit(storing(1, messages.clone())).await.unwrap().unread, 3);
    assert_eq!(storage.commit(storing(1, messages)).await.unwrap().unread, 3, "the same once more");
    assert_eq!(storage.commit(storing(1, [outbound("ann@net", "d", 4)])).await.unwrap().unread, 3, "our own");
    assert_eq!(unread(&*storage, 1).await, BTreeMap::from([("ann@net".into(), 2), ("bob@net".into(), 1)]));
    assert_eq!(unread(&*storage, 2).await, BTreeMap::new());
}

pub(crate) async fn marking_all_read_resets_one_chat(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let messages = [inbound("ann@net", "a", 9), inbound("bob@net", "b", 2), inbound("ann@net", "c", 1)];
    storage.commit(storing(1, messages)).await.unwrap();
    let read = EventBody::ChatRead { chat: address("ann@net") };
    assert_eq!(events_of(&*storage, reading(1, "ann@net", None)).await, [read]);
    assert_eq!(unread(&*storage, 1).await, BTreeMap::from([("ann@net".into(), 0), ("bob@net".into(), 1)]));
    assert_eq!(events_of(&*storage, reading(1, "ann@net", None)).await, [], "it did not move");

    assert_eq!(storage.commit(storing(1, [inbound("ann@net", "d", 10)])).await.unwrap().unread, 2, "and counts on");
}

pub(crate) async fn a_mark_reads_up_to_its_message(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let messages = ["a", "b", "c", "d"].map(|name| inbound("ann@net", name, 1));
    storage.commit(storing(1, messages)).await.unwrap();
    storage.commit(reading(1, "ann@net", Some("b"))).await.unwrap();
    assert_eq!(unread_of(&*storage, "ann@net").await, 2);

    // A message of the same commit, stored first, can be read up to.
    let mut at_once = reading(1, "ann@net", Some("e"));
    at_once.messages = vec![inbound("ann@net", "e", 1), inbound("ann@net", "f", 1)];
    assert_eq!(storage.commit(at_once).await.unwrap().unread, 1);
    assert_eq!(unread_of(&*storage, "ann@net").await, 1);
}

pub(crate) async fn a_mark_never_goes_back(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, ["a", "b", "c"].map(|name| inbound("ann@net", name, 1)))).await.unwrap();
    storage.commit(reading(1, "ann@net", Some("b"))).await.unwrap();
    for older in ["a", "b"] {
        assert_eq!(events_of(&*storage, reading(1, "ann@net", Some(older))).await, [], "marked up to {older}");
        assert_eq!(unread_of(&*storage, "ann@net").await, 1);
    }
    assert_eq!(events_of(&*storage, reading(1, "ann@net", Some("c"))).await.len(), 1);
    assert_eq!(unread_of(&*storage, "ann@net").await, 0);
}

pub(crate) async fn a_late_message_counts(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [inbound("ann@net", "a", 50)])).await.unwrap();
    storage.commit(reading(1, "ann@net", None)).await.unwrap();
    // Older than what was read, but nobody has seen it.
    storage.commit(storing(1, [inbound("ann@net", "late", 10)])).await.unwrap();
    assert_eq!(unread_of(&*storage, "ann@net").await, 1);
    assert_eq!(events_of(&*storage, reading(1, "ann@net", Some("a"))).await, [], "stored before the late one");
    assert_eq!(unread_of(&*storage, "ann@net").await, 1);
    storage.commit(reading(1, "ann@net", Some("late"))).await.unwrap();
    assert_eq!(unread_of(&*storage, "ann@net").await, 0);
}

pub(crate) async fn unknown_marks_are_passed_over(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [inbound("ann@net", "a", 1), inbound("bob@net", "b", 1)])).await.unwrap();
    for (chat, up_to) in [("ann@net", Some("b")), ("ann@net", Some("z")), ("cid@net", None), ("cid@net", Some("a"))] {
        assert_eq!(events_of(&*storage, reading(1, chat, up_to)).await, [], "{chat} up to {up_to:?}");
    }
    assert_eq!(unread(&*storage, 1).await, BTreeMap::from([("ann@net".into(), 1), ("bob@net".into(), 1)]));
}

/// Random messages, duplicates and marks: after each commit the counters equal a recount of the messages.
pub(crate) async fn the_counters_equal_a_recount(backend: &mut dyn Backend) {
    const CHATS: [&str; 3] = ["ann@net", "bob@net", "cid@net"];
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let random = Random::seeded(1);
    let mut read_up_to = BTreeMap::from(CHATS.map(|chat| (chat, 0)));
    for second in 0..150 {
        let chat = CHATS[usize::try_from(random.below(3)).expect("a small number")];
        let name = format!("m{}", random.below(60));
        let commit = match random.below(8) {
            0 => reading(1, chat, None),
            1 | 2 => reading(1, chat, Some(&name)),
            3 | 4 => storing(1, [outbound(chat, &name, second)]),
            _ => storing(1, [inbound(chat, &name, -second), inbound(chat, &format!("{name}x"), second)]),
        };
        if let Some(mark) = commit.read.first() {
            let messages = storage.messages(id(1), &mark.chat, MessagePage::newest(1000)).await.unwrap();
            let places = messages.iter().filter(|m| mark.up_to.as_ref().is_none_or(|id| *id == m.message.id));
            let place = places.map(|message| message.seq).max().unwrap_or(0);
            read_up_to.entry(chat).and_modify(|mark| *mark = place.max(*mark));
        }
        let committed = storage.commit(commit).await.unwrap();

        let mut recount = BTreeMap::new();
        for (chat, mark) in &read_up_to {
            let messages = storage.messages(id(1), &address(chat), MessagePage::newest(1000)).await.unwrap();
            let is_unread = |m: &&StoredMessage| m.message.direction == Direction::Inbound && m.seq > *mark;
            if !messages.is_empty() {
                recount.insert((*chat).to_owned(), messages.iter().filter(is_unread).count() as u64);
            }
        }
        assert_eq!(unread(&*storage, 1).await, recount, "after step {second}");
        assert_eq!(committed.unread, recount.values().sum::<u64>(), "after step {second}");
    }
}

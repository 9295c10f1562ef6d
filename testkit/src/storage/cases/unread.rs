//! Unread counters: a pure function of what is stored, however it came there.

use std::collections::BTreeMap;

use seatport::conversation::{Direction, StoredMessage};
use seatport::storage::{ReadMark, SessionCommit, Storage};
use seatport::{EventBody, Page, Random};

use crate::storage::Backend;
use crate::storage::sample::{
    add, address, amending, commit, deletion, edit, events_of, id, inbound, mark, message_id, outbound, reading,
    storing,
};

/// The counters, which have to agree: on the row, and the chats' by address.
async fn unread(storage: &dyn Storage, session: u64) -> BTreeMap<String, u64> {
    let chats = storage.chats(id(session), Page::first(100)).await.unwrap();
    let row = storage.session(id(session)).await.unwrap().expect("the session is there");
    assert_eq!(row.unread, chats.iter().map(|chat| chat.unread).sum::<u64>(), "the row's is the sum of the chats'");
    chats.into_iter().map(|chat| (chat.address.as_str().to_owned(), chat.unread)).collect()
}

async fn unread_of(storage: &dyn Storage, chat: &str) -> u64 {
    unread(storage, 1).await.get(chat).copied().expect("the chat is there")
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
    assert_eq!(events_of(&*storage, reading(1, "ann@net", None)).await, [], "all was read");

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

pub(crate) async fn what_was_read_here_waits_to_be_told(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    let messages = [
        inbound("bob@net", "a", 9),
        inbound("ann@net", "b", 5),
        outbound("ann@net", "ours", 6),
        inbound("ann@net", "c", 1),
        inbound("ann@net", "d", 7),
    ];
    storage.commit(storing(1, messages)).await.unwrap();
    let untold = async |limit| {
        let untold = storage.untold_reads(id(1), limit).await.unwrap();
        untold.into_iter().map(|stored| stored.message.id.as_str().to_owned()).collect::<Vec<_>>()
    };
    let here = |chat, up_to| SessionCommit { read: vec![ReadMark { tell: true, ..mark(chat, up_to) }], ..commit(1) };
    assert_eq!(untold(9).await, [""; 0]);
    storage.commit(here("ann@net", Some("c"))).await.unwrap();
    assert_eq!(untold(9).await, ["b", "c"]);
    storage.commit(here("bob@net", None)).await.unwrap();
    assert_eq!(untold(9).await, ["a", "b", "c"], "in the order of their places");
    assert_eq!(untold(2).await, ["a", "b"]);
    assert_eq!(untold(0).await, [""; 0]);
    assert_eq!(storage.untold_reads(id(2), 9).await.unwrap(), [], "another session's");

    let told = ["b", "d", "unknown"].map(|name| (address("ann@net"), message_id(name))).to_vec();
    assert_eq!(events_of(&*storage, SessionCommit { told, ..commit(1) }).await, []);
    assert_eq!(untold(9).await, ["a", "c"]);
    assert_eq!(unread_of(&*storage, "ann@net").await, 1, "to be told is not to be read");
    assert_eq!(events_of(&*storage, here("ann@net", Some("c"))).await, [], "read already: nothing to tell anew");
    assert_eq!(untold(9).await, ["a", "c"]);
    drop(storage);
    let storage = backend.open().await;
    assert_eq!(storage.untold_reads(id(1), 9).await.unwrap().len(), 2, "also after a restart");
}

pub(crate) async fn what_was_read_elsewhere_need_not_be_told(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, ["a", "b"].map(|name| inbound("ann@net", name, 1)))).await.unwrap();
    storage.commit(reading(1, "ann@net", Some("a"))).await.unwrap();
    assert_eq!(storage.untold_reads(id(1), 9).await.unwrap(), []);
    let here = ReadMark { tell: true, ..mark("ann@net", None) };
    storage.commit(SessionCommit { read: vec![here], ..commit(1) }).await.unwrap();
    let untold = storage.untold_reads(id(1), 9).await.unwrap();
    assert_eq!(untold.iter().map(|stored| stored.message.id.as_str()).collect::<Vec<_>>(), ["b"]);
}

pub(crate) async fn amendments_change_no_counter(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, ["a", "b"].map(|name| inbound("ann@net", name, 1)))).await.unwrap();
    storage.commit(reading(1, "ann@net", Some("a"))).await.unwrap();
    let amendments = ["a", "b"].map(|name| edit("ann@net", name, "e", 2, "something else"));
    assert_eq!(storage.commit(amending(1, amendments)).await.unwrap().unread, 1);
    let amendments = ["a", "b"].map(|name| deletion("ann@net", name, "d", 3));
    assert_eq!(storage.commit(amending(1, amendments)).await.unwrap().unread, 1);
    assert_eq!(unread_of(&*storage, "ann@net").await, 1, "nobody has seen that it was taken back");
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
            let messages = storage.messages(id(1), &mark.chat, Page::first(1000)).await.unwrap();
            let places = messages.iter().filter(|m| mark.up_to.as_ref().is_none_or(|id| *id == m.message.id));
            let place = places.map(|message| message.seq).max().unwrap_or(0);
            read_up_to.entry(chat).and_modify(|mark| *mark = place.max(*mark));
        }
        let committed = storage.commit(commit).await.unwrap();

        let mut recount = BTreeMap::new();
        for (chat, mark) in &read_up_to {
            let messages = storage.messages(id(1), &address(chat), Page::first(1000)).await.unwrap();
            let is_unread = |m: &&StoredMessage| m.message.direction == Direction::Inbound && m.seq > *mark;
            if !messages.is_empty() {
                recount.insert((*chat).to_owned(), messages.iter().filter(is_unread).count() as u64);
            }
        }
        assert_eq!(unread(&*storage, 1).await, recount, "after step {second}");
        assert_eq!(committed.unread, recount.values().sum::<u64>(), "after step {second}");
    }
}

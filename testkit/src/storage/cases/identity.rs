//! Two addresses turn out to be one person's: what was stored under either is one from then on.

use seatport::conversation::{ChatKind, ChatUpdate, Contact, ContactUpdate, Content, MessageStatus, SearchQuery};
use seatport::storage::{ChatNews, ReadMark, SessionCommit, Storage};
use seatport::{EventBody, Page};

use crate::storage::Backend;
use crate::storage::sample::{
    add, address, amending, at, commit, deletion, edit, events_of, id, identifying, identity, ids, inbound, mark,
    message, message_id, named, outbound, reaction, reading, saying, sent_by, storing, update,
};
use crate::storage::snapshot::Snapshot;

fn merged(from: &str, to: &str) -> EventBody {
    EventBody::IdentityMerged { address: address(from), canonical: address(to) }
}

/// The addresses of the chats and their unread counts, and that they add up to the session's.
async fn chats(storage: &dyn Storage) -> Vec<(String, u64)> {
    let chats = storage.chats(id(1), Page::first(99)).await.unwrap();
    let row = storage.session(id(1)).await.unwrap().expect("the session is there");
    assert_eq!(row.unread, chats.iter().map(|chat| chat.unread).sum::<u64>());
    chats.into_iter().map(|chat| (chat.address.as_str().to_owned(), chat.unread)).collect()
}

async fn merge(storage: &dyn Storage, from: &str, to: &str) -> Vec<EventBody> {
    events_of(storage, identifying(1, [identity(from, to)])).await
}

pub(crate) async fn a_chat_moves_as_a_whole(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [named(inbound("old@net", "a", 1), "Ann"), outbound("old@net", "b", 2)])).await.unwrap();
    storage.commit(storing(1, [inbound("bob@net", "c", 3)])).await.unwrap();
    let muted = ChatUpdate { muted_until: Some(Some(at(99))), ..ChatUpdate::new(address("old@net"), ChatKind::Person) };
    storage.commit(SessionCommit { chats: vec![ChatNews { update: muted, person: None }], ..commit(1) }).await.unwrap();
    storage.commit(amending(1, [reaction("old@net", "b", "r", 9, Some("👍"))])).await.unwrap();
    let mut chat = storage.chat(id(1), &address("old@net")).await.unwrap().expect("the chat is there");
    let mut contact = storage.contact(id(1), &address("old@net")).await.unwrap().expect("the contact is there");

    assert_eq!(merge(&*storage, "old@net", "new@net").await, [merged("old@net", "new@net")]);
    assert_eq!(chats(&*storage).await, [("bob@net".into(), 1), ("new@net".into(), 1)]);
    assert_eq!(ids(&*storage, 1, "new@net").await, ["b", "a"]);
    let stored = message(&*storage, 1, "new@net", "a").await;
    assert_eq!((stored.seq, stored.message.chat, stored.message.sender), (1, address("new@net"), address("new@net")));
    let stored = message(&*storage, 1, "new@net", "b").await;
    assert_eq!((stored.seq, stored.message.sender.as_str()), (2, "me@net"));
    assert_eq!(stored.reactions.len(), 1);
    chat.address = address("new@net");
    chat.last = Some(stored);
    assert_eq!(storage.chat(id(1), &address("new@net")).await.unwrap(), Some(chat));
    contact.address = address("new@net");
    let contacts = storage.contacts(id(1), Page::first(9)).await.unwrap();
    assert_eq!(contacts.last(), Some(&contact));
    assert_eq!(contacts.len(), 2);
}

pub(crate) async fn two_chats_become_one(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let messages = [
        inbound("old@net", "a", 1),
        saying(inbound("new@net", "twice", 2), "stored first"),
        saying(inbound("old@net", "twice", 3), "stored second"),
        inbound("new@net", "b", 4),
        saying(inbound("old@net", "other", 5), "stored first"),
        saying(inbound("new@net", "other", 6), "stored second"),
    ];
    storage.commit(storing(1, messages)).await.unwrap();
    storage.commit(reading(1, "old@net", Some("a"))).await.unwrap();
    assert_eq!(merge(&*storage, "old@net", "new@net").await, [merged("old@net", "new@net")]);

    assert_eq!(ids(&*storage, 1, "new@net").await, ["other", "b", "twice", "a"]);
    for (name, place) in [("twice", 2), ("other", 5)] {
        let stored = message(&*storage, 1, "new@net", name).await;
        assert_eq!((stored.seq, stored.message.content), (place, Content::Text("stored first".into())));
    }
    assert_eq!(chats(&*storage).await, [("new@net".into(), 3)], "what is unread stays so");
    assert_eq!(storage.messages(id(1), &address("new@net"), Page::after(3, 9)).await.unwrap(), [], "a place given up");

    // No place is given twice, although the last one is empty now.
    storage.commit(storing(1, [inbound("new@net", "next", 9)])).await.unwrap();
    assert_eq!(message(&*storage, 1, "new@net", "next").await.seq, 7);
}

pub(crate) async fn what_either_could_decrypt_is_kept(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let unreadable = |chat: &str, name: &str| {
        let mut incoming = inbound(chat, name, 1);
        incoming.message.content = Content::Undecryptable;
        incoming
    };
    let clear = |chat: &str, name: &str| {
        let mut incoming = saying(inbound(chat, name, 2), &format!("clear {name}"));
        incoming.message.quoted = Some(message_id("q"));
        incoming
    };
    let both = |name: &'static str| [unreadable("old@net", name), clear("new@net", name)];
    let mut messages = [both("a"), both("edited"), both("taken back"), both("taken back before")].concat();
    messages.extend([unreadable("new@net", "b"), clear("old@net", "b")]);
    messages.extend(["old@net", "new@net"].map(|chat| unreadable(chat, "neither")));
    let before = [
        edit("new@net", "edited", "e", 3, "changed"),
        deletion("old@net", "taken back", "d1", 3),
        deletion("new@net", "taken back before", "d2", 3),
    ];
    storage.commit(SessionCommit { amendments: before.into(), ..storing(1, messages) }).await.unwrap();
    assert_eq!(merge(&*storage, "old@net", "new@net").await, [merged("old@net", "new@net")], "which tells it all");

    for (name, place) in [("a", 1), ("b", 9)] {
        let stored = message(&*storage, 1, "new@net", name).await;
        assert_eq!((stored.seq, stored.message.at), (place, at(1)), "the one that was stored first stays");
        assert_eq!(stored.message.content, Content::Text(format!("clear {name}")));
        assert_eq!(stored.message.quoted, Some(message_id("q")));
    }
    let edited = message(&*storage, 1, "new@net", "edited").await;
    assert_eq!((edited.message.content, edited.edited_at), (Content::Text("changed".into()), Some(at(3))));
    assert_eq!(edited.message.quoted, Some(message_id("q")));
    for name in ["taken back", "taken back before"] {
        let deleted = message(&*storage, 1, "new@net", name).await;
        assert_eq!((deleted.message.content, deleted.message.quoted), (Content::Deleted, None), "{name}");
    }
    let found = storage.search_messages(&SearchQuery::new("clear"), None, 9).await.unwrap();
    assert_eq!(found.iter().map(|hit| hit.message.seq).collect::<Vec<_>>(), [9, 1]);

    let filled = EventBody::MessageStored { chat: address("new@net"), id: message_id("neither"), inbound: true };
    let again = ["a", "b", "edited", "neither"].map(|name| saying(inbound("old@net", name, 3), "at last"));
    assert_eq!(events_of(&*storage, storing(1, again)).await, [filled], "what was decrypted is not filled in again");
}

pub(crate) async fn what_was_read_under_either_was_read(backend: &mut dyn Backend) {
    // From the first to the last: by nobody, here but the network does not know, and the network knows.
    const UNREAD: Option<bool> = None;
    const UNTOLD: Option<bool> = Some(true);
    const READ: Option<bool> = Some(false);
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let states = [UNREAD, UNTOLD, READ];
    for (n, (old, new)) in states.into_iter().flat_map(|old| states.map(|new| (old, new))).enumerate() {
        let (from, to) = (format!("old{n}@net"), format!("new{n}@net"));
        storage.commit(storing(1, [&from, &to].map(|chat| inbound(chat, "m", 1)))).await.unwrap();
        for (chat, read) in [(&from, old), (&to, new)] {
            let mark = read.map(|tell| ReadMark { tell, ..mark(chat, None) });
            storage.commit(SessionCommit { read: mark.into_iter().collect(), ..commit(1) }).await.unwrap();
        }
        merge(&*storage, &from, &to).await;

        let unread = storage.chat(id(1), &address(&to)).await.unwrap().map(|chat| chat.unread);
        let untold = storage.untold_reads(id(1), 9).await.unwrap();
        let untold: Vec<_> = untold.iter().map(|stored| stored.message.chat.as_str()).collect();
        let expected = match (old, new) {
            (UNREAD, UNREAD) => (Some(1), vec![]),
            (READ, _) | (_, READ) => (Some(0), vec![]),
            _ => (Some(0), vec![to.as_str()]),
        };
        assert_eq!((unread, untold.clone()), expected, "{old:?} under the old address and {new:?} under the new");
        let told = untold.iter().map(|chat| (address(chat), message_id("m"))).collect();
        storage.commit(SessionCommit { told, read: vec![mark(&to, None)], ..commit(1) }).await.unwrap();
    }
    assert!(chats(&*storage).await.iter().all(|(_, unread)| *unread == 0));
}

pub(crate) async fn two_contacts_become_one(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let old = ContactUpdate {
        phone: Some("8613800138000".into()),
        name: Some("old name".into()),
        avatar: Some(Some("old picture".into())),
        ..ContactUpdate::new(address("old@net"))
    };
    let new = ContactUpdate {
        name: Some("new name".into()),
        saved_name: Some("new saved".into()),
        ..ContactUpdate::new(address("new@net"))
    };
    storage.commit(SessionCommit { contacts: vec![old, new], ..commit(1) }).await.unwrap();
    let messages = [inbound("old@net", "a", 2), inbound("old@net", "b", 4), inbound("new@net", "c", 3)];
    storage.commit(storing(1, messages)).await.unwrap();
    let in_a_group = sent_by(inbound("group@net", "d", 3), "old@net");
    storage.commit(storing(1, [in_a_group])).await.unwrap();

    merge(&*storage, "old@net", "new@net").await;
    let expected = Contact {
        address: address("new@net"),
        phone: Some("8613800138000".into()),
        name: Some("new name".into()),
        saved_name: Some("new saved".into()),
        avatar: Some("old picture".into()),
        first_seen: Some(at(2)),
        last_seen: Some(at(4)),
    };
    assert_eq!(storage.contacts(id(1), Page::first(9)).await.unwrap(), [expected]);
    assert_eq!(message(&*storage, 1, "group@net", "d").await.message.sender, address("new@net"), "wherever they wrote");
}

pub(crate) async fn what_comes_for_the_old_address_lands_under_the_new(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    assert_eq!(merge(&*storage, "old@net", "new@net").await, [], "there was nothing to move");

    let mut all = storing(1, [named(inbound("old@net", "a", 1), "Ann"), outbound("old@net", "b", 2)]);
    let archived = ChatUpdate { archived: Some(true), ..ChatUpdate::new(address("old@net"), ChatKind::Person) };
    all.chats = vec![ChatNews { update: archived, person: None }];
    all.contacts =
        vec![ContactUpdate { phone: Some("4915112345678".into()), ..ContactUpdate::new(address("old@net")) }];
    all.amendments = vec![edit("old@net", "a", "e", 3, "changed")];
    all.updates = vec![update("old@net", "b", MessageStatus::Sent)];
    all.read = vec![ReadMark { tell: true, ..mark("old@net", None) }];
    let (chat, a, b) = (address("new@net"), message_id("a"), message_id("b"));
    let expected = [
        EventBody::ChatChanged { chat: chat.clone() },
        EventBody::MessageStored { chat: chat.clone(), id: a.clone(), inbound: true },
        EventBody::MessageStored { chat: chat.clone(), id: b.clone(), inbound: false },
        EventBody::MessageAmended { chat: chat.clone(), id: a.clone() },
        EventBody::MessageStatusChanged { chat: chat.clone(), id: b, status: MessageStatus::Sent },
        EventBody::ChatRead { chat: chat.clone() },
    ];
    assert_eq!(events_of(&*storage, all).await, expected);
    let stored = message(&*storage, 1, "new@net", "a").await;
    assert_eq!((&stored.message.chat, &stored.message.sender), (&chat, &chat));
    assert_eq!(stored.message.content, Content::Text("changed".into()));
    assert_eq!(chats(&*storage).await, [("new@net".into(), 0)]);
    let contact = storage.contact(id(1), &chat).await.unwrap().expect("the contact is there");
    assert_eq!((contact.name.as_deref(), contact.phone.as_deref()), (Some("Ann"), Some("4915112345678")));

    assert_eq!(storage.untold_reads(id(1), 9).await.unwrap(), std::slice::from_ref(&stored));
    storage.commit(SessionCommit { told: vec![(address("old@net"), a)], ..commit(1) }).await.unwrap();
    assert_eq!(storage.untold_reads(id(1), 9).await.unwrap(), []);
    let duplicate = storage.commit(storing(1, [inbound("old@net", "a", 1), inbound("new@net", "a", 1)])).await.unwrap();
    assert_eq!((duplicate.last_event, duplicate.unread), (6, 0), "the same message, by either address");
}

pub(crate) async fn either_address_asks_for_the_same(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    storage.commit(storing(1, [inbound("old@net", "a", 1), inbound("new@net", "b", 2)])).await.unwrap();
    storage.commit(storing(2, [inbound("old@net", "a", 1)])).await.unwrap();
    merge(&*storage, "old@net", "new@net").await;
    let (old, new) = (address("old@net"), address("new@net"));
    let chat = storage.chat(id(1), &old).await.unwrap();
    assert_eq!(chat.as_ref().map(|chat| &chat.address), Some(&new));
    assert_eq!(chat, storage.chat(id(1), &new).await.unwrap());
    let contact = storage.contact(id(1), &old).await.unwrap();
    assert_eq!(contact.as_ref().map(|contact| &contact.address), Some(&new));
    assert_eq!(ids(&*storage, 1, "old@net").await, ["b", "a"]);
    assert_eq!(message(&*storage, 1, "old@net", "b").await, message(&*storage, 1, "new@net", "b").await);
    assert_eq!(storage.chat(id(2), &old).await.unwrap().map(|chat| chat.address), Some(old), "another session's own");
}

pub(crate) async fn one_may_follow_another(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let messages = ["a@net", "b@net", "c@net"].map(|chat| inbound(chat, &format!("in {chat}"), 1));
    storage.commit(storing(1, messages)).await.unwrap();
    assert_eq!(merge(&*storage, "a@net", "b@net").await, [merged("a@net", "b@net")]);
    assert_eq!(merge(&*storage, "b@net", "c@net").await, [merged("b@net", "c@net")]);
    assert_eq!(merge(&*storage, "d@net", "a@net").await, []);
    storage
        .commit(storing(1, ["a@net", "b@net", "d@net"].map(|chat| inbound(chat, &format!("for {chat}"), 2))))
        .await
        .unwrap();
    assert_eq!(chats(&*storage).await, [("c@net".into(), 6)]);

    let both = [identity("e@net", "f@net"), identity("c@net", "e@net")];
    assert_eq!(events_of(&*storage, identifying(1, both)).await, [merged("c@net", "f@net")], "the one that counts");
    assert_eq!(chats(&*storage).await, [("f@net".into(), 6)]);
    for address in ["a@net", "b@net", "c@net", "d@net", "e@net", "f@net"] {
        assert_eq!(ids(&*storage, 1, address).await.len(), 6, "{address}");
    }
}

pub(crate) async fn the_last_word_on_an_address_counts(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    // A phone number that somebody else has by now: what was said under it stays with whoever said it.
    storage.commit(storing(1, [inbound("number@net", "a", 1)])).await.unwrap();
    merge(&*storage, "number@net", "ann@net").await;
    assert_eq!(merge(&*storage, "number@net", "bob@net").await, [], "there was nothing to move any more");
    storage.commit(storing(1, [inbound("number@net", "b", 2)])).await.unwrap();
    assert_eq!(ids(&*storage, 1, "ann@net").await, ["a"]);
    assert_eq!(ids(&*storage, 1, "bob@net").await, ["b"]);
    assert_eq!(ids(&*storage, 1, "number@net").await, ["b"]);
}

pub(crate) async fn done_before_or_in_a_circle_it_changes_nothing(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, ["a@net", "b@net", "c@net"].map(|chat| inbound(chat, "m", 1)))).await.unwrap();
    merge(&*storage, "a@net", "b@net").await;
    merge(&*storage, "b@net", "c@net").await;
    let before = Snapshot::of(&*storage).await;
    for (from, to) in [
        ("a@net", "a@net"),
        ("a@net", "b@net"),
        ("a@net", "c@net"),
        ("b@net", "c@net"),
        ("c@net", "a@net"),
        ("c@net", "b@net"),
    ] {
        assert_eq!(merge(&*storage, from, to).await, [], "{from} is {to}");
        assert_eq!(Snapshot::of(&*storage).await, before, "{from} is {to}");
    }
    storage.commit(storing(1, [inbound("a@net", "n", 2)])).await.unwrap();
    assert_eq!(chats(&*storage).await, [("c@net".into(), 2)]);
}

pub(crate) async fn amendments_move_along(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, ["a", "b", "c"].map(|name| inbound("old@net", name, 1)))).await.unwrap();
    storage.commit(storing(1, [inbound("new@net", "a", 1)])).await.unwrap();
    let before = [
        edit("old@net", "a", "e1", 5, "later"),
        edit("new@net", "a", "e2", 4, "earlier"),
        reaction("old@net", "a", "r1", 6, Some("👍")),
        reaction("new@net", "a", "r2", 5, Some("❤️")),
        edit("old@net", "still to come", "e3", 7, "changed"),
        deletion("new@net", "b", "d1", 8),
        reaction("old@net", "c", "r3", 9, Some("😀")),
    ];
    storage.commit(amending(1, before)).await.unwrap();
    merge(&*storage, "old@net", "new@net").await;

    let a = message(&*storage, 1, "new@net", "a").await;
    assert_eq!((a.message.content, a.edited_at), (Content::Text("later".into()), Some(at(5))));
    let reactions: Vec<_> = a.reactions.iter().map(|r| (r.sender.as_str(), r.emoji.as_str())).collect();
    assert_eq!(reactions, [("new@net", "👍")], "one person has one reaction");
    assert_eq!(message(&*storage, 1, "new@net", "b").await.message.content, Content::Deleted, "it waited there");
    assert_eq!(message(&*storage, 1, "new@net", "c").await.reactions.len(), 1);
    storage.commit(storing(1, [inbound("new@net", "still to come", 3)])).await.unwrap();
    let came = message(&*storage, 1, "new@net", "still to come").await;
    assert_eq!(came.message.content, Content::Text("changed".into()));
    assert_eq!(events_of(&*storage, amending(1, [edit("old@net", "a", "e0", 5, "smaller id")])).await, []);
}

pub(crate) async fn survives_a_restart(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, ["old@net", "new@net"].map(|chat| inbound(chat, chat, 1)))).await.unwrap();
    merge(&*storage, "old@net", "new@net").await;
    let before = Snapshot::of(&*storage).await;
    drop(storage);
    let storage = backend.open().await;
    assert_eq!(Snapshot::of(&*storage).await, before);
    storage.commit(storing(1, [inbound("old@net", "m", 2)])).await.unwrap();
    assert_eq!(chats(&*storage).await, [("new@net".into(), 3)]);
}

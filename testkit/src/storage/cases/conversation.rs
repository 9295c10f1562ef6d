//! Conversations: each message once, in its place, with the people and chats it belongs to.

use seatport::conversation::{Author, Chat, Contact, Content, Direction, Message, MessageStatus, StoredMessage};
use seatport::storage::{Incoming, MessagePage, MessageUpdate, SessionCommit, Storage};
use seatport::{EventBody, SessionId};

use crate::storage::Backend;
use crate::storage::sample::{add, address, agent_id, at, commit, id, inbound, message_id, outbound, storing};
use crate::storage::snapshot::{Snapshot, check_pages};

fn named(mut incoming: Incoming, name: &str) -> Incoming {
    incoming.sender_name = Some(name.to_owned());
    incoming
}

/// In a group, where the sender is not the chat.
fn sent_by(mut incoming: Incoming, sender: &str) -> Incoming {
    incoming.message.sender = address(sender);
    incoming
}

async fn ids(storage: &dyn Storage, session: u64, chat: &str) -> Vec<String> {
    let messages = storage.messages(id(session), &address(chat), MessagePage::newest(100)).await.unwrap();
    messages.into_iter().map(|stored| stored.message.id.as_str().to_owned()).collect()
}

pub(crate) async fn an_unknown_session_has_none(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let (nobody, ann, a): (SessionId, _, _) = (id(1), address("ann@net"), message_id("a"));
    assert_eq!(storage.contacts(nobody, None, 9).await.unwrap(), []);
    assert_eq!(storage.chats(nobody, None, 9).await.unwrap(), []);
    assert_eq!(storage.chat(nobody, &ann).await.unwrap(), None);
    assert_eq!(storage.messages(nobody, &ann, MessagePage::newest(9)).await.unwrap(), []);
    assert_eq!(storage.message(nobody, &ann, &a).await.unwrap(), None);
    assert_eq!(storage.pending(nobody, 9).await.unwrap(), []);
}

pub(crate) async fn a_message_reads_back_as_it_was(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let long = "长😀\u{0}'\"\\\r\n".repeat(8_000);
    let chat = "林@net — \u{1F469}\u{200D}\u{1F4BB}";
    let contents = [
        Content::Text(long),
        Content::Text(String::new()),
        Content::Unsupported("poll".into()),
        Content::Undecryptable,
    ];
    let authors = [None, Some(Author::Device), Some(Author::Agent(agent_id("mei"))), None];
    let statuses = [MessageStatus::Read, MessageStatus::Failed, MessageStatus::Sent, MessageStatus::Delivered];
    let messages =
        contents.into_iter().zip(authors).zip(statuses).enumerate().map(|(n, ((content, author), status))| Message {
            chat: address(chat),
            id: message_id(&format!("{n} 号")),
            direction: if author.is_some() { Direction::Outbound } else { Direction::Inbound },
            sender: address("someone else@net"),
            author,
            content,
            at: seatport::Timestamp::from_millis(-1 + n as i64),
            status,
        });
    let messages: Vec<Message> = messages.collect();
    let incoming = messages.iter().map(|message| Incoming { message: message.clone(), sender_name: None });
    storage.commit(storing(1, incoming)).await.unwrap();

    let stored: Vec<_> = (1..).zip(messages).map(|(seq, message)| StoredMessage { seq, message }).collect();
    for message in &stored {
        let read = storage.message(id(1), &address(chat), &message.message.id).await.unwrap();
        assert_eq!(read.as_ref(), Some(message));
    }
    let newest_first: Vec<_> = stored.into_iter().rev().collect();
    assert_eq!(storage.messages(id(1), &address(chat), MessagePage::newest(9)).await.unwrap(), newest_first);
    assert_eq!(storage.message(id(1), &address(chat), &message_id("0")).await.unwrap(), None);
}

pub(crate) async fn a_message_is_stored_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let first = storing(1, [named(inbound("ann@net", "a", 1), "Ann"), outbound("ann@net", "b", 2)]);
    let once = storage.commit(first.clone()).await.unwrap();
    let before = Snapshot::of(&*storage).await;

    let mut other = named(inbound("ann@net", "a", 99), "Somebody");
    other.message.content = Content::Text("something else".into());
    other.message.status = MessageStatus::Read;
    let mut device = outbound("ann@net", "b", 99);
    device.message.status = MessageStatus::Sent;
    for again in [first, storing(1, [other]), storing(1, [device])] {
        assert_eq!(storage.commit(again).await.unwrap(), once);
        assert_eq!(Snapshot::of(&*storage).await, before);
    }

    let twice_at_once = storing(1, [inbound("bob@net", "c", 1), inbound("bob@net", "c", 1)]);
    let committed = storage.commit(twice_at_once).await.unwrap();
    assert_eq!((committed.last_event, committed.unread), (once.last_event + 1, once.unread + 1));
    assert_eq!(ids(&*storage, 1, "bob@net").await, ["c"]);
}

pub(crate) async fn the_same_id_elsewhere_is_another_message(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    let committed = storage.commit(storing(1, ["ann@net", "bob@net"].map(|chat| inbound(chat, "a", 1)))).await.unwrap();
    assert_eq!((committed.unread, committed.last_event), (2, 2));
    let committed = storage.commit(storing(2, [inbound("ann@net", "a", 1)])).await.unwrap();
    assert_eq!((committed.unread, committed.last_event), (1, 1));
    for (session, chat) in [(1, "ann@net"), (1, "bob@net"), (2, "ann@net")] {
        assert_eq!(ids(&*storage, session, chat).await, ["a"], "session {session}, {chat}");
    }
}

pub(crate) async fn places_count_over_all_chats(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    storage.commit(storing(1, [inbound("ann@net", "a", 9), outbound("bob@net", "b", 5)])).await.unwrap();
    storage.commit(storing(2, [inbound("ann@net", "x", 1)])).await.unwrap();
    storage.commit(storing(1, [inbound("ann@net", "a", 9), inbound("ann@net", "c", 1)])).await.unwrap();
    for (session, chat, message, place) in
        [(1, "ann@net", "a", 1), (1, "bob@net", "b", 2), (1, "ann@net", "c", 3), (2, "ann@net", "x", 1)]
    {
        let stored = storage.message(id(session), &address(chat), &message_id(message)).await.unwrap();
        assert_eq!(stored.map(|stored| stored.seq), Some(place), "{message}");
    }
}

pub(crate) async fn an_undecryptable_message_is_filled_in(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let mut sealed = inbound("ann@net", "a", 1);
    sealed.message.content = Content::Undecryptable;
    storage.commit(storing(1, [sealed.clone(), inbound("ann@net", "b", 2)])).await.unwrap();
    let mut expected = Snapshot::of(&*storage).await;
    storage.commit(storing(1, [sealed.clone()])).await.unwrap();
    assert_eq!(Snapshot::of(&*storage).await, expected, "still undecryptable: nothing changes");

    // Sent again in the clear: the content is filled in, and whoever follows the events is told.
    let mut clear = named(inbound("ann@net", "a", 50), "Ann");
    clear.message.status = MessageStatus::Read;
    let committed = storage.commit(storing(1, [clear.clone()])).await.unwrap();
    assert_eq!((committed.last_event, committed.unread), (3, 2));
    let session = expected.sessions.get_mut(&id(1)).expect("the session is there");
    let (_, messages) = session.chats.first_mut().expect("the chat is there");
    messages[1].message.content = clear.message.content.clone();
    let after = Snapshot::of(&*storage).await;
    assert_eq!(after.sessions[&id(1)].chats, session.chats, "nothing but the content");
    assert_eq!(after.sessions[&id(1)].contacts, session.contacts);
    let told = EventBody::MessageStored { chat: address("ann@net"), id: message_id("a"), inbound: true };
    assert_eq!(after.sessions[&id(1)].events.last().map(|event| event.body.clone()), Some(told));

    clear.message.content = Content::Text("something else".into());
    storage.commit(storing(1, [clear, sealed])).await.unwrap();
    assert_eq!(Snapshot::of(&*storage).await, after, "what is readable stays as it is");
}

pub(crate) async fn contacts_are_those_who_wrote(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    let messages = [
        inbound("ann@net", "a", 5),
        inbound("ann@net", "b", 9),
        inbound("ann@net", "c", 2),
        outbound("bob@net", "d", 1),
        sent_by(inbound("group@net", "e", 4), "cid@net"),
        sent_by(inbound("group@net", "f", 7), "ann@net"),
        outbound("ann@net", "g", 100),
    ];
    storage.commit(storing(1, messages)).await.unwrap();
    storage.commit(storing(1, [inbound("ann@net", "b", 200)])).await.expect("a duplicate");

    let contact = |who: &str, first, last| Contact {
        address: address(who),
        name: None,
        first_seen: at(first),
        last_seen: at(last),
    };
    let expected = [contact("ann@net", 2, 9), contact("cid@net", 4, 4)];
    assert_eq!(storage.contacts(id(1), None, 9).await.unwrap(), expected);
    assert_eq!(storage.contacts(id(2), None, 9).await.unwrap(), []);
}

pub(crate) async fn a_contact_has_the_last_name_told(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let name = async || storage.contacts(id(1), None, 1).await.unwrap().remove(0).name;
    storage.commit(storing(1, [inbound("ann@net", "a", 5)])).await.unwrap();
    assert_eq!(name().await, None);
    storage.commit(storing(1, [named(inbound("ann@net", "b", 6), "Ann"), inbound("ann@net", "c", 7)])).await.unwrap();
    assert_eq!(name().await.as_deref(), Some("Ann"));
    storage.commit(storing(1, [named(inbound("ann@net", "d", 1), "安")])).await.unwrap();
    assert_eq!(name().await.as_deref(), Some("安"), "told last, although by an older message");
    storage.commit(storing(1, [named(outbound("ann@net", "e", 9), "Me")])).await.unwrap();
    assert_eq!(name().await.as_deref(), Some("安"), "our own name is not the contact's");
}

pub(crate) async fn a_chat_is_named_after_its_contact(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let messages = [
        sent_by(named(inbound("group@net", "a", 1), "Ann"), "ann@net"),
        outbound("ann@net", "b", 2),
        named(inbound("bob@net", "c", 3), "Bob"),
        outbound("cid@net", "d", 4),
    ];
    storage.commit(storing(1, messages)).await.unwrap();
    let chats = storage.chats(id(1), None, 9).await.unwrap();
    let names: Vec<_> = chats.iter().map(|chat| (chat.address.as_str(), chat.name.as_deref())).collect();
    assert_eq!(names, [("ann@net", Some("Ann")), ("bob@net", Some("Bob")), ("cid@net", None), ("group@net", None)]);
    for chat in chats {
        assert_eq!(storage.chat(id(1), &chat.address).await.unwrap(), Some(chat));
    }
}

pub(crate) async fn messages_are_newest_first_late_ones_in_their_place(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let arrivals = [("d", 40), ("b", 20), ("late", 10), ("b2", 20), ("c", 30)];
    for (message, second) in arrivals {
        storage.commit(storing(1, [inbound("ann@net", message, second)])).await.unwrap();
    }
    assert_eq!(ids(&*storage, 1, "ann@net").await, ["d", "c", "b2", "b", "late"]);
    let last = storage.chat(id(1), &address("ann@net")).await.unwrap().and_then(|chat| chat.last);
    assert_eq!(last.map(|last| (last.seq, last.message.id)), Some((1, message_id("d"))));

    // Before a place means before that message, wherever it stands; a place in no chat, or another, has nothing before it.
    storage.commit(storing(1, [inbound("bob@net", "elsewhere", 15)])).await.unwrap();
    for (place, expected) in
        [(1, &["c", "b2", "b", "late"][..]), (4, &["b", "late"]), (3, &[]), (6, &[]), (7, &[]), (0, &[])]
    {
        let page = MessagePage::before(place, 9);
        let before = storage.messages(id(1), &address("ann@net"), page).await.unwrap();
        let before: Vec<_> = before.iter().map(|stored| stored.message.id.as_str()).collect();
        assert_eq!(before, expected, "before place {place}");
    }
}

pub(crate) async fn pages_show_each_message_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    // Places and times run against one another, and several messages share a time.
    let messages = (0..9).map(|n: i64| inbound("ann@net", &format!("m{n}"), (n * 7) % 4));
    storage.commit(storing(1, messages.chain([inbound("bob@net", "other", 1)]))).await.unwrap();
    check_pages(async |last: Option<StoredMessage>, limit| {
        let page = MessagePage { before: last.map(|last| last.seq), limit };
        storage.messages(id(1), &address("ann@net"), page).await
    })
    .await;
}

pub(crate) async fn pages_show_each_contact_and_chat_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    // In the order of their bytes, not of some language.
    let sorted = ["10@net", "9@net", "Z@net", "a@net", "b@net", "é@net", "中@net", "😀@net"];
    let shuffled = ["b@net", "中@net", "9@net", "😀@net", "a@net", "10@net", "é@net", "Z@net"];
    storage.commit(storing(1, shuffled.map(|who| inbound(who, "m", 1)))).await.unwrap();
    storage.commit(storing(2, [inbound("c@net", "m", 1)])).await.unwrap();

    let contacts = storage.contacts(id(1), None, 99).await.unwrap();
    assert_eq!(contacts.iter().map(|contact| contact.address.as_str()).collect::<Vec<_>>(), sorted);
    let chats = storage.chats(id(1), None, 99).await.unwrap();
    assert_eq!(chats.iter().map(|chat| chat.address.as_str()).collect::<Vec<_>>(), sorted);
    check_pages(async |last: Option<Contact>, limit| {
        storage.contacts(id(1), last.as_ref().map(|last| &last.address), limit).await
    })
    .await;
    check_pages(async |last: Option<Chat>, limit| {
        storage.chats(id(1), last.as_ref().map(|last| &last.address), limit).await
    })
    .await;
}

pub(crate) async fn pending_messages_wait_in_order(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    let messages = [
        outbound("bob@net", "1st", 9),
        outbound("ann@net", "2nd", 5),
        inbound("ann@net", "theirs", 6),
        outbound("ann@net", "3rd", 1),
    ];
    storage.commit(storing(1, messages)).await.unwrap();
    storage.commit(storing(2, [outbound("ann@net", "of 2", 0)])).await.unwrap();
    let pending = async |limit| {
        let pending = storage.pending(id(1), limit).await.unwrap();
        pending.into_iter().map(|stored| stored.message.id.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(pending(9).await, ["1st", "2nd", "3rd"]);
    assert_eq!(pending(2).await, ["1st", "2nd"]);
    assert_eq!(pending(0).await, [""; 0]);

    let sent = |message: &str, status| MessageUpdate { chat: address("ann@net"), id: message_id(message), status };
    let updates = vec![sent("2nd", MessageStatus::Sent), sent("3rd", MessageStatus::Failed)];
    storage.commit(SessionCommit { updates, ..commit(1) }).await.unwrap();
    assert_eq!(pending(9).await, ["1st"]);
}

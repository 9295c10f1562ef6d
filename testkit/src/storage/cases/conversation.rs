//! Messages: each once, in its place.

use std::time::Duration;

use seatport::conversation::{
    Author, ContactCard, Content, Direction, Location, Media, MediaKind, MediaReference, Message, MessageStatus,
};
use seatport::storage::{Incoming, SessionCommit};
use seatport::{EventBody, Page, SessionId, Timestamp};

use crate::storage::Backend;
use crate::storage::sample::{
    add, address, agent_id, commit, id, ids, inbound, message_id, named, outbound, stored, storing, update,
};
use crate::storage::snapshot::{Snapshot, check_pages};

pub(crate) async fn an_unknown_session_has_none(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let (nobody, ann, a): (SessionId, _, _) = (id(1), address("ann@net"), message_id("a"));
    assert_eq!(storage.contacts(nobody, Page::first(9)).await.unwrap(), []);
    assert_eq!(storage.contact(nobody, &ann).await.unwrap(), None);
    assert_eq!(storage.chats(nobody, Page::first(9)).await.unwrap(), []);
    assert_eq!(storage.chat(nobody, &ann).await.unwrap(), None);
    assert_eq!(storage.messages(nobody, &ann, Page::first(9)).await.unwrap(), []);
    assert_eq!(storage.message(nobody, &ann, &a).await.unwrap(), None);
    assert_eq!(storage.keyed(nobody, &"k".parse().expect("a valid key")).await.unwrap(), None);
    assert_eq!(storage.pending(nobody, 9).await.unwrap(), []);
    assert_eq!(storage.untold_reads(nobody, 9).await.unwrap(), []);
}

/// Content of every kind, with everything filled and with nothing.
fn contents() -> Vec<Content> {
    let mut full = Media::new(MediaKind::Document, "application/pdf");
    full.bytes = Some(u64::from(u32::MAX) * 1000);
    full.file_name = Some("发票 'May'.pdf".into());
    full.caption = Some("\u{0}here you are\n".into());
    full.dimensions = Some((1, u32::MAX));
    full.duration = Some(Duration::from_millis(90_001));
    full.reference = Some(MediaReference::new("https://cdn.example/1?key=\"x\""));
    let kinds = [MediaKind::Image, MediaKind::Video, MediaKind::Audio, MediaKind::Document, MediaKind::Sticker];
    let place = Location { latitude: -33_868_820, longitude: 151_209_290, name: None, address: None };
    let mut contents = vec![
        Content::Text("长😀\u{0}'\"\\\r\n".repeat(8_000)),
        Content::Text(String::new()),
        Content::Media(full),
        Content::Location(Location {
            name: Some("歌剧院".into()),
            address: Some("Bennelong Point".into()),
            ..place.clone()
        }),
        Content::Location(place),
        Content::Contact(ContactCard { name: "林".into(), phones: vec!["+86 138".into(), String::new()] }),
        Content::Contact(ContactCard { name: String::new(), phones: vec![] }),
        Content::System("林 joined".into()),
        Content::Unsupported("poll".into()),
        Content::Undecryptable,
        Content::Deleted,
    ];
    contents.extend(kinds.map(|kind| Content::Media(Media::new(kind, "x/y"))));
    contents
}

pub(crate) async fn a_message_reads_back_as_it_was(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let chat = "林@net — \u{1F469}\u{200D}\u{1F4BB}";
    let authors = [None, Some(Author::Device), Some(Author::Agent(agent_id("mei")))];
    let statuses = [MessageStatus::Read, MessageStatus::Failed, MessageStatus::Sent, MessageStatus::Delivered];
    let details = authors.into_iter().cycle().zip(statuses.into_iter().cycle());
    let messages = contents().into_iter().zip(details).enumerate().map(|(n, (content, (author, status)))| Message {
        chat: address(chat),
        id: message_id(&format!("{n} 号")),
        direction: if author.is_some() { Direction::Outbound } else { Direction::Inbound },
        sender: address("someone else@net"),
        author,
        content,
        at: Timestamp::from_millis(-1 + n as i64),
        status,
        quoted: (n % 2 == 1).then(|| message_id("0 号 'quoted'")),
    });
    let messages: Vec<Message> = messages.collect();
    storage.commit(storing(1, messages.iter().cloned().map(Incoming::new))).await.unwrap();

    let stored: Vec<_> = (1..).zip(messages).map(|(seq, message)| stored(seq, message)).collect();
    for message in &stored {
        let read = storage.message(id(1), &address(chat), &message.message.id).await.unwrap();
        assert_eq!(read.as_ref(), Some(message));
    }
    let newest_first: Vec<_> = stored.into_iter().rev().collect();
    assert_eq!(storage.messages(id(1), &address(chat), Page::first(99)).await.unwrap(), newest_first);
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
    clear.message.quoted = Some(message_id("b"));
    let committed = storage.commit(storing(1, [clear.clone()])).await.unwrap();
    assert_eq!((committed.last_event, committed.unread), (3, 2));
    let session = expected.sessions.get_mut(&id(1)).expect("the session is there");
    let (_, messages) = session.chats.first_mut().expect("the chat is there");
    messages[1].message.content = clear.message.content.clone();
    messages[1].message.quoted = clear.message.quoted.clone();
    let after = Snapshot::of(&*storage).await;
    assert_eq!(after.sessions[&id(1)].chats, session.chats, "nothing but the content and what it quotes");
    assert_eq!(after.sessions[&id(1)].contacts, session.contacts);
    let told = EventBody::MessageStored { chat: address("ann@net"), id: message_id("a"), inbound: true };
    assert_eq!(after.sessions[&id(1)].events.last().map(|event| event.body.clone()), Some(told));

    clear.message.content = Content::Text("something else".into());
    storage.commit(storing(1, [clear, sealed])).await.unwrap();
    assert_eq!(Snapshot::of(&*storage).await, after, "what is readable stays as it is");
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

    // A place means that message, wherever it stands; before and after a place in no chat, or another one, there is nothing.
    storage.commit(storing(1, [inbound("bob@net", "elsewhere", 15)])).await.unwrap();
    let at = async |page| {
        let messages = storage.messages(id(1), &address("ann@net"), page).await.unwrap();
        messages.into_iter().map(|stored| stored.message.id.as_str().to_owned()).collect::<Vec<_>>()
    };
    for (place, older, newer) in [
        (1, &["c", "b2", "b", "late"][..], &[][..]),
        (4, &["b", "late"], &["d", "c"]),
        (3, &[], &["d", "c", "b2", "b"]),
        (6, &[], &[]),
        (7, &[], &[]),
        (0, &[], &[]),
    ] {
        assert_eq!(at(Page::after(place, 9)).await, older, "older than place {place}");
        assert_eq!(at(Page::before(place, 9)).await, newer, "newer than place {place}");
    }
    assert_eq!(at(Page::before(3, 2)).await, ["b2", "b"], "those that come right before");
    assert_eq!(at(Page::last(2)).await, ["b", "late"]);
}

pub(crate) async fn pages_show_each_message_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    // Places and times run against one another, and several messages share a time.
    let messages = (0..9).map(|n: i64| inbound("ann@net", &format!("m{n}"), (n * 7) % 4));
    storage.commit(storing(1, messages.chain([inbound("bob@net", "other", 1)]))).await.unwrap();
    check_pages(async |page| storage.messages(id(1), &address("ann@net"), page).await, |message| message.seq).await;
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

    let sent = |message: &str, status| update("ann@net", message, status);
    let updates = vec![sent("2nd", MessageStatus::Sent), sent("3rd", MessageStatus::Failed)];
    storage.commit(SessionCommit { updates, ..commit(1) }).await.unwrap();
    assert_eq!(pending(9).await, ["1st"]);
}

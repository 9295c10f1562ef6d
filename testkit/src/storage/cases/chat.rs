//! Chats: in the order in which people want to see them, with what the network says about each.

use seatport::conversation::{Chat, ChatCursor, ChatKind, ChatUpdate, ContactUpdate, Coverage};
use seatport::storage::{ChatNews, Incoming, SessionCommit, Storage};
use seatport::{EventBody, Page};

use crate::storage::Backend;
use crate::storage::sample::{add, address, at, commit, events_of, id, inbound, named, outbound, sent_by, storing};
use crate::storage::snapshot::check_pages;

fn says(chat: &str) -> ChatUpdate {
    ChatUpdate::new(address(chat), ChatKind::Person)
}

fn telling(chats: impl IntoIterator<Item = ChatUpdate>) -> SessionCommit {
    let chats = chats.into_iter().map(|update| ChatNews { update, person: None }).collect();
    SessionCommit { chats, ..commit(1) }
}

async fn chat(storage: &dyn Storage, chat: &str) -> Chat {
    let chat = storage.chat(id(1), &address(chat)).await.unwrap();
    chat.expect("the chat is there")
}

async fn listed(storage: &dyn Storage, page: Page<ChatCursor>) -> Vec<String> {
    let chats = storage.chats(id(1), page).await.unwrap();
    chats.into_iter().map(|chat| chat.address.as_str().to_owned()).collect()
}

pub(crate) async fn is_named_after_its_contact(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let messages = [
        sent_by(named(inbound("group@net", "a", 1), "Ann"), "ann@net"),
        outbound("ann@net", "b", 2),
        named(inbound("bob@net", "c", 3), "Bob"),
        outbound("cid@net", "d", 4),
    ];
    storage.commit(storing(1, messages)).await.unwrap();
    let names = async || {
        let chats = storage.chats(id(1), Page::first(9)).await.unwrap();
        for chat in &chats {
            assert_eq!(storage.chat(id(1), &chat.address).await.unwrap().as_ref(), Some(chat));
        }
        chats.into_iter().map(|chat| chat.name.unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["", "Bob", "Ann", ""]);

    let saved = ContactUpdate { saved_name: Some("Bob 2".into()), ..ContactUpdate::new(address("bob@net")) };
    let named = ContactUpdate { name: Some("The group".into()), ..ContactUpdate::new(address("group@net")) };
    storage.commit(SessionCommit { contacts: vec![saved, named], ..commit(1) }).await.unwrap();
    assert_eq!(names().await, ["", "Bob 2", "Ann", "The group"], "what the owner calls them goes first");
}

pub(crate) async fn the_newest_message_comes_first(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(telling(["zoe@net", "amy@net"].map(says))).await.unwrap();
    let messages = [("bob@net", 20), ("ann@net", 10), ("cid@net", 20), ("ann@net", 5), ("dan@net", -100_000_000)];
    for (n, (chat, second)) in messages.into_iter().enumerate() {
        storage.commit(storing(1, [inbound(chat, &format!("m{n}"), second)])).await.unwrap();
    }
    let all = Page::first(9);
    let expected = ["bob@net", "cid@net", "ann@net", "dan@net", "amy@net", "zoe@net"];
    assert_eq!(
        listed(&*storage, all.clone()).await,
        expected,
        "of the same time by address, those without a message last"
    );

    storage.commit(storing(1, [outbound("ann@net", "new", 21)])).await.unwrap();
    storage.commit(storing(1, [inbound("cid@net", "late", 1)])).await.unwrap();
    let expected = ["ann@net", "bob@net", "cid@net", "dan@net", "amy@net", "zoe@net"];
    assert_eq!(listed(&*storage, all).await, expected, "a late message moves nothing");
    let last = chat(&*storage, "cid@net").await.last.map(|last| last.message.id.as_str().to_owned());
    assert_eq!(last.as_deref(), Some("m2"), "nor is it the last");
}

pub(crate) async fn pages_show_each_chat_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    let addresses = ["b@net", "中@net", "9@net", "😀@net", "a@net", "10@net", "é@net", "Z@net"];
    // Several share a time, and several have no message.
    let messages = (0..).zip(&addresses[..6]).map(|(n, chat)| inbound(chat, "m", n % 3));
    storage.commit(storing(1, messages)).await.unwrap();
    storage.commit(telling(addresses[5..].iter().map(|chat| says(chat)))).await.unwrap();
    storage.commit(storing(2, [inbound("c@net", "m", 1)])).await.unwrap();

    let expected = ["10@net", "9@net", "a@net", "中@net", "b@net", "😀@net", "Z@net", "é@net"];
    assert_eq!(listed(&*storage, Page::first(99)).await, expected);
    check_pages(async |page| storage.chats(id(1), page).await, Chat::cursor).await;
}

pub(crate) async fn a_page_goes_by_the_cursor_alone(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let messages = [inbound("ann@net", "a", 30), inbound("bob@net", "b", 20), inbound("cid@net", "c", 10)];
    storage.commit(storing(1, messages)).await.unwrap();
    storage.commit(telling([says("dan@net")])).await.unwrap();
    let cursor = |second: Option<i64>, chat: &str| ChatCursor { at: second.map(at), address: address(chat) };
    for (cursor, after, before) in [
        (cursor(Some(20), "bob@net"), &["cid@net", "dan@net"][..], &["ann@net"][..]),
        (cursor(Some(20), "bo"), &["bob@net", "cid@net", "dan@net"], &["ann@net"]),
        (cursor(Some(15), "zoe@net"), &["cid@net", "dan@net"], &["ann@net", "bob@net"]),
        (cursor(None, "amy@net"), &["dan@net"], &["ann@net", "bob@net", "cid@net"]),
        (cursor(None, "zoe@net"), &[], &["ann@net", "bob@net", "cid@net", "dan@net"]),
        (cursor(Some(99), "zoe@net"), &["ann@net", "bob@net", "cid@net", "dan@net"], &[]),
    ] {
        assert_eq!(listed(&*storage, Page::after(cursor.clone(), 9)).await, after, "after {cursor:?}");
        assert_eq!(listed(&*storage, Page::before(cursor.clone(), 9)).await, before, "before {cursor:?}");
    }
}

pub(crate) async fn what_the_network_says_is_kept(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [inbound("ann@net", "a", 1)])).await.unwrap();
    let group = Incoming { kind: ChatKind::Group, ..sent_by(inbound("group@net", "b", 2), "ann@net") };
    storage.commit(storing(1, [group])).await.unwrap();
    let news = ChatUpdate::new(address("news@net"), ChatKind::Broadcast);
    storage.commit(telling([news.clone()])).await.unwrap();
    let kinds = async |name| chat(&*storage, name).await.kind;
    assert_eq!(kinds("ann@net").await, ChatKind::Person);
    assert_eq!(kinds("group@net").await, ChatKind::Group);
    assert_eq!(kinds("news@net").await, ChatKind::Broadcast);
    storage.commit(storing(1, [inbound("news@net", "c", 1)])).await.unwrap();
    assert_eq!(kinds("news@net").await, ChatKind::Broadcast, "it was known before its first message");

    let details = async || {
        let chat = chat(&*storage, "ann@net").await;
        (chat.archived, chat.muted_until, chat.unread)
    };
    assert_eq!(details().await, (false, None, 1));
    let muted = ChatUpdate { archived: Some(true), muted_until: Some(Some(at(-7))), ..says("ann@net") };
    storage.commit(telling([muted])).await.unwrap();
    storage.commit(telling([says("ann@net")])).await.unwrap();
    storage.commit(storing(1, [inbound("ann@net", "d", 9)])).await.unwrap();
    assert_eq!(details().await, (true, Some(at(-7)), 2), "what is left out stays as it is");
    let loud = ChatUpdate { archived: Some(false), muted_until: Some(None), ..says("ann@net") };
    storage.commit(telling([loud])).await.unwrap();
    assert_eq!(details().await, (false, None, 2));
}

pub(crate) async fn coverage_only_grows(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let coverage = |second, complete| Coverage { oldest: at(second), complete };
    for (told, kept) in [
        (None, None),
        (Some(coverage(50, false)), coverage(50, false).into()),
        (Some(coverage(70, false)), coverage(50, false).into()),
        (Some(coverage(20, false)), coverage(20, false).into()),
        (None, coverage(20, false).into()),
        (Some(coverage(30, true)), coverage(20, true).into()),
        (Some(coverage(10, false)), coverage(10, true).into()),
    ] {
        storage.commit(telling([ChatUpdate { coverage: told, ..says("ann@net") }])).await.unwrap();
        assert_eq!(chat(&*storage, "ann@net").await.coverage, kept, "after {told:?}");
    }
}

pub(crate) async fn a_new_or_changed_one_is_an_event(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let changed = || EventBody::ChatChanged { chat: address("ann@net") };
    assert_eq!(events_of(&*storage, telling([says("ann@net")])).await, [changed()]);
    assert_eq!(events_of(&*storage, telling([says("ann@net")])).await, [], "the same once more");
    let active = ChatUpdate { active_at: Some(at(9)), phone: Some("8613800138000".into()), ..says("ann@net") };
    assert_eq!(events_of(&*storage, telling([active])).await, [], "no detail of the chat");

    let coverage = Some(Coverage { oldest: at(1), complete: false });
    for update in [
        ChatUpdate { archived: Some(true), ..says("ann@net") },
        ChatUpdate { muted_until: Some(Some(at(5))), ..says("ann@net") },
        ChatUpdate { coverage, ..says("ann@net") },
        ChatUpdate { kind: ChatKind::Group, ..says("ann@net") },
    ] {
        let telling = telling([update]);
        assert_eq!(events_of(&*storage, telling.clone()).await, [changed()], "{telling:?}");
        assert_eq!(events_of(&*storage, telling).await, [], "nothing changed");
    }
}

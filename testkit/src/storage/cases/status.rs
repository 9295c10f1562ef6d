//! The status of a message only ever rises.

use seatport::conversation::MessageStatus;
use seatport::storage::{MessageUpdate, SessionCommit, Storage};
use seatport::{Event, EventBody};

use crate::storage::Backend;
use crate::storage::sample::{add, address, commit, id, message_id, outbound, storing};

const RISING: [MessageStatus; 5] =
    [MessageStatus::Pending, MessageStatus::Failed, MessageStatus::Sent, MessageStatus::Delivered, MessageStatus::Read];

fn update(message: &str, status: MessageStatus) -> MessageUpdate {
    MessageUpdate { chat: address("ann@net"), id: message_id(message), status }
}

async fn status(storage: &dyn Storage, message: &str) -> MessageStatus {
    let stored = storage.message(id(1), &address("ann@net"), &message_id(message)).await.unwrap();
    stored.expect("the message is stored").message.status
}

async fn apply(storage: &dyn Storage, updates: Vec<MessageUpdate>) -> Vec<EventBody> {
    let before = storage.session(id(1)).await.unwrap().expect("the session is there").last_event;
    storage.commit(SessionCommit { updates, ..commit(1) }).await.unwrap();
    let events: Vec<Event> = storage.events(id(1), before, 100).await.unwrap();
    events.into_iter().map(|event| event.body).collect()
}

fn changed(message: &str, status: MessageStatus) -> EventBody {
    EventBody::MessageStatusChanged { chat: address("ann@net"), id: message_id(message), status }
}

pub(crate) async fn rises_with_an_event(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [outbound("ann@net", "a", 1), outbound("ann@net", "b", 2)])).await.unwrap();
    for next in &RISING[1..] {
        assert_eq!(apply(&*storage, vec![update("a", *next)]).await, [changed("a", *next)]);
        assert_eq!(status(&*storage, "a").await, *next);
        assert_eq!(status(&*storage, "b").await, MessageStatus::Pending, "the other message");
    }
    // Each step of one commit, and steps left out.
    let steps = vec![update("b", MessageStatus::Sent), update("b", MessageStatus::Read)];
    let events = [changed("b", MessageStatus::Sent), changed("b", MessageStatus::Read)];
    assert_eq!(apply(&*storage, steps).await, events);
    let last = storage.chat(id(1), &address("ann@net")).await.unwrap().and_then(|chat| chat.last);
    assert_eq!(last.map(|last| last.message.status), Some(MessageStatus::Read), "the chat shows it");
}

pub(crate) async fn never_goes_back(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [outbound("ann@net", "a", 1)])).await.unwrap();
    for (reached, highest) in RISING.iter().enumerate() {
        apply(&*storage, vec![update("a", *highest)]).await;
        for lower in &RISING[..=reached] {
            assert_eq!(apply(&*storage, vec![update("a", *lower)]).await, [], "{lower:?} after {highest:?}");
            assert_eq!(status(&*storage, "a").await, *highest);
        }
    }
}

pub(crate) async fn unknown_messages_are_passed_over(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [outbound("ann@net", "a", 1), outbound("bob@net", "b", 1)])).await.unwrap();
    let updates = vec![
        update("z", MessageStatus::Read),
        update("b", MessageStatus::Read),
        update("a", MessageStatus::Sent),
        MessageUpdate { chat: address("cid@net"), ..update("a", MessageStatus::Read) },
    ];
    assert_eq!(apply(&*storage, updates).await, [changed("a", MessageStatus::Sent)]);
    let other = storage.message(id(1), &address("bob@net"), &message_id("b")).await.unwrap();
    assert_eq!(other.map(|stored| stored.message.status), Some(MessageStatus::Pending));
}

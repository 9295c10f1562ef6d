//! The status of a message only ever rises.

use seatport::EventBody;
use seatport::conversation::MessageStatus;
use seatport::storage::{MessageUpdate, SessionCommit, Storage};

use crate::storage::Backend;
use crate::storage::sample::{add, address, commit, events_of, id, message, message_id, outbound, storing, update};

const RISING: [MessageStatus; 5] =
    [MessageStatus::Pending, MessageStatus::Failed, MessageStatus::Sent, MessageStatus::Delivered, MessageStatus::Read];

async fn status(storage: &dyn Storage, id: &str) -> MessageStatus {
    message(storage, 1, "ann@net", id).await.message.status
}

async fn apply(storage: &dyn Storage, updates: Vec<MessageUpdate>) -> Vec<EventBody> {
    events_of(storage, SessionCommit { updates, ..commit(1) }).await
}

fn changed(message: &str, status: MessageStatus) -> EventBody {
    EventBody::MessageStatusChanged { chat: address("ann@net"), id: message_id(message), status }
}

pub(crate) async fn rises_with_an_event(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [outbound("ann@net", "a", 1), outbound("ann@net", "b", 2)])).await.unwrap();
    for next in &RISING[1..] {
        assert_eq!(apply(&*storage, vec![update("ann@net", "a", *next)]).await, [changed("a", *next)]);
        assert_eq!(status(&*storage, "a").await, *next);
        assert_eq!(status(&*storage, "b").await, MessageStatus::Pending, "the other message");
    }
    // Each step of one commit, and steps left out.
    let steps = vec![update("ann@net", "b", MessageStatus::Sent), update("ann@net", "b", MessageStatus::Read)];
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
        apply(&*storage, vec![update("ann@net", "a", *highest)]).await;
        for lower in &RISING[..=reached] {
            assert_eq!(apply(&*storage, vec![update("ann@net", "a", *lower)]).await, [], "{lower:?} after {highest:?}");
            assert_eq!(status(&*storage, "a").await, *highest);
        }
    }
}

pub(crate) async fn unknown_messages_are_passed_over(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [outbound("ann@net", "a", 1), outbound("bob@net", "b", 1)])).await.unwrap();
    let updates = vec![
        update("ann@net", "z", MessageStatus::Read),
        update("ann@net", "b", MessageStatus::Read),
        update("ann@net", "a", MessageStatus::Sent),
        update("cid@net", "a", MessageStatus::Read),
    ];
    assert_eq!(apply(&*storage, updates).await, [changed("a", MessageStatus::Sent)]);
    let other = storage.message(id(1), &address("bob@net"), &message_id("b")).await.unwrap();
    assert_eq!(other.map(|stored| stored.message.status), Some(MessageStatus::Pending));
}

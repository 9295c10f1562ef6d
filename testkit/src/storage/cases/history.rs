//! What came with the network's history: it is there like everything else, and nobody has to read it.

use seatport::storage::Incoming;

use crate::storage::Backend;
use crate::storage::sample::{add, address, at, id, ids, inbound, message, outbound, reading, storing};
use crate::storage::snapshot::Snapshot;

fn historical(incoming: Incoming) -> Incoming {
    Incoming { historical: true, ..incoming }
}

pub(crate) async fn nobody_has_to_read_it(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let history = [inbound("ann@net", "a", 1), outbound("ann@net", "b", 2), inbound("bob@net", "c", 3)].map(historical);
    let committed = storage.commit(storing(1, history)).await.unwrap();
    assert_eq!((committed.unread, committed.last_event), (0, 3));
    let committed = storage.commit(storing(1, [inbound("ann@net", "live", 0)])).await.unwrap();
    assert_eq!(committed.unread, 1);
    for (chat, unread) in [("ann@net", 1), ("bob@net", 0)] {
        let chat = storage.chat(id(1), &address(chat)).await.unwrap();
        assert_eq!(chat.map(|chat| chat.unread), Some(unread));
    }
    let committed = storage.commit(reading(1, "bob@net", None)).await.unwrap();
    assert_eq!(committed.last_event, 4, "there was nothing to read");
    assert_eq!(storage.untold_reads(id(1), 9).await.unwrap(), [], "nor is there anything to tell");
}

pub(crate) async fn it_stands_in_its_place(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [inbound("ann@net", "live", 50)])).await.unwrap();
    let history = [inbound("ann@net", "newer", 40), inbound("ann@net", "older", 30)].map(historical);
    storage.commit(storing(1, history)).await.unwrap();
    assert_eq!(ids(&*storage, 1, "ann@net").await, ["live", "newer", "older"]);
    assert_eq!(message(&*storage, 1, "ann@net", "older").await.seq, 3);
    let contact = storage.contact(id(1), &address("ann@net")).await.unwrap().expect("the contact is there");
    assert_eq!((contact.first_seen, contact.last_seen), (Some(at(30)), Some(at(50))));
}

pub(crate) async fn what_came_before_stays_as_it_was(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage
        .commit(storing(1, [inbound("ann@net", "live", 5), historical(inbound("bob@net", "old", 1))]))
        .await
        .unwrap();
    let before = Snapshot::of(&*storage).await;
    let other_way = [historical(inbound("ann@net", "live", 5)), inbound("bob@net", "old", 1)];
    storage.commit(storing(1, other_way)).await.unwrap();
    assert_eq!(Snapshot::of(&*storage).await, before, "what is unread stays unread, what is read stays read");
}

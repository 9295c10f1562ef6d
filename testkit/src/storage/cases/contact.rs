//! Contacts: who wrote, and who the network told of.

use seatport::conversation::{Contact, ContactUpdate};
use seatport::storage::{SessionCommit, Storage};
use seatport::{EventBody, Page};

use crate::storage::Backend;
use crate::storage::sample::{
    add, address, at, commit, events_of, id, inbound, named, outbound, saying, sent_by, storing,
};
use crate::storage::snapshot::check_pages;

fn unknown(who: &str) -> Contact {
    Contact {
        address: address(who),
        phone: None,
        name: None,
        saved_name: None,
        avatar: None,
        first_seen: None,
        last_seen: None,
    }
}

fn telling(contacts: impl IntoIterator<Item = ContactUpdate>) -> SessionCommit {
    SessionCommit { contacts: contacts.into_iter().collect(), ..commit(1) }
}

async fn ann(storage: &dyn Storage) -> Contact {
    let ann = storage.contact(id(1), &address("ann@net")).await.unwrap();
    ann.expect("the contact is there")
}

pub(crate) async fn are_those_who_wrote_or_were_told_of(backend: &mut dyn Backend) {
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
    storage.commit(telling(["ann@net", "dan@net"].map(|who| ContactUpdate::new(address(who))))).await.unwrap();

    let seen = |who, first, last| Contact { first_seen: Some(at(first)), last_seen: Some(at(last)), ..unknown(who) };
    let expected = [seen("ann@net", 2, 9), seen("cid@net", 4, 4), unknown("dan@net")];
    assert_eq!(storage.contacts(id(1), Page::first(9)).await.unwrap(), expected);
    assert_eq!(storage.contacts(id(2), Page::first(9)).await.unwrap(), []);
    for contact in expected {
        assert_eq!(storage.contact(id(1), &contact.address).await.unwrap(), Some(contact));
    }
    for nobody in ["bob@net", "group@net", "zoe@net"] {
        assert_eq!(storage.contact(id(1), &address(nobody)).await.unwrap(), None, "{nobody}");
    }
}

pub(crate) async fn the_last_word_on_each_detail_counts(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [named(inbound("ann@net", "a", 5), "Ann")])).await.unwrap();
    let said = ContactUpdate::new(address("ann@net"));
    let full = ContactUpdate {
        phone: Some("8613800138000".into()),
        name: Some("安".into()),
        saved_name: Some("Ann from \"May\"".into()),
        avatar: Some(Some("https://pic.example/1".into())),
        ..said.clone()
    };
    storage.commit(telling([full])).await.unwrap();
    let mut expected = Contact {
        phone: Some("8613800138000".into()),
        name: Some("安".into()),
        saved_name: Some("Ann from \"May\"".into()),
        avatar: Some("https://pic.example/1".into()),
        first_seen: Some(at(5)),
        last_seen: Some(at(5)),
        ..unknown("ann@net")
    };
    assert_eq!(ann(&*storage).await, expected);

    // What is left out stays, by whatever way it was left out.
    storage.commit(telling([said.clone()])).await.unwrap();
    storage.commit(storing(1, [inbound("ann@net", "b", 5)])).await.unwrap();
    storage.commit(storing(1, [named(outbound("ann@net", "c", 9), "Me")])).await.unwrap();
    assert_eq!(ann(&*storage).await, expected, "our own name is not the contact's");

    storage.commit(storing(1, [named(inbound("ann@net", "d", 1), "Anna")])).await.unwrap();
    expected.name = Some("Anna".into());
    expected.first_seen = Some(at(1));
    assert_eq!(ann(&*storage).await, expected, "told last, although by an older message");

    let gone = ContactUpdate { avatar: Some(None), phone: Some("4915112345678".into()), ..said };
    storage.commit(telling([gone])).await.unwrap();
    expected = Contact { avatar: None, phone: Some("4915112345678".into()), ..expected };
    assert_eq!(ann(&*storage).await, expected);
}

pub(crate) async fn a_change_is_an_event_and_a_new_one_is_not(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let called = |name: &str| ContactUpdate { saved_name: Some(name.into()), ..ContactUpdate::new(address("ann@net")) };
    assert_eq!(events_of(&*storage, telling([called("Ann")])).await, [], "nobody has seen it yet");
    assert_eq!(events_of(&*storage, telling([called("Ann")])).await, [], "the same once more");
    let changed = || EventBody::ContactChanged { address: address("ann@net") };
    let both = telling([called("Anna"), ContactUpdate::new(address("bob@net"))]);
    assert_eq!(events_of(&*storage, both).await, [changed()]);
    assert_eq!(events_of(&*storage, telling([called("A"), called("B")])).await, [changed(), changed()]);

    // Who was met in a message is known as well.
    storage.commit(storing(1, [saying(inbound("cid@net", "a", 1), "hello")])).await.unwrap();
    let cid = ContactUpdate { name: Some("Cid".into()), ..ContactUpdate::new(address("cid@net")) };
    let changed = EventBody::ContactChanged { address: address("cid@net") };
    assert_eq!(events_of(&*storage, telling([cid])).await, [changed]);
}

pub(crate) async fn pages_show_each_contact_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    // In the order of their bytes, not of some language.
    let sorted = ["10@net", "9@net", "Z@net", "a@net", "b@net", "é@net", "中@net", "😀@net"];
    let shuffled = ["b@net", "中@net", "9@net", "😀@net", "a@net", "10@net", "é@net", "Z@net"];
    storage.commit(storing(1, shuffled[..4].iter().map(|who| inbound(who, "m", 1)))).await.unwrap();
    storage.commit(telling(shuffled[4..].iter().map(|who| ContactUpdate::new(address(who))))).await.unwrap();
    storage.commit(storing(2, [inbound("c@net", "m", 1)])).await.unwrap();

    let contacts = storage.contacts(id(1), Page::first(99)).await.unwrap();
    assert_eq!(contacts.iter().map(|contact| contact.address.as_str()).collect::<Vec<_>>(), sorted);
    check_pages(async |page| storage.contacts(id(1), page).await, |contact| contact.address.clone()).await;

    let after = storage.contacts(id(1), Page::after(address("B@net"), 1)).await.unwrap();
    assert_eq!(after.first().map(|contact| contact.address.as_str()), Some("Z@net"), "after somebody unknown");
}

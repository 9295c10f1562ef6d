//! Searching contacts by everything they are called.

use seatport::conversation::{ContactHit, ContactUpdate, SearchQuery};
use seatport::storage::{Deletion, SessionCommit, Storage};
use seatport::{Action, SessionRecord};

use crate::storage::Backend;
use crate::storage::sample::{
    add, adding, address, agent_id, audit, commit, id, identifying, identity, inbound, named, record, storing,
};
use crate::storage::snapshot::check_pages_forwards;

/// Session and address of the contacts found, in the order in which they were found.
async fn found(storage: &dyn Storage, query: &SearchQuery) -> Vec<String> {
    let hits = storage.search_contacts(query, None, 1000).await.unwrap();
    for hit in &hits {
        let contact = storage.contact(hit.session, &hit.contact.address).await.unwrap();
        assert_eq!(contact.as_ref(), Some(&hit.contact), "as it is now");
    }
    hits.into_iter().map(|hit| hit.contact.address.as_str().to_owned()).collect()
}

fn called(who: &str, name: &str, saved_name: &str, phone: &str) -> ContactUpdate {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ContactUpdate {
        name: some(name),
        saved_name: some(saved_name),
        phone: some(phone),
        ..ContactUpdate::new(address(who))
    }
}

fn telling(number: u64, contacts: impl IntoIterator<Item = ContactUpdate>) -> SessionCommit {
    SessionCommit { contacts: contacts.into_iter().collect(), ..commit(number) }
}

pub(crate) async fn by_names_phone_number_and_address_together(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let contacts = [
        called("1@s.Net", "Mei LIN 林", "VIP 客户", "8613800138000"),
        called("2@s.net", "Lin", "", "4915112345678"),
        called("3@s.net", "", "100% École_", ""),
        called("lid-4", "", "", ""),
    ];
    storage.commit(telling(1, contacts)).await.unwrap();
    let cases: [(&str, &[&str]); 19] = [
        ("lin", &["1@s.Net", "2@s.net"]),
        ("林", &["1@s.Net"]),
        ("客", &["1@s.Net"]),
        ("客户", &["1@s.Net"]),
        ("mei vip 138001 net", &["1@s.Net"]),
        ("lin 49", &["2@s.net"]),
        ("49 mei", &[]),
        ("5112345", &["2@s.net"]),
        ("@S.NET", &["1@s.Net", "2@s.net", "3@s.net"]),
        ("éco", &["3@s.net"]),
        ("ÉCOLE", &["3@s.net"]),
        ("%", &["3@s.net"]),
        ("_", &["3@s.net"]),
        ("4", &["2@s.net", "lid-4"]),
        ("lid", &["lid-4"]),
        ("林VIP", &[]),
        ("simulated", &[]),
        ("", &[]),
        (" \u{3000}", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(found(&*storage, &SearchQuery::new(text)).await, expected, "searching for {text:?}");
    }
}

pub(crate) async fn by_what_they_are_called_now(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [named(inbound("ann@net", "a", 1), "Ann 安")])).await.unwrap();
    let ann = async |text: &str| !found(&*storage, &SearchQuery::new(text)).await.is_empty();
    assert!(ann("安").await);
    storage.commit(storing(1, [named(inbound("ann@net", "b", 2), "Anna")])).await.unwrap();
    assert!(ann("anna").await && !ann("安").await);
    storage.commit(telling(1, [called("ann@net", "", "the one from May", "49151")])).await.unwrap();
    assert!(ann("anna may 49").await);
    storage.commit(identifying(1, [identity("ann@net", "8613@net")])).await.unwrap();
    assert!(ann("anna may 8613").await && !ann("ann@net").await, "under the new address");
}

/// Sessions added in an order that is not that of their ids, with contacts each.
async fn fill(storage: &dyn Storage) {
    for (number, agent) in [(7, Some("mei")), (2, None), (9, Some("li"))] {
        storage.commit(adding(SessionRecord { agent: agent.map(agent_id), ..record(number) })).await.unwrap();
        let names = ["b", "é", "a"].map(|name| called(&format!("{name}{number}@net"), "somebody 某人", "", ""));
        storage.commit(telling(number, names)).await.unwrap();
        storage.commit(telling(number, [called("other@net", "else", "", "")])).await.unwrap();
    }
}

pub(crate) async fn the_session_added_last_comes_first(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage).await;
    let all = ["a9@net", "b9@net", "é9@net", "a2@net", "b2@net", "é2@net", "a7@net", "b7@net", "é7@net"];
    assert_eq!(found(&*storage, &SearchQuery::new("somebody")).await, all, "in a session by address");
    let hits = storage.search_contacts(&SearchQuery::new("else"), None, 9).await.unwrap();
    assert_eq!(hits.iter().map(|hit| hit.session).collect::<Vec<_>>(), [9, 2, 7].map(id));
}

pub(crate) async fn only_where_it_was_asked_for(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage).await;
    let somebody = SearchQuery::new("某人");
    let of_mei = SearchQuery { bound_to: Some(agent_id("mei")), ..somebody.clone() };
    assert_eq!(found(&*storage, &of_mei).await, ["a7@net", "b7@net", "é7@net"]);
    let in_two = SearchQuery { session: Some(id(2)), ..somebody.clone() };
    assert_eq!(found(&*storage, &in_two).await, ["a2@net", "b2@net", "é2@net"]);
    assert_eq!(found(&*storage, &SearchQuery { session: Some(id(2)), ..of_mei }).await, [""; 0]);
    storage.delete(id(9), 1, Deletion::Delete, audit(9, Action::Delete)).await.unwrap();
    assert_eq!(found(&*storage, &somebody).await.len(), 6, "nothing of a deleted session");
}

pub(crate) async fn pages_show_each_hit_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage).await;
    let mei = Some(agent_id("mei"));
    for query in [
        SearchQuery::new("some"),
        SearchQuery::new("某"),
        SearchQuery::new("else"),
        SearchQuery { bound_to: mei, ..SearchQuery::new("net") },
    ] {
        check_pages_forwards(async |last: Option<ContactHit>, limit| {
            let after = last.map(|last| (last.session, last.contact.address));
            storage.search_contacts(&query, after.as_ref(), limit).await
        })
        .await;
    }
}

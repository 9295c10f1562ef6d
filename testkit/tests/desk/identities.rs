//! People who are known by more than one address.

use seatport::conversation::MessageStatus;
use seatport::{Address, CardStatus, EventBody, Page, SessionId, WhenFull};
use seatport_testkit::messenger::{Person, Phone};

use crate::office::{Office, eventually};

super::on_every_storage![
    two_addresses_of_one_person_become_one_chat,
    later_messages_to_and_from_either_address_are_in_one_chat,
    who_is_whom_may_be_known_before_anything_was_said,
    a_number_that_is_learned_later_belongs_to_the_contact,
    a_merge_that_is_told_again_or_in_a_circle_changes_nothing,
    three_addresses_merge_in_any_order_with_crashes_in_between,
    a_message_that_came_under_both_addresses_is_one,
    reading_and_receipts_go_to_the_address_that_is_left,
];

/// Somebody known by two addresses: a number, and an id that hides it.
fn known_and_hidden(office: &Office) -> (Person, Person) {
    (office.messenger.person("+8613911111111"), office.messenger.person("hidden-17"))
}

/// The only chat there is.
async fn only_chat(office: &Office, session: SessionId) -> seatport::conversation::Chat {
    let mut chats = office.li.chats(session, Page::first(10)).await.unwrap();
    assert_eq!(chats.len(), 1, "{chats:?}");
    chats.remove(0)
}

async fn merges(office: &Office, session: SessionId) -> Vec<(Address, Address)> {
    let events = office.events(session).await.into_iter();
    let merged = events.filter_map(|event| match event {
        EventBody::IdentityMerged { address, canonical } => Some((address, canonical)),
        _ => None,
    });
    merged.collect()
}

async fn written(office: &Office, session: SessionId, phone: &Phone, people: &[&Person]) {
    for (index, person) in people.iter().enumerate() {
        person.write(phone.address(), format!("{index}"));
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    }
    office.settled(phone).await;
    assert_eq!(office.card(session).await.unread, people.len() as u64);
}

async fn two_addresses_of_one_person_become_one_chat(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (known, hidden) = known_and_hidden(&office);
    let begin = seatport::Clock::now(&office.clock);
    written(&office, session, &phone, &[&hidden, &known, &hidden]).await;
    hidden.show(Some("simulated:face"));
    phone.save(known.address(), "Ada");
    office.settled(&phone).await;
    hidden.is_also(phone.address(), &known);
    office.settled(&phone).await;

    let chat = only_chat(&office, session).await;
    assert_eq!((&chat.address, chat.unread, chat.name.as_deref()), (known.address(), 3, Some("Ada")));
    assert_eq!(office.card(session).await.unread, 3);
    assert_eq!(office.texts(session, known.address()).await, ["0", "1", "2"], "by time");
    let contacts = office.li.contacts(session, Page::first(10)).await.unwrap();
    let [contact] = &contacts[..] else { panic!("{contacts:?}") };
    assert_eq!((&contact.address, contact.phone.as_deref()), (known.address(), Some("8613911111111")));
    assert_eq!(contact.avatar.as_deref(), Some("simulated:face"), "what only the other one knew is kept");
    assert_eq!(contact.first_seen, Some(begin), "the earliest of both");
    assert_eq!(merges(&office, session).await, [(hidden.address().clone(), known.address().clone())]);
    // Who still has the old address at hand finds everything by it.
    assert_eq!(office.li.chat(session, hidden.address()).await.unwrap(), chat);
    assert_eq!(office.texts(session, hidden.address()).await, ["0", "1", "2"]);
}

async fn later_messages_to_and_from_either_address_are_in_one_chat(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (known, hidden) = known_and_hidden(&office);
    written(&office, session, &phone, &[&hidden]).await;
    hidden.is_also(phone.address(), &known);
    office.settled(&phone).await;
    let office = office.restart(false).await;
    office.reaches(session, CardStatus::Online).await;
    let late = hidden.write(phone.address(), "1");
    known.write(phone.address(), "2");
    office.unread(session, 3).await;
    hidden.edit(phone.address(), &late, "1!");
    phone.write(hidden.address(), "3");
    office.settled(&phone).await;
    office.says(session, hidden.address(), "4").await;
    office.says(session, known.address(), "5").await;
    eventually(|| known.received().len() + hidden.received().len() == 3).await;
    assert_eq!(only_chat(&office, session).await.address, *known.address());
    assert_eq!(office.texts(session, known.address()).await, ["0", "1!", "2", "3", "4", "5"]);
    let received: Vec<_> = known.received().into_iter().map(|received| received.text().to_owned()).collect();
    assert_eq!(received, ["4", "5"], "what we say goes to the address that counts");
}

async fn who_is_whom_may_be_known_before_anything_was_said(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (known, hidden) = known_and_hidden(&office);
    hidden.is_also(phone.address(), &known);
    office.settled(&phone).await;
    assert!(merges(&office, session).await.is_empty(), "there was nothing to move");
    written(&office, session, &phone, &[&hidden, &known]).await;
    assert_eq!(only_chat(&office, session).await.address, *known.address());
}

async fn a_number_that_is_learned_later_belongs_to_the_contact(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (_, hidden) = known_and_hidden(&office);
    written(&office, session, &phone, &[&hidden]).await;
    hidden.reveal_number(phone.address(), "+86 139 1111 1111");
    office.settled(&phone).await;
    let contact = office.li.contacts(session, Page::first(10)).await.unwrap().remove(0);
    assert_eq!((&contact.address, contact.phone.as_deref()), (hidden.address(), Some("8613911111111")));
    assert_eq!(only_chat(&office, session).await.address, *hidden.address());
}

async fn a_merge_that_is_told_again_or_in_a_circle_changes_nothing(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (known, hidden) = known_and_hidden(&office);
    written(&office, session, &phone, &[&hidden, &known]).await;
    for _ in 0..3 {
        hidden.is_also(phone.address(), &known);
    }
    known.is_also(phone.address(), &hidden);
    office.settled(&phone).await;
    let chat = only_chat(&office, session).await;
    assert_eq!((&chat.address, chat.unread), (known.address(), 2));
    assert_eq!(merges(&office, session).await.len(), 1);
}

async fn three_addresses_merge_in_any_order_with_crashes_in_between(mut office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let [a, b, c] = ["hidden-a", "hidden-b", "+8613911111111"].map(|name| office.messenger.person(name));
    written(&office, session, &phone, &[&a, &b, &c, &a]).await;
    for (address, canonical) in [(&a, &b), (&b, &c)] {
        address.is_also(phone.address(), canonical);
        office.settled(&phone).await;
        office = office.restart(false).await;
        office.reaches(session, CardStatus::Online).await;
    }
    a.write(phone.address(), "4");
    office.unread(session, 5).await;
    let chat = only_chat(&office, session).await;
    assert_eq!((&chat.address, chat.unread), (c.address(), 5));
    for address in [a.address(), b.address(), c.address()] {
        assert_eq!(office.texts(session, address).await, ["0", "1", "2", "3", "4"]);
    }
}

async fn a_message_that_came_under_both_addresses_is_one(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (known, hidden) = known_and_hidden(&office);
    let id = hidden.write(phone.address(), "hello");
    known.send_again(phone.address(), &id, seatport::conversation::Content::Text("hello".into()));
    office.unread(session, 2).await;
    office.li.mark_read(session, hidden.address()).await.unwrap();
    hidden.is_also(phone.address(), &known);
    office.settled(&phone).await;
    assert_eq!(office.texts(session, known.address()).await, ["hello"]);
    assert_eq!(office.card(session).await.unread, 0, "read, as one of the two was");
}

async fn reading_and_receipts_go_to_the_address_that_is_left(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (known, hidden) = known_and_hidden(&office);
    written(&office, session, &phone, &[&hidden, &known]).await;
    let ours = office.says(session, hidden.address(), "yes?").await;
    eventually(|| hidden.received().len() == 1).await;
    hidden.is_also(phone.address(), &known);
    office.settled(&phone).await;
    // The network goes on naming the address it knows.
    hidden.read(phone.address(), &ours);
    office.gets(session, known.address(), &ours, MessageStatus::Read).await;
    office.mei.stop(session).await.unwrap();
    office.li.mark_read(session, hidden.address()).await.unwrap();
    assert_eq!(office.card(session).await.unread, 0);
    office.mei.start(session, WhenFull::Fail).await.unwrap();
    let seen = || known.seen_by(phone.address()).len() + hidden.seen_by(phone.address()).len();
    eventually(|| seen() == 2).await;
    hidden.write(phone.address(), "one more");
    office.unread(session, 1).await;
    phone.read(hidden.address());
    office.unread(session, 0).await;
}

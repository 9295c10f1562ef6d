//! What was said before the account was linked here.

use std::time::Duration;

use seatport::conversation::{Author, Content, Coverage, Direction};
use seatport::{CardStatus, Clock, EventBody, Page, SessionId};
use seatport_testkit::messenger::Phone;

use crate::office::{Office, eventually, id};

super::on_every_storage![
    a_new_link_brings_messages_chats_and_people_from_before,
    history_that_comes_twice_in_any_order_is_there_once,
    a_new_link_after_a_logout_adds_what_was_missed_and_doubles_nothing,
    a_crash_during_the_history_loses_none_of_it,
    history_and_what_is_said_meanwhile_are_in_order,
    history_told_from_its_end_keeps_the_order_of_what_was_said_at_one_moment,
];

/// A phone with a past: 120 messages from Ada, a talk with Bob that was put aside, somebody saved who never wrote.
async fn phone_with_a_past(office: &Office) -> Phone {
    let phone = office.messenger.phone("+8613800138000");
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    for number in 0..120 {
        ada.write(phone.address(), number.to_string());
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    bob.write(phone.address(), "hello");
    tokio::time::sleep(Duration::from_secs(1)).await;
    phone.write(bob.address(), "hello Bob");
    phone.archive(bob.address(), true);
    phone.save(office.messenger.person("eve").address(), "Eve 会计");
    tokio::time::sleep(Duration::from_secs(3600)).await;
    phone
}

async fn linked(office: &Office, phone: &Phone) -> SessionId {
    let session = office.started().await;
    office.scan(session, phone).await;
    office.reaches(session, CardStatus::Online).await;
    session
}

async fn has_the_past(office: &Office, session: SessionId) {
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    assert_eq!(office.texts(session, ada.address()).await, (0..120).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(office.texts(session, bob.address()).await, ["hello", "hello Bob"]);
    assert_eq!(office.card(session).await.unread, 0, "nobody has to read it");
}

async fn a_new_link_brings_messages_chats_and_people_from_before(office: Office) {
    let begin = office.clock.now();
    let phone = phone_with_a_past(&office).await;
    let session = linked(&office, &phone).await;
    office.settled(&phone).await;
    has_the_past(&office, session).await;

    let chats = office.li.chats(session, Page::first(10)).await.unwrap();
    let [bob, ada] = &chats[..] else { panic!("{chats:?}") };
    assert_eq!((ada.archived, bob.archived), (false, true));
    assert_eq!(ada.coverage, Some(Coverage { oldest: begin, complete: true }));
    assert_eq!((ada.name.as_deref(), bob.name.as_deref()), (Some("ada"), Some("bob")));
    let contacts = office.li.contacts(session, Page::first(10)).await.unwrap();
    let saved: Vec<_> = contacts.iter().filter_map(|contact| contact.saved_name.as_deref()).collect();
    assert_eq!((contacts.len(), saved), (3, vec!["Eve 会计"]));
    assert_eq!(office.li.contact(session, &ada.address).await.unwrap().first_seen, Some(begin));
    let device = office.messages(session, &bob.address).await.remove(1).message;
    assert_eq!((device.direction, device.author), (Direction::Outbound, Some(Author::Device)));

    let progress: Vec<_> = office
        .events(session)
        .await
        .into_iter()
        .filter_map(|event| match event {
            EventBody::HistoryReceived { messages, progress } => Some((messages, progress.unwrap())),
            _ => None,
        })
        .collect();
    assert_eq!(progress, [(50, 25), (50, 50), (20, 75), (2, 100)]);
}

async fn history_that_comes_twice_in_any_order_is_there_once(office: Office) {
    let phone = phone_with_a_past(&office).await;
    office.messenger.conditions(|now| {
        now.duplicates = 100;
        now.lost_acks = 60;
        now.newest_first = true;
        now.jitter = Duration::from_secs(40);
    });
    let session = linked(&office, &phone).await;
    office.settled(&phone).await;
    has_the_past(&office, session).await;
    let ada = office.messenger.person("ada");
    assert!(office.li.chat(session, ada.address()).await.unwrap().coverage.unwrap().complete);
}

async fn a_new_link_after_a_logout_adds_what_was_missed_and_doubles_nothing(office: Office) {
    let phone = phone_with_a_past(&office).await;
    let session = linked(&office, &phone).await;
    let ada = office.messenger.person("ada");
    let live = ada.write(phone.address(), "live");
    office.unread(session, 1).await;
    let ours = office.says(session, ada.address(), "from Li").await;
    eventually(|| ada.received().len() == 1).await;
    phone.log_out(session).unwrap();
    office.reaches(session, CardStatus::Blocked).await;
    ada.write(phone.address(), "missed");
    ada.edit(phone.address(), &live, "live!");
    let before = office.message(session, ada.address(), &ours).await;

    office.mei.refresh_login(session).await.unwrap();
    office.scan(session, &phone).await;
    office.reaches(session, CardStatus::Online).await;
    office.settled(&phone).await;
    let texts = office.texts(session, ada.address()).await;
    assert_eq!((texts.len(), texts.last().unwrap().as_str()), (123, "missed"));
    let after = office.message(session, ada.address(), &ours).await;
    assert_eq!((&after, after.message.author.clone()), (&before, Some(Author::Agent(id("li")))), "whose it is stays");
    assert_eq!(office.card(session).await.unread, 1, "what was unread stays so, and history adds nothing");
}

async fn a_crash_during_the_history_loses_none_of_it(mut office: Office) {
    let phone = phone_with_a_past(&office).await;
    office.messenger.conditions(|now| now.jitter = Duration::from_secs(20));
    let session = linked(&office, &phone).await;
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_secs(4)).await;
        office = office.restart(false).await;
    }
    office.reaches(session, CardStatus::Online).await;
    office.settled(&phone).await;
    has_the_past(&office, session).await;
}

async fn history_and_what_is_said_meanwhile_are_in_order(office: Office) {
    let phone = phone_with_a_past(&office).await;
    // The history takes its time, and what is said now overtakes it.
    office.messenger.conditions(|now| now.jitter = Duration::from_secs(1_800));
    let session = linked(&office, &phone).await;
    office.messenger.conditions(|now| now.jitter = Duration::ZERO);
    let ada = office.messenger.person("ada");
    let now = ada.write(phone.address(), "now");
    office.unread(session, 1).await;
    office.settled(&phone).await;
    let messages = office.messages(session, ada.address()).await;
    assert_eq!((messages.len(), &messages[120].message.id), (121, &now));
    assert_eq!(messages[0].message.content, Content::Text("0".into()));
    assert_eq!(office.li.chat(session, ada.address()).await.unwrap().last.unwrap().message.id, now);
    assert_eq!(office.card(session).await.unread, 1);
}

async fn history_told_from_its_end_keeps_the_order_of_what_was_said_at_one_moment(office: Office) {
    let (phone, ada) = (office.messenger.phone("+8613800138000"), office.messenger.person("ada"));
    for number in 0..20 {
        ada.write(phone.address(), number.to_string());
        // Four at a time, which the clock does not tell apart.
        tokio::time::sleep(Duration::from_secs(60 * u64::from(number % 4 == 3))).await;
    }
    let session = linked(&office, &phone).await;
    office.settled(&phone).await;
    let said: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    assert_eq!(office.texts(session, ada.address()).await, said);
}

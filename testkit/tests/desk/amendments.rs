//! Edits, deletions and reactions, after their message and before it; receipts in any order.

use std::time::Duration;

use seatport::conversation::{Content, MessageStatus};
use seatport::{EventBody, SessionId, WhenFull};
use seatport_testkit::messenger::{Person, Phone};

use crate::office::{Office, eventually};

super::on_every_storage![
    what_was_said_is_edited_reacted_to_and_taken_back,
    changes_that_come_before_their_message_wait_for_it,
    a_change_waits_across_a_crash,
    of_two_edits_the_later_counts_in_whatever_order_they_come,
    a_deletion_is_final,
    what_we_said_is_changed_on_the_phone_and_reacted_to,
    each_sender_has_one_reaction_in_a_group_too,
    a_change_leaves_unread_and_the_order_alone,
    a_receipt_may_overtake_the_answer_and_another_receipt,
];

/// Stops the session, lets things happen, and starts it again with the newest of them delivered first.
async fn meanwhile(office: &Office, session: SessionId, phone: &Phone, happens: impl AsyncFnOnce()) {
    office.mei.stop(session).await.unwrap();
    happens().await;
    phone.conditions(|now| now.newest_first = true);
    office.mei.start(session, WhenFull::Fail).await.unwrap();
    office.settled(phone).await;
    phone.conditions(|now| now.newest_first = false);
}

async fn a_second() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn reactions(
    office: &Office,
    session: SessionId,
    person: &Person,
    id: &seatport::MessageId,
) -> Vec<(String, String)> {
    let reactions = office.message(session, person.address(), id).await.reactions;
    reactions.into_iter().map(|reaction| (reaction.sender.to_string(), reaction.emoji)).collect()
}

async fn what_was_said_is_edited_reacted_to_and_taken_back(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let id = ada.write(phone.address(), "helo");
    office.unread(session, 1).await;
    a_second().await;
    ada.edit(phone.address(), &id, "hello");
    phone.react(ada.address(), &id, Some("👍"));
    office.settled(&phone).await;
    let stored = office.message(session, ada.address(), &id).await;
    assert_eq!(stored.message.content, Content::Text("hello".into()));
    assert!(stored.edited_at > Some(stored.message.at));
    assert_eq!(reactions(&office, session, &ada, &id).await, [(phone.address().to_string(), "👍".to_owned())]);

    ada.delete(phone.address(), &id);
    office.settled(&phone).await;
    let stored = office.message(session, ada.address(), &id).await;
    assert_eq!(stored.message.content, Content::Deleted);
    assert!(stored.reactions.is_empty());
    let amended = office.events(session).await;
    let amended =
        amended.iter().filter(|event| matches!(event, EventBody::MessageAmended { id: about, .. } if *about == id));
    assert_eq!(amended.count(), 3);
    let listed = office.li.chat(session, ada.address()).await.unwrap().last.unwrap();
    assert_eq!(listed.message.content, Content::Deleted, "the list of chats shows the same");
}

async fn changes_that_come_before_their_message_wait_for_it(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    let (mut edited, mut deleted) = (None, None);
    meanwhile(&office, session, &phone, async || {
        let (hers, his) = (ada.write(phone.address(), "helo"), bob.write(phone.address(), "a secret"));
        a_second().await;
        ada.edit(phone.address(), &hers, "hello");
        bob.react(phone.address(), &his, Some("🙈"));
        a_second().await;
        phone.react(ada.address(), &hers, Some("👍"));
        bob.delete(phone.address(), &his);
        (edited, deleted) = (Some(hers), Some(his));
    })
    .await;
    let (edited, deleted) = (edited.unwrap(), deleted.unwrap());
    let stored = office.message(session, ada.address(), &edited).await;
    assert_eq!(stored.message.content, Content::Text("hello".into()));
    assert!(stored.edited_at.is_some());
    assert_eq!(reactions(&office, session, &ada, &edited).await.len(), 1);
    let stored = office.message(session, bob.address(), &deleted).await;
    assert_eq!((stored.message.content, stored.reactions), (Content::Deleted, vec![]));
    assert_eq!(office.card(session).await.unread, 2);
    let texts = office.events(session).await.len();
    office.mei.restart(session).await.unwrap();
    office.reaches(session, seatport::CardStatus::Online).await;
    assert!(office.events(session).await.len() >= texts);
}

async fn a_change_waits_across_a_crash(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    // Long on its way, and overtaken by what is said later.
    phone.conditions(|now| now.jitter = Duration::from_secs(3_600));
    let id = ada.write(phone.address(), "helo");
    phone.conditions(|now| now.jitter = Duration::ZERO);
    ada.edit(phone.address(), &id, "hello");
    ada.react(phone.address(), &id, Some("🙂"));
    eventually(|| phone.undelivered() == 1).await;
    assert!(office.li.message(session, ada.address(), &id).await.unwrap().is_none(), "it is still on its way");
    let office = office.restart(false).await;
    while phone.undelivered() > 0 {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    a_second().await;
    assert_eq!(office.texts(session, ada.address()).await, ["hello"]);
    assert_eq!(reactions(&office, session, &ada, &id).await, [(ada.address().to_string(), "🙂".to_owned())]);
}

async fn of_two_edits_the_later_counts_in_whatever_order_they_come(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let id = ada.write(phone.address(), "1");
    office.unread(session, 1).await;
    meanwhile(&office, session, &phone, async || {
        for edit in ["2", "3", "4"] {
            a_second().await;
            ada.edit(phone.address(), &id, edit);
            phone.react(ada.address(), &id, Some(edit));
        }
    })
    .await;
    assert_eq!(office.texts(session, ada.address()).await, ["4"]);
    assert_eq!(reactions(&office, session, &ada, &id).await, [(phone.address().to_string(), "4".to_owned())]);
    meanwhile(&office, session, &phone, async || {
        phone.react(ada.address(), &id, Some("5"));
        a_second().await;
        phone.react(ada.address(), &id, None);
    })
    .await;
    assert!(reactions(&office, session, &ada, &id).await.is_empty(), "taken away last");
}

async fn a_deletion_is_final(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let id = ada.write(phone.address(), "a secret");
    office.unread(session, 1).await;
    ada.delete(phone.address(), &id);
    a_second().await;
    ada.edit(phone.address(), &id, "another secret");
    phone.react(ada.address(), &id, Some("👍"));
    // The network may well deliver it once more.
    ada.send_again(phone.address(), &id, Content::Text("a secret".into()));
    office.settled(&phone).await;
    let stored = office.message(session, ada.address(), &id).await;
    assert_eq!((stored.message.content, stored.reactions), (Content::Deleted, vec![]));
}

async fn what_we_said_is_changed_on_the_phone_and_reacted_to(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let ours = office.says(session, ada.address(), "10 %").await;
    office.gets(session, ada.address(), &ours, MessageStatus::Sent).await;
    let device = phone.write(ada.address(), "helo");
    phone.edit(ada.address(), &ours, "5 %");
    ada.react(phone.address(), &ours, Some("❤️"));
    phone.delete(ada.address(), &device);
    office.settled(&phone).await;
    assert_eq!(office.texts(session, ada.address()).await, ["5 %", "Deleted"]);
    assert_eq!(reactions(&office, session, &ada, &ours).await, [(ada.address().to_string(), "❤️".to_owned())]);
    assert_eq!(office.message(session, ada.address(), &ours).await.message.status, MessageStatus::Sent);
}

async fn each_sender_has_one_reaction_in_a_group_too(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    let group = office.messenger.group("team", &[&phone]);
    let id = ada.write(group.address(), "lunch?");
    office.unread(session, 1).await;
    for (who, emoji) in [(&bob, "👍"), (&ada, "😀"), (&bob, "👎")] {
        a_second().await;
        who.react(group.address(), &id, Some(emoji));
    }
    phone.react(group.address(), &id, Some("🍜"));
    office.settled(&phone).await;
    let stored = office.message(session, group.address(), &id).await;
    let put: Vec<_> = stored.reactions.iter().map(|put| (put.sender.as_str(), put.emoji.as_str())).collect();
    let phone = phone.address().as_str();
    assert_eq!(put, [(phone, "🍜"), (ada.address().as_str(), "😀"), (bob.address().as_str(), "👎")], "by sender");
}

async fn a_change_leaves_unread_and_the_order_alone(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let first = ada.write(phone.address(), "one");
    ada.write(phone.address(), "two");
    office.unread(session, 2).await;
    office.li.mark_read(session, ada.address()).await.unwrap();
    ada.edit(phone.address(), &first, "uno");
    ada.react(phone.address(), &first, Some("🙂"));
    office.settled(&phone).await;
    assert_eq!(office.card(session).await.unread, 0);
    assert_eq!(office.texts(session, ada.address()).await, ["uno", "two"]);
}

async fn a_receipt_may_overtake_the_answer_and_another_receipt(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    phone.conditions(|now| now.lost_answers = 100);
    let id = office.says(session, ada.address(), "hello").await;
    eventually(|| ada.received().len() == 1).await;
    assert_eq!(office.message(session, ada.address(), &id).await.message.status, MessageStatus::Pending);
    ada.read(phone.address(), &id);
    office.gets(session, ada.address(), &id, MessageStatus::Read).await;
    ada.confirm(phone.address(), &id);
    phone.conditions(|now| now.lost_answers = 0);
    // Long enough for it to be sent again, if anybody thought that it had to be.
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(office.message(session, ada.address(), &id).await.message.status, MessageStatus::Read);
    assert_eq!(office.messenger.journal().sent[0].times, 1);
    let steps = office.events(session).await;
    let steps = steps.iter().filter(|event| matches!(event, EventBody::MessageStatusChanged { .. }));
    assert_eq!(steps.count(), 1, "it never went back, and nobody was told that it did");
}

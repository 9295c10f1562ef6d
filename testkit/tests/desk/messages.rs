//! Messages: each once, in both directions.

use std::time::Duration;

use seatport::conversation::{Author, Direction, MessageStatus};
use seatport::{CardStatus, Page, WhenFull};

use crate::office::{Office, eventually, id};

super::on_every_storage![
    every_message_is_stored_once_whatever_the_network_does,
    what_was_written_while_stopped_arrives_at_the_next_start,
    what_is_sent_is_followed_to_the_reader,
    what_is_sent_while_the_network_is_away_goes_out_once_it_is_back,
    what_the_phone_writes_and_reads_counts_too,
];

async fn every_message_is_stored_once_whatever_the_network_does(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    office.messenger.conditions(|now| {
        now.duplicates = 30;
        now.lost_acks = 30;
        now.jitter = Duration::from_secs(3);
    });
    let people = ["ada", "bob", "eve"].map(|name| office.messenger.person(name));
    let mut written = 0;
    for round in 0..100 {
        for person in &people {
            person.write(phone.address(), format!("{round:03}"));
            written += 1;
        }
        if round % 20 == 19 {
            phone.conditions(|now| now.down = true);
            tokio::time::sleep(Duration::from_secs(5)).await;
            phone.conditions(|now| now.down = false);
        }
    }
    office.unread(session, written).await;
    eventually(|| phone.unacknowledged() == 0).await;
    assert_eq!(office.card(session).await.unread, written);
    for person in &people {
        let mut texts = office.texts(session, person.address()).await;
        texts.sort();
        assert_eq!(texts, (0..100).map(|round| format!("{round:03}")).collect::<Vec<_>>());
    }
}

async fn what_was_written_while_stopped_arrives_at_the_next_start(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    office.mei.stop(session).await.unwrap();
    let ada = office.messenger.person("ada");
    ada.write(phone.address(), "anybody there?");
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(office.card(session).await.unread, 0);
    office.mei.start(session, WhenFull::Fail).await.unwrap();
    office.unread(session, 1).await;
    assert_eq!(office.texts(session, ada.address()).await, ["anybody there?"]);
}

async fn what_is_sent_is_followed_to_the_reader(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let message = office.says(session, ada.address(), "hello Ada").await;
    office.gets(session, ada.address(), &message, MessageStatus::Sent).await;
    let sent = office.message(session, ada.address(), &message).await.message;
    assert_eq!((sent.direction, sent.author), (Direction::Outbound, Some(Author::Agent(id("li")))));
    eventually(|| ada.received().iter().any(|received| received.id == message)).await;
    ada.read(phone.address(), &message);
    office.gets(session, ada.address(), &message, MessageStatus::Read).await;
    ada.confirm(phone.address(), &message);
    tokio::time::sleep(Duration::from_secs(60)).await;
    office.gets(session, ada.address(), &message, MessageStatus::Read).await;
    assert_eq!(office.card(session).await.unread, 0, "what we write is not unread");
}

async fn what_is_sent_while_the_network_is_away_goes_out_once_it_is_back(office: Office) {
    let (session, _) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    office.messenger.conditions(|now| now.down = true);
    office.reaches(session, CardStatus::Connecting).await;
    for number in 0..10 {
        office.says(session, ada.address(), &number.to_string()).await;
    }
    let office = office.restart(false).await;
    office.messenger.conditions(|now| now.down = false);
    eventually(|| ada.received().len() == 10).await;
    let received: Vec<_> = ada.received().into_iter().map(|received| received.text().to_owned()).collect();
    assert_eq!(received, (0..10).map(|number| number.to_string()).collect::<Vec<_>>(), "in order, each once");
}

async fn what_the_phone_writes_and_reads_counts_too(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    ada.write(phone.address(), "hello");
    office.unread(session, 1).await;
    phone.read(ada.address());
    office.unread(session, 0).await;
    phone.write(ada.address(), "from the phone");
    eventually(|| phone.unacknowledged() == 0).await;
    let newest = office.li.messages(session, ada.address(), Page::first(1)).await.unwrap();
    assert_eq!(newest[0].message.author, Some(Author::Device));
    assert_eq!(office.card(session).await.unread, 0);
}

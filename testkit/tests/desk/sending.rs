//! What an agent sends: once, in order, at a rate, and with a reason when it fails.

use std::time::Duration;

use seatport::conversation::{Author, MessageStatus, SendFailure};
use seatport::{Address, CardStatus, Clock, Error, MessageId, SendKey, SendOptions, SessionId, WhenFull, WhenStopped};

use crate::office::{Office, eventually, id};

super::on_every_storage![
    a_stopped_session_refuses_unless_it_is_asked_to_queue,
    a_session_that_never_logged_in_refuses_in_any_case,
    what_is_sent_while_connecting_goes_out_once_online,
    the_same_key_sends_once,
    a_key_belongs_to_its_session_and_its_message,
    the_same_key_sends_once_across_a_crash,
    messages_keep_their_distance_and_their_order,
    a_cancelled_message_is_never_sent,
    only_what_waits_can_be_cancelled,
    what_the_network_refuses_fails_with_its_words_and_holds_nothing_up,
    what_the_network_puts_off_goes_out_later_in_order,
    a_lost_answer_shows_nothing_twice,
    crashes_in_the_middle_show_nothing_twice_and_lose_nothing,
];

fn key(name: &str) -> SendOptions {
    SendOptions::default().key(SendKey::new(name).unwrap())
}

fn queued() -> SendOptions {
    SendOptions::default().when_stopped(WhenStopped::Queue)
}

async fn send(
    office: &Office,
    session: SessionId,
    chat: &Address,
    text: &str,
    how: SendOptions,
) -> Result<MessageId, Error> {
    office.li.send_text(session, chat, text, how).await
}

fn texts(person: &seatport_testkit::messenger::Person) -> Vec<String> {
    person.received().iter().map(|received| received.text().to_owned()).collect()
}

async fn a_stopped_session_refuses_unless_it_is_asked_to_queue(office: Office) {
    let (session, _phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    office.mei.stop(session).await.unwrap();
    let refused = send(&office, session, ada.address(), "one", SendOptions::default()).await;
    assert!(matches!(refused, Err(Error::NotSending { .. })), "{refused:?}");
    let waits = send(&office, session, ada.address(), "two", queued()).await.unwrap();
    let office = office.restart(false).await;
    let stored = office.message(session, ada.address(), &waits).await.message;
    assert_eq!((stored.status, stored.author), (MessageStatus::Pending, Some(Author::Agent(id("li")))));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(ada.received().is_empty());
    office.mei.start(session, WhenFull::Fail).await.unwrap();
    office.gets(session, ada.address(), &waits, MessageStatus::Sent).await;
    assert_eq!(texts(&ada), ["two"]);
}

async fn a_session_that_never_logged_in_refuses_in_any_case(office: Office) {
    let session = office.started().await;
    let ada = office.messenger.person("ada");
    office.reaches(session, CardStatus::AwaitingLogin).await;
    for how in [SendOptions::default(), queued()] {
        let refused = send(&office, session, ada.address(), "hello", how).await;
        assert!(matches!(refused, Err(Error::NotSending { .. })), "nobody is there to send it: {refused:?}");
    }
}

async fn what_is_sent_while_connecting_goes_out_once_online(office: Office) {
    let (session, _phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    office.messenger.conditions(|now| now.down = true);
    office.reaches(session, CardStatus::Connecting).await;
    let sent = office.says(session, ada.address(), "hello").await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(office.message(session, ada.address(), &sent).await.message.status, MessageStatus::Pending);
    office.messenger.conditions(|now| now.down = false);
    office.gets(session, ada.address(), &sent, MessageStatus::Sent).await;
    assert_eq!(texts(&ada), ["hello"]);
}

async fn the_same_key_sends_once(office: Office) {
    let (session, _phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let first = send(&office, session, ada.address(), "order 17 is on its way", key("order 17")).await.unwrap();
    for _ in 0..3 {
        let again = send(&office, session, ada.address(), "order 17 is on its way", key("order 17")).await.unwrap();
        assert_eq!(again, first);
    }
    // At the same moment too.
    let (desk, chat) = (&office.li, ada.address());
    let (a, b) = tokio::join!(
        desk.send_text(session, chat, "order 18 is on its way", key("order 18")),
        office.mei.send_text(session, chat, "order 18 is on its way", key("order 18")),
    );
    assert_eq!(a.unwrap(), b.unwrap());
    office.gets(session, ada.address(), &first, MessageStatus::Sent).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let again = send(&office, session, ada.address(), "order 17 is on its way", key("order 17")).await.unwrap();
    assert_eq!(again, first, "long after it was sent");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(texts(&ada), ["order 17 is on its way", "order 18 is on its way"]);
}

async fn a_key_belongs_to_its_session_and_its_message(office: Office) {
    let (session, _phone) = office.online("+8613800138000").await;
    let (other, _other_phone) = office.online("+8613800138001").await;
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    let first = send(&office, session, ada.address(), "hello", key("k")).await.unwrap();
    for (chat, text) in [(ada.address(), "something else"), (bob.address(), "hello")] {
        match send(&office, session, chat, text, key("k")).await {
            Err(Error::KeyReused { message, .. }) => assert_eq!(message, first),
            answer => panic!("{answer:?}"),
        }
    }
    send(&office, other, ada.address(), "hello", key("k")).await.unwrap();
    eventually(|| ada.received().len() == 2).await;
    assert!(bob.received().is_empty());
}

async fn the_same_key_sends_once_across_a_crash(mut office: Office) {
    let (session, _phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    for round in 0..5 {
        let text = format!("order {round}");
        let (desk, chat, text_too) = (office.li.clone(), ada.address().clone(), text.clone());
        let asking = tokio::spawn(async move { desk.send_text(session, &chat, &text_too, key(&text_too)).await });
        // Sooner or later: before it is stored, before it is answered, before it is sent, before that is noted.
        for _ in 0..round * 7 {
            tokio::task::yield_now().await;
        }
        asking.abort();
        let _ = asking.await;
        office = office.restart(false).await;
        let id = loop {
            match send(&office, session, ada.address(), &text, key(&text)).await {
                Ok(id) => break id,
                Err(Error::NotSending { .. }) => tokio::time::sleep(Duration::from_millis(100)).await,
                Err(error) => panic!("{error}"),
            }
        };
        office.gets(session, ada.address(), &id, MessageStatus::Sent).await;
    }
    assert_eq!(texts(&ada), (0..5).map(|round| format!("order {round}")).collect::<Vec<_>>());
}

async fn messages_keep_their_distance_and_their_order(office: Office) {
    let (session, _phone) = office.online("+8613800138000").await;
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    for number in 0..20 {
        let chat = if number % 3 == 0 { bob.address() } else { ada.address() };
        office.says(session, chat, &number.to_string()).await;
    }
    eventually(|| ada.received().len() + bob.received().len() == 20).await;
    let sent = office.messenger.journal().sent;
    let order: Vec<_> = sent.iter().map(|sent| format!("{:?}", sent.content)).collect();
    assert_eq!(order, (0..20).map(|number| format!("Text(\"{number}\")")).collect::<Vec<_>>());
    let gaps: Vec<_> = sent.windows(2).map(|pair| pair[1].at.since(pair[0].at).as_millis()).collect();
    assert!(gaps.iter().all(|gap| (450..1_650).contains(gap)), "a second, more or less: {gaps:?}");
    assert!(gaps.iter().max() > gaps.iter().min().map(|least| least + 100).as_ref(), "no machine's beat: {gaps:?}");
}

async fn a_cancelled_message_is_never_sent(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    phone.conditions(|now| now.put_off = 100);
    let [one, two] =
        [office.says(session, ada.address(), "one").await, office.says(session, ada.address(), "two").await];
    tokio::time::sleep(Duration::from_secs(30)).await;
    for _ in 0..2 {
        office.li.cancel_send(session, ada.address(), &one).await.unwrap();
    }
    let stored = office.message(session, ada.address(), &one).await;
    assert_eq!((stored.message.status, stored.failure), (MessageStatus::Failed, Some(SendFailure::Cancelled)));
    let office = office.restart(false).await;
    phone.conditions(|now| now.put_off = 0);
    office.gets(session, ada.address(), &two, MessageStatus::Sent).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(texts(&ada), ["two"]);
}

async fn only_what_waits_can_be_cancelled(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let sent = office.says(session, ada.address(), "hello").await;
    office.gets(session, ada.address(), &sent, MessageStatus::Sent).await;
    let theirs = ada.write(phone.address(), "hello");
    office.unread(session, 1).await;
    for id in [&sent, &theirs] {
        let refused = office.li.cancel_send(session, ada.address(), id).await;
        assert!(matches!(refused, Err(Error::AlreadySent { .. })), "{refused:?}");
    }
    let unknown = MessageId::new("nothing").unwrap();
    let refused = office.li.cancel_send(session, ada.address(), &unknown).await;
    assert!(matches!(refused, Err(Error::UnknownMessage(_))), "{refused:?}");
    assert_eq!(office.message(session, ada.address(), &sent).await.message.status, MessageStatus::Sent);
}

async fn what_the_network_refuses_fails_with_its_words_and_holds_nothing_up(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let nobody = Address::new("nobody@simulated").unwrap();
    let lost = office.says(session, &nobody, "hello?").await;
    let heard = office.says(session, ada.address(), "hello").await;
    office.gets(session, ada.address(), &heard, MessageStatus::Sent).await;
    let failure = office.message(session, &nobody, &lost).await.failure;
    assert_eq!(failure, Some(SendFailure::Refused("404: nobody has the address nobody@simulated".into())));
    phone.conditions(|now| now.refusing = Some("463: too many strangers".into()));
    let refused = office.says(session, ada.address(), "again").await;
    office.gets(session, ada.address(), &refused, MessageStatus::Failed).await;
    let office = office.restart(false).await;
    let failure = office.message(session, ada.address(), &refused).await.failure;
    assert_eq!(failure, Some(SendFailure::Refused("463: too many strangers".into())), "it is kept");
    assert_eq!(texts(&ada), ["hello"]);
}

async fn what_the_network_puts_off_goes_out_later_in_order(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    phone.conditions(|now| now.put_off = 60);
    for number in 0..10 {
        office.says(session, ada.address(), &number.to_string()).await;
    }
    eventually(|| ada.received().len() == 10).await;
    assert_eq!(texts(&ada), (0..10).map(|number| number.to_string()).collect::<Vec<_>>());
}

async fn a_lost_answer_shows_nothing_twice(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let begin = office.clock.now();
    phone.conditions(|now| now.lost_answers = 100);
    let [one, two] =
        [office.says(session, ada.address(), "one").await, office.says(session, ada.address(), "two").await];
    eventually(|| ada.received().len() == 1).await;
    tokio::time::sleep(Duration::from_secs(90)).await;
    phone.conditions(|now| now.lost_answers = 0);
    for id in [&one, &two] {
        office.gets(session, ada.address(), id, MessageStatus::Sent).await;
    }
    assert_eq!(texts(&ada), ["one", "two"]);
    assert!(office.messenger.journal().sent[0].times >= 2, "it was asked again");
    assert!(office.clock.now().since(begin) < Duration::from_secs(300));
}

async fn crashes_in_the_middle_show_nothing_twice_and_lose_nothing(mut office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    for number in 0..12 {
        send(&office, session, ada.address(), &number.to_string(), queued()).await.unwrap();
    }
    phone.conditions(|now| now.lost_answers = 30);
    let mut moment = 137;
    while ada.received().len() < 12 {
        tokio::time::sleep(Duration::from_millis(moment)).await;
        moment = moment * 31 % 4_001;
        office = office.restart(false).await;
    }
    phone.conditions(|now| now.lost_answers = 0);
    office.reaches(session, CardStatus::Online).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(texts(&ada), (0..12).map(|number| number.to_string()).collect::<Vec<_>>());
    let statuses = office.messages(session, ada.address()).await;
    assert!(statuses.iter().all(|stored| stored.message.status == MessageStatus::Sent), "{statuses:?}");
}

//! Messages and what becomes of them.

mod office;

use std::time::Duration;

use anyhow::Result;
use office::{BOB, CAROL, Office, contents, eventually, impatient, text};
use seatport::conversation::{Author, Content, Direction, MessageStatus};
use seatport::{Address, SendOptions, WhenFull};
use seatport_whatsapp_e2e::{Letter, Receipt};

const GROUP: &str = "120363021033254949@g.us";

/// Long enough for something to happen that must not.
const A_WHILE: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_of_a_text_follows_its_receipts() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    let id = office.send(session, &bob.jid(), "hello").await?;
    bob.confirm(&phone, &[&id], Receipt::Delivered).await?;
    office.status(session, &bob.jid(), &id, MessageStatus::Delivered).await?;
    bob.confirm(&phone, &[&id], Receipt::Read).await?;
    office.status(session, &bob.jid(), &id, MessageStatus::Read).await?;
    bob.confirm(&phone, &[&id], Receipt::Delivered).await?;
    tokio::time::sleep(A_WHILE).await;
    office.status(session, &bob.jid(), &id, MessageStatus::Read).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_the_network_does_not_take_is_sent_again() -> Result<()> {
    // The patience of 30 s is gone in one.
    let office = Office::open_with(impatient(), |transport| transport.pace(30)).await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    phone.withhold_acks(true).await;
    let id =
        office.desk.send_text(session, &Address::new(bob.jid())?, "do you hear me?", SendOptions::default()).await?;
    eventually("it was sent", async || !office.server.journal().texts(phone.number()).is_empty()).await?;
    tokio::time::sleep(A_WHILE).await;
    office.status(session, &bob.jid(), id.as_str(), MessageStatus::Pending).await?;
    phone.withhold_acks(false).await;
    office.status(session, &bob.jid(), id.as_str(), MessageStatus::Sent).await?;
    let ids: Vec<_> = office.server.journal().texts(phone.number()).into_iter().map(|(id, ..)| id).collect();
    assert!(ids.iter().all(|sent| sent == id.as_str()), "under the same id: {ids:?}");

    let nobody = Address::new("nobody at all")?;
    let id = office.desk.send_text(session, &nobody, "hello?", SendOptions::default()).await?;
    office.status(session, nobody.as_str(), id.as_str(), MessageStatus::Failed).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_comes_twice_is_stored_once() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    let id = bob.write(&phone, "hello").await?;
    office.messages_until(session, &bob.jid(), |messages| messages.len() == 1).await?;
    phone.redeliver(&id).await?;
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(office.messages(session, &bob.jid()).await?.len(), 1);
    assert_eq!(office.desk.card(session).await?.unread, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_meanwhile_comes_after_the_start() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let (bob, carol) = (office.server.person(BOB), office.server.person(CAROL));
    office.desk.stop(session).await?;
    for number in 1..=30 {
        bob.write(&phone, &format!("{number}")).await?;
    }
    carol.write(&phone, "me too").await?;
    assert_eq!(phone.unacknowledged().await.len(), 31);
    office.desk.start(session, WhenFull::Fail).await?;
    office.online(session).await?;
    let messages = office.messages_until(session, &bob.jid(), |messages| messages.len() == 30).await?;
    assert_eq!(contents(&messages), (1..=30).map(|number| text(&number.to_string())).collect::<Vec<_>>());
    office.messages_until(session, &carol.jid(), |messages| messages.len() == 1).await?;
    assert_eq!(office.desk.card(session).await?.unread, 31);
    eventually("all is acknowledged", async || phone.unacknowledged().await.is_empty()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_one_chat_of_many() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let (bob, carol) = (office.server.person(BOB), office.server.person(CAROL));
    bob.send(&phone, Letter::text("hi all").in_room(GROUP)).await?;
    carol.send(&phone, Letter::text("hi Bob").in_room(GROUP).from_hidden_number()).await?;
    let messages = office.messages_until(session, GROUP, |messages| messages.len() == 2).await?;
    assert_eq!(contents(&messages), [text("hi all"), text("hi Bob")]);
    let senders: Vec<_> = messages.iter().map(|message| message.sender.as_str().to_owned()).collect();
    assert_eq!(senders, [bob.jid(), carol.jid()]);

    let ids: Vec<_> = messages.iter().map(|message| message.id.as_str().to_owned()).collect();
    office.desk.mark_read(session, &Address::new(GROUP)?).await?;
    eventually("the members are told", async || {
        let mut read = office.server.journal().read(phone.number());
        read.sort();
        let mut ids = ids.clone();
        ids.sort();
        read == ids
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_with_a_hidden_number_is_no_second_person() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    bob.write(&phone, "by number").await?;
    office.messages_until(session, &bob.jid(), |messages| messages.len() == 1).await?;
    bob.send(&phone, Letter::text("by hidden address").from_hidden_number()).await?;
    let messages = office.messages_until(session, &bob.jid(), |messages| messages.len() == 2).await?;
    assert_eq!(messages[1].sender.as_str(), bob.jid());
    assert_eq!(office.chats(session).await?.len(), 1);
    bob.give_hidden_address();
    let id = office.send(session, &bob.jid(), "to you").await?;
    bob.confirm(&phone, &[&id], Receipt::Read).await?;
    office.status(session, &bob.jid(), &id, MessageStatus::Read).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_opened_is_filled_in_later() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    let id = bob.send(&phone, Letter::undecryptable()).await?;
    let messages = office.messages_until(session, &bob.jid(), |messages| messages.len() == 1).await?;
    assert_eq!(contents(&messages), [Content::Undecryptable]);
    bob.send(&phone, Letter::text("here it is").with_id(&id)).await?;
    let filled_in = |messages: &[seatport::conversation::Message]| contents(messages) == [text("here it is")];
    office.messages_until(session, &bob.jid(), filled_in).await?;
    assert_eq!(office.desk.card(session).await?.unread, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_message_is_not_stored_as_one() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    let id = bob.send(&phone, Letter::image("look")).await?;
    bob.send(&phone, Letter::reaction("👍", &id)).await?;
    bob.send(&phone, Letter::text("my status").in_room("status@broadcast")).await?;
    bob.write(&phone, "the last").await?;
    let messages = office.messages_until(session, &bob.jid(), |messages| messages.len() == 2).await?;
    assert!(matches!(&messages[0].content, Content::Media(image) if image.caption.as_deref() == Some("look")));
    assert_eq!(messages[1].content, text("the last"));
    assert_eq!(office.chats(session).await?.len(), 1);
    eventually("all is acknowledged", async || phone.unacknowledged().await.is_empty()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_phone_does_is_seen_here() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    let ids = [bob.write(&phone, "one").await?, bob.write(&phone, "two").await?];
    office.messages_until(session, &bob.jid(), |messages| messages.len() == 2).await?;
    assert_eq!(office.desk.card(session).await?.unread, 2);
    phone.read(&bob.jid(), &[&ids[0], &ids[1]]).await?;
    eventually("nothing is unread", async || office.desk.card(session).await.is_ok_and(|card| card.unread == 0))
        .await?;

    let id = phone.send_text(&bob.jid(), "from the phone").await?;
    let messages = office.messages_until(session, &bob.jid(), |messages| messages.len() == 3).await?;
    let own = &messages[2];
    assert_eq!((own.id.as_str(), &own.content), (id.as_str(), &text("from the phone")));
    assert_eq!((own.direction, &own.author), (Direction::Outbound, &Some(Author::Device)));
    assert_eq!(own.sender.as_str(), phone.jid());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_here_tells_the_other_side() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    let ids = [bob.write(&phone, "one").await?, bob.write(&phone, "two").await?];
    office.messages_until(session, &bob.jid(), |messages| messages.len() == 2).await?;
    office.desk.mark_read(session, &Address::new(bob.jid())?).await?;
    eventually("Bob is told", async || {
        let read = office.server.journal().read(phone.number());
        ids.iter().all(|id| read.contains(id))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_here_while_the_network_was_away_is_told_when_it_is_back() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    let ids = [bob.write(&phone, "one").await?, bob.write(&phone, "two").await?];
    office.messages_until(session, &bob.jid(), |messages| messages.len() == 2).await?;
    eventually("all is acknowledged", async || phone.unacknowledged().await.is_empty()).await?;
    office.desk.stop(session).await?;
    office.desk.mark_read(session, &Address::new(bob.jid())?).await?;
    assert_eq!(office.desk.card(session).await?.unread, 0);
    assert!(office.server.journal().read(phone.number()).is_empty());

    office.desk.start(session, WhenFull::Fail).await?;
    let told = async || {
        let read = office.server.journal().read(phone.number());
        ids.iter().all(|id| read.contains(id))
    };
    eventually("Bob is told", told).await?;
    let untold = async || {
        use seatport::storage::ConversationStore;
        office.storage.untold_reads(session, 10).await.is_ok_and(|untold| untold.is_empty())
    };
    eventually("and that is the end of it", untold).await
}

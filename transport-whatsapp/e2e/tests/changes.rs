//! What happens to messages after they were sent: edits, deletions, reactions.

mod office;

use std::time::Duration;

use anyhow::Result;
use office::{BOB, CAROL, Office, eventually, text};
use seatport::conversation::{Content, StoredMessage};
use seatport_whatsapp_e2e::Letter;

const GROUP: &str = "120363021033254949@g.us";

/// Long enough for something to happen that must not.
const A_WHILE: Duration = Duration::from_millis(500);

fn says(expected: Content) -> impl Fn(&[StoredMessage]) -> bool {
    move |messages| messages.first().is_some_and(|first| first.message.content == expected)
}

fn reactions(message: &StoredMessage) -> Vec<(String, String)> {
    let of =
        |reaction: &seatport::conversation::Reaction| (reaction.sender.as_str().to_owned(), reaction.emoji.clone());
    message.reactions.iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_side_edits_and_takes_back_what_it_wrote() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    let id = bob.write(&phone, "helo").await?;
    bob.send(&phone, Letter::edit(&id, "hello")).await?;
    let messages = office.stored_until(session, &bob.jid(), says(text("hello"))).await?;
    assert!(messages[0].edited_at.is_some());
    assert_eq!(messages.len(), 1, "an edit is no message of its own");
    bob.send(&phone, Letter::deletion(&id)).await?;
    office.stored_until(session, &bob.jid(), says(Content::Deleted)).await?;
    assert_eq!(office.desk.card(session).await?.unread, 1);
    eventually("all is acknowledged", async || phone.unacknowledged().await.is_empty()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_from_here_and_from_the_phone_changes_too() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    let id = office.send(session, &bob.jid(), "pric: 10").await?;
    bob.send(&phone, Letter::reaction("👍", &id)).await?;
    let reacted = |messages: &[StoredMessage]| messages.first().is_some_and(|first| !first.reactions.is_empty());
    let messages = office.stored_until(session, &bob.jid(), reacted).await?;
    assert_eq!(reactions(&messages[0]), [(bob.jid(), "👍".to_owned())]);

    // The owner corrects it on the phone, reacts to it there, and takes the reaction away.
    phone.send(&bob.jid(), Letter::edit(&id, "price: 10")).await?;
    office.stored_until(session, &bob.jid(), says(text("price: 10"))).await?;
    phone.send(&bob.jid(), Letter::reaction("🙏", &id)).await?;
    office.stored_until(session, &bob.jid(), |messages| messages[0].reactions.len() == 2).await?;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    phone.send(&bob.jid(), Letter::reaction("", &id)).await?;
    let messages = office.stored_until(session, &bob.jid(), |messages| messages[0].reactions.len() == 1).await?;
    assert_eq!(reactions(&messages[0]), [(bob.jid(), "👍".to_owned())]);

    let from_phone = phone.send_text(&bob.jid(), "oops").await?;
    phone.send(&bob.jid(), Letter::deletion(&from_phone)).await?;
    let deleted =
        |messages: &[StoredMessage]| messages.last().is_some_and(|last| last.message.content == Content::Deleted);
    let messages = office.stored_until(session, &bob.jid(), deleted).await?;
    assert_eq!(messages[1].message.id.as_str(), from_phone);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_changes_what_somebody_else_wrote_but_an_admin() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let (bob, carol) = (office.server.person(BOB), office.server.person(CAROL));
    let id = bob.send(&phone, Letter::text("mine").in_room(GROUP).with_secret([1; 32])).await?;
    office.stored_until(session, GROUP, |messages| messages.len() == 1).await?;
    let kept = async || {
        let names = office.storage_names(session).await.unwrap_or_default();
        names.iter().any(|name| name.contains("msg-secret") && name.ends_with(&id))
    };
    eventually("the client has written down whose message it is", kept).await?;

    carol.send(&phone, Letter::edit(&id, "hers").in_room(GROUP)).await?;
    carol.send(&phone, Letter::deletion(&id).in_room(GROUP)).await?;
    carol.send(&phone, Letter::reaction("😮", &id).in_room(GROUP)).await?;
    let reacted = |messages: &[StoredMessage]| messages.first().is_some_and(|first| !first.reactions.is_empty());
    let messages = office.stored_until(session, GROUP, reacted).await?;
    assert_eq!(messages[0].message.content, text("mine"));
    assert_eq!(reactions(&messages[0]), [(carol.jid(), "😮".to_owned())]);
    eventually("all is acknowledged", async || phone.unacknowledged().await.is_empty()).await?;

    // The network lets only admins do this.
    carol.send(&phone, Letter::deletion_by_admin(&id, bob.jid()).in_room(GROUP)).await?;
    office.stored_until(session, GROUP, says(Content::Deleted)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_side_cannot_put_words_into_our_mouth() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    let id = office.send(session, &bob.jid(), "price: 10").await?;
    let kept = async || {
        let names = office.storage_names(session).await.unwrap_or_default();
        names.iter().any(|name| name.contains("msg-secret") && name.ends_with(&id))
    };
    eventually("the client has written down whose message it is", kept).await?;
    bob.send(&phone, Letter::edit(&id, "price: 1")).await?;
    bob.send(&phone, Letter::deletion(&id)).await?;
    eventually("all is acknowledged", async || phone.unacknowledged().await.is_empty()).await?;
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(office.stored(session, &bob.jid()).await?[0].message.content, text("price: 10"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_comes_before_its_message_waits_for_it() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    bob.send(&phone, Letter::edit("LATE1", "second thoughts")).await?;
    eventually("it is acknowledged", async || phone.unacknowledged().await.is_empty()).await?;
    bob.send(&phone, Letter::text("first thoughts").with_id("LATE1")).await?;
    office.stored_until(session, &bob.jid(), |messages| messages.len() == 1).await?;
    tokio::time::sleep(A_WHILE).await;
    let messages = office.stored(session, &bob.jid()).await?;
    assert_eq!((messages.len(), &messages[0].message.content), (1, &text("second thoughts")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_that_is_sealed_is_opened() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    let secret = [5; 32];
    let id = bob.send(&phone, Letter::text("helo").with_secret(secret)).await?;
    office.stored_until(session, &bob.jid(), says(text("helo"))).await?;
    bob.send(&phone, Letter::sealed_edit(&id, "hello", &secret, &bob.jid())?).await?;
    office.stored_until(session, &bob.jid(), says(text("hello"))).await?;
    Ok(())
}

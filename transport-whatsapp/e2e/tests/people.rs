//! People: who is whom, what they are called, and what the phone says of chats.

mod office;

use anyhow::{Context, Result};
use office::{BOB, CAROL, Office, contents, eventually, text};
use seatport::{Address, Timestamp};
use seatport_whatsapp_e2e::{Letter, Setting};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_was_hidden_and_whose_number_is_told_is_one_chat_and_one_lead() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    bob.send(&phone, Letter::text("guess who").from_nobody_known()).await?;
    office.messages_until(session, &bob.lid(), |messages| messages.len() == 1).await?;
    assert_eq!(office.chats(session).await?[0].address.as_str(), bob.lid());
    eventually("a lead", async || office.leads().await.is_ok_and(|leads| leads == 1)).await?;

    bob.send(&phone, Letter::text("it is me").from_hidden_number()).await?;
    let messages = office.messages_until(session, &bob.jid(), |messages| messages.len() == 2).await?;
    assert_eq!(contents(&messages), [text("guess who"), text("it is me")]);
    let chats = office.chats(session).await?;
    assert_eq!((chats.len(), chats[0].address.as_str(), chats[0].unread), (1, bob.jid().as_str(), 2));
    assert_eq!(office.desk.card(session).await?.unread, 2);
    assert_eq!(office.leads().await?, 1, "still one person");
    let contact = office.contact(session, &bob.jid()).await?.context("a contact")?;
    assert_eq!(contact.phone.as_deref(), Some(BOB));
    assert!(office.contact(session, &bob.lid()).await?.is_none());

    // From now on the address by number counts, whatever the stanza says; and the other one leads to it.
    bob.send(&phone, Letter::text("again").from_nobody_known()).await?;
    office.messages_until(session, &bob.jid(), |messages| messages.len() == 3).await?;
    assert_eq!(office.messages(session, &bob.lid()).await?.len(), 3);
    let id = office.send(session, &bob.jid(), "hello Bob").await?;
    assert!(!id.is_empty());
    assert_eq!(office.chats(session).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_address_book_tells_who_is_whom_too() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let carol = office.server.person(CAROL);
    carol.send(&phone, Letter::text("hello").from_nobody_known()).await?;
    office.messages_until(session, &carol.lid(), |messages| messages.len() == 1).await?;
    phone.change_settings(&[Setting::saved_name(&carol.jid(), "Carol (wholesale)").of_hidden(&carol.lid())]).await?;
    office.messages_until(session, &carol.jid(), |messages| messages.len() == 1).await?;
    let named = async || {
        let chats = office.chats(session).await.unwrap_or_default();
        chats.len() == 1 && chats[0].name.as_deref() == Some("Carol (wholesale)")
    };
    eventually("one chat under her saved name", named).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_pictures_follow_the_network() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    bob.set_name("Bob").await;
    bob.write(&phone, "hello").await?;
    office.messages_until(session, &bob.jid(), |messages| messages.len() == 1).await?;
    bob.change_picture(&phone, Some("1700000001")).await?;
    phone.change_settings(&[Setting::saved_name(&bob.jid(), "Bob (plumber)")]).await?;
    let told = async || {
        let contact = office.contact(session, &bob.jid()).await.ok().flatten();
        contact.is_some_and(|bob| {
            bob.name.as_deref() == Some("Bob")
                && bob.saved_name.as_deref() == Some("Bob (plumber)")
                && bob.avatar.as_deref() == Some("1700000001")
        })
    };
    eventually("name, saved name and picture", told).await?;
    bob.change_picture(&phone, None).await?;
    let gone =
        async || office.contact(session, &bob.jid()).await.ok().flatten().is_some_and(|bob| bob.avatar.is_none());
    eventually("no picture any more", gone).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_phone_puts_aside_mutes_and_reads_is_so_here() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    bob.write(&phone, "hello").await?;
    office.messages_until(session, &bob.jid(), |messages| messages.len() == 1).await?;
    let until = 1_900_000_000_000;
    phone.change_settings(&[Setting::archived(&bob.jid(), true), Setting::muted(&bob.jid(), until)]).await?;
    let chat = Address::new(bob.jid())?;
    let aside = async || {
        let chat = office.desk.chat(session, &chat).await;
        chat.is_ok_and(|chat| chat.archived && chat.muted_until == Some(Timestamp::from_millis(until)))
    };
    eventually("archived and muted", aside).await?;
    assert_eq!(office.desk.card(session).await?.unread, 1);
    phone.change_settings(&[Setting::archived(&bob.jid(), false), Setting::read(&bob.jid())]).await?;
    let read = async || office.desk.chat(session, &chat).await.is_ok_and(|chat| !chat.archived && chat.unread == 0);
    eventually("taken back and read", read).await
}

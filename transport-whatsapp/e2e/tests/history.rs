//! What the phone knows from before the account was linked.

mod office;

use anyhow::{Context, Result};
use office::{BOB, CAROL, Office, PATIENCE, contents, eventually, text};
use seatport::conversation::{ChatKind, Content, Coverage, Direction};
use seatport::{Address, Timestamp};
use seatport_whatsapp_e2e::{History, HistoryChat, HistoryMessage, Letter, Phone, Seen};
use whatsapp_rust::waproto::whatsapp::web_message_info::StubType;

const GROUP: &str = "120363021033254949@g.us";
const LONG_AGO: u64 = 1_600_000_000;

/// Waits until the phone was told that its history has arrived.
async fn confirmed(office: &Office, mark: usize, phone: &Phone) -> Result<()> {
    let told = |seen: &Seen| match seen {
        Seen::Receipt { account, kind: Some(kind), .. } if account == phone.number() => {
            (kind == "hist_sync").then_some(())
        }
        _ => None,
    };
    office.server.journal().wait_since(mark, "the history is confirmed", PATIENCE, told).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_is_taken_over_and_nobody_in_it_is_unread_or_new() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let (bob, carol) = (office.server.person(BOB), office.server.person(CAROL));
    let asked = HistoryMessage {
        reactions: vec![("R1".to_owned(), "👍".to_owned())],
        ..HistoryMessage::text("OLD2", "here it is", LONG_AGO + 20).from_me()
    };
    let added = HistoryMessage {
        participant: Some(carol.jid()),
        stub: Some(StubType::GROUP_PARTICIPANT_ADD),
        ..HistoryMessage::text("OLD4", "", LONG_AGO + 40)
    };
    let in_group =
        HistoryMessage { participant: Some(carol.jid()), ..HistoryMessage::text("OLD5", "hi all", LONG_AGO + 50) };
    let with_bob = HistoryChat {
        jid: bob.jid(),
        name: Some("Bob (plumber)".to_owned()),
        unread: 7,
        messages: vec![HistoryMessage::text("OLD1", "where is it?", LONG_AGO + 10), asked],
        archived: true,
        muted_until: Some(1_900_000_000),
        is_whole: true,
    };
    let group = HistoryChat {
        jid: GROUP.to_owned(),
        name: Some("The shop".to_owned()),
        unread: 2,
        messages: vec![added, in_group],
        ..Default::default()
    };
    let elsewhere = HistoryChat {
        jid: "status@broadcast".to_owned(),
        messages: vec![HistoryMessage::text("OLD6", "my status", LONG_AGO)],
        ..Default::default()
    };
    let names = vec![(bob.jid(), "Bobby".to_owned()), (carol.jid(), "-".to_owned())];
    let mark = office.server.journal().mark();
    let history = History { chats: vec![with_bob, group, elsewhere], names, same: Vec::new(), progress: Some(100) };
    phone.share_history(&history).await?;
    confirmed(&office, mark, &phone).await?;

    // Confirmed means stored.
    let messages = office.stored(session, &bob.jid()).await?;
    assert_eq!(messages.len(), 2, "{messages:?}");
    let (first, second) = (&messages[0].message, &messages[1].message);
    assert_eq!(
        (&first.content, first.direction, first.id.as_str()),
        (&text("where is it?"), Direction::Inbound, "OLD1")
    );
    assert_eq!((&second.content, second.direction), (&text("here it is"), Direction::Outbound));
    assert_eq!((first.sender.as_str(), second.sender.as_str()), (bob.jid().as_str(), phone.jid().as_str()));
    eventually("the reaction is under it", async || {
        let messages = office.stored(session, &bob.jid()).await.unwrap_or_default();
        messages[1].reactions.iter().any(|reaction| reaction.emoji == "👍" && reaction.sender.as_str() == bob.jid())
    })
    .await?;

    let chat = office.desk.chat(session, &Address::new(bob.jid())?).await?;
    assert_eq!((chat.unread, chat.archived, chat.kind), (0, true, ChatKind::Person));
    assert_eq!(chat.name.as_deref(), Some("Bob (plumber)"));
    assert_eq!(chat.muted_until, Some(Timestamp::from_millis(1_900_000_000_000)));
    let oldest = Timestamp::from_millis(i64::try_from(LONG_AGO + 10)? * 1000);
    assert_eq!(chat.coverage, Some(Coverage { oldest, complete: true }));
    let contact = office.contact(session, &bob.jid()).await?.context("a contact")?;
    assert_eq!((contact.name.as_deref(), contact.phone.as_deref()), (Some("Bobby"), Some(BOB)));

    let group = office.desk.chat(session, &Address::new(GROUP)?).await?;
    assert_eq!((group.kind, group.name.as_deref(), group.unread), (ChatKind::Group, Some("The shop"), 0));
    assert!(group.coverage.is_some_and(|coverage| !coverage.complete));
    let said = contents(&office.messages(session, GROUP).await?);
    assert_eq!(said, [Content::System("group participant add".to_owned()), text("hi all")]);
    assert_eq!(office.chats(session).await?.len(), 2, "status posts are no chat");

    assert_eq!((office.desk.card(session).await?.unread, office.leads().await?), (0, 0), "nobody waits, nobody is new");
    eventually("nothing of it is kept any longer", async || {
        office.storage_names(session).await.is_ok_and(|names| names.iter().all(|name| !name.contains("history")))
    })
    .await?;

    // Who was there before is no lead; who was not is one.
    bob.write(&phone, "me again").await?;
    let message = carol.write(&phone, "hello, I am new").await?;
    assert!(!message.is_empty());
    office.messages_until(session, &bob.jid(), |messages| messages.len() == 3).await?;
    office.messages_until(session, &carol.jid(), |messages| messages.len() == 1).await?;
    eventually("one lead", async || office.leads().await.is_ok_and(|leads| leads == 1)).await?;
    assert_eq!(office.desk.card(session).await?.unread, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_comes_in_portions_and_may_come_twice() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    let message = |number: u64| HistoryMessage::text(&format!("OLD{number}"), &format!("{number}"), LONG_AGO + number);
    let chat = HistoryChat { jid: bob.jid(), messages: (1..=950).map(message).collect(), ..Default::default() };
    let people = (0..450).map(|number| (format!("55219{number:08}@s.whatsapp.net"), format!("No {number}"))).collect();
    let history = History { chats: vec![chat], names: people, ..Default::default() };
    for _ in 0..2 {
        let mark = office.server.journal().mark();
        phone.share_history(&history).await?;
        confirmed(&office, mark, &phone).await?;
    }
    let chat = Address::new(bob.jid())?;
    let stored = office.desk.messages(session, &chat, seatport::Page::first(1000)).await?;
    assert_eq!(stored.len(), 950);
    assert_eq!(office.desk.contacts(session, seatport::Page::first(1000)).await?.len(), 451);
    assert_eq!((office.desk.card(session).await?.unread, office.leads().await?), (0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_tells_who_is_whom() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    let hidden = HistoryChat {
        jid: bob.lid(),
        messages: vec![HistoryMessage::text("OLD1", "long ago", LONG_AGO)],
        ..Default::default()
    };
    let same = vec![(bob.lid(), bob.jid())];
    let mark = office.server.journal().mark();
    phone.share_history(&History { chats: vec![hidden], same, ..Default::default() }).await?;
    confirmed(&office, mark, &phone).await?;
    assert_eq!(contents(&office.messages(session, &bob.jid()).await?), [text("long ago")]);
    bob.send(&phone, Letter::text("today").from_nobody_known()).await?;
    office.messages_until(session, &bob.jid(), |messages| messages.len() == 2).await?;
    assert_eq!(office.chats(session).await?.len(), 1);
    assert_eq!(office.leads().await?, 0, "he was there before");
    Ok(())
}

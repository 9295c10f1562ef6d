//! The fake server against a plain client: what the tests of the transport build on.

mod device;

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use device::{Device, Keepsake, PATIENCE};
use seatport_whatsapp_e2e::{
    Content, FakeServer, History, HistoryChat, HistoryMessage, Letter, Pattern, Phone, Reach, Receipt, Refusal, Seen,
    StreamEnd,
};
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::prelude::{Event, MessageExt};
use whatsapp_rust::wacore::types::presence::ReceiptType;

const ALICE: &str = "5511999990001";
const BOB: &str = "5521888880002";

async fn linked(server: &FakeServer, keepsake: &Keepsake) -> Result<(Device, Phone)> {
    let device = Device::start(server, keepsake).await?;
    let phone = server.phone(ALICE);
    phone.scan(&device.qr().await?).await?;
    device.online().await?;
    Ok((device, phone))
}

/// Waits until the server has nothing left for the device.
async fn all_acknowledged(phone: &Phone) -> Result<()> {
    tokio::time::timeout(PATIENCE, async {
        while !phone.unacknowledged().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_device_is_linked_talks_and_comes_back_without_a_scan() -> Result<()> {
    let server = FakeServer::start().await?;
    let keepsake = Keepsake::new();
    let (device, phone) = linked(&server, &keepsake).await?;
    let bob = server.person(BOB);
    bob.set_name("Bob").await;

    let first = bob.write(&phone, "hello").await?;
    assert_eq!(device.message().await?, (first.clone(), "hello".to_owned()));
    device.send(&bob.jid(), "OUT1", "hello Bob").await?;
    let text = Content::Text("hello Bob".to_owned());
    server
        .journal()
        .wait("the text", PATIENCE, |seen| {
            matches!(seen, Seen::Message { id, content, .. } if id == "OUT1" && *content == text).then_some(())
        })
        .await?;
    device.client().mark_as_read(&bob.jid().parse()?, None, &[&first]).await?;
    server
        .journal()
        .wait("the read receipt", PATIENCE, |seen| {
            matches!(seen, Seen::Receipt { kind: Some(kind), .. } if kind == "read").then_some(())
        })
        .await?;
    assert_eq!(server.journal().read(ALICE), [first]);
    assert_eq!(phone.live_connections(), 1);
    all_acknowledged(&phone).await?;
    device.stop().await;

    let while_away = bob.write(&phone, "are you there?").await?;
    assert_eq!(phone.unacknowledged().await, [while_away.as_str()]);
    let device = Device::start(&server, &keepsake).await?;
    assert_eq!(device.message().await?, (while_away, "are you there?".to_owned()));
    device.online().await?;
    all_acknowledged(&phone).await?;
    // The first login is the one right after linking: only then does the client write the server's key down.
    assert_eq!(server.journal().logins(ALICE), [Pattern::Xx, Pattern::Ik]);
    assert_eq!(phone.peak_connections(), 1);
    device.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_device_is_linked_by_a_typed_code() -> Result<()> {
    let server = FakeServer::start().await?;
    let device = Device::start(&server, &Keepsake::new()).await?;
    device.qr().await?;
    let phone = server.phone(ALICE);
    assert!(phone.enter_code("ABCDEFGH").await.is_err(), "nobody has asked");
    let options = PairCodeOptions { phone_number: ALICE.to_owned(), ..Default::default() };
    let code = device.client().pair_with_code(options).await?;
    let wrong = if code == "ABCDEFGH" { "ABCDEFGJ" } else { "ABCDEFGH" };
    assert!(phone.enter_code(wrong).await.is_err(), "a wrong code");
    assert!(!phone.is_linked().await);
    phone.enter_code(&format!("{}-{}", &code[..4], &code[4..])).await?;
    device.online().await?;
    assert!(phone.is_linked().await);
    device.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_message_that_was_not_written_down_comes_again_until_it_is() -> Result<()> {
    let server = FakeServer::start().await?;
    let keepsake = Keepsake::new();
    let (device, phone) = linked(&server, &keepsake).await?;
    let bob = server.person(BOB);
    all_acknowledged(&phone).await?;

    keepsake.disk_works.store(false, Ordering::SeqCst);
    let lost = bob.write(&phone, "do not lose me").await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(phone.unacknowledged().await, [lost.as_str()]);
    device.stop().await;

    keepsake.disk_works.store(true, Ordering::SeqCst);
    let device = Device::start(&server, &keepsake).await?;
    assert_eq!(device.message().await?, (lost.clone(), "do not lose me".to_owned()));
    all_acknowledged(&phone).await?;

    // Once it is written down, a duplicate is acknowledged without being reported.
    let mark = server.journal().mark();
    phone.redeliver(&lost).await?;
    server
        .journal()
        .wait_since(mark, "the duplicate's receipt", PATIENCE, |seen| {
            matches!(seen, Seen::Receipt { ids, .. } if ids.contains(&lost)).then_some(())
        })
        .await?;
    let next = bob.write(&phone, "next").await?;
    assert_eq!(device.message().await?.0, next);
    device.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_the_phone_does_reaches_the_device() -> Result<()> {
    let server = FakeServer::start().await?;
    let (device, phone) = linked(&server, &Keepsake::new()).await?;
    let bob = server.person(BOB);

    let sent = phone.send_text(&bob.jid(), "from the phone").await?;
    let (id, from_me, chat) = device
        .wait("the copy", |event| match event {
            Event::Messages(batch) => {
                let message = batch.iter().next()?;
                let source = &message.info.source;
                (message.message.text_content() == Some("from the phone"))
                    .then(|| (message.info.id.clone(), source.is_from_me, source.chat.to_string()))
            }
            _ => None,
        })
        .await?;
    assert_eq!((id, from_me, chat), (sent, true, bob.jid()));

    phone.read(&bob.jid(), &["A", "B"]).await?;
    let ids = device
        .wait("the reading", |event| match event {
            Event::Receipt(receipt) if receipt.r#type == ReceiptType::ReadSelf => Some(receipt.message_ids.clone()),
            _ => None,
        })
        .await?;
    assert_eq!(ids, ["A", "B"]);

    bob.confirm(&phone, &["OUT1"], Receipt::Read).await?;
    device
        .wait("the read receipt", |event| match event {
            Event::Receipt(receipt) if receipt.r#type == ReceiptType::Read => Some(()),
            _ => None,
        })
        .await?;

    let message = HistoryMessage::text("OLD1", "long ago", 1_700_000_000);
    let chat = HistoryChat { jid: bob.jid(), unread: 3, messages: vec![message], ..Default::default() };
    phone.share_history(&History { chats: vec![chat], ..Default::default() }).await?;
    let unread = device
        .wait("the history", |event| match event {
            Event::HistorySync(history) => history.get().map(|history| history.conversations[0].unread_count),
            _ => None,
        })
        .await?;
    assert_eq!(unread, Some(3));
    all_acknowledged(&phone).await?;
    device.stop().await;
    Ok(())
}

#[tokio::test]
async fn letters_arrive_as_what_they_are() -> Result<()> {
    let server = FakeServer::start().await?;
    let (device, phone) = linked(&server, &Keepsake::new()).await?;
    let bob = server.person(BOB);

    bob.send(&phone, Letter::text("to all").in_room("120363021033254949@g.us")).await?;
    bob.send(&phone, Letter::text("hidden").from_hidden_number()).await?;
    for (chat, sender_alt) in [("120363021033254949@g.us".to_owned(), None), (bob.lid(), Some(bob.jid()))] {
        let seen = device
            .wait("a letter", |event| match event {
                Event::Messages(batch) => batch.iter().next().map(|message| {
                    let source = &message.info.source;
                    (source.chat.to_string(), source.sender_alt.as_ref().map(ToString::to_string))
                }),
                _ => None,
            })
            .await?;
        assert_eq!(seen, (chat, sender_alt));
    }

    let broken = bob.send(&phone, Letter::undecryptable()).await?;
    device.wait("the broken letter", |event| matches!(event, Event::UndecryptableMessage(_)).then_some(())).await?;
    server
        .journal()
        .wait("the request for another copy", PATIENCE, |seen| {
            matches!(seen, Seen::Receipt { kind: Some(kind), ids, .. } if kind == "retry" && ids.contains(&broken))
                .then_some(())
        })
        .await?;
    device.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_network_gets_rid_of_a_device_in_every_way() -> Result<()> {
    let server = FakeServer::start().await?;

    let (device, phone) = linked(&server, &Keepsake::new()).await?;
    phone.end_stream(StreamEnd::Replaced).await;
    device.wait("being replaced", |event| matches!(event, Event::StreamReplaced(_)).then_some(())).await?;
    device.stop().await;

    let (device, phone) = linked(&server, &Keepsake::new()).await?;
    phone.log_out_companion().await;
    device.wait("being logged out", |event| matches!(event, Event::LoggedOut(_)).then_some(())).await?;
    device.stop().await;

    let keepsake = Keepsake::new();
    let (device, phone) = linked(&server, &keepsake).await?;
    let ban = Refusal::Banned { code: 101, lifts_in: Duration::from_secs(3600) };
    phone.refuse_logins(ban).await;
    let lifts_in = device
        .wait("the ban", |event| match event {
            Event::TemporaryBan(ban) => Some(ban.expire.num_seconds()),
            _ => None,
        })
        .await?;
    assert_eq!(lifts_in, 3600);
    device.stop().await;

    phone.refuse_logins(Refusal::Outdated).await;
    let device = Device::start(&server, &keepsake).await?;
    device.wait("being outdated", |event| matches!(event, Event::ClientOutdated(_)).then_some(())).await?;
    device.stop().await;

    phone.refuse_logins(Refusal::Unavailable).await;
    let device = Device::start(&server, &keepsake).await?;
    device.wait("the pause", |event| matches!(event, Event::ConnectFailure(_)).then_some(())).await?;
    phone.accept_logins().await;
    device.online().await?;
    device.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_link_that_breaks_is_made_again() -> Result<()> {
    let server = FakeServer::start().await?;
    let (device, phone) = linked(&server, &Keepsake::new()).await?;

    phone.cut().await;
    device.wait("the cut", |event| matches!(event, Event::Disconnected(_)).then_some(())).await?;
    device.online().await?;

    server.set_reach(Reach::Down);
    device.wait("the network going down", |event| matches!(event, Event::Disconnected(_)).then_some(())).await?;
    assert_eq!(server.live_connections(), 0);
    server.set_reach(Reach::Up);
    device.online().await?;

    server.set_reach(Reach::Silent);
    let bob = server.person(BOB);
    let id = bob.write(&phone, "can you hear me?").await?;
    assert_eq!(phone.unacknowledged().await, [id.as_str()]);
    server.set_reach(Reach::Up);
    assert_eq!(device.message().await?.0, id);
    device.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_hosted_account_cannot_be_linked() -> Result<()> {
    let server = FakeServer::start().await?;
    let device = Device::start(&server, &Keepsake::new()).await?;
    let phone = server.phone(ALICE);
    phone.set_hosted(true).await;
    let refused = phone.scan(&device.qr().await?).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("signature-mismatch")));
    assert!(!phone.is_linked().await);
    device.wait("the failure", |event| matches!(event, Event::PairError(_)).then_some(())).await?;
    device.stop().await;
    Ok(())
}

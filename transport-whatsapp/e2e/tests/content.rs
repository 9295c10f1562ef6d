//! What messages say, and what they answer.

mod office;

use std::time::Duration;

use anyhow::{Context, Result};
use office::{BOB, CAROL, Office, PATIENCE, contents, eventually, text};
use seatport::conversation::{ChatKind, ContactCard, Content, Location, MediaKind, MessageStatus};
use seatport::{Address, SendOptions};
use seatport_whatsapp_e2e::{Content as Opened, Letter, Seen};
use whatsapp_rust::buffa::MessageField;
use whatsapp_rust::waproto::whatsapp as wa;

const GROUP: &str = "120363021033254949@g.us";

fn film() -> wa::Message {
    let film = wa::message::VideoMessage {
        mimetype: Some("video/mp4".to_owned()),
        caption: Some("look".to_owned()),
        file_length: Some(4_000),
        seconds: Some(7),
        width: Some(640),
        height: Some(480),
        media_key: Some(vec![9; 32]),
        file_enc_sha256: Some(vec![2; 32]),
        direct_path: Some("/v/t62/film".to_owned()),
        ..Default::default()
    };
    wa::Message { video_message: MessageField::some(film), ..Default::default() }
}

fn place() -> wa::Message {
    let place = wa::message::LocationMessage {
        degrees_latitude: Some(-23.561_414),
        degrees_longitude: Some(-46.655_882),
        name: Some("MASP".to_owned()),
        ..Default::default()
    };
    wa::Message { location_message: MessageField::some(place), ..Default::default() }
}

fn card() -> wa::Message {
    let card = wa::message::ContactMessage {
        display_name: Some("Li Na".to_owned()),
        vcard: Some("BEGIN:VCARD\nTEL;waid=8613800138000:+86 138 0013 8000\nEND:VCARD".to_owned()),
        ..Default::default()
    };
    wa::Message { contact_message: MessageField::some(card), ..Default::default() }
}

fn poll() -> wa::Message {
    wa::Message { poll_creation_message_v3: MessageField::some(Default::default()), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_content_is_kept_as_what_it_is() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    for message in [film(), place(), card(), poll()] {
        bob.send(&phone, Letter::of(message)).await?;
    }
    let messages = office.messages_until(session, &bob.jid(), |messages| messages.len() == 4).await?;
    let [Content::Media(film), rest @ ..] = &contents(&messages)[..] else { anyhow::bail!("{messages:?}") };
    assert_eq!((film.kind, film.mime_type.as_str(), film.bytes), (MediaKind::Video, "video/mp4", Some(4_000)));
    assert_eq!((film.caption.as_deref(), film.dimensions), (Some("look"), Some((640, 480))));
    assert_eq!(film.duration, Some(Duration::from_secs(7)));
    let reference = film.reference.as_ref().context("where it is")?;
    assert!(reference.as_str().contains("/v/t62/film") && reference.as_str().contains("media_key"));
    assert!(
        !format!("{messages:?}").contains("/v/t62/film"),
        "where it is, and the key to it, are no business of a log"
    );
    let location =
        Location { latitude: -23_561_414, longitude: -46_655_882, name: Some("MASP".to_owned()), address: None };
    let card = ContactCard { name: "Li Na".to_owned(), phones: vec!["+86 138 0013 8000".to_owned()] };
    assert_eq!(rest, [Content::Location(location), Content::Contact(card), Content::Unsupported("poll".to_owned())]);
    eventually("all is acknowledged", async || phone.unacknowledged().await.is_empty()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_names_what_it_answers_in_both_directions() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    let asked = bob.write(&phone, "do you have it in blue?").await?;
    office.messages_until(session, &bob.jid(), |messages| messages.len() == 1).await?;

    let chat = Address::new(bob.jid())?;
    let quoting = SendOptions::default().quoting(asked.parse()?);
    let answer = office.desk.send_text(session, &chat, "yes", quoting).await?;
    office.status(session, &bob.jid(), answer.as_str(), MessageStatus::Sent).await?;
    let expected = Opened::Answer { text: "yes".to_owned(), to: asked, by: Some(bob.jid()) };
    let opened = |seen: &Seen| match seen {
        Seen::Message { id, content: content @ Opened::Answer { .. }, .. } if id == answer.as_str() => {
            Some(content.clone())
        }
        _ => None,
    };
    assert_eq!(office.server.journal().wait("the answer", PATIENCE, opened).await?, expected);

    let taken = bob.send(&phone, Letter::answer("I take it", answer.as_str())).await?;
    let messages = office.messages_until(session, &bob.jid(), |messages| messages.len() == 3).await?;
    let taken = messages.iter().find(|message| message.id.as_str() == taken).context("his answer")?;
    assert_eq!((&taken.content, &taken.quoted), (&text("I take it"), &Some(answer)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_speaks_to_many_brings_no_lead() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let (bob, carol) = (office.server.person(BOB), office.server.person(CAROL));
    bob.send(&phone, Letter::text("my status").in_room("status@broadcast")).await?;
    bob.send(&phone, Letter::text("hi all").in_room(GROUP)).await?;
    office.messages_until(session, GROUP, |messages| messages.len() == 1).await?;
    assert_eq!(office.leads().await?, 0);
    let chats = office.chats(session).await?;
    assert_eq!((chats.len(), chats[0].kind), (1, ChatKind::Group), "a status post is no chat");

    // What somebody sends to a list shows in the chat with them, as it does on the phone.
    carol.send(&phone, Letter::text("to my customers").in_room("1700000000@broadcast")).await?;
    let messages = office.messages_until(session, &carol.jid(), |messages| messages.len() == 1).await?;
    assert_eq!(contents(&messages), [text("to my customers")]);
    eventually("she is a lead", async || office.leads().await.is_ok_and(|leads| leads == 1)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_text_is_not_sent() -> Result<()> {
    let office = Office::open().await?;
    let (session, _phone) = office.alice_online().await?;
    let chat = Address::new(office.server.person(BOB).jid())?;
    let mut picture = seatport::conversation::Media::new(MediaKind::Image, "image/jpeg");
    picture.reference = Some(seatport::conversation::MediaReference::new("file:///tmp/a.jpg"));
    let refused = office.desk.send_media(session, &chat, picture, SendOptions::default()).await;
    assert!(matches!(refused, Err(seatport::Error::Unsupported { .. })), "{refused:?}");
    Ok(())
}

//! Beyond plain text: media, and answers that name what they answer.

use seatport::conversation::{ChatKind, Content, Media, MediaKind, MediaReference};
use seatport::transport::{Ack, Signal, TransportCommand};
use seatport::{Error, NewAccount, Page};

use super::{bob, handed_over, once, plainly};
use crate::office;
use crate::scripted::{Dial, Scripted, address, from, id, online};

fn picture() -> Media {
    let mut picture = Media::new(MediaKind::Image, "image/jpeg");
    picture.reference = Some(MediaReference::new("/srv/picture.jpg"));
    picture
}

#[tokio::test(start_paused = true)]
async fn media_goes_where_the_transport_can_send_it() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let (session, _line) = online(&desk, &mut lines).await;
    let refused = desk.send_media(session, &bob(), picture(), plainly()).await.unwrap_err();
    assert_eq!(refused.to_string(), "transport scripted cannot send media; leave that out, or use another network");

    let (mut transport, mut lines) = Scripted::new(Dial::Answers);
    transport.media = true;
    let (_seatport, desk) = office(transport, 1).await;
    let (session, mut line) = online(&desk, &mut lines).await;
    let mut sound = picture();
    sound.caption = Some("two\r\nlines".to_owned());
    let message = desk.send_media(session, &bob(), sound.clone(), once("picture")).await.unwrap();
    let (handed, content, _done) = handed_over(&mut line).await;
    assert_eq!(handed, message);
    sound.caption = Some("two\nlines".to_owned());
    assert_eq!(content, Content::Media(sound.clone()));
    assert_eq!(desk.send_media(session, &bob(), sound, once("picture")).await.unwrap(), message);
    let other = desk.send_media(session, &bob(), picture(), once("picture")).await;
    assert!(matches!(other, Err(Error::KeyReused { .. })), "{other:?}");
}

#[tokio::test(start_paused = true)]
async fn media_that_makes_no_sense_is_refused() {
    let (mut transport, mut lines) = Scripted::new(Dial::Answers);
    transport.media = true;
    let (_seatport, desk) = office(transport, 1).await;
    let (session, _line) = online(&desk, &mut lines).await;
    let with = |change: fn(&mut Media)| {
        let mut media = picture();
        change(&mut media);
        media
    };
    for (media, field) in [
        (with(|media| media.reference = None), "media"),
        (with(|media| media.reference = Some(MediaReference::new(""))), "media"),
        (with(|media| media.mime_type = "jpeg".to_owned()), "MIME type"),
        (with(|media| media.mime_type = "image/".to_owned()), "MIME type"),
        (with(|media| media.mime_type = "image/j\np".to_owned()), "MIME type"),
        (with(|media| media.file_name = Some(String::new())), "file name"),
        (with(|media| media.file_name = Some("a\u{7}b".to_owned())), "file name"),
        (with(|media| media.caption = Some("x".repeat(70_000))), "caption"),
    ] {
        match desk.send_media(session, &bob(), media, plainly()).await {
            Err(Error::Invalid(invalid)) => assert_eq!(invalid.field, field, "{invalid}"),
            other => panic!("{field}: {other:?}"),
        }
    }
    assert!(desk.chats(session, Page::first(10)).await.unwrap().is_empty(), "nothing was stored");
}

#[tokio::test(start_paused = true)]
async fn an_answer_names_the_message_it_answers() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let (session, mut line) = online(&desk, &mut lines).await;
    let (ack, stored) = Ack::new();
    let mut question = from("friends", "question");
    (question.kind, question.sender) = (ChatKind::Group, bob());
    line.signals.send(Signal::Messages { messages: vec![question], ack }).await.unwrap();
    stored.await.unwrap();
    let friends = address("friends");
    let unknown = desk.send_text(session, &friends, "yes", plainly().quoting(id("nothing"))).await;
    assert!(matches!(unknown, Err(Error::UnknownMessage(_))), "{unknown:?}");
    desk.send_text(session, &friends, "yes", plainly().quoting(id("question"))).await.unwrap();
    match line.commands.recv().await {
        Some(TransportCommand::Send { quoted, .. }) => assert_eq!(quoted, Some(id("question"))),
        other => panic!("{other:?}"),
    }
    assert_eq!(desk.chat(session, &friends).await.unwrap().kind, ChatKind::Group, "it stays what it is");
    let session = desk.add_account(NewAccount::on("scripted")).await.unwrap();
    assert!(matches!(desk.send_text(session, &bob(), "x", plainly()).await, Err(Error::NotSending { .. })));
}

//! Whatever can be said, both ways, and the people and groups that say it.

use std::time::Duration;

use seatport::conversation::{
    ChatKind, ContactCard, Content, Location, Media, MediaKind, MediaReference, MessageStatus,
};
use seatport::{Clock, Error, EventBody, Page, SendOptions};

use crate::office::{Office, eventually};

super::on_every_storage![
    every_kind_of_content_comes_in_and_stays,
    media_goes_out_with_all_that_is_known_of_it,
    media_that_cannot_be_sent_is_refused_at_once,
    an_undecryptable_message_is_filled_in_when_it_comes_again,
    an_answer_names_the_message_it_answers_both_ways,
    a_group_is_one_chat_of_many_senders,
    a_channel_is_heard,
    a_contact_has_its_name_its_picture_and_when_it_was_seen,
    what_the_phone_puts_aside_and_mutes_shows_in_the_list,
    messages_of_one_id_in_two_chats_are_two,
];

fn media(kind: MediaKind, mime_type: &str) -> Media {
    let mut media = Media::new(kind, mime_type);
    media.reference = Some(MediaReference::new(format!("simulated:{mime_type}")));
    media
}

/// One of each, everything known that can be known.
fn contents() -> Vec<Content> {
    let mut picture = media(MediaKind::Image, "image/jpeg");
    picture.caption = Some("三件\nthree of them".into());
    picture.dimensions = Some((1200, 800));
    let mut film = media(MediaKind::Video, "video/mp4");
    film.duration = Some(Duration::from_millis(12_345));
    film.bytes = Some(5_000_000_000);
    let mut invoice = media(MediaKind::Document, "application/pdf");
    invoice.file_name = Some("发票 5月.pdf".into());
    vec![
        Content::Text("hello \u{1f469}\u{200d}\u{1f4bb}".into()),
        Content::Media(picture),
        Content::Media(film),
        Content::Media(media(MediaKind::Audio, "audio/ogg; codecs=opus")),
        Content::Media(invoice),
        Content::Media(media(MediaKind::Sticker, "image/webp")),
        Content::Media(Media::new(MediaKind::Image, "image/png")),
        Content::Location(Location {
            latitude: 31_230_400,
            longitude: -121_473_700,
            name: Some("上海".into()),
            address: None,
        }),
        Content::Contact(ContactCard { name: "Bob".into(), phones: vec!["+49 151 1234".into(), "110".into()] }),
        Content::System("the encryption has changed".into()),
        Content::Unsupported("poll".into()),
        Content::Undecryptable,
    ]
}

async fn every_kind_of_content_comes_in_and_stays(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    for content in contents() {
        ada.send(phone.address(), content);
    }
    office.unread(session, contents().len() as u64).await;
    let office = office.restart(false).await;
    let kept: Vec<_> =
        office.messages(session, ada.address()).await.into_iter().map(|stored| stored.message.content).collect();
    assert_eq!(kept, contents());
    assert_eq!(office.card(session).await.unread, contents().len() as u64);
}

async fn media_goes_out_with_all_that_is_known_of_it(office: Office) {
    let (session, _phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let sent: Vec<Media> = contents()
        .into_iter()
        .filter_map(|content| match content {
            Content::Media(media) => Some(media).filter(|media| media.reference.is_some()),
            _ => None,
        })
        .collect();
    for media in &sent {
        let id = office.li.send_media(session, ada.address(), media.clone(), SendOptions::default()).await.unwrap();
        office.gets(session, ada.address(), &id, MessageStatus::Sent).await;
    }
    let received: Vec<_> = ada.received().into_iter().map(|received| received.content).collect();
    assert_eq!(received, sent.into_iter().map(Content::Media).collect::<Vec<_>>());
}

async fn media_that_cannot_be_sent_is_refused_at_once(office: Office) {
    let (session, _phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let mut odd_name = media(MediaKind::Document, "application/pdf");
    odd_name.file_name = Some("a\u{0}b".into());
    for refused in [Media::new(MediaKind::Image, "image/png"), media(MediaKind::Image, ""), odd_name] {
        let answer = office.li.send_media(session, ada.address(), refused.clone(), SendOptions::default()).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{refused:?}: {answer:?}");
    }
    assert!(office.li.chats(session, Page::first(10)).await.unwrap().is_empty(), "nothing was stored");
}

async fn an_undecryptable_message_is_filled_in_when_it_comes_again(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let id = ada.send(phone.address(), Content::Undecryptable);
    office.unread(session, 1).await;
    let first = office.message(session, ada.address(), &id).await;
    assert_eq!(first.message.content, Content::Undecryptable);
    tokio::time::sleep(Duration::from_secs(60)).await;
    ada.send_again(phone.address(), &id, Content::Text("hello".into()));
    office.settled(&phone).await;
    let now = office.message(session, ada.address(), &id).await;
    assert_eq!(now.message.content, Content::Text("hello".into()));
    assert_eq!((now.seq, now.message.at), (first.seq, first.message.at), "its place and time stay");
    // What can be read already is not overwritten.
    ada.send_again(phone.address(), &id, Content::Undecryptable);
    ada.send_again(phone.address(), &id, Content::Text("something else".into()));
    office.settled(&phone).await;
    assert_eq!(office.texts(session, ada.address()).await, ["hello"]);
    assert_eq!(office.card(session).await.unread, 1, "it is one message");
    let told = office.events(session).await;
    let told = told.iter().filter(|event| matches!(event, EventBody::MessageStored { id: about, .. } if *about == id));
    assert_eq!(told.count(), 2, "who follows the events reads it again");
}

async fn an_answer_names_the_message_it_answers_both_ways(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let question = ada.write(phone.address(), "red or blue?");
    office.unread(session, 1).await;
    let answer = SendOptions::default().quoting(question.clone());
    let answer = office.li.send_text(session, ada.address(), "red", answer).await.unwrap();
    eventually(|| ada.received().len() == 1).await;
    assert_eq!(ada.received()[0].quoted, Some(question.clone()));
    let thanks = ada.reply(phone.address(), &answer, "thanks");
    let device = phone.reply(ada.address(), &thanks, "any time");
    office.unread(session, 2).await;
    office.settled(&phone).await;
    for (id, quoted) in
        [(&question, None), (&answer, Some(&question)), (&thanks, Some(&answer)), (&device, Some(&thanks))]
    {
        assert_eq!(office.message(session, ada.address(), id).await.message.quoted.as_ref(), quoted);
    }
}

async fn a_group_is_one_chat_of_many_senders(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    let group = office.messenger.group("team", &[&phone]);
    let ids = [ada.write(group.address(), "one"), bob.write(group.address(), "two")];
    office.unread(session, 2).await;
    let chats = office.li.chats(session, Page::first(10)).await.unwrap();
    assert_eq!(chats.len(), 1, "{chats:?}");
    assert_eq!((&chats[0].address, chats[0].kind, chats[0].unread), (group.address(), ChatKind::Group, 2));
    let senders: Vec<_> =
        office.messages(session, group.address()).await.into_iter().map(|stored| stored.message.sender).collect();
    assert_eq!(senders, [ada.address().clone(), bob.address().clone()]);
    let names: Vec<_> =
        office.li.contacts(session, Page::first(10)).await.unwrap().into_iter().filter_map(|one| one.name).collect();
    assert_eq!(names, ["ada", "bob"]);

    office.says(session, group.address(), "three").await;
    office.li.mark_read(session, group.address()).await.unwrap();
    eventually(|| group.received().len() == 3).await;
    eventually(|| bob.seen_by(phone.address()) == ids[1..]).await;
    assert_eq!(ada.seen_by(phone.address()), ids[..1], "each message is read to its own sender");
    assert_eq!(office.card(session).await.unread, 0);

    // Writing first makes a chat of the right kind too.
    let other = office.messenger.group("other", &[&phone]);
    office.says(session, other.address(), "hello all").await;
    assert_eq!(office.li.chat(session, other.address()).await.unwrap().kind, ChatKind::Group);
}

async fn a_channel_is_heard(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let news = office.messenger.channel("news", &[&phone]);
    office.messenger.person("editor").write(news.address(), "new prices");
    office.unread(session, 1).await;
    assert_eq!(office.li.chat(session, news.address()).await.unwrap().kind, ChatKind::Broadcast);
}

async fn a_contact_has_its_name_its_picture_and_when_it_was_seen(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("+49 151 12345678");
    let first = office.clock.now();
    ada.write(phone.address(), "hello");
    office.unread(session, 1).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let last = office.clock.now();
    ada.write(phone.address(), "still there?");
    ada.rename("Ada");
    ada.show(Some("simulated:face"));
    phone.save(ada.address(), "Ada, VIP 客户");
    let saved_only = office.messenger.person("bob");
    phone.save(saved_only.address(), "Bob");
    office.settled(&phone).await;
    let contacts = office.li.contacts(session, Page::first(10)).await.unwrap();
    let [known, unheard] = &contacts[..] else { panic!("{contacts:?}") };
    assert_eq!((known.name.as_deref(), known.saved_name.as_deref()), (Some("Ada"), Some("Ada, VIP 客户")));
    assert_eq!((known.phone.as_deref(), known.avatar.as_deref()), (Some("4915112345678"), Some("simulated:face")));
    assert_eq!((known.first_seen, known.last_seen), (Some(first), Some(last)));
    assert_eq!((unheard.saved_name.as_deref(), unheard.first_seen), (Some("Bob"), None));
    let chat = office.li.chat(session, ada.address()).await.unwrap();
    assert_eq!(chat.name.as_deref(), Some("Ada, VIP 客户"), "the list shows what the owner calls her");

    // What we say is not a sign of hers, and a picture may be taken away.
    tokio::time::sleep(Duration::from_secs(60)).await;
    office.says(session, ada.address(), "yes").await;
    ada.show(None);
    office.settled(&phone).await;
    let known = office.li.contacts(session, Page::first(1)).await.unwrap().remove(0);
    assert_eq!((known.avatar, known.last_seen), (None, Some(last)));
    let changes = office.events(session).await;
    let changes = changes
        .iter()
        .filter(|event| matches!(event, EventBody::ContactChanged { address } if address == ada.address()));
    assert!(changes.count() >= 4);
}

async fn what_the_phone_puts_aside_and_mutes_shows_in_the_list(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    ada.write(phone.address(), "hello");
    office.unread(session, 1).await;
    let chat = async || office.li.chat(session, ada.address()).await.unwrap();
    assert_eq!((chat().await.archived, chat().await.muted_until), (false, None));
    let until = office.clock.now() + Duration::from_secs(8 * 3600);
    phone.archive(ada.address(), true);
    phone.mute(ada.address(), Some(until));
    office.settled(&phone).await;
    assert_eq!((chat().await.archived, chat().await.muted_until), (true, Some(until)));
    assert_eq!(chat().await.unread, 1, "what is put aside is still unread");
    phone.mute(ada.address(), None);
    office.settled(&phone).await;
    assert_eq!((chat().await.archived, chat().await.muted_until), (true, None), "only what was said changes");
    let office = office.restart(false).await;
    assert!(office.li.chat(session, ada.address()).await.unwrap().archived);
    let changes = office.events(session).await;
    let changes =
        changes.iter().filter(|event| matches!(event, EventBody::ChatChanged { chat } if chat == ada.address()));
    assert!(changes.count() >= 3);
}

async fn messages_of_one_id_in_two_chats_are_two(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    let id = ada.write(phone.address(), "from Ada");
    bob.send_again(phone.address(), &id, Content::Text("from Bob".into()));
    office.unread(session, 2).await;
    assert_eq!(office.texts(session, ada.address()).await, ["from Ada"]);
    assert_eq!(office.texts(session, bob.address()).await, ["from Bob"]);
}

//! What people, groups and the phone say beside texts.

use std::time::Duration;

use seatport::conversation::{
    AmendmentChange, ChatKind, ChatUpdate, ContactUpdate, Content, Media, MediaKind, MediaReference,
};
use seatport::transport::{SendError, Signal};
use tokio::time::timeout;

use crate::seat::{mark_read, one_online, say, send, signal, stored, texts};

fn picture() -> Content {
    let mut picture = Media::new(MediaKind::Image, "image/jpeg");
    picture.caption = Some("三件".to_owned());
    picture.dimensions = Some((1200, 800));
    picture.reference = Some(MediaReference::new("simulated:picture-1"));
    Content::Media(picture)
}

#[tokio::test(start_paused = true)]
async fn media_goes_both_ways_with_its_reference() {
    let (messenger, phone, _seat, mut connection) = one_online().await;
    let bob = messenger.person("bob");
    let id = bob.send(phone.address(), picture());
    assert_eq!(stored(&mut connection).await[0].content, picture());
    assert_eq!(say(&connection, bob.address(), "OUT1", picture(), Some(id.clone())).await, Ok(()));
    let received = bob.received();
    assert_eq!((&received[0].content, &received[0].quoted), (&picture(), &Some(id)));
}

#[tokio::test(start_paused = true)]
async fn a_group_is_heard_by_its_members_under_its_own_address() {
    let (messenger, phone, _seat, mut connection) = one_online().await;
    let (bob, group) = (messenger.person("+4915112345678"), messenger.group("team", &[&phone]));
    let id = bob.write(group.address(), "hello all");
    let message = stored(&mut connection).await.remove(0);
    assert_eq!((&message.chat, message.kind, &message.sender), (group.address(), ChatKind::Group, bob.address()));
    assert_eq!((message.phone, message.id), (None, id.clone()), "a group has no phone number");

    assert_eq!(send(&connection, group.address(), "OUT1", "hello Bob").await, Ok(()));
    let said: Vec<_> = group.received().iter().map(|received| received.text().to_owned()).collect();
    assert_eq!(said, ["hello all", "hello Bob"]);
    assert_eq!(mark_read(&connection, group.address(), &[(&id, bob.address())]).await, Ok(()));
    assert_eq!(bob.seen_by(phone.address()), [id]);

    bob.write(messenger.channel("news", &[&phone]).address(), "new prices");
    assert_eq!(stored(&mut connection).await[0].kind, ChatKind::Broadcast);
}

#[tokio::test(start_paused = true)]
async fn a_phone_number_is_told_with_the_address_of_whoever_has_one() {
    let (messenger, phone, _seat, mut connection) = one_online().await;
    messenger.person("+49 151 12345678").write(phone.address(), "hello");
    assert_eq!(stored(&mut connection).await[0].phone.as_deref(), Some("4915112345678"));
    let hidden = messenger.person("hidden-17");
    hidden.write(phone.address(), "hello");
    assert_eq!(stored(&mut connection).await[0].phone, None);

    hidden.reveal_number(phone.address(), "+8613900000000");
    let Some(Signal::Identities(told)) = signal(&mut connection).await else { panic!("nothing told") };
    assert_eq!((&told[0].address, &told[0].canonical), (hidden.address(), hidden.address()));
    assert_eq!(told[0].phone.as_deref(), Some("8613900000000"));
    hidden.write(phone.address(), "me again");
    assert_eq!(stored(&mut connection).await[0].phone.as_deref(), Some("8613900000000"));

    let known = messenger.person("+8613911111111");
    hidden.is_also(phone.address(), &known);
    let Some(Signal::Identities(told)) = signal(&mut connection).await else { panic!("nothing told") };
    assert_eq!((&told[0].address, &told[0].canonical), (hidden.address(), known.address()));
}

#[tokio::test(start_paused = true)]
async fn edits_deletions_and_reactions_follow_their_message_or_overtake_it() {
    let (messenger, phone, seat, mut connection) = one_online().await;
    let bob = messenger.person("bob");
    let id = bob.write(phone.address(), "helo");
    stored(&mut connection).await;
    bob.edit(phone.address(), &id, "hello");
    phone.react(bob.address(), &id, Some("👍"));
    phone.react(bob.address(), &id, None);
    bob.delete(phone.address(), &id);
    let mut changes = Vec::new();
    while changes.len() < 4 {
        let Some(Signal::Amendments { amendments, ack }) = signal(&mut connection).await else { panic!("no changes") };
        ack.stored();
        assert!(amendments.iter().all(|change| change.chat == *bob.address() && change.target == id));
        changes.extend(amendments.into_iter().map(|change| (change.sender, change.change)));
    }
    let by = |sender: &seatport::Address, change| (sender.clone(), change);
    let hello = Content::Text("hello".to_owned());
    assert_eq!(changes[0], by(bob.address(), AmendmentChange::Edit(hello)));
    assert_eq!(changes[1], by(phone.address(), AmendmentChange::React(Some("👍".to_owned()))));
    assert_eq!(changes[2], by(phone.address(), AmendmentChange::React(None)));
    assert_eq!(changes[3], by(bob.address(), AmendmentChange::Delete));

    drop(connection);
    let id = bob.write(phone.address(), "anybody?");
    bob.delete(phone.address(), &id);
    messenger.conditions(|now| now.newest_first = true);
    let mut connection = seat.online().await;
    let Some(Signal::Amendments { amendments, .. }) = signal(&mut connection).await else { panic!("not first") };
    assert_eq!(amendments[0].target, id);
    assert_eq!(texts(&stored(&mut connection).await), ["anybody?"]);
}

#[tokio::test(start_paused = true)]
async fn names_pictures_and_what_the_phone_does_with_a_chat_are_told() {
    let (messenger, phone, _seat, mut connection) = one_online().await;
    let bob = messenger.person("bob");
    bob.rename("nobody hears this: he has never written");
    bob.write(phone.address(), "hello");
    stored(&mut connection).await;
    bob.rename("Bob B.");
    bob.show(Some("simulated:face"));
    phone.save(bob.address(), "Bob, supplier");
    phone.archive(bob.address(), true);
    phone.mute(bob.address(), None);
    let (mut contact, mut chat) = (ContactUpdate::new(bob.address().clone()), None::<ChatUpdate>);
    for _ in 0..5 {
        match signal(&mut connection).await {
            Some(Signal::Contacts(updates)) => {
                let update = updates.into_iter().next().unwrap();
                contact.name = update.name.or(contact.name);
                contact.saved_name = update.saved_name.or(contact.saved_name);
                contact.avatar = update.avatar.or(contact.avatar);
            }
            Some(Signal::Chats(updates)) => {
                let update = updates.into_iter().next().unwrap();
                let archived = update.archived.or(chat.as_ref().and_then(|chat| chat.archived));
                chat = Some(ChatUpdate { archived, ..update });
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!((contact.name.as_deref(), contact.saved_name.as_deref()), (Some("Bob B."), Some("Bob, supplier")));
    assert_eq!(contact.avatar, Some(Some("simulated:face".to_owned())));
    let chat = chat.unwrap();
    assert_eq!((chat.archived, chat.muted_until), (Some(true), Some(None)));
}

#[tokio::test(start_paused = true)]
async fn a_network_may_put_messages_off_refuse_them_or_lose_its_answer() {
    let (messenger, phone, _seat, connection) = one_online().await;
    let bob = messenger.person("bob");
    phone.conditions(|now| now.put_off = 100);
    assert_eq!(send(&connection, bob.address(), "OUT1", "one").await, Err(SendError::Later("503: busy".into())));
    phone.conditions(|now| (now.put_off, now.refusing) = (0, Some("463: slow down".into())));
    assert_eq!(send(&connection, bob.address(), "OUT2", "two").await, Err(SendError::Refused("463: slow down".into())));
    assert!(bob.received().is_empty());
    phone.conditions(|now| (now.refusing, now.lost_answers) = (None, 100));
    let lost = timeout(Duration::from_secs(20), send(&connection, bob.address(), "OUT3", "three")).await;
    assert!(lost.is_err(), "no answer comes");
    phone.conditions(|now| now.lost_answers = 0);
    assert_eq!(send(&connection, bob.address(), "OUT3", "three").await, Ok(()));
    assert_eq!(bob.received().len(), 1, "it was taken the first time");
    assert_eq!(messenger.journal().sent[0].times, 2);
}

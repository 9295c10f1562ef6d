//! Unread counts, reading, and what the network hears of it; pages both ways.

use std::time::Duration;

use seatport::conversation::ChatCursor;
use seatport::{Address, CardStatus, Error, EventBody, Page, SessionId, WhenFull};

use crate::office::{Office, eventually};

super::on_every_storage![
    unread_counts_each_chat_and_their_sum,
    reading_a_chat_is_told_to_the_network,
    reading_up_to_a_message_leaves_the_later_ones,
    what_was_read_while_the_network_was_away_is_told_when_it_is_back,
    what_was_read_while_stopped_is_told_after_a_crash_and_a_start,
    the_network_is_told_until_it_listens,
    what_the_phone_has_read_is_not_told_back,
    a_message_with_an_old_time_is_unread_all_the_same,
    contacts_are_paged_both_ways,
    chats_are_paged_both_ways,
    messages_are_paged_both_ways,
];

async fn unread(office: &Office, session: SessionId, chat: &Address) -> u64 {
    office.li.chat(session, chat).await.unwrap().unread
}

async fn unread_counts_each_chat_and_their_sum(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    for _ in 0..3 {
        ada.write(phone.address(), "hello");
    }
    bob.write(phone.address(), "hello");
    office.unread(session, 4).await;
    office.says(session, ada.address(), "yes?").await;
    assert_eq!((unread(&office, session, ada.address()).await, unread(&office, session, bob.address()).await), (3, 1));
    office.li.mark_read(session, ada.address()).await.unwrap();
    assert_eq!((unread(&office, session, ada.address()).await, unread(&office, session, bob.address()).await), (0, 1));
    let office = office.restart(false).await;
    assert_eq!(office.card(session).await.unread, 1);
    ada.write(phone.address(), "me again");
    office.unread(session, 2).await;
    let reads = office.events(session).await;
    assert_eq!(reads.iter().filter(|event| matches!(event, EventBody::ChatRead { .. })).count(), 1);
}

async fn reading_a_chat_is_told_to_the_network(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let written = [ada.write(phone.address(), "one"), ada.write(phone.address(), "two")];
    office.unread(session, 2).await;
    office.li.mark_read(session, ada.address()).await.unwrap();
    assert_eq!(office.card(session).await.unread, 0);
    eventually(|| ada.seen_by(phone.address()).len() == 2).await;
    assert!(written.iter().all(|id| ada.seen_by(phone.address()).contains(id)));
    office.li.mark_read(session, ada.address()).await.unwrap();
    let nobody = office.messenger.person("nobody");
    assert!(matches!(office.li.mark_read(session, nobody.address()).await, Err(Error::UnknownChat(_))));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(office.messenger.journal().receipts, 1, "once is enough");
}

async fn reading_up_to_a_message_leaves_the_later_ones(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let ids: Vec<_> = (0..5).map(|number| ada.write(phone.address(), number.to_string())).collect();
    office.unread(session, 5).await;
    office.li.mark_read_up_to(session, ada.address(), &ids[2]).await.unwrap();
    assert_eq!(unread(&office, session, ada.address()).await, 2);
    eventually(|| ada.seen_by(phone.address()).len() == 3).await;
    assert_eq!(ada.seen_by(phone.address()), ids[..3]);
    // Going back changes nothing.
    office.li.mark_read_up_to(session, ada.address(), &ids[0]).await.unwrap();
    assert_eq!(unread(&office, session, ada.address()).await, 2);
    office.li.mark_read_up_to(session, ada.address(), &ids[4]).await.unwrap();
    assert_eq!(office.card(session).await.unread, 0);
    let unknown = seatport::MessageId::new("nothing").unwrap();
    let refused = office.li.mark_read_up_to(session, ada.address(), &unknown).await;
    assert!(matches!(refused, Err(Error::UnknownMessage(_))), "{refused:?}");
}

async fn what_was_read_while_the_network_was_away_is_told_when_it_is_back(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let id = ada.write(phone.address(), "hello");
    office.unread(session, 1).await;
    office.messenger.conditions(|now| now.down = true);
    office.reaches(session, CardStatus::Connecting).await;
    office.li.mark_read(session, ada.address()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(ada.seen_by(phone.address()).is_empty());
    office.messenger.conditions(|now| now.down = false);
    eventually(|| ada.seen_by(phone.address()) == [id.clone()]).await;
}

async fn what_was_read_while_stopped_is_told_after_a_crash_and_a_start(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    let hers: Vec<_> = (0..30).map(|number| ada.write(phone.address(), number.to_string())).collect();
    let his = bob.write(phone.address(), "hello");
    office.unread(session, 31).await;
    office.mei.stop(session).await.unwrap();
    office.li.mark_read(session, ada.address()).await.unwrap();
    office.li.mark_read(session, bob.address()).await.unwrap();
    let office = office.restart(false).await;
    office.mei.start(session, WhenFull::Fail).await.unwrap();
    eventually(|| ada.seen_by(phone.address()).len() == 30 && bob.seen_by(phone.address()).len() == 1).await;
    assert_eq!((ada.seen_by(phone.address()), bob.seen_by(phone.address())), (hers, vec![his]));
    let told = office.messenger.journal().receipts;
    let office = office.restart(false).await;
    office.reaches(session, CardStatus::Online).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(office.messenger.journal().receipts, told, "what it was told of is not told again");
}

async fn the_network_is_told_until_it_listens(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    ada.write(phone.address(), "hello");
    office.unread(session, 1).await;
    phone.conditions(|now| now.put_off = 100);
    office.li.mark_read(session, ada.address()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    phone.conditions(|now| now.put_off = 0);
    eventually(|| ada.seen_by(phone.address()).len() == 1).await;
}

async fn what_the_phone_has_read_is_not_told_back(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    ada.write(phone.address(), "hello");
    office.unread(session, 1).await;
    phone.read(ada.address());
    office.unread(session, 0).await;
    office.li.mark_read(session, ada.address()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(office.messenger.journal().receipts, 0);
}

async fn a_message_with_an_old_time_is_unread_all_the_same(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    phone.conditions(|now| now.jitter = Duration::from_secs(3_600));
    ada.write(phone.address(), "slow");
    tokio::time::sleep(Duration::from_secs(1)).await;
    phone.conditions(|now| now.jitter = Duration::ZERO);
    ada.write(phone.address(), "quick");
    office.unread(session, 1).await;
    office.li.mark_read(session, ada.address()).await.unwrap();
    while phone.undelivered() > 0 {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    office.unread(session, 1).await;
    assert_eq!(office.texts(session, ada.address()).await, ["slow", "quick"], "in its place by time");
}

/// Reads a list in pages of three: forward from the start, and backward from the end. Both ways show each item once, in the
/// order of the list.
async fn both_ways<T: Clone + PartialEq + std::fmt::Debug, K>(
    whole: &[T],
    key: impl Fn(&T) -> K,
    read: impl AsyncFn(Page<K>) -> Vec<T>,
) {
    let (mut forward, mut backward): (Vec<T>, Vec<T>) = (Vec::new(), Vec::new());
    let mut page = read(Page::first(3)).await;
    while let Some(last) = page.last() {
        let next = Page::after(key(last), 3);
        forward.extend(page);
        page = read(next).await;
    }
    let mut page = read(Page::last(3)).await;
    while let Some(first) = page.first() {
        let next = Page::before(key(first), 3);
        backward.splice(0..0, page);
        page = read(next).await;
    }
    assert_eq!(forward, whole);
    assert_eq!(backward, whole);
}

async fn contacts_are_paged_both_ways(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    for number in 0..10 {
        office.messenger.person(&format!("person-{number}")).write(phone.address(), "hello");
    }
    office.unread(session, 10).await;
    let read = async |page| office.li.contacts(session, page).await.unwrap();
    let whole = read(Page::first(1000)).await;
    assert_eq!(whole.len(), 10);
    assert!(whole.is_sorted_by_key(|contact| contact.address.clone()));
    both_ways(&whole, |contact| contact.address.clone(), read).await;
}

async fn chats_are_paged_both_ways(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    for number in 0..10 {
        office.messenger.person(&format!("person-{}", number * 7 % 10)).write(phone.address(), "hello");
        tokio::time::sleep(Duration::from_secs(u64::from(number % 2 == 0))).await;
    }
    phone.archive(office.messenger.person("nobody").address(), true);
    office.unread(session, 10).await;
    office.settled(&phone).await;
    let read = async |page| office.li.chats(session, page).await.unwrap();
    let whole = read(Page::first(1000)).await;
    let times: Vec<_> = whole.iter().map(|chat| chat.last.as_ref().map(|last| last.message.at)).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "the newest first, those without a message last: {times:?}");
    assert_eq!((whole.len(), times.last()), (11, Some(&None)));
    both_ways(&whole, seatport::conversation::Chat::cursor, read).await;
    // The cursor of a chat that is gone, or has moved since, is a place all the same.
    let place = ChatCursor { address: Address::new("zzz").unwrap(), ..whole[4].cursor() };
    let after = office.li.chats(session, Page::after(place, 100)).await.unwrap();
    assert!(after.iter().all(|chat| chat.last.as_ref().map(|last| last.message.at) < times[4]), "{after:?}");
}

async fn messages_are_paged_both_ways(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    phone.conditions(|now| now.jitter = Duration::from_secs(60));
    for number in 0..20 {
        ada.write(phone.address(), number.to_string());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    office.unread(session, 20).await;
    let read = async |page| office.li.messages(session, ada.address(), page).await.unwrap();
    let whole = read(Page::first(1000)).await;
    assert!(whole.is_sorted_by(|a, b| a.message.at >= b.message.at), "the newest first");
    assert!(!whole.is_sorted_by(|a, b| a.seq >= b.seq), "though they came in another order");
    both_ways(&whole, |stored| stored.seq, read).await;
    let refused = office.li.messages(session, ada.address(), Page::first(0)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}

//! The same things said, delivered in any order, twice, and with crashes in between: in the end everything shows the same.

use std::time::Duration;

use seatport::conversation::{ChatKind, Contact, Content, Reaction};
use seatport::leads::LeadTotal;
use seatport::{Address, CardStatus, Clock, MessageId, Page, Random, SessionId, Timestamp, WhenFull};
use seatport_testkit::messenger::{Messenger, Person, Phone};

use crate::office::{Office, Store};

const STEPS: u64 = 120;

/// All that people see of a session, but for the places of messages and for names, which are those that came last.
#[derive(Debug, PartialEq)]
struct Seen {
    chats: Vec<(Address, ChatKind, u64, bool, Option<MessageId>)>,
    contacts: Vec<Contact>,
    messages: Vec<SeenMessage>,
    unread: u64,
    leads: Vec<LeadTotal>,
}

#[derive(Debug, PartialEq)]
struct SeenMessage {
    chat: Address,
    id: MessageId,
    sender: Address,
    content: Content,
    at: Timestamp,
    quoted: Option<MessageId>,
    edited: bool,
    reactions: Vec<Reaction>,
}

async fn seen(office: &Office, session: SessionId) -> Seen {
    let chats = office.li.chats(session, Page::first(1_000)).await.unwrap();
    let mut messages = Vec::new();
    for chat in &chats {
        for stored in office.messages(session, &chat.address).await {
            let message = stored.message;
            messages.push(SeenMessage {
                chat: message.chat,
                id: message.id,
                sender: message.sender,
                content: message.content,
                at: message.at,
                quoted: message.quoted,
                edited: stored.edited_at.is_some(),
                reactions: stored.reactions,
            });
        }
    }
    let contacts = office.li.contacts(session, Page::first(1_000)).await.unwrap();
    let ever = Timestamp::from_millis(i64::MAX);
    Seen {
        chats: chats
            .into_iter()
            .map(|chat| (chat.address, chat.kind, chat.unread, chat.archived, chat.last.map(|last| last.message.id)))
            .collect(),
        contacts: contacts.into_iter().map(|contact| Contact { name: None, ..contact }).collect(),
        messages,
        unread: office.card(session).await.unread,
        leads: office.storage.lead_totals(Timestamp::from_millis(0), ever).await.unwrap(),
    }
}

/// What people do while nobody listens. The seed chooses.
async fn story(messenger: &Messenger, phone: &Phone, random: &Random) {
    let names = ["+4915100000001", "hidden-1", "hidden-1b", "+4915100000002", "hidden-2", "ada"];
    let people = names.map(|name| messenger.person(name));
    let group = messenger.group("team", &[phone]);
    let pick = |below: usize| usize::try_from(random.below(below as u64)).unwrap();
    // Each is one of two or three addresses of a person; the last of a chain is the one that counts.
    let mut merges = vec![(1, 0), (2, 1), (4, 3)];
    let mut said: Vec<(Person, Address, MessageId)> = Vec::new();
    for step in 0..STEPS {
        let person = &people[pick(people.len())];
        let to = if random.below(5) == 0 { group.address() } else { phone.address() };
        match random.below(12) {
            0..=4 => said.push((person.clone(), to.clone(), person.write(to, format!("text {step}")))),
            5 => drop(phone.write(person.address(), &format!("text {step}"))),
            6 if !merges.is_empty() => {
                let (address, canonical) = merges.swap_remove(pick(merges.len()));
                people[address].is_also(phone.address(), &people[canonical]);
            }
            7 => phone.archive(people[5].address(), true),
            _ if said.is_empty() => {}
            change => {
                let (author, to, id) = &said[pick(said.len())];
                let chat = if to == phone.address() { author.address() } else { to };
                match change {
                    8 => author.edit(to, id, format!("edit {step}")),
                    9 => author.react(to, id, (random.below(3) > 0).then_some("👍")),
                    10 => phone.react(chat, id, Some("❤️")),
                    _ if random.below(3) == 0 => author.delete(to, id),
                    _ => said.push((author.clone(), to.clone(), author.reply(to, id, format!("answer {step}")))),
                }
            }
        }
        tokio::time::sleep(Duration::from_secs(60 + random.below(3_600))).await;
    }
    for (address, canonical) in merges {
        people[address].is_also(phone.address(), &people[canonical]);
    }
}

/// What everything looks like in the end, when it is delivered in this way.
async fn end(store: Store, seed: u64, disorder: Option<&Random>) -> Seen {
    let mut office = Office::open(store).await;
    let (session, phone) = office.online("+8613800138000").await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    office.mei.stop(session).await.unwrap();
    let messenger = office.messenger.clone();
    if let Some(random) = disorder {
        let (jitter, twice) = (random.up_to(Duration::from_secs(200_000)), random.below(60));
        messenger.conditions(|now| {
            (now.jitter, now.newest_first) = (jitter, random.below(2) == 0);
            (now.duplicates, now.lost_acks) = (u8::try_from(twice).unwrap(), u8::try_from(twice).unwrap());
        });
    }
    let clock = office.clock;
    office = office
        .closed(async || {
            // Writing to a disk takes real time, and with it a little of the virtual one: the story begins on the minute.
            let late = u64::try_from(clock.now().as_millis() % 60_000).unwrap();
            tokio::time::sleep(Duration::from_millis(60_000 - late)).await;
            story(&messenger, &phone, &Random::seeded(seed)).await;
            messenger.conditions(|now| now.jitter = Duration::ZERO);
            tokio::time::sleep(Duration::from_secs(200_000)).await;
        })
        .await;
    office.mei.start(session, WhenFull::Fail).await.unwrap();
    if let Some(random) = disorder {
        for _ in 0..5 {
            tokio::time::sleep(random.up_to(Duration::from_millis(120))).await;
            office = office.restart(false).await;
        }
    }
    office.reaches(session, CardStatus::Online).await;
    office.settled(&phone).await;
    seen(&office, session).await
}

async fn converges(store: impl Fn() -> Store, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let plain = end(store(), seed, None).await;
        assert!(plain.messages.len() > 30 && !plain.leads.is_empty());
        for disorder in 0..3 {
            let random = Random::seeded(seed * 100 + disorder);
            let other = end(store(), seed, Some(&random)).await;
            pretty(&plain, &other, seed, disorder);
        }
    }
}

/// Says what differs first: all of it would fill pages.
fn pretty(plain: &Seen, other: &Seen, seed: u64, disorder: u64) {
    let run = format!("seed {seed}, disorder {disorder}");
    for (a, b) in plain.messages.iter().zip(&other.messages) {
        assert_eq!(a, b, "{run}");
    }
    assert_eq!(plain, other, "{run}");
}

#[tokio::test(start_paused = true)]
async fn in_memory_it_ends_the_same_in_whatever_order_it_comes() {
    converges(Store::memory, 0..8).await;
}

#[tokio::test(start_paused = true)]
async fn on_sqlite_it_ends_the_same_in_whatever_order_it_comes() {
    converges(Store::sqlite, 0..2).await;
}

//! Names, texts and times that are few enough to meet again and again.

use seatport::conversation::{ContactCard, Content, Location, Media, MediaKind, MediaReference};
use seatport::leads::PersonKey;
use seatport::{Address, AgentId, ConsumerName, MessageId, NodeId, Random, SendKey, SessionId, Timestamp};

/// How many sessions there are at a time.
pub(crate) const PLACES: usize = 3;
/// How many addresses; the last one is a group's.
pub(crate) const ADDRESSES: usize = 6;
pub(crate) const GROUP: usize = ADDRESSES - 1;
pub(crate) const MESSAGES: usize = 5;
pub(crate) const KEYS: usize = 4;
pub(crate) const AGENTS: usize = 2;
pub(crate) const CONSUMERS: usize = 2;

/// When it all begins: a Tuesday, 22:13:20 UTC; a quarter of an hour ends soon, and a day.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What is said and searched for: words in words, scripts in one word, and what letter case does to some of them.
const TEXTS: [&str; 24] = [
    "hello",
    "Hello World",
    "ok",
    "O",
    "退款",
    "申请退款 please",
    "款",
    "a款b",
    "hell no",
    "ΟΔΟΣ ΣΟΦΟΣ",
    "straße STRASSE",
    "İstanbul ı",
    "K\u{212a}k",
    "100%_",
    "\"quoted\" OR *",
    "👍🏽 👍",
    "e\u{301}é",
    "ab cd",
    "",
    " \n ",
    "ǅǆǄ ﬁ",
    "nul\0in it",
    "+49 151",
    "x@net",
];

/// What is searched for besides pieces of the texts.
const WORDS: [&str; 14] =
    ["", " ", "l", "he", "HELLO", "net", "退 款", "σ", "ς", "οδοσ", "b@", "k", "hello world", "4915 ann"];

pub(crate) fn pick<'a, T>(random: &Random, of: &'a [T]) -> &'a T {
    &of[below(random, of.len())]
}

pub(crate) fn below(random: &Random, bound: usize) -> usize {
    random.below(bound as u64) as usize
}

/// Whether something comes up that does so `percent` times of a hundred.
pub(crate) fn chance(random: &Random, percent: u64) -> bool {
    random.below(100) < percent
}

/// The id of the session that was in this place as the one of this number; not in the order in which they are added.
pub(crate) fn session(place: usize, number: u64) -> SessionId {
    let scattered = (place as u64 + 1 + number * 7).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    SessionId::from_bytes((u128::from(scattered) << 64 | 0x5E55).to_be_bytes())
}

pub(crate) fn node(number: usize) -> NodeId {
    NodeId::from_bytes((number as u128 + 1).to_be_bytes())
}

pub(crate) fn address(number: usize) -> Address {
    let text = ["ann@net", "bob@net", "B@net", "美@lid", "49151@lid", "group@net"][number];
    Address::new(text).unwrap()
}

pub(crate) fn some_address(random: &Random) -> Address {
    address(below(random, ADDRESSES))
}

pub(crate) fn message_id(number: usize) -> MessageId {
    MessageId::new(["1", "2", "a", "B", "消"][number]).unwrap()
}

pub(crate) fn some_message_id(random: &Random) -> MessageId {
    message_id(below(random, MESSAGES))
}

pub(crate) fn key(number: usize) -> SendKey {
    SendKey::new(format!("key {number}")).unwrap()
}

pub(crate) fn agent(number: usize) -> AgentId {
    AgentId::new(["ada", "Bea"][number]).unwrap()
}

pub(crate) fn some_agent(random: &Random) -> Option<AgentId> {
    let number = below(random, AGENTS + 1);
    (number < AGENTS).then(|| agent(number))
}

pub(crate) fn consumer(number: usize) -> ConsumerName {
    ConsumerName::new(["crm", "export"][number]).unwrap()
}

/// One of the keys of the person with this address. Each has two; now and then it is somebody else's.
pub(crate) fn person(random: &Random, address: usize) -> PersonKey {
    let person = if chance(random, 2) { below(random, ADDRESSES) } else { address };
    let key = if chance(random, 85) { person } else { person + ADDRESSES };
    PersonKey::from_bytes([key as u8 + 1; 16])
}

/// A time before or after this one, on both sides of everything that the ledger looks at.
pub(crate) fn near(random: &Random, now: Timestamp) -> Timestamp {
    let steps =
        [0, 0, 0, 1, SECOND, SECOND, MINUTE, 15 * MINUTE, HOUR, DAY - 1, DAY, DAY + 1, 2 * DAY, 7 * DAY, 90 * DAY];
    let step = *pick(random, &steps);
    let sign = if chance(random, 75) { -1 } else { 1 };
    Timestamp::from_millis(now.as_millis().saturating_add(sign * step))
}

/// How far the clock goes on between two steps; sometimes it goes back.
pub(crate) fn tick(random: &Random) -> i64 {
    *pick(
        random,
        &[0, 0, 1, SECOND, SECOND, MINUTE, 20 * MINUTE, HOUR, 23 * HOUR, DAY, 49 * HOUR, -SECOND, -HOUR, -3 * DAY],
    )
}

pub(crate) fn text(random: &Random) -> String {
    (*pick(random, &TEXTS)).to_owned()
}

/// A query: a piece of one of the texts, two pieces, or a word of its own.
pub(crate) fn query(random: &Random) -> String {
    match random.below(4) {
        0 => (*pick(random, &WORDS)).to_owned(),
        1 => format!("{} {}", piece(random), piece(random)),
        _ => piece(random),
    }
}

fn piece(random: &Random) -> String {
    let letters: Vec<char> = text(random).chars().collect();
    let start = below(random, letters.len() + 1);
    let length = 1 + below(random, 4);
    let piece: String = letters.iter().skip(start).take(length).collect();
    if chance(random, 20) { piece.to_uppercase() } else { piece }
}

fn maybe(random: &Random) -> Option<String> {
    chance(random, 50).then(|| text(random))
}

pub(crate) fn content(random: &Random) -> Content {
    match random.below(20) {
        0..9 => Content::Text(text(random)),
        9..12 => Content::Undecryptable,
        12 => Content::Deleted,
        13 => Content::System(text(random)),
        14 => Content::Unsupported("poll".to_owned()),
        15 => Content::Contact(ContactCard { name: text(random), phones: vec![text(random), "+49 151".to_owned()] }),
        16 | 17 => {
            let (name, address) = (maybe(random), maybe(random));
            Content::Location(Location { latitude: -52_520_008, longitude: 13_404_954, name, address })
        }
        _ => {
            let mut media = Media::new(MediaKind::Document, "application/pdf");
            media.caption = maybe(random);
            media.file_name = maybe(random);
            media.reference = maybe(random).map(MediaReference::new);
            Content::Media(media)
        }
    }
}

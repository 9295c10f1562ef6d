//! Loading what commits name.

use std::collections::{HashMap, HashSet};

use seatport::storage::SessionCommit;
use seatport::{Address, MessageId, SessionId};
use tokio_postgres::Row;

use super::Working;
use super::amendment::Change;
use super::chat::Thread;
use super::contact::Person;
use super::mention::{Mentions, Named};
use super::message::Kept;
use crate::codes::{Count, Flag, Id, Text};
use crate::error::Failure;
use crate::sql::{Connection, Params, all, prepare};

/// The addresses, as they count: with the chat and the contact there are, or with a key for a chat that is to be added, and
/// whether a message that is delivered there is stored already. The sessions are looked up first, each once.
///
/// Here and below each row is looked up by itself (LATERAL), so that the plan is the same however many there are.
const ADDRESSES: &str = "WITH s AS MATERIALIZED (
         SELECT array_agg(known.key ORDER BY given.n) AS keys
         FROM UNNEST($1::uuid[]) WITH ORDINALITY AS given (id, n)
         LEFT JOIN LATERAL (SELECT key FROM session WHERE id = given.id LIMIT 1) AS known ON true
     )
     SELECT u.n, a.canonical,
         c.key, c.kind, c.listed, c.unread, c.waiting, c.last, c.recency, c.archived, c.muted_until, c.oldest, c.complete, c.person,
         CASE WHEN u.adds AND c.key IS NULL THEN nextval('chat_key_seq') END,
         k.key, k.phone, k.name, k.saved_name, k.avatar, k.first_seen, k.last_seen,
         m.seq IS NOT NULL
     FROM s CROSS JOIN UNNEST($2::integer[], $3::text[], $4::boolean[], $5::text[]) WITH ORDINALITY
         AS u (session, address, adds, delivered, n)
     LEFT JOIN LATERAL (
         SELECT canonical FROM alias WHERE session = s.keys[u.session] AND address = u.address LIMIT 1
     ) AS a ON true
     LEFT JOIN LATERAL (
         SELECT * FROM chat WHERE session = s.keys[u.session] AND address = coalesce(a.canonical, u.address) LIMIT 1
     ) AS c ON true
     LEFT JOIN LATERAL (
         SELECT * FROM contact WHERE session = s.keys[u.session] AND address = coalesce(a.canonical, u.address) LIMIT 1
     ) AS k ON true
     LEFT JOIN LATERAL (SELECT seq FROM message WHERE chat = c.key AND id = u.delivered LIMIT 1) AS m ON true";

/// The messages that are there.
const MESSAGES: &str = "SELECT w.n, m.seq, m.at, m.status, m.body, m.edited_at, m.reacted, m.author,
         CASE WHEN w.amended THEN m.content END, m.unread
     FROM UNNEST($1::bigint[], $2::text[], $3::boolean[]) WITH ORDINALITY AS w (chat, id, amended, n)
     CROSS JOIN LATERAL (SELECT * FROM message WHERE chat = w.chat AND id = w.id LIMIT 1) AS m";

/// What became of messages.
const CHANGES: &str = "SELECT w.n, r.change, r.slot, coalesce(a.meant, r.slot), r.at, r.id, r.value, r.waits
     FROM UNNEST($1::bigint[], $2::text[]) WITH ORDINALITY AS w (chat, id, n)
     CROSS JOIN LATERAL (SELECT session FROM chat WHERE key = w.chat LIMIT 1) AS c
     CROSS JOIN LATERAL (SELECT * FROM amendment WHERE chat = w.chat AND target = w.id OFFSET 0) AS r
     LEFT JOIN LATERAL (SELECT meant FROM alias WHERE session = c.session AND address = r.slot LIMIT 1) AS a ON true";

/// The places of messages that nobody has read, as far as a mark may reach.
const UNREAD: &str = "SELECT w.n, m.seq
     FROM UNNEST($1::bigint[], $2::text[]) WITH ORDINALITY AS w (chat, up_to, n)
     LEFT JOIN LATERAL (SELECT seq FROM message WHERE chat = w.chat AND id = w.up_to LIMIT 1) AS e ON true
     CROSS JOIN LATERAL (
         SELECT seq FROM message
         WHERE chat = w.chat AND unread = 1 AND seq <= coalesce(e.seq, 9223372036854775807) OFFSET 0
     ) AS m";

/// An address that is looked up.
struct Lookup<'a> {
    named: &'a Named<'a>,
    /// A message that is delivered there, and its number.
    delivered: Option<(usize, &'a MessageId)>,
}

/// An address as it was loaded.
struct Found {
    /// The place among the lookups.
    place: usize,
    canonical: Option<Address>,
    thread: Option<Thread>,
    person: Option<Person>,
    /// Whether the message is stored.
    redelivered: bool,
}

impl Working {
    /// Loads what these commits name. Every session that is there is locked by then: this may be polled together with the lock,
    /// after it.
    pub(crate) async fn load(on: &Connection, commits: &[&SessionCommit]) -> Result<Self, Failure> {
        Self::load_mentioned(on, &Mentions::of(commits)).await
    }

    pub(super) async fn load_mentioned(on: &Connection, mentions: &Mentions<'_>) -> Result<Self, Failure> {
        if mentions.addresses.is_empty() {
            return Ok(Self::default());
        }
        prepare(on, &[ADDRESSES]).await?;
        let mut working = Self::default();
        let mut redelivered = HashSet::new();
        let lookups = lookups(mentions);
        for found in load_addresses(on, &lookups).await? {
            let Some(Lookup { named, delivered }) = lookups.get(found.place) else { continue };
            redelivered.extend(delivered.filter(|_| found.redelivered).map(|(number, _)| number));
            let talk = working.talks.entry(named.session).or_default();
            let counts = found.canonical.as_ref().unwrap_or(named.address).clone();
            // Two addresses may be one person's.
            if let Some(thread) = found.thread {
                talk.chats.entry(counts.clone()).or_insert(thread);
            }
            if let Some(person) = found.person {
                talk.contacts.entry(counts).or_insert(person);
            }
            if let Some(canonical) = found.canonical {
                talk.aliases.insert(named.address.clone(), canonical);
            }
        }
        working.load_within(on, mentions, &redelivered).await?;
        Ok(working)
    }

    /// Loads what is named in the chats that are there, but for messages that are new. Nearly always that is nothing.
    async fn load_within(
        &mut self,
        on: &Connection,
        mentions: &Mentions<'_>,
        redelivered: &HashSet<usize>,
    ) -> Result<(), Failure> {
        let (mut known, mut amended, mut marked) = (Places::default(), Places::default(), Places::default());
        let mut with_content = Vec::new();
        for (number, sought) in mentions.messages.iter().enumerate() {
            let Some(thread) = self.stored(mentions, sought.chat) else { continue };
            if !sought.delivered || redelivered.contains(&number) {
                known.push(number, thread.key, Some(sought.id));
                with_content.push(sought.amended);
            }
            // A message that may be new is reached by what waits for it.
            if sought.amended || thread.waiting > 0 {
                amended.push(number, thread.key, Some(sought.id));
            }
        }
        for (chat, up_to) in &mentions.marks {
            if let Some(thread) = self.stored(mentions, *chat) {
                marked.push(*chat, thread.key, *up_to);
            }
        }
        let (messages, changes, unread) = tokio::try_join!(
            biased;
            load_messages(on, &known, &with_content),
            load_changes(on, &amended),
            load_unread(on, &marked),
        )?;
        for (number, kept) in messages {
            if let Some((thread, id)) = self.sought(mentions, number) {
                thread.messages.insert(id.clone(), kept);
            }
        }
        for (number, (change, waits)) in changes {
            if let Some((thread, id)) = self.sought(mentions, number) {
                thread.changes.entry(id.clone()).or_default().load(change, waits);
            }
        }
        for (number, place) in unread {
            if let Some(thread) = self.numbered(mentions, number) {
                thread.unread_places.insert(place);
            }
        }
        Ok(())
    }

    /// The chat of the address with this number, if it has a row.
    fn stored(&mut self, mentions: &Mentions<'_>, number: usize) -> Option<&mut Thread> {
        self.numbered(mentions, number).filter(|thread| thread.stored)
    }

    /// The chat of the address with this number.
    fn numbered(&mut self, mentions: &Mentions<'_>, number: usize) -> Option<&mut Thread> {
        let named = mentions.addresses.get(number)?;
        let talk = self.talks.get_mut(&named.session)?;
        talk.chats.get_mut(talk.aliases.get(named.address).unwrap_or(named.address))
    }

    fn sought<'a>(&mut self, mentions: &Mentions<'a>, found: usize) -> Option<(&mut Thread, &'a MessageId)> {
        let sought = mentions.messages.get(found)?;
        Some((self.numbered(mentions, sought.chat)?, sought.id))
    }
}

/// A place in a list, as the database counts: from 1.
fn place(row: &Row) -> Result<usize, Failure> {
    let Count(number): Count<usize> = row.try_get(0)?;
    Ok(number.saturating_sub(1))
}

/// Each message that is delivered with its chat, and the addresses that are named otherwise.
fn lookups<'a>(mentions: &'a Mentions<'a>) -> Vec<Lookup<'a>> {
    let mut others: Vec<_> = mentions.addresses.iter().map(Some).collect();
    let mut lookups = Vec::with_capacity(others.len());
    for (number, sought) in mentions.messages.iter().enumerate().filter(|(_, sought)| sought.delivered) {
        if let Some(named) = mentions.addresses.get(sought.chat) {
            lookups.push(Lookup { named, delivered: Some((number, sought.id)) });
            others[sought.chat] = None;
        }
    }
    lookups.extend(others.into_iter().flatten().map(|named| Lookup { named, delivered: None }));
    lookups
}

async fn load_addresses(on: &Connection, lookups: &[Lookup<'_>]) -> Result<Vec<Found>, Failure> {
    let mut sessions: Vec<Id<SessionId>> = Vec::new();
    let mut numbers = HashMap::new();
    let of_session = lookups.iter().map(|lookup| {
        *numbers.entry(lookup.named.session).or_insert_with(|| {
            sessions.push(Id(lookup.named.session));
            // As the database counts.
            i32::try_from(sessions.len()).unwrap_or(i32::MAX)
        })
    });
    let of_session: Vec<i32> = of_session.collect();
    let address: Vec<&str> = lookups.iter().map(|lookup| lookup.named.address.as_str()).collect();
    let adds: Vec<bool> = lookups.iter().map(|lookup| lookup.named.adds).collect();
    let delivered: Vec<_> = lookups.iter().map(|lookup| lookup.delivered.map(|(_, id)| id.as_str())).collect();
    all(on, ADDRESSES, &[&sessions, &of_session, &address, &adds, &delivered], |row| {
        let place = place(row)?;
        let canonical = row.try_get::<_, Option<Text<Address>>>(1)?.map(|Text(canonical)| canonical);
        let thread = match Thread::read(row, 2)? {
            Some(thread) => Some(thread),
            None => row.try_get::<_, Option<i64>>(14)?.map(Thread::new),
        };
        let counts = canonical.as_ref().or_else(|| lookups.get(place).map(|lookup| lookup.named.address));
        let person = counts.map(|counts| Person::read(row, 15, counts)).transpose()?.flatten();
        Ok(Found { place, canonical, thread, person, redelivered: row.try_get(22)? })
    })
    .await
}

/// Messages by the keys of their chats, as columns.
#[derive(Default)]
struct Places<'a> {
    /// By which they are known here.
    numbers: Vec<usize>,
    chats: Vec<i64>,
    ids: Vec<Option<&'a str>>,
}

impl<'a> Places<'a> {
    fn push(&mut self, number: usize, chat: i64, id: Option<&'a MessageId>) {
        self.numbers.push(number);
        self.chats.push(chat);
        self.ids.push(id.map(MessageId::as_str));
    }

    /// Runs a statement with these columns, and with more of them; answers each row with the number here. Nothing runs for no
    /// message.
    async fn all<T>(
        &self,
        on: &Connection,
        sql: &str,
        more: Params<'_>,
        mut read: impl FnMut(&Row) -> Result<T, Failure>,
    ) -> Result<Vec<(usize, T)>, Failure> {
        if self.numbers.is_empty() {
            return Ok(Vec::new());
        }
        let own: Params<'_> = &[&self.chats, &self.ids];
        all(on, sql, &[own, more].concat(), |row| {
            let number = self.numbers.get(place(row)?).copied().unwrap_or(usize::MAX);
            Ok((number, read(row)?))
        })
        .await
    }
}

async fn load_messages(
    on: &Connection,
    places: &Places<'_>,
    with_content: &Vec<bool>,
) -> Result<Vec<(usize, Kept)>, Failure> {
    places.all(on, MESSAGES, &[with_content], |row| Kept::read(row, 1)).await
}

async fn load_changes(on: &Connection, places: &Places<'_>) -> Result<Vec<(usize, (Change, bool))>, Failure> {
    let read = |row: &Row| {
        let Flag(waits) = row.try_get(7)?;
        Ok((Change::read(row, 1)?, waits))
    };
    places.all(on, CHANGES, &[], read).await
}

async fn load_unread(on: &Connection, places: &Places<'_>) -> Result<Vec<(usize, u64)>, Failure> {
    let seq = |row: &Row| {
        let Count(seq) = row.try_get(1)?;
        Ok(seq)
    };
    places.all(on, UNREAD, &[], seq).await
}

//! Loading what commits name.

use seatport::storage::SessionCommit;
use seatport::{Address, MessageId, SessionId};
use tokio_postgres::Row;

use super::Working;
use super::amendment::Change;
use super::chat::Thread;
use super::contact::Person;
use super::mention::Mentions;
use super::message::Kept;
use crate::codes::{Count, Flag, Id, Text};
use crate::error::Failure;
use crate::sql::{Connection, Params, all, integer, prepare};

/// The addresses, as they count: with the chat and the contact there are, or with a key for a chat that is to be added.
///
/// Here and below each row is looked up by itself (LATERAL), so that the plan is the same however many there are.
const ADDRESSES: &str = "SELECT u.n, a.canonical,
         c.key, c.kind, c.listed, c.unread, c.waiting, c.last, c.recency, c.archived, c.muted_until, c.oldest, c.complete, c.person,
         CASE WHEN u.adds AND c.key IS NULL THEN nextval('chat_key_seq') END,
         k.key, k.phone, k.name, k.saved_name, k.avatar, k.first_seen, k.last_seen
     FROM UNNEST($1::uuid[], $2::text[], $3::boolean[]) WITH ORDINALITY AS u (session, address, adds, n)
     LEFT JOIN LATERAL (SELECT key FROM session WHERE id = u.session LIMIT 1) AS s ON true
     LEFT JOIN LATERAL (SELECT canonical FROM alias WHERE session = s.key AND address = u.address LIMIT 1) AS a ON true
     LEFT JOIN LATERAL (
         SELECT * FROM chat WHERE session = s.key AND address = coalesce(a.canonical, u.address) LIMIT 1
     ) AS c ON true
     LEFT JOIN LATERAL (
         SELECT * FROM contact WHERE session = s.key AND address = coalesce(a.canonical, u.address) LIMIT 1
     ) AS k ON true";

/// The rows of the addresses' chats, each at the number of its address; 0 where there is none.
macro_rules! with_chats {
    ($select:literal) => {
        concat!(
            "WITH c AS MATERIALIZED (
                 SELECT array_agg(coalesce(s.key, 0) ORDER BY u.n) AS sessions, array_agg(coalesce(c.key, 0) ORDER BY u.n) AS keys,
                     array_agg(coalesce(c.waiting, 0) ORDER BY u.n) AS waiting
                 FROM UNNEST($1::uuid[], $2::text[]) WITH ORDINALITY AS u (session, address, n)
                 LEFT JOIN LATERAL (SELECT key FROM session WHERE id = u.session LIMIT 1) AS s ON true
                 LEFT JOIN LATERAL (
                     SELECT canonical FROM alias WHERE session = s.key AND address = u.address LIMIT 1
                 ) AS a ON true
                 LEFT JOIN LATERAL (
                     SELECT key, waiting FROM chat WHERE session = s.key AND address = coalesce(a.canonical, u.address) LIMIT 1
                 ) AS c ON true
             ) ",
            $select
        )
    };
}

/// The messages that are there.
const MESSAGES: &str = with_chats!(
    "SELECT w.found, m.seq, m.at, m.status, m.body, m.edited_at, m.reacted, m.author,
         CASE WHEN w.amended THEN m.content END, m.unread
     FROM c CROSS JOIN UNNEST($3::bigint[], $4::text[], $5::boolean[]) WITH ORDINALITY AS w (n, id, amended, found)
     CROSS JOIN LATERAL (SELECT * FROM message WHERE chat = c.keys[w.n] AND id = w.id LIMIT 1) AS m"
);

/// What became of messages that are amended, and of those that may be new where there is something that waits.
const CHANGES: &str = with_chats!(
    "SELECT w.found, r.change, r.slot, coalesce(a.meant, r.slot), r.at, r.id, r.value, r.waits
     FROM c CROSS JOIN UNNEST($3::bigint[], $4::text[], $5::boolean[]) WITH ORDINALITY AS w (n, id, amended, found)
     CROSS JOIN LATERAL (
         SELECT * FROM amendment
         WHERE chat = CASE WHEN w.amended OR c.waiting[w.n] > 0 THEN c.keys[w.n] END AND target = w.id OFFSET 0
     ) AS r
     LEFT JOIN LATERAL (SELECT meant FROM alias WHERE session = c.sessions[w.n] AND address = r.slot LIMIT 1) AS a ON true"
);

/// The places of messages that nobody has read, as far as a mark may reach.
const UNREAD: &str = with_chats!(
    "SELECT w.n, m.seq
     FROM c CROSS JOIN UNNEST($3::bigint[], $4::text[]) AS w (n, up_to)
     LEFT JOIN LATERAL (SELECT seq FROM message WHERE chat = c.keys[w.n] AND id = w.up_to LIMIT 1) AS e ON true
     CROSS JOIN LATERAL (
         SELECT seq FROM message
         WHERE chat = c.keys[w.n] AND unread = 1 AND seq <= coalesce(e.seq, 9223372036854775807) OFFSET 0
     ) AS m"
);

/// An address as it was loaded.
struct Found {
    number: usize,
    canonical: Option<Address>,
    thread: Option<Thread>,
    person: Option<Person>,
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
        prepare(on, &[ADDRESSES, MESSAGES, CHANGES, UNREAD]).await?;
        let session: Vec<Id<SessionId>> = mentions.addresses.iter().map(|named| Id(named.session)).collect();
        let address: Vec<&str> = mentions.addresses.iter().map(|named| named.address.as_str()).collect();
        let (addresses, messages, changes, unread) = tokio::try_join!(
            biased;
            load_addresses(on, mentions, &session, &address),
            load_messages(on, mentions, &session, &address),
            load_changes(on, mentions, &session, &address),
            load_unread(on, mentions, &session, &address)
        )?;

        let mut working = Self::default();
        for Found { number, canonical, thread, person } in addresses {
            let Some(named) = mentions.addresses.get(number) else { continue };
            let talk = working.talks.entry(named.session).or_default();
            let counts = canonical.as_ref().unwrap_or(named.address).clone();
            // Two addresses may be one person's.
            if let Some(thread) = thread {
                talk.chats.entry(counts.clone()).or_insert(thread);
            }
            if let Some(person) = person {
                talk.contacts.entry(counts).or_insert(person);
            }
            if let Some(canonical) = canonical {
                talk.aliases.insert(named.address.clone(), canonical);
            }
        }
        for (found, kept) in messages {
            if let Some((thread, id)) = working.sought(mentions, found) {
                thread.messages.insert(id.clone(), kept);
            }
        }
        for (found, change, waits) in changes {
            if let Some((thread, id)) = working.sought(mentions, found) {
                thread.changes.entry(id.clone()).or_default().load(change, waits);
            }
        }
        for (number, place) in unread {
            if let Some(thread) = working.numbered(mentions, number) {
                thread.unread_places.insert(place);
            }
        }
        Ok(working)
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

/// The number of an address, as the database counts.
fn number(index: usize) -> i64 {
    integer(index as u64 + 1)
}

async fn load_addresses(
    on: &Connection,
    mentions: &Mentions<'_>,
    session: &[Id<SessionId>],
    address: &[&str],
) -> Result<Vec<Found>, Failure> {
    let adds: Vec<bool> = mentions.addresses.iter().map(|named| named.adds).collect();
    all(on, ADDRESSES, &[&session, &address, &adds], |row| {
        let number = place(row)?;
        let canonical = row.try_get::<_, Option<Text<Address>>>(1)?.map(|Text(canonical)| canonical);
        let thread = match Thread::read(row, 2)? {
            Some(thread) => Some(thread),
            None => row.try_get::<_, Option<i64>>(14)?.map(Thread::new),
        };
        let counts = canonical.as_ref().or_else(|| mentions.addresses.get(number).map(|named| named.address));
        let person = counts.map(|counts| Person::read(row, 15, counts)).transpose()?.flatten();
        Ok(Found { number, canonical, thread, person })
    })
    .await
}

/// The columns of the messages that are sought.
fn columns<'a>(mentions: &Mentions<'a>) -> (Vec<i64>, Vec<&'a str>, Vec<bool>) {
    let of = || mentions.messages.iter();
    let chat = of().map(|sought| number(sought.chat)).collect();
    (chat, of().map(|sought| sought.id.as_str()).collect(), of().map(|sought| sought.amended).collect())
}

async fn load_messages(
    on: &Connection,
    mentions: &Mentions<'_>,
    session: &[Id<SessionId>],
    address: &[&str],
) -> Result<Vec<(usize, Kept)>, Failure> {
    if mentions.messages.is_empty() {
        return Ok(Vec::new());
    }
    let (chat, id, amended) = columns(mentions);
    let values: Params<'_> = &[&session, &address, &chat, &id, &amended];
    all(on, MESSAGES, values, |row| Ok((place(row)?, Kept::read(row, 1)?))).await
}

async fn load_changes(
    on: &Connection,
    mentions: &Mentions<'_>,
    session: &[Id<SessionId>],
    address: &[&str],
) -> Result<Vec<(usize, Change, bool)>, Failure> {
    if mentions.messages.is_empty() {
        return Ok(Vec::new());
    }
    let (chat, id, amended) = columns(mentions);
    let values: Params<'_> = &[&session, &address, &chat, &id, &amended];
    let read = |row: &Row| {
        let Flag(waits) = row.try_get(7)?;
        Ok((place(row)?, Change::read(row, 1)?, waits))
    };
    all(on, CHANGES, values, read).await
}

async fn load_unread(
    on: &Connection,
    mentions: &Mentions<'_>,
    session: &[Id<SessionId>],
    address: &[&str],
) -> Result<Vec<(usize, u64)>, Failure> {
    if mentions.marks.is_empty() {
        return Ok(Vec::new());
    }
    let chat: Vec<i64> = mentions.marks.iter().map(|(chat, _)| number(*chat)).collect();
    let up_to: Vec<Option<&str>> = mentions.marks.iter().map(|(_, up_to)| up_to.map(MessageId::as_str)).collect();
    all(on, UNREAD, &[&session, &address, &chat, &up_to], |row| {
        let Count(seq) = row.try_get(1)?;
        Ok((place(row)?, seq))
    })
    .await
}

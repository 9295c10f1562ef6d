//! Chats.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use seatport::conversation::{ChatKind, Coverage};
use seatport::leads::{Fact, PersonKey};
use seatport::storage::ChatNews;
use seatport::{Address, EventBody, MessageId, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::amendment::Changes;
use super::message::Kept;
use super::read_mark::Reading;
use super::{Conversation, Talk};
use crate::codes::{At, Code, Count, Flag};
use crate::error::Failure;
use crate::ledger::Telling;
use crate::sql::{Connection, execute};

/// The recency of a chat without a message, see the schema.
pub(crate) const NEVER: i64 = i64::MAX;

/// The place in the order of chats of one whose newest message has this time.
pub(crate) fn recency(at: Option<Timestamp>) -> i64 {
    at.map_or(NEVER, |at| at.as_millis().saturating_neg().min(NEVER - 1))
}

/// A chat's row, and what hangs on it as far as the batch needs it.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) key: i64,
    /// Whether there is a row. If not, the key is one to be used.
    pub(super) stored: bool,
    /// Whether the row is to be written.
    pub(super) changed: bool,
    pub(super) details: Details,
    pub(super) unread: u64,
    pub(super) waiting: u64,
    pub(super) last: Option<u64>,
    pub(super) recency: i64,
    pub(super) person: Option<PersonKey>,
    pub(super) messages: HashMap<MessageId, Kept>,
    pub(super) changes: HashMap<MessageId, Changes>,
    /// The places of messages that nobody has read, where the chat is marked as read; and those of new ones.
    pub(super) unread_places: BTreeSet<u64>,
    /// By place: of new messages, and of those where it changed.
    pub(super) readings: BTreeMap<u64, Reading>,
}

/// What people see of a chat, its messages aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Details {
    pub(super) listed: bool,
    pub(super) kind: ChatKind,
    pub(super) archived: bool,
    pub(super) muted_until: Option<Timestamp>,
    pub(super) coverage: Option<Coverage>,
}

impl Thread {
    /// One that is not there yet, and not listed.
    pub(super) fn new(key: i64) -> Self {
        Self {
            key,
            stored: false,
            changed: false,
            details: Details::default(),
            unread: 0,
            waiting: 0,
            last: None,
            recency: NEVER,
            person: None,
            messages: HashMap::new(),
            changes: HashMap::new(),
            unread_places: BTreeSet::new(),
            readings: BTreeMap::new(),
        }
    }

    /// The columns `key, kind, listed, unread, waiting, last, recency, archived, muted_until, oldest, complete, person` from
    /// the given one on; none if they are those of no row.
    pub(super) fn read(row: &Row, column: usize) -> Result<Option<Self>, Failure> {
        let Some(key) = row.try_get(column)? else { return Ok(None) };
        let (Code(kind), Flag(listed)) = (row.try_get(column + 1)?, row.try_get(column + 2)?);
        let (Count(unread), Count(waiting)) = (row.try_get(column + 3)?, row.try_get(column + 4)?);
        let last = row.try_get::<_, Option<Count>>(column + 5)?.map(|Count(place)| place);
        let Flag(archived) = row.try_get(column + 7)?;
        let time = |column| Ok::<_, Failure>(row.try_get::<_, Option<At>>(column)?.map(|At(time)| time));
        let Flag(complete) = row.try_get(column + 10)?;
        let coverage = time(column + 9)?.map(|oldest| Coverage { oldest, complete });
        let person: Option<&[u8]> = row.try_get(column + 11)?;
        Ok(Some(Self {
            stored: true,
            details: Details { listed, kind, archived, muted_until: time(column + 8)?, coverage },
            unread,
            waiting,
            last,
            recency: row.try_get(column + 6)?,
            person: person.and_then(|bytes| bytes.try_into().ok()).map(PersonKey::from_bytes),
            ..Self::new(key)
        }))
    }

    /// Notes whom it is with. If that person was known by another key, the ledger has to learn that the two are one.
    pub(super) fn is_with(&mut self, person: PersonKey) -> Option<Telling> {
        let before = self.person.replace(person);
        self.changed |= before != Some(person);
        before.filter(|before| *before != person).map(|before| Telling::SamePerson(before, person))
    }
}

impl Conversation<'_> {
    /// Keeps what the network says about a chat.
    pub(super) fn update_chat(&mut self, news: &ChatNews) -> Result<(), Failure> {
        let ChatNews { update, person } = news;
        let address = self.canonical(&update.address).clone();
        let thread = self.talk.thread(&address)?;
        let before = thread.details;
        thread.details = Details {
            listed: true,
            kind: update.kind,
            archived: update.archived.unwrap_or(before.archived),
            muted_until: update.muted_until.unwrap_or(before.muted_until),
            coverage: before.coverage.into_iter().chain(update.coverage).reduce(|known, more| Coverage {
                oldest: known.oldest.min(more.oldest),
                complete: known.complete || more.complete,
            }),
        };
        let changed = thread.details != before;
        thread.changed |= changed;
        if let Some(person) = person {
            let same_person = thread.is_with(*person);
            self.tell(same_person);
            self.tell(update.active_at.map(|at| Telling::Fact(*person, Fact::Known { at })));
        }
        if changed {
            self.event(EventBody::ChatChanged { chat: address });
        }
        Ok(())
    }
}

const INSERT: &str = "INSERT INTO chat (key, kind, listed, unread, waiting, last, recency, archived, muted_until, oldest,
         complete, person, session, address)
     SELECT * FROM UNNEST($1::bigint[], $2::smallint[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
         $8::smallint[], $9::bigint[], $10::bigint[], $11::smallint[], $12::bytea[], $13::bigint[], $14::text[])";

const UPDATE: &str = "UPDATE chat AS c SET kind = u.kind, listed = u.listed, unread = u.unread, waiting = u.waiting,
         last = u.last, recency = u.recency, archived = u.archived, muted_until = u.muted_until, oldest = u.oldest,
         complete = u.complete, person = u.person
     FROM UNNEST($1::bigint[], $2::smallint[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
         $8::smallint[], $9::bigint[], $10::bigint[], $11::smallint[], $12::bytea[])
         AS u (key, kind, listed, unread, waiting, last, recency, archived, muted_until, oldest, complete, person)
     WHERE c.key = u.key";

/// The statements that [`write`] runs.
pub(super) const WRITES: [&str; 2] = [INSERT, UPDATE];

/// Writes the rows of chats that are new or changed.
pub(super) async fn write<'a>(on: &Connection, talks: impl Iterator<Item = &'a Talk> + Clone) -> Result<(), Failure> {
    let changed = talks.flat_map(|talk| talk.chats.iter().map(move |(address, thread)| (talk.key, address, thread)));
    let changed = changed.filter(|(_, _, thread)| thread.changed);
    let (mut updated, mut new): (Vec<_>, Vec<_>) = changed.partition(|(_, _, thread)| thread.stored);
    for rows in [&mut updated, &mut new] {
        rows.sort_unstable_by_key(|(_, _, thread)| thread.key);
    }
    let (insert, update) = (rows(on, INSERT, &new, true), rows(on, UPDATE, &updated, false));
    tokio::try_join!(biased; insert, update)?;
    Ok(())
}

async fn rows(
    on: &Connection,
    sql: &str,
    rows: &[(i64, &Address, &Thread)],
    with_address: bool,
) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    fn column<'a, T>(rows: &[(i64, &Address, &'a Thread)], value: impl Fn(&'a Thread) -> T) -> Vec<T> {
        rows.iter().map(|(_, _, thread)| value(thread)).collect()
    }
    let key = column(rows, |thread| thread.key);
    let kind = column(rows, |thread| Code(thread.details.kind));
    let listed = column(rows, |thread| Flag(thread.details.listed));
    let unread = column(rows, |thread| Count(thread.unread));
    let waiting = column(rows, |thread| Count(thread.waiting));
    let last = column(rows, |thread| thread.last.map(Count));
    let recency = column(rows, |thread| thread.recency);
    let archived = column(rows, |thread| Flag(thread.details.archived));
    let muted_until = column(rows, |thread| thread.details.muted_until.map(At));
    let oldest = column(rows, |thread| thread.details.coverage.map(|coverage| At(coverage.oldest)));
    let complete = column(rows, |thread| Flag(thread.details.coverage.is_some_and(|coverage| coverage.complete)));
    let person = column(rows, |thread| thread.person.as_ref().map(|person| person.as_bytes().as_slice()));
    let session: Vec<i64> = rows.iter().map(|(session, _, _)| *session).collect();
    let address: Vec<&str> = rows.iter().map(|(_, address, _)| address.as_str()).collect();
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![
        &key,
        &kind,
        &listed,
        &unread,
        &waiting,
        &last,
        &recency,
        &archived,
        &muted_until,
        &oldest,
        &complete,
        &person,
    ];
    if with_address {
        values.extend([&session as &(dyn ToSql + Sync), &address]);
    }
    execute(on, sql, &values).await?;
    Ok(())
}

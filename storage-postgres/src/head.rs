//! Sessions' rows without their records: who drives them, the counters, and what a batch is about to write into them.

use std::collections::{BTreeMap, HashMap};

use seatport::storage::Fence;
use seatport::{CardStatus, EventBody, NodeId, PortNumber, SessionId, SessionRecord, Timestamp};
use tokio_postgres::types::ToSql;

use crate::codes::{At, Code, Count, Free, Id, Json};
use crate::error::Failure;
use crate::event::{self, NewEvent};
use crate::sql::{Connection, all, execute, prepare};

/// Locks rows in the order of their ids, as everybody does.
pub(crate) const LOCK: &str =
    "SELECT id, key, revision, port, unread, last_message, last_event, first_login, owner, epoch
     FROM session WHERE id = ANY($1) ORDER BY id FOR UPDATE";

/// Takes ports away before they are given to others: each number is there once at any moment.
const FREE: &str = "UPDATE session SET port = NULL WHERE key = ANY($1)";

/// How many of [`Rows::columns`] each of these statements takes: the first so many.
const INSERTED: usize = 14;
const REWRITTEN: usize = 13;
const COUNTED: usize = 6;

const INSERT: &str = "INSERT INTO session (key, port, unread, last_message, last_event, asked_at,
         revision, status, agent, first_login, runs_on, search, record, id)
     SELECT key, port, unread, last_message, last_event, CASE WHEN asked THEN clock_timestamp() END,
         revision, status, agent, first_login, runs_on, search, record, id
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[],
         $7::bigint[], $8::smallint[], $9::text[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::uuid[])
       AS u(key, port, unread, last_message, last_event, asked,
         revision, status, agent, first_login, runs_on, search, record, id)";

const REWRITE: &str = "UPDATE session AS s SET port = u.port, unread = u.unread,
         last_message = u.last_message, last_event = u.last_event,
         asked_at = CASE WHEN u.asked THEN clock_timestamp() ELSE s.asked_at END,
         revision = u.revision, status = u.status, agent = u.agent, first_login = u.first_login, runs_on = u.runs_on,
         search = u.search, record = u.record
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[],
         $7::bigint[], $8::smallint[], $9::text[], $10::bigint[], $11::text[], $12::text[], $13::text[])
       AS u(key, port, unread, last_message, last_event, asked,
         revision, status, agent, first_login, runs_on, search, record)
     WHERE s.key = u.key";

const COUNT: &str = "UPDATE session AS s SET port = u.port, unread = u.unread,
         last_message = u.last_message, last_event = u.last_event,
         asked_at = CASE WHEN u.asked THEN clock_timestamp() ELSE s.asked_at END
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[])
       AS u(key, port, unread, last_message, last_event, asked)
     WHERE s.key = u.key";

/// What commits read of a session's row, and may change in it. Locked for as long as the transaction lasts.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) id: SessionId,
    pub(crate) key: i64,
    pub(crate) revision: u64,
    /// The process that drives it, if that is live.
    pub(crate) owner: Option<Fence>,
    pub(crate) counters: Counters,
    pub(crate) first_login: Option<Timestamp>,
    /// What is to be stored: the events that were added, numbered on.
    pub(crate) events: Vec<(u64, Timestamp, EventBody)>,
    /// The record from now on, if it changed.
    pub(crate) record: Option<SessionRecord>,
    /// Whether a commit touched it.
    pub(crate) changed: bool,
    /// Whether somebody wrote who is not its owner.
    pub(crate) asked: bool,
    /// What the row holds; none if there is none yet.
    stored: Option<Counters>,
}

/// What a commit may change beside the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) port: Option<PortNumber>,
    pub(crate) unread: u64,
    pub(crate) last_message: u64,
    pub(crate) last_event: u64,
}

impl Head {
    /// Adds an event to the session's sequence. It is stored with the head.
    pub(crate) fn add_event(&mut self, at: Timestamp, body: EventBody) {
        self.counters.last_event += 1;
        self.events.push((self.counters.last_event, at, body));
    }
}

/// The heads of a batch.
#[derive(Debug)]
pub(crate) struct Heads(HashMap<SessionId, Head>);

impl Heads {
    /// Locks and reads those that are there.
    pub(crate) async fn lock(tx: &Connection, sessions: &[Id<SessionId>]) -> Result<Self, Failure> {
        let heads = all(tx, LOCK, &[&sessions], |row| {
            let (Id(id), Count(revision), Count(unread)) = (row.try_get(0)?, row.try_get(2)?, row.try_get(4)?);
            let (Count(last_message), Count(last_event)) = (row.try_get(5)?, row.try_get(6)?);
            let port = row.try_get::<_, Option<Count<u32>>>(3)?.map(|Count(number)| PortNumber(number));
            let owner = row.try_get::<_, Option<Id<NodeId>>>(8)?;
            let Count(epoch) = row.try_get(9)?;
            let counters = Counters { port, unread, last_message, last_event };
            let head = Head {
                id,
                key: row.try_get(1)?,
                revision,
                owner: owner.map(|Id(node)| Fence { node, epoch }),
                counters,
                first_login: row.try_get::<_, Option<At>>(7)?.map(|At(at)| at),
                events: Vec::new(),
                record: None,
                changed: false,
                asked: false,
                stored: Some(counters),
            };
            Ok((id, head))
        })
        .await?;
        Ok(Self(heads.into_iter().collect()))
    }

    pub(crate) fn get(&self, session: SessionId) -> Option<&Head> {
        self.0.get(&session)
    }

    pub(crate) fn get_mut(&mut self, session: SessionId) -> Option<&mut Head> {
        self.0.get_mut(&session)
    }

    /// Adds one for a new session, whose row is still to be stored.
    pub(crate) fn add(&mut self, id: SessionId, key: i64) {
        let head = Head {
            id,
            key,
            revision: 0,
            owner: None,
            counters: Counters::default(),
            first_login: None,
            events: Vec::new(),
            record: None,
            changed: true,
            asked: false,
            stored: None,
        };
        self.0.insert(id, head);
    }

    /// Writes the rows of those that changed, and the events that were added.
    pub(crate) async fn store(&self, tx: &Connection) -> Result<(), Failure> {
        let mut changed: Vec<_> = self.0.values().filter(|head| head.changed).collect();
        changed.sort_unstable_by_key(|head| head.key);
        let events = changed.iter().flat_map(|head| {
            head.events.iter().map(|(seq, at, body)| NewEvent { session: head.key, seq: *seq, at: *at, body })
        });
        let events: Vec<_> = events.collect();
        let freed = changed.iter().filter(|head| {
            head.stored.is_some_and(|stored| stored.port.is_some() && stored.port != head.counters.port)
        });
        let freed: Vec<_> = freed.map(|head| head.key).collect();
        let (old, new): (Vec<&Head>, Vec<&Head>) = changed.into_iter().partition(|head| head.stored.is_some());
        let (rewritten, old): (Vec<&Head>, Vec<&Head>) = old.into_iter().partition(|head| head.record.is_some());
        let counted: Vec<_> = old.into_iter().filter(|head| head.asked || head.stored != Some(head.counters)).collect();

        prepare(tx, &[FREE, INSERT, REWRITE, COUNT]).await?;
        tokio::try_join!(
            biased;
            free(tx, &freed),
            write(tx, INSERT, INSERTED, &new),
            write(tx, REWRITE, REWRITTEN, &rewritten),
            write(tx, COUNT, COUNTED, &counted),
            event::add(tx, &events),
        )?;
        Ok(())
    }
}

async fn free(tx: &Connection, keys: &Vec<i64>) -> Result<(), Failure> {
    if !keys.is_empty() {
        execute(tx, FREE, &[keys]).await?;
    }
    Ok(())
}

/// Runs a statement that takes the first so many columns of these heads.
async fn write(tx: &Connection, sql: &str, columns: usize, heads: &[&Head]) -> Result<(), Failure> {
    if !heads.is_empty() {
        execute(tx, sql, &Rows::of(heads).columns()[..columns]).await?;
    }
    Ok(())
}

/// Heads, column by column.
#[derive(Default)]
struct Rows<'a> {
    keys: Vec<i64>,
    ports: Vec<Option<Count<u32>>>,
    unread: Vec<Count>,
    last_messages: Vec<Count>,
    last_events: Vec<Count>,
    asked: Vec<bool>,
    revisions: Vec<Count>,
    statuses: Vec<Option<Code<CardStatus>>>,
    agents: Vec<Option<&'a str>>,
    first_logins: Vec<Option<At>>,
    runs_on: Vec<Option<Json<&'a BTreeMap<String, String>>>>,
    search: Vec<Option<Free<String>>>,
    records: Vec<Option<Json<&'a SessionRecord>>>,
    ids: Vec<Id<SessionId>>,
}

impl<'a> Rows<'a> {
    fn of(heads: &[&'a Head]) -> Self {
        let mut rows = Self::default();
        for head in heads {
            let record = head.record.as_ref();
            rows.keys.push(head.key);
            rows.ports.push(head.counters.port.map(|PortNumber(number)| Count(number)));
            rows.unread.push(Count(head.counters.unread));
            rows.last_messages.push(Count(head.counters.last_message));
            rows.last_events.push(Count(head.counters.last_event));
            rows.asked.push(head.asked);
            rows.revisions.push(Count(head.revision));
            rows.statuses.push(record.map(|record| Code(record.driven_status())));
            rows.agents.push(record.and_then(|record| record.agent.as_ref()).map(|agent| agent.as_str()));
            rows.first_logins.push(head.first_login.map(At));
            let labels = record.map(|record| &record.environment.runs_on).filter(|labels| !labels.is_empty());
            rows.runs_on.push(labels.map(Json));
            rows.search.push(record.map(|record| Free(record.searchable())));
            rows.records.push(record.map(Json));
            rows.ids.push(Id(head.id));
        }
        rows
    }

    /// What every statement needs, then what goes with a record, then what only a new row needs.
    fn columns(&self) -> [&(dyn ToSql + Sync); INSERTED] {
        [
            &self.keys,
            &self.ports,
            &self.unread,
            &self.last_messages,
            &self.last_events,
            &self.asked,
            &self.revisions,
            &self.statuses,
            &self.agents,
            &self.first_logins,
            &self.runs_on,
            &self.search,
            &self.records,
            &self.ids,
        ]
    }
}

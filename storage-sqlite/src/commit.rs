//! Landing a [`SessionCommit`]: its parts in the order in which the type's documentation lists them.

use rusqlite::{Connection, params};
use seatport::lifecycle::PortChange;
use seatport::storage::{Change, Committed, Expect, Fence, SessionCommit, StorageErrorKind};
use seatport::{EventBody, PortNumber, SessionId, SessionRecord, Timestamp};

use crate::codes::{Code, Json};
use crate::error::Failure;
use crate::lease::Nodes;
use crate::message::Conversation;
use crate::session::{driven_status, search_text};
use crate::sql::{execute, first};
use crate::writer::Step;
use crate::{audit, event, port, vault};

/// Lands a commit inside the writer's transaction.
pub(crate) fn land(step: &mut Step<'_>, nodes: &Nodes, commit: &SessionCommit) -> Result<Committed, Failure> {
    let connection = step.connection;
    let found = Head::read(connection, nodes, commit.session)?;
    check_expectation(commit, found.as_ref())?;
    if let Some(fence) = commit.fence {
        Nodes::check(found.as_ref().and_then(|head| head.owner), fence)?;
    }

    // All that may refuse the commit comes before anything is written.
    let held = found.as_ref().and_then(|head| head.port);
    let port = match commit.port {
        PortChange::Keep => held,
        PortChange::Release => None,
        PortChange::Claim if held.is_some() => held,
        PortChange::Claim => Some(port::lowest_free(connection)?),
    };

    let mut head = match (found, &commit.record) {
        (Some(head), None) => head,
        (Some(head), Some(record)) => head.rewrite(connection, record)?,
        (None, Some(record)) => Head::insert(connection, commit.session, record)?,
        // Refused above.
        (None, None) => return Err(StorageErrorKind::NotFound.into()),
    };
    let before = head.counters();

    head.port = port;
    if held.is_some() && port.is_none() {
        step.announce(Change::Ports);
    }
    if commit.forget_credentials {
        vault::forget_credentials(connection, head.key)?;
    }
    vault::apply(connection, head.key, &commit.vault)?;

    let conversation = Conversation { connection, session: head.key };
    for incoming in &commit.messages {
        if let Some(stored) = conversation.store(incoming, &mut head.last_message, &mut head.unread)? {
            head.add_event(connection, commit.at, &stored)?;
        }
    }
    for update in &commit.updates {
        if let Some(raised) = conversation.raise_status(update)? {
            head.add_event(connection, commit.at, &raised)?;
        }
    }
    for mark in &commit.read {
        if let Some(read) = conversation.mark_read(mark, &mut head.unread)? {
            head.add_event(connection, commit.at, &read)?;
        }
    }
    for body in &commit.events {
        head.add_event(connection, commit.at, body)?;
    }
    for entry in &commit.audit {
        audit::add(connection, entry)?;
    }

    if head.counters() != before {
        head.write_counters(connection)?;
    }
    step.announce(Change::Session { session: commit.session, by_owner: commit.fence.is_some() });
    Ok(Committed { revision: head.revision, port: head.port, last_event: head.last_event, unread: head.unread })
}

fn check_expectation(commit: &SessionCommit, found: Option<&Head>) -> Result<(), StorageErrorKind> {
    match (commit.expect, found) {
        (Expect::New, Some(_)) => Err(StorageErrorKind::Exists),
        (Expect::New, None) if commit.record.is_some() => Ok(()),
        (_, None) => Err(StorageErrorKind::NotFound),
        (Expect::Revision(expected), Some(head)) if head.revision != expected => Err(StorageErrorKind::Stale),
        (Expect::Revision(_) | Expect::Present, Some(_)) => Ok(()),
    }
}

/// A session's row without its record.
struct Head {
    key: i64,
    revision: u64,
    owner: Option<Fence>,
    port: Option<PortNumber>,
    unread: u64,
    last_message: u64,
    last_event: u64,
}

impl Head {
    fn read(connection: &Connection, nodes: &Nodes, id: SessionId) -> Result<Option<Self>, Failure> {
        let sql =
            "SELECT key, revision, port, unread, last_message, last_event, owner, epoch FROM session WHERE id = ?1";
        Ok(first(connection, sql, [id.as_bytes()], |row| {
            Ok(Self {
                key: row.get(0)?,
                revision: row.get(1)?,
                port: row.get::<_, Option<_>>(2)?.map(PortNumber),
                unread: row.get(3)?,
                last_message: row.get(4)?,
                last_event: row.get(5)?,
                owner: nodes.owner(row, 6)?,
            })
        })?)
    }

    fn insert(connection: &Connection, id: SessionId, record: &SessionRecord) -> Result<Self, Failure> {
        let sql = "INSERT INTO session (id, revision, status, agent, search, record) VALUES (?1, 1, ?2, ?3, ?4, ?5)";
        let status = Code(driven_status(record));
        let agent = record.agent.as_ref().map(|agent| agent.as_str());
        execute(connection, sql, params![id.as_bytes(), status, agent, search_text(record), Json(record)])?;
        let key = connection.last_insert_rowid();
        Ok(Self { key, revision: 1, owner: None, port: None, unread: 0, last_message: 0, last_event: 0 })
    }

    fn rewrite(self, connection: &Connection, record: &SessionRecord) -> Result<Self, Failure> {
        let revision = self.revision + 1;
        let sql = "UPDATE session SET revision = ?2, status = ?3, agent = ?4, search = ?5, record = ?6 WHERE key = ?1";
        let status = Code(driven_status(record));
        let agent = record.agent.as_ref().map(|agent| agent.as_str());
        execute(connection, sql, params![self.key, revision, status, agent, search_text(record), Json(record)])?;
        Ok(Self { revision, ..self })
    }

    /// What a commit may change besides the record.
    fn counters(&self) -> (Option<PortNumber>, u64, u64, u64) {
        (self.port, self.unread, self.last_message, self.last_event)
    }

    fn write_counters(&self, connection: &Connection) -> Result<(), Failure> {
        let sql = "UPDATE session SET port = ?2, unread = ?3, last_message = ?4, last_event = ?5 WHERE key = ?1";
        let port = self.port.map(|port| port.0);
        execute(connection, sql, params![self.key, port, self.unread, self.last_message, self.last_event])?;
        Ok(())
    }

    fn add_event(&mut self, connection: &Connection, at: Timestamp, body: &EventBody) -> Result<(), Failure> {
        self.last_event += 1;
        event::add(connection, self.key, self.last_event, at, body)
    }
}

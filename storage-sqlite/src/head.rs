//! A session's row without its record: who drives it, and the counters.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use seatport::lifecycle::Desired;
use seatport::storage::Fence;
use seatport::{EventBody, PortNumber, SessionId, SessionRecord, Timestamp};

use crate::codes::{Code, Json, millis, time};
use crate::error::Failure;
use crate::event;
use crate::lease::Nodes;
use crate::ledger::shift;
use crate::sql::{execute, first};

/// What a commit reads of a session's row, and may change in it.
pub(crate) struct Head {
    pub(crate) id: SessionId,
    pub(crate) key: i64,
    pub(crate) revision: u64,
    pub(crate) owner: Option<Fence>,
    pub(crate) counters: Counters,
    pub(crate) first_login: Option<Timestamp>,
    pub(crate) indexed: Indexed,
}

/// Which of a session's texts are in the indexes: all, unless it is being deleted.
#[derive(Default)]
pub(crate) struct Indexed {
    /// Those of messages up to this place.
    pub(crate) place: Option<u64>,
    /// Those of contacts before this address.
    pub(crate) address: Option<String>,
}

/// What a commit may change beside the record.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) port: Option<PortNumber>,
    pub(crate) unread: u64,
    pub(crate) last_message: u64,
    pub(crate) last_event: u64,
}

impl Head {
    pub(crate) fn read(connection: &Connection, nodes: &Nodes, id: SessionId) -> Result<Option<Self>, Failure> {
        let sql = "SELECT key, revision, port, unread, last_message, last_event, first_login, owner, epoch,
                 indexed_place, indexed_address
             FROM session WHERE id = ?1";
        Ok(first(connection, sql, [id.as_bytes()], |row| {
            Ok(Self {
                id,
                key: row.get(0)?,
                revision: row.get(1)?,
                counters: Counters {
                    port: row.get::<_, Option<_>>(2)?.map(PortNumber),
                    unread: row.get(3)?,
                    last_message: row.get(4)?,
                    last_event: row.get(5)?,
                },
                first_login: time(row, 6)?,
                owner: nodes.owner(row, 7)?,
                indexed: Indexed { place: row.get(9)?, address: row.get(10)? },
            })
        })?)
    }

    /// Writes a new session's row.
    pub(crate) fn insert(
        connection: &Connection,
        id: SessionId,
        record: &SessionRecord,
        at: Timestamp,
    ) -> Result<Self, Failure> {
        let sql = "INSERT INTO session (id, revision, status, agent, first_login, runs_on, search, record)
             VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let (status, agent) = (Code(record.driven_status()), record.agent.as_ref().map(|agent| agent.as_str()));
        let (login, runs_on) = (millis(record.first_login_at), runs_on(record));
        let values = params![id.as_bytes(), status, agent, login, runs_on, record.searchable(), Json(record)];
        execute(connection, sql, values)?;
        let key = connection.last_insert_rowid();
        let head = Self {
            id,
            key,
            revision: 1,
            owner: None,
            counters: Counters::default(),
            first_login: record.first_login_at,
            indexed: Indexed::default(),
        };
        head.note_shift(connection, record, at)?;
        Ok(head)
    }

    /// Replaces the record.
    pub(crate) fn rewrite(
        self,
        connection: &Connection,
        record: &SessionRecord,
        at: Timestamp,
    ) -> Result<Self, Failure> {
        let head = Self { revision: self.revision + 1, first_login: record.first_login_at, ..self };
        let sql =
            "UPDATE session SET revision = ?2, status = ?3, agent = ?4, first_login = ?5, runs_on = ?6, search = ?7,
                 record = ?8
             WHERE key = ?1";
        let (status, agent) = (Code(record.driven_status()), record.agent.as_ref().map(|agent| agent.as_str()));
        let (login, runs_on) = (millis(record.first_login_at), runs_on(record));
        let values = params![head.key, head.revision, status, agent, login, runs_on, record.searchable(), Json(record)];
        execute(connection, sql, values)?;
        head.note_shift(connection, record, at)?;
        Ok(head)
    }

    /// Tells the ledger from when on who is bound to the session and whether it ought to run.
    fn note_shift(&self, connection: &Connection, record: &SessionRecord, at: Timestamp) -> Result<(), Failure> {
        shift::note(connection, self.id, at, record.agent.as_ref(), record.facts.desired == Desired::Started)
    }

    /// Writes the counters back, unless they are as they were `before`.
    pub(crate) fn write_counters(&self, connection: &Connection, before: Counters) -> Result<(), Failure> {
        let Counters { port, unread, last_message, last_event } = self.counters;
        if port != before.port {
            // On its own, because it has an index.
            let sql = "UPDATE session SET port = ?2 WHERE key = ?1";
            execute(connection, sql, params![self.key, port.map(|port| port.0)])?;
        }
        if self.counters != before {
            let sql = "UPDATE session SET unread = ?2, last_message = ?3, last_event = ?4 WHERE key = ?1";
            execute(connection, sql, params![self.key, unread, last_message, last_event])?;
        }
        Ok(())
    }

    /// Adds an event to the session's sequence.
    pub(crate) fn add_event(
        &mut self,
        connection: &Connection,
        at: Timestamp,
        body: &EventBody,
    ) -> Result<(), Failure> {
        self.counters.last_event += 1;
        event::add(connection, self.key, self.counters.last_event, at, body)
    }
}

/// The labels that a session asks of a node, if it asks for some.
fn runs_on(record: &SessionRecord) -> Option<Json<&BTreeMap<String, String>>> {
    Some(&record.environment.runs_on).filter(|labels| !labels.is_empty()).map(Json)
}

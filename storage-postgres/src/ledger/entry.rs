//! How a [`LeadEntry`] is written into columns: so that the columns, compared one after the other, sort as entries do. The
//! numbers and texts are those of the SQLite storage.

use seatport::leads::{EntryClass, LeadEntry, Replier, Reply, Windows};
use seatport::storage::{StorageError, StorageErrorKind};
use seatport::{AgentId, SessionId};
use tokio_postgres::Row;

use super::store::Column;
use crate::codes::{At, Flag, Id};
use crate::error::Failure;

/// The columns of an entry, in their order.
pub(crate) const ENTRY: &str = "quarter, session, agent, class, late, replier, seconds";

/// Entries as a table, given as the first seven parameters.
pub(super) const ENTRIES: &str =
    "$1::bigint[], $2::uuid[], $3::text[], $4::smallint[], $5::smallint[], $6::text[], $7::bigint[]";

/// What stands in the column `class` for the two classes that are no lead; a lead has the number of its set of windows, which
/// is below 16.
const OUTREACH_REPLY: i16 = 16;
const RETURNING: i16 = 17;

/// What the column `replier` begins with: an agent's id follows, or nothing. No reply is an empty text.
const BY_AGENT: char = 'a';
const BY_DEVICE: &str = "d";

/// Entries as they are written: of each column its values.
#[derive(Debug, Default)]
pub(super) struct Columns {
    quarter: Vec<At>,
    session: Vec<Id<SessionId>>,
    agent: Vec<String>,
    class: Vec<i16>,
    late: Vec<Flag>,
    replier: Vec<String>,
    seconds: Vec<i64>,
}

impl Columns {
    pub(super) fn of<'a>(entries: impl IntoIterator<Item = &'a LeadEntry>) -> Self {
        let mut columns = Self::default();
        for entry in entries {
            columns.push(entry);
        }
        columns
    }

    fn push(&mut self, entry: &LeadEntry) {
        let (replier, seconds) = match &entry.reply {
            None => (String::new(), 0),
            Some(Reply { by: Replier::Agent(agent), seconds }) => (format!("{BY_AGENT}{agent}"), *seconds),
            Some(Reply { by: Replier::Device, seconds }) => (BY_DEVICE.to_owned(), *seconds),
        };
        self.quarter.push(At(entry.quarter));
        self.session.push(Id(entry.session));
        // An id has at least one character.
        self.agent.push(entry.agent.as_ref().map_or_else(String::new, ToString::to_string));
        self.class.push(match entry.class {
            EntryClass::Lead { new_in } => new_in.bits().into(),
            EntryClass::OutreachReply => OUTREACH_REPLY,
            EntryClass::Returning => RETURNING,
        });
        self.late.push(Flag(entry.late));
        self.replier.push(replier);
        self.seconds.push(seconds.into());
    }

    /// The columns in their order, and more.
    pub(super) fn and(self, more: impl IntoIterator<Item = Column>) -> Vec<Column> {
        let Self { quarter, session, agent, class, late, replier, seconds } = self;
        let mut columns: Vec<Column> = vec![
            Box::new(quarter),
            Box::new(session),
            Box::new(agent),
            Box::new(class),
            Box::new(late),
            Box::new(replier),
            Box::new(seconds),
        ];
        columns.extend(more);
        columns
    }
}

/// The entry in the first seven columns.
pub(crate) fn read(row: &Row) -> Result<LeadEntry, Failure> {
    let (At(quarter), Id(session), Flag(late)) = (row.try_get(0)?, row.try_get(1)?, row.try_get(4)?);
    let (bound, class): (&str, i16) = (row.try_get(2)?, row.try_get(3)?);
    let (replier, seconds): (&str, i64) = (row.try_get(5)?, row.try_get(6)?);
    let by = match replier.strip_prefix(BY_AGENT) {
        _ if replier.is_empty() => None,
        Some(id) => Some(Replier::Agent(agent(id)?)),
        None => Some(Replier::Device),
    };
    let class = match class {
        OUTREACH_REPLY => EntryClass::OutreachReply,
        RETURNING => EntryClass::Returning,
        windows => EntryClass::Lead { new_in: Windows::from_bits(u8::try_from(windows).map_err(|_| corrupt())?) },
    };
    let seconds = u32::try_from(seconds).map_err(|_| corrupt())?;
    Ok(LeadEntry {
        quarter,
        session,
        agent: if bound.is_empty() { None } else { Some(agent(bound)?) },
        class,
        late,
        reply: by.map(|by| Reply { by, seconds }),
    })
}

fn agent(id: &str) -> Result<AgentId, Failure> {
    id.parse().map_err(|_| corrupt())
}

fn corrupt() -> Failure {
    let message = "a lead figure in the database is none that Seatport writes; restore a backup";
    StorageError::new(StorageErrorKind::Corrupt, message).into()
}

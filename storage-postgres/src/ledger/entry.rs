//! How a [`LeadEntry`] is written into columns: as [`EntryColumns`] says.

use seatport::leads::LeadEntry;
use seatport::storage::EntryColumns;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::codes::{Count, Flag};
use crate::error::Failure;
use crate::statements::Column;

/// The columns of an entry, in their order.
pub(crate) const ENTRY: &str = "quarter, session, agent, class, late, replier, seconds";

/// Entries as a table, given as the first seven parameters.
pub(super) const ENTRIES: &str =
    "$1::bigint[], $2::uuid[], $3::text[], $4::smallint[], $5::smallint[], $6::text[], $7::bigint[]";

/// Entries as they are written: of each column its values.
#[derive(Debug, Default)]
pub(super) struct Columns {
    quarter: Vec<i64>,
    session: Vec<Uuid>,
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
            columns.push(entry.into());
        }
        columns
    }

    fn push(&mut self, entry: EntryColumns) {
        self.quarter.push(entry.quarter);
        self.session.push(Uuid::from_bytes(entry.session));
        self.agent.push(entry.agent);
        self.class.push(entry.class);
        self.late.push(Flag(entry.late));
        self.replier.push(entry.replier);
        self.seconds.push(entry.seconds.into());
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
    let (Flag(late), Count(seconds)) = (row.try_get(4)?, row.try_get(6)?);
    let columns = EntryColumns {
        quarter: row.try_get(0)?,
        session: row.try_get::<_, Uuid>(1)?.into_bytes(),
        agent: row.try_get(2)?,
        class: row.try_get(3)?,
        late,
        replier: row.try_get(5)?,
        seconds,
    };
    Ok(columns.try_into()?)
}

//! How a [`LeadEntry`] is written into columns, the same in all storages, so that a database can be moved from one to another
//! row by row. It is on disk: what is written here keeps its meaning for ever.

use crate::clock::Timestamp;
use crate::ids::{AgentId, SessionId};
use crate::leads::{EntryClass, LeadEntry, Replier, Reply, Windows};
use crate::storage::{StorageError, StorageErrorKind};

/// What stands in the column `class` for the two classes that are no lead; a lead has the number of its set of windows, which
/// is below this.
const OUTREACH_REPLY: i16 = 16;
const RETURNING: i16 = 17;

/// What the column `replier` begins with: an agent's id follows, or nothing.
const BY_AGENT: char = 'a';
const BY_DEVICE: &str = "d";

/// A [`LeadEntry`] as storages write it: columns that, compared one after the other, sort as entries do. No column is ever
/// null, so that the same entry is the same row.
///
/// ```
/// use seatport::leads::{EntryClass, LeadEntry, Replier, Reply};
/// use seatport::storage::EntryColumns;
/// use seatport::{SessionId, Timestamp};
///
/// let entry = LeadEntry {
///     quarter: Timestamp::from_millis(900_000),
///     session: SessionId::from_bytes([1; 16]),
///     agent: None,
///     class: EntryClass::OutreachReply,
///     late: false,
///     reply: Some(Reply { by: Replier::Agent("mei".parse()?), seconds: 70 }),
/// };
/// let columns = EntryColumns::from(&entry);
/// assert_eq!((columns.agent.as_str(), columns.class, columns.replier.as_str()), ("", 16, "amei"));
/// assert_eq!(LeadEntry::try_from(columns)?, entry);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryColumns {
    /// The start of the quarter of an hour, in milliseconds since 1970, UTC.
    pub quarter: i64,
    /// The session's id.
    pub session: [u8; 16],
    /// The id of the agent bound; empty if there was none.
    pub agent: String,
    /// The number of the class.
    pub class: i16,
    /// Whether it came while the session was stopped.
    pub late: bool,
    /// Who answered first; empty if nobody did.
    pub replier: String,
    /// How long that took, in whole seconds; 0 if nobody answered.
    pub seconds: u32,
}

impl From<&LeadEntry> for EntryColumns {
    fn from(entry: &LeadEntry) -> Self {
        let (replier, seconds) = match &entry.reply {
            None => (String::new(), 0),
            Some(Reply { by: Replier::Agent(agent), seconds }) => (format!("{BY_AGENT}{agent}"), *seconds),
            Some(Reply { by: Replier::Device, seconds }) => (BY_DEVICE.to_owned(), *seconds),
        };
        Self {
            quarter: entry.quarter.as_millis(),
            session: *entry.session.as_bytes(),
            // An id has at least one character.
            agent: entry.agent.as_ref().map_or_else(String::new, ToString::to_string),
            class: match entry.class {
                EntryClass::Lead { new_in } => new_in.bits().into(),
                EntryClass::OutreachReply => OUTREACH_REPLY,
                EntryClass::Returning => RETURNING,
            },
            late: entry.late,
            replier,
            seconds,
        }
    }
}

/// Fails with [`Corrupt`](StorageErrorKind::Corrupt) where no entry is written like this.
impl TryFrom<EntryColumns> for LeadEntry {
    type Error = StorageError;

    fn try_from(columns: EntryColumns) -> Result<Self, StorageError> {
        let EntryColumns { quarter, session, agent: bound, class, late, replier, seconds } = columns;
        let by = match replier.strip_prefix(BY_AGENT) {
            Some(id) => Some(Replier::Agent(agent(id)?)),
            None if replier.is_empty() => None,
            None if replier == BY_DEVICE => Some(Replier::Device),
            None => return Err(corrupt()),
        };
        let class = match class {
            OUTREACH_REPLY => EntryClass::OutreachReply,
            RETURNING => EntryClass::Returning,
            windows => {
                let bits = u8::try_from(windows).ok().filter(|bits| Windows::from_bits(*bits).bits() == *bits);
                EntryClass::Lead { new_in: Windows::from_bits(bits.ok_or_else(corrupt)?) }
            }
        };
        Ok(Self {
            quarter: Timestamp::from_millis(quarter),
            session: SessionId::from_bytes(session),
            agent: if bound.is_empty() { None } else { Some(agent(&bound)?) },
            class,
            late,
            reply: by.map(|by| Reply { by, seconds }),
        })
    }
}

fn agent(id: &str) -> Result<AgentId, StorageError> {
    id.parse().map_err(|_| corrupt())
}

fn corrupt() -> StorageError {
    let message = "a lead figure in the database is none that Seatport writes; restore a backup";
    StorageError::new(StorageErrorKind::Corrupt, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leads::LeadWindow;

    /// Entries of every sort, in their order.
    fn entries() -> Vec<LeadEntry> {
        let agents = [None, Some("a"), Some("d"), Some("mei"), Some("美")];
        let agents = agents.map(|id| id.map(|id| id.parse::<AgentId>().unwrap()));
        let sets = [Windows::default(), Windows::default().with(LeadWindow::Days7), Windows::from_bits(15)];
        let classes = sets.map(|new_in| EntryClass::Lead { new_in });
        let classes = classes.into_iter().chain([EntryClass::OutreachReply, EntryClass::Returning]);
        let repliers = agents.iter().map(|agent| agent.clone().map(Replier::Agent)).chain([Some(Replier::Device)]);
        let mut entries = Vec::new();
        for (session, class) in classes.flat_map(|class| [[1; 16], [2; 16]].map(|session| (session, class))) {
            for (agent, by) in repliers.clone().flat_map(|by| agents.clone().map(|agent| (agent, by.clone()))) {
                for (quarter, late, seconds) in
                    [(-900_000, false, 0), (0, false, 70), (0, true, 7), (900_000, true, u32::MAX)]
                {
                    let (quarter, session) = (Timestamp::from_millis(quarter), SessionId::from_bytes(session));
                    let reply = by.clone().map(|by| Reply { by, seconds });
                    entries.push(LeadEntry { quarter, session, agent: agent.clone(), class, late, reply });
                }
            }
        }
        entries.sort();
        entries.dedup();
        entries
    }

    #[test]
    fn columns_sort_as_entries_do_and_give_them_back() {
        let entries = entries();
        let columns: Vec<_> = entries.iter().map(EntryColumns::from).collect();
        assert!(columns.is_sorted_by(|one, next| one < next));
        let back: Vec<_> = columns.into_iter().map(|columns| LeadEntry::try_from(columns).unwrap()).collect();
        assert_eq!(back, entries);
    }

    #[test]
    fn what_is_on_disk_keeps_its_meaning() {
        let mut entry = entries().swap_remove(0);
        let mut written = |class, by| {
            (entry.class, entry.reply) = (class, Some(Reply { by, seconds: 7 }));
            let EntryColumns { class, replier, seconds, .. } = EntryColumns::from(&entry);
            (class, replier, seconds)
        };
        let new_in = Windows::default().with(LeadWindow::Lifetime).with(LeadWindow::Days30);
        let mei = Replier::Agent("mei".parse().unwrap());
        assert_eq!(written(EntryClass::Lead { new_in }, mei), (5, "amei".to_owned(), 7));
        assert_eq!(written(EntryClass::OutreachReply, Replier::Device), (16, "d".to_owned(), 7));
        assert_eq!(written(EntryClass::Returning, Replier::Device), (17, "d".to_owned(), 7));
    }

    #[test]
    fn what_no_storage_writes_is_refused() {
        let written = EntryColumns::from(&entries()[0]);
        let with = |change: fn(&mut EntryColumns)| {
            let mut columns = written.clone();
            change(&mut columns);
            columns
        };
        for columns in [
            with(|columns| columns.class = -1),
            with(|columns| columns.class = 18),
            with(|columns| columns.class = 256),
            with(|columns| columns.agent = "a\u{7}b".to_owned()),
            with(|columns| columns.replier = "a".to_owned()),
            with(|columns| columns.replier = "device".to_owned()),
        ] {
            let error = LeadEntry::try_from(columns.clone()).unwrap_err();
            assert_eq!(error.kind(), StorageErrorKind::Corrupt, "{columns:?}");
        }
    }
}

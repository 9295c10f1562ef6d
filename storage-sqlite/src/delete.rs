//! Deleting a session.

use rusqlite::{Connection, params};
use seatport::conversation::Content;
use seatport::leads::ledger;
use seatport::storage::{Change, Deletion, StorageErrorKind};
use seatport::{AuditEntry, CardStatus, SessionId};

use crate::audit;
use crate::codes::{Code, Json};
use crate::conversation::{CONTACT, contact, contact_text};
use crate::error::Failure;
use crate::ledger::Ledger;
use crate::search::index::{self, CONTACTS, MESSAGES, Texts};
use crate::sql::{all, execute, first};
use crate::writer::Step;

/// How many texts are taken out of the index at a time.
const PAGE: u32 = 1000;

/// Deletes every trace of a session, if it is at rest and the one that was read.
pub(crate) fn delete(
    step: &mut Step<'_>,
    id: SessionId,
    revision: u64,
    deletion: Deletion,
    audit: &AuditEntry,
) -> Result<(), Failure> {
    let connection = step.connection;
    let sql = "SELECT key, revision, status FROM session WHERE id = ?1";
    let row = first(connection, sql, [id.as_bytes()], |row| {
        let Code(status): Code<CardStatus> = row.get(2)?;
        Ok((row.get::<_, i64>(0)?, row.get::<_, u64>(1)?, status))
    })?;
    let (key, found, status) = row.ok_or(StorageErrorKind::NotFound)?;
    if found != revision {
        return Err(StorageErrorKind::Stale.into());
    }
    if !matches!(status, CardStatus::NotStarted | CardStatus::Offline) {
        return Err(StorageErrorKind::NotStopped.into());
    }
    forget_texts(connection, step.texts, key)?;
    // Everything that hangs on the row goes with it.
    execute(connection, "DELETE FROM session WHERE key = ?1", [key])?;
    if deletion == Deletion::Erase {
        ledger::erase(&mut Ledger::new(connection), id)?;
    }
    audit::add(connection, audit)?;
    step.sweep();
    step.announce(Change::Session { session: id, by_owner: false });
    step.announce(Change::Ports);
    Ok(())
}

/// Takes a session's texts out of the indexes, some at a time, however many there are.
fn forget_texts(connection: &Connection, texts: &Texts, session: i64) -> Result<(), Failure> {
    let sql = "SELECT seq, content FROM message WHERE session = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
    let mut after = 0;
    loop {
        let page: Vec<(i64, Content)> = all(connection, sql, params![session, after, PAGE], |row| {
            let Json(content) = row.get(1)?;
            Ok((row.get(0)?, content))
        })?;
        for (place, content) in &page {
            MESSAGES.remove(texts, index::number(session, *place), &index::text(content))?;
            after = *place;
        }
        texts.write(connection)?;
        if page.is_empty() {
            break;
        }
    }
    let sql = format!("SELECT {CONTACT}, k.key FROM contact AS k WHERE k.session = ?1");
    for (key, contact) in all(connection, &sql, params![session], |row| Ok((row.get(7)?, contact(row)?)))? {
        CONTACTS.remove(texts, index::number(session, key), &contact_text(&contact))?;
    }
    Ok(())
}

//! Deleting a session.
//!
//! All that hangs on a session's row goes with the row, in one transaction. Its texts have to be taken out of the indexes
//! before, one by one, and that takes much longer. So that nobody else waits for it, it is done in pieces, each in a transaction
//! of its own; the row says how far it has come. A deletion that is refused after all, or that the death of the process
//! interrupts, is undone: the texts are put back.

use rusqlite::types::Value;
use rusqlite::{Connection, params};
use seatport::leads::ledger;
use seatport::storage::{Change, Deletion, StorageError, StorageErrorKind};
use seatport::{AuditEntry, CardStatus, SessionId};

use crate::audit;
use crate::codes::{Code, Json};
use crate::conversation::{CONTACT, contact};
use crate::error::Failure;
use crate::ledger::Ledger;
use crate::search::index::{self, CONTACTS, MESSAGES, Texts};
use crate::sql::{all, execute, first, integer};
use crate::writer::{Step, Writer};

/// How many texts one transaction takes out of the indexes.
const PIECE: usize = 200;

/// A session that is to be deleted.
#[derive(Clone)]
pub(crate) struct Doomed {
    pub(crate) id: SessionId,
    pub(crate) revision: u64,
    pub(crate) deletion: Deletion,
    pub(crate) audit: AuditEntry,
}

/// Deletes every trace of a session, if it is at rest and the one that was read.
pub(crate) async fn delete(writer: &Writer, doomed: Doomed) -> Result<(), StorageError> {
    // Most have few texts, and this is all.
    if go_on(writer, &doomed).await? {
        return Ok(());
    }
    // Once begun it is brought to an end, whether or not the caller still waits.
    let finishing = tokio::spawn(finish(writer.clone(), doomed));
    finishing.await.unwrap_or_else(|_| Err(writer.abandoned()))
}

/// Brings a deletion to an end, or undoes it.
async fn finish(writer: Writer, doomed: Doomed) -> Result<(), StorageError> {
    loop {
        match go_on(&writer, &doomed).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) => {
                let id = doomed.id;
                // If that fails too, it is done when the database is opened next.
                let _ = writer.write(move |step| undo(step.connection, id, step.texts)).await;
                return Err(error);
            }
        }
    }
}

/// Takes the next texts out; when there are none left, deletes the rest. Answers whether it has.
async fn go_on(writer: &Writer, doomed: &Doomed) -> Result<bool, StorageError> {
    let doomed = doomed.clone();
    writer.write(move |step| one_step(step, &doomed)).await
}

fn one_step(step: &mut Step<'_>, doomed: &Doomed) -> Result<bool, Failure> {
    let connection = step.connection;
    let sql = "SELECT key, revision, status, indexed_place, indexed_address FROM session WHERE id = ?1";
    let row = first(connection, sql, [doomed.id.as_bytes()], |row| {
        let Code(status): Code<CardStatus> = row.get(2)?;
        let piece = Piece { session: row.get(0)?, place: row.get(3)?, address: row.get(4)? };
        Ok((piece, row.get::<_, u64>(1)?, status))
    })?;
    let (mut piece, revision, status) = row.ok_or(StorageErrorKind::NotFound)?;
    if revision != doomed.revision {
        return Err(StorageErrorKind::Stale.into());
    }
    if !matches!(status, CardStatus::NotStarted | CardStatus::Offline) {
        return Err(StorageErrorKind::NotStopped.into());
    }
    if !piece.take_out(connection, step.texts)? {
        let sql = "UPDATE session SET indexed_place = ?2, indexed_address = ?3 WHERE key = ?1";
        execute(connection, sql, params![piece.session, piece.place, piece.address])?;
        return Ok(false);
    }
    // Everything that hangs on the row goes with it.
    execute(connection, "DELETE FROM session WHERE key = ?1", [piece.session])?;
    if doomed.deletion == Deletion::Erase {
        ledger::erase(&mut Ledger::new(connection), doomed.id)?;
    }
    audit::add(connection, &doomed.audit)?;
    step.sweep();
    step.announce(Change::Session { session: doomed.id, by_owner: false });
    step.announce(Change::Ports);
    Ok(true)
}

/// A session's texts up to this place and before this address: the ones that are still in the indexes.
struct Piece {
    session: i64,
    place: Option<u64>,
    address: Option<String>,
}

impl Piece {
    /// Takes some of them out, the last ones first; answers whether there are no more.
    fn take_out(&mut self, connection: &Connection, texts: &Texts) -> Result<bool, Failure> {
        let sql = "SELECT seq, content FROM message WHERE session = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT ?3";
        let last = self.place.map_or(i64::MAX, integer);
        let messages = all(connection, sql, params![self.session, last, PIECE], |row| {
            let Json(content) = row.get(1)?;
            Ok((row.get::<_, i64>(0)?, content))
        })?;
        for (place, content) in &messages {
            MESSAGES.remove(texts, index::number(self.session, *place), &index::text(content))?;
        }
        let end = messages.last().map_or(0, |(place, _)| *place);
        self.place = Some(u64::try_from(end).unwrap_or(0).saturating_sub(1));

        let room = PIECE - messages.len();
        let sql = format!(
            "SELECT {CONTACT}, k.key FROM contact AS k WHERE k.session = ?1 AND k.address < ?2
             ORDER BY k.address DESC LIMIT ?3"
        );
        // To SQLite a blob comes after every text.
        let end = self.address.clone().map_or(Value::Blob(Vec::new()), Value::Text);
        let values = params![self.session, end, room];
        let contacts = all(connection, &sql, values, |row| Ok((row.get::<_, i64>(7)?, contact(row)?)))?;
        for (key, contact) in &contacts {
            CONTACTS.remove(texts, index::number(self.session, *key), &contact.searchable())?;
        }
        if let Some((_, contact)) = contacts.last() {
            self.address = Some(contact.address.as_str().to_owned());
        }
        Ok(contacts.len() < room)
    }

    /// Puts those back that were taken out.
    fn put_back(&self, connection: &Connection, texts: &Texts) -> Result<(), Failure> {
        let sql = "SELECT seq, content FROM message WHERE session = ?1 AND seq > ?2";
        let messages = all(connection, sql, params![self.session, self.place], |row| {
            let Json(content) = row.get(1)?;
            Ok((row.get(0)?, content))
        })?;
        for (place, content) in messages {
            MESSAGES.add(texts, index::number(self.session, place), &index::text(&content))?;
        }
        let sql = format!("SELECT {CONTACT}, k.key FROM contact AS k WHERE k.session = ?1 AND k.address >= ?2");
        let contacts =
            all(connection, &sql, params![self.session, self.address], |row| Ok((row.get(7)?, contact(row)?)))?;
        for (key, contact) in contacts {
            CONTACTS.add(texts, index::number(self.session, key), &contact.searchable())?;
        }
        let sql = "UPDATE session SET indexed_place = NULL, indexed_address = NULL WHERE key = ?1";
        execute(connection, sql, [self.session])?;
        Ok(())
    }
}

/// Undoes the deletion of a session as far as it has come; passes over one that is not there.
pub(crate) fn undo(connection: &Connection, id: SessionId, texts: &Texts) -> Result<(), Failure> {
    let sql = "SELECT key, indexed_place, indexed_address FROM session WHERE id = ?1 AND indexed_place IS NOT NULL";
    let piece = first(connection, sql, [id.as_bytes()], |row| {
        Ok(Piece { session: row.get(0)?, place: row.get(1)?, address: row.get(2)? })
    })?;
    piece.map_or(Ok(()), |piece| piece.put_back(connection, texts))
}

/// Undoes the deletions that an earlier process did not finish.
pub(crate) fn undo_unfinished(connection: &mut Connection) -> Result<(), Failure> {
    let sql = "SELECT id FROM session WHERE indexed_place IS NOT NULL";
    for id in all(connection, sql, [], |row| Ok(SessionId::from_bytes(row.get(0)?)))? {
        let transaction = connection.transaction()?;
        let texts = Texts::default();
        undo(&transaction, id, &texts)?;
        texts.write(&transaction)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

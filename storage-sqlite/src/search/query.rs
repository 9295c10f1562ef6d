//! Asking the indexes. They name candidates in the order of the answer, one after the other; each is read and compared with the
//! words themselves, until there are enough.

use std::ops::RangeInclusive;

use rusqlite::{Connection, params};
use seatport::conversation::{ContactHit, MessageHit, SearchQuery};
use seatport::storage::grams::Words;
use seatport::{Address, SessionId};

use super::grams::expression;
use super::index;
use crate::conversation::{CONTACT, MESSAGE, contact, stored_message};
use crate::error::Failure;
use crate::sql::{all, first, integer};

/// Messages, those of the sessions added last first, and in a session by place, the newest first.
pub(crate) fn messages(
    connection: &Connection,
    query: &SearchQuery,
    after: Option<(SessionId, u64)>,
    limit: u32,
) -> Result<Vec<MessageHit>, Failure> {
    let before = match after {
        None => i64::MAX,
        Some((session, place)) => match key(connection, session)? {
            Some(key) => index::number(key, integer(place).min(index::LAST_PLACE)) - 1,
            None => return Ok(Vec::new()),
        },
    };
    let sql = format!(
        "SELECT {MESSAGE}, s.id AS owner FROM message AS m JOIN chat AS c ON c.key = m.chat JOIN session AS s ON s.key = m.session
         WHERE m.session = ?1 AND m.seq = ?2"
    );
    let mut read = connection.prepare_cached(&sql)?;
    let words = Words::of(query);
    let mut hits = Vec::new();
    let candidates = "SELECT rowid FROM message_text WHERE message_text MATCH ?1 AND rowid BETWEEN ?2 AND ?3
         ORDER BY rowid DESC";
    walk(connection, candidates, query, before, &words, |number| {
        if hits.len() < size(limit) {
            let (session, place) = index::place(number);
            let hit = read.query_row([session, place], |row| {
                Ok(MessageHit { session: SessionId::from_bytes(row.get("owner")?), message: stored_message(row)? })
            })?;
            if words.are_in(&index::text(&hit.message.message.content)) {
                hits.push(hit);
            }
        }
        Ok(hits.len() < size(limit))
    })?;
    Ok(hits)
}

/// Contacts, those of the sessions added last first, and in a session by address.
///
/// The index knows the sessions' order but not that of the addresses, so all hits of a session are gathered before the first of
/// them is answered.
pub(crate) fn contacts(
    connection: &Connection,
    query: &SearchQuery,
    after: Option<&(SessionId, Address)>,
    limit: u32,
) -> Result<Vec<ContactHit>, Failure> {
    let edge = match after {
        None => None,
        Some((session, address)) => match key(connection, *session)? {
            Some(key) => Some((key, address)),
            None => return Ok(Vec::new()),
        },
    };
    let before = edge.map_or(i64::MAX, |(key, _)| index::number(key, index::LAST_PLACE));
    let sql = format!(
        "SELECT {CONTACT}, s.id AS owner FROM contact AS k JOIN session AS s ON s.key = k.session WHERE k.key = ?1"
    );
    let mut read = connection.prepare_cached(&sql)?;
    let words = Words::of(query);
    let (mut hits, mut gathered, mut gathering) = (Vec::new(), Vec::new(), None);
    let candidates = "SELECT rowid FROM contact_text WHERE contact_text MATCH ?1 AND rowid BETWEEN ?2 AND ?3
         ORDER BY rowid DESC";
    walk(connection, candidates, query, before, &words, |number| {
        let (session, key) = index::place(number);
        if gathering != Some(session) {
            append(&mut hits, &mut gathered, limit);
            gathering = Some(session);
        }
        if hits.len() < size(limit) {
            let hit = read.query_row([key], |row| {
                Ok(ContactHit { session: SessionId::from_bytes(row.get("owner")?), contact: contact(row)? })
            })?;
            let follows = edge.is_none_or(|(key, address)| session != key || hit.contact.address > *address);
            if follows && words.are_in(&hit.contact.searchable()) {
                gathered.push(hit);
            }
        }
        Ok(hits.len() < size(limit))
    })?;
    append(&mut hits, &mut gathered, limit);
    Ok(hits)
}

fn append(hits: &mut Vec<ContactHit>, gathered: &mut Vec<ContactHit>, limit: u32) {
    gathered.sort_unstable_by(|one, other| one.contact.address.cmp(&other.contact.address));
    let room = size(limit) - hits.len();
    hits.extend(gathered.drain(..).take(room));
}

fn size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Hands on the candidates of a query, up to this number, until `next` has enough.
fn walk(
    connection: &Connection,
    sql: &str,
    query: &SearchQuery,
    before: i64,
    words: &Words,
    mut next: impl FnMut(i64) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    if words.is_empty() {
        return Ok(());
    }
    let expression = expression(words);
    let mut candidates = connection.prepare_cached(sql)?;
    for range in ranges(connection, query)? {
        let mut rows = candidates.query(params![expression, range.start(), before.min(*range.end())])?;
        while let Some(row) = rows.next()? {
            if !next(row.get(0)?)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Where to look: all numbers, or those of the sessions that are asked for, the last one first.
fn ranges(connection: &Connection, query: &SearchQuery) -> Result<Vec<RangeInclusive<i64>>, Failure> {
    let agent = query.bound_to.as_ref().map(|agent| agent.as_str());
    let mut keys: Vec<i64> = match (query.session, agent) {
        (None, None) => return Ok(vec![0..=i64::MAX]),
        (Some(session), None) => key(connection, session)?.into_iter().collect(),
        (Some(session), Some(agent)) => {
            let sql = "SELECT key FROM session WHERE id = ?1 AND agent = ?2";
            all(connection, sql, params![session.as_bytes(), agent], |row| row.get(0))?
        }
        (None, Some(agent)) => all(connection, "SELECT key FROM session WHERE agent = ?1", [agent], |row| row.get(0))?,
    };
    keys.sort_unstable();
    Ok(keys.into_iter().rev().map(|key| index::number(key, 0)..=index::number(key, index::LAST_PLACE)).collect())
}

fn key(connection: &Connection, session: SessionId) -> Result<Option<i64>, Failure> {
    Ok(first(connection, "SELECT key FROM session WHERE id = ?1", [session.as_bytes()], |row| row.get(0))?)
}

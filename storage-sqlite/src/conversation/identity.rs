//! Two addresses turn out to be one person's.

use rusqlite::{OptionalExtension, params};
use seatport::conversation::{Contact, Content};
use seatport::storage::Identity;
use seatport::{Address, EventBody, Timestamp};

use super::Conversation;
use super::chat::{Thread, recency};
use super::contact::earlier;
use super::message::{CLEAR, TAKEN_BACK, UNDECRYPTED};
use super::read_mark::{READ, UNREAD, UNTOLD};
use crate::codes::{Json, Text};
use crate::error::Failure;
use crate::search::index::text;
use crate::sql::{all, execute, first};

/// A message that two chats have, which become one.
struct Twin {
    id: String,
    kept: u64,
    dropped: u64,
    /// What the dropped one says and quotes.
    content: Content,
    quoted: Option<String>,
    reading: i64,
    taken_back: bool,
    /// Only the dropped one could be decrypted.
    fills_in: bool,
}

impl Conversation<'_> {
    /// Keeps in mind that one address stands for another one from now on, and moves what is stored along.
    pub(crate) fn identify(&mut self, identity: &Identity) -> Result<(), Failure> {
        let Identity { address, canonical, persons } = identity;
        if let Some(persons) = persons {
            self.same_person(&persons.alias, &persons.person)?;
        }
        let canonical = self.canonical(canonical)?;
        let sql = "SELECT canonical FROM alias WHERE session = ?1 AND address = ?2";
        let stands_for = first(self.connection, sql, params![self.head.key, address.as_str()], |row| row.get(0))?;
        let done_before = stands_for.is_some_and(|Text(known): Text<Address>| known == canonical);
        // In a circle, the address is the end of it.
        if done_before || canonical == *address {
            return Ok(());
        }

        // Before the address is an alias and can no longer be found under its own name.
        let chat = self.chat_called(address)?;
        let moved_contact = self.move_contact(address, &canonical)?;
        let values = params![self.head.key, address.as_str(), canonical.as_str()];
        let sql = "UPDATE alias INDEXED BY alias_by_canonical SET canonical = ?3 WHERE session = ?1 AND canonical = ?2";
        execute(self.connection, sql, values)?;
        let sql = "UPDATE alias INDEXED BY alias_by_meant SET meant = ?3 WHERE session = ?1 AND meant = ?2";
        execute(self.connection, sql, values)?;
        let sql = "INSERT INTO alias (session, address, canonical, meant) VALUES (?1, ?2, ?3, ?3)
             ON CONFLICT DO UPDATE SET canonical = excluded.canonical";
        execute(self.connection, sql, values)?;

        let moved_chat = chat.as_ref().is_some_and(|chat| chat.listed);
        if let Some(chat) = chat {
            self.move_chat(chat, &canonical)?;
        }
        if moved_contact || moved_chat {
            self.event(&EventBody::IdentityMerged { address: address.clone(), canonical })?;
        }
        Ok(())
    }

    /// The chat with this very address.
    fn chat_called(&self, address: &Address) -> Result<Option<Thread>, Failure> {
        Ok(self.chat(address)?.filter(|chat| chat.address == *address))
    }

    fn move_contact(&self, from: &Address, to: &Address) -> Result<bool, Failure> {
        let moved = self.contact(from)?.filter(|(_, contact)| contact.address == *from);
        let Some((key, moved)) = moved else { return Ok(false) };
        let Some((known_key, known)) = self.contact(to)? else {
            self.put_contact(key, &moved, &Contact { address: to.clone(), ..moved.clone() })?;
            return Ok(true);
        };
        self.remove_contact(key, &moved)?;
        let joined = Contact {
            address: known.address.clone(),
            phone: known.phone.clone().or(moved.phone),
            name: known.name.clone().or(moved.name),
            saved_name: known.saved_name.clone().or(moved.saved_name),
            avatar: known.avatar.clone().or(moved.avatar),
            first_seen: earlier(known.first_seen, moved.first_seen),
            last_seen: known.last_seen.max(moved.last_seen),
        };
        self.put_contact(known_key, &known, &joined)?;
        Ok(true)
    }

    fn move_chat(&mut self, mut moved: Thread, to: &Address) -> Result<(), Failure> {
        let Some(mut known) = self.chat(to)? else {
            execute(self.connection, "UPDATE chat SET address = ?2 WHERE key = ?1", params![moved.key, to.as_str()])?;
            return Ok(());
        };
        let mut changes = self.take_changes(&mut moved, false)?;
        changes.extend(self.take_changes(&mut known, true)?);

        let twins = self.twins(&moved, &known)?;
        twins.iter().try_for_each(|twin| self.drop_twin(twin))?;
        let sql = "UPDATE message SET chat = ?2 WHERE chat = ?1";
        execute(self.connection, sql, params![moved.key, known.key])?;

        if !known.listed && moved.listed {
            let (key, address, waiting) = (known.key, known.address, known.waiting);
            known = Thread { key, address, waiting, ..moved.clone() };
            self.save_details(&known)?;
        }
        known.person = known.person.or(moved.person);
        execute(self.connection, "DELETE FROM chat WHERE key = ?1", [moved.key])?;

        for twin in &twins {
            if twin.taken_back {
                self.take_back(&known, twin.kept, &twin.id)?;
            } else {
                if twin.fills_in {
                    self.fill_in(&known, &twin.id, &twin.content, twin.quoted.as_deref())?;
                }
                self.show(&known, twin.kept, &twin.id)?;
            }
        }
        changes.iter().try_for_each(|change| self.keep(&mut known, change))?;
        self.count_anew(&mut known, moved.unread)
    }

    /// The messages that both chats have. The one that was stored first is kept.
    fn twins(&self, one: &Thread, other: &Thread) -> Result<Vec<Twin>, Failure> {
        // CROSS JOIN: from the chat that is given up into the other one, which may be the larger by far.
        let sql =
            "SELECT a.id, a.seq, a.unread, a.body, a.content, b.seq, b.unread, b.body, b.content, a.quoted, b.quoted
             FROM message AS a CROSS JOIN message AS b ON b.chat = ?2 AND b.id = a.id WHERE a.chat = ?1";
        Ok(all(self.connection, sql, params![one.key, other.key], |row| {
            let (a, b): (u64, u64) = (row.get(1)?, row.get(5)?);
            let (Json(of_a), Json(of_b)) = (row.get(4)?, row.get(8)?);
            // From unread to read by way of untold; read if either was.
            let ranks = [UNREAD, UNTOLD, READ];
            let rank = |reading: i64| ranks.iter().position(|rank| *rank == reading);
            let (read_a, read_b): (i64, i64) = (row.get(2)?, row.get(6)?);
            let (body_a, body_b): (i64, i64) = (row.get(3)?, row.get(7)?);
            Ok(Twin {
                id: row.get(0)?,
                kept: a.min(b),
                dropped: a.max(b),
                content: if a > b { of_a } else { of_b },
                quoted: row.get(if a > b { 9 } else { 10 })?,
                fills_in: if a > b { (body_b, body_a) } else { (body_a, body_b) } == (UNDECRYPTED, CLEAR),
                reading: if rank(read_a) >= rank(read_b) { read_a } else { read_b },
                taken_back: [body_a, body_b].contains(&TAKEN_BACK),
            })
        })?)
    }

    fn drop_twin(&self, twin: &Twin) -> Result<(), Failure> {
        let session = self.head.key;
        let sql = "UPDATE send_key SET seq = ?3 WHERE session = ?1 AND seq = ?2";
        execute(self.connection, sql, params![session, twin.dropped, twin.kept])?;
        let sql = "DELETE FROM message WHERE session = ?1 AND seq = ?2";
        execute(self.connection, sql, params![session, twin.dropped])?;
        self.index_message(twin.dropped, &text(&twin.content), "")?;
        let sql = "UPDATE message SET unread = ?3 WHERE session = ?1 AND seq = ?2";
        execute(self.connection, sql, params![session, twin.kept, twin.reading])?;
        Ok(())
    }

    /// Counts a chat's unread messages and looks for its newest one, after messages of another chat have moved in, where
    /// `moved` were unread.
    fn count_anew(&mut self, chat: &mut Thread, moved: u64) -> Result<(), Failure> {
        let sql = "SELECT unread FROM chat WHERE key = ?1";
        let before: u64 = first(self.connection, sql, [chat.key], |row| row.get(0))?.unwrap_or_default();
        let sql = "SELECT count(*) FROM message WHERE chat = ?1 AND unread = 1";
        chat.unread = first(self.connection, sql, [chat.key], |row| row.get(0))?.unwrap_or_default();
        let session = &mut self.head.counters.unread;
        *session = (*session + chat.unread).saturating_sub(before + moved);

        let sql = "SELECT seq, at FROM message WHERE chat = ?1 ORDER BY at DESC, seq DESC LIMIT 1";
        let mut newest = self.connection.prepare_cached(sql)?;
        let newest = newest.query_row([chat.key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        chat.last = newest.map(|(place, _)| place);
        chat.recency = recency(newest.map(|(_, at)| Timestamp::from_millis(at)));
        self.save_chat(chat)
    }
}

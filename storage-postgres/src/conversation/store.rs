//! Writing what a batch changed.

use seatport::{MessageId, SendKey};

use super::message::Kept;
use super::{Talk, Working, amendment, chat, contact, read_mark};
use crate::codes::{At, Code, Count, Flag, Json};
use crate::error::Failure;
use crate::search::index::{self, Texts};
use crate::sql::{Connection, execute, prepare};

use super::read_mark::Reading;

const INSERT: &str =
    "INSERT INTO message (session, seq, chat, id, direction, status, unread, body, reacted, at, edited_at, sender, author,
         quoted, failure, content)
     SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::smallint[], $6::smallint[], $7::smallint[],
         $8::smallint[], $9::smallint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::text[], $15::text[],
         $16::text[])";

const STATUS: &str = "UPDATE message AS m SET status = u.status, failure = u.failure
     FROM UNNEST($1::bigint[], $2::bigint[], $3::smallint[], $4::text[]) AS u (session, seq, status, failure)
     WHERE m.session = u.session AND m.seq = u.seq";

const BODY: &str = "UPDATE message AS m SET body = u.body, edited_at = u.edited_at, reacted = u.reacted,
         content = coalesce(u.content, m.content), quoted = CASE WHEN u.filled THEN u.quoted ELSE m.quoted END
     FROM UNNEST($1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::smallint[], $6::text[], $7::boolean[], $8::text[])
         AS u (session, seq, body, edited_at, reacted, content, filled, quoted)
     WHERE m.session = u.session AND m.seq = u.seq";

const SEND_KEYS: &str =
    "INSERT INTO send_key (session, key, seq) SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::bigint[])";

/// A message with what its row needs beside it.
struct Row<'a> {
    session: i64,
    chat: i64,
    id: &'a MessageId,
    reading: Reading,
    kept: &'a Kept,
}

impl Working {
    /// Writes all that was changed. The sessions' rows are there by then.
    pub(crate) async fn store(self, on: &Connection) -> Result<(), Failure> {
        let own = [INSERT, STATUS, BODY, SEND_KEYS, read_mark::WRITE];
        let statements = [&own[..], &chat::WRITES, &contact::WRITES, &amendment::WRITES, index::STATEMENTS].concat();
        prepare(on, &statements).await?;

        let mut talks: Vec<&Talk> = self.talks.values().collect();
        talks.sort_unstable_by_key(|talk| talk.key);
        let messages = messages(&talks);
        let keys: Vec<_> = talks.iter().flat_map(|talk| talk.send_keys.iter().map(|key| (talk.key, key))).collect();
        let mut texts = texts(&talks, &messages);
        let talks = || talks.iter().copied();
        tokio::try_join!(
            biased;
            insert(on, &messages),
            update_status(on, &messages),
            update_body(on, &messages),
            read_mark::write(on, talks()),
            insert_keys(on, &keys),
            chat::write(on, talks()),
            contact::write(on, talks()),
            amendment::write(on, talks()),
            texts.store(on),
        )?;
        Ok(())
    }
}

/// All messages, in the order of their places.
fn messages<'a>(talks: &[&'a Talk]) -> Vec<Row<'a>> {
    let threads = talks.iter().flat_map(|talk| talk.chats.values().map(|thread| (talk.key, thread)));
    let mut rows: Vec<_> = threads
        .flat_map(|(session, thread)| {
            thread.messages.iter().map(move |(id, kept)| {
                let reading = thread.readings.get(&kept.place).copied().unwrap_or(kept.reading);
                Row { session, chat: thread.key, id, reading, kept }
            })
        })
        .collect();
    rows.sort_unstable_by_key(|row| (row.session, row.kept.place));
    rows
}

/// The texts that changed, for those who search.
fn texts(talks: &[&Talk], messages: &[Row<'_>]) -> Texts {
    let mut texts = Texts::default();
    for Row { session, kept, .. } in messages {
        match &kept.content {
            Some(content) if kept.new.is_some() => texts.new_message(*session, kept.place, content),
            Some(content) if kept.changed.content => texts.message(*session, kept.place, content),
            _ => (),
        }
    }
    for talk in talks {
        for person in talk.contacts.values().filter(|person| person.changed) {
            texts.contact(talk.key, &person.contact);
        }
    }
    texts
}

async fn insert(on: &Connection, messages: &[Row<'_>]) -> Result<(), Failure> {
    let new = messages.iter().filter_map(|row| row.kept.new.as_ref().map(|new| (row, row.kept, new)));
    let new: Vec<_> = new.collect();
    if new.is_empty() {
        return Ok(());
    }
    let session: Vec<_> = new.iter().map(|(row, ..)| row.session).collect();
    let seq: Vec<_> = new.iter().map(|(_, kept, _)| Count(kept.place)).collect();
    let chat: Vec<_> = new.iter().map(|(row, ..)| row.chat).collect();
    let id: Vec<_> = new.iter().map(|(row, ..)| row.id.as_str()).collect();
    let direction: Vec<_> = new.iter().map(|(.., new)| Code(new.direction)).collect();
    let status: Vec<_> = new.iter().map(|(_, kept, _)| Code(kept.status)).collect();
    let unread: Vec<_> = new.iter().map(|(row, ..)| Code(row.reading)).collect();
    let body: Vec<_> = new.iter().map(|(_, kept, _)| Code(kept.body)).collect();
    let reacted: Vec<_> = new.iter().map(|(_, kept, _)| Flag(kept.reacted)).collect();
    let at: Vec<_> = new.iter().map(|(_, kept, _)| At(kept.at)).collect();
    let edited_at: Vec<_> = new.iter().map(|(_, kept, _)| kept.edited_at.map(At)).collect();
    let sender: Vec<_> = new.iter().map(|(.., new)| new.sender.as_str()).collect();
    let author: Vec<_> = new.iter().map(|(_, kept, _)| kept.author.as_ref().map(Json)).collect();
    let quoted: Vec<_> = new.iter().map(|(_, kept, _)| kept.quoted.as_ref().map(MessageId::as_str)).collect();
    let failure: Vec<_> = new.iter().map(|(_, kept, _)| kept.failure.as_ref().map(Json)).collect();
    let content: Vec<_> = new.iter().map(|(_, kept, _)| kept.content.as_ref().map(Json)).collect();
    execute(
        on,
        INSERT,
        &[
            &session, &seq, &chat, &id, &direction, &status, &unread, &body, &reacted, &at, &edited_at, &sender,
            &author, &quoted, &failure, &content,
        ],
    )
    .await?;
    Ok(())
}

async fn update_status(on: &Connection, messages: &[Row<'_>]) -> Result<(), Failure> {
    let changed: Vec<_> = messages.iter().filter(|row| row.kept.new.is_none() && row.kept.changed.status).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let session: Vec<_> = changed.iter().map(|row| row.session).collect();
    let seq: Vec<_> = changed.iter().map(|row| Count(row.kept.place)).collect();
    let status: Vec<_> = changed.iter().map(|row| Code(row.kept.status)).collect();
    let failure: Vec<_> = changed.iter().map(|row| row.kept.failure.as_ref().map(Json)).collect();
    execute(on, STATUS, &[&session, &seq, &status, &failure]).await?;
    Ok(())
}

async fn update_body(on: &Connection, messages: &[Row<'_>]) -> Result<(), Failure> {
    let changed: Vec<_> = messages.iter().filter(|row| row.kept.new.is_none() && row.kept.changed.body).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let session: Vec<_> = changed.iter().map(|row| row.session).collect();
    let seq: Vec<_> = changed.iter().map(|row| Count(row.kept.place)).collect();
    let body: Vec<_> = changed.iter().map(|row| Code(row.kept.body)).collect();
    let edited_at: Vec<_> = changed.iter().map(|row| row.kept.edited_at.map(At)).collect();
    let reacted: Vec<_> = changed.iter().map(|row| Flag(row.kept.reacted)).collect();
    let content = |row: &Row<'_>| row.kept.content.clone().filter(|_| row.kept.changed.content).map(Json);
    let content: Vec<_> = changed.iter().map(|row| content(row)).collect();
    let filled: Vec<_> = changed.iter().map(|row| row.kept.changed.quoted).collect();
    let quoted: Vec<_> = changed.iter().map(|row| row.kept.quoted.as_ref().map(MessageId::as_str)).collect();
    execute(on, BODY, &[&session, &seq, &body, &edited_at, &reacted, &content, &filled, &quoted]).await?;
    Ok(())
}

async fn insert_keys(on: &Connection, keys: &[(i64, &(SendKey, u64))]) -> Result<(), Failure> {
    if keys.is_empty() {
        return Ok(());
    }
    let session: Vec<_> = keys.iter().map(|(session, _)| *session).collect();
    let key: Vec<_> = keys.iter().map(|(_, (key, _))| key.as_str()).collect();
    let seq: Vec<_> = keys.iter().map(|(_, (_, place))| Count(*place)).collect();
    execute(on, SEND_KEYS, &[&session, &key, &seq]).await?;
    Ok(())
}

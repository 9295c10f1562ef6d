//! Two addresses turn out to be one person's.
//!
//! Who sent a message, or reacted to one, stays as it is written: `alias.meant` says whose the address was.

use seatport::conversation::{Contact, Content};
use seatport::storage::Identity;
use seatport::{Address, EventBody, MessageId, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::amendment::Change;
use super::chat::{Thread, recency};
use super::contact::earlier;
use super::mention::{Mentions, Reason};
use super::message::Body;
use super::read_mark::Reading;
use super::{Conversation, Talk, Working};
use crate::codes::{At, Code, Count, Json, Text};
use crate::error::Failure;
use crate::head::Head;
use crate::ledger::{Telling, Told};
use crate::search::index::Texts;
use crate::sql::{Connection, all, execute, first};

/// A message that two chats have, which become one.
#[derive(Debug)]
struct Twin {
    id: MessageId,
    kept: u64,
    dropped: u64,
    /// What the dropped one says and quotes.
    content: Content,
    quoted: Option<MessageId>,
    reading: Reading,
    taken_back: bool,
    /// Only the dropped one could be decrypted.
    fills_in: bool,
}

/// Keeps in mind that one address stands for another one from now on, and moves what is stored along. The session is locked.
pub(crate) async fn identify(
    on: &Connection,
    head: &mut Head,
    at: Timestamp,
    identity: &Identity,
    told: &mut Vec<Told>,
) -> Result<(), Failure> {
    let Identity { address, canonical, persons } = identity;
    let mut mentions = Mentions::default();
    mentions.address(head.id, address, false);
    mentions.address(head.id, canonical, false);
    let mut working = Working::load_mentioned(on, &mentions).await?;
    let talk = working.talk(head);
    let mut of = Conversation { talk, head, at, told };
    of.tell(persons.map(|persons| Telling::SamePerson(persons.alias, persons.person)));

    let canonical = of.canonical(canonical).clone();
    let stands_for = of.talk.aliases.get(address);
    // In a circle, the address is the end of it.
    if stands_for == Some(&canonical) || canonical == *address {
        return Ok(());
    }
    // Nothing is stored under an address that was given up before.
    let given_up = stands_for.is_some();
    let chat = of.talk.chats.remove(address).filter(|_| !given_up);

    let (from, to) = (address.as_str(), canonical.as_str());
    let values: [&(dyn ToSql + Sync); 3] = [&of.head.key, &from, &to];
    let sql = "UPDATE alias SET canonical = $3 WHERE session = $1 AND canonical = $2";
    execute(on, sql, &values).await?;
    let sql = "UPDATE alias SET meant = $3 WHERE session = $1 AND meant = $2";
    execute(on, sql, &values).await?;
    let sql = "INSERT INTO alias (session, address, canonical, meant) VALUES ($1, $2, $3, $3)
         ON CONFLICT (session, address) DO UPDATE SET canonical = excluded.canonical";
    execute(on, sql, &values).await?;

    let moved_contact = !given_up && move_contact(on, of.talk, address, &canonical).await?;
    let moved_chat = chat.as_ref().is_some_and(|chat| chat.details.listed);
    if let Some(chat) = chat {
        let known = of.talk.chats.remove(&canonical);
        move_chat(on, of.head, chat, known, &canonical).await?;
    }
    if moved_contact || moved_chat {
        of.event(EventBody::IdentityMerged { address: address.clone(), canonical });
    }
    working.store(on).await
}

async fn move_contact(on: &Connection, talk: &mut Talk, from: &Address, to: &Address) -> Result<bool, Failure> {
    let Some(mut moved) = talk.contacts.remove(from) else { return Ok(false) };
    let mut texts = Texts::default();
    texts.forget_contact(talk.key, from);
    match talk.contacts.get_mut(to) {
        None => {
            execute(on, "UPDATE contact SET address = $2 WHERE key = $1", &[&moved.key, &to.as_str()]).await?;
            moved.contact.address = to.clone();
            moved.changed = true;
            talk.contacts.insert(to.clone(), moved);
        }
        Some(known) => {
            execute(on, "DELETE FROM contact WHERE key = $1", &[&moved.key]).await?;
            let (contact, moved) = (&mut known.contact, moved.contact);
            *contact = Contact {
                address: to.clone(),
                phone: contact.phone.take().or(moved.phone),
                name: contact.name.take().or(moved.name),
                saved_name: contact.saved_name.take().or(moved.saved_name),
                avatar: contact.avatar.take().or(moved.avatar),
                first_seen: earlier(contact.first_seen, moved.first_seen),
                last_seen: contact.last_seen.max(moved.last_seen),
            };
            known.changed = true;
        }
    }
    texts.store(on).await?;
    Ok(true)
}

async fn move_chat(
    on: &Connection,
    head: &mut Head,
    moved: Thread,
    known: Option<Thread>,
    to: &Address,
) -> Result<(), Failure> {
    let Some(known) = known else {
        execute(on, "UPDATE chat SET address = $2 WHERE key = $1", &[&moved.key, &to.as_str()]).await?;
        return Ok(());
    };
    let changes = take_changes(on, head.key, &moved, &known).await?;
    let twins = twins(on, &moved, &known).await?;
    drop_twins(on, head.key, &twins).await?;
    execute(on, "UPDATE message SET chat = $2 WHERE chat = $1", &[&moved.key, &known.key]).await?;
    execute(on, "DELETE FROM chat WHERE key = $1", &[&moved.key]).await?;

    // What is in one chat now, as far as it is shown in another way from now on.
    let mut mentions = Mentions::default();
    mentions.address(head.id, to, false);
    for id in twins.iter().map(|twin| &twin.id).chain(changes.iter().map(|(target, _)| target)) {
        mentions.message(head.id, to, id, Reason::Amended);
    }
    let mut working = Working::load_mentioned(on, &mentions).await?;
    let thread = working.talk(head).thread(to)?;
    thread.waiting = 0;
    thread.changed = true;
    thread.person = thread.person.or(moved.person);
    if moved.details.listed && !thread.details.listed {
        thread.details = moved.details;
    }
    for twin in &twins {
        thread.join(twin);
    }
    for (target, change) in changes {
        thread.change(&target, change);
    }
    count_anew(on, head, thread, moved.unread).await?;
    working.store(on).await
}

/// Takes all changes out of the chat that is given up, and of the other one those that wait.
async fn take_changes(
    on: &Connection,
    session: i64,
    moved: &Thread,
    known: &Thread,
) -> Result<Vec<(MessageId, Change)>, Failure> {
    let sql = "DELETE FROM amendment AS r WHERE r.chat = $2 AND r.waits >= $3
         RETURNING r.target, r.change, r.slot,
             coalesce((SELECT a.meant FROM alias AS a WHERE a.session = $1 AND a.address = r.slot), r.slot), r.at, r.id, r.value";
    let read = |row: &Row| {
        let Text(target) = row.try_get(0)?;
        Ok((target, Change::read(row, 1)?))
    };
    let mut taken = all(on, sql, &[&session, &moved.key, &0_i16], read).await?;
    taken.extend(all(on, sql, &[&session, &known.key, &1_i16], read).await?);
    Ok(taken)
}

/// The messages that both chats have. The one that was stored first is kept.
async fn twins(on: &Connection, one: &Thread, other: &Thread) -> Result<Vec<Twin>, Failure> {
    // From the chat that is given up into the other one, which may be the larger by far.
    let sql = "SELECT a.id, a.seq, a.unread, a.body, b.seq, b.unread, b.body,
             CASE WHEN a.seq > b.seq THEN a.content ELSE b.content END, CASE WHEN a.seq > b.seq THEN a.quoted ELSE b.quoted END
         FROM message AS a
         CROSS JOIN LATERAL (SELECT * FROM message WHERE chat = $2 AND id = a.id LIMIT 1) AS b WHERE a.chat = $1";
    all(on, sql, &[&one.key, &other.key], |row| {
        let (Text(id), Count(a), Count(b)) = (row.try_get(0)?, row.try_get(1)?, row.try_get(4)?);
        let (Code(read_a), Code(read_b)): (Code<Reading>, Code<Reading>) = (row.try_get(2)?, row.try_get(5)?);
        let (Code(body_a), Code(body_b)): (Code<Body>, Code<Body>) = (row.try_get(3)?, row.try_get(6)?);
        let Json(content) = row.try_get(7)?;
        let (kept, dropped) = if a > b { (body_b, body_a) } else { (body_a, body_b) };
        Ok(Twin {
            id,
            kept: u64::min(a, b),
            dropped: u64::max(a, b),
            content,
            quoted: row.try_get::<_, Option<Text<_>>>(8)?.map(|Text(quoted)| quoted),
            reading: read_a.max(read_b),
            taken_back: [kept, dropped].contains(&Body::TakenBack),
            fills_in: (kept, dropped) == (Body::Undecrypted, Body::Clear),
        })
    })
    .await
}

/// Drops the messages that are there twice; each was read if either was.
async fn drop_twins(on: &Connection, session: i64, twins: &[Twin]) -> Result<(), Failure> {
    let kept: Vec<_> = twins.iter().map(|twin| Count(twin.kept)).collect();
    let dropped: Vec<_> = twins.iter().map(|twin| Count(twin.dropped)).collect();
    let reading: Vec<_> = twins.iter().map(|twin| Code(twin.reading)).collect();
    let sql = "UPDATE send_key AS s SET seq = u.kept FROM UNNEST($2::bigint[], $3::bigint[]) AS u (dropped, kept)
         WHERE s.session = $1 AND s.seq = u.dropped";
    execute(on, sql, &[&session, &dropped, &kept]).await?;
    let sql = "DELETE FROM message WHERE session = $1 AND seq = ANY ($2::bigint[])";
    execute(on, sql, &[&session, &dropped]).await?;
    let sql = "UPDATE message AS m SET unread = u.unread FROM UNNEST($2::bigint[], $3::smallint[]) AS u (seq, unread)
         WHERE m.session = $1 AND m.seq = u.seq";
    execute(on, sql, &[&session, &kept, &reading]).await?;
    let mut texts = Texts::default();
    twins.iter().for_each(|twin| texts.forget_message(session, twin.dropped));
    texts.store(on).await
}

impl Working {
    /// What is loaded of the session with this head, whose row is there.
    fn talk(&mut self, head: &Head) -> &mut Talk {
        let talk = self.talks.entry(head.id).or_default();
        (talk.key, talk.last_stored) = (head.key, head.counters.last_message);
        talk
    }
}

impl Thread {
    /// Adds what is known of the message that was dropped to the one that is kept.
    fn join(&mut self, twin: &Twin) {
        let Some(kept) = self.messages.get_mut(&twin.id) else { return };
        let changes = self.changes.entry(twin.id.clone()).or_default();
        if twin.taken_back {
            changes.take_back(kept);
            return;
        }
        if twin.fills_in {
            kept.fill_in(&twin.content, twin.quoted.as_ref());
        }
        changes.show(kept);
    }
}

/// Counts a chat's unread messages and looks for its newest one, after messages of another chat have moved in, where `moved`
/// were unread.
async fn count_anew(on: &Connection, head: &mut Head, thread: &mut Thread, moved: u64) -> Result<(), Failure> {
    let before = thread.unread + moved;
    let sql = "SELECT count(*) FROM message WHERE chat = $1 AND unread = 1";
    let count = |row: &Row| {
        let Count(count) = row.try_get(0)?;
        Ok(count)
    };
    thread.unread = first(on, sql, &[&thread.key], count).await?.unwrap_or_default();
    head.counters.unread = (head.counters.unread + thread.unread).saturating_sub(before);

    let sql = "SELECT seq, at FROM message WHERE chat = $1 ORDER BY at DESC, seq DESC LIMIT 1";
    let place = |row: &Row| {
        let (Count(place), At(at)) = (row.try_get(0)?, row.try_get(1)?);
        Ok((place, at))
    };
    let newest = first(on, sql, &[&thread.key], place).await?;
    thread.last = newest.map(|(place, _)| place);
    thread.recency = recency(newest.map(|(_, at)| at));
    Ok(())
}

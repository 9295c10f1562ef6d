//! Reading rows of contacts and messages.

use rusqlite::Row;
use seatport::conversation::{Contact, Message, Reaction, StoredMessage};
use seatport::{Address, Timestamp};

use crate::codes::{Code, Json, Text, time};

/// The columns that [`message`] reads, of a message `m` in a chat `c`. Who gave up an address is shown under the one that counts.
pub(crate) const MESSAGE: &str = "m.seq, c.address, m.id, m.direction, m.status, m.at,
    coalesce((SELECT a.meant FROM alias AS a WHERE a.session = m.session AND a.address = m.sender), m.sender),
    m.author, m.quoted, m.edited_at, m.failure, m.content,
    CASE WHEN m.reacted THEN (
        SELECT json_group_array(json_array(
            coalesce((SELECT a.meant FROM alias AS a WHERE a.session = m.session AND a.address = r.slot), r.slot),
            r.at, r.id, r.value
        )) FROM amendment AS r WHERE r.chat = m.chat AND r.target = m.id AND r.change = 2
    ) END";

/// How many columns those are.
pub(super) const MESSAGE_COLUMNS: usize = 13;

/// A message.
pub(crate) fn message(row: &Row<'_>) -> rusqlite::Result<StoredMessage> {
    let (Text(chat), Text(id), Code(direction), Code(status)) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
    let (at, Text(sender), author) = (Timestamp::from_millis(row.get(5)?), row.get(6)?, Json::maybe(row, 7)?);
    let quoted = row.get::<_, Option<Text<_>>>(8)?.map(|Text(quoted)| quoted);
    let Json(content) = row.get(11)?;
    Ok(StoredMessage {
        seq: row.get(0)?,
        message: Message { chat, id, direction, sender, author, content, at, status, quoted },
        edited_at: time(row, 9)?,
        failure: Json::maybe(row, 10)?,
        reactions: reactions(Json::maybe(row, 12)?.unwrap_or_default()),
    })
}

/// What counts of what people put under a message: of each sender the latest, by time and then by id. Two rows are of one sender
/// when he wrote under two addresses.
fn reactions(mut rows: Vec<(Address, Timestamp, String, Option<String>)>) -> Vec<Reaction> {
    rows.sort_unstable();
    let mut latest: Vec<(Address, Timestamp, Option<String>)> = Vec::with_capacity(rows.len());
    for (sender, at, _, emoji) in rows {
        if latest.last().is_some_and(|(other, ..)| *other == sender) {
            latest.pop();
        }
        latest.push((sender, at, emoji));
    }
    let shown = latest.into_iter().filter_map(|(sender, at, emoji)| Some(Reaction { sender, emoji: emoji?, at }));
    shown.collect()
}

/// A contact, from the columns [`CONTACT`](super::CONTACT).
pub(crate) fn contact(row: &Row<'_>) -> rusqlite::Result<Contact> {
    let Text(address) = row.get(0)?;
    Ok(Contact {
        address,
        phone: row.get(1)?,
        name: row.get(2)?,
        saved_name: row.get(3)?,
        avatar: row.get(4)?,
        first_seen: time(row, 5)?,
        last_seen: time(row, 6)?,
    })
}

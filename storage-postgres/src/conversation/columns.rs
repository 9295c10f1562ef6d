//! Reading rows of contacts, chats and messages.

use seatport::conversation::{Chat, Contact, Coverage, Message, Reaction, StoredMessage};
use seatport::{Address, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::FromSqlOwned;

use crate::codes::{At, Code, Count, Flag, Free, Json, Text, unescaped};
use crate::error::Failure;

/// The columns that [`contact`] reads, of a contact `k`.
pub(crate) const CONTACT: &str = "k.address, k.phone, k.name, k.saved_name, k.avatar, k.first_seen, k.last_seen";

/// The columns that [`message`] reads, of a message `m` [in a chat](IN_CHAT). Who gave up an address is shown under the one that
/// counts.
pub(crate) const MESSAGE: &str = "m.seq, c.address, m.id, m.direction, m.status, m.at,
    coalesce((SELECT a.meant FROM alias AS a WHERE a.session = m.session AND a.address = m.sender), m.sender),
    m.author, m.quoted, m.edited_at, m.failure, m.content,
    CASE WHEN m.reacted = 1 THEN (
        SELECT json_agg(json_build_array(
            coalesce((SELECT a.meant FROM alias AS a WHERE a.session = m.session AND a.address = r.slot), r.slot),
            r.at, r.id, r.value
        ))::text FROM amendment AS r WHERE r.chat = m.chat AND r.target = m.id AND r.change = 2
    ) END";

/// How many columns those are.
pub(crate) const MESSAGE_COLUMNS: usize = 13;

/// Finds the chat `c` of a message `m`. The limit says that it is looked up row by row: a join of other kinds would have the
/// planner read whole tables when it thinks that there are many messages.
pub(crate) const IN_CHAT: &str = "CROSS JOIN LATERAL (SELECT address FROM chat WHERE key = m.chat LIMIT 1) AS c";

/// The columns that [`chat`] reads after those of its newest message `m`: of a chat `c` whose address is that of the contact
/// `k`.
pub(super) const CHAT: &str =
    "c.address, c.kind, coalesce(k.saved_name, k.name), c.unread, c.archived, c.muted_until, c.oldest, c.complete";

/// Finds the contact and the newest message of a chat `c`, row by row.
pub(super) const WITH_ITS_OWN: &str = "LEFT JOIN LATERAL (
        SELECT saved_name, name FROM contact WHERE session = c.session AND address = c.address LIMIT 1
    ) AS k ON true
    LEFT JOIN LATERAL (SELECT * FROM message WHERE session = c.session AND seq = c.last LIMIT 1) AS m ON true";

/// The value in a column that may be null.
fn maybe<T: FromSqlOwned, V>(row: &Row, column: usize, value: impl FnOnce(T) -> V) -> Result<Option<V>, Failure> {
    Ok(row.try_get::<_, Option<T>>(column)?.map(value))
}

fn time(row: &Row, column: usize) -> Result<Option<Timestamp>, Failure> {
    maybe(row, column, |At(at)| at)
}

fn free(row: &Row, column: usize) -> Result<Option<String>, Failure> {
    maybe(row, column, |Free(text)| text)
}

/// A message.
pub(crate) fn message(row: &Row) -> Result<StoredMessage, Failure> {
    let (Count(seq), Text(chat), Text(id)) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let (Code(direction), Code(status), At(at)) = (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?);
    let (Text(sender), author) = (row.try_get(6)?, maybe(row, 7, |Json(author)| author)?);
    let (quoted, Json(content)) = (maybe(row, 8, |Text(quoted)| quoted)?, row.try_get(11)?);
    Ok(StoredMessage {
        seq,
        message: Message { chat, id, direction, sender, author, content, at, status, quoted },
        edited_at: time(row, 9)?,
        failure: maybe(row, 10, |Json(failure)| failure)?,
        reactions: reactions(maybe(row, 12, |Json(rows)| rows)?.unwrap_or_default()),
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
    let shown =
        latest.into_iter().filter_map(|(sender, at, emoji)| Some(Reaction { sender, emoji: unescaped(&emoji?), at }));
    shown.collect()
}

/// A chat, from the columns of its newest message and [`CHAT`].
pub(super) fn chat(row: &Row) -> Result<Chat, Failure> {
    // Without a newest message its columns are null.
    let last = row.try_get::<_, Option<i64>>(0)?.map(|_| message(row)).transpose()?;
    let next = MESSAGE_COLUMNS;
    let (Text(address), Code(kind)) = (row.try_get(next)?, row.try_get(next + 1)?);
    let (Count(unread), Flag(archived)) = (row.try_get(next + 3)?, row.try_get(next + 4)?);
    let Flag(complete) = row.try_get(next + 7)?;
    Ok(Chat {
        address,
        kind,
        name: free(row, next + 2)?,
        unread,
        archived,
        muted_until: time(row, next + 5)?,
        coverage: time(row, next + 6)?.map(|oldest| Coverage { oldest, complete }),
        last,
    })
}

/// A contact, from the columns [`CONTACT`].
pub(crate) fn contact(row: &Row) -> Result<Contact, Failure> {
    let Text(address) = row.try_get(0)?;
    Ok(Contact {
        address,
        phone: free(row, 1)?,
        name: free(row, 2)?,
        saved_name: free(row, 3)?,
        avatar: free(row, 4)?,
        first_seen: time(row, 5)?,
        last_seen: time(row, 6)?,
    })
}

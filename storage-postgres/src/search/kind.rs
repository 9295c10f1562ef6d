//! What can be searched.

use seatport::SessionId;
use seatport::conversation::{ContactHit, MessageHit};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSqlOwned, ToSql};

use crate::codes::Id;
use crate::conversation::{CONTACT, IN_CHAT, MESSAGE, MESSAGE_COLUMNS, contact, message};
use crate::error::Failure;

/// Messages, or contacts: in a session they have an order.
pub(super) trait Kind {
    /// Where one of them is in that order.
    type Place: ToSql + FromSqlOwned + Clone + Ord + Send + Sync;
    /// What is answered.
    type Hit: Send;

    /// The table of texts, and its column that holds the place.
    const TEXTS: (&str, &str);
    /// Whether the order falls.
    const FALLS: bool;
    /// A place before the first, in SQL.
    const START: &str;

    /// A place before the first.
    fn start() -> Self::Place;

    /// The statement that reads those at the places `u (session, place, number)`, in that order; the type of places is named
    /// in it.
    fn rows() -> String;

    /// A row of that statement.
    fn hit(row: &Row) -> Result<Self::Hit, Failure>;

    /// The text by which it is found.
    fn text(hit: &Self::Hit) -> String;
}

/// Messages, by place, the newest first.
pub(super) struct Messages;

impl Kind for Messages {
    type Place = i64;
    type Hit = MessageHit;

    const TEXTS: (&str, &str) = ("message_text", "seq");
    const FALLS: bool = true;
    const START: &str = "9223372036854775807";

    fn start() -> i64 {
        i64::MAX
    }

    fn rows() -> String {
        format!(
            "SELECT {MESSAGE}, s.id
             FROM UNNEST($1::bigint[], $2::bigint[]) WITH ORDINALITY AS u (session, place, number)
             CROSS JOIN LATERAL (SELECT id FROM session WHERE key = u.session LIMIT 1) AS s
             CROSS JOIN LATERAL (SELECT * FROM message WHERE session = u.session AND seq = u.place LIMIT 1) AS m
             {IN_CHAT} ORDER BY u.number"
        )
    }

    fn hit(row: &Row) -> Result<MessageHit, Failure> {
        Ok(MessageHit { session: session(row, MESSAGE_COLUMNS)?, message: message(row)? })
    }

    fn text(hit: &MessageHit) -> String {
        hit.message.message.content.searchable().unwrap_or_default().into_owned()
    }
}

/// Contacts, by address.
pub(super) struct Contacts;

impl Kind for Contacts {
    type Place = String;
    type Hit = ContactHit;

    const TEXTS: (&str, &str) = ("contact_text", "address");
    const FALLS: bool = false;
    const START: &str = "''";

    fn start() -> String {
        String::new()
    }

    fn rows() -> String {
        format!(
            "SELECT {CONTACT}, s.id
             FROM UNNEST($1::bigint[], $2::text[]) WITH ORDINALITY AS u (session, place, number)
             CROSS JOIN LATERAL (SELECT id FROM session WHERE key = u.session LIMIT 1) AS s
             CROSS JOIN LATERAL (SELECT * FROM contact WHERE session = u.session AND address = u.place LIMIT 1) AS k
             ORDER BY u.number"
        )
    }

    fn hit(row: &Row) -> Result<ContactHit, Failure> {
        Ok(ContactHit { session: session(row, row.len() - 1)?, contact: contact(row)? })
    }

    fn text(hit: &ContactHit) -> String {
        hit.contact.searchable()
    }
}

fn session(row: &Row, column: usize) -> Result<SessionId, Failure> {
    let Id(session) = row.try_get(column)?;
    Ok(session)
}

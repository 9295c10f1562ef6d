//! What happens to messages after they were sent: edits, deletions, reactions.
//!
//! Of what is kept of it, an edit is written into its message, and a reaction is read along with it. A change whose message
//! has not come yet waits: the chat counts those, so that storing a message looks for them only where there are any.

use std::collections::BTreeMap;
use std::error::Error as StdError;

use seatport::conversation::{Amendment, AmendmentChange, Content};
use seatport::{Address, EventBody, MessageId, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::chat::Thread;
use super::message::{Body, Kept};
use super::{Conversation, Talk};
use seatport::storage::Coded;

use crate::codes::{At, Code, Flag, Free, Json, Text};
use crate::error::Failure;
use crate::sql::{Connection, execute};

/// What the column `change` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Delete,
    Edit,
    Reaction,
}

impl Coded for Kind {
    const CODES: &'static [(i16, Self)] = &[(0, Self::Delete), (1, Self::Edit), (2, Self::Reaction)];
}

/// A change of a message.
#[derive(Debug)]
pub(super) struct Change {
    /// Whose, if it is a reaction, as it is written; or else empty.
    slot: String,
    /// The same by the address that counts.
    sender: Option<Address>,
    at: Timestamp,
    id: MessageId,
    change: AmendmentChange,
    /// Whether its row is to be written.
    changed: bool,
}

impl Change {
    /// The columns `change, slot, sender, at, id, value` from the given one on, where `sender` is the address that counts for
    /// `slot`.
    pub(super) fn read(row: &Row, column: usize) -> Result<Self, Failure> {
        let (Code(kind), At(at)) = (row.try_get(column)?, row.try_get(column + 3)?);
        let (Text(id), value) = (row.try_get(column + 4)?, column + 5);
        let (sender, change) = match kind {
            Kind::Delete => (None, AmendmentChange::Delete),
            Kind::Edit => {
                let Json(content) = row.try_get(value)?;
                (None, AmendmentChange::Edit(content))
            }
            Kind::Reaction => {
                let Text(sender) = row.try_get(column + 2)?;
                let emoji: Option<Free<String>> = row.try_get(value)?;
                (Some(sender), AmendmentChange::React(emoji.map(|Free(emoji)| emoji)))
            }
        };
        Ok(Self { slot: row.try_get(column + 1)?, sender, at, id, change, changed: false })
    }

    fn of(amendment: &Amendment, sender: &Address) -> Self {
        let sender = matches!(amendment.change, AmendmentChange::React(_)).then(|| sender.clone());
        Self {
            slot: sender.as_ref().map(|sender| sender.as_str().to_owned()).unwrap_or_default(),
            sender,
            at: amendment.at,
            id: amendment.id.clone(),
            change: amendment.change.clone(),
            changed: true,
        }
    }

    fn kind(&self) -> Kind {
        match self.change {
            AmendmentChange::Delete => Kind::Delete,
            AmendmentChange::Edit(_) => Kind::Edit,
            AmendmentChange::React(_) => Kind::Reaction,
        }
    }

    /// Of two changes the later one counts, by time and then by id.
    fn moment(&self) -> (Timestamp, &MessageId) {
        (self.at, &self.id)
    }

    /// What it shows, if it is a reaction that shows something.
    fn shown(&self) -> Option<(&str, Timestamp)> {
        match &self.change {
            AmendmentChange::React(Some(emoji)) => Some((emoji, self.at)),
            _ => None,
        }
    }
}

/// What became of one message, whether or not it is stored.
#[derive(Debug, Default)]
pub(super) struct Changes {
    rows: BTreeMap<(Kind, String), Change>,
    /// Whether the rows that are stored are to be removed first.
    cleared: bool,
    /// Whether they wait for their message.
    waits: bool,
}

impl Changes {
    /// Adds one that is stored.
    pub(super) fn load(&mut self, change: Change, waits: bool) {
        self.waits |= waits;
        self.rows.insert((change.kind(), change.slot.clone()), change);
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The one that counts of those that this one would replace. Two rows are of one sender when he wrote under two addresses.
    fn counting(&self, change: &Change) -> Option<&Change> {
        let alike = |other: &&Change| other.kind() == change.kind() && other.sender == change.sender;
        self.rows.values().filter(alike).max_by_key(|other| other.moment())
    }

    /// Keeps a change unless there is a later one in its place; answers whether it did.
    fn put(&mut self, change: Change) -> bool {
        let later = self.counting(&change).is_none_or(|known| known.moment() < change.moment());
        if later {
            self.rows.insert((change.kind(), change.slot.clone()), Change { changed: true, ..change });
        }
        later
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.cleared = true;
    }

    fn shows_reactions(&self) -> bool {
        self.rows.values().any(|change| {
            change.shown().is_some() && self.counting(change).is_some_and(|counting| counting.shown().is_some())
        })
    }

    /// Keeps a change until its message comes; answers how many wait from now on.
    fn wait(&mut self, change: Change) -> u64 {
        self.waits = true;
        let taken_back = self.rows.values().any(|change| change.kind() == Kind::Delete);
        if !taken_back {
            if change.kind() == Kind::Delete {
                self.clear();
            }
            self.put(change);
        }
        self.count()
    }

    /// The message they waited for is there.
    pub(super) fn reach(&mut self, kept: &mut Kept) {
        self.waits = false;
        if self.rows.values().any(|change| change.kind() == Kind::Delete) {
            self.take_back(kept);
            return;
        }
        self.rows.values_mut().for_each(|change| change.changed = true);
        self.show(kept);
    }

    /// Writes into a message what these changes make of it.
    pub(super) fn show(&self, kept: &mut Kept) {
        for change in self.rows.values() {
            match &change.change {
                AmendmentChange::Edit(content) => {
                    let shown = kept.edited_at == Some(change.at) && kept.content.as_ref() == Some(content);
                    if !shown {
                        (kept.content, kept.edited_at) = (Some(content.clone()), Some(change.at));
                        (kept.changed.body, kept.changed.content) = (true, true);
                    }
                }
                AmendmentChange::React(_) => {
                    kept.changed.body |= !kept.reacted;
                    kept.reacted = true;
                }
                AmendmentChange::Delete => (),
            }
        }
    }

    /// Empties a message; nothing of its content, edits and reactions is kept.
    pub(super) fn take_back(&mut self, kept: &mut Kept) {
        self.clear();
        (kept.content, kept.body) = (Some(Content::Deleted), Body::TakenBack);
        (kept.edited_at, kept.reacted) = (None, false);
        (kept.changed.body, kept.changed.content) = (true, true);
    }
}

impl Thread {
    /// Keeps a change, and shows it in its message if that is stored; answers whether it shows.
    pub(super) fn change(&mut self, target: &MessageId, change: Change) -> bool {
        let changes = self.changes.entry(target.clone()).or_default();
        let Some(kept) = self.messages.get_mut(target) else {
            let before = changes.count();
            self.waiting = (self.waiting + changes.wait(change)).saturating_sub(before);
            self.changed = true;
            return false;
        };
        if kept.body == Body::TakenBack {
            return false;
        }
        match &change.change {
            AmendmentChange::Delete => {
                let shown = kept.content != Some(Content::Deleted) || kept.edited_at.is_some();
                let shown = shown || changes.shows_reactions();
                changes.take_back(kept);
                shown
            }
            AmendmentChange::Edit(content) => {
                let shown = kept.content.as_ref() != Some(content) || kept.edited_at != Some(change.at);
                let put = changes.put(change);
                if put {
                    changes.show(kept);
                }
                put && shown
            }
            AmendmentChange::React(_) => {
                let shown = changes.counting(&change).and_then(Change::shown) != change.shown();
                let put = changes.put(change);
                if put {
                    changes.show(kept);
                }
                put && shown
            }
        }
    }
}

impl Conversation<'_> {
    /// Keeps a change of a message that is stored or still to come.
    pub(super) fn amend(&mut self, amendment: &Amendment) -> Result<(), Failure> {
        let chat = self.canonical(&amendment.chat).clone();
        let change = Change::of(amendment, self.canonical(&amendment.sender));
        if self.talk.thread(&chat)?.change(&amendment.target, change) {
            self.event(EventBody::MessageAmended { chat, id: amendment.target.clone() });
        }
        Ok(())
    }
}

/// What the column `value` says.
#[derive(Debug)]
struct Value<'a>(&'a AmendmentChange);

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self.0 {
            AmendmentChange::Edit(content) => Json(content).to_sql(ty, out),
            AmendmentChange::React(Some(emoji)) => Free(emoji).to_sql(ty, out),
            AmendmentChange::React(None) | AmendmentChange::Delete => Ok(IsNull::Yes),
        }
    }

    fn accepts(ty: &Type) -> bool {
        <&str as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

const CLEAR: &str = "DELETE FROM amendment AS r USING UNNEST($1::bigint[], $2::text[]) AS u (chat, target)
     WHERE r.chat = u.chat AND r.target = u.target";

const PUT: &str = "INSERT INTO amendment AS r (chat, target, change, slot, at, id, waits, value)
     SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::smallint[], $4::text[], $5::bigint[], $6::text[], $7::smallint[], $8::text[])
     ON CONFLICT (chat, target, change, slot)
     DO UPDATE SET at = excluded.at, id = excluded.id, waits = excluded.waits, value = excluded.value";

/// The statements that [`write`] runs.
pub(super) const WRITES: [&str; 2] = [CLEAR, PUT];

/// Writes the rows of changes that are new, or no longer kept.
pub(super) async fn write<'a>(on: &Connection, talks: impl Iterator<Item = &'a Talk>) -> Result<(), Failure> {
    let threads = talks.flat_map(|talk| talk.chats.values());
    let all = threads.flat_map(|thread| thread.changes.iter().map(|(target, changes)| (thread.key, target, changes)));
    let all: Vec<_> = all.collect();

    let cleared = || all.iter().filter(|(_, _, changes)| changes.cleared);
    let chat: Vec<_> = cleared().map(|(chat, _, _)| *chat).collect();
    let target: Vec<_> = cleared().map(|(_, target, _)| target.as_str()).collect();
    let gone: [&(dyn ToSql + Sync); 2] = [&chat, &target];
    let clear = rows(on, CLEAR, chat.len(), &gone);

    let rows_of = |(chat, target, changes): &(i64, &'a MessageId, &'a Changes)| {
        let (chat, target, waits) = (*chat, *target, changes.waits);
        changes.rows.values().map(move |change| (chat, target, waits, change))
    };
    let changed = || all.iter().flat_map(rows_of).filter(|(_, _, _, change)| change.changed);
    let chat: Vec<_> = changed().map(|(chat, ..)| chat).collect();
    let target: Vec<_> = changed().map(|(_, target, ..)| target.as_str()).collect();
    let waits: Vec<_> = changed().map(|(_, _, waits, _)| Flag(waits)).collect();
    let kind: Vec<_> = changed().map(|(.., change)| Code(change.kind())).collect();
    let slot: Vec<_> = changed().map(|(.., change)| change.slot.as_str()).collect();
    let at: Vec<_> = changed().map(|(.., change)| At(change.at)).collect();
    let id: Vec<_> = changed().map(|(.., change)| change.id.as_str()).collect();
    let value: Vec<_> = changed().map(|(.., change)| Value(&change.change)).collect();
    let kept: [&(dyn ToSql + Sync); 8] = [&chat, &target, &kind, &slot, &at, &id, &waits, &value];
    tokio::try_join!(biased; clear, rows(on, PUT, chat.len(), &kept))?;
    Ok(())
}

async fn rows(on: &Connection, sql: &str, count: usize, values: &[&(dyn ToSql + Sync)]) -> Result<(), Failure> {
    if count > 0 {
        execute(on, sql, values).await?;
    }
    Ok(())
}

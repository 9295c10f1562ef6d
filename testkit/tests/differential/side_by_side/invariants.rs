//! What has to hold in any storage.

use std::collections::BTreeSet;

use seatport::AuditHead;
use seatport::conversation::{Direction, StoredMessage};
use seatport::storage::{Storage, StoredSession};

use super::pair::{Pair, Wrong};
use super::reading::{ALL, EVER, Held, Talk};

/// Checks what both hold, after both were found to hold the same.
pub(crate) async fn check(pair: &Pair, held: &Held) -> Result<(), Wrong> {
    for (stored, chats) in &held.sessions {
        conversations(stored, chats)?;
        sequence(pair, stored).await?;
    }
    audit(pair).await?;
    totals(pair).await
}

fn conversations(stored: &StoredSession, chats: &[Talk]) -> Result<(), Wrong> {
    let session = stored.record.id;
    let unread: u64 = chats.iter().map(|(chat, _)| chat.unread).sum();
    if unread != stored.unread {
        return Err(format!("session {session} counts {} unread messages, its chats {unread}", stored.unread));
    }
    let mut places = BTreeSet::new();
    for (chat, messages) in chats {
        let inbound = messages.iter().filter(|stored| stored.message.direction == Direction::Inbound).count() as u64;
        if chat.unread > inbound {
            return Err(format!("{} of {inbound} inbound messages of {} are unread", chat.unread, chat.address));
        }
        if chat.last.as_ref() != messages.first() {
            return Err(format!("the newest message of {} is another one: {:?}", chat.address, chat.last));
        }
        let mut ids = BTreeSet::new();
        for StoredMessage { seq, message, .. } in messages {
            if message.chat != chat.address || !ids.insert(&message.id) || !places.insert(*seq) {
                return Err(format!(
                    "message {} at {seq} of {} is there twice, or of another chat",
                    message.id, chat.address
                ));
            }
        }
        if !messages.is_sorted_by_key(|stored| std::cmp::Reverse((stored.message.at, stored.seq))) {
            return Err(format!("the messages of {} are not the newest first", chat.address));
        }
    }
    Ok(())
}

async fn sequence(pair: &Pair, stored: &StoredSession) -> Result<(), Wrong> {
    let session = stored.record.id;
    let heads = pair.read(format_args!("heads"), async |s: &dyn Storage| s.event_heads(None, ALL).await).await?;
    let head = heads.into_iter().find(|head| head.session == session).ok_or("a session without a head")?;
    let events = pair.read(format_args!("events"), async |s: &dyn Storage| s.events(session, 0, ALL).await).await?;
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    let expected: Vec<u64> = (head.trimmed + 1..=stored.last_event).collect();
    if numbers != expected || head.last != stored.last_event {
        return Err(format!("the events of {session} are {numbers:?}, and not {expected:?}: {head:?}"));
    }
    Ok(())
}

async fn audit(pair: &Pair) -> Result<(), Wrong> {
    let lines = pair.read(format_args!("audit trail"), async |s: &dyn Storage| s.audit(0, ALL).await).await?;
    let mut head = AuditHead::default();
    for line in &lines {
        head = head.followed_by(line).map_err(|fault| format!("line {} of the audit trail {fault}", head.lines + 1))?;
    }
    Ok(())
}

/// The totals are those that the ledger gives when it is asked to count again.
async fn totals(pair: &Pair) -> Result<(), Wrong> {
    let (from, until) = EVER;
    let read = async |s: &dyn Storage| s.lead_totals(from, until).await;
    let before = pair.read(format_args!("totals"), read).await?;
    pair.read(format_args!("rebuilding"), async |s: &dyn Storage| s.rebuild_leads().await).await?;
    let after = pair.read(format_args!("totals made again"), read).await?;
    if before == after { Ok(()) } else { Err(format!("counted again it is {after:#?}, and not {before:#?}")) }
}

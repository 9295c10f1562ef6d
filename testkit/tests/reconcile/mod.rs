//! What has to agree in every storage, whatever happened to it: counters with what they count, the lead figures with who wrote,
//! sequences and the audit chain with themselves.

use std::collections::BTreeMap;

use seatport::conversation::{ChatKind, Direction, MessageStatus, StoredMessage};
use seatport::leads::EntryClass;
use seatport::storage::{Storage, StoredSession};
use seatport::{Address, AuditHead, Page, SessionFilter, SessionId, Timestamp};

const ALL: Page = Page { edge: seatport::Edge::First, limit: 1_000 };
const EVER: (Timestamp, Timestamp) = (Timestamp::from_millis(0), Timestamp::from_millis(i64::MAX));

/// Everything that does not agree. For sessions in which nobody is known by two addresses.
pub(crate) async fn disagreements(storage: &dyn Storage) -> Vec<String> {
    let mut found = audit(storage).await;
    let figures = lead_figures(storage).await;
    for stored in storage.sessions(&SessionFilter::default(), ALL).await.unwrap() {
        let session = stored.record.id;
        found.extend(events(storage, &stored).await);
        let (mut unread, mut leads) = (0, (0, 0));
        for chat in storage.chats(session, Page::first(1_000)).await.unwrap() {
            let messages = messages(storage, session, &chat.address).await;
            let inbound = messages.iter().filter(|stored| stored.message.direction == Direction::Inbound).count();
            if chat.unread > inbound as u64 {
                found.push(format!("{} of {inbound} messages of {} are unread", chat.unread, chat.address));
            }
            unread += chat.unread;
            match visit(&stored, chat.kind, &messages) {
                Some(Visit::Lead) => leads.0 += 1,
                Some(Visit::Outreach) => leads.1 += 1,
                None => {}
            }
        }
        if unread != stored.unread {
            found.push(format!("session {session} counts {} unread messages, its chats {unread}", stored.unread));
        }
        let counted = figures.get(&session).copied().unwrap_or_default();
        if counted != leads {
            found.push(format!("session {session} counts {counted:?} leads and outreach replies, and had {leads:?}"));
        }
    }
    let before = storage.lead_totals(EVER.0, EVER.1).await.unwrap();
    storage.rebuild_leads().await.unwrap();
    if storage.lead_totals(EVER.0, EVER.1).await.unwrap() != before {
        found.push("the lead figures were not those that the ledger gives".to_owned());
    }
    found
}

async fn audit(storage: &dyn Storage) -> Vec<String> {
    let mut head = AuditHead::default();
    loop {
        let lines = storage.audit(head.lines, 1_000).await.unwrap();
        if lines.is_empty() {
            return Vec::new();
        }
        for line in lines {
            match head.followed_by(&line) {
                Ok(next) => head = next,
                Err(fault) => return vec![format!("line {} of the audit trail {fault}", head.lines + 1)],
            }
        }
    }
}

async fn events(storage: &dyn Storage, stored: &StoredSession) -> Option<String> {
    let mut last = 0;
    loop {
        let events = storage.events(stored.record.id, last, 1_000).await.unwrap();
        for event in &events {
            if event.seq != last + 1 {
                return Some(format!("event {} of {} follows {last}", event.seq, event.session));
            }
            last = event.seq;
        }
        if events.is_empty() {
            let wrong = last != stored.last_event;
            return wrong.then(|| format!("{} has {last} events, and says {}", stored.record.id, stored.last_event));
        }
    }
}

/// A chat's messages. Each has an id of its own.
pub(crate) async fn messages(storage: &dyn Storage, session: SessionId, chat: &Address) -> Vec<StoredMessage> {
    let (mut messages, mut page) = (Vec::new(), Page::first(1_000));
    loop {
        let more = storage.messages(session, chat, page).await.unwrap();
        let Some(last) = more.last() else { return messages };
        page = Page::after(last.seq, 1_000);
        messages.extend(more);
    }
}

/// Leads, and replies to what we wrote first, by session.
async fn lead_figures(storage: &dyn Storage) -> BTreeMap<SessionId, (u64, u64)> {
    let mut figures = BTreeMap::<_, (u64, u64)>::new();
    for total in storage.lead_totals(EVER.0, EVER.1).await.unwrap() {
        let counted = figures.entry(total.entry.session).or_default();
        match total.entry.class {
            EntryClass::Lead { .. } => counted.0 += total.count,
            EntryClass::OutreachReply => counted.1 += total.count,
            EntryClass::Returning => {}
        }
    }
    figures
}

enum Visit {
    Lead,
    Outreach,
}

/// What a chat counts as, by the words of the domain: who was there before the first login is nobody new, and who only answers
/// what we wrote is no lead.
fn visit(stored: &StoredSession, kind: ChatKind, messages: &[StoredMessage]) -> Option<Visit> {
    if kind != ChatKind::Person {
        return None;
    }
    // Networks tell the time in whole seconds, so those of the first login itself are after it.
    let login = stored.record.first_login_at.map_or(0, |login| login.as_millis() / 1_000 * 1_000);
    let moments = |direction| {
        let sent = messages.iter().map(|stored| &stored.message).filter(move |message| message.direction == direction);
        sent.filter(|message| message.status >= MessageStatus::Sent).map(|message| (message.at, &message.id)).min()
    };
    let (wrote, we_wrote) = (moments(Direction::Inbound), moments(Direction::Outbound));
    let first = wrote.into_iter().chain(we_wrote).min()?;
    let wrote = wrote.filter(|_| first.0.as_millis() >= login)?;
    Some(if we_wrote.is_some_and(|ours| ours < wrote) { Visit::Outreach } else { Visit::Lead })
}

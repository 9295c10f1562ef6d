//! Everything that can be read, asked of both.

use std::fmt::Debug;

use seatport::conversation::{Chat, ChatCursor, SearchQuery, StoredMessage};
use seatport::storage::{Storage, StorageError, StoredSession};
use seatport::{CardStatus, Page, Random, SessionFilter, SessionId, Timestamp};

use super::made_up::{
    ADDRESSES, AGENTS, CONSUMERS, GROUP, KEYS, MESSAGES, START, address, agent, below, chance, consumer, key,
    message_id, near, pick, query, some_address, text,
};
use super::pair::{Pair, Wrong};

pub(crate) const ALL: u32 = 10_000;
pub(crate) const EVER: (Timestamp, Timestamp) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));

/// What both hold, for checks on its own.
pub(crate) struct Held {
    pub(crate) sessions: Vec<(StoredSession, Vec<Talk>)>,
}

/// A chat with all its messages.
pub(crate) type Talk = (Chat, Vec<StoredMessage>);

/// Reads everything from both. Of what there is too much to ask for every time, `random` chooses.
pub(crate) async fn everything(pair: &Pair, random: &Random) -> Result<Held, Wrong> {
    organisation(pair, random).await?;
    ledger(pair, random).await?;
    for session in pair.sessions() {
        let stored = pair.read(format_args!("session {session}"), async |s| s.session(session).await).await?;
        if stored.is_some() || chance(random, 20) {
            conversations(pair, session, random).await?;
            events(pair, session).await?;
        }
    }
    for _ in 0..3 {
        search(pair, random).await?;
    }
    let mut held = Held { sessions: Vec::new() };
    let all = SessionFilter::default();
    for stored in pair.read(format_args!("sessions"), async |s| s.sessions(&all, Page::first(ALL)).await).await? {
        let chats = chats(pair, stored.record.id).await?;
        held.sessions.push((stored, chats));
    }
    Ok(held)
}

/// A list in pages of some size, in both directions.
async fn pages<T: PartialEq + Debug, K: Clone + Debug>(
    pair: &Pair,
    what: &str,
    random: &Random,
    read: impl AsyncFn(&dyn Storage, Page<K>) -> Result<Vec<T>, StorageError>,
    place: impl Fn(&T) -> K,
) -> Result<Vec<T>, Wrong> {
    let whole = pair.read(format_args!("{what}"), async |s| read(s, Page::first(ALL)).await).await?;
    let limit = 1 + below(random, whole.len() + 1) as u32;
    for backwards in [false, true] {
        let mut page = if backwards { Page::last(limit) } else { Page::first(limit) };
        let mut seen = Vec::new();
        loop {
            let mut part = pair.read(format_args!("{what}, {page:?}"), async |s| read(s, page.clone()).await).await?;
            let Some(edge) = (if backwards { part.first() } else { part.last() }).map(&place) else { break };
            page = if backwards { Page::before(edge, limit) } else { Page::after(edge, limit) };
            if backwards {
                part.append(&mut seen);
                seen = part;
            } else {
                seen.append(&mut part);
            }
            if seen.len() > whole.len() {
                break;
            }
        }
        if seen != whole {
            return Err(format!("{what}: in pages of {limit} (backwards: {backwards}) it is another list: {seen:#?}"));
        }
    }
    Ok(whole)
}

async fn organisation(pair: &Pair, random: &Random) -> Result<(), Wrong> {
    let statuses = CardStatus::ALL.into_iter().filter(|_| chance(random, 40)).collect();
    let bound = (below(random, AGENTS + 1) < AGENTS).then(|| agent(below(random, AGENTS)));
    let searched: String = text(random).chars().take(3).collect();
    let filters = [
        SessionFilter::default(),
        SessionFilter { statuses, ..Default::default() },
        SessionFilter { agent: Some(bound), ..Default::default() },
        SessionFilter { text: Some(searched), ..Default::default() },
    ];
    for filter in filters {
        let read = async |s: &dyn Storage, page| s.sessions(&filter, page).await;
        pages(pair, &format!("sessions, {filter:?}"), random, read, |stored| stored.record.id).await?;
    }
    pair.read(format_args!("ports"), async |s| s.port_usage().await).await?;
    pair.read(format_args!("orphans"), async |s| s.orphans(None, ALL).await).await?;
    pair.read(format_args!("agents"), async |s| s.agents().await).await?;
    pair.read(format_args!("ledger key"), async |s| s.ledger_key().await).await?;
    pair.read(format_args!("vault"), async |s| s.vault_scan(None, ALL).await).await?;
    pair.read(format_args!("consumers"), async |s| s.consumers().await).await?;
    for number in 0..CONSUMERS {
        let name = consumer(number);
        _ = pair.ask(format_args!("what {name} acknowledged"), async |s| s.acknowledged(&name).await).await?;
    }
    pair.read(format_args!("heads"), async |s| s.event_heads(None, ALL).await).await?;
    pair.read(format_args!("audit trail"), async |s| s.audit(0, ALL).await).await?;
    Ok(())
}

async fn ledger(pair: &Pair, random: &Random) -> Result<(), Wrong> {
    let (from, until) = EVER;
    let totals = pair.read(format_args!("totals"), async |s| s.lead_totals(from, until).await).await?;
    pair.read(format_args!("corrections"), async |s| s.lead_adjustments(from, until).await).await?;
    if !totals.is_empty() {
        let some = || near(random, pick(random, &totals).entry.quarter);
        let (from, until) = (some(), some());
        let asked = format_args!("from {from} until {until}");
        pair.read(asked, async |s| s.lead_totals(from, until).await).await?;
        pair.read(asked, async |s| s.lead_adjustments(from, until).await).await?;
    }
    Ok(())
}

async fn events(pair: &Pair, session: SessionId) -> Result<(), Wrong> {
    let events = pair.read(format_args!("events"), async |s| s.events(session, 0, ALL).await).await?;
    if let Some(middle) = events.get(events.len() / 2) {
        pair.read(format_args!("some events"), async |s| s.events(session, middle.seq, 2).await).await?;
    }
    Ok(())
}

async fn conversations(pair: &Pair, session: SessionId, random: &Random) -> Result<(), Wrong> {
    let contacts = async |s: &dyn Storage, page| s.contacts(session, page).await;
    pages(pair, "contacts", random, contacts, |contact| contact.address.clone()).await?;
    let chats = async |s: &dyn Storage, page| s.chats(session, page).await;
    let chats = pages(pair, "chats", random, chats, Chat::cursor).await?;
    if let Some(chat) = chats.first() {
        // A place in the list at which there is no chat, most probably.
        let at = chance(random, 80).then(|| near(random, chat.last.as_ref().map_or(START, |last| last.message.at)));
        let cursor = ChatCursor { at, address: some_address(random) };
        for page in [Page::after(cursor.clone(), 2), Page::before(cursor, 2)] {
            pair.read(format_args!("chats, {page:?}"), async |s| s.chats(session, page.clone()).await).await?;
        }
    }
    let mut last = 0;
    for number in 0..ADDRESSES {
        let chat = address(number);
        pair.read(format_args!("contact {chat}"), async |s| s.contact(session, &chat).await).await?;
        pair.read(format_args!("chat {chat}"), async |s| s.chat(session, &chat).await).await?;
        let read = async |s: &dyn Storage, page| s.messages(session, &chat, page).await;
        let messages = pages(pair, &format!("messages of {chat}"), random, read, |stored| stored.seq).await?;
        last = messages.iter().map(|stored| stored.seq).fold(last, u64::max);
        let place = random.below(last + 2);
        for page in [Page::after(place, 2), Page::before(place, 2)] {
            pair.read(format_args!("messages of {chat}, {page:?}"), async |s| s.messages(session, &chat, page).await)
                .await?;
        }
        let id = message_id(below(random, MESSAGES));
        pair.read(format_args!("message {id} of {chat}"), async |s| s.message(session, &chat, &id).await).await?;
    }
    for number in 0..KEYS {
        let key = key(number);
        pair.read(format_args!("under {key}"), async |s| s.keyed(session, &key).await).await?;
    }
    for limit in [1, ALL] {
        pair.read(format_args!("pending"), async |s| s.pending(session, limit).await).await?;
        pair.read(format_args!("untold reads"), async |s| s.untold_reads(session, limit).await).await?;
    }
    pair.read(format_args!("vault of {session}"), async |s| s.vault_list(session, "net/").await).await?;
    Ok(())
}

async fn search(pair: &Pair, random: &Random) -> Result<(), Wrong> {
    let all = pair.sessions();
    let query = SearchQuery {
        session: chance(random, 20).then(|| *pick(random, &all)),
        bound_to: chance(random, 20).then(|| agent(below(random, AGENTS))),
        ..SearchQuery::new(query(random))
    };
    let found = pair
        .read(format_args!("messages with {query:?}"), async |s| s.search_messages(&query, None, ALL).await)
        .await?;
    let after = match found.get(below(random, found.len() + 1)) {
        Some(hit) => (hit.session, hit.message.seq),
        None => (*pick(random, &all), random.below(40)),
    };
    let next = format_args!("messages with {query:?} after {after:?}");
    pair.read(next, async |s| s.search_messages(&query, Some(after), 2).await).await?;

    let found = pair
        .read(format_args!("contacts with {query:?}"), async |s| s.search_contacts(&query, None, ALL).await)
        .await?;
    let after = match found.get(below(random, found.len() + 1)) {
        Some(hit) => (hit.session, hit.contact.address.clone()),
        None => (*pick(random, &all), address(below(random, GROUP))),
    };
    let next = format_args!("contacts with {query:?} after {after:?}");
    pair.read(next, async |s| s.search_contacts(&query, Some(&after), 2).await).await?;
    Ok(())
}

async fn chats(pair: &Pair, session: SessionId) -> Result<Vec<Talk>, Wrong> {
    let chats = pair.read(format_args!("chats"), async |s| s.chats(session, Page::first(ALL)).await).await?;
    let mut all = Vec::with_capacity(chats.len());
    for chat in chats {
        let read = async |s: &dyn Storage| s.messages(session, &chat.address, Page::first(ALL)).await;
        let messages = pair.read(format_args!("messages of {}", chat.address), read).await?;
        all.push((chat, messages));
    }
    Ok(all)
}

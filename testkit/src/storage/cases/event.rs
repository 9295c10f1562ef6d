//! Events: a sequence per session, without a gap, that never changes.

use seatport::conversation::MessageStatus;
use seatport::lifecycle::{Account, Reason, ReasonKind};
use seatport::storage::{SessionCommit, Storage};
use seatport::{CardStatus, Event, EventBody, EventHead};

use crate::storage::Backend;
use crate::storage::sample::{
    add, address, agent_id, at, commit, everything, id, inbound, message_id, reading, storing,
};
use crate::storage::snapshot::check_pages_forwards;

pub(crate) async fn every_kind_reads_back(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let account = Account { address: address("me@net"), phone: None, name: Some("我 \"me\"\u{0}".into()) };
    let mut bodies = vec![
        EventBody::Added,
        EventBody::StatusChanged {
            status: CardStatus::Blocked,
            reason: Some(Reason::new(ReasonKind::Banned).code("402: 'ban'").until(at(99))),
        },
        EventBody::LoggedIn { account },
        EventBody::LoggedOut,
        EventBody::AgentChanged { agent: Some(agent_id("mei")) },
        EventBody::AgentChanged { agent: None },
        EventBody::RemarkChanged,
        EventBody::EnvironmentChanged,
        EventBody::MessageStored { chat: address("林@net"), id: message_id("号"), inbound: false },
        EventBody::MessageStatusChanged {
            chat: address("ann@net"),
            id: message_id("a"),
            status: MessageStatus::Failed,
        },
        EventBody::ChatRead { chat: address("ann@net") },
        EventBody::MessageAmended { chat: address("林@net"), id: message_id("号") },
        EventBody::ChatChanged { chat: address("ann@net") },
        EventBody::ContactChanged { address: address("ann@net") },
        EventBody::IdentityMerged { address: address("old@net"), canonical: address("ann@net") },
        EventBody::HistoryReceived { messages: 500, progress: Some(40) },
        EventBody::HistoryReceived { messages: 0, progress: None },
    ];
    bodies.extend(CardStatus::ALL.map(|status| EventBody::StatusChanged { status, reason: None }));
    storage.commit(SessionCommit { events: bodies.clone(), at: at(-3), ..commit(1) }).await.unwrap();
    let expected: Vec<_> =
        (1..).zip(bodies).map(|(seq, body)| Event { session: id(1), seq, at: at(-3), body }).collect();
    assert_eq!(storage.events(id(1), 0, 100).await.unwrap(), expected);
}

/// Several commits with several kinds of events on two sessions in turn; the commits that add none included.
async fn fill(storage: &dyn Storage) {
    add(storage, [1, 2]).await;
    for number in [1, 2, 1] {
        storage.commit(everything(number)).await.unwrap();
        storage.commit(commit(number)).await.unwrap();
        storage.commit(storing(number, [inbound("bob@net", "x", 1)])).await.unwrap();
        storage.commit(reading(number, "bob@net", None)).await.unwrap();
    }
}

pub(crate) async fn numbers_have_no_gap(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage).await;
    for (number, expected) in [(1, 10), (2, 8)] {
        let events = storage.events(id(number), 0, 100).await.unwrap();
        assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=expected).collect::<Vec<_>>());
        assert!(events.iter().all(|event| event.session == id(number)));
        let row = storage.session(id(number)).await.unwrap().expect("the session is there");
        assert_eq!(row.last_event, expected);
    }
}

pub(crate) async fn pages_show_each_event_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage).await;
    check_pages_forwards(async |last: Option<Event>, limit| {
        storage.events(id(1), last.map_or(0, |last| last.seq), limit).await
    })
    .await;
    for after in [10, 11, u64::MAX] {
        assert_eq!(storage.events(id(1), after, 9).await.unwrap(), [], "after {after}");
    }
}

pub(crate) async fn an_event_never_changes(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage).await;
    let early = storage.events(id(1), 0, 100).await.unwrap();
    storage.commit(SessionCommit { at: at(500), ..everything(1) }).await.unwrap();
    drop(storage);

    let storage = backend.open().await;
    let late = storage.events(id(1), 0, 100).await.unwrap();
    assert_eq!(late[..early.len()], early);
    assert!(late[early.len()..].iter().all(|event| event.at == at(500)) && late.len() > early.len());
}

pub(crate) async fn heads_say_how_far_each_session_is(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage).await;
    add(&*storage, [4, 3]).await;
    let heads = storage.event_heads(None, 100).await.unwrap();
    let expected = [(1, 10), (2, 8), (3, 0), (4, 0)];
    assert_eq!(heads, expected.map(|(number, last)| EventHead { session: id(number), trimmed: 0, last }));
    check_pages_forwards(async |last: Option<EventHead>, limit| {
        storage.event_heads(last.map(|head| head.session), limit).await
    })
    .await;
}

pub(crate) async fn an_unknown_session_has_none(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage).await;
    assert_eq!(storage.events(id(9), 0, 9).await.unwrap(), []);
}

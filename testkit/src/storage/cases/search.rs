//! Lists of sessions by status, agent and text.

use seatport::lifecycle::{Account, Lifecycle, Login, Then};
use seatport::storage::Storage;
use seatport::{CardStatus, Page, Remark, SessionFilter, SessionRecord};

use crate::storage::Backend;
use crate::storage::sample::{MINUTE, adding, address, agent_id, node, own, record, running};
use crate::storage::snapshot::check_pages;

/// The numbers of the sessions that pass, by their place in `added`.
async fn found(storage: &dyn Storage, added: &[SessionRecord], filter: &SessionFilter) -> Vec<usize> {
    let rows = storage.sessions(filter, Page::first(100)).await.unwrap();
    rows.iter().filter_map(|row| added.iter().position(|record| record.id == row.record.id)).collect()
}

async fn add_all(storage: &dyn Storage, records: &[SessionRecord]) {
    for record in records {
        storage.commit(adding(record.clone())).await.unwrap();
    }
}

fn by_status(statuses: &[CardStatus]) -> SessionFilter {
    SessionFilter { statuses: statuses.to_vec(), ..SessionFilter::default() }
}

fn by_text(text: &str) -> SessionFilter {
    SessionFilter { text: Some(text.to_owned()), ..SessionFilter::default() }
}

pub(crate) async fn by_status_as_the_card_shows_it(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let mut offline = record(1);
    offline.facts.login = Login::LoggedOut;
    let added = [
        record(0),
        offline,
        running(2, Lifecycle::Connecting { attempt: 0 }),
        running(3, Lifecycle::AwaitingLogin),
        running(4, Lifecycle::Online),
        running(5, Lifecycle::Blocked),
        running(6, Lifecycle::Stopping { then: Then::Rest, log_out: false }),
        running(7, Lifecycle::AwaitingLogin),
        running(8, Lifecycle::Online),
    ];
    add_all(&*storage, &added).await;

    // Who is online or awaits a scan without a live process is connecting.
    let expect_driven = async |driven: bool| {
        for status in CardStatus::ALL {
            let expected: &[usize] = match status {
                CardStatus::NotStarted => &[0],
                CardStatus::Offline => &[1],
                CardStatus::Connecting if driven => &[2, 7, 8],
                CardStatus::Connecting => &[2, 3, 4, 7, 8],
                CardStatus::AwaitingLogin if driven => &[3],
                CardStatus::Online if driven => &[4],
                CardStatus::AwaitingLogin | CardStatus::Online => &[],
                CardStatus::Blocked => &[5],
                CardStatus::Stopping => &[6],
            };
            assert_eq!(found(&*storage, &added, &by_status(&[status])).await, expected, "{status}, driven: {driven}");
        }
    };
    expect_driven(false).await;
    for session in 0..=6 {
        own(&*storage, session, 100 + session).await;
    }
    expect_driven(true).await;
    assert_eq!(found(&*storage, &added, &by_status(&[CardStatus::Online, CardStatus::NotStarted])).await, [0, 4]);
    assert_eq!(found(&*storage, &added, &by_status(&[])).await.len(), added.len());

    storage.leave(node(104)).await.unwrap();
    assert_eq!(found(&*storage, &added, &by_status(&[CardStatus::Online])).await, [0; 0]);
    backend.pass(MINUTE).await;
    expect_driven(false).await;
}

pub(crate) async fn by_agent_or_by_nobody(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let bound = |number, agent: &str| SessionRecord { agent: Some(agent_id(agent)), ..record(number) };
    let added = [bound(0, "mei"), record(1), bound(2, "me"), bound(3, "mei")];
    add_all(&*storage, &added).await;

    let by = |agent: Option<&str>| SessionFilter { agent: Some(agent.map(agent_id)), ..SessionFilter::default() };
    assert_eq!(found(&*storage, &added, &by(Some("mei"))).await, [0, 3]);
    assert_eq!(found(&*storage, &added, &by(Some("me"))).await, [2]);
    assert_eq!(found(&*storage, &added, &by(Some("nobody"))).await, [0; 0]);
    assert_eq!(found(&*storage, &added, &by(None)).await, [1]);
}

fn remarked(number: u64, remark: &str) -> SessionRecord {
    SessionRecord { remark: Remark::new(remark).expect("a valid remark"), ..record(number) }
}

pub(crate) async fn by_text_letter_case_of_ascii_aside(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let mut logged_in = record(0);
    logged_in.facts.account = Some(Account {
        address: address("8613800138000@s.Net"),
        phone: Some("4915112345678".into()),
        name: Some("Mei LIN 林".into()),
    });
    let added = [logged_in, remarked(1, "VIP 客户\ncall before Noon"), remarked(2, "vip")];
    add_all(&*storage, &added).await;

    for (text, expected) in [
        ("vip", &[1, 2][..]),
        ("VIP", &[1, 2]),
        ("before noon", &[1]),
        ("客户", &[1]),
        ("mei lin", &[0]),
        ("林", &[0]),
        ("15112345", &[0]),
        ("@S.NET", &[0]),
        ("8613800138000@s.net4915112345678", &[]),
        ("simulated", &[]),
        ("", &[0, 1, 2]),
    ] {
        assert_eq!(found(&*storage, &added, &by_text(text)).await, expected, "searching for {text:?}");
    }
}

pub(crate) async fn text_is_taken_literally(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let added = [remarked(0, "100% sure"), remarked(1, "a_b"), remarked(2, r"c\d"), remarked(3, "e*f'g\"[h]?")];
    add_all(&*storage, &added).await;

    for (text, expected) in
        [("%", &[0][..]), ("_", &[1]), ("\\", &[2]), ("*", &[3]), ("'", &[3]), ("[h]", &[3]), ("?", &[3]), (".", &[])]
    {
        assert_eq!(found(&*storage, &added, &by_text(text)).await, expected, "searching for {text:?}");
    }
}

pub(crate) async fn all_filters_at_once_page_by_page(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let mut expected = Vec::new();
    for number in 0..48 {
        let mut record = remarked(number, if number % 2 == 0 { "VIP" } else { "other" });
        record.agent = (number % 3 == 0).then(|| agent_id("mei"));
        if number % 4 == 0 {
            record.facts.lifecycle = Lifecycle::Blocked;
        }
        if number % 12 == 0 {
            expected.push(record.id);
        }
        storage.commit(adding(record)).await.unwrap();
    }
    let filter = SessionFilter {
        statuses: vec![CardStatus::Blocked, CardStatus::Offline],
        agent: Some(Some(agent_id("mei"))),
        text: Some("vip".into()),
    };
    let rows = storage.sessions(&filter, Page::first(100)).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.record.id).collect::<Vec<_>>(), expected);
    check_pages(async |page| storage.sessions(&filter, page).await, |row| row.record.id).await;
}

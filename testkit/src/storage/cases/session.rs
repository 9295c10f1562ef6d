//! Sessions: what is written reads back, and lists are whole.

use seatport::lifecycle::{Account, Desired, Facts, Lifecycle, Login, Reason, ReasonKind, Then};
use seatport::storage::StoredSession;
use seatport::{Environment, LoginMethod, MAX_REMARK_BYTES, Page, Platform, Remark, SessionFilter, SessionRecord};

use crate::storage::Backend;
use crate::storage::sample::{add, adding, address, agent_id, at, commit, id, record, running};
use crate::storage::snapshot::check_pages;

pub(crate) async fn an_unknown_session_is_none(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    assert_eq!(storage.session(id(2)).await.unwrap(), None);
}

/// Every field filled, with the longest and strangest values there may be.
fn full_record() -> SessionRecord {
    SessionRecord {
        environment: Environment::new()
            .proxy("socks5://mei%20lin@[2001:db8::1]:1080")
            .and_then(|environment| environment.device_name("前台 3 号 🖥"))
            .and_then(|environment| environment.platform(Platform::MacOs).locale("zh-Hans-CN"))
            .and_then(|environment| environment.time_zone("Asia/Shanghai"))
            .and_then(|environment| environment.label("team", "it's \"sales\"; DROP TABLE session; --"))
            .expect("a valid environment"),
        remark: Remark::new("客".repeat(MAX_REMARK_BYTES / 3)).expect("a remark of the greatest length"),
        agent: Some(agent_id("mei")),
        login_method: LoginMethod::pairing_code("+8613800138000").expect("a valid number"),
        facts: Facts {
            desired: Desired::Started,
            lifecycle: Lifecycle::Backoff { attempt: 7, retry_at: at(90) },
            login: Login::LoggedOut,
            reason: Some(Reason::new(ReasonKind::Banned).code("403 — ملف").until(at(86_400))),
            account: Some(Account {
                address: address(&"é".repeat(128)),
                phone: Some("4915112345678".into()),
                name: Some("Zoë\u{0}\u{1F469}\u{200D}\u{1F4BB}\n".into()),
            }),
            generation: 41,
        },
        since: at(-5),
        first_login_at: Some(at(-9)),
        ..record(1)
    }
}

pub(crate) async fn an_added_session_reads_back_as_it_was(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let record = full_record();
    let committed = storage.commit(adding(record.clone())).await.unwrap();
    assert_eq!(committed.revision, 1);

    let row = StoredSession { record, revision: 1, port: None, unread: 0, last_event: 0, owner: None };
    assert_eq!(storage.session(id(1)).await.unwrap(), Some(row.clone()));
    assert_eq!(storage.sessions(&SessionFilter::default(), Page::first(10)).await.unwrap(), [row]);
}

pub(crate) async fn every_state_of_the_lifecycle_reads_back(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let then = [Then::Rest, Then::Restart, Then::Block].map(|then| Lifecycle::Stopping { then, log_out: true });
    let states = [
        Lifecycle::Connecting { attempt: 3 },
        Lifecycle::AwaitingLogin,
        Lifecycle::Online,
        Lifecycle::Backoff { attempt: u32::MAX, retry_at: at(1) },
        Lifecycle::Blocked,
        Lifecycle::Stopping { then: Then::Rest, log_out: false },
        Lifecycle::Stopped,
    ];
    for lifecycle in states.into_iter().chain(then) {
        let record = running(1, lifecycle);
        let mut commit = commit(1);
        commit.record = Some(record.clone());
        storage.commit(commit).await.unwrap();
        assert_eq!(storage.session(id(1)).await.unwrap().map(|row| row.record), Some(record));
    }
}

pub(crate) async fn the_password_of_a_proxy_is_not_stored(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let environment = Environment::new().proxy("http://mei:hunter2@proxy.example:8080").expect("a valid proxy");
    storage.commit(adding(SessionRecord { environment, ..record(1) })).await.unwrap();

    let stored = storage.session(id(1)).await.unwrap().and_then(|row| row.record.environment.proxy);
    let proxy = stored.expect("the proxy is stored");
    assert_eq!(proxy.username.as_deref(), Some("mei"));
    assert_eq!(proxy.password, None);
}

pub(crate) async fn sessions_are_listed_in_the_order_of_their_ids(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [300, 2, 1, 256, 255]).await;
    let rows = storage.sessions(&SessionFilter::default(), Page::first(10)).await.unwrap();
    let ids: Vec<_> = rows.into_iter().map(|row| row.record.id).collect();
    assert_eq!(ids, [1, 2, 255, 256, 300].map(id));
}

pub(crate) async fn pages_show_each_session_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [5, 3, 1, 4, 2]).await;
    check_pages(async |page| storage.sessions(&SessionFilter::default(), page).await, |row| row.record.id).await;

    // A page goes on after an id whether or not a session has it.
    let rows = storage.sessions(&SessionFilter::default(), Page::after(id(0), 1)).await.unwrap();
    assert_eq!(rows.first().map(|row| row.record.id), Some(id(1)));
    assert_eq!(storage.sessions(&SessionFilter::default(), Page::after(id(9), 1)).await.unwrap(), []);
}

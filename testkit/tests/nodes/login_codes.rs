//! Login codes on nodes that do not drive the session.

use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use seatport::storage::{
    AuditStore, EventStore, LeadStore, LeaseStore, Notice, SessionStore, Storage, StorageErrorKind, VaultStore,
};
use seatport::vault::VaultKey;
use seatport::{
    CardStatus, ChallengeKind, Clock, Error, LoginMethod, NewAccount, Page, SeatportBuilder, SessionFilter, SessionId,
    View, WhenFull,
};
use seatport_testkit::storage::Call;
use tokio::time::{Instant, sleep, timeout};
use tracing_subscriber::fmt::MakeWriter;

use crate::cluster::{Cluster, Node, millis, secs};
use crate::showing::{CODE, Showing};
use crate::way::Fate;

async fn no_code(node: &Node, session: SessionId) {
    let answer = node.desk.login_code(session).await;
    assert!(matches!(answer, Err(Error::NoLoginCode(id)) if id == session), "{answer:?}");
}

/// Starts a session that shows the one code.
async fn showing(node: &Node) -> SessionId {
    node.desk.add_and_start(NewAccount::on("showing"), WhenFull::Fail).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_code_is_shown_on_every_node_and_gone_everywhere_once_it_was_used() {
    let (cluster, nodes) = Cluster::of::<3>(3).await;
    let session = nodes[0].started().await;
    let mut codes = Vec::new();
    for node in &nodes {
        codes.push(node.code(session).await);
        let asked = node.desk.login_code(session).await.unwrap();
        assert_eq!((asked.code.expose(), asked.sequence), (codes[0].as_str(), 1));
    }
    assert!(codes.iter().all(|code| *code == codes[0]));
    let (_, other) = cluster.owner_first(session, &nodes).await;
    cluster.messenger.phone("+8613800138000").scan(&other.code(session).await).unwrap();
    for node in &nodes {
        node.reaches(session, CardStatus::Online).await;
        no_code(node, session).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_codes_of_a_round_follow_each_other_on_another_node_and_none_is_shown_too_long() {
    let (cluster, nodes) = Cluster::of::<2>(3).await;
    let session = nodes[0].started().await;
    nodes[0].code(session).await;
    let (owner, other) = cluster.owner_first(session, &nodes).await;
    let (mut there, mut here) = (owner.desk.watch(session).await.unwrap(), other.desk.watch(session).await.unwrap());
    let mut sequences = Vec::new();
    while sequences.len() < 6 {
        let Some(shown) = here.next().await.unwrap().challenge else { continue };
        assert!(shown.is_valid(cluster.clock.now()));
        let at_home = there.until(|view| view.challenge.is_some()).await.unwrap().challenge.unwrap();
        if at_home.sequence != shown.sequence {
            continue;
        }
        assert_eq!(at_home.code, shown.code);
        assert!(shown.expires_at.since(at_home.expires_at) < millis(5), "{shown:?} {at_home:?}");
        sequences.push(shown.sequence);
    }
    assert_eq!(sequences, [1, 2, 3, 4, 5, 6]);
    // The last one expires, the round is over, and both say so.
    let ended = |view: &View| view.card.status == CardStatus::Blocked && view.challenge.is_none();
    timeout(secs(60), here.until(ended)).await.unwrap().unwrap();
    no_code(other, session).await;
    no_code(owner, session).await;
}

#[tokio::test(start_paused = true)]
async fn a_pairing_code_is_shown_as_one() {
    let (cluster, nodes) = Cluster::of::<2>(3).await;
    let method = LoginMethod::pairing_code("+8613800138000").unwrap();
    let new = NewAccount::on("simulated").login(method);
    let session = nodes[0].desk.add_and_start(new, WhenFull::Fail).await.unwrap();
    nodes[0].code(session).await;
    let (_, other) = cluster.owner_first(session, &nodes).await;
    let shown = other.until(session, |view| view.challenge.is_some()).await.challenge.unwrap();
    assert_eq!(shown.kind, ChallengeKind::PairingCode);
    cluster.messenger.phone("+8613800138000").enter_pairing_code(shown.code.expose()).unwrap();
    other.reaches(session, CardStatus::Online).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_comes_later_asks_for_the_code() {
    let mut cluster = Cluster::new(3);
    let first = cluster.join().await;
    let session = first.started().await;
    let code = first.code(session).await;
    let (second, third) = (cluster.join().await, cluster.join().await);
    let asked = Instant::now();
    assert_eq!(second.code(session).await, code);
    assert_eq!(third.desk.login_code(session).await.unwrap().code.expose(), code);
    assert!(asked.elapsed() < secs(2), "{:?}", asked.elapsed());
    assert!(first.way().count("notify") <= 3, "it is told once, and then answered");
    let told = second.way().count("notify") + third.way().count("notify");
    let fourth = cluster.join().await;
    assert_eq!(fourth.code(session).await, code);
    let others = second.way().count("notify") + third.way().count("notify");
    assert_eq!((first.way().count("notify"), others), (1, 0), "only the owner answers; they asked {told} times before");
}

#[tokio::test(start_paused = true)]
async fn a_code_that_got_lost_is_asked_for_once_a_second_and_answered_by_the_owner_only() {
    let (cluster, nodes) = Cluster::of::<3>(3).await;
    nodes.iter().for_each(|node| node.way().mute(true));
    let session = nodes[0].started().await;
    nodes[0].reaches(session, CardStatus::AwaitingLogin).await;
    let (owner, other) = cluster.owner_first(session, &nodes).await;
    let code = owner.code(session).await;
    // Several people look at once.
    let watches: Vec<_> = (0..5)
        .map(|_| {
            let desk = other.desk.clone();
            tokio::spawn(async move {
                let mut watch = desk.watch(session).await.unwrap();
                watch.until(|view| view.challenge.is_some()).await.unwrap().challenge.unwrap()
            })
        })
        .collect();
    sleep(secs(10)).await;
    assert!(watches.iter().all(|watch| !watch.is_finished()), "nobody can tell");
    no_code(other, session).await;
    let questions = other.way().count("notify");
    assert!((9..=13).contains(&questions), "{questions} questions in twelve seconds");
    nodes.iter().for_each(|node| _ = node.way().count("notify"));
    other.way().mute(false);
    owner.way().mute(false);
    let begin = Instant::now();
    for watch in watches {
        assert_eq!(watch.await.unwrap().code.expose(), code);
    }
    assert!(begin.elapsed() < secs(2), "{:?}", begin.elapsed());
    assert_eq!((owner.way().count("notify"), other.way().count("notify")), (1, 1), "one question and one answer");
    for node in &nodes {
        assert_eq!(node.way().count("notify"), 0, "and nobody else says anything");
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_of_an_earlier_round_is_not_shown_again() {
    let (cluster, nodes) = Cluster::of::<2>(3).await;
    let session = nodes[0].started().await;
    nodes[0].code(session).await;
    let (owner, other) = cluster.owner_first(session, &nodes).await;
    let first = other.code(session).await;
    let heard = owner.way().said();
    // No word from the owner for a while: neither that the old one is over, nor what the new one is.
    owner.way().mute(true);
    let mut watch = other.desk.watch(session).await.unwrap();
    other.desk.refresh_login(session).await.unwrap();
    let current =
        owner.until(session, |view| view.challenge.as_ref().is_some_and(|challenge| challenge.code.expose() != first));
    let current = current.await.challenge.unwrap();
    let repeat = || async {
        for notice in &heard {
            cluster.storage.notify(notice.clone()).await.unwrap();
        }
        sleep(millis(10)).await;
    };
    repeat().await;
    let awaiting = watch.until(|view| view.card.status == CardStatus::AwaitingLogin && view.challenge.is_none());
    timeout(secs(10), awaiting).await.unwrap().unwrap();
    no_code(other, session).await;
    owner.way().mute(false);
    let shown = timeout(secs(10), watch.until(|view| view.challenge.is_some())).await.unwrap().unwrap();
    assert_eq!(shown.challenge.unwrap().code, current.code);
    repeat().await;
    assert_eq!(other.desk.login_code(session).await.unwrap().code, current.code);
}

#[tokio::test(start_paused = true)]
async fn when_its_owner_dies_a_code_is_shown_no_longer_and_the_next_owner_shows_another() {
    let mut cluster = Cluster::new(3);
    let first = cluster.join().await;
    let session = first.started().await;
    let code = first.code(session).await;
    let (second, third) = (cluster.join().await, cluster.join().await);
    assert_eq!(second.code(session).await, code);
    drop(first);
    let gone = |view: &View| view.challenge.as_ref().is_none_or(|challenge| challenge.code.expose() != code);
    let mut watch = second.desk.watch(session).await.unwrap();
    timeout(secs(20), watch.until(gone)).await.expect("at the latest when the lease is over").unwrap();
    for node in [&second, &third] {
        let shown = node.until(session, |view| view.challenge.is_some()).await.challenge.unwrap();
        assert_ne!(shown.code.expose(), code);
        assert_eq!(shown.sequence, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_key_a_code_stays_on_its_node() {
    let mut cluster = Cluster::new(3);
    let bare = |builder: SeatportBuilder| builder.transport(Showing);
    let nodes = [cluster.join_bare(bare).await, cluster.join_bare(bare).await];
    let session = showing(&nodes[0]).await;
    for node in &nodes {
        node.reaches(session, CardStatus::AwaitingLogin).await;
    }
    let (owner, other) = cluster.owner_first(session, &nodes).await;
    assert_eq!(owner.code(session).await, CODE);
    let begin = Instant::now();
    no_code(other, session).await;
    assert_eq!(begin.elapsed(), secs(0), "there is nobody to ask");
    let mut watch = other.desk.watch(session).await.unwrap();
    assert_eq!(watch.next().await.unwrap().challenge, None);
    assert!(timeout(secs(60), watch.next()).await.is_err(), "nothing comes");
    assert_eq!((owner.way().said(), other.way().said()), (vec![], vec![]), "nothing is said");
}

#[tokio::test(start_paused = true)]
async fn where_the_host_insists_on_plaintext_codes_travel_so() {
    let mut cluster = Cluster::new(3);
    let bare = |builder: SeatportBuilder| builder.transport(Showing).insecure_plaintext_vault();
    let nodes = [cluster.join_bare(bare).await, cluster.join_bare(bare).await];
    let session = showing(&nodes[0]).await;
    for node in &nodes {
        assert_eq!(node.code(session).await, CODE);
    }
    let (owner, _) = cluster.owner_first(session, &nodes).await;
    let readable = |notice: &Notice| String::from_utf8_lossy(&notice.sealed).contains(CODE);
    assert!(owner.way().said().iter().any(readable), "as was asked for");
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_passes_nothing_on_is_no_fault() {
    let (cluster, nodes) = Cluster::of::<2>(3).await;
    for node in &nodes {
        node.way().plan(|call| match call {
            Call::Notify(_) => Fate::Fails(StorageErrorKind::Busy),
            _ => Fate::Arrives,
        });
    }
    let session = nodes[0].started().await;
    nodes[0].reaches(session, CardStatus::AwaitingLogin).await;
    let (owner, other) = cluster.owner_first(session, &nodes).await;
    cluster.messenger.phone("+8613800138000").scan(&owner.code(session).await).unwrap();
    other.reaches(session, CardStatus::Online).await;
}

#[tokio::test(start_paused = true)]
async fn forged_and_garbled_notices_show_nothing() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _logged = tracing::subscriber::set_default(subscriber);

    // What another organisation's nodes say of a session of the same id, with another key.
    let mut elsewhere = Cluster::new(3);
    let stranger = elsewhere.join_as(false, |builder| builder.vault_key(VaultKey::new([8; 32]))).await;
    let foreign = stranger.started().await;
    stranger.code(foreign).await;

    let mut cluster = Cluster::new(3);
    let owner = cluster.join().await;
    let (session, neighbour) = (owner.started().await, owner.started().await);
    let code = owner.code(session).await;
    owner.code(neighbour).await;
    owner.way().mute(true);
    let other = cluster.join().await;
    other.way().mute(true);
    let genuine = owner.way().said().into_iter().find(|notice| notice.session == session).unwrap();
    let of_neighbour = owner.way().said().into_iter().find(|notice| notice.session == neighbour).unwrap();
    let from_elsewhere = stranger.way().said().remove(0);
    let forged = br#"{"from":"00000000-0000-7000-8000-000000000000","says":{"Code":{"turn":{"epoch":9,"number":9},
        "generation":1,"pairing":false,"sequence":1,"valid_for_ms":60000,"code":"forged"}}}"#;
    let mut flipped = genuine.sealed.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let garbled: Vec<Vec<u8>> = vec![
        vec![],
        vec![0],
        vec![1],
        vec![1; 25],
        [&[0][..], forged].concat(),
        [&[1][..], forged].concat(),
        forged.to_vec(),
        genuine.sealed[..genuine.sealed.len() / 2].to_vec(),
        flipped,
        of_neighbour.sealed,
        from_elsewhere.sealed,
    ];
    for sealed in garbled {
        cluster.storage.notify(Notice { session, sealed }).await.unwrap();
    }
    sleep(millis(100)).await;
    no_code(&other, session).await;
    cluster.storage.notify(genuine).await.unwrap();
    sleep(millis(100)).await;
    assert_eq!(other.desk.login_code(session).await.unwrap().code.expose(), code, "a genuine one is understood");
    let log = log.text();
    assert!(log.contains("a notice that nobody here can read"), "they were dropped");
    assert!(!log.contains("forged") && !log.contains(&code), "{log}");
}

#[tokio::test(start_paused = true)]
async fn codes_that_travel_reach_no_log_no_debug_text_and_no_row() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _logged = tracing::subscriber::set_default(subscriber);

    let (cluster, nodes) = Cluster::of::<2>(3).await;
    let session = nodes[0].started().await;
    nodes[0].code(session).await;
    let (owner, other) = cluster.owner_first(session, &nodes).await;
    let mut secrets = vec![other.code(session).await];
    let shown = format!("{:?} {:?}", other.seatport, owner.seatport);
    let second = |view: &View| view.challenge.as_ref().is_some_and(|challenge| challenge.sequence == 2);
    let view = other.until(session, second).await;
    let views = format!("{view:?}");
    secrets.push(view.challenge.unwrap().code.expose().to_owned());
    let said = owner.way().said();
    assert!(said.len() >= 2, "they travelled");
    let s = &cluster.storage;
    let rows = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {said:?}",
        s.sessions(&SessionFilter::default(), Page::first(9)).await.unwrap(),
        s.events(session, 0, 1000).await.unwrap(),
        s.audit(0, 1000).await.unwrap(),
        s.nodes().await.unwrap(),
        s.orphans(None, 9).await.unwrap(),
        s.vault_scan(None, 1000).await.unwrap(),
        (s.key_check().await.unwrap(), s.ledger_key().await.unwrap()),
    );
    let mut bytes: Vec<Vec<u8>> = said.into_iter().map(|notice| notice.sealed).collect();
    bytes.extend(s.vault_scan(None, 1000).await.unwrap().into_iter().map(|entry| entry.sealed));
    cluster.messenger.phone("+8613800138000").scan(&secrets[1]).unwrap();
    other.reaches(session, CardStatus::Online).await;
    let log = log.text();
    assert!(log.contains(&session.to_string()), "something was logged");
    for secret in secrets {
        for (place, text) in [("log", &log), ("nodes", &shown), ("views", &views), ("rows", &rows)] {
            assert!(!text.contains(&secret), "{secret} is in the {place}: {text}");
        }
        let inside = |bytes: &Vec<u8>| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!bytes.iter().any(inside), "{secret} can be read on its way, or where it is kept");
    }
}

/// Everything that is logged, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

//! Ownership: one live process drives a session, and who lost it writes no more.

use std::collections::BTreeMap;
use std::time::Duration;

use seatport::SessionId;
use seatport::lifecycle::Lifecycle;
use seatport::storage::{Fence, LiveNode, NodeProfile, NodeReport, Orphan, SessionCommit, Storage, StorageErrorKind};

use crate::storage::Backend;
use crate::storage::sample::{MINUTE, REPORT, add, adding, commit, id, node, own, profile, record, refused, running};
use crate::storage::snapshot::Snapshot;

async fn orphans(storage: &dyn Storage, after: Option<SessionId>, limit: u32) -> Vec<SessionId> {
    let orphans = storage.orphans(after, limit).await.unwrap();
    orphans.into_iter().map(|orphan| orphan.session).collect()
}

async fn owner(storage: &dyn Storage, session: u64) -> Option<Fence> {
    storage.session(id(session)).await.unwrap().expect("the session is there").owner
}

/// Whether a write with this fence lands.
async fn holds(storage: &dyn Storage, session: u64, fence: Fence) -> bool {
    match storage.commit(SessionCommit { fence: Some(fence), ..commit(session) }).await {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), StorageErrorKind::Fenced);
            false
        }
    }
}

pub(crate) async fn a_node_that_did_not_join_is_fenced(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    assert_eq!(refused(storage.renew(node(1), MINUTE, REPORT).await), StorageErrorKind::Fenced);
    assert_eq!(refused(storage.claim(id(1), node(1)).await), StorageErrorKind::Fenced);
    assert_eq!(
        refused(storage.renew(node(1), MINUTE, REPORT).await),
        StorageErrorKind::Fenced,
        "renewing is not joining"
    );
    assert_eq!(owner(&*storage, 1).await, None);
    storage.leave(node(1)).await.expect("leaving succeeds all the same");
}

pub(crate) async fn an_unknown_session_cannot_be_claimed(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    storage.join(&profile(1), MINUTE).await.unwrap();
    assert_eq!(refused(storage.claim(id(1), node(1)).await), StorageErrorKind::NotFound);
}

pub(crate) async fn the_owner_is_on_the_row(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    assert_eq!(owner(&*storage, 1).await, None);
    let fence = own(&*storage, 1, 7).await;
    assert_eq!(fence.node, node(7));
    assert_eq!(owner(&*storage, 1).await, Some(fence));
    assert_eq!(owner(&*storage, 2).await, None);
    assert_eq!(Snapshot::of(&*storage).await.sessions[&id(1)].row.owner, Some(fence), "in lists as well");
}

pub(crate) async fn a_live_owner_keeps_others_out(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let fence = own(&*storage, 1, 1).await;
    storage.join(&profile(2), MINUTE).await.unwrap();
    let before = Snapshot::of(&*storage).await;
    assert_eq!(storage.claim(id(1), node(2)).await.unwrap(), None);
    assert_eq!(Snapshot::of(&*storage).await, before);
    assert!(holds(&*storage, 1, fence).await);
}

pub(crate) async fn claiming_again_raises_the_epoch(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let first = own(&*storage, 1, 1).await;
    let second = storage.claim(id(1), node(1)).await.unwrap().expect("it is the owner");
    assert_eq!(second, Fence { node: node(1), epoch: first.epoch + 1 });
    assert!(!holds(&*storage, 1, first).await);
    assert!(holds(&*storage, 1, second).await);
}

pub(crate) async fn a_lease_runs_out(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    storage.commit(adding(running(1, Lifecycle::Online))).await.unwrap();
    let fence = own(&*storage, 1, 1).await;
    storage.join(&profile(2), 3 * MINUTE).await.unwrap();

    backend.pass(MINUTE - Duration::from_secs(5)).await;
    assert!(holds(&*storage, 1, fence).await, "its minute is not over");
    backend.pass(Duration::from_secs(6)).await;
    assert_eq!(owner(&*storage, 1).await, None);
    assert!(!holds(&*storage, 1, fence).await);
    assert_eq!(refused(storage.vault_write(id(1), fence, vec![]).await), StorageErrorKind::Fenced);
    assert_eq!(orphans(&*storage, None, 9).await, [id(1)]);
    assert_eq!(refused(storage.renew(node(1), MINUTE, REPORT).await), StorageErrorKind::Fenced);
    assert_eq!(refused(storage.claim(id(1), node(1)).await), StorageErrorKind::Fenced);

    let next = storage.claim(id(1), node(2)).await.unwrap().expect("nobody owns it");
    assert!(next.epoch > fence.epoch);
    assert!(holds(&*storage, 1, next).await);
    assert_eq!(orphans(&*storage, None, 9).await, []);
}

pub(crate) async fn renewing_keeps_all_sessions(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, 1..=3).await;
    storage.join(&profile(1), MINUTE).await.unwrap();
    let mut fences = Vec::new();
    for session in 1..=3 {
        fences.push(storage.claim(id(session), node(1)).await.unwrap().expect("nobody else owns it"));
    }
    for _ in 0..3 {
        backend.pass(MINUTE / 2).await;
        storage.renew(node(1), MINUTE, REPORT).await.unwrap();
    }
    for (session, fence) in (1..).zip(fences) {
        assert_eq!(owner(&*storage, session).await, Some(fence));
        assert!(holds(&*storage, session, fence).await);
    }
}

pub(crate) async fn leaving_gives_everything_up(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    storage.commit(adding(running(1, Lifecycle::Online))).await.unwrap();
    add(&*storage, [2]).await;
    let left = own(&*storage, 1, 1).await;
    let stays = own(&*storage, 2, 2).await;
    storage.leave(node(1)).await.unwrap();
    storage.leave(node(1)).await.expect("leaving twice is no fault");

    assert_eq!(owner(&*storage, 1).await, None);
    assert_eq!(owner(&*storage, 2).await, Some(stays));
    assert!(!holds(&*storage, 1, left).await);
    assert_eq!(orphans(&*storage, None, 9).await, [id(1)]);
    assert_eq!(refused(storage.renew(node(1), MINUTE, REPORT).await), StorageErrorKind::Fenced);
    let next = storage.claim(id(1), node(2)).await.unwrap().expect("nobody owns it");
    assert!(next.epoch > left.epoch);
}

pub(crate) async fn who_joins_again_owns_nothing(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let fence = own(&*storage, 1, 1).await;
    storage.join(&profile(1), MINUTE).await.unwrap();
    assert_eq!(owner(&*storage, 1).await, None, "joined again while it was live");
    assert!(!holds(&*storage, 1, fence).await);

    let fence = storage.claim(id(1), node(1)).await.unwrap().expect("nobody else owns it");
    backend.pass(2 * MINUTE).await;
    storage.join(&profile(1), MINUTE).await.unwrap();
    assert_eq!(owner(&*storage, 1).await, None, "joined again after its lease had run out");
    assert!(!holds(&*storage, 1, fence).await);
}

pub(crate) async fn releasing_gives_one_session_up(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    let first = own(&*storage, 1, 1).await;
    let other = storage.claim(id(2), node(1)).await.unwrap().expect("nobody else owns it");
    let second = storage.claim(id(1), node(1)).await.unwrap().expect("it is the owner");

    storage.release(id(1), first).await.expect("an old fence is no fault");
    assert_eq!(owner(&*storage, 1).await, Some(second), "an old fence gives nothing up");
    storage.release(id(9), first).await.expect("an unknown session is no fault");

    storage.release(id(1), second).await.unwrap();
    assert_eq!(owner(&*storage, 1).await, None);
    assert_eq!(owner(&*storage, 2).await, Some(other));
    assert!(!holds(&*storage, 1, second).await);
    storage.join(&profile(2), MINUTE).await.unwrap();
    let next = storage.claim(id(1), node(2)).await.unwrap().expect("nobody owns it");
    assert!(next.epoch > second.epoch);
}

pub(crate) async fn orphans_are_what_nobody_drives(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let states = [
        Lifecycle::Connecting { attempt: 0 },
        Lifecycle::Blocked,
        Lifecycle::Stopping { then: seatport::lifecycle::Then::Rest, log_out: false },
        Lifecycle::Online,
    ];
    for (number, lifecycle) in [(30, states[0]), (10, states[1]), (20, states[2]), (40, states[3])] {
        storage.commit(adding(running(number, lifecycle))).await.unwrap();
    }
    add(&*storage, [25]).await;
    let all = [10, 20, 30, 40].map(id);
    assert_eq!(orphans(&*storage, None, 9).await, all);
    for limit in 0..=4_u32 {
        assert_eq!(orphans(&*storage, None, limit).await, all[..limit as usize], "at most {limit}");
    }
    assert_eq!(orphans(&*storage, Some(id(10)), 2).await, [20, 30].map(id));
    assert_eq!(orphans(&*storage, Some(id(35)), 9).await, [id(40)]);
    own(&*storage, 20, 1).await;
    assert_eq!(orphans(&*storage, None, 9).await, [10, 30, 40].map(id));
    let stopped = SessionCommit { record: Some(record(10)), ..commit(10) };
    storage.commit(stopped).await.unwrap();
    assert_eq!(orphans(&*storage, None, 1).await, [id(30)]);
}

pub(crate) async fn nothing_is_owned_after_a_restart(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    storage.commit(adding(running(1, Lifecycle::Online))).await.unwrap();
    let fence = own(&*storage, 1, 1).await;
    drop(storage);

    let storage = backend.open().await;
    assert_eq!(owner(&*storage, 1).await, None);
    assert!(!holds(&*storage, 1, fence).await);
    assert_eq!(orphans(&*storage, None, 9).await, [id(1)]);
    assert_eq!(refused(storage.renew(node(1), MINUTE, REPORT).await), StorageErrorKind::Fenced);
    let next = own(&*storage, 1, 1).await;
    assert!(next.epoch > fence.epoch, "the same node, but no epoch comes twice");
}

fn labels<const N: usize>(labels: [(&str, &str); N]) -> BTreeMap<String, String> {
    labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// A node as it is listed.
fn live(number: u64, report: NodeReport) -> LiveNode {
    LiveNode { profile: profile(number), report }
}

pub(crate) async fn live_nodes_are_listed_by_id_with_what_they_said(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    assert_eq!(storage.nodes().await.unwrap(), []);
    let special = NodeProfile { labels: labels([("egress", "fra"), ("disk", "")]), capacity: 7, ..profile(2) };
    for profile in [&profile(3), &special, &profile(1)] {
        storage.join(profile, MINUTE).await.unwrap();
    }
    let special = LiveNode { profile: special, report: REPORT };
    assert_eq!(storage.nodes().await.unwrap(), [live(1, REPORT), special, live(3, REPORT)]);
}

pub(crate) async fn a_report_stays_until_the_next_one(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    storage.join(&profile(1), MINUTE).await.unwrap();
    storage.join(&profile(2), MINUTE).await.unwrap();
    let (busy, draining) = (NodeReport { sessions: 17, accepting: true }, NodeReport { sessions: 3, accepting: false });
    storage.renew(node(1), MINUTE, busy).await.unwrap();
    assert_eq!(storage.nodes().await.unwrap(), [live(1, busy), live(2, REPORT)]);
    storage.renew(node(2), MINUTE, busy).await.unwrap();
    storage.renew(node(1), MINUTE, draining).await.unwrap();
    assert_eq!(storage.nodes().await.unwrap(), [live(1, draining), live(2, busy)]);
}

pub(crate) async fn who_joins_again_reports_anew(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    storage.join(&profile(1), MINUTE).await.unwrap();
    storage.renew(node(1), MINUTE, NodeReport { sessions: 3, accepting: false }).await.unwrap();
    let changed = NodeProfile { labels: labels([("egress", "fra")]), capacity: 5, ..profile(1) };
    storage.join(&changed, MINUTE).await.unwrap();
    let expected = LiveNode { profile: changed, report: REPORT };
    assert_eq!(storage.nodes().await.unwrap(), [expected], "what it says now, and no sessions");
}

pub(crate) async fn who_is_not_live_is_not_listed(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    storage.join(&profile(1), MINUTE).await.unwrap();
    storage.join(&profile(2), 3 * MINUTE).await.unwrap();
    storage.join(&profile(3), 3 * MINUTE).await.unwrap();
    storage.leave(node(3)).await.unwrap();
    assert_eq!(storage.nodes().await.unwrap(), [live(1, REPORT), live(2, REPORT)], "one has left");
    backend.pass(MINUTE + Duration::from_secs(1)).await;
    assert_eq!(storage.nodes().await.unwrap(), [live(2, REPORT)], "the lease of another is over");
    storage.join(&profile(1), MINUTE).await.unwrap();
    assert_eq!(storage.nodes().await.unwrap(), [live(1, REPORT), live(2, REPORT)], "it is back");
    drop(storage);
    assert_eq!(backend.open().await.nodes().await.unwrap(), [], "no node outlives its process");
}

pub(crate) async fn orphans_say_where_they_may_run(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let pinned = |runs_on: BTreeMap<String, String>| {
        let mut record = running(1, Lifecycle::Online);
        record.environment.runs_on = runs_on;
        record
    };
    let orphan = |number, runs_on| Orphan { session: id(number), runs_on };
    let fra = labels([("egress", "fra"), ("disk", "")]);
    storage.commit(adding(pinned(fra.clone()))).await.unwrap();
    storage.commit(adding(running(2, Lifecycle::Online))).await.unwrap();
    assert_eq!(storage.orphans(None, 9).await.unwrap(), [orphan(1, fra.clone()), orphan(2, labels([]))]);

    for runs_on in [labels([("egress", "sin")]), labels([]), fra] {
        storage.commit(SessionCommit { record: Some(pinned(runs_on.clone())), ..commit(1) }).await.unwrap();
        let orphans = storage.orphans(None, 1).await.unwrap();
        assert_eq!(orphans, [orphan(1, runs_on)], "as the environment says now");
    }
}

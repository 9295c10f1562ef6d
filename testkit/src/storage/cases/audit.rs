//! The audit trail: one sequence for everything, without a gap.

use seatport::storage::{Deletion, Expect, SessionCommit, Storage};
use seatport::{Action, AuditEntry, AuditHash, AuditLine, Outcome};

use crate::storage::Backend;
use crate::storage::sample::{add, agent_id, at, audit, commit, everything, id};
use crate::storage::snapshot::check_pages_forwards;

/// Lines from every place that writes some: 1, 2 a commit; 3 on its own; 4, 5 a commit; 6 a deletion.
async fn fill(storage: &dyn Storage) -> Vec<AuditEntry> {
    add(storage, [9]).await;
    let denied = AuditEntry { outcome: Outcome::Denied, ..audit(9, Action::Assign) };
    storage.commit(SessionCommit { expect: Expect::New, ..everything(1) }).await.unwrap();
    storage.record(denied.clone()).await.unwrap();
    storage.commit(SessionCommit { expect: Expect::Revision(77), ..everything(1) }).await.unwrap_err();
    let lines = vec![audit(1, Action::Stop), audit(1, Action::SetRemark)];
    storage.commit(SessionCommit { audit: lines, ..commit(1) }).await.unwrap();
    storage.delete(id(9), 7, Deletion::Delete, audit(9, Action::Delete)).await.unwrap_err();
    storage.delete(id(9), 1, Deletion::Delete, audit(9, Action::Delete)).await.unwrap();
    vec![
        audit(1, Action::Add),
        audit(1, Action::Start),
        denied,
        audit(1, Action::Stop),
        audit(1, Action::SetRemark),
        audit(9, Action::Delete),
    ]
}

/// The lines of these entries, the first with this number, after a line with this hash.
fn chained(mut hash: AuditHash, first: u64, entries: impl IntoIterator<Item = AuditEntry>) -> Vec<AuditLine> {
    let lines = (first..).zip(entries).map(|(number, entry)| {
        hash = hash.followed_by(number, &entry);
        AuditLine { number, entry, hash }
    });
    lines.collect()
}

pub(crate) async fn lines_are_numbered_without_a_gap(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    assert_eq!(storage.audit(0, 9).await.unwrap(), []);
    let entries = fill(&*storage).await;
    let expected = chained(AuditHash::START, 1, entries);
    assert_eq!(storage.audit(0, 100).await.unwrap(), expected);
}

pub(crate) async fn each_line_is_chained_to_the_one_before(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage).await;
    drop(storage);
    let storage = backend.open().await;
    storage.record(audit(1, Action::View)).await.unwrap();
    let mut hash = AuditHash::START;
    for line in storage.audit(0, 100).await.unwrap() {
        hash = hash.followed_by(line.number, &line.entry);
        assert_eq!(line.hash, hash, "line {}", line.number);
    }
    let page = storage.audit(4, 1).await.unwrap();
    assert_eq!(page.first(), storage.audit(0, 100).await.unwrap().get(4), "a page says the same");
}

pub(crate) async fn every_action_and_outcome_reads_back(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let outcomes = [Outcome::Done, Outcome::Denied, Outcome::Illegal];
    let entries: Vec<_> = Action::all()
        .flat_map(|action| outcomes.map(|outcome| (action, outcome)))
        .zip([None, Some(id(1))].into_iter().cycle())
        .map(|((action, outcome), session)| AuditEntry {
            at: at(-1),
            agent: agent_id("林 'mei'"),
            action,
            session,
            outcome,
        })
        .collect();
    for entry in &entries {
        storage.record(entry.clone()).await.unwrap();
    }
    let lines = storage.audit(0, 1000).await.unwrap();
    assert_eq!(lines.into_iter().map(|line| line.entry).collect::<Vec<_>>(), entries);
}

pub(crate) async fn pages_show_each_line_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage).await;
    check_pages_forwards(async |last: Option<AuditLine>, limit| {
        storage.audit(last.map_or(0, |last| last.number), limit).await
    })
    .await;
    for after in [6, 7, u64::MAX] {
        assert_eq!(storage.audit(after, 9).await.unwrap(), [], "after {after}");
    }
}

pub(crate) async fn the_trail_survives_a_restart(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage).await;
    let before = storage.audit(0, 100).await.unwrap();
    drop(storage);

    let storage = backend.open().await;
    assert_eq!(storage.audit(0, 100).await.unwrap(), before);
    storage.record(audit(1, Action::View)).await.unwrap();
    let last = before.last().expect("there are lines");
    assert_eq!(storage.audit(6, 100).await.unwrap(), chained(last.hash, 7, [audit(1, Action::View)]));
}

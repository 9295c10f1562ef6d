//! The two storages, side by side.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Arguments, Debug};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use seatport::storage::{
    Committed, Expect, Fence, NodeProfile, SessionCommit, Storage, StorageError, StorageErrorKind,
};
use seatport::{Cursors, NodeId, SessionId};
use seatport_testkit::storage::{Backend, Memory};

use super::made_up::{PLACES, session};
use super::reading::{ALL, EVER};
use super::reconcile;
use super::step::{Expecting, Fencing, LIVE, Planned, Step, Which, deleted_at};

/// What is wrong, in words.
pub(crate) type Wrong = String;

/// The same data in both storages, as long as they do the same.
pub(crate) struct Pair {
    backends: [Box<dyn Backend>; 2],
    memory: Arc<dyn Storage>,
    other: Arc<dyn Storage>,
    /// How many sessions were deleted in each place.
    deleted: [u64; PLACES],
    /// The fences that were handed out for the session in each place.
    fences: [Vec<Fence>; PLACES],
    seen: RefCell<Seen>,
}

/// What came up: events, refusals, corrections, by their names.
pub(crate) type Seen = BTreeSet<String>;

impl Pair {
    pub(crate) async fn new(other: impl Backend + 'static) -> Self {
        let mut backends: [Box<dyn Backend>; 2] = [Box::new(Memory::default()), Box::new(other)];
        let [memory, other] = opened(&mut backends).await;
        Self {
            backends,
            memory,
            other,
            deleted: Default::default(),
            fences: Default::default(),
            seen: RefCell::default(),
        }
    }

    /// Asks both, and answers what both answer.
    pub(crate) async fn ask<T: PartialEq + Debug>(
        &self,
        what: Arguments<'_>,
        call: impl AsyncFn(&dyn Storage) -> Result<T, StorageError>,
    ) -> Result<Result<T, StorageErrorKind>, Wrong> {
        let memory = call(&*self.memory).await.map_err(|error| error.kind());
        let other = call(&*self.other).await;
        let said = other.as_ref().err().map(|error| format!("{error:?}")).unwrap_or_default();
        let other = other.map_err(|error| error.kind());
        self.seen.borrow_mut().extend(memory.as_ref().err().map(name));
        if memory == other { Ok(memory) } else { Err(format!("{what}\n{}{said}", difference(&memory, &other))) }
    }

    /// Reads from both, and answers what both answer; a read must not fail.
    pub(crate) async fn read<T: PartialEq + Debug>(
        &self,
        what: Arguments<'_>,
        call: impl AsyncFn(&dyn Storage) -> Result<T, StorageError>,
    ) -> Result<T, Wrong> {
        let described = what.to_string();
        self.ask(what, call).await?.map_err(|kind| format!("{described}: both fail: {kind:?}"))
    }

    /// The session in this place, or the one that was there before it.
    pub(crate) fn session(&self, which: Which) -> SessionId {
        let number = self.deleted[which.place];
        session(which.place, if which.gone { number.saturating_sub(1) } else { number })
    }

    /// The sessions that are there, and those that were there last.
    pub(crate) fn sessions(&self) -> Vec<SessionId> {
        let all = (0..PLACES).flat_map(|place| [false, true].map(|gone| self.session(Which { place, gone })));
        let mut all: Vec<SessionId> = all.collect();
        all.dedup();
        all
    }

    /// Counts anew what each holds, the leads among it: of each person and session there is one, new or a duplicate.
    pub(crate) async fn reconcile(&self) -> Result<(), Wrong> {
        for storage in [&self.memory, &self.other] {
            if let Some(wrong) = reconcile::disagreements(&**storage).await.first() {
                return Err(format!("{wrong}: {storage:?}"));
            }
        }
        Ok(())
    }

    /// What has come up so far.
    pub(crate) async fn seen(&self) -> Result<Seen, Wrong> {
        let mut seen = self.seen.borrow().clone();
        for session in self.sessions() {
            let events = self.read(format_args!("events"), async |s| s.events(session, 0, ALL).await).await?;
            seen.extend(events.iter().map(|event| name(&event.body)));
        }
        let (from, until) = EVER;
        let corrections = async |s: &dyn Storage| s.lead_adjustments(from, until).await;
        let corrections = self.read(format_args!("corrections"), corrections).await?;
        seen.extend(corrections.iter().map(|correction| name(&correction.reason)));
        Ok(seen)
    }

    async fn revision(&self, session: SessionId) -> u64 {
        self.memory.session(session).await.unwrap().map_or(0, |stored| stored.revision)
    }

    fn fence(&self, which: Which, fencing: Fencing) -> Option<Fence> {
        match fencing {
            Fencing::None => None,
            Fencing::Last => self.fences[which.place].last().copied(),
            Fencing::First => self.fences[which.place].first().copied(),
        }
    }

    async fn commit(&self, planned: &Planned) -> SessionCommit {
        let mut commit = (*planned.writes.0).clone();
        commit.session = self.session(planned.which);
        if let Some(record) = &mut commit.record {
            record.id = commit.session;
        }
        commit.fence = self.fence(planned.which, planned.fencing);
        commit.expect = match planned.expecting {
            Expecting::New => Expect::New,
            Expecting::Present => Expect::Present,
            Expecting::TheRevision => Expect::Revision(self.revision(commit.session).await),
            Expecting::AnotherRevision => Expect::Revision(self.revision(commit.session).await + 1),
        };
        commit
    }

    /// Does the step in both.
    pub(crate) async fn step(&mut self, step: &Step) -> Result<(), Wrong> {
        let what = format_args!("what it answers");
        match step {
            Step::Commits(all) => {
                let mut commits = Vec::new();
                for planned in all {
                    commits.push(self.commit(planned).await);
                }
                let answers = self.ask(what, async |storage| Ok(at_once(storage, &commits).await)).await?;
                self.seen
                    .borrow_mut()
                    .extend(answers.iter().flatten().filter_map(|answer| answer.as_ref().err().map(name)));
            }
            Step::Delete(which, expecting, deletion, at) => {
                let session = self.session(*which);
                let wrong = u64::from(matches!(expecting, Expecting::AnotherRevision));
                let revision = self.revision(session).await + wrong;
                let delete =
                    async |storage: &dyn Storage| storage.delete(session, revision, *deletion, deleted_at(*at)).await;
                if self.ask(what, delete).await?.is_ok() {
                    self.deleted[which.place] += 1;
                    self.fences[which.place].clear();
                }
            }
            Step::Join(node) => _ = self.ask(what, async |storage| storage.join(&profile(*node), LIVE).await).await?,
            Step::Leave(node) => _ = self.ask(what, async |storage| storage.leave(*node).await).await?,
            Step::Claim(which, node) => {
                let session = self.session(*which);
                let fence = self.ask(what, async |storage| storage.claim(session, *node).await).await?;
                if !which.gone {
                    self.fences[which.place].extend(fence.ok().flatten());
                }
            }
            Step::Release(which) => {
                let session = self.session(*which);
                if let Some(fence) = self.fence(*which, Fencing::Last) {
                    _ = self.ask(what, async |storage| storage.release(session, fence).await).await?;
                }
            }
            Step::WriteVault(which, fencing, writes) => {
                let session = self.session(*which);
                if let Some(fence) = self.fence(*which, *fencing) {
                    let write = async |storage: &dyn Storage| storage.vault_write(session, fence, writes.clone()).await;
                    _ = self.ask(what, write).await?;
                }
            }
            Step::Trim(which, keep, now, limit) => {
                let session = self.session(*which);
                _ = self.ask(what, async |storage| storage.trim_events(session, keep, *now, *limit).await).await?;
            }
            Step::Register(name) => _ = self.ask(what, async |storage| storage.register_consumer(name).await).await?,
            Step::Remove(name) => _ = self.ask(what, async |storage| storage.remove_consumer(name).await).await?,
            Step::Acknowledge(name, handled) => {
                let handled = Cursors(handled.iter().map(|(which, seq)| (self.session(*which), *seq)).collect());
                _ = self.ask(what, async |storage| storage.acknowledge(name, &handled).await).await?;
            }
            Step::PutAgent(agent) => _ = self.ask(what, async |storage| storage.put_agent(agent.clone()).await).await?,
            Step::RemoveAgent(id) => _ = self.ask(what, async |storage| storage.remove_agent(id).await).await?,
            Step::Resize(range) => _ = self.ask(what, async |storage| storage.resize_ports(*range).await).await?,
            Step::ReplaceLedgerKey(old, sealed) => {
                let replace = async |storage: &dyn Storage| storage.replace_ledger_key(old.as_deref(), sealed).await;
                _ = self.ask(what, replace).await?;
            }
            Step::Record(entry) => _ = self.ask(what, async |storage| storage.record(entry.clone()).await).await?,
            Step::Reopen => [self.memory, self.other] = opened(&mut self.backends).await,
        }
        Ok(())
    }
}

/// The first word of what something looks like.
fn name(thing: &impl Debug) -> String {
    format!("{thing:?}").split([' ', '(']).next().unwrap_or_default().to_owned()
}

/// Asks for all commits before the first is answered, so that a database lands some of them in one transaction.
async fn at_once(storage: &dyn Storage, commits: &[SessionCommit]) -> Vec<Result<Committed, StorageErrorKind>> {
    let mut asked: Vec<_> = commits.iter().map(|commit| storage.commit(commit.clone())).collect();
    let mut answers: Vec<Option<_>> = asked.iter().map(|_| None).collect();
    let all = poll_fn(|context| {
        for (future, answer) in asked.iter_mut().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
            if let Poll::Ready(committed) = future.as_mut().poll(context) {
                *answer = Some(committed.map_err(|error| error.kind()));
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    });
    all.await;
    answers.into_iter().flatten().collect()
}

async fn opened([memory, other]: &mut [Box<dyn Backend>; 2]) -> [Arc<dyn Storage>; 2] {
    [memory.open().await, other.open().await]
}

/// The lines in which the two differ, and a few around them.
fn difference<T: Debug>(memory: &T, other: &T) -> String {
    let (memory, other) = (format!("{memory:#?}"), format!("{other:#?}"));
    let (memory, other): (Vec<&str>, Vec<&str>) = (memory.lines().collect(), other.lines().collect());
    let same = memory.iter().zip(&other).take_while(|(one, other)| one == other).count().saturating_sub(8);
    let shown = |lines: &[&str]| lines.iter().skip(same).take(40).copied().collect::<Vec<_>>().join("\n");
    format!("-- memory:\n{}\n-- the other one:\n{}\n", shown(&memory), shown(&other))
}

/// What a node says of itself when it joins.
fn profile(id: NodeId) -> NodeProfile {
    NodeProfile { id, labels: BTreeMap::new(), capacity: u32::MAX }
}

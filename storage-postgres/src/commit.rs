//! Landing a batch of [`SessionCommit`]s in one transaction: lock and load, decide in memory, store.

use std::collections::{BTreeSet, HashSet};

use seatport::lifecycle::{Desired, PortChange};
use seatport::storage::{Change, Committed, Expect, SessionCommit, StorageError, StorageErrorKind};
use seatport::{AuditEntry, NodeId, SendKey, SessionId};
use tokio::time::timeout;

use crate::codes::{Id, Text};
use crate::conversation::{Working, identify};
use crate::core::Core;
use crate::error::Failure;
use crate::head::{Head, Heads};
use crate::ledger::{self, Telling, Told};
use crate::port::Ports;
use crate::sql::{Connection, all, prepare};
use crate::statements::Statements;
use crate::transaction::Transaction;
use crate::vault::{self, Writes};
use crate::{audit, head, lease, port};

/// The idempotency keys, of those given, that were used.
const KEYS: &str = "SELECT s.id, k.key
     FROM unnest($1::uuid[], $2::text[]) AS u(id, key)
     JOIN session AS s ON s.id = u.id
     JOIN send_key AS k ON k.session = s.key AND k.key = u.key";

/// Numbers for new sessions.
const NUMBERS: &str = "SELECT nextval('session_key_seq') FROM generate_series(1, $1)";

/// What each commit of a batch came to.
type Outcomes = Vec<Result<Committed, StorageError>>;

/// Lands a batch. A commit that is refused leaves nothing behind; an error means that none of them landed.
pub(crate) async fn land(core: &Core, commits: &[&SessionCommit]) -> Result<Outcomes, Failure> {
    let transaction = Transaction::on(core, &core.writers).await?;
    let tx = transaction.tx()?;
    let landed = async {
        let mut batch = Batch::load(&transaction, &tx, commits).await?;
        let mut outcomes = Vec::with_capacity(commits.len());
        for commit in commits {
            outcomes.push(match batch.admit(commit) {
                Ok(()) => Ok(batch.apply(&tx, commit).await?),
                Err(refused) => Err(refused.into()),
            });
        }
        let last = batch.store(&tx).await?;
        Ok((outcomes, batch.changes, last))
    };
    let Ok(landed) = timeout(core.limit(), landed).await else { return Err(Failure::Away) };
    match landed {
        Ok((outcomes, changes, _)) if changes.is_empty() => {
            drop(tx);
            transaction.roll_back().await;
            Ok(outcomes)
        }
        Ok((outcomes, changes, last)) => {
            drop(tx);
            transaction.commit(last).await?;
            core.hints.announce(&changes);
            Ok(outcomes)
        }
        Err(failure) => {
            drop(tx);
            transaction.roll_back().await;
            Err(failure)
        }
    }
}

/// What a batch has read, and what it is going to write.
struct Batch<'c> {
    heads: Heads,
    live: HashSet<NodeId>,
    /// Idempotency keys that were used before the batch.
    used: HashSet<(SessionId, SendKey)>,
    /// Numbers for new sessions.
    numbers: Vec<i64>,
    /// Who holds which port, if somebody claims one.
    ports: Option<Ports>,
    /// None while identities come first.
    working: Option<Working>,
    vault: Vec<Writes<'c>>,
    told: Vec<Told>,
    audit: Vec<&'c AuditEntry>,
    changes: Vec<Change>,
}

impl<'c> Batch<'c> {
    /// Begins the transaction, and locks and loads what the commits may need, in one round trip.
    async fn load(
        transaction: &Transaction<'_>,
        tx: &Connection,
        commits: &[&'c SessionCommit],
    ) -> Result<Self, Failure> {
        let sessions: BTreeSet<_> = commits.iter().map(|commit| commit.session).collect();
        let sessions: Vec<_> = sessions.into_iter().map(Id).collect();
        let new = commits.iter().filter(|commit| commit.expect == Expect::New).count();
        let new = i32::try_from(new).unwrap_or(i32::MAX);
        let fenced = commits.iter().any(|commit| commit.fence.is_some());
        let claims = commits.iter().any(|commit| commit.port == PortChange::Claim);
        let alone = commits.iter().any(|commit| !commit.identities.is_empty());
        let keys: Vec<_> = commits.iter().flat_map(|commit| keys(commit)).collect();

        // So that the statements run in the order in which they are polled.
        prepare(tx, &[head::LOCK]).await?;
        if claims {
            prepare(tx, &[port::LOCK, port::OCCUPIED]).await?;
        }
        let ((), (), heads, live, used, numbers, ports, working) = tokio::try_join!(
            biased;
            transaction.begin("BEGIN"),
            transaction.mark(),
            Heads::lock(tx, &sessions),
            maybe(fenced.then(|| lease::live(tx))),
            maybe((!keys.is_empty()).then(|| used(tx, &keys))),
            maybe((new > 0).then(|| numbers(tx, new))),
            maybe(claims.then(|| Ports::lock(tx))),
            maybe((!alone).then(|| Working::load(tx, commits))),
        )?;
        Ok(Self {
            heads,
            live: live.unwrap_or_default(),
            used: used.unwrap_or_default(),
            numbers: numbers.unwrap_or_default(),
            ports,
            working,
            vault: Vec::new(),
            told: Vec::new(),
            audit: Vec::new(),
            changes: Vec::new(),
        })
    }

    /// Everything that may refuse a commit.
    fn admit(&mut self, commit: &SessionCommit) -> Result<(), StorageErrorKind> {
        let head = self.heads.get(commit.session);
        match (commit.expect, head) {
            (Expect::New, Some(_)) => return Err(StorageErrorKind::Exists),
            (Expect::New, None) if commit.record.is_some() => {}
            (_, None) => return Err(StorageErrorKind::NotFound),
            (Expect::Revision(expected), Some(head)) if head.revision != expected => {
                return Err(StorageErrorKind::Stale);
            }
            (Expect::Revision(_) | Expect::Present, Some(_)) => {}
        }
        if let Some(fence) = commit.fence {
            let owner = head.and_then(|head| head.owner).filter(|owner| self.live.contains(&owner.node));
            if owner != Some(fence) {
                return Err(StorageErrorKind::Fenced);
            }
        }
        let mut own = HashSet::new();
        for key in keys(commit) {
            let in_batch = self.working.as_ref().is_some_and(|working| working.has_used(key.0, &key.1));
            if in_batch || self.used.contains(&key) || !own.insert(key) {
                return Err(StorageErrorKind::Exists);
            }
        }
        let held = head.and_then(|head| head.counters.port);
        if commit.port == PortChange::Claim && held.is_none() {
            let ports = self.ports.as_ref().ok_or(StorageErrorKind::Other)?;
            ports.lowest_free()?;
        }
        Ok(())
    }

    /// Does what a commit asks for that was admitted.
    async fn apply(&mut self, tx: &Connection, commit: &'c SessionCommit) -> Result<Committed, Failure> {
        let is_new = self.heads.get(commit.session).is_none();
        if is_new {
            // There is a number for each commit that expects none to be there.
            let key = self.numbers.pop().ok_or(StorageErrorKind::Other)?;
            self.heads.add(commit.session, key);
        }
        let head = self.heads.get_mut(commit.session).ok_or(StorageErrorKind::NotFound)?;
        head.changed = true;
        head.asked |= commit.fence.is_none();
        if let Some(record) = &commit.record {
            head.revision += 1;
            head.first_login = record.first_login_at;
            head.record = Some(record.clone());
            self.told.push(Told {
                session: head.id,
                first_login: head.first_login,
                at: commit.at,
                telling: Telling::Shift {
                    agent: record.agent.clone(),
                    running: record.facts.desired == Desired::Started,
                },
            });
        }
        match (commit.port, head.counters.port, &mut self.ports) {
            (PortChange::Claim, None, Some(ports)) => head.counters.port = Some(ports.claim()?),
            (PortChange::Release, Some(held), ports) => {
                if let Some(ports) = ports {
                    ports.release(held);
                }
                head.counters.port = None;
                self.changes.push(Change::Ports);
            }
            _ => {}
        }
        if commit.forget_credentials || !commit.vault.is_empty() {
            self.vault.push(Writes {
                session: head.key,
                forget_credentials: commit.forget_credentials,
                writes: &commit.vault,
            });
        }

        if !commit.identities.is_empty() {
            // They are in SQL, and such a commit is alone: what it may need is loaded when that is done.
            for identity in &commit.identities {
                identify(tx, head, commit.at, identity, &mut self.told).await?;
            }
            self.working = Some(Working::load(tx, &[commit]).await?);
        }
        self.working.as_mut().ok_or(StorageErrorKind::Other)?.apply(head, commit, &mut self.told)?;
        for body in &commit.events {
            head.add_event(commit.at, body.clone());
        }

        self.audit.extend(&commit.audit);
        self.changes.push(Change::Session { session: commit.session, by_owner: commit.fence.is_some() });
        Ok(committed(head))
    }

    /// Writes all of it, but for the statements that it answers.
    async fn store(&mut self, tx: &Connection) -> Result<Statements, Failure> {
        if self.changes.is_empty() {
            return Ok(Statements::default());
        }
        let working = self.working.take().unwrap_or_default();
        // The ledger first: its answers are here while the server is still busy with the rest.
        let (mut last, ..) = tokio::try_join!(
            biased;
            ledger::tell(tx, &self.told),
            self.heads.store(tx),
            working.store(tx),
            vault::apply(tx, &self.vault),
        )?;
        // Its lock comes last: it is held until the transaction is durable.
        if !self.audit.is_empty() {
            std::mem::take(&mut last).run(tx).await?;
            audit::add(tx, &self.audit).await?;
        }
        Ok(last)
    }
}

fn committed(head: &Head) -> Committed {
    let counters = head.counters;
    Committed { revision: head.revision, port: counters.port, last_event: counters.last_event, unread: counters.unread }
}

/// The idempotency keys that a commit uses.
fn keys(commit: &SessionCommit) -> impl Iterator<Item = (SessionId, SendKey)> {
    commit.messages.iter().filter_map(|incoming| Some((commit.session, incoming.key.clone()?)))
}

async fn used(tx: &Connection, keys: &[(SessionId, SendKey)]) -> Result<HashSet<(SessionId, SendKey)>, Failure> {
    let (ids, words): (Vec<_>, Vec<_>) = keys.iter().map(|(session, key)| (Id(*session), key.as_str())).unzip();
    let found = all(tx, KEYS, &[&ids, &words], |row| {
        let (Id(session), Text(key)) = (row.try_get(0)?, row.try_get(1)?);
        Ok((session, key))
    })
    .await?;
    Ok(found.into_iter().collect())
}

/// Numbers for so many sessions, the lowest last.
async fn numbers(tx: &Connection, count: i32) -> Result<Vec<i64>, Failure> {
    let mut numbers: Vec<i64> = all(tx, NUMBERS, &[&count], |row| Ok(row.try_get(0)?)).await?;
    numbers.sort_unstable_by(|one, other| other.cmp(one));
    Ok(numbers)
}

async fn maybe<T>(work: Option<impl Future<Output = Result<T, Failure>>>) -> Result<Option<T>, Failure> {
    match work {
        Some(work) => work.await.map(Some),
        None => Ok(None),
    }
}

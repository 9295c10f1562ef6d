//! Other writes that do something else than they should.

use std::time::Duration;

use seatport::lifecycle::{Facts, PortChange};
use seatport::storage::{
    Expect, NodeProfile, NodeReport, SessionCommit, Storage, StorageError, StorageErrorKind, VaultEntry,
};
use seatport::{Page, Timestamp};
use seatport_testkit::storage::{Answer, Call};

use crate::Defect;
use crate::broken::{Broken, row};

const NOW: Timestamp = Timestamp::from_millis(0);

impl Broken {
    pub(crate) async fn write(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        match (self.defect, call) {
            (Defect::DeletesWhatRuns, Call::Delete(id, revision, deletion, audit)) => {
                let mut row = row(storage, id).await?;
                row.record.facts = Facts::default();
                let stop = SessionCommit::new(id, NOW, Expect::Revision(revision));
                storage.commit(SessionCommit { record: Some(row.record), ..stop }).await?;
                Call::Delete(id, revision + 1, deletion, audit).send(storage).await
            }
            (Defect::LeavesMessagesOfDeleted, Call::Delete(id, revision, deletion, audit)) => {
                for chat in storage.chats(id, Page::first(100)).await? {
                    let messages = storage.messages(id, &chat.address, Page::first(100)).await?;
                    self.deleted.lock().insert((id, chat.address), messages);
                }
                Call::Delete(id, revision, deletion, audit).send(storage).await
            }
            (Defect::NeverLowersTheCapacity, Call::ResizePorts(range)) => {
                let now = storage.port_usage().await?.range;
                let range = if range.capacity() < now.capacity() { now } else { range };
                Call::ResizePorts(range).send(storage).await
            }
            (Defect::TakesPortsOutsideTheRange, Call::ResizePorts(range)) => {
                for held in storage.port_usage().await?.occupied {
                    if !(range.first()..=range.last()).contains(&held.port) {
                        let release = SessionCommit::new(held.session, NOW, Expect::Present);
                        storage.commit(SessionCommit { port: PortChange::Release, ..release }).await?;
                    }
                }
                Call::ResizePorts(range).send(storage).await
            }
            (Defect::RenewsNothing, Call::Renew(..)) => Ok(Answer::Done(())),
            (Defect::ForgetsReports, Call::Renew(node, ttl, _)) => {
                let report = NodeReport { sessions: 0, accepting: true };
                Call::Renew(node, ttl, report).send(storage).await
            }
            (Defect::ReportsForEverybody, Call::Renew(_, ttl, report)) => {
                for node in storage.nodes().await? {
                    storage.renew(node.profile.id, ttl, report).await?;
                }
                Ok(Answer::Done(()))
            }
            (Defect::RemembersReports, Call::Join(profile, ttl)) => {
                let before = storage.nodes().await?.into_iter().find(|node| node.profile.id == profile.id);
                storage.join(profile, ttl).await?;
                match before {
                    Some(before) => Call::Renew(profile.id, ttl, before.report).send(storage).await,
                    None => Ok(Answer::Done(())),
                }
            }
            (Defect::LetsAnybodyClaim, Call::Claim(session, node)) => match storage.claim(session, node).await {
                Err(error) if error.kind() == StorageErrorKind::Fenced => {
                    storage
                        .join(
                            &NodeProfile { id: node, labels: Default::default(), capacity: 9 },
                            Duration::from_secs(60),
                        )
                        .await?;
                    Call::Claim(session, node).send(storage).await
                }
                other => other.map(Answer::Claimed),
            },
            (Defect::LetsNoLeaseRunOut, Call::Join(node, ttl)) => Call::Join(node, 1000 * ttl).send(storage).await,
            (Defect::KeepsTheEpoch, Call::Claim(session, node)) => match row(storage, session).await?.owner {
                Some(owner) if owner.node == node => Ok(Answer::Claimed(Some(owner))),
                _ => Call::Claim(session, node).send(storage).await,
            },
            (Defect::StealsSessions, Call::Claim(session, node)) => {
                if let Some(owner) = row(storage, session).await?.owner {
                    storage.release(session, owner).await?;
                }
                Call::Claim(session, node).send(storage).await
            }
            (Defect::KeepsWhatWasLeft, Call::Leave(_)) => Ok(Answer::Done(())),
            (Defect::ReleasesForAnybody, Call::Release(session, fence)) => {
                let owner = storage.session(session).await?.and_then(|row| row.owner);
                Call::Release(session, owner.unwrap_or(fence)).send(storage).await
            }
            (Defect::RemovesBoundAgents, Call::RemoveAgent(id)) => match storage.remove_agent(id).await {
                Err(error) if matches!(error.kind(), StorageErrorKind::AgentBound { .. }) => Ok(Answer::Done(())),
                other => other.map(Answer::Done),
            },
            (Defect::WritesVaultUnfenced, Call::VaultWrite(session, _, vault)) => {
                let write = SessionCommit::new(session, NOW, Expect::Present);
                storage.commit(SessionCommit { vault, ..write }).await?;
                Ok(Answer::Done(()))
            }
            (Defect::ReplacesWhatChanged, Call::VaultReplace(old, sealed)) => {
                match storage.vault_get(old.session, &old.name).await? {
                    Some(now) => {
                        Call::VaultReplace(&VaultEntry { sealed: now, ..old.clone() }, sealed).send(storage).await
                    }
                    None => Ok(Answer::Replaced(false)),
                }
            }
            (Defect::LosesTheKeyCheck, Call::SetKeyCheck(sealed)) => {
                *self.key_check.lock() = Some(sealed);
                Ok(Answer::Done(()))
            }
            (Defect::LosesRefusedAttempts, Call::Record(_)) | (Defect::StaysOpen, Call::Close) => Ok(Answer::Done(())),
            (_, call) => self.write_queue(storage, call).await,
        }
    }
}

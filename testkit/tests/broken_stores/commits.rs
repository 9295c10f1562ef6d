//! Commits that do something else than they should.

use std::collections::BTreeSet;

use seatport::conversation::Content;
use seatport::lifecycle::PortChange;
use seatport::storage::{Expect, SessionCommit, Storage, StorageError, StorageErrorKind, VaultWrite};
use seatport::{MessageId, Page, SessionId};
use seatport_testkit::storage::Answer;

use crate::Defect;
use crate::broken::Broken;

fn without_keys(commit: &SessionCommit) -> SessionCommit {
    let mut commit = commit.clone();
    commit.messages.iter_mut().for_each(|incoming| incoming.key = None);
    commit
}

impl Broken {
    pub(crate) async fn commit(&self, storage: &dyn Storage, commit: SessionCommit) -> Result<Answer, StorageError> {
        let (session, refused) = (commit.session, commit.clone());
        let waiting = self.defect == Defect::KeepsPortsForWhoWaits && !storage.port_queue().await?.is_empty();
        if waiting && commit.port == PortChange::Claim {
            return Err(StorageErrorKind::PoolFull { capacity: 1, occupied: 0 }.into());
        }
        let commit = self.change(storage, commit).await?;
        let without_keys = without_keys(&commit);
        let committed = match storage.commit(commit).await {
            Err(error) if self.defect == Defect::StoresUnderAUsedKey && error.kind() == StorageErrorKind::Exists => {
                storage.commit(without_keys).await
            }
            other => other,
        };
        match committed {
            Ok(mut committed) => {
                committed.port = committed.port.map(|port| self.port(port));
                self.remember(&refused);
                self.statuses.lock().extend(refused.updates.into_iter().map(|update| (update.id, update.status)));
                Ok(committed.into())
            }
            Err(error) => {
                self.leave_something(storage, session, &refused).await?;
                match self.defect {
                    Defect::ChecksTheFenceFirst if refused.fence.is_some() => Err(StorageErrorKind::Fenced.into()),
                    _ => Err(error),
                }
            }
        }
    }

    /// What is committed instead.
    async fn change(&self, storage: &dyn Storage, mut commit: SessionCommit) -> Result<SessionCommit, StorageError> {
        let session = commit.session;
        match self.defect {
            Defect::AddsTwice if storage.session(session).await?.is_some() => commit.expect = Expect::Present,
            Defect::IgnoresRevisions if matches!(commit.expect, Expect::Revision(_)) => commit.expect = Expect::Present,
            Defect::RaisesEveryRevision if commit.record.is_none() => {
                commit.record = storage.session(session).await?.map(|row| row.record);
            }
            Defect::IgnoresFences => commit.fence = None,
            Defect::ForgetsReleases if commit.port == PortChange::Release => commit.port = PortChange::Keep,
            Defect::MovesHeldPorts if commit.port == PortChange::Claim && commit.expect == Expect::Present => {
                let release = SessionCommit::new(session, commit.at, Expect::Present);
                storage.commit(SessionCommit { port: PortChange::Release, ..release }).await?;
            }
            Defect::KeepsCredentials => commit.forget_credentials = false,
            Defect::ForgetsEverythingSealed if commit.forget_credentials => {
                let all = storage.vault_list(session, "").await?;
                let forget = all.into_iter().map(|entry| VaultWrite { name: entry.name, sealed: None });
                commit.vault = forget.chain(commit.vault).collect();
            }
            Defect::WritesVaultBackwards => commit.vault.reverse(),
            Defect::MixesChats => {
                for chat in storage.chats(session, Page::first(100)).await? {
                    let known = storage.messages(session, &chat.address, Page::first(100)).await?;
                    commit.messages.retain(|new| known.iter().all(|old| old.message.id != new.message.id));
                }
                let mut seen = BTreeSet::new();
                commit.messages.retain(|new| seen.insert(new.message.id.clone()));
            }
            Defect::EndsTextAtZero => {
                for incoming in &mut commit.messages {
                    if let Content::Text(text) = &mut incoming.message.content {
                        text.truncate(text.find('\0').unwrap_or(text.len()));
                    }
                }
            }
            Defect::ForgetsNames => commit.messages.iter_mut().for_each(|incoming| incoming.sender_name = None),
            Defect::SkipsStatuses => commit.updates = commit.updates.pop().into_iter().collect(),
            Defect::StoresDuplicates => {
                for incoming in &mut commit.messages {
                    let message = &mut incoming.message;
                    if storage.message(session, &message.chat, &message.id).await?.is_some() {
                        message.id = MessageId::new(format!("{} again", message.id)).expect("a valid id");
                    }
                }
            }
            Defect::FillsNothingIn => {
                let mut new = Vec::new();
                for incoming in commit.messages {
                    if storage.message(session, &incoming.message.chat, &incoming.message.id).await?.is_none() {
                        new.push(incoming);
                    }
                }
                commit.messages = new;
            }
            Defect::IgnoresWhereAMarkEnds => commit.read.iter_mut().for_each(|mark| mark.up_to = None),
            Defect::ReordersEvents => commit.events.reverse(),
            Defect::MistakesWhoWrote => {
                commit.fence = commit.fence.or(storage.session(session).await?.and_then(|row| row.owner));
            }
            _ => self.change_conversations(storage, &mut commit).await?,
        }
        Ok(commit)
    }

    /// What a refused commit leaves behind.
    async fn leave_something(
        &self,
        storage: &dyn Storage,
        session: SessionId,
        refused: &SessionCommit,
    ) -> Result<(), StorageError> {
        match self.defect {
            Defect::LeavesAuditOfRefused => {
                for entry in refused.audit.clone() {
                    storage.record(entry).await?;
                }
            }
            Defect::LeavesMessagesOfRefused if storage.session(session).await?.is_some() => {
                let messages = refused.messages.clone();
                let half = SessionCommit::new(session, refused.at, Expect::Present);
                storage.commit(SessionCommit { messages, ..half }).await?;
            }
            _ => {}
        }
        Ok(())
    }
}

//! Commits that do something else to conversations and leads than they should.

use seatport::conversation::{Amendment, AmendmentChange, ChatKind, Content, Direction};
use seatport::lifecycle::Desired;
use seatport::storage::{Expect, Identity, ReadMark, SessionCommit, Storage, StorageError, StorageErrorKind};
use seatport::{Address, EventBody, MessageId, Page};

use crate::Defect;
use crate::broken::Broken;

impl Broken {
    /// Notes what later answers are wrong by.
    pub(crate) fn remember(&self, commit: &SessionCommit) {
        let failures = commit.updates.iter().filter_map(|update| Some((update.id.clone(), update.failure.clone()?)));
        self.failures.lock().extend(failures);
        let coverages =
            commit.chats.iter().filter_map(|news| Some((news.update.address.clone(), news.update.coverage?)));
        self.coverages.lock().extend(coverages);
        self.given_up.lock().extend(commit.identities.iter().map(|identity| identity.address.clone()));
        for incoming in &commit.messages {
            let chat = (commit.session, incoming.message.chat.clone());
            self.persons.lock().extend(incoming.person.map(|person| (chat, person)));
        }
        self.keys.lock().extend(commit.messages.iter().filter_map(|incoming| incoming.key.clone()));
    }

    /// Changes what a commit does to conversations.
    pub(crate) async fn change_conversations(
        &self,
        storage: &dyn Storage,
        commit: &mut SessionCommit,
    ) -> Result<(), StorageError> {
        match self.defect {
            Defect::ForgetsContactUpdates => commit.contacts.clear(),
            Defect::ForgetsSavedNames => commit.contacts.iter_mut().for_each(|contact| contact.saved_name = None),
            Defect::KeepsPictures => {
                let contacts = commit.contacts.iter_mut();
                contacts.for_each(|contact| contact.avatar = contact.avatar.take().filter(Option::is_some));
            }
            Defect::AnnouncesNewContacts => {
                for update in &commit.contacts {
                    if storage.contact(commit.session, &update.address).await?.is_none() {
                        commit.events.push(EventBody::ContactChanged { address: update.address.clone() });
                    }
                }
            }
            Defect::UnmutesNobody => {
                let chats = commit.chats.iter_mut();
                chats.for_each(|news| news.update.muted_until = news.update.muted_until.filter(Option::is_some));
            }
            Defect::AnnouncesEveryChat => {
                let chats = commit.chats.iter().map(|news| news.update.address.clone());
                commit.events.extend(chats.map(|chat| EventBody::ChatChanged { chat }));
            }
            Defect::TakesEveryChatForAPerson => {
                commit.messages.iter_mut().for_each(|incoming| incoming.kind = ChatKind::Person);
            }
            Defect::CountsHistoryAsUnread => {
                commit.messages.iter_mut().for_each(|incoming| incoming.historical = false);
            }
            Defect::ReadsWhatHistoryRepeats => {
                let messages = commit.messages.iter().filter(|incoming| incoming.historical);
                commit.read.extend(messages.map(|incoming| ReadMark {
                    chat: incoming.message.chat.clone(),
                    up_to: Some(incoming.message.id.clone()),
                    tell: false,
                }));
            }
            Defect::ForgetsKeys => commit.messages.iter_mut().for_each(|incoming| incoming.key = None),
            Defect::SharesKeys => {
                let used = self.keys.lock();
                if commit.messages.iter().any(|incoming| incoming.key.as_ref().is_some_and(|key| used.contains(key))) {
                    return Err(StorageErrorKind::Exists.into());
                }
            }
            Defect::ForgetsWhyItFailed => commit.updates.iter_mut().for_each(|update| update.failure = None),
            Defect::TellsNobody => commit.read.iter_mut().for_each(|mark| mark.tell = false),
            Defect::TellsEverything => commit.read.iter_mut().for_each(|mark| mark.tell = true),
            Defect::ForgetsWhatWasTold => commit.told.clear(),
            Defect::AnnouncesEveryMark => {
                let chats = commit.read.iter().map(|mark| mark.chat.clone());
                commit.events.extend(chats.map(|chat| EventBody::ChatRead { chat }));
            }
            Defect::ReadsByTime => {
                for mark in &mut commit.read {
                    let Some(id) = &mark.up_to else { continue };
                    let Some(target) = storage.message(commit.session, &mark.chat, id).await? else { continue };
                    let mut messages = storage.messages(commit.session, &mark.chat, Page::first(1000)).await?;
                    messages.retain(|message| message.message.at <= target.message.at);
                    mark.up_to = messages.into_iter().max_by_key(|message| message.seq).map(|last| last.message.id);
                }
            }
            _ => self.change_amendments(storage, commit).await?,
        }
        Ok(())
    }

    /// Changes what a commit does to messages that were sent, and to people.
    async fn change_amendments(&self, storage: &dyn Storage, commit: &mut SessionCommit) -> Result<(), StorageError> {
        match self.defect {
            Defect::ForgetsEdits => {
                commit.amendments.retain(|amendment| !matches!(amendment.change, AmendmentChange::Edit(_)));
            }
            Defect::IgnoresIdsOfAmendments => {
                let last = storage.session(commit.session).await?.map_or(0, |row| row.last_event);
                let id = MessageId::new(format!("~{last:06}")).expect("a valid id");
                commit.amendments.iter_mut().for_each(|amendment| amendment.id = id.clone());
            }
            Defect::DropsEarlyAmendments => {
                let mut known = Vec::new();
                for amendment in commit.amendments.drain(..) {
                    let stored = storage.message(commit.session, &amendment.chat, &amendment.target).await?;
                    let coming = commit.messages.iter().any(|incoming| incoming.message.id == amendment.target);
                    known.extend((coming || stored.is_some()).then_some(amendment));
                }
                commit.amendments = known;
            }
            Defect::AnnouncesEarlyAmendments => {
                for amendment in &commit.amendments {
                    let (chat, id) = (amendment.chat.clone(), amendment.target.clone());
                    if storage.message(commit.session, &chat, &id).await?.is_none() {
                        commit.events.push(EventBody::MessageAmended { chat, id });
                    }
                }
            }
            Defect::DeletesByEditing => {
                let deletions = commit.amendments.iter_mut().filter(|one| one.change == AmendmentChange::Delete);
                deletions.for_each(|one| one.change = AmendmentChange::Edit(Content::Deleted));
            }
            Defect::KeepsOneReactionInAll => {
                commit.amendments.iter_mut().for_each(|amendment| amendment.sender = amendment.chat.clone());
            }
            Defect::TakesNoReactionAway => {
                commit.amendments.retain(|amendment| amendment.change != AmendmentChange::React(None));
            }
            Defect::AppendsEdits => {
                for amendment in &mut commit.amendments {
                    let before = storage.message(commit.session, &amendment.chat, &amendment.target).await?;
                    if let (AmendmentChange::Edit(Content::Text(text)), Some(before)) = (&mut amendment.change, before)
                        && let Content::Text(before) = before.message.content
                    {
                        *text += &before;
                    }
                }
            }
            Defect::ForgetsIdentities => commit.identities.clear(),
            Defect::FollowsNobodyTwice => {
                let given_up = self.given_up.lock();
                commit.identities.retain(|identity| !given_up.contains(&identity.canonical));
            }
            Defect::StandsByTheFirstWord => {
                let given_up = self.given_up.lock();
                commit.identities.retain(|identity| !given_up.contains(&identity.address));
            }
            Defect::OpensTheOldChatAnew => {
                let given_up = self.given_up.lock();
                for incoming in commit.messages.iter_mut().filter(|new| given_up.contains(&new.message.chat)) {
                    let old = &incoming.message.chat;
                    incoming.message.chat = Address::new(format!("{old} again")).expect("a valid address");
                }
            }
            Defect::ReadsWhatIsMerged => {
                for identity in &commit.identities {
                    let read = [&identity.address, &identity.canonical].map(|chat| ReadMark {
                        chat: chat.clone(),
                        up_to: None,
                        tell: false,
                    });
                    let before = SessionCommit::new(commit.session, commit.at, Expect::Present);
                    storage.commit(SessionCommit { read: read.into(), ..before }).await?;
                }
            }
            Defect::LosesWhatOneCouldDecrypt => self.forget_twins(storage, commit).await?,
            Defect::AnnouncesEveryMerge => {
                commit.events.extend(commit.identities.iter().map(|identity| EventBody::IdentityMerged {
                    address: identity.address.clone(),
                    canonical: identity.canonical.clone(),
                }));
            }
            _ => self.change_leads(commit),
        }
        Ok(())
    }

    /// Of messages that two chats have which are to become one, only what the first one said is left.
    async fn forget_twins(&self, storage: &dyn Storage, commit: &SessionCommit) -> Result<(), StorageError> {
        let mut before = SessionCommit::new(commit.session, commit.at, Expect::Present);
        for Identity { address, canonical, .. } in &commit.identities {
            for one in storage.messages(commit.session, address, Page::first(1000)).await? {
                let other = storage.message(commit.session, canonical, &one.message.id).await?;
                if let Some(other) = other.filter(|other| other.message.content != one.message.content) {
                    let (first, second) = if one.seq < other.seq { (one, other) } else { (other, one) };
                    before.amendments.push(Amendment {
                        chat: second.message.chat,
                        target: second.message.id,
                        id: first.message.id,
                        sender: second.message.sender,
                        at: commit.at,
                        change: AmendmentChange::Edit(first.message.content),
                    });
                }
            }
        }
        storage.commit(before).await.map(|_| ())
    }

    /// Changes what the ledger is told.
    fn change_leads(&self, commit: &mut SessionCommit) {
        match self.defect {
            Defect::CountsNoLeads => commit.messages.iter_mut().for_each(|incoming| incoming.person = None),
            Defect::ForgetsOurMessages => {
                let ours = commit.messages.iter_mut();
                let ours = ours.filter(|incoming| incoming.message.direction == Direction::Outbound);
                ours.for_each(|incoming| incoming.person = None);
            }
            Defect::TellsOnlyOneKey => {
                let persons = self.persons.lock();
                for incoming in &mut commit.messages {
                    let known = persons.get(&(commit.session, incoming.message.chat.clone()));
                    incoming.person = incoming.person.filter(|person| known.is_none_or(|known| known == person));
                }
            }
            Defect::ForgetsWhoWasThere => {
                commit.chats.iter_mut().for_each(|news| news.update.active_at = None);
            }
            Defect::ForgetsTheFirstLogin => {
                commit.record.iter_mut().for_each(|record| record.first_login_at = None);
            }
            Defect::IgnoresStops => {
                commit.record.iter_mut().for_each(|record| record.facts.desired = Desired::Started);
            }
            Defect::IgnoresWhoIsWho => {
                commit.identities.iter_mut().for_each(|identity| identity.persons = None);
            }
            _ => {}
        }
    }
}

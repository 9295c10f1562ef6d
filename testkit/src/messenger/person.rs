//! People who write.

use std::sync::Arc;

use seatport::conversation::{AmendmentChange, ContactUpdate, Content, MessageStatus};
use seatport::{Address, MessageId, Timestamp};

use super::network::{Network, PersonState, digits};
use super::parcel::Parcel;
use super::talk::Words;

/// Somebody on the network who is no account of Seatport's: writes to accounts and groups, and reads what accounts send.
#[derive(Clone)]
pub struct Person {
    network: Arc<Network>,
    address: Address,
}

/// A message as a person got it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// The account it is from; in a group perhaps a person.
    pub from: Address,
    /// Its id.
    pub id: MessageId,
    /// What it says.
    pub content: Content,
    /// The message it answers.
    pub quoted: Option<MessageId>,
    /// When it came.
    pub at: Timestamp,
}

impl Received {
    /// What it says, if that is a text, and nothing otherwise.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.content {
            Content::Text(text) => text,
            _ => "",
        }
    }
}

impl Person {
    pub(super) fn new(network: Arc<Network>, address: Address) -> Self {
        Self { network, address }
    }

    /// Where the person is reached.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Writes a text to an account, or to a group. It waits there until a linked device acknowledges it; without a linked
    /// device it stays on the phone, and comes as history to one that is linked later.
    pub fn write(&self, to: &Address, text: impl Into<String>) -> MessageId {
        self.send(to, Content::Text(text.into()))
    }

    /// Like [`write`](Self::write), with any content.
    pub fn send(&self, to: &Address, content: Content) -> MessageId {
        self.say(to, content, None)
    }

    /// Like [`write`](Self::write), in answer to a message.
    pub fn reply(&self, to: &Address, quoted: &MessageId, text: impl Into<String>) -> MessageId {
        self.say(to, Content::Text(text.into()), Some(quoted.clone()))
    }

    fn say(&self, to: &Address, content: Content, quoted: Option<MessageId>) -> MessageId {
        let mut state = self.network.state();
        let words = state.words(content, quoted);
        state.carry(&self.address, to, &words);
        words.id
    }

    /// Says this under an id that was used before: as what could not be decrypted is sent once more.
    pub fn send_again(&self, to: &Address, id: &MessageId, content: Content) {
        self.network.state().carry(&self.address, to, &Words { id: id.clone(), content, quoted: None });
    }

    /// Changes what a message says that the person has sent.
    pub fn edit(&self, to: &Address, id: &MessageId, text: impl Into<String>) {
        self.amend(to, id, AmendmentChange::Edit(Content::Text(text.into())));
    }

    /// Takes a message back that the person has sent.
    pub fn delete(&self, to: &Address, id: &MessageId) {
        self.amend(to, id, AmendmentChange::Delete);
    }

    /// Puts an emoji under a message, or takes it away.
    pub fn react(&self, to: &Address, id: &MessageId, emoji: Option<&str>) {
        self.amend(to, id, AmendmentChange::React(emoji.map(ToOwned::to_owned)));
    }

    fn amend(&self, to: &Address, id: &MessageId, change: AmendmentChange) {
        self.network.state().amend(&self.address, to, id, change);
    }

    /// What the person got, in order. A message that was sent twice under one id is there once.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.network.state().people.get(&self.address).map(|person| person.received.clone()).unwrap_or_default()
    }

    /// Confirms to an account that its message is on the person's device.
    pub fn confirm(&self, to: &Address, id: &MessageId) {
        self.report(to, id, MessageStatus::Delivered);
    }

    /// Shows an account that the person has read its message.
    pub fn read(&self, to: &Address, id: &MessageId) {
        self.report(to, id, MessageStatus::Read);
    }

    fn report(&self, to: &Address, id: &MessageId, status: MessageStatus) {
        let report = |chat| Parcel::Status { chat, id: id.clone(), status };
        self.network.state().tell(&self.address, to, report);
    }

    /// Which of the person's messages the account has marked as read, in order, each once.
    #[must_use]
    pub fn seen_by(&self, account: &Address) -> Vec<MessageId> {
        let state = self.network.state();
        let seen = state.people.get(&self.address).into_iter().flat_map(|person| &person.seen);
        seen.filter(|(who, _)| who == account).map(|(_, id)| id.clone()).collect()
    }

    /// Calls itself something else from now on. The accounts it has written to hear of it.
    pub fn rename(&self, name: &str) {
        let update = ContactUpdate { name: Some(name.to_owned()), ..ContactUpdate::new(self.address.clone()) };
        self.change(update, |person| person.name = name.to_owned());
    }

    /// Shows this picture from now on, or none. The accounts it has written to hear of it.
    pub fn show(&self, avatar: Option<&str>) {
        let avatar = Some(avatar.map(ToOwned::to_owned));
        self.change(ContactUpdate { avatar, ..ContactUpdate::new(self.address.clone()) }, |_| {});
    }

    fn change(&self, update: ContactUpdate, change: impl FnOnce(&mut PersonState)) {
        let mut state = self.network.state();
        if let Some(person) = state.people.get_mut(&self.address) {
            change(person);
        }
        let acquainted = state.accounts.iter().filter(|(_, account)| account.memory.knows(&self.address));
        let acquainted: Vec<_> = acquainted.map(|(address, _)| address.clone()).collect();
        let news = Parcel::Contact(update);
        acquainted.iter().for_each(|account| state.deliver(account, &news));
    }

    /// The network tells an account the phone number behind this address, and tells it along with everything from now on.
    pub fn reveal_number(&self, to: &Address, number: &str) {
        let mut state = self.network.state();
        let phone = Some(digits(number));
        if let Some(person) = state.people.get_mut(&self.address) {
            person.phone.clone_from(&phone);
        }
        let (address, canonical) = (self.address.clone(), self.address.clone());
        state.deliver(to, &Parcel::Identity { address, canonical, phone });
    }

    /// The network tells an account that this address and that other one are the same person's, and that the other one counts
    /// from now on. Both go on working.
    pub fn is_also(&self, to: &Address, canonical: &Self) {
        let mut state = self.network.state();
        let phone = state.people.get(&canonical.address).and_then(|person| person.phone.clone());
        let (address, canonical) = (self.address.clone(), canonical.address.clone());
        state.deliver(to, &Parcel::Identity { address, canonical, phone });
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Person").field(&self.address).finish()
    }
}

//! What the owner of an account does on the phone itself. Linked sessions hear of it.

use seatport::conversation::{AmendmentChange, ChatUpdate, ContactUpdate, Content};
use seatport::{Address, MessageId, Timestamp};

use super::network::kind_of;
use super::parcel::Parcel;
use super::phone::Phone;

impl Phone {
    /// Writes a text to a person, an account or a group. Linked sessions see it as the account's own.
    pub fn write(&self, chat: &Address, text: &str) -> MessageId {
        self.say(chat, Content::Text(text.to_owned()), None)
    }

    /// Like [`write`](Self::write), with any content.
    pub fn send(&self, chat: &Address, content: Content) -> MessageId {
        self.say(chat, content, None)
    }

    /// Like [`write`](Self::write), in answer to a message.
    pub fn reply(&self, chat: &Address, quoted: &MessageId, text: &str) -> MessageId {
        self.say(chat, Content::Text(text.to_owned()), Some(quoted.clone()))
    }

    fn say(&self, chat: &Address, content: Content, quoted: Option<MessageId>) -> MessageId {
        let mut state = self.network.state();
        let words = state.words(content, quoted);
        let id = words.id.clone();
        let letter = state.own_letter(self.address(), chat, words.clone());
        // To an address that is nobody's it goes as on any phone: it stays there unanswered.
        state.carry(self.address(), chat, &words);
        state.deliver(self.address(), &Parcel::Messages(vec![letter]));
        id
    }

    /// Changes what a message says that the account has sent.
    pub fn edit(&self, chat: &Address, id: &MessageId, text: &str) {
        self.amend(chat, id, AmendmentChange::Edit(Content::Text(text.to_owned())));
    }

    /// Takes a message back that the account has sent.
    pub fn delete(&self, chat: &Address, id: &MessageId) {
        self.amend(chat, id, AmendmentChange::Delete);
    }

    /// Puts an emoji under a message, or takes it away.
    pub fn react(&self, chat: &Address, id: &MessageId, emoji: Option<&str>) {
        self.amend(chat, id, AmendmentChange::React(emoji.map(ToOwned::to_owned)));
    }

    fn amend(&self, chat: &Address, id: &MessageId, change: AmendmentChange) {
        self.network.state().amend(self.address(), chat, id, change);
    }

    /// Reads a chat up to its newest message.
    pub fn read(&self, chat: &Address) {
        let mut state = self.network.state();
        let up_to = state.accounts.get(self.address()).and_then(|account| account.memory.newest(chat));
        state.deliver(self.address(), &Parcel::Read { chat: chat.clone(), up_to });
    }

    /// Puts a chat aside, or takes it out again.
    pub fn archive(&self, chat: &Address, archived: bool) {
        self.update(chat, |update| update.archived = Some(archived));
    }

    /// Mutes a chat until a time, or lets it sound again.
    pub fn mute(&self, chat: &Address, until: Option<Timestamp>) {
        self.update(chat, |update| update.muted_until = Some(until));
    }

    fn update(&self, chat: &Address, change: impl FnOnce(&mut ChatUpdate)) {
        let mut state = self.network.state();
        let mut update = ChatUpdate::new(chat.clone(), kind_of(chat));
        change(&mut update);
        state.deliver(self.address(), &Parcel::Chat(update));
    }

    /// Writes somebody into the address book.
    pub fn save(&self, person: &Address, name: &str) {
        let update = ContactUpdate { saved_name: Some(name.to_owned()), ..ContactUpdate::new(person.clone()) };
        self.network.state().deliver(self.address(), &Parcel::Contact(update));
    }
}

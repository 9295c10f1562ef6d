//! Who hears what somebody says.

use seatport::conversation::{Amendment, AmendmentChange, ChatKind, Content};
use seatport::{Address, MessageId};
use tokio::time::Instant;

use super::journal::Sent;
use super::network::{State, id, kind_of};
use super::parcel::{Letter, Parcel};
use super::person::Received;
use super::settings::Conditions;
use super::wire::Answer;

/// What somebody says.
#[derive(Clone)]
pub(super) struct Words {
    pub(super) id: MessageId,
    pub(super) content: Content,
    pub(super) quoted: Option<MessageId>,
}

impl State {
    pub(super) fn message_id(&mut self) -> MessageId {
        let number = self.number();
        id(MessageId::new(format!("IN{number:010}")))
    }

    /// Something new to say.
    pub(super) fn words(&mut self, content: Content, quoted: Option<MessageId>) -> Words {
        Words { id: self.message_id(), content, quoted }
    }

    /// Puts something into the mailboxes of all devices of an account, and into its phone's memory. An account without devices
    /// has only its memory; an address that is none gets nothing.
    pub(super) fn deliver(&mut self, to: &Address, parcel: &Parcel) {
        let Some(account) = self.accounts.get_mut(to) else { return };
        let jitter = self.conditions.and(&account.conditions).jitter;
        account.memory.note(parcel);
        for device in account.devices.values_mut() {
            self.numbers += 1;
            device.keep(self.numbers, parcel.clone(), Instant::now() + self.random.up_to(jitter));
        }
        let live = account.live;
        self.wake(live);
    }

    /// In which chat what somebody says to an address is heard, and on which accounts.
    fn audience(&self, from: &Address, to: &Address) -> (Address, ChatKind, Vec<Address>) {
        match self.groups.get(to) {
            Some(group) => {
                let others = group.accounts.iter().filter(|account| *account != from);
                (to.clone(), kind_of(to), others.cloned().collect())
            }
            None => (from.clone(), ChatKind::Person, vec![to.clone()]),
        }
    }

    fn letter(&self, chat: &Address, kind: ChatKind, sender: &Address, words: Words) -> Letter {
        let name = self.people.get(sender).map(|person| person.name.clone());
        let account = || self.accounts.get(sender).and_then(|account| account.identity.name.clone());
        Letter {
            chat: chat.clone(),
            kind,
            phone: if kind == ChatKind::Person { self.number_of(chat) } else { None },
            id: words.id,
            sender: sender.clone(),
            sender_name: name.or_else(account),
            from_account: false,
            content: words.content,
            at: self.now(),
            quoted: words.quoted,
        }
    }

    /// The phone number that the network tells with this address.
    fn number_of(&self, address: &Address) -> Option<String> {
        let person = self.people.get(address).and_then(|person| person.phone.clone());
        person.or_else(|| self.accounts.get(address).and_then(|account| account.identity.phone.clone()))
    }

    /// The account's own message, as its devices see it.
    pub(super) fn own_letter(&self, account: &Address, to: &Address, words: Words) -> Letter {
        Letter { from_account: true, ..self.letter(to, kind_of(to), account, words) }
    }

    /// Carries what somebody says to whoever it is for, and answers whether there is such an address.
    pub(super) fn carry(&mut self, from: &Address, to: &Address, words: &Words) -> bool {
        let received = Received {
            from: from.clone(),
            id: words.id.clone(),
            content: words.content.clone(),
            quoted: words.quoted.clone(),
            at: self.now(),
        };
        if let Some(person) = self.people.get_mut(to) {
            person.received.push(received);
            return true;
        }
        if let Some(group) = self.groups.get_mut(to) {
            group.received.push(received);
        }
        let (chat, kind, accounts) = self.audience(from, to);
        let letter = Parcel::Messages(vec![self.letter(&chat, kind, from, words.clone())]);
        accounts.iter().for_each(|account| self.deliver(account, &letter));
        self.groups.contains_key(to) || self.accounts.contains_key(to)
    }

    /// Tells those who heard a message that it has changed. If an account has changed it, its own devices hear it too.
    pub(super) fn amend(&mut self, by: &Address, to: &Address, target: &MessageId, change: AmendmentChange) {
        let (chat, _, accounts) = self.audience(by, to);
        let (id, at) = (self.message_id(), self.now());
        let amendment = |chat| {
            Parcel::Amendments(vec![Amendment { chat, target: target.clone(), id, sender: by.clone(), at, change }])
        };
        let (heard, own) = (amendment.clone()(chat), amendment(to.clone()));
        accounts.iter().for_each(|account| self.deliver(account, &heard));
        self.deliver(by, &own);
    }

    /// Tells the accounts that hear somebody something about them.
    pub(super) fn tell(&mut self, from: &Address, to: &Address, parcel: impl FnOnce(Address) -> Parcel) {
        let (chat, _, accounts) = self.audience(from, to);
        let parcel = parcel(chat);
        accounts.iter().for_each(|account| self.deliver(account, &parcel));
    }

    /// Takes a message that came through a connection. The same id again is counted, and carried no second time. No answer: it
    /// is lost.
    pub(super) fn take(
        &mut self,
        from: &Address,
        to: Address,
        words: Words,
        conditions: &Conditions,
    ) -> Option<Answer> {
        if self.chance(conditions.put_off) {
            return Some(put_off());
        }
        if let Some(why) = &conditions.refusing {
            return Some(Answer::Refused(why.clone()));
        }
        let key = (from.clone(), to.clone(), words.id.clone());
        if let Some(sent) = self.sent.get(&key).and_then(|index| self.journal.sent.get_mut(*index)) {
            sent.times += 1;
        } else {
            if !self.carry(from, &to, &words) {
                return Some(Answer::Refused(format!("404: nobody has the address {to}")));
            }
            let letter = Parcel::Messages(vec![self.own_letter(from, &to, words.clone())]);
            if let Some(account) = self.accounts.get_mut(from) {
                account.memory.note(&letter);
            }
            self.sent.insert(key, self.journal.sent.len());
            let Words { id, content, .. } = words;
            self.journal.sent.push(Sent { from: from.clone(), to, id, content, at: self.now(), times: 1 });
        }
        (!self.chance(conditions.lost_answers)).then_some(Answer::Taken)
    }

    /// Shows people that an account has read their messages.
    pub(super) fn see(
        &mut self,
        account: &Address,
        messages: Vec<(MessageId, Address)>,
        conditions: &Conditions,
    ) -> Answer {
        if self.chance(conditions.put_off) {
            return put_off();
        }
        self.journal.receipts += 1;
        for (id, sender) in messages {
            let Some(person) = self.people.get_mut(&sender) else { continue };
            let seen = (account.clone(), id);
            if !person.seen.contains(&seen) {
                person.seen.push(seen);
            }
        }
        Answer::Taken
    }
}

fn put_off() -> Answer {
    Answer::Later("503: busy".to_owned())
}

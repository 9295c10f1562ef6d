//! What a connection brings, and how it comes into the storage: in parcels of a bounded size, in the order in which it came.

use std::cmp::Ordering;
use std::collections::{BTreeSet, VecDeque};

use tokio::time::Instant;

use super::storing::patiently;
use super::{Actor, Exit};
use crate::conversation::{
    Amendment, Author, ChatKind, ChatUpdate, ContactUpdate, Direction, History, Message, MessageStatus,
};
use crate::event::EventBody;
use crate::ids::{Address, TransportName};
use crate::leads::PersonKey;
use crate::lifecycle::Lifecycle;
use crate::runtime::people::People;
use crate::storage::{ChatNews, Identity, Incoming, PersonIs, SessionCommit};
use crate::transport::{Ack, InboundMessage, SamePerson};

/// What one commit holds at most: messages, changes, people, chats.
const PARCEL: usize = 500;
/// Messages that wait are stored together until there are so many.
const TOGETHER: usize = 256;

/// What is stored in one commit, and what is acknowledged once it is durable.
#[derive(Debug)]
pub(crate) struct Parcel {
    commit: SessionCommit,
    acks: Vec<Ack>,
}

impl Actor {
    /// Whether something that came waits to be stored. A connection that is to close keeps nobody waiting by what it brought.
    pub(super) fn may_store(&self) -> bool {
        let overdue = self.deadline.is_some_and(|deadline| deadline <= Instant::now());
        let closing = matches!(self.stored.record.facts.lifecycle, Lifecycle::Stopping { .. });
        self.link.as_ref().is_some_and(|link| !link.backlog.is_empty()) && !(closing && overdue)
    }

    /// Whether to hear what the connection says next: once everything before it is stored.
    pub(super) fn may_listen(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.backlog.is_empty())
    }

    pub(super) async fn store_next(&mut self) -> Result<(), Exit> {
        let Some(mut parcel) = self.link.as_mut().and_then(|link| link.backlog.pop_front()) else { return Ok(()) };
        parcel.commit.at = self.node.now();
        self.commit(parcel.commit).await?;
        parcel.acks.into_iter().for_each(Ack::stored);
        self.heard(true);
        Ok(())
    }

    /// Messages, with those that wait behind them: one commit for all is cheaper, and nobody waits longer for it.
    pub(super) fn on_messages(&mut self, mut messages: Vec<InboundMessage>, ack: Ack) {
        let mut acks = vec![ack];
        while messages.len() < TOGETHER
            && let Some((more, ack)) = self.link.as_mut().and_then(|link| link.more_messages())
        {
            messages.extend(more);
            acks.push(ack);
        }
        self.take_in(Goods { messages, ..Goods::default() }, acks);
    }

    pub(super) fn on_amendments(&mut self, amendments: Vec<Amendment>, ack: Ack) {
        self.take_in(Goods { amendments, ..Goods::default() }, vec![ack]);
    }

    pub(super) fn on_history(&mut self, history: History, ack: Ack) {
        let History { mut messages, chats, contacts, progress } = history;
        // Those of one moment get their places in the order in which they were said.
        if is_newest_first(&messages) {
            messages.reverse();
        }
        let brought = u32::try_from(messages.len()).unwrap_or(u32::MAX);
        let received = Some(EventBody::HistoryReceived { messages: brought, progress });
        self.take_in(Goods { contacts, chats, messages, historical: true, received, ..Goods::default() }, vec![ack]);
    }

    pub(super) fn on_contacts(&mut self, contacts: Vec<ContactUpdate>) {
        self.take_in(Goods { contacts, ..Goods::default() }, Vec::new());
    }

    pub(super) fn on_chats(&mut self, chats: Vec<ChatUpdate>) {
        self.take_in(Goods { chats, ..Goods::default() }, Vec::new());
    }

    /// Who turned out to be whom. Where the network does not tell the phone number, it may have done so before.
    pub(super) async fn on_identities(&mut self, mut same: Vec<SamePerson>) -> Result<(), Exit> {
        for person in same.iter_mut().filter(|person| person.phone.is_none()) {
            person.phone = match self.known_phone(&person.canonical).await? {
                None => self.known_phone(&person.address).await?,
                known => known,
            };
        }
        self.take_in(Goods { same, ..Goods::default() }, Vec::new());
        Ok(())
    }

    async fn known_phone(&self, address: &Address) -> Result<Option<String>, Exit> {
        let (storage, session) = (&self.node.storage, self.stored.record.id);
        let contact = patiently(&self.node.random, || storage.contact(session, address)).await?;
        Ok(contact.and_then(|contact| contact.phone))
    }

    /// Packs what came, to be stored parcel by parcel; what is to be acknowledged is when the last one is stored.
    fn take_in(&mut self, goods: Goods, acks: Vec<Ack>) {
        let record = &self.stored.record;
        let packer = Packer { people: &self.node.people, transport: &record.transport };
        let mut parcels = packer.pack(goods, &self.conversation_commit());
        if parcels.is_empty() {
            acks.into_iter().for_each(Ack::stored);
            return;
        }
        if let Some(last) = parcels.back_mut() {
            last.acks = acks;
        }
        if let Some(link) = &mut self.link {
            link.backlog.append(&mut parcels);
        }
    }
}

/// What came in one go, in the order in which a commit stores it.
#[derive(Default)]
struct Goods {
    same: Vec<SamePerson>,
    contacts: Vec<ContactUpdate>,
    chats: Vec<ChatUpdate>,
    messages: Vec<InboundMessage>,
    historical: bool,
    amendments: Vec<Amendment>,
    received: Option<EventBody>,
}

/// Makes parcels of what came.
struct Packer<'a> {
    people: &'a People,
    transport: &'a TransportName,
}

impl Packer<'_> {
    fn pack(&self, goods: Goods, empty: &SessionCommit) -> VecDeque<Parcel> {
        let mut stack = Stack { empty, parcels: VecDeque::new(), room: 0 };
        for same in goods.same {
            let contact = same.phone.clone().map(|phone| (same.canonical.clone(), phone));
            let top = stack.top();
            top.identities.extend(self.identities(same));
            top.contacts.extend(contact.map(|(address, phone)| has_number(address, phone, None)));
        }
        for update in goods.contacts {
            let identity = update.phone.as_deref().and_then(|phone| self.has_phone(&update.address, phone));
            let top = stack.top();
            top.identities.extend(identity);
            top.contacts.push(update);
        }
        for update in goods.chats {
            let phone = update.phone.as_deref().filter(|_| update.kind == ChatKind::Person);
            let identity = phone.and_then(|phone| self.has_phone(&update.address, phone));
            let person = self.person(update.kind, &update.address, phone);
            let top = stack.top();
            top.identities.extend(identity);
            top.chats.push(ChatNews { update, person });
        }
        let mut numbers = BTreeSet::new();
        for message in goods.messages {
            // Who wrote is a contact, and the number belongs to it.
            let wrote = message.kind == ChatKind::Person && !message.from_account;
            let phone = message.phone.as_ref().filter(|_| wrote && numbers.insert(message.chat.clone()));
            let contact =
                phone.map(|phone| has_number(message.chat.clone(), phone.clone(), message.sender_name.clone()));
            let incoming = self.incoming(message, goods.historical);
            let top = stack.top();
            top.contacts.extend(contact);
            top.messages.push(incoming);
        }
        for amendment in goods.amendments {
            stack.top().amendments.push(amendment);
        }
        if let Some(received) = goods.received {
            stack.last().events.push(received);
        }
        stack.parcels
    }

    fn incoming(&self, inbound: InboundMessage, historical: bool) -> Incoming {
        let (direction, author, status) = match inbound.from_account {
            true => (Direction::Outbound, Some(Author::Device), MessageStatus::Sent),
            false => (Direction::Inbound, None, MessageStatus::Delivered),
        };
        let (kind, sender_name) = (inbound.kind, inbound.sender_name);
        let person = self.person(kind, &inbound.chat, inbound.phone.as_deref());
        let message = Message {
            chat: inbound.chat,
            id: inbound.id,
            direction,
            sender: inbound.sender,
            author,
            content: inbound.content,
            at: inbound.at,
            status,
            quoted: inbound.quoted,
        };
        Incoming { message, kind, sender_name, person, historical, key: None }
    }

    /// The person a chat is with.
    fn person(&self, kind: ChatKind, chat: &Address, phone: Option<&str>) -> Option<PersonKey> {
        (kind == ChatKind::Person).then(|| self.people.person(self.transport, chat, phone))
    }

    /// For the ledger: who has this address has this number.
    fn has_phone(&self, address: &Address, phone: &str) -> Option<Identity> {
        let persons = Some(self.people.has_phone(self.transport, address, phone)?);
        Some(Identity { address: address.clone(), canonical: address.clone(), persons })
    }

    fn identities(&self, same: SamePerson) -> impl Iterator<Item = Identity> {
        let SamePerson { address, canonical, phone } = same;
        let person = |address| self.people.person(self.transport, address, None);
        let (alias, other) = (person(&address), person(&canonical));
        let numbered = phone.and_then(|phone| self.has_phone(&canonical, &phone));
        let merged = (address != canonical).then_some(Identity {
            address,
            canonical,
            persons: Some(PersonIs { alias, person: other }),
        });
        merged.into_iter().chain(numbered)
    }
}

/// A person has this number, and perhaps this name.
fn has_number(address: Address, phone: String, name: Option<String>) -> ContactUpdate {
    ContactUpdate { phone: Some(phone), name, ..ContactUpdate::new(address) }
}

/// Whether messages that follow one another in a chat rather go back in time.
fn is_newest_first(messages: &[InboundMessage]) -> bool {
    let steps = messages.windows(2).filter(|pair| pair[0].chat == pair[1].chat);
    let (back, on) = steps.fold((0, 0), |(back, on), pair| match pair[0].at.cmp(&pair[1].at) {
        Ordering::Greater => (back + 1, on),
        Ordering::Equal => (back, on),
        Ordering::Less => (back, on + 1),
    });
    back > on
}

/// Parcels that are being filled, one after the other.
struct Stack<'a> {
    empty: &'a SessionCommit,
    parcels: VecDeque<Parcel>,
    /// How much more the last one holds.
    room: usize,
}

impl Stack<'_> {
    /// The commit that the next thing goes into.
    fn top(&mut self) -> &mut SessionCommit {
        if self.room == 0 {
            self.parcels.push_back(Parcel { commit: self.empty.clone(), acks: Vec::new() });
            self.room = PARCEL;
        }
        self.room -= 1;
        self.last()
    }

    /// The commit that the last thing went into.
    fn last(&mut self) -> &mut SessionCommit {
        if self.parcels.is_empty() {
            self.parcels.push_back(Parcel { commit: self.empty.clone(), acks: Vec::new() });
        }
        let last = self.parcels.len() - 1;
        &mut self.parcels[last].commit
    }
}

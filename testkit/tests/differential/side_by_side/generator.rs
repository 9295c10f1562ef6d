//! Random steps: few sessions, addresses and ids, so that everything meets everything.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use seatport::conversation::{
    Amendment, AmendmentChange, Author, ChatKind, ChatUpdate, ContactUpdate, Content, Coverage, Direction, Message,
    MessageStatus, SendFailure,
};
use seatport::leads::PersonKey;
use seatport::lifecycle::{Account, Desired, Facts, Lifecycle, Login, PortChange};
use seatport::storage::{
    ChatNews, Deletion, Expect, Identity, Incoming, MessageUpdate, PersonIs, ReadMark, SessionCommit, VaultWrite,
};
use seatport::{
    Action, Agent, AuditEntry, Environment, EventBody, Outcome, PortRange, Random, Remark, Retention, Role,
    SessionRecord, Timestamp, TransportName,
};

use super::made_up::{
    ADDRESSES, AGENTS, CONSUMERS, GROUP, KEYS, PLACES, START, address, agent, below, chance, consumer, content, key,
    near, node, person, pick, session, some_address, some_agent, some_message_id, text, tick,
};
use super::step::{Expecting, Fencing, Planned, Step, Which, Writes};

const STATUSES: [MessageStatus; 5] =
    [MessageStatus::Pending, MessageStatus::Failed, MessageStatus::Sent, MessageStatus::Delivered, MessageStatus::Read];

/// Whether all is plain with this seed: each person has one address and one key and was never there before an account's first
/// login, and no event is trimmed. Then whoever reads the messages knows how many leads there are.
pub(crate) fn is_plain(seed: u64) -> bool {
    seed.is_multiple_of(4)
}

/// The steps of this seed: first the sessions are added, then whatever comes up.
pub(crate) fn steps(seed: u64, count: usize) -> Vec<Step> {
    let random = Random::seeded(seed);
    let mut of = Generator { random: &random, now: START, plain: is_plain(seed) };
    let mut steps: Vec<Step> = (0..PLACES).map(|place| Step::Commits(vec![of.adding(place)])).collect();
    steps.extend((0..count).map(|_| of.step()));
    steps
}

struct Generator<'a> {
    random: &'a Random,
    now: Timestamp,
    plain: bool,
}

impl Generator<'_> {
    fn chance(&self, percent: u64) -> bool {
        chance(self.random, percent)
    }

    /// None, one or some: the more, the less often.
    fn some<T>(&self, percent: u64, mut make: impl FnMut() -> T) -> Vec<T> {
        let mut all = Vec::new();
        while all.len() < 4 && self.chance(percent) {
            all.push(make());
        }
        all
    }

    fn which(&self) -> Which {
        Which { place: below(self.random, PLACES), gone: self.chance(2) }
    }

    fn step(&mut self) -> Step {
        let random = self.random;
        self.now = Timestamp::from_millis(self.now.as_millis() + tick(random));
        match random.below(1000) {
            0..600 => Step::Commits(vec![self.commit()]),
            600..760 => Step::Commits((0..2 + random.below(4)).map(|_| self.commit()).collect()),
            760..800 => Step::Commits(vec![self.adding(below(random, PLACES))]),
            800..812 => {
                let deletion = *pick(random, &[Deletion::Delete, Deletion::Erase]);
                let expecting = if self.chance(85) { Expecting::TheRevision } else { Expecting::AnotherRevision };
                Step::Delete(self.which(), expecting, deletion, self.now)
            }
            812..825 => Step::Join(node(below(random, 2))),
            825..830 => Step::Leave(node(below(random, 2))),
            830..850 => Step::Claim(self.which(), node(below(random, 2))),
            850..855 => Step::Release(self.which()),
            855..865 => Step::WriteVault(self.which(), self.fencing(), self.some(60, || self.vault_write())),
            865..890 => {
                let keep = Retention {
                    age: self.chance(60).then(|| Duration::from_secs(*pick(random, &[0, 60, 3_600, 86_400, 1 << 22]))),
                    count: self.chance(50).then(|| *pick(random, &[0, 1, 5, 20, 100])),
                };
                let limit = if self.plain { 0 } else { *pick(random, &[0, 1, 3, 1_000]) };
                Step::Trim(self.which(), keep, near(random, self.now), limit)
            }
            890..900 => Step::Register(consumer(below(random, CONSUMERS))),
            900..905 => Step::Remove(consumer(below(random, CONSUMERS))),
            905..925 => {
                let handled = self.some(60, || (self.which(), random.below(60)));
                Step::Acknowledge(consumer(below(random, CONSUMERS)), handled)
            }
            925..935 => {
                let (role, id) = (*pick(random, &[Role::Agent, Role::Supervisor]), agent(below(random, AGENTS)));
                Step::PutAgent(Agent { id, name: format!("name {}", random.below(9)), role })
            }
            935..940 => Step::RemoveAgent(agent(below(random, AGENTS))),
            940..950 => Step::Resize(PortRange::new(1 + random.below(4) as u32, 1 + random.below(4) as u32).unwrap()),
            950..955 => {
                let sealed = |number: u64| vec![number as u8];
                Step::ReplaceLedgerKey(self.chance(60).then(|| sealed(random.below(3))), sealed(random.below(3)))
            }
            955..970 => Step::Record(self.audit()),
            _ => Step::Reopen,
        }
    }

    fn fencing(&self) -> Fencing {
        *pick(self.random, &[Fencing::None, Fencing::None, Fencing::None, Fencing::None, Fencing::Last, Fencing::First])
    }

    fn empty(&self) -> SessionCommit {
        SessionCommit::new(session(0, 0), self.now, Expect::Present)
    }

    fn adding(&self, place: usize) -> Planned {
        let mut commit = self.empty();
        commit.record = self.chance(95).then(|| self.record());
        commit.messages = self.some(20, || self.message());
        commit.events = vec![EventBody::Added];
        let (expecting, fencing) = (Expecting::New, Fencing::None);
        Planned { which: Which { place, gone: false }, expecting, fencing, writes: Writes(Box::new(commit)) }
    }

    fn commit(&self) -> Planned {
        let mut commit = self.empty();
        commit.record = self.chance(15).then(|| self.record());
        commit.port = match self.random.below(20) {
            0..2 => PortChange::Claim,
            2 => PortChange::Release,
            _ => PortChange::Keep,
        };
        commit.forget_credentials = self.chance(3);
        commit.vault = self.some(5, || self.vault_write());
        commit.identities = self.some(if self.plain { 0 } else { 12 }, || self.identity());
        commit.contacts = self.some(15, || self.contact());
        commit.chats = self.some(15, || self.chat());
        commit.messages = self.some(55, || self.message());
        commit.amendments = self.some(30, || self.amendment());
        commit.updates = self.some(20, || self.update());
        commit.read = self.some(20, || self.read());
        commit.told = self.some(15, || (some_address(self.random), some_message_id(self.random)));
        commit.events = self.some(10, || EventBody::RemarkChanged);
        commit.audit = self.some(10, || self.audit());
        let expecting = match self.random.below(20) {
            0 => Expecting::AnotherRevision,
            1..6 => Expecting::TheRevision,
            _ => Expecting::Present,
        };
        Planned { which: self.which(), expecting, fencing: self.fencing(), writes: Writes(Box::new(commit)) }
    }

    fn record(&self) -> SessionRecord {
        let random = self.random;
        let mut record = SessionRecord::new(session(0, 0), START, TransportName::new("simulated").unwrap());
        record.agent = some_agent(random);
        record.remark = Remark::new(text(random).replace('\0', "")).unwrap();
        record.first_login_at = (!self.plain && self.chance(40)).then(|| near(random, self.now));
        if self.chance(20) {
            record.environment = Environment::new().proxy("socks5://mei:secret@proxy.example:1080").unwrap();
        }
        let retry_at = self.now;
        let states = [
            Lifecycle::Stopped,
            Lifecycle::Stopped,
            Lifecycle::Stopped,
            Lifecycle::Connecting { attempt: 1 },
            Lifecycle::AwaitingLogin,
            Lifecycle::Online,
            Lifecycle::Backoff { attempt: 2, retry_at },
            Lifecycle::Blocked,
        ];
        record.facts = Facts {
            desired: *pick(random, &[Desired::Stopped, Desired::Started]),
            lifecycle: *pick(random, &states),
            login: *pick(random, &[Login::Never, Login::LoggedIn, Login::LoggedOut]),
            account: self.chance(50).then(|| Account {
                address: some_address(random),
                phone: self.chance(50).then(|| "4915112345678".to_owned()),
                name: self.chance(50).then(|| text(random).replace('\0', "")),
            }),
            ..Facts::default()
        };
        record
    }

    fn vault_write(&self) -> VaultWrite {
        let name = (*pick(self.random, &["net/a", "net/b", "netto/c", "proxy/password"])).to_owned();
        VaultWrite { name, sealed: self.chance(70).then(|| vec![self.random.below(4) as u8]) }
    }

    /// Of each two addresses, in both directions, and in chains; mostly people's.
    fn identity(&self) -> Identity {
        let some = || below(self.random, if self.chance(95) { GROUP } else { ADDRESSES });
        let (from, to) = (some(), some());
        let persons =
            self.chance(30).then(|| PersonIs { alias: person(self.random, from), person: person(self.random, from) });
        Identity { address: address(from), canonical: address(to), persons }
    }

    fn contact(&self) -> ContactUpdate {
        let said = |percent| self.chance(percent).then(|| text(self.random));
        ContactUpdate {
            address: some_address(self.random),
            phone: self.chance(30).then(|| "4915112345678".to_owned()),
            name: said(40),
            saved_name: said(30),
            avatar: self.chance(30).then(|| said(60)),
        }
    }

    fn kind(&self, address: usize) -> ChatKind {
        match () {
            () if address == GROUP => ChatKind::Group,
            () if !self.plain && self.chance(3) => ChatKind::Broadcast,
            () => ChatKind::Person,
        }
    }

    /// Whom a chat is with, said so often of a hundred times.
    fn person(&self, address: usize, percent: u64) -> Option<PersonKey> {
        match () {
            () if address == GROUP => None,
            () if self.plain => Some(PersonKey::from_bytes([address as u8 + 1; 16])),
            () => self.chance(percent).then(|| person(self.random, address)),
        }
    }

    fn chat(&self) -> ChatNews {
        let (random, number) = (self.random, below(self.random, ADDRESSES));
        let mut update = ChatUpdate::new(address(number), self.kind(number));
        update.archived = self.chance(30).then(|| self.chance(50));
        update.muted_until = self.chance(30).then(|| self.chance(50).then(|| near(random, self.now)));
        update.coverage =
            self.chance(30).then(|| Coverage { oldest: near(random, self.now), complete: self.chance(30) });
        update.active_at = self.chance(20).then(|| near(random, self.now));
        let person = self.person(number, 60);
        ChatNews { update, person }
    }

    fn message(&self) -> Incoming {
        let (random, number) = (self.random, below(self.random, ADDRESSES));
        let inbound = self.chance(65);
        let sender =
            if inbound && (number == GROUP || self.chance(5)) { some_address(random) } else { address(number) };
        let content = content(random);
        let content = if self.plain && !content.is_from_a_person() { Content::Deleted } else { content };
        let author = if self.chance(60) { Author::Agent(agent(below(random, AGENTS))) } else { Author::Device };
        let message = Message {
            chat: address(number),
            id: some_message_id(random),
            direction: if inbound { Direction::Inbound } else { Direction::Outbound },
            sender,
            author: (!inbound && (self.plain || self.chance(95))).then_some(author),
            content,
            at: near(random, self.now),
            status: if inbound { MessageStatus::Delivered } else { *pick(random, &STATUSES) },
            quoted: self.chance(20).then(|| some_message_id(random)),
        };
        Incoming {
            kind: self.kind(number),
            sender_name: self.chance(30).then(|| text(random)),
            person: self.person(number, 80),
            historical: self.chance(10),
            key: self.chance(10).then(|| key(below(random, KEYS))),
            ..Incoming::new(message)
        }
    }

    /// What it says follows from its id, as that of a real one does.
    fn amendment(&self) -> Amendment {
        let random = self.random;
        let number = random.below(6);
        let change = match number {
            0 => AmendmentChange::Delete,
            1 => AmendmentChange::React(None),
            2 => AmendmentChange::React(Some("👍".to_owned())),
            3 => AmendmentChange::React(Some("😀".to_owned())),
            _ => AmendmentChange::Edit(content(random)),
        };
        let id = match &change {
            AmendmentChange::Edit(content) => {
                let mut hasher = DefaultHasher::new();
                content.hash(&mut hasher);
                hasher.finish().to_string()
            }
            _ => number.to_string(),
        };
        Amendment {
            chat: some_address(random),
            target: some_message_id(random),
            id: id.parse().unwrap(),
            sender: some_address(random),
            at: near(random, self.now),
            change,
        }
    }

    fn update(&self) -> MessageUpdate {
        let failures = [SendFailure::Cancelled, SendFailure::Refused("too long".to_owned())];
        MessageUpdate {
            chat: some_address(self.random),
            id: some_message_id(self.random),
            status: *pick(self.random, &STATUSES),
            failure: self.chance(50).then(|| pick(self.random, &failures).clone()),
        }
    }

    fn read(&self) -> ReadMark {
        let up_to = self.chance(60).then(|| some_message_id(self.random));
        ReadMark { chat: some_address(self.random), up_to, tell: self.chance(50) }
    }

    fn audit(&self) -> AuditEntry {
        AuditEntry {
            at: self.now,
            agent: agent(below(self.random, AGENTS)),
            action: *pick(self.random, &[Action::Start, Action::ViewDataCentre, Action::Send]),
            session: self.chance(70).then(|| session(below(self.random, PLACES), 0)),
            outcome: *pick(self.random, &[Outcome::Done, Outcome::Denied, Outcome::Illegal]),
        }
    }
}

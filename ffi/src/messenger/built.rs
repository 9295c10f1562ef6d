//! The simulated messenger as the testkit has it, in the types of core.

use std::sync::Arc;

use seatport::conversation::Content;
use seatport::lifecycle::Account;
use seatport::{Address, Invalid, MessageId, Proxy, SessionId, SystemClock, Timestamp};
use seatport_testkit::messenger as kit;

use super::{Conditions, LinkedDevice, Received};
use crate::error::SeatportError;
use crate::network::Network;
use crate::time::told;

/// The longest number that E.164 allows.
const MOST_DIGITS: usize = 15;
/// What the network adds to a name to make an address of it fits into what is left of an address' 256 bytes.
const LONGEST_NAME: usize = 246;
const LONGEST_GROUP_NAME: usize = 237;

#[derive(Debug)]
pub(super) struct Messenger(kit::Messenger);

impl Messenger {
    pub(super) fn open(seed: u64) -> Result<Self, SeatportError> {
        Ok(Self(kit::Messenger::new(seed, Arc::new(SystemClock))))
    }

    pub(super) fn network(&self) -> Network {
        Network::built_in(self.0.transport())
    }

    pub(super) fn phone(&self, number: &str) -> Result<Phone, SeatportError> {
        match number.chars().filter(char::is_ascii_digit).count() {
            1..=MOST_DIGITS => Ok(Phone(self.0.phone(number))),
            digits => {
                let problem = format!("it has {digits} digits");
                Err(Invalid::new("phone number", problem, "write it as +8613800138000").into())
            }
        }
    }

    pub(super) fn person(&self, name: &str) -> Result<Person, SeatportError> {
        Ok(Person(self.0.person(address_part(name, LONGEST_NAME)?)))
    }

    pub(super) fn group(&self, name: &str, members: &[Arc<super::Phone>]) -> Result<Group, SeatportError> {
        let members: Vec<_> = members.iter().map(|phone| &phone.0.0).collect();
        Ok(Group(self.0.group(address_part(name, LONGEST_GROUP_NAME)?, &members)))
    }

    pub(super) fn channel(&self, name: &str, followers: &[Arc<super::Phone>]) -> Result<Group, SeatportError> {
        let followers: Vec<_> = followers.iter().map(|phone| &phone.0.0).collect();
        Ok(Group(self.0.channel(address_part(name, LONGEST_GROUP_NAME)?, &followers)))
    }

    pub(super) fn set_conditions(&self, conditions: Conditions) {
        self.0.conditions(|now| *now = conditions.into());
    }

    pub(super) fn ban(&self, account: &Address, until: Option<Timestamp>) {
        self.0.ban(account, until);
    }

    pub(super) fn unban(&self, account: &Address) {
        self.0.unban(account);
    }

    pub(super) fn set_proxy_refusing(&self, proxy: &Proxy, refusing: bool) {
        match refusing {
            true => self.0.refuse_proxy(proxy),
            false => self.0.accept_proxy(proxy),
        }
    }

    pub(super) fn dials(&self) -> u64 {
        self.0.journal().connections.len() as u64
    }
}

/// A name that makes an address.
fn address_part(name: &str, longest: usize) -> Result<&str, Invalid> {
    if name.is_empty() || name.len() > longest || name.chars().any(char::is_control) {
        let way_out = format!("give it 1 to {longest} bytes without control characters");
        return Err(Invalid::new("name", "it makes no address", way_out));
    }
    Ok(name)
}

impl From<Conditions> for kit::Conditions {
    fn from(conditions: Conditions) -> Self {
        Self {
            down: conditions.down,
            hang: conditions.hang,
            outdated: conditions.outdated,
            slow: conditions.slow.unwrap_or_default(),
            jitter: conditions.jitter.unwrap_or_default(),
            duplicates: conditions.duplicates,
            lost_acks: conditions.lost_acks,
            newest_first: conditions.newest_first,
            put_off: conditions.put_off,
            lost_answers: conditions.lost_answers,
            refusing: conditions.refusing,
        }
    }
}

#[derive(Debug)]
pub(super) struct Phone(kit::Phone);

impl Phone {
    pub(super) fn account(&self) -> Account {
        self.0.account().clone()
    }

    pub(super) fn scan(&self, code: &str) -> Result<(), SeatportError> {
        self.0.scan(code).map_err(refused)
    }

    pub(super) fn enter_pairing_code(&self, code: &str) -> Result<(), SeatportError> {
        self.0.enter_pairing_code(code).map_err(refused)
    }

    pub(super) fn devices(&self) -> Vec<LinkedDevice> {
        let devices = self.0.devices().into_iter();
        devices.map(|device| LinkedDevice { session: device.session.to_string(), name: device.name }).collect()
    }

    pub(super) fn log_out(&self, session: SessionId) -> Result<(), SeatportError> {
        self.0.log_out(session).map_err(refused)
    }

    pub(super) fn open_elsewhere(&self) {
        self.0.open_elsewhere();
    }

    pub(super) fn unacknowledged(&self) -> u64 {
        self.0.unacknowledged() as u64
    }

    pub(super) fn set_conditions(&self, conditions: Conditions) {
        self.0.conditions(|now| *now = conditions.into());
    }
}

/// A phone that could not do it, with the way out that its words end with.
fn refused(error: kit::PhoneError) -> SeatportError {
    let detail = error.to_string();
    let (problem, way_out) = detail.split_once("; ").unwrap_or((&detail, ""));
    let (problem, way_out) = (problem.to_owned(), way_out.to_owned());
    SeatportError::Invalid { detail, field: "phone".to_owned(), problem, way_out }
}

#[derive(Debug)]
pub(super) struct Person(kit::Person);

impl Person {
    pub(super) fn address(&self) -> &Address {
        self.0.address()
    }

    pub(super) fn send(&self, to: &Address, content: Content) -> MessageId {
        self.0.send(to, content)
    }

    pub(super) fn reply(&self, to: &Address, quoted: &MessageId, text: String) -> MessageId {
        self.0.reply(to, quoted, text)
    }

    pub(super) fn send_again(&self, to: &Address, id: &MessageId, content: Content) {
        self.0.send_again(to, id, content);
    }

    pub(super) fn edit(&self, to: &Address, id: &MessageId, text: String) {
        self.0.edit(to, id, text);
    }

    pub(super) fn delete(&self, to: &Address, id: &MessageId) {
        self.0.delete(to, id);
    }

    pub(super) fn react(&self, to: &Address, id: &MessageId, emoji: Option<&str>) {
        self.0.react(to, id, emoji);
    }

    pub(super) fn confirm(&self, to: &Address, id: &MessageId) {
        self.0.confirm(to, id);
    }

    pub(super) fn read(&self, to: &Address, id: &MessageId) {
        self.0.read(to, id);
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.0.received().into_iter().map(Into::into).collect()
    }

    pub(super) fn seen_by(&self, account: &Address) -> Vec<String> {
        self.0.seen_by(account).into_iter().map(Into::into).collect()
    }

    pub(super) fn rename(&self, name: &str) {
        self.0.rename(name);
    }

    pub(super) fn show(&self, avatar: Option<&str>) {
        self.0.show(avatar);
    }

    pub(super) fn reveal_number(&self, to: &Address, number: &str) {
        self.0.reveal_number(to, number);
    }

    pub(super) fn is_also(&self, to: &Address, other: &Self) {
        self.0.is_also(to, &other.0);
    }
}

#[derive(Debug)]
pub(super) struct Group(kit::Group);

impl Group {
    pub(super) fn address(&self) -> &Address {
        self.0.address()
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.0.received().into_iter().map(Into::into).collect()
    }
}

impl From<kit::Received> for Received {
    fn from(received: kit::Received) -> Self {
        Self {
            text: received.text().to_owned(),
            sender: received.from.into(),
            id: received.id.into(),
            content: received.content.into(),
            quoted: received.quoted.map(Into::into),
            at: told(received.at),
        }
    }
}

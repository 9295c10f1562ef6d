//! The simulated messenger of a library that was built without it: nobody can have one.

use std::convert::Infallible;
use std::sync::Arc;

use seatport::conversation::Content;
use seatport::lifecycle::Account;
use seatport::{Address, MessageId, Proxy, SessionId, Timestamp};

use super::{Conditions, LinkedDevice, Received};
use crate::error::SeatportError;
use crate::network::Network;

#[derive(Debug)]
pub(super) struct Messenger(Infallible);

impl Messenger {
    pub(super) fn open(_seed: u64) -> Result<Self, SeatportError> {
        Err(SeatportError::not_built("testkit"))
    }

    pub(super) fn network(&self) -> Network {
        match self.0 {}
    }

    pub(super) fn phone(&self, _number: &str) -> Result<Phone, SeatportError> {
        match self.0 {}
    }

    pub(super) fn person(&self, _name: &str) -> Result<Person, SeatportError> {
        match self.0 {}
    }

    pub(super) fn group(&self, _name: &str, _members: &[Arc<super::Phone>]) -> Result<Group, SeatportError> {
        match self.0 {}
    }

    pub(super) fn channel(&self, _name: &str, _followers: &[Arc<super::Phone>]) -> Result<Group, SeatportError> {
        match self.0 {}
    }

    pub(super) fn set_conditions(&self, _conditions: Conditions) {
        match self.0 {}
    }

    pub(super) fn ban(&self, _account: &Address, _until: Option<Timestamp>) {
        match self.0 {}
    }

    pub(super) fn unban(&self, _account: &Address) {
        match self.0 {}
    }

    pub(super) fn set_proxy_refusing(&self, _proxy: &Proxy, _refusing: bool) {
        match self.0 {}
    }

    pub(super) fn dials(&self) -> u64 {
        match self.0 {}
    }
}

#[derive(Debug)]
pub(super) struct Phone(Infallible);

impl Phone {
    pub(super) fn account(&self) -> Account {
        match self.0 {}
    }

    pub(super) fn scan(&self, _code: &str) -> Result<(), SeatportError> {
        match self.0 {}
    }

    pub(super) fn enter_pairing_code(&self, _code: &str) -> Result<(), SeatportError> {
        match self.0 {}
    }

    pub(super) fn devices(&self) -> Vec<LinkedDevice> {
        match self.0 {}
    }

    pub(super) fn log_out(&self, _session: SessionId) -> Result<(), SeatportError> {
        match self.0 {}
    }

    pub(super) fn open_elsewhere(&self) {
        match self.0 {}
    }

    pub(super) fn unacknowledged(&self) -> u64 {
        match self.0 {}
    }

    pub(super) fn set_conditions(&self, _conditions: Conditions) {
        match self.0 {}
    }
}

#[derive(Debug)]
pub(super) struct Person(Infallible);

impl Person {
    pub(super) fn address(&self) -> &Address {
        match self.0 {}
    }

    pub(super) fn send(&self, _to: &Address, _content: Content) -> MessageId {
        match self.0 {}
    }

    pub(super) fn reply(&self, _to: &Address, _quoted: &MessageId, _text: String) -> MessageId {
        match self.0 {}
    }

    pub(super) fn send_again(&self, _to: &Address, _id: &MessageId, _content: Content) {
        match self.0 {}
    }

    pub(super) fn edit(&self, _to: &Address, _id: &MessageId, _text: String) {
        match self.0 {}
    }

    pub(super) fn delete(&self, _to: &Address, _id: &MessageId) {
        match self.0 {}
    }

    pub(super) fn react(&self, _to: &Address, _id: &MessageId, _emoji: Option<&str>) {
        match self.0 {}
    }

    pub(super) fn confirm(&self, _to: &Address, _id: &MessageId) {
        match self.0 {}
    }

    pub(super) fn read(&self, _to: &Address, _id: &MessageId) {
        match self.0 {}
    }

    pub(super) fn received(&self) -> Vec<Received> {
        match self.0 {}
    }

    pub(super) fn seen_by(&self, _account: &Address) -> Vec<String> {
        match self.0 {}
    }

    pub(super) fn rename(&self, _name: &str) {
        match self.0 {}
    }

    pub(super) fn show(&self, _avatar: Option<&str>) {
        match self.0 {}
    }

    pub(super) fn reveal_number(&self, _to: &Address, _number: &str) {
        match self.0 {}
    }

    pub(super) fn is_also(&self, _to: &Address, _other: &Self) {
        match self.0 {}
    }
}

#[derive(Debug)]
pub(super) struct Group(Infallible);

impl Group {
    pub(super) fn address(&self) -> &Address {
        match self.0 {}
    }

    pub(super) fn received(&self) -> Vec<Received> {
        match self.0 {}
    }
}

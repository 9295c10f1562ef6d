//! Who writes what: a day at a customer-service team.

use seatport::conversation::{ChatKind, Content};
use seatport::transport::InboundMessage;
use seatport::{Address, Invalid, MessageId, Random, Timestamp};

use crate::texts::text;

/// Chats that a session knows.
pub const KNOWN: u64 = 40;
/// Of so many messages ...
const OF: u64 = 100;
/// ... these come from people who never wrote before ...
const NEWCOMERS: u64 = 4;
/// ... and these from people whom only another session knows.
const SHARED: u64 = 1;

/// Writes messages, the same ones for the same seed.
#[derive(Debug)]
pub struct Traffic {
    random: Random,
    /// The time of the next message.
    at: i64,
    /// The number of the next person who never wrote before.
    newcomer: u64,
    /// The number of the next message.
    message: u64,
}

impl Traffic {
    /// Traffic from this time on, a millisecond between each message and the next.
    #[must_use]
    pub fn new(seed: u64, from: Timestamp) -> Self {
        Self { random: Random::seeded(seed), at: from.as_millis(), newcomer: 90_000_000, message: seed << 32 }
    }

    /// One message from each person a session knows.
    ///
    /// # Errors
    /// There are none: all names are valid.
    pub fn acquaintances(&mut self, session: u64) -> Result<Vec<InboundMessage>, Invalid> {
        (0..KNOWN).map(|chat| self.message(person(session, chat))).collect()
    }

    /// So many messages to a session: most of them in chats that it knows, the first of these more often.
    ///
    /// # Errors
    /// There are none: all names are valid.
    pub fn messages(&mut self, session: u64, count: u64) -> Result<Vec<InboundMessage>, Invalid> {
        (0..count)
            .map(|_| {
                let dice = self.random.below(OF);
                let chat = self.random.below(KNOWN).min(self.random.below(KNOWN));
                let who = if dice < NEWCOMERS {
                    self.newcomer += 1;
                    self.newcomer
                } else if dice < NEWCOMERS + SHARED {
                    person(session + 1, chat)
                } else {
                    person(session, chat)
                };
                self.message(who)
            })
            .collect()
    }

    fn message(&mut self, person: u64) -> Result<InboundMessage, Invalid> {
        self.at += 1;
        self.message += 1;
        let (digits, chat) = (phone(person), address(person)?);
        Ok(InboundMessage {
            sender: chat.clone(),
            chat,
            kind: ChatKind::Person,
            phone: Some(digits),
            id: message_id(self.message)?,
            sender_name: Some(format!("客户 {person}")),
            from_account: false,
            content: Content::Text(text(&self.random)),
            at: Timestamp::from_millis(self.at),
            quoted: None,
        })
    }
}

fn phone(person: u64) -> String {
    format!("86{:011}", 13_000_000_000 + person)
}

/// The address of the person with this number.
///
/// # Errors
/// There are none: all names are valid.
pub fn address(person: u64) -> Result<Address, Invalid> {
    Address::new(format!("{}@s.whatsapp.net", phone(person)))
}

/// The id of the message with this number: as long as one of WhatsApp's own, and as little in order.
///
/// # Errors
/// There are none: all names are valid.
pub fn message_id(message: u64) -> Result<MessageId, Invalid> {
    MessageId::new(format!("3EB0{:018X}", u128::from(scattered(message)) << 8))
}

/// The number of the person that a session knows by one of its chats.
fn person(session: u64, chat: u64) -> u64 {
    session * 1000 + chat
}

/// A number that shows nothing of the order of the numbers it is made from, and is different for each (the finalizer of
/// `SplitMix64`).
#[must_use]
pub fn scattered(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn most_messages_come_from_known_people_and_none_has_the_id_of_another() {
        let mut traffic = Traffic::new(1, Timestamp::from_millis(1_700_000_000_000));
        let known: BTreeSet<_> = traffic.acquaintances(3).unwrap().into_iter().map(|message| message.chat).collect();
        assert_eq!(known.len() as u64, KNOWN);
        let messages = traffic.messages(3, 10_000).unwrap();
        let newcomers = messages.iter().filter(|message| !known.contains(&message.chat)).count();
        assert!((400..600).contains(&newcomers), "{newcomers}");
        let ids: BTreeSet<_> = messages.iter().map(|message| message.id.clone()).collect();
        assert_eq!(ids.len(), messages.len());
    }
}

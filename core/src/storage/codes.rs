//! Numbers that stand for names, wherever a storage compares them or keeps one with every message.
//!
//! All storages have the same ones, so that a database can be moved from one to another row by row. They are on disk: a number,
//! once given, keeps its meaning for ever.

use crate::agent::Role;
use crate::conversation::{ChatKind, Direction, MessageStatus};
use crate::leads::AdjustmentReason;
use crate::session::CardStatus;

/// A value that storages keep as a number.
///
/// ```
/// use seatport::CardStatus;
/// use seatport::storage::Coded;
/// assert_eq!(CardStatus::Online.code(), 4);
/// assert_eq!(CardStatus::from_code(4), Some(CardStatus::Online));
/// assert_eq!(CardStatus::from_code(99), None);
/// ```
pub trait Coded: Copy + PartialEq + 'static {
    /// Which number stands for which value: every value is there once.
    const CODES: &'static [(i16, Self)];

    /// The number of this value.
    fn code(self) -> i16 {
        // The tables name every value; tests hold them to that.
        Self::CODES.iter().find(|(_, value)| *value == self).map_or(-1, |(code, _)| *code)
    }

    /// The value that this number stands for, if it stands for one.
    #[must_use]
    fn from_code(code: i64) -> Option<Self> {
        Self::CODES.iter().find(|(number, _)| i64::from(*number) == code).map(|(_, value)| *value)
    }
}

impl Coded for CardStatus {
    const CODES: &'static [(i16, Self)] = &[
        (0, Self::NotStarted),
        (1, Self::Offline),
        (2, Self::Connecting),
        (3, Self::AwaitingLogin),
        (4, Self::Online),
        (5, Self::Blocked),
        (6, Self::Stopping),
    ];
}

impl Coded for Direction {
    const CODES: &'static [(i16, Self)] = &[(0, Self::Inbound), (1, Self::Outbound)];
}

impl Coded for MessageStatus {
    /// In their order: SQL raises a status by comparing the numbers.
    const CODES: &'static [(i16, Self)] =
        &[(0, Self::Pending), (1, Self::Failed), (2, Self::Sent), (3, Self::Delivered), (4, Self::Read)];
}

impl Coded for ChatKind {
    const CODES: &'static [(i16, Self)] = &[(0, Self::Person), (1, Self::Group), (2, Self::Broadcast)];
}

impl Coded for AdjustmentReason {
    const CODES: &'static [(i16, Self)] = &[(0, Self::Merged), (1, Self::Late)];
}

impl Coded for Role {
    const CODES: &'static [(i16, Self)] = &[(0, Self::Supervisor), (1, Self::Agent)];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_card_status_has_its_own_number() {
        let mut codes = CardStatus::ALL.map(Coded::code);
        codes.sort_unstable();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn the_numbers_of_message_statuses_are_in_their_order() {
        assert!(MessageStatus::CODES.is_sorted_by_key(|(_, status)| *status));
        assert!(MessageStatus::CODES.is_sorted_by_key(|(code, _)| *code));
        // No arm for the rest: a new status has to be given a number.
        match MessageStatus::Pending {
            MessageStatus::Pending
            | MessageStatus::Failed
            | MessageStatus::Sent
            | MessageStatus::Delivered
            | MessageStatus::Read => assert_eq!(MessageStatus::CODES.len(), 5),
        }
    }
}

//! How values of the domain are written into columns and read back.
//!
//! Numbers stand for the names that SQL compares or that every message carries. They are on disk: a number, once given, keeps
//! its meaning for ever.

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use seatport::agent::Role;
use seatport::conversation::{ChatKind, Direction, MessageStatus};
use seatport::leads::AdjustmentReason;
use seatport::{CardStatus, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that is stored as a number.
pub(crate) trait Coded: Copy + PartialEq + 'static {
    /// Which number stands for which value.
    const CODES: &'static [(i64, Self)];

    /// The number of this value.
    fn code(self) -> i64 {
        // The tables below name every value; a test holds them to that.
        Self::CODES.iter().find(|(_, value)| *value == self).map_or(-1, |(code, _)| *code)
    }
}

impl Coded for CardStatus {
    const CODES: &'static [(i64, Self)] = &[
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
    const CODES: &'static [(i64, Self)] = &[(0, Self::Inbound), (1, Self::Outbound)];
}

impl Coded for MessageStatus {
    /// In their order: SQL raises a status by comparing the numbers.
    const CODES: &'static [(i64, Self)] =
        &[(0, Self::Pending), (1, Self::Failed), (2, Self::Sent), (3, Self::Delivered), (4, Self::Read)];
}

impl Coded for ChatKind {
    const CODES: &'static [(i64, Self)] = &[(0, Self::Person), (1, Self::Group), (2, Self::Broadcast)];
}

impl Coded for AdjustmentReason {
    const CODES: &'static [(i64, Self)] = &[(0, Self::Merged), (1, Self::Late)];
}

impl Coded for Role {
    const CODES: &'static [(i64, Self)] = &[(0, Self::Supervisor), (1, Self::Agent)];
}

/// A column that holds the number of a value.
pub(crate) struct Code<T>(pub(crate) T);

impl<T: Coded> ToSql for Code<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.code().into())
    }
}

impl<T: Coded> FromSql for Code<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let code = value.as_i64()?;
        let found = T::CODES.iter().find(|(number, _)| *number == code);
        found.map(|(_, value)| Self(*value)).ok_or(FromSqlError::OutOfRange(code))
    }
}

/// A column that holds a value as JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text =
            serde_json::to_string(&self.0).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(text.into())
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

impl<T: DeserializeOwned> Json<T> {
    /// The value in a column that may be null.
    pub(crate) fn maybe(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
        Ok(row.get::<_, Option<Self>>(column)?.map(|Json(value)| value))
    }
}

/// A point in time that a column may hold.
pub(crate) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

/// The milliseconds of a point in time that may not be there.
pub(crate) fn millis(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_millis)
}

/// A column that holds a value as its own text.
pub(crate) struct Text<T>(pub(crate) T);

impl<T: std::str::FromStr<Err = seatport::Invalid>> FromSql for Text<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
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

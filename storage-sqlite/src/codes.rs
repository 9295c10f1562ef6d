//! How values of the domain are written into columns and read back.
//!
//! Numbers stand for the names that SQL compares or that every message carries: those of [`Coded`].

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use seatport::Timestamp;
use seatport::storage::Coded;
use serde::Serialize;
use serde::de::DeserializeOwned;

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
        T::from_code(code).map(Self).ok_or(FromSqlError::OutOfRange(code))
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

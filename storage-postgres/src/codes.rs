//! How values of the domain are written into columns and read back.
//!
//! Numbers stand for the names that SQL compares or that every message carries: those of [`Coded`].
//!
//! All types here can be elements of arrays and `Option`s, in parameters and in rows:
//! `let Count(unread) = row.try_get(3)?;`, `row.try_get::<_, Option<At>>(4)?`.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt::Debug;

use seatport::storage::Coded;
use seatport::{NodeId, SessionId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

type Fault = Box<dyn StdError + Sync + Send>;

/// A `smallint` that holds the number of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code<T>(pub(crate) T);

impl<T: Coded + Debug> ToSql for Code<T> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        self.0.code().to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <i16 as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl<'a, T: Coded> FromSql<'a> for Code<T> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        let code = i16::from_sql(ty, raw)?;
        T::from_code(code.into()).map(Self).ok_or_else(|| format!("{code} stands for nothing").into())
    }

    fn accepts(ty: &Type) -> bool {
        <i16 as FromSql>::accepts(ty)
    }
}

/// A `smallint` that holds 0 or 1, as SQLite writes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag(pub(crate) bool);

impl ToSql for Flag {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        i16::from(self.0).to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <i16 as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Flag {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self(i16::from_sql(ty, raw)? != 0))
    }

    fn accepts(ty: &Type) -> bool {
        <i16 as FromSql>::accepts(ty)
    }
}

/// A `bigint` that holds a number which is never negative.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count<T = u64>(pub(crate) T);

impl<T: Copy + TryInto<i64> + std::fmt::Debug> ToSql for Count<T> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        // What does not fit is larger than any place or sequence number there can be.
        self.0.try_into().unwrap_or(i64::MAX).to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <i64 as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl<'a, T: TryFrom<i64>> FromSql<'a> for Count<T> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        let number = i64::from_sql(ty, raw)?;
        T::try_from(number).map(Self).map_err(|_| format!("{number} is out of range").into())
    }

    fn accepts(ty: &Type) -> bool {
        <i64 as FromSql>::accepts(ty)
    }
}

/// A `bigint` that holds a point in time, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At(pub(crate) Timestamp);

impl ToSql for At {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        self.0.as_millis().to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <i64 as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for At {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self(Timestamp::from_millis(i64::from_sql(ty, raw)?)))
    }

    fn accepts(ty: &Type) -> bool {
        <i64 as FromSql>::accepts(ty)
    }
}

/// An id that is 16 bytes.
pub(crate) trait SixteenBytes: Copy + std::fmt::Debug {
    /// Its bytes.
    fn bytes(&self) -> [u8; 16];
    /// The id with these bytes.
    fn with_bytes(bytes: [u8; 16]) -> Self;
}

impl SixteenBytes for SessionId {
    fn bytes(&self) -> [u8; 16] {
        *self.as_bytes()
    }

    fn with_bytes(bytes: [u8; 16]) -> Self {
        Self::from_bytes(bytes)
    }
}

impl SixteenBytes for NodeId {
    fn bytes(&self) -> [u8; 16] {
        *self.as_bytes()
    }

    fn with_bytes(bytes: [u8; 16]) -> Self {
        Self::from_bytes(bytes)
    }
}

/// A `uuid` that holds an id. Postgres sorts them by their bytes, as Seatport does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Id<T>(pub(crate) T);

impl<T: SixteenBytes> ToSql for Id<T> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        Uuid::from_bytes(self.0.bytes()).to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <Uuid as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl<'a, T: SixteenBytes> FromSql<'a> for Id<T> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self(T::with_bytes(Uuid::from_sql(ty, raw)?.into_bytes())))
    }

    fn accepts(ty: &Type) -> bool {
        <Uuid as FromSql>::accepts(ty)
    }
}

/// A `text` that holds a value as JSON. JSON escapes U+0000 by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize + std::fmt::Debug> ToSql for Json<T> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        serde_json::to_string(&self.0)?.to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <String as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl<'a, T: DeserializeOwned> FromSql<'a> for Json<T> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(serde_json::from_str(<&str>::from_sql(ty, raw)?).map(Self)?)
    }

    fn accepts(ty: &Type) -> bool {
        <&str as FromSql>::accepts(ty)
    }
}

/// A `text` that holds a value as its own text, for reading. Such a value has no control characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<T>(pub(crate) T);

impl<'a, T: std::str::FromStr<Err = seatport::Invalid>> FromSql<'a> for Text<T> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(<&str>::from_sql(ty, raw)?.parse().map(Self)?)
    }

    fn accepts(ty: &Type) -> bool {
        <&str as FromSql>::accepts(ty)
    }
}

/// A `text` that holds whatever somebody wrote, U+0000 included, which Postgres does not take: see [`escaped`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Free<S>(pub(crate) S);

impl<S: AsRef<str> + std::fmt::Debug> ToSql for Free<S> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        escaped(self.0.as_ref()).to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <&str as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Free<String> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self(unescaped(<&str>::from_sql(ty, raw)?)))
    }

    fn accepts(ty: &Type) -> bool {
        <&str as FromSql>::accepts(ty)
    }
}

/// The character that begins an escape.
const ESCAPE: char = '\u{1a}';

/// The text without U+0000: that is written as U+001A and `0`, and U+001A as itself and `1`. A text without either, and that is
/// nearly every one, is as it was.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        match character {
            '\0' => escaped.extend([ESCAPE, '0']),
            ESCAPE => escaped.extend([ESCAPE, '1']),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

/// The text that was [`escaped`].
pub fn unescaped(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ESCAPE if characters.next() == Some('0') => unescaped.push('\0'),
            other => unescaped.push(other),
        }
    }
    unescaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_as_it_was() {
        for text in ["", "hello", "你好", "a\0b", "\0\0", "\u{1a}", "\u{1a}0", "\u{1a}1\0", "0\u{1a}\u{1a}\0\u{1a}"] {
            let written = escaped(text);
            assert!(!written.contains('\0'), "{text:?}");
            assert_eq!(unescaped(&written), text);
        }
        assert!(matches!(escaped("hello"), Cow::Borrowed(_)));
    }
}

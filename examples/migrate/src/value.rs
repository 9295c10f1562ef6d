//! The value of a column, as both databases have it.

use std::error::Error as StdError;

use rusqlite::types::ValueRef;
use seatport_postgres::import::{escaped, unescaped};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

type Fault = Box<dyn StdError + Sync + Send>;

/// The value of a column.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl std::fmt::Debug for Value {
    /// What it is, and nothing of it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Integer(_) => "Integer",
            Self::Text(_) => "Text",
            Self::Blob(_) => "Blob",
        })
    }
}

impl Value {
    /// The value in a column of SQLite; none of it is a floating-point number.
    pub(crate) fn of_sqlite(value: ValueRef<'_>) -> Option<Self> {
        Some(match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Text(text) => Self::Text(String::from_utf8(text.to_vec()).ok()?),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_vec()),
            ValueRef::Real(_) => return None,
        })
    }

    /// For a statement on SQLite.
    pub(crate) fn to_sqlite(&self) -> rusqlite::types::Value {
        match self {
            Self::Null => rusqlite::types::Value::Null,
            Self::Integer(number) => (*number).into(),
            Self::Text(text) => text.clone().into(),
            Self::Blob(blob) => blob.clone().into(),
        }
    }

    /// Writes it in a way of which one value has one: what it is, how long it is, and the value.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.push(0),
            Self::Integer(number) => {
                out.push(1);
                out.extend(number.to_be_bytes());
            }
            Self::Text(text) => bytes(out, 2, text.as_bytes()),
            Self::Blob(blob) => bytes(out, 3, blob),
        }
    }

    /// Reads what [`encode`](Self::encode) wrote, from the front of `rest`.
    fn decode(rest: &mut &[u8]) -> Option<Self> {
        let kind = take(rest, 1)?[0];
        match kind {
            0 => Some(Self::Null),
            1 => Some(Self::Integer(i64::from_be_bytes(take(rest, 8)?.try_into().ok()?))),
            2 | 3 => {
                let length = u64::from_be_bytes(take(rest, 8)?.try_into().ok()?);
                let bytes = take(rest, usize::try_from(length).ok()?)?.to_vec();
                if kind == 3 { Some(Self::Blob(bytes)) } else { String::from_utf8(bytes).ok().map(Self::Text) }
            }
            _ => None,
        }
    }

    /// About how much memory it takes.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Null | Self::Integer(_) => 16,
            Self::Text(text) => 32 + text.len(),
            Self::Blob(blob) => 32 + blob.len(),
        }
    }
}

fn bytes(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    out.push(kind);
    out.extend((bytes.len() as u64).to_be_bytes());
    out.extend(bytes);
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

/// Several values as bytes.
pub(crate) fn encode(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    values.iter().for_each(|value| value.encode(&mut out));
    out
}

/// The values that [`encode`] wrote.
pub(crate) fn decode(mut bytes: &[u8]) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        values.push(Value::decode(&mut bytes)?);
    }
    Some(values)
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Integer(number), &Type::INT2) => i16::try_from(*number)?.to_sql(ty, out),
            (Self::Integer(number), &Type::INT4) => i32::try_from(*number)?.to_sql(ty, out),
            (Self::Integer(number), &Type::INT8) => number.to_sql(ty, out),
            (Self::Text(text), &Type::TEXT) => escaped(text).to_sql(ty, out),
            (Self::Blob(blob), &Type::BYTEA) => blob.to_sql(ty, out),
            (Self::Blob(blob), &Type::UUID) => Uuid::from_slice(blob)?.to_sql(ty, out),
            _ => Err(format!("{self:?} does not go into a column of type {ty}").into()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT2, Type::INT4, Type::INT8, Type::TEXT, Type::BYTEA, Type::UUID].contains(ty)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(match *ty {
            Type::INT2 => Self::Integer(i16::from_sql(ty, raw)?.into()),
            Type::INT4 => Self::Integer(i32::from_sql(ty, raw)?.into()),
            Type::INT8 => Self::Integer(i64::from_sql(ty, raw)?),
            Type::TEXT => Self::Text(unescaped(<&str>::from_sql(ty, raw)?)),
            _ => Self::Blob(raw.to_vec()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Fault> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        <Self as ToSql>::accepts(ty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_from_their_bytes_and_no_two_share_some() {
        let text = |text: &str| Value::Text(text.to_owned());
        let all = [
            vec![],
            vec![Value::Null],
            vec![Value::Null, Value::Null],
            vec![Value::Integer(0)],
            vec![Value::Integer(i64::MIN)],
            vec![text("")],
            vec![text("ab")],
            vec![text("a"), text("b")],
            vec![text("\0\u{1a}美")],
            vec![Value::Blob(b"ab".to_vec())],
        ];
        for (number, values) in all.iter().enumerate() {
            let bytes = encode(values);
            assert_eq!(decode(&bytes).as_ref(), Some(values));
            assert!(all[..number].iter().all(|other| encode(other) != bytes));
        }
        assert_eq!(decode(&[1, 2]), None);
    }
}

//! What types are called in Python.

use uniffi_meta::{DefaultValueMetadata, Type};

/// How a type is written. Names that a class may hide behind a method of its own are written in full.
///
/// What goes in may be any sequence or mapping; what comes out is a list or a dict.
pub(crate) fn of(ty: &Type, goes_in: bool) -> String {
    match ty {
        Type::UInt8
        | Type::Int8
        | Type::UInt16
        | Type::Int16
        | Type::UInt32
        | Type::Int32
        | Type::UInt64
        | Type::Int64 => "builtins.int".to_owned(),
        Type::Float32 | Type::Float64 => "builtins.float".to_owned(),
        Type::Boolean => "builtins.bool".to_owned(),
        Type::String => "builtins.str".to_owned(),
        Type::Bytes => "builtins.bytes".to_owned(),
        Type::Timestamp => "datetime.datetime".to_owned(),
        Type::Duration => "datetime.timedelta".to_owned(),
        Type::Object { name, .. }
        | Type::Record { name, .. }
        | Type::Enum { name, .. }
        | Type::CallbackInterface { name, .. } => name.clone(),
        Type::Custom { builtin, .. } => of(builtin, goes_in),
        Type::Box { inner_type } => of(inner_type, goes_in),
        Type::Optional { inner_type } => format!("{} | None", of(inner_type, goes_in)),
        Type::Sequence { inner_type } if goes_in => format!("Sequence[{}]", of(inner_type, goes_in)),
        Type::Sequence { inner_type } => format!("builtins.list[{}]", of(inner_type, goes_in)),
        Type::Set { inner_type } => format!("builtins.set[{}]", of(inner_type, goes_in)),
        Type::Map { key_type, value_type } => {
            let map = if goes_in { "Mapping" } else { "builtins.dict" };
            format!("{map}[{}, {}]", of(key_type, goes_in), of(value_type, goes_in))
        }
    }
}

/// An argument with its type; one that may be left out says so.
pub(crate) fn argument(name: &str, ty: &Type, default: Option<&DefaultValueMetadata>, goes_in: bool) -> String {
    let left_out = if default.is_some() { " = ..." } else { "" };
    format!("{name}: {}{left_out}", of(ty, goes_in))
}

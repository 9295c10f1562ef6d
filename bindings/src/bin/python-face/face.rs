//! The types that the package shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use anyhow::ensure;
use uniffi_meta::{
    ConstructorMetadata, EnumMetadata, FieldMetadata, FnMetadata, FnParamMetadata, Metadata, ObjectMetadata,
    RecordMetadata, Type,
};

use crate::annotation;
use crate::text::{class, docstring, shouty, snake};

/// What the package writes itself on top of the generated code, or uses only within.
const WITHIN: [&str; 12] = [
    "Consumer",
    "Desk",
    "EventBatch",
    "EventFeed",
    "Export",
    "LineBatch",
    "Seatport",
    "ViewUpdate",
    "Watch",
    "check_transport",
    "end_all",
    "library_version",
];
/// What is there to be measured only.
const PROBES: [&str; 2] = ["Probe", "ProbedCall"];

/// The error that the package gives a word on whether to try again.
const WITH_RETRY: &str = "SeatportError";

/// A method of an object or of a trait.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) name: String,
    is_async: bool,
    arguments: Vec<FnParamMetadata>,
    answer: Option<Type>,
    documentation: Option<String>,
}

/// An object, or a trait that a host implements.
#[derive(Debug)]
pub(crate) struct Object {
    said: ObjectMetadata,
    constructors: Vec<ConstructorMetadata>,
    pub(crate) methods: Vec<Method>,
}

/// All that the library says of itself.
#[derive(Debug, Default)]
pub(crate) struct Face {
    pub(crate) records: BTreeMap<String, RecordMetadata>,
    pub(crate) enums: BTreeMap<String, EnumMetadata>,
    pub(crate) objects: BTreeMap<String, Object>,
    functions: BTreeMap<String, FnMetadata>,
    errors: BTreeSet<String>,
}

impl Face {
    pub(crate) fn of(said: Vec<Metadata>) -> Self {
        let mut face = Self::default();
        let (mut constructors, mut methods) = (Vec::new(), Vec::new());
        for item in said {
            match item {
                Metadata::Record(record) => drop(face.records.insert(record.name.clone(), record)),
                Metadata::Enum(said) => drop(face.enums.insert(said.name.clone(), said)),
                Metadata::Object(said) => {
                    let object = Object { said, constructors: Vec::new(), methods: Vec::new() };
                    face.objects.insert(object.said.name.clone(), object);
                }
                Metadata::Func(function) => {
                    face.thrown(function.throws.as_ref());
                    face.functions.insert(function.name.clone(), function);
                }
                Metadata::Constructor(constructor) => constructors.push(constructor),
                Metadata::Method(method) => {
                    face.thrown(method.throws.as_ref());
                    let (name, is_async) = (method.name, method.is_async);
                    let (arguments, answer, documentation) = (method.inputs, method.return_type, method.docstring);
                    methods.push((method.self_name, Method { name, is_async, arguments, answer, documentation }));
                }
                Metadata::TraitMethod(method) => {
                    face.thrown(method.throws.as_ref());
                    let (name, is_async) = (method.name, method.is_async);
                    let (arguments, answer, documentation) = (method.inputs, method.return_type, method.docstring);
                    methods.push((method.trait_name, Method { name, is_async, arguments, answer, documentation }));
                }
                _ => {}
            }
        }
        for constructor in constructors {
            face.thrown(constructor.throws.as_ref());
            if let Some(object) = face.objects.get_mut(&constructor.self_name) {
                object.constructors.push(constructor);
            }
        }
        for (object, method) in methods {
            if let Some(object) = face.objects.get_mut(&object) {
                object.methods.push(method);
            }
        }
        for object in face.objects.values_mut() {
            object.constructors.sort_by(|a, b| a.name.cmp(&b.name));
            object.methods.sort_by(|a, b| a.name.cmp(&b.name));
        }
        face
    }

    fn thrown(&mut self, error: Option<&Type>) {
        if let Some(Type::Enum { name, .. }) = error {
            self.errors.insert(name.clone());
        }
    }

    /// Whether it is thrown.
    pub(crate) fn is_error(&self, name: &str) -> bool {
        self.errors.contains(name)
    }

    /// Whether this is answered batch by batch: the package gives it the shape of an iterator.
    fn is_reader(&self, ty: Option<&Type>) -> bool {
        let Some(Type::Object { name, .. }) = ty else { return false };
        self.objects.get(name).is_some_and(|object| object.methods.iter().any(|method| method.name == "next"))
    }

    /// The methods of an object that are the package's own business.
    pub(crate) fn hidden<'a>(&'a self, object: &'a Object) -> impl Iterator<Item = &'a str> {
        let hidden = object.methods.iter().filter(|method| self.is_reader(method.answer.as_ref()));
        hidden.map(|method| method.name.as_str())
    }

    /// The names that the generated module has, and those of them that a host sees.
    pub(crate) fn names(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let classes = self.records.keys().chain(self.enums.keys()).chain(self.objects.keys()).cloned();
        let all: BTreeSet<String> = classes.chain(self.functions.keys().map(|name| snake(name))).collect();
        let shown = all.iter().filter(|name| !WITHIN.contains(&name.as_str()) && !PROBES.contains(&name.as_str()));
        let shown = shown.cloned().collect();
        (all, shown)
    }

    /// `__init__.py`
    pub(crate) fn module(&self) -> String {
        let (all, shown) = self.names();
        let mut out = String::from(
            "\"\"\"What the library answers to: written when the package is built.\"\"\"\n\nfrom .seatport import (\n",
        );
        for name in all {
            let _ = writeln!(out, "    {name},");
        }
        out.push_str(")\n");
        list(&mut out, &shown);
        out
    }

    /// `__init__.pyi`
    pub(crate) fn stub(&self) -> anyhow::Result<String> {
        let (_, shown) = self.names();
        let mut out = String::from(
            "\"\"\"What the library answers to: written when the package is built.\"\"\"\n\nimport builtins\nimport datetime\nimport enum\n\
             from collections.abc import Mapping, Sequence\n",
        );
        list(&mut out, &shown);
        for said in self.enums.values() {
            if self.is_error(&said.name) {
                error(&mut out, said);
            } else if said.variants.iter().all(|variant| variant.fields.is_empty()) {
                flat(&mut out, said);
            } else {
                variants(&mut out, said)?;
            }
        }
        for said in self.records.values() {
            record(&mut out, said);
        }
        for object in self.objects.values() {
            self.object(&mut out, object);
        }
        for function in self.functions.values() {
            let arguments = arguments(&function.inputs, true);
            signature(
                &mut out,
                0,
                &function.name,
                function.is_async,
                &arguments,
                answer(function.return_type.as_ref()),
            );
            body(&mut out, 1, function.docstring.as_deref());
        }
        Ok(out)
    }

    fn object(&self, out: &mut String, object: &Object) {
        let name = &object.said.name;
        let by_host = object.said.imp.has_callback_interface();
        let _ = writeln!(out, "\nclass {name}:");
        docstring(out, 1, object.said.docstring.as_deref());
        for constructor in &object.constructors {
            let mut given = arguments(&constructor.inputs, true);
            if constructor.is_primary() {
                given.insert(0, "self".to_owned());
                signature(out, 1, "__init__", false, &given, "None".to_owned());
            } else {
                given.insert(0, "cls".to_owned());
                out.push_str("    @classmethod\n");
                signature(out, 1, &constructor.name, constructor.is_async, &given, name.clone());
            }
            body(out, 2, constructor.docstring.as_deref());
        }
        for method in &object.methods {
            let mut given = arguments(&method.arguments, !by_host);
            given.insert(0, "self".to_owned());
            let hidden = if self.is_reader(method.answer.as_ref()) { "_" } else { "" };
            let name = format!("{hidden}{}", snake(&method.name));
            let _ = write!(out, "    {}def {name}(", if method.is_async { "async " } else { "" });
            let answer = match &method.answer {
                Some(ty) => annotation::of(ty, by_host),
                None => "None".to_owned(),
            };
            let _ = writeln!(out, "{}) -> {answer}:", given.join(", "));
            body(out, 2, method.documentation.as_deref());
        }
        if object.constructors.is_empty() && object.methods.is_empty() && object.said.docstring.is_none() {
            out.push_str("    ...\n");
        }
    }
}

fn list(out: &mut String, names: &BTreeSet<String>) {
    out.push_str("\n__all__ = [\n");
    for name in names {
        let _ = writeln!(out, "    \"{name}\",");
    }
    out.push_str("]\n");
}

fn arguments(given: &[FnParamMetadata], goes_in: bool) -> Vec<String> {
    let argument =
        |said: &FnParamMetadata| annotation::argument(&snake(&said.name), &said.ty, said.default.as_ref(), goes_in);
    given.iter().map(argument).collect()
}

fn answer(ty: Option<&Type>) -> String {
    ty.map_or_else(|| "None".to_owned(), |ty| annotation::of(ty, false))
}

fn signature(out: &mut String, depth: usize, name: &str, is_async: bool, arguments: &[String], answer: String) {
    let indent = "    ".repeat(depth);
    let name = if name == "__init__" { name.to_owned() } else { snake(name) };
    let _ = writeln!(
        out,
        "{indent}{}def {name}({}) -> {answer}:",
        if is_async { "async " } else { "" },
        arguments.join(", ")
    );
}

fn body(out: &mut String, depth: usize, documentation: Option<&str>) {
    docstring(out, depth, documentation);
    let _ = writeln!(out, "{}...", "    ".repeat(depth));
}

/// Fields, and how a value of them is made: by name, unless `by_place`.
fn fields(out: &mut String, depth: usize, said: &[FieldMetadata], by_place: bool) {
    let indent = "    ".repeat(depth);
    for field in said {
        let _ = writeln!(out, "{indent}{}: {}", snake(&field.name), annotation::of(&field.ty, false));
        docstring(out, depth, field.docstring.as_deref());
    }
    let mut given = vec!["self".to_owned()];
    if !by_place && !said.is_empty() {
        given.push("*".to_owned());
    }
    if by_place && !said.is_empty() {
        let names: String = said.iter().map(|field| format!("\"{}\", ", snake(&field.name))).collect();
        let _ = writeln!(out, "{indent}__match_args__ = ({})", names.trim_end());
    }
    let argument =
        |field: &FieldMetadata| annotation::argument(&snake(&field.name), &field.ty, field.default.as_ref(), false);
    given.extend(said.iter().map(argument));
    let _ = writeln!(out, "{indent}def __init__({}) -> None: ...", given.join(", "));
}

fn record(out: &mut String, said: &RecordMetadata) {
    let _ = writeln!(out, "\nclass {}:", said.name);
    docstring(out, 1, said.docstring.as_deref());
    fields(out, 1, &said.fields, false);
}

fn flat(out: &mut String, said: &EnumMetadata) {
    let _ = writeln!(out, "\nclass {}(enum.Enum):", said.name);
    docstring(out, 1, said.docstring.as_deref());
    for (number, variant) in said.variants.iter().enumerate() {
        let _ = writeln!(out, "    {} = {number}", shouty(&variant.name));
        docstring(out, 1, variant.docstring.as_deref());
    }
}

fn variants(out: &mut String, said: &EnumMetadata) -> anyhow::Result<()> {
    let _ = writeln!(out, "\nclass {}:", said.name);
    docstring(out, 1, said.docstring.as_deref());
    for variant in &said.variants {
        ensure!(
            variant.fields.iter().all(|field| !field.name.is_empty()),
            "{}.{}: name its fields",
            said.name,
            variant.name
        );
        let _ = writeln!(out, "    class {}({}):", class(&variant.name), said.name);
        docstring(out, 2, variant.docstring.as_deref());
        fields(out, 2, &variant.fields, true);
    }
    Ok(())
}

fn error(out: &mut String, said: &EnumMetadata) {
    let _ = writeln!(out, "\nclass {}(Exception):", said.name);
    docstring(out, 1, said.docstring.as_deref());
    // What all kinds have in common, the base has too.
    let common = |field: &&FieldMetadata| {
        said.variants
            .iter()
            .all(|variant| variant.fields.iter().any(|other| other.name == field.name && other.ty == field.ty))
    };
    for field in said.variants.first().map(|variant| &variant.fields).into_iter().flatten().filter(common) {
        let _ = writeln!(out, "    {}: {}", snake(&field.name), annotation::of(&field.ty, false));
        docstring(out, 1, field.docstring.as_deref());
    }
    if said.name == WITH_RETRY {
        out.push_str("    retry: builtins.bool\n    \"\"\"Whether the same call may succeed later.\"\"\"\n");
    }
    for variant in &said.variants {
        let _ = writeln!(out, "    class {}({}):", class(&variant.name), said.name);
        docstring(out, 2, variant.docstring.as_deref());
        fields(out, 2, &variant.fields, true);
    }
}

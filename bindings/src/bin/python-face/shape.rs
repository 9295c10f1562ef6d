//! What the package mends the generated classes by.

use std::fmt::Write;

use uniffi_meta::FieldMetadata;

use crate::face::Face;
use crate::text::{class, literal, plain, shouty, snake};

/// `shape.py`
pub(crate) fn of(face: &Face) -> String {
    let mut out =
        String::from("\"\"\"What is mended in the generated classes: written when the package is built.\"\"\"\n");
    out.push_str("\n# The fields of each record, and what they mean.\nRECORDS: dict[str, dict[str, str]] = {\n");
    for record in face.records.values() {
        let _ = writeln!(out, "    {}: {},", literal(&record.name), fields(&record.fields));
    }
    out.push_str("}\n\n# Each variant that is a class: its generated name, the one it is given, and its fields.\n");
    out.push_str("VARIANTS: dict[str, list[tuple[str, str, dict[str, str]]]] = {\n");
    let with_classes = |name: &str| {
        let variants = &face.enums[name].variants;
        !face.is_error(name) && variants.iter().any(|variant| !variant.fields.is_empty())
    };
    for said in face.enums.values().filter(|said| with_classes(&said.name)) {
        let _ = writeln!(out, "    {}: [", literal(&said.name));
        for variant in &said.variants {
            let (generated, given) = (literal(&shouty(&variant.name)), literal(&class(&variant.name)));
            let _ = writeln!(out, "        ({generated}, {given}, {}),", fields(&variant.fields));
        }
        out.push_str("    ],\n");
    }
    out.push_str(
        "}\n\n# The kinds of each error, and their fields.\nERRORS: dict[str, dict[str, dict[str, str]]] = {\n",
    );
    for said in face.enums.values().filter(|said| face.is_error(&said.name)) {
        let _ = writeln!(out, "    {}: {{", literal(&said.name));
        for variant in &said.variants {
            let _ = writeln!(out, "        {}: {},", literal(&class(&variant.name)), fields(&variant.fields));
        }
        out.push_str("    },\n");
    }
    out.push_str("}\n\n# Methods that answer what the package gives the shape of an iterator.\nHIDDEN: dict[str, list[str]] = {\n");
    for (name, object) in &face.objects {
        let hidden: Vec<String> = face.hidden(object).map(|name| literal(&snake(name))).collect();
        if !hidden.is_empty() {
            let _ = writeln!(out, "    {}: [{}],", literal(name), hidden.join(", "));
        }
    }
    out.push_str("}\n\n# All methods of all objects.\nMETHODS: dict[str, list[str]] = {\n");
    for (name, object) in &face.objects {
        let methods: Vec<String> = object.methods.iter().map(|method| literal(&snake(&method.name))).collect();
        let _ = writeln!(out, "    {}: [{}],", literal(name), methods.join(", "));
    }
    out.push_str("}\n");
    out
}

fn fields(said: &[FieldMetadata]) -> String {
    let meaning = |field: &FieldMetadata| plain(field.docstring.as_deref().unwrap_or_default());
    let fields = said.iter().map(|field| format!("{}: {}", literal(&snake(&field.name)), literal(&meaning(field))));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}

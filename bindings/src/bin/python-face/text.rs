//! Python text.

use std::fmt::Write;

use heck::{ToShoutySnakeCase, ToSnakeCase};

const KEYWORDS: [&str; 36] = [
    "False",
    "None",
    "True",
    "__peg_parser__",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
];

/// A name that is not a keyword: as the generated code has it.
fn free(name: String) -> String {
    if KEYWORDS.contains(&name.as_str()) { format!("_{name}") } else { name }
}

/// The name of a function, method, argument or field.
pub(crate) fn snake(name: &str) -> String {
    free(name.to_snake_case())
}

/// The name that the generated code gives to a variant, unless it is an error's.
pub(crate) fn shouty(name: &str) -> String {
    free(name.to_shouty_snake_case())
}

/// The name of a variant that is a class.
pub(crate) fn class(name: &str) -> String {
    free(name.to_owned())
}

/// Documentation, without the links that only Rust understands.
pub(crate) fn plain(documentation: &str) -> String {
    let mut plain = String::new();
    let mut rest = documentation;
    while let Some(start) = rest.find("[`") {
        let (before, link) = rest.split_at(start);
        plain.push_str(before);
        let Some(end) = link.find(']') else {
            rest = link;
            break;
        };
        plain.push_str(&link[1..end]);
        rest = &link[end + 1..];
        if rest.starts_with('(')
            && let Some(end) = rest.find(')')
        {
            rest = &rest[end + 1..];
        }
    }
    plain.push_str(rest);
    let lines: Vec<&str> = plain.lines().map(str::trim_end).collect();
    lines.join("\n").trim().to_owned()
}

/// A Python text that says this.
pub(crate) fn literal(text: &str) -> String {
    // The same escapes as in JSON, but for those that JSON has alone, which do not occur.
    serde_json::Value::from(text).to_string()
}

/// Documentation as a docstring, indented.
pub(crate) fn docstring(out: &mut String, depth: usize, documentation: Option<&str>) {
    let Some(documentation) = documentation else { return };
    let indent = "    ".repeat(depth);
    let said = plain(documentation).replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"");
    let mut lines = said.lines();
    let _ = write!(out, "{indent}\"\"\"{}", lines.next().unwrap_or_default());
    let mut more = false;
    for line in lines {
        more = true;
        match line {
            "" => out.push('\n'),
            line => drop(write!(out, "\n{indent}{line}")),
        }
    }
    let _ = if more { writeln!(out, "\n{indent}\"\"\"") } else { writeln!(out, "\"\"\"") };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_only_rust_understands_lose_their_brackets() {
        let said = "See [`Seatport::rotate_vault`](crate::Seatport::rotate_vault), or [`Card`]; [1] is no link.";
        assert_eq!(plain(said), "See `Seatport::rotate_vault`, or `Card`; [1] is no link.");
        assert_eq!(plain("an end [`without one"), "an end [`without one");
    }

    #[test]
    fn a_docstring_ends_where_it_should() {
        let mut out = String::new();
        docstring(&mut out, 1, Some("One \"\"\" line\n\nand \\ another  "));
        assert_eq!(out, "    \"\"\"One \\\"\\\"\\\" line\n\n    and \\\\ another\n    \"\"\"\n");
    }

    #[test]
    fn names_that_python_keeps_for_itself_are_those_of_the_generated_code() {
        assert_eq!(
            (snake("from"), snake("fromDay"), shouty("None"), class("None")),
            ("_from".into(), "from_day".into(), "NONE".into(), "_None".into())
        );
    }
}

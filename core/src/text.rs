//! The checks that every text from outside goes through.

use crate::error::Invalid;

/// A text on one line: `min..=max` bytes, no control characters.
pub(crate) fn single_line(what: &'static str, text: String, min: usize, max: usize) -> Result<String, Invalid> {
    checked(what, text, min, max, |c| !c.is_control())
}

/// A text that may run over several lines: at most `max` bytes, no control characters but line feed and tab.
pub(crate) fn multi_line(what: &'static str, text: String, min: usize, max: usize) -> Result<String, Invalid> {
    checked(what, text, min, max, |c| !c.is_control() || matches!(c, '\n' | '\t'))
}

fn checked(what: &'static str, text: String, min: usize, max: usize, allowed: fn(char) -> bool) -> Result<String, Invalid> {
    if text.len() < min {
        return Err(Invalid::new(what, "empty", "give it at least one character"));
    }
    if text.len() > max {
        return Err(Invalid::new(what, format!("{} bytes long", text.len()), format!("keep it within {max} bytes")));
    }
    match text.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(Invalid::new(what, format!("holds the control character U+{:04X}", c as u32), "remove it")),
        None => Ok(text),
    }
}

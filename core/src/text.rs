//! The checks that every text from outside goes through.

use crate::error::Invalid;

/// A text on one line: `min..=max` bytes, no control characters.
pub(crate) fn single_line<T: AsRef<str>>(what: &'static str, text: T, min: usize, max: usize) -> Result<T, Invalid> {
    checked(what, text, min, max, |c| !c.is_control())
}

/// A text that may run over several lines: at most `max` bytes, no control characters but line feed and tab. The line ends
/// of Windows become line feeds.
pub(crate) fn multi_line(what: &'static str, text: String, min: usize, max: usize) -> Result<String, Invalid> {
    let text = if text.contains('\r') { text.replace("\r\n", "\n") } else { text };
    checked(what, text, min, max, |c| !c.is_control() || matches!(c, '\n' | '\t'))
}

fn checked<T: AsRef<str>>(
    what: &'static str,
    text: T,
    min: usize,
    max: usize,
    allowed: fn(char) -> bool,
) -> Result<T, Invalid> {
    let (length, mut characters) = (text.as_ref().len(), text.as_ref().chars());
    if length < min {
        return Err(Invalid::new(what, "empty", "give it at least one character"));
    }
    if length > max {
        return Err(Invalid::new(what, format!("{length} bytes long"), format!("keep it within {max} bytes")));
    }
    match characters.find(|c| !allowed(*c)) {
        Some(c) => Err(Invalid::new(what, format!("holds the control character U+{:04X}", c as u32), "remove it")),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_takes_no_control_characters() {
        assert_eq!(single_line("name", "Zoë 客服", 1, 64).unwrap(), "Zoë 客服");
        for text in ["a\nb", "a\tb", "a\0b", "a\u{7f}b", "a\u{85}b"] {
            assert!(single_line("name", text, 1, 64).is_err(), "{text:?}");
        }
    }

    #[test]
    fn several_lines_take_line_feed_and_tab() {
        assert!(multi_line("remark", "a\n\tb".into(), 0, 64).is_ok());
        assert_eq!(multi_line("remark", "a\r\nb".into(), 0, 64).unwrap(), "a\nb", "what Windows pastes");
        let error = multi_line("remark", "a\rb".into(), 0, 64).unwrap_err();
        assert_eq!(error.to_string(), "invalid remark: holds the control character U+000D; remove it");
    }

    #[test]
    fn the_limits_count_bytes_and_are_inclusive() {
        assert!(single_line("name", "客", 3, 3).is_ok());
        assert!(single_line("name", "客服", 1, 5).is_err());
        assert!(single_line("name", "", 1, 5).is_err());
        assert!(single_line("name", "", 0, 5).is_ok());
    }
}

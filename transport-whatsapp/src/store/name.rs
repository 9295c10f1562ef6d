//! The names of entries.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What would make two names one: the separator, and the mark of an escape.
const RESERVED: &AsciiSet = &CONTROLS.add(b'/').add(b'%');

/// A name made of parts, each of which may hold anything.
pub(crate) fn name(parts: &[&str]) -> String {
    let parts: Vec<_> = parts.iter().map(|part| utf8_percent_encode(part, RESERVED).to_string()).collect();
    parts.join("/")
}

/// A part as it was before it went into a name.
pub(super) fn part(encoded: &str) -> String {
    percent_encoding::percent_decode_str(encoded).decode_utf8_lossy().into_owned()
}

/// Bytes as a part.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_parts_never_make_the_same_name() {
        assert_eq!(name(&["session", "5511:3@s.whatsapp.net"]), "session/5511:3@s.whatsapp.net");
        assert_eq!(name(&["sent", "a/b", "c"]), "sent/a%2Fb/c");
        assert_eq!(name(&["sent", "a", "b/c"]), "sent/a/b%2Fc");
        assert_eq!(name(&["sent", "a%2Fb", "c"]), "sent/a%252Fb/c");
        assert_eq!(part("a%252Fb"), "a%2Fb");
        assert_eq!(hex(&[0, 0xAB]), "00ab");
    }
}

//! The cases, by the concept whose promises they check.

#![expect(clippy::unwrap_used, reason = "a case fails by panicking, with the error and the line")]

pub(super) mod end;
pub(super) mod environment;
pub(super) mod inbound;
pub(super) mod itself;
pub(super) mod login;
pub(super) mod loss;
pub(super) mod outbound;
pub(super) mod sessions;
pub(super) mod vault;

/// Texts in all the ways in which people write, and in which programs get it wrong.
pub(super) const SCRIPTS: [&str; 10] = [
    "a",
    "早上好，您的订单已发货",
    "صباح الخير",
    "Grüße, café, naïve, cafe\u{301}",
    "👩‍👩‍👧‍👦 🇧🇷 👍🏽 ❤️",
    "two\nlines\n\nand a\ttab",
    "\"quotes\" 'and' \\backslashes\\ {\"json\": [1]} <b>tags</b> &amp;",
    "%s %d {} ${x} '; DROP TABLE messages; --",
    "  spaces at both ends  ",
    "\u{202e}right to left\u{202c} \u{200b}zero width\u{feff}",
];

/// A text of 4,000 characters of more than one byte each.
pub(super) fn long(text: &str) -> String {
    format!("{text}{}", "长文".repeat(2_000))
}

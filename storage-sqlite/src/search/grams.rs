//! The [grams](seatport::storage::grams) of texts and queries, as FTS5 is told of them.
//!
//! FTS5's own trigrams were the alternative. They are twice the size, and a Chinese word of two characters, the most usual
//! one, would be a search for thousands of trigrams.

use seatport::storage::grams::{self, Gram, Words};

/// The character as it stands in a gram: the tokenizer takes only letters and digits of ASCII, and everything beyond.
fn written(c: char) -> char {
    match c {
        c if c.is_ascii_alphanumeric() || !c.is_ascii() => c,
        // To the private use area. Whatever a text may hold there: it makes candidates, not hits.
        c => char::from_u32(0xE000 + u32::from(c)).unwrap_or(c),
    }
}

/// The grams of a text, each once.
pub(crate) fn of_text(text: &str) -> String {
    let mut spelt = String::with_capacity(text.len() * 4);
    for gram in grams::of_text(text) {
        spelt.extend(gram.characters().map(written));
        spelt.push(' ');
    }
    spelt
}

/// What to ask the index for, as an expression of FTS5's, to find every text that holds all of these words.
pub(crate) fn expression(words: &Words) -> String {
    let asked = words.wanted().into_iter().map(|wanted| {
        let any_that_begins = if wanted.beginning { " *" } else { "" };
        quoted(wanted.gram) + any_that_begins
    });
    asked.collect::<Vec<_>>().join(" ")
}

/// A gram holds no quotation mark, see [`written`].
fn quoted(gram: Gram) -> String {
    format!("\"{}\"", gram.characters().map(written).collect::<String>())
}

#[cfg(test)]
mod tests {
    use seatport::conversation::SearchQuery;

    use super::*;

    fn ask(text: &str) -> String {
        expression(&Words::of(&SearchQuery::new(text)))
    }

    #[test]
    fn a_text_has_the_grams_of_its_words() {
        assert_eq!(of_text("ok"), "k o ok ");
        assert_eq!(of_text("Hello ho"), "e ell h hel ho l llo lo o ");
        assert_eq!(of_text("退款 ok"), "k o ok 款 退 退款 ");
        assert_eq!(of_text("a-b"), "\u{e02d} \u{e02d}b a a\u{e02d}b b ");
        assert_eq!(of_text(""), "");
    }

    #[test]
    fn a_word_asks_for_grams_that_a_longer_text_has_too() {
        assert_eq!(ask("hello"), r#""hel" "llo""#);
        assert_eq!(ask("申请退款"), r#""申请" "退款""#);
        assert_eq!(ask("Ok"), r#""ok" *"#);
        assert_eq!(ask("a b"), r#""a" "b""#);
    }

    #[test]
    fn nothing_of_a_query_is_taken_for_an_operator() {
        assert_eq!(ask("\""), "\"\u{e022}\"");
        assert_eq!(ask("a*"), "\"a\u{e02a}\" *");
        assert_eq!(ask("OR"), r#""or" *"#);
    }
}

//! Grams: the short pieces by which a text is found.
//!
//! A word of a query may be of any length and stand anywhere in a text, so what is indexed is not words but pieces. At every
//! character of a text begins
//!
//! - a gram of that one character;
//! - a gram of that character and those that follow it, up to the end of the word: two in all where there are thousands of
//!   characters to choose from, as in Chinese or among emoji, and three in the scripts with some dozens of letters.
//!
//! So every word has grams that any text with that word in it has as well, and they are few enough to be looked up: one
//! Chinese character or two, three letters. Only two letters on their own have none; there the index is asked for all grams
//! that begin with them. The index finds candidates, and whoever asks compares them with the words themselves: that a text has
//! all grams of a word does not mean that it has the word.
//!
//! FTS5's own trigrams were the alternative. They are twice the size, and a Chinese word of two characters, the most usual
//! one, would be a search for thousands of trigrams.
//!
//! Letter case: texts and words are compared by the lower case that Unicode gives each character by itself, with the two small
//! sigmas taken for one. Nothing else is folded: accents count, and so does the form of a combined character.

/// A script in which a gram of two characters tells enough: from the punctuation of East Asia on, symbols and emoji included.
fn is_dense(c: char) -> bool {
    c >= '\u{2000}'
}

/// How many grams of a query are looked up at most; it finds the right texts with fewer, too.
const GRAMS_ASKED: usize = 32;

/// The text as it is compared.
pub(crate) fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

/// The character as it stands in a gram: the tokenizer takes only letters and digits of ASCII, and everything beyond.
fn written(c: char) -> char {
    match c {
        c if c.is_ascii_alphanumeric() || !c.is_ascii() => c,
        // To the private use area. Whatever a text may hold there: it makes candidates, not hits.
        c => char::from_u32(0xE000 + u32::from(c)).unwrap_or(c),
    }
}

/// The longer gram that begins a word.
fn begins(word: &[char]) -> &[char] {
    let length = if word.first().copied().is_some_and(is_dense) { 2 } else { 3 };
    &word[..word.len().min(length)]
}

fn spell(gram: &[char]) -> String {
    gram.iter().copied().map(written).collect()
}

/// The grams of a folded text, each once.
pub(crate) fn of_text(folded: &str) -> String {
    let text: Vec<char> = folded.chars().collect();
    let mut grams = Vec::with_capacity(2 * text.len());
    for word in text.split(|c| c.is_whitespace()).filter(|word| !word.is_empty()) {
        for start in 0..word.len() {
            grams.push(packed(&word[start..=start]));
            grams.push(packed(begins(&word[start..])));
        }
    }
    grams.sort_unstable();
    grams.dedup();
    let mut spelt = String::with_capacity(folded.len() * 4);
    for gram in grams {
        spelt.extend([42, 21, 0].iter().filter_map(|shift| unpacked(gram >> shift)).map(written));
        spelt.push(' ');
    }
    spelt
}

/// A gram in one number, which is quicker to sort: a character has at most 21 bits, and none is 0 if each counts one more.
fn packed(gram: &[char]) -> u64 {
    let at = |place: usize| gram.get(place).map_or(0, |c| u64::from(u32::from(*c)) + 1);
    at(0) << 42 | at(1) << 21 | at(2)
}

fn unpacked(gram: u64) -> Option<char> {
    let number = u32::try_from(gram & 0x1f_ffff).unwrap_or(0);
    number.checked_sub(1).and_then(char::from_u32)
}

/// What to ask the index for, as an expression of FTS5's, to find every text that holds all of these folded words.
pub(crate) fn expression(words: &[String]) -> String {
    let words: Vec<Vec<char>> = words.iter().map(|word| word.chars().collect()).collect();
    let mut asked: Vec<String> = words.iter().flat_map(|word| whole_grams(word)).collect();
    if asked.is_empty() {
        asked = words.iter().map(|word| short(word)).collect();
    }
    asked.sort_unstable();
    asked.dedup();
    asked.truncate(GRAMS_ASKED);
    asked.join(" ")
}

/// Grams of two characters or more that every text with this word has: as few as cover it.
fn whole_grams(word: &[char]) -> Vec<String> {
    let mut grams = Vec::new();
    let mut next = 0;
    for start in 0..word.len() {
        let rest = &word[start..];
        let gram = begins(rest);
        // At the end of a word a gram is shorter than in a text where the word goes on.
        let whole = gram.len() == if is_dense(word[start]) { 2 } else { 3 };
        let last = rest.len() == gram.len();
        if whole && (start >= next || last) {
            grams.push(quoted(gram));
            next = start + gram.len();
        }
    }
    grams
}

/// The gram of a word without a whole one: a single character, or two letters.
fn short(word: &[char]) -> String {
    match word.iter().find(|c| is_dense(**c)) {
        Some(c) => quoted(&[*c]),
        None if word.len() == 1 => quoted(word),
        None => format!("{} *", quoted(word)),
    }
}

/// A gram holds no quotation mark, see [`written`].
fn quoted(gram: &[char]) -> String {
    format!("\"{}\"", spell(gram))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str) -> String {
        let words: Vec<String> = folded(text).split_whitespace().map(ToOwned::to_owned).collect();
        expression(&words)
    }

    #[test]
    fn a_text_has_the_grams_of_its_words() {
        assert_eq!(of_text("ok"), "k o ok ");
        assert_eq!(of_text("hello ho"), "e ell h hel ho l llo lo o ");
        assert_eq!(of_text("退款 ok"), "k o ok 款 退 退款 ");
        assert_eq!(of_text(""), "");
    }

    #[test]
    fn a_word_asks_for_grams_that_a_longer_text_has_too() {
        assert_eq!(ask("hello"), r#""hel" "llo""#);
        assert_eq!(ask("退款"), r#""退款""#);
        assert_eq!(ask("申请退款"), r#""申请" "退款""#);
        assert_eq!(ask("款"), r#""款""#);
        assert_eq!(ask("O"), r#""o""#);
        assert_eq!(ask("Ok"), r#""ok" *"#);
        assert_eq!(ask("a款"), r#""款""#);
        assert_eq!(ask("款a"), r#""款a""#);
        assert_eq!(ask("a hello"), r#""hel" "llo""#, "the short word is looked for in what the long one finds");
        assert_eq!(ask("a b"), r#""a" "b""#);
        assert_eq!(ask("👍"), r#""👍""#);
    }

    #[test]
    fn nothing_of_a_query_is_taken_for_an_operator() {
        assert_eq!(ask("\""), "\"\u{e022}\"");
        assert_eq!(ask("a*"), "\"a\u{e02a}\" *");
        assert_eq!(ask("OR"), r#""or" *"#);
    }

    #[test]
    fn letter_case_does_not_count() {
        assert_eq!(folded("ÄRGER ΟΔΟΣ"), folded("ärger οδος"));
        assert_ne!(folded("Ärger"), folded("Arger"));
    }
}

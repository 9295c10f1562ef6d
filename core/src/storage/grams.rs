//! Grams: the short pieces by which a storage finds texts. For those who write a storage with an index of its own.
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
//! Letter case: texts and words are compared by the lower case that Unicode gives each character by itself, with the two small
//! sigmas taken for one. Nothing else is folded: accents count, and so does the form of a combined character.
//!
//! ```
//! use seatport::conversation::SearchQuery;
//! use seatport::storage::grams::{self, Wanted, Words};
//!
//! let words = Words::of(&SearchQuery::new("退款 MAY"));
//! let text = grams::of_text("in May: 申请退款");
//! assert!(words.wanted().iter().all(|Wanted { gram, .. }| text.contains(gram)), "a candidate");
//! assert!(words.are_in("in May: 申请退款"), "and a hit");
//! ```

use crate::conversation::SearchQuery;

/// How many grams of a query are looked up at most; it finds the right texts with fewer, too.
const GRAMS_WANTED: usize = 32;

/// One to three characters, in one number, which is quick to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gram(u64);

impl Gram {
    /// A character has at most 21 bits, and none is 0 if each counts one more.
    fn new(characters: &[char]) -> Self {
        let at = |place: usize| characters.get(place).map_or(0, |c| u64::from(u32::from(*c)) + 1);
        Self(at(0) << 42 | at(1) << 21 | at(2))
    }

    /// Its characters.
    pub fn characters(self) -> impl Iterator<Item = char> {
        [42, 21, 0].into_iter().filter_map(move |shift| {
            let number = u32::try_from(self.0 >> shift & 0x1f_ffff).unwrap_or(0);
            number.checked_sub(1).and_then(char::from_u32)
        })
    }

    /// Its first two characters: itself, if it has no more.
    #[must_use]
    pub fn beginning(self) -> Self {
        Self(self.0 & !0x1f_ffff)
    }

    /// A number of its own, below 2^63.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

/// What to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wanted {
    /// The gram that every text that is found has.
    pub gram: Gram,
    /// Whether any gram that begins with it will do as well. Then it has two letters.
    pub beginning: bool,
}

/// The words of a query, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// Those of this query.
    #[must_use]
    pub fn of(query: &SearchQuery) -> Self {
        Self(query.words().map(folded).collect())
    }

    /// Whether there is none, so that nothing is found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this text has each of them.
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        let text = folded(text);
        self.0.iter().all(|word| text.contains(word))
    }

    /// What to look up to find every text that has each of them, at least one gram unless there is no word.
    #[must_use]
    pub fn wanted(&self) -> Vec<Wanted> {
        let words: Vec<Vec<char>> = self.0.iter().map(|word| word.chars().collect()).collect();
        let mut wanted: Vec<_> = words.iter().flat_map(|word| whole_grams(word)).collect();
        if wanted.is_empty() {
            wanted = words.iter().map(|word| short(word)).collect();
        }
        wanted.sort_unstable();
        wanted.dedup();
        wanted.truncate(GRAMS_WANTED);
        wanted
    }
}

/// The grams of a text, each once, in their order.
#[must_use]
pub fn of_text(text: &str) -> Vec<Gram> {
    let mut grams = in_text(text);
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// The grams of a text as they come: unsorted, and each as often as the text has it. For an index that sorts them by itself.
///
/// ```
/// use seatport::storage::grams::in_text;
///
/// assert_eq!(in_text("ok ok").len(), 6, "twice o, ok and k");
/// ```
#[must_use]
pub fn in_text(text: &str) -> Vec<Gram> {
    let mut characters = Vec::with_capacity(text.len());
    fold(text, |c| characters.push(c));
    let mut grams = Vec::with_capacity(2 * characters.len());
    for word in characters.split(|c| c.is_whitespace()) {
        for start in 0..word.len() {
            let one = Gram::new(&word[start..=start]);
            let longer = Gram::new(begins(&word[start..]));
            grams.push(one);
            if longer != one {
                grams.push(longer);
            }
        }
    }
    grams
}

/// The text as it is compared.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold(text, |c| folded.push(c));
    folded
}

/// Adds the characters of the text as they are compared.
fn fold(text: &str, mut add: impl FnMut(char)) {
    for c in text.chars() {
        match c {
            // Most characters of most texts, and quick to tell: letters, and the East Asian scripts, which have no case.
            '\0'..='\x7f' => add(c.to_ascii_lowercase()),
            '\u{2e80}'..='\u{a4cf}' => add(c),
            'Σ' | 'ς' => add('σ'),
            _ => c.to_lowercase().for_each(&mut add),
        }
    }
}

/// A script in which a gram of two characters tells enough: from the punctuation of East Asia on, symbols and emoji included.
fn is_dense(c: char) -> bool {
    c >= '\u{2000}'
}

/// How long the longer gram is that begins with this character, where the word is long enough.
fn length(first: char) -> usize {
    if is_dense(first) { 2 } else { 3 }
}

/// The longer gram that begins a word.
fn begins(word: &[char]) -> &[char] {
    let length = word.first().map_or(0, |first| length(*first));
    &word[..word.len().min(length)]
}

/// Grams of two characters or more that every text with this word has: as few as cover it.
fn whole_grams(word: &[char]) -> Vec<Wanted> {
    let mut grams = Vec::new();
    let mut next = 0;
    for start in 0..word.len() {
        let rest = &word[start..];
        let gram = begins(rest);
        // At the end of a word a gram is shorter than in a text where the word goes on.
        let whole = gram.len() == length(word[start]);
        let last = rest.len() == gram.len();
        if whole && (start >= next || last) {
            grams.push(Wanted { gram: Gram::new(gram), beginning: false });
            next = start + gram.len();
        }
    }
    grams
}

/// The gram of a word without a whole one: a single character, or two letters.
fn short(word: &[char]) -> Wanted {
    match word.iter().find(|c| is_dense(**c)) {
        Some(c) => Wanted { gram: Gram::new(&[*c]), beginning: false },
        None => Wanted { gram: Gram::new(word), beginning: word.len() > 1 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelt(gram: Gram) -> String {
        gram.characters().collect()
    }

    fn wanted(text: &str) -> Vec<String> {
        let wanted = Words::of(&SearchQuery::new(text)).wanted().into_iter();
        wanted.map(|wanted| spelt(wanted.gram) + if wanted.beginning { "…" } else { "" }).collect()
    }

    #[test]
    fn a_text_has_the_grams_of_its_words() {
        let grams = |text: &str| of_text(text).into_iter().map(spelt).collect::<Vec<_>>().join(" ");
        assert_eq!(grams("ok"), "k o ok");
        assert_eq!(grams("hello HO"), "e ell h hel ho l llo lo o");
        assert_eq!(grams("退款 ok"), "k o ok 款 退 退款");
        assert_eq!(grams(" "), "");
        assert_eq!(grams("\u{0}\u{10FFFF}"), "\u{0} \u{0}\u{10FFFF} \u{10FFFF}");
    }

    #[test]
    fn a_word_wants_grams_that_a_longer_text_has_too() {
        assert_eq!(wanted("hello"), ["hel", "llo"]);
        assert_eq!(wanted("退款"), ["退款"]);
        assert_eq!(wanted("申请退款"), ["申请", "退款"]);
        assert_eq!(wanted("款"), ["款"]);
        assert_eq!(wanted("O"), ["o"]);
        assert_eq!(wanted("Ok"), ["ok…"]);
        assert_eq!(wanted("a款"), ["款"]);
        assert_eq!(wanted("款a"), ["款a"]);
        assert_eq!(wanted("a hello"), ["hel", "llo"], "the short word is looked for in what the long one finds");
        assert_eq!(wanted("a b"), ["a", "b"]);
        assert_eq!(wanted("👍"), ["👍"]);
        assert_eq!(wanted(""), [""; 0]);
    }

    #[test]
    fn the_beginning_of_a_gram_is_a_gram_of_two() {
        let beginnings = of_text("hello").into_iter().map(|gram| spelt(gram.beginning()));
        assert_eq!(beginnings.collect::<Vec<_>>().join(" "), "e el h he l ll lo o");
    }

    #[test]
    fn letter_case_does_not_count() {
        assert_eq!(folded("ÄRGER ΟΔΟΣ"), folded("ärger οδος"));
        assert_ne!(folded("Ärger"), folded("Arger"));
        let lower_case = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
        let all: String = ('\0'..=char::MAX).filter(|c| !"Σς".contains(*c)).collect();
        assert_eq!(folded(&all), lower_case(&all));
    }
}

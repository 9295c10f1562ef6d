//! Keeping the indexes of texts in step with what is stored.

use std::collections::BTreeMap;

use seatport::Address;
use seatport::conversation::{Contact, Content};
use seatport::storage::grams::{self, Gram, Words};
use tokio_postgres::types::ToSql;

use crate::error::Failure;
use crate::sql::{Connection, Params, execute, integer};

const ADD_MESSAGES: &str = "INSERT INTO message_text (session, seq, grams)
     SELECT u.session, u.seq, ($5::integer[])[u.first : u.last]
     FROM UNNEST($1::bigint[], $2::bigint[], $3::integer[], $4::integer[]) AS u (session, seq, first, last)";

const PUT_MESSAGES: &str = "INSERT INTO message_text AS t (session, seq, grams)
     SELECT u.session, u.seq, ($5::integer[])[u.first : u.last]
     FROM UNNEST($1::bigint[], $2::bigint[], $3::integer[], $4::integer[]) AS u (session, seq, first, last)
     ON CONFLICT (session, seq) DO UPDATE SET grams = excluded.grams WHERE t.grams <> excluded.grams";

const PUT_CONTACTS: &str = "INSERT INTO contact_text AS t (session, address, grams)
     SELECT u.session, u.address, ($5::integer[])[u.first : u.last]
     FROM UNNEST($1::bigint[], $2::text[], $3::integer[], $4::integer[]) AS u (session, address, first, last)
     ON CONFLICT (session, address) DO UPDATE SET grams = excluded.grams WHERE t.grams <> excluded.grams";

const DROP_MESSAGES: &str = "DELETE FROM message_text AS t USING UNNEST($1::bigint[], $2::bigint[]) AS u (session, seq)
     WHERE t.session = u.session AND t.seq = u.seq";

const DROP_CONTACTS: &str =
    "DELETE FROM contact_text AS t USING UNNEST($1::bigint[], $2::text[]) AS u (session, address)
     WHERE t.session = u.session AND t.address = u.address";

/// What [`Texts::store`] runs.
pub(crate) const STATEMENTS: &[&str] = &[ADD_MESSAGES, PUT_MESSAGES, PUT_CONTACTS, DROP_MESSAGES, DROP_CONTACTS];

/// What becomes of the texts of messages and contacts in a transaction. Of what is said about one of them the last word counts.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// Those of new messages.
    new: Rows<i64>,
    /// By session and place; no grams if the row is to go.
    messages: BTreeMap<(i64, i64), Vec<i32>>,
    /// By session and address.
    contacts: BTreeMap<(i64, String), Vec<i32>>,
}

impl Texts {
    /// A message says this now, whatever it said before.
    pub(crate) fn message(&mut self, session: i64, seq: u64, content: &Content) {
        let grams = content.searchable().map(|text| of_text(session, &text)).unwrap_or_default();
        self.messages.insert((session, integer(seq)), grams);
    }

    /// A message is new. Unlike one that was there before, it has no row yet, and needs none if it has no text.
    pub(crate) fn new_message(&mut self, session: i64, seq: u64, content: &Content) {
        let grams = content.searchable().map(|text| of_text(session, &text)).unwrap_or_default();
        if !grams.is_empty() {
            self.new.push(session, integer(seq), &grams);
        }
    }

    /// A contact is called this now.
    pub(crate) fn contact(&mut self, session: i64, contact: &Contact) {
        let grams = of_text(session, &contact.searchable());
        self.contacts.insert((session, contact.address.as_str().to_owned()), grams);
    }

    /// A message is no longer there.
    pub(crate) fn forget_message(&mut self, session: i64, seq: u64) {
        self.messages.insert((session, integer(seq)), Vec::new());
    }

    /// There is no contact with this address any more.
    pub(crate) fn forget_contact(&mut self, session: i64, address: &Address) {
        self.contacts.insert((session, address.as_str().to_owned()), Vec::new());
    }

    /// Writes all of it, in one statement for each sort of change there is.
    pub(crate) async fn store(&mut self, on: &Connection) -> Result<(), Failure> {
        let (messages, contacts) = (std::mem::take(&mut self.messages), std::mem::take(&mut self.contacts));
        let new_messages = std::mem::take(&mut self.new);
        let (put_messages, drop_messages) = Rows::of(messages);
        let (put_contacts, drop_contacts) = Rows::of(contacts);
        tokio::try_join!(
            biased;
            new_messages.run(on, ADD_MESSAGES, true),
            put_messages.run(on, PUT_MESSAGES, true),
            put_contacts.run(on, PUT_CONTACTS, true),
            drop_messages.run(on, DROP_MESSAGES, false),
            drop_contacts.run(on, DROP_CONTACTS, false),
        )?;
        Ok(())
    }
}

/// Rows as the arrays that a statement takes.
#[derive(Debug)]
struct Rows<P> {
    sessions: Vec<i64>,
    places: Vec<P>,
    /// Where the grams of each row begin and end, both included and counted from 1, in [`grams`](Self::grams).
    first: Vec<i32>,
    last: Vec<i32>,
    grams: Vec<i32>,
}

impl<P> Default for Rows<P> {
    fn default() -> Self {
        Self { sessions: Vec::new(), places: Vec::new(), first: Vec::new(), last: Vec::new(), grams: Vec::new() }
    }
}

impl<P: ToSql + Sync> Rows<P> {
    /// Those to put, and those to take out.
    fn of(texts: BTreeMap<(i64, P), Vec<i32>>) -> (Self, Self) {
        let (mut put, mut taken) = (Self::default(), Self::default());
        for ((session, place), grams) in texts {
            let rows = if grams.is_empty() { &mut taken } else { &mut put };
            rows.push(session, place, &grams);
        }
        (put, taken)
    }

    fn push(&mut self, session: i64, place: P, grams: &[i32]) {
        self.sessions.push(session);
        self.places.push(place);
        self.first.push(i32::try_from(self.grams.len() + 1).unwrap_or(i32::MAX));
        self.grams.extend(grams);
        self.last.push(i32::try_from(self.grams.len()).unwrap_or(i32::MAX));
    }

    async fn run(&self, on: &Connection, sql: &str, with_grams: bool) -> Result<(), Failure> {
        if self.sessions.is_empty() {
            return Ok(());
        }
        let values: Params<'_> = &[&self.sessions, &self.places, &self.first, &self.last, &self.grams];
        execute(on, sql, if with_grams { values } else { &values[..2] }).await?;
        Ok(())
    }
}

/// What the index holds of a text in a session; nothing if the text has no word.
pub(crate) fn of_text(session: i64, text: &str) -> Vec<i32> {
    let grams = grams::in_text(text);
    let mut numbers = Vec::with_capacity(2 * grams.len());
    for gram in grams {
        numbers.push(number(gram));
        if gram != gram.beginning() {
            numbers.push(number(gram.beginning()));
        }
    }
    if !numbers.is_empty() {
        numbers.push(of_session(session));
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// What a text has to have in the index to hold all of these words: at least one number unless there is no word.
pub(super) fn wanted(words: &Words) -> Vec<i32> {
    // Of every gram the index has its first two letters as well.
    words.wanted().into_iter().map(|wanted| number(wanted.gram)).collect()
}

/// The number by which a gram is known. Two may share one: that makes candidates, not hits.
fn number(gram: Gram) -> i32 {
    // The finalizer of SplitMix64: on disk, so it stays as it is.
    let mut mixed = gram.number();
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    i32::try_from(mixed >> 33).unwrap_or(i32::MAX)
}

/// The number of a session among those of grams, which are never below zero; in SQL it is [`OF_SESSION`].
fn of_session(session: i64) -> i32 {
    i32::try_from(-(session % (1 << 31))).unwrap_or(i32::MIN)
}

/// The same of a session `s`.
pub(super) const OF_SESSION: &str = "(-(s.key % 2147483648))::integer";

#[cfg(test)]
mod tests {
    use seatport::conversation::SearchQuery;

    use super::*;

    fn finds(query: &str, text: &str) -> bool {
        let held = of_text(7, text);
        wanted(&Words::of(&SearchQuery::new(query))).iter().all(|number| held.contains(number))
    }

    #[test]
    fn a_text_has_what_its_words_want() {
        for query in ["hello", "HELL", "ell", "lo", "o", "w", "世", "世界", "hello 界", "rld世", "😀"] {
            assert!(finds(query, "Hello, world世界😀"), "{query:?}");
        }
        for query in ["help", "ho", "x", "界世", "hello there"] {
            assert!(!finds(query, "Hello, world世界😀"), "{query:?}");
        }
    }

    #[test]
    fn a_text_without_a_word_has_nothing() {
        assert_eq!(of_text(7, " \n\u{3000}"), [0; 0]);
        assert_eq!(of_text(7, "a").len(), 2, "a gram and the session");
    }

    #[test]
    fn numbers_keep_their_meaning() {
        assert_eq!(
            of_text(7, "退款 ok"),
            [-7, 65_865_578, 442_251_518, 964_289_607, 1_229_360_488, 1_292_140_995, 1_317_118_850]
        );
        assert_eq!((of_session(1), of_session((1 << 31) + 5), of_session((1 << 31) - 1)), (-1, -5, -i32::MAX));
    }
}

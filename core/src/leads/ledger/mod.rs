//! The ledger: what is remembered of each person, and how the figures follow from it.
//!
//! A person and a session are a [`Pair`]. A pair has [`Visit`]s, and knows the earliest sign of life and the earliest message
//! to the person ([`PairFacts`]). From these alone follows what each visit counts as:
//!
//! - somebody who was in touch before the account's first login here counts as nothing, later visits included (存量);
//! - the first visit is an outreach reply if we wrote before it, and a lead if we did not;
//! - of a person's leads, in the order of their first messages, a window counts the first as new (新粉), then the next that
//!   is the window's length or more after the last one counted new, and the others as duplicates (重粉);
//! - every later visit is a returning one (回访).
//!
//! A visit belongs to the agent who was bound to the session at the network's time of its first message, and is late if the
//! session was not running at that time; [`Shift`]s tell.
//!
//! Four functions change a ledger, each within one transaction of the storage: [`record`], [`same_person`], [`erase`] and
//! [`rebuild`]. They see it through [`LedgerRows`], compare what is counted before and after, and book the difference. The
//! totals are always the truth as it is known now; [adjustments](crate::leads::LeadAdjustment) tell what of it changed after
//! people may have seen it.

mod change;
mod erase;
mod merge;
mod rebuild;
mod record;
mod row;
mod rows;
mod visits;

pub use erase::erase;
pub use merge::same_person;
pub use rebuild::rebuild;
pub use record::record;
pub use row::{Moment, Outbound, Pair, PairFacts, PairId, PersonId, Shift, Trace, Visit, tie};
pub use rows::LedgerRows;

use super::classify::Standing;

/// A person's pairs, each with its first visit.
fn standings<R: LedgerRows>(rows: &R, person: PersonId) -> Result<Vec<Standing>, R::Error> {
    let pairs = rows.pairs(person)?;
    pairs.into_iter().map(|pair| Ok(Standing { first: rows.visit_after(pair.id, None)?, pair })).collect()
}

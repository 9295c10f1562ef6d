//! The lead ledger in SQL. What its rows mean, and what becomes of them, is decided in `seatport::leads::ledger`.
//!
//! The functions there look at one row after the other, and a server that is asked for each would be asked all day. So the rows
//! that a transaction may need are locked and fetched together ([`load`]), the functions change them in memory ([`rows`]), and
//! the difference is stored together ([`store`]). Most messages open or prolong a visit of a pair that is known, and need of
//! their person no more than the newest visits; when a function asks for more, it is fetched and all is done again from
//! the start.

pub(crate) mod entry;
mod erase;
mod load;
mod rebuild;
mod rows;
mod store;

use seatport::leads::{Fact, PersonKey};
use seatport::{AgentId, SessionId, Timestamp};

use crate::error::Failure;
use crate::sql::Connection;
use crate::statements::Statements;

pub(crate) use erase::erase;
pub(crate) use rebuild::rebuild;

/// Something that the ledger is told by a commit.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The session of the commit.
    pub(crate) session: SessionId,
    /// When the session's account first logged in.
    pub(crate) first_login: Option<Timestamp>,
    /// The time of the commit.
    pub(crate) at: Timestamp,
    pub(crate) telling: Telling,
}

/// What the ledger is told.
#[derive(Clone, Debug)]
pub(crate) enum Telling {
    /// Who is bound to the session, and whether it ought to run, from the time of the commit on.
    Shift { agent: Option<AgentId>, running: bool },
    /// These two are one person.
    SamePerson(PersonKey, PersonKey),
    /// What happened between this person and the session.
    Fact(PersonKey, Fact),
}

/// Tells the ledger all this, in the given order, and answers what is left to be run for that. Once in a transaction, at a time
/// when it holds the sessions' rows.
///
/// One round trip for most tellings; one or two more where a person's other pairs or older visits have to be looked at.
pub(crate) async fn tell(tx: &Connection, told: &[Told]) -> Result<Statements, Failure> {
    if told.is_empty() {
        return Ok(Statements::default());
    }
    let mut loaded = load::begin(tx, told).await?;
    let mut missing = loaded.before_merges(told);
    loop {
        load::more(tx, &mut loaded, &missing).await?;
        let mut rows = loaded.clone();
        missing = rows.hear(told);
        if missing.is_empty() {
            return Ok(store::difference(&loaded, &rows));
        }
    }
}

#[cfg(test)]
mod tests;

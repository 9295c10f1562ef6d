//! One fact enters the ledger.

use super::change::Change;
use super::row::{Moment, Pair, PairFacts, Visit};
use super::rows::LedgerRows;
use super::standings;
use super::visits::Edit;
use crate::clock::Timestamp;
use crate::ids::SessionId;
use crate::leads::classify::Standing;
use crate::leads::{Fact, PersonKey};

/// Tells the ledger what happened between a person and a session whose account first logged in at `first_login`, in the
/// transaction that stores the message; `posted_at` is the time now. A fact that is known already changes nothing.
///
/// A message of a visit that is under way costs the same, whatever else is known of the person: it reads and writes one pair
/// and one visit. One that opens a visit looks at that visit's neighbours, and at the first visits of the person's other
/// pairs. All visits of a pair are read only when the pair begins or ceases to count: when the network's history shows that
/// the person was there before the account.
///
/// A session that was [erased](super::erase) must tell nothing more.
///
/// ```
/// use seatport::leads::{EntryClass, Fact, LeadWindow, PersonKey, Tables, ledger};
/// use seatport::{Random, SessionId, Timestamp};
///
/// let noon = Timestamp::from_millis(1_700_000_000_000);
/// let (session, person) = (SessionId::generate(noon, &Random::seeded(7)), PersonKey::from_bytes([7; 16]));
/// let mut tables = Tables::default();
/// let hello = Fact::Wrote { at: noon, id: "3EB0".parse()? };
/// for _ in 0..2 {
///     let Ok(()) = ledger::record(&mut tables, &person, session, Some(noon), &hello, noon);
/// }
///
/// let totals = tables.totals(noon - std::time::Duration::from_secs(900), noon);
/// assert_eq!((totals.len(), totals[0].count), (1, 1));
/// assert!(matches!(totals[0].entry.class, EntryClass::Lead { new_in } if new_in.contains(LeadWindow::Lifetime)));
/// # Ok::<(), seatport::Invalid>(())
/// ```
///
/// # Errors
/// Those of the rows; the transaction has to be rolled back then.
pub fn record<R: LedgerRows>(
    rows: &mut R,
    person: &PersonKey,
    session: SessionId,
    first_login: Option<Timestamp>,
    fact: &Fact,
    posted_at: Timestamp,
) -> Result<(), R::Error> {
    let person = match rows.person(person)? {
        Some(person) => person,
        None => rows.add_person(person)?,
    };
    let (pair, facts, added) = match rows.pair(person, session)? {
        Some(pair) => {
            let facts = pair.facts.with(first_login, fact);
            (pair, facts, false)
        }
        None => {
            let facts = PairFacts::default().with(first_login, fact);
            let id = rows.add_pair(person, session, &facts)?;
            (Pair { id, person, session, facts: PairFacts::default() }, facts, true)
        }
    };
    let edit = match fact {
        Fact::Wrote { at, id } => edit(rows, &pair, Moment::new(*at, id.clone()))?,
        Fact::Answered { .. } | Fact::Known { .. } => Edit::default(),
    };
    if facts == pair.facts && edit.only_prolongs() {
        return write(rows, &pair, &edit);
    }

    let first = rows.visit_after(pair.id, None)?;
    let before = Standing { pair: pair.clone(), first };
    let change = change(rows, &before, &facts, &edit)?;
    if facts != pair.facts && !added {
        rows.put_pair(&Pair { facts, ..pair.clone() })?;
    }
    write(rows, &pair, &edit)?;
    change.post(rows, posted_at, false)
}

/// What a message does to the visits of its pair.
fn edit<R: LedgerRows>(rows: &R, pair: &Pair, moment: Moment) -> Result<Edit, R::Error> {
    let before = rows.visit_until(pair.id, &moment)?;
    if before.as_ref().is_some_and(|visit| moment.at <= visit.end) {
        return Ok(Edit::default());
    }
    let after = rows.visit_after(pair.id, Some(&moment))?;
    Edit::of(&moment, before, after, || {
        let shift = rows.shift(pair.session, moment.at)?;
        let (agent, late) = shift.map_or((None, false), |shift| (shift.agent, !shift.running));
        Ok(Visit { start: moment.clone(), end: moment.at, agent, late })
    })
}

fn write<R: LedgerRows>(rows: &mut R, pair: &Pair, edit: &Edit) -> Result<(), R::Error> {
    let kept = edit.put.as_ref().map(|visit| &visit.start);
    for gone in edit.gone.iter().filter(|visit| Some(&visit.start) != kept) {
        rows.remove_visit(pair.id, &gone.start)?;
    }
    edit.put.as_ref().map_or(Ok(()), |visit| rows.put_visit(pair.id, visit))
}

/// What the figures lose and gain when a pair gets these facts and this edit of its visits.
fn change<R: LedgerRows>(rows: &R, before: &Standing, facts: &PairFacts, edit: &Edit) -> Result<Change, R::Error> {
    let pair = Pair { facts: facts.clone(), ..before.pair.clone() };
    let firsts_after = |visits: &[Visit]| Standing { pair: pair.clone(), first: visits.first().cloned() };

    // The visits that may count otherwise from now on: those edited, and the first, which may be the first no more.
    let mut visits: Vec<Visit> = before.first.iter().chain(&edit.gone).cloned().collect();
    visits.sort_unstable();
    visits.dedup();
    let mut after = firsts_after(&edit.apply(&visits));
    if before.class().counts() != after.class().counts() {
        visits = rows.visits(pair.id)?;
        after = firsts_after(&edit.apply(&visits));
    }

    let mut change = Change::default();
    change.returning(before, &visits, -1);
    change.returning(&after, &edit.apply(&visits), 1);
    let start = |standing: &Standing| standing.first.as_ref().map(|visit| visit.start.clone());
    if (before.entry(), start(before)) != (after.entry(), start(&after)) {
        let traces = rows.traces(pair.person)?;
        let mut standings = standings(rows, pair.person)?;
        standings.retain(|other| other.pair.id != pair.id);
        standings.push(before.clone());
        change.firsts(&standings, &traces, -1);
        standings.pop();
        standings.push(after);
        change.firsts(&standings, &traces, 1);
    }
    Ok(change)
}

//! Persons that turn out to be one, and sessions that leave the ledger.

use seatport::leads::ledger::LedgerRows;
use seatport::leads::{AdjustmentReason, EntryClass, LeadWindow, PersonKey};

use crate::log::{DAY, HOUR, SECOND};
use crate::office::{ANN, BOB, Office, at, mei};

const CAT: PersonKey = PersonKey::from_bytes([3; 16]);

fn new_ones(office: &Office) -> u64 {
    let new = |class| matches!(class, EntryClass::Lead { new_in } if new_in.contains(LeadWindow::Lifetime));
    office.totals().into_iter().filter(|total| new(total.entry.class)).map(|total| total.count).sum()
}

fn leads(office: &Office) -> u64 {
    let lead = |class| matches!(class, EntryClass::Lead { .. });
    office.totals().into_iter().filter(|total| lead(total.entry.class)).map(|total| total.count).sum()
}

#[test]
fn two_ids_of_one_person_are_counted_once_with_a_visible_correction() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).writes(BOB, 1, 2 * HOUR);
    assert_eq!((new_ones(&office), leads(&office)), (2, 2));
    office.same(ANN, BOB, 3 * HOUR).rebuilt();
    assert_eq!((new_ones(&office), leads(&office)), (1, 2));

    let made = office.adjustments();
    assert!(made.iter().all(|made| (made.reason, made.posted_at) == (AdjustmentReason::Merged, at(3 * HOUR))));
    let mut changes: Vec<_> = made.iter().map(|made| (made.entry.session, made.change)).collect();
    changes.sort_unstable();
    assert_eq!(changes, [(office.sessions[1], -1), (office.sessions[1], 1)]);
}

#[test]
fn to_hear_it_again_or_the_other_way_round_changes_nothing() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).writes(BOB, 1, 2 * HOUR).same(ANN, BOB, 3 * HOUR);
    let (totals, made) = (office.totals(), office.adjustments());
    office.same(BOB, ANN, 4 * HOUR).same(ANN, BOB, 4 * HOUR).same(ANN, ANN, 4 * HOUR).rebuilt();
    assert_eq!((office.totals(), office.adjustments()), (totals, made));
}

#[test]
fn the_visits_of_one_session_come_together_by_the_same_rule_as_ever() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).writes(ANN, 0, HOUR + DAY + DAY / 2).writes(BOB, 0, HOUR + DAY - SECOND);
    assert_eq!((new_ones(&office), office.entries().len()), (2, 3));
    office.same(ANN, BOB, 3 * DAY).rebuilt();
    assert_eq!((new_ones(&office), office.entries().len()), (1, 1));
}

#[test]
fn what_one_id_is_known_for_holds_for_the_other() {
    let mut office = Office::new();
    office.login = Some(at(DAY));
    office.writes(ANN, 0, 2 * DAY).writes(ANN, 0, 9 * DAY).known(BOB, 0, HOUR).same(BOB, ANN, 10 * DAY).rebuilt();
    assert_eq!(office.totals(), [], "the one is from before the first login, and so is the other");

    let mut office = Office::new();
    office.writes(ANN, 0, 2 * HOUR).answered(BOB, 0, HOUR, mei()).same(ANN, BOB, 3 * HOUR).rebuilt();
    assert_eq!(office.entries()[0].class, EntryClass::OutreachReply);
}

#[test]
fn ids_that_were_never_heard_of_are_remembered_as_one_person() {
    let mut office = Office::new();
    office.same(ANN, BOB, 0).same(BOB, CAT, 0).rebuilt();
    office.writes(CAT, 0, HOUR).writes(ANN, 1, 2 * HOUR).writes(BOB, 0, 3 * HOUR);
    assert_eq!((new_ones(&office), leads(&office)), (1, 2));
}

#[test]
fn ids_come_together_in_any_order() {
    let orders = [[(ANN, BOB), (BOB, CAT)], [(BOB, CAT), (BOB, ANN)], [(CAT, ANN), (CAT, BOB)]];
    let totals = orders.map(|order| {
        let mut office = Office::new();
        office.writes(CAT, 0, HOUR).writes(BOB, 1, 2 * HOUR).writes(ANN, 2, 3 * HOUR).writes(ANN, 0, 4 * HOUR);
        order.into_iter().for_each(|(a, b)| {
            office.same(a, b, 5 * HOUR);
        });
        office.rebuilt().totals()
    });
    assert!(totals.iter().all(|other| *other == totals[0]), "{totals:?}");
}

#[test]
fn a_deleted_session_s_people_are_known_when_they_return() {
    // To delete a session tells the ledger nothing.
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).writes(ANN, 1, 2 * HOUR);
    assert_eq!((new_ones(&office), leads(&office)), (1, 2));
}

#[test]
fn erasing_keeps_the_figures_to_the_byte_and_forgets_the_people() {
    let mut office = Office::new();
    office.shift(0, 0, Some("mei"), true);
    office.writes(ANN, 0, HOUR).answered(ANN, 0, 2 * HOUR, mei()).writes(ANN, 0, 9 * DAY).writes(BOB, 0, HOUR);
    office.same(BOB, CAT, 9 * DAY).answered(CAT, 0, HOUR - 1, mei());
    let before = serde_json::to_string(&office.totals()).unwrap();
    office.erase(0).rebuilt();
    assert_eq!(serde_json::to_string(&office.totals()).unwrap(), before);
    assert!(![ANN, BOB, CAT].into_iter().any(|person| office.knows(person)));
    let Ok(shift) = office.tables.shift(office.sessions[0], at(HOUR));
    assert_eq!(shift, None);

    office.erase(0).erase(0).rebuilt();
    assert_eq!(serde_json::to_string(&office.totals()).unwrap(), before, "once is enough");
}

#[test]
fn somebody_forgotten_is_new_again() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).erase(0).writes(ANN, 1, 2 * HOUR).rebuilt();
    assert_eq!(new_ones(&office), 2);
}

#[test]
fn an_id_that_was_the_same_person_is_forgotten_with_the_person() {
    let mut office = Office::new();
    office.same(ANN, BOB, 0).writes(ANN, 0, HOUR).erase(0).writes(ANN, 1, 2 * HOUR).writes(BOB, 1, 2 * HOUR);
    assert_eq!((new_ones(&office), leads(&office)), (3, 3));
}

#[test]
fn somebody_known_elsewhere_is_a_duplicate_there_still_and_at_any_later_change() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).writes(ANN, 1, 3 * HOUR);
    let before = office.totals();
    office.erase(0).rebuilt();
    assert_eq!(office.totals(), before);
    office.writes(ANN, 1, 2 * HOUR).writes(ANN, 2, 4 * HOUR).rebuilt();
    assert_eq!((new_ones(&office), leads(&office)), (1, 3), "only the lead of the erased session is new");

    office.erase(1).rebuilt();
    assert!(office.knows(ANN));
    office.erase(2).rebuilt();
    assert!(!office.knows(ANN), "nothing is left");
    assert_eq!((new_ones(&office), leads(&office)), (1, 3));
}

#[test]
fn leads_of_the_same_time_and_id_stay_what_they_are_whichever_is_erased() {
    for erased in 0..3 {
        let mut office = Office::new();
        (0..3).for_each(|session| {
            office.writes(ANN, session, HOUR);
        });
        let before = office.totals();
        office.erase(erased).writes(ANN, 0, 2 * HOUR).writes(ANN, 2, 2 * HOUR).rebuilt();
        let changed: Vec<_> = office.totals().into_iter().filter(|total| !before.contains(total)).collect();
        // Nothing may be told of an erased session; here it is, and counts as a person never seen there.
        assert!(changed.iter().all(|total| total.entry.session == office.sessions[erased]), "{changed:?}");
    }
}

#[test]
fn what_is_learnt_later_does_not_change_an_erased_session() {
    let mut office = Office::new();
    office.writes(ANN, 0, 2 * HOUR).writes(BOB, 1, 3 * HOUR).erase(0);
    office.same(ANN, BOB, 4 * HOUR).writes(BOB, 1, HOUR).rebuilt();
    assert_eq!((new_ones(&office), leads(&office)), (2, 2));
}

#[test]
fn who_was_nothing_leaves_nothing() {
    let mut office = Office::new();
    office.login = Some(at(DAY));
    office.known(ANN, 0, HOUR).writes(ANN, 0, 2 * DAY).writes(ANN, 1, 3 * DAY);
    assert_eq!((new_ones(&office), leads(&office)), (1, 1));
    office.erase(0).writes(ANN, 2, 4 * DAY).rebuilt();
    assert_eq!((new_ones(&office), leads(&office)), (1, 2));
}

#[test]
fn a_session_of_many_people_is_erased_as_a_whole() {
    let mut office = Office::new();
    let people: Vec<PersonKey> = (0..250).map(|n| PersonKey::from_bytes([n; 16])).collect();
    people.iter().for_each(|person| {
        office.writes(*person, 0, HOUR);
    });
    office.erase(0).rebuilt();
    assert_eq!(new_ones(&office), 250);
    assert!(!people.into_iter().any(|person| office.knows(person)));
}

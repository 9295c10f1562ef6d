//! Which changes of the figures are told as corrections, and which of them are shown.

use seatport::leads::{AdjustmentReason, Dimension, LeadQuery, visible};

use crate::log::{DAY, HOUR, SECOND};
use crate::office::{ANN, BOB, Office, at, mei};

#[test]
fn what_is_heard_of_within_48_hours_is_no_correction() {
    let quarter = DAY + 15 * 60 * SECOND;
    let mut office = Office::new();
    office.heard = Some(quarter + 2 * DAY - 1);
    office.writes(ANN, 0, quarter + SECOND).answered(ANN, 0, quarter + HOUR, mei());
    assert_eq!(office.adjustments(), []);

    office.heard = Some(quarter + 2 * DAY);
    office.writes(BOB, 0, quarter + SECOND);
    let made = office.adjustments();
    assert_eq!((made.len(), made[0].reason, made[0].change), (1, AdjustmentReason::Late, 1));
    assert_eq!((made[0].posted_at, &made[0].entry.reply), (at(quarter + 2 * DAY), &None));
}

#[test]
fn an_answer_after_two_days_is_a_correction_of_the_lead_s_day() {
    let mut office = Office::new();
    office.writes(ANN, 0, DAY).answered(ANN, 0, 3 * DAY, mei());
    let made = office.adjustments();
    let mut told: Vec<_> = made.iter().map(|made| (made.change, made.entry.reply.is_some())).collect();
    told.sort_unstable();
    assert_eq!(told, [(-1, false), (1, true)]);
}

#[test]
fn a_late_message_may_correct_another_session_s_lead() {
    let mut office = Office::new();
    office.writes(ANN, 0, DAY);
    office.heard = Some(9 * DAY);
    office.writes(ANN, 1, HOUR);
    let mut told: Vec<_> = office.adjustments().iter().map(|made| (made.entry.session, made.change)).collect();
    told.sort_unstable();
    assert_eq!(told, [(office.sessions[0], -1), (office.sessions[0], 1), (office.sessions[1], 1)]);
}

/// The first of January 1970 in UTC ends at 24 h and is sealed at 72 h.
#[test]
fn corrections_are_shown_once_their_day_is_sealed() {
    let mut office = Office::new();
    for (person, heard) in [(ANN, 3 * DAY - 1), (BOB, 3 * DAY)] {
        office.heard = Some(heard);
        office.writes(person, 0, HOUR);
    }
    let made = office.adjustments();
    assert_eq!(made.len(), 2);

    let query = |zone: &str| LeadQuery::new("1970-01-01".parse().unwrap(), 1, zone).unwrap();
    let shown = visible(&query("UTC"), &made);
    assert_eq!((shown.len(), shown[0].adjustment.posted_at), (1, at(3 * DAY)));
    assert_eq!(shown[0].day.to_string(), "1970-01-01");
    assert_eq!(visible(&query("America/New_York"), &made), [], "there it is still 1969");
    assert_eq!(visible(&query("Asia/Shanghai"), &made).len(), 2, "there the day ended 8 hours earlier");
}

#[test]
fn what_a_merge_changed_is_shown_at_once() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).writes(BOB, 1, 2 * HOUR).same(ANN, BOB, 3 * HOUR);
    let query = LeadQuery::new("1970-01-01".parse().unwrap(), 1, "UTC").unwrap();
    assert_eq!(visible(&query, &office.adjustments()).len(), 2);

    let elsewhere = query.clone().sessions([office.sessions[0]]);
    assert_eq!(visible(&elsewhere, &office.adjustments()), [], "the report has nothing of that session");
    let somebody = query.agents(["mei".parse().unwrap()]);
    assert_eq!(visible(&somebody, &office.adjustments()), [], "nor of what was bound to nobody");
}

#[test]
fn of_an_agent_s_report_are_the_answers_the_agent_wrote_too_and_only_by_agent() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).writes(BOB, 1, 2 * HOUR).answered(BOB, 1, 2 * HOUR + SECOND, mei());
    office.same(ANN, BOB, 3 * HOUR);
    let query = LeadQuery::new("1970-01-01".parse().unwrap(), 1, "UTC").unwrap();
    let query = query.agents(["mei".parse().unwrap()]);
    assert_eq!(visible(&query, &office.adjustments()), [], "the lead was bound to nobody");
    let query = query.by([Dimension::Agent]).unwrap();
    assert_eq!(visible(&query, &office.adjustments()).len(), 2);
}

#[test]
fn erasing_corrects_nothing() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).writes(ANN, 1, 2 * HOUR).erase(0).rebuilt();
    assert_eq!(office.adjustments(), []);
}

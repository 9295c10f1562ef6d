//! Queries and reports.

use seatport::conversation::Author;
use seatport::leads::{Attribution, Day, Dimension, LeadClass, LeadQuery, LeadReport, LeadWindow, MAX_DAYS, PersonKey};
use seatport::{Invalid, Timestamp};

use crate::log::{DAY, HOUR, SECOND};
use crate::office::{ANN, BOB, Office, at, mei, mei_id, report};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn query(from: &str, days: u16, zone: &str) -> LeadQuery {
    LeadQuery::new(day(from), days, zone).unwrap()
}

fn told(result: Result<LeadQuery, Invalid>) -> String {
    result.unwrap_err().to_string()
}

/// Begin and end of the only day.
fn range(from: &str, zone: &str, reset: &str) -> (String, String) {
    let (from, until) = query(from, 1, zone).reset(reset).unwrap().range();
    (from.to_string(), until.to_string())
}

fn lasts(from: &str, zone: &str, reset: &str) -> u64 {
    let (from, until) = query(from, 1, zone).reset(reset).unwrap().range();
    until.since(from).as_secs() / 60
}

#[test]
fn what_cannot_be_asked_is_told_with_the_way_out() {
    let new = |days, zone| LeadQuery::new(day("2026-03-29"), days, zone);
    assert_eq!(told(new(0, "UTC")), "invalid number of days: 0; ask for 1 to 366 days at a time");
    assert_eq!(told(new(MAX_DAYS + 1, "UTC")), "invalid number of days: 367; ask for 1 to 366 days at a time");
    assert!(new(MAX_DAYS, "UTC").is_ok());
    for zone in ["", "Berlin", "UTC+8", "Etc/Unknown", "../etc/passwd"] {
        assert_eq!(
            told(new(1, zone)),
            format!("invalid time zone: {zone:?} is not in the IANA database; write it like Asia/Shanghai")
        );
    }
    assert_eq!(
        told(new(1, "UTC").unwrap().reset("04:10")),
        "invalid reset time: 04:10 is not on a quarter of an hour; write it like 04:15, in steps of 15 minutes"
    );
    for time in ["", "4:00", "24:00", "04:60", "04:00:00", "-4:00", "ab:cd"] {
        assert!(told(new(1, "UTC").unwrap().reset(time)).contains("is no time of day"), "{time}");
    }
    assert_eq!(
        told(new(1, "UTC").unwrap().by([Dimension::Day, Dimension::Class, Dimension::Day])),
        "invalid dimensions: Day is named twice; name it once"
    );
    assert!(told(LeadQuery::new(day("9999-12-31"), 2, "UTC")).contains("is too far away"));
}

#[test]
fn a_day_is_written_in_one_way() {
    for text in ["2026-02-29", "2026-3-29", "20260329", "2026-03-29T00:00", " 2026-03-29", "", "today"] {
        assert!(text.parse::<Day>().is_err(), "{text}");
    }
    assert_eq!(serde_json::to_string(&day("2026-03-29")).unwrap(), "\"2026-03-29\"");
    assert!(serde_json::from_str::<Day>("\"2026-02-30\"").is_err());
}

#[test]
fn a_day_is_as_long_as_its_clocks_make_it() {
    assert_eq!(
        range("2026-03-29", "Europe/Berlin", "00:00"),
        ("2026-03-28T23:00:00Z".into(), "2026-03-29T22:00:00Z".into())
    );
    assert_eq!(lasts("2026-03-29", "Europe/Berlin", "00:00"), 23 * 60);
    assert_eq!(lasts("2026-10-25", "Europe/Berlin", "00:00"), 25 * 60);
    assert_eq!(lasts("2026-04-05", "Australia/Lord_Howe", "00:00"), 24 * 60 + 30);
    assert_eq!(lasts("2026-07-01", "Asia/Kathmandu", "00:00"), 24 * 60);
    assert_eq!(
        range("2026-07-01", "Asia/Kathmandu", "04:15"),
        ("2026-06-30T22:30:00Z".into(), "2026-07-01T22:30:00Z".into())
    );
    assert_eq!(lasts("2011-12-30", "Pacific/Apia", "00:00"), 0, "Samoa left the day out");
}

#[test]
fn a_reset_time_that_the_clocks_skip_comes_as_much_later_as_they_skip() {
    // Put forward from 02:00 to 03:00.
    let (from, _) = range("2026-03-29", "Europe/Berlin", "02:30");
    assert_eq!(from, "2026-03-29T01:30:00Z", "03:30 in summer time");
    assert_eq!(lasts("2026-03-28", "Europe/Berlin", "02:30"), 24 * 60);
    assert_eq!(lasts("2026-03-29", "Europe/Berlin", "02:30"), 23 * 60);
}

#[test]
fn of_a_reset_time_that_the_clocks_show_twice_the_first_counts() {
    // Put back from 03:00 to 02:00.
    let (from, _) = range("2026-10-25", "Europe/Berlin", "02:30");
    assert_eq!(from, "2026-10-25T00:30:00Z");
    assert_eq!(lasts("2026-10-25", "Europe/Berlin", "02:30"), 25 * 60);
}

#[test]
fn days_are_half_open_and_every_day_has_its_row() {
    let mut office = Office::new();
    office.writes(ANN, 0, DAY - 1).writes(BOB, 0, DAY);
    let query = query("1970-01-01", 3, "UTC").by([Dimension::Day]).unwrap();
    let period = report(&office.tables, &query, at(4 * DAY)).current;
    let rows: Vec<_> = period.rows.iter().map(|row| (row.day.unwrap(), row.sealed, row.figures.new)).collect();
    assert_eq!(
        rows,
        [(day("1970-01-01"), Some(true), 1), (day("1970-01-02"), Some(true), 1), (day("1970-01-03"), Some(false), 0)],
        "sealed 48 hours after the end"
    );
    assert_eq!((period.total.new, period.sealed), (2, false));
    assert!(report(&office.tables, &query, at(5 * DAY)).current.sealed);
    assert!(!report(&office.tables, &query, at(5 * DAY - 1)).current.sealed);
}

/// Mei is bound; Ann is answered by Li, Bob from the phone; somebody came while nobody was bound, and was not answered.
fn three_leads() -> Office {
    let mut office = Office::new();
    office.shift(0, 0, None, true).shift(0, HOUR, Some("mei"), true);
    office.writes(PersonKey::from_bytes([3; 16]), 0, HOUR - 1).writes(ANN, 0, HOUR).writes(BOB, 0, HOUR);
    office.answered(ANN, 0, HOUR + 10 * SECOND, Author::Agent("li".parse().unwrap()));
    office.answered(BOB, 0, HOUR + 30 * SECOND, Author::Device);
    office
}

#[test]
fn by_agent_a_lead_belongs_to_who_was_bound_and_an_answer_to_who_wrote_it() {
    let office = three_leads();
    let query = query("1970-01-01", 1, "UTC").by([Dimension::Agent]).unwrap();
    let period = report(&office.tables, &query, at(0)).current;
    let rows: Vec<_> = period
        .rows
        .iter()
        .map(|row| {
            let figures = row.figures;
            (row.agent.clone().unwrap(), figures.new, figures.replied, figures.unanswered, figures.responses.mean)
        })
        .collect();
    assert_eq!(
        rows,
        [
            (Attribution::Agent("li".parse().unwrap()), 0, 0, 0, Some(10)),
            (Attribution::Agent(mei_id()), 2, 2, 0, None),
            (Attribution::Unassigned, 1, 0, 1, None),
            (Attribution::Device, 0, 0, 0, Some(30)),
        ]
    );
    assert_eq!((period.total.new, period.total.responses.count, period.total.responses.mean), (3, 2, Some(20)));
}

#[test]
fn elsewhere_answers_are_those_to_the_row_s_leads() {
    let office = three_leads();
    let query = query("1970-01-01", 1, "UTC").by([Dimension::Class]).unwrap().agents([mei_id()]);
    let period = report(&office.tables, &query, at(0)).current;
    assert_eq!(period.rows.len(), 1);
    assert_eq!(period.rows[0].class, Some(LeadClass::New));
    assert_eq!((period.rows[0].figures.new, period.rows[0].figures.responses.mean), (2, Some(20)));
}

#[test]
fn only_the_agents_asked_for_have_rows() {
    let office = three_leads();
    let query = query("1970-01-01", 1, "UTC").by([Dimension::Agent]).unwrap();
    let rows =
        |agent: &str| report(&office.tables, &query.clone().agents([agent.parse().unwrap()]), at(0)).current.rows;
    assert_eq!((rows("li").len(), rows("li")[0].figures.responses.count), (1, 1));
    assert_eq!((rows("mei").len(), rows("mei")[0].figures.responses.count), (1, 0));
}

#[test]
fn the_window_decides_who_is_new() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).writes(ANN, 1, HOUR + 7 * DAY);
    let query = query("1970-01-08", 1, "UTC");
    let total = |window| report(&office.tables, &query.clone().window(window), at(0)).current.total;
    assert_eq!((total(LeadWindow::Lifetime).new, total(LeadWindow::Lifetime).duplicate), (0, 1));
    assert_eq!((total(LeadWindow::Days7).new, total(LeadWindow::Days7).duplicate), (1, 0));
}

#[test]
fn the_days_before_stand_beside_these_when_asked_for() {
    let mut office = Office::new();
    office.writes(ANN, 0, 3 * DAY + HOUR).writes(BOB, 0, 5 * DAY).answered(BOB, 0, 5 * DAY + HOUR, mei());
    let query = query("1970-01-05", 2, "UTC");
    assert_eq!(report(&office.tables, &query, at(0)).before, None);
    assert_eq!(query.range_before(), None);
    let query = query.compare();
    assert_eq!((query.range(), query.range_before()), ((at(4 * DAY), at(6 * DAY)), Some((at(2 * DAY), at(4 * DAY)))));
    let LeadReport { current, before } = report(&office.tables, &query, at(7 * DAY));
    let before = before.unwrap();
    assert_eq!((current.total.new, current.total.replied, current.sealed), (1, 1, false));
    assert_eq!((before.total.new, before.total.replied, before.sealed), (1, 0, true));
}

#[test]
fn totals_of_other_times_and_sessions_are_left_out() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).writes(ANN, 1, HOUR).writes(BOB, 0, 2 * DAY);
    let query = query("1970-01-01", 1, "UTC").sessions([office.sessions[0]]);
    let totals = office.totals();
    let LeadReport { current, .. } = LeadReport::new(&query, &totals, &[], at(0));
    assert_eq!(current.total.new + current.total.duplicate, 1);
}

#[test]
fn a_report_has_one_form_to_the_byte() {
    let office = three_leads();
    let query = query("1970-01-01", 1, "UTC").by([Dimension::Day, Dimension::Agent]).unwrap();
    let report = report(&office.tables, &query, Timestamp::from_millis(0));
    let json = serde_json::to_string(&report).unwrap();
    assert!(json.starts_with(
        r#"{"current":{"from":0,"until":86400000,"sealed":false,"rows":[{"day":"1970-01-01","sealed":false,"session":null,"agent":{"Agent":"li"},"class":null,"figures":{"new":0,"duplicate":0,"returning":0,"outreach_replies":0,"late":0,"replied":0,"unanswered":0,"responses":{"count":1,"mean":10,"p50":10,"p90":10}}},"#
    ), "{json}");
    assert!(json.ends_with(r#""responses":{"count":2,"mean":20,"p50":10,"p90":30}}},"before":null}"#), "{json}");
    assert_eq!(serde_json::from_str::<LeadReport>(&json).unwrap(), report);
}

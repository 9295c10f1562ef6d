//! The CSV export.

use std::collections::BTreeMap;

use seatport::leads::{CsvOptions, Dimension, LeadQuery};

use crate::log::{HOUR, SECOND};
use crate::office::{ANN, BOB, Office, at, report};

/// Bound to an agent whose id is a formula, and answered from the phone.
fn office() -> Office {
    let mut office = Office::new();
    office.shift(0, 0, Some("=HYPERLINK(\"http://evil\",\"1\")"), true);
    office.writes(ANN, 0, HOUR).writes(BOB, 0, HOUR);
    office.answered(ANN, 0, HOUR + 5 * SECOND, seatport::conversation::Author::Device);
    office
}

fn query(by: impl IntoIterator<Item = Dimension>) -> LeadQuery {
    LeadQuery::new("1970-01-01".parse().unwrap(), 1, "UTC").unwrap().by(by).unwrap()
}

fn csv(query: &LeadQuery, options: &CsvOptions) -> String {
    String::from_utf8(report(&office().tables, query, at(0)).to_csv(query, options)).unwrap()
}

#[test]
fn a_formula_is_written_as_text() {
    assert_eq!(
        csv(&query([Dimension::Agent]), &CsvOptions::default()),
        "attribution,agent,new,duplicate,returning,outreach_replies,late,replied,unanswered,responses,mean_seconds,\
         p50_seconds,p90_seconds\r\n\
         agent,\"'=HYPERLINK(\"\"http://evil\"\",\"\"1\"\")\",2,0,0,0,0,1,1,0,,,\r\n\
         device,,0,0,0,0,0,0,0,1,5,5,5\r\n"
    );
}

#[test]
fn whatever_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe_and_nothing_else_does() {
    let office = office();
    let query = query([Dimension::Session]);
    let cell = |name: &str| {
        let sessions = BTreeMap::from([(office.sessions[0], name.to_owned())]);
        let csv = report(&office.tables, &query, at(0)).to_csv(&query, &CsvOptions { sessions, ..Default::default() });
        let mut reader = csv::Reader::from_reader(csv.as_slice());
        assert_eq!(reader.headers().unwrap().iter().take(3).collect::<Vec<_>>(), ["session", "session_name", "new"]);
        reader.records().next().unwrap().unwrap()[1].to_owned()
    };
    for name in ["=1", "+1", "-1", "@A1", "\tx", "\r=1", "\n=1", "\0=1", "＝1", "＋1", "－1", "＠x"] {
        assert_eq!(cell(name), format!("'{name}"));
    }
    for name in ["", "1=1", "客服, 1号", "\"quoted\"", " =1", "'=1", "two\r\nlines"] {
        assert_eq!(cell(name), name);
    }
}

#[test]
fn dimensions_are_columns_in_their_order_and_names_stand_beside_ids() {
    let office = office();
    let options = CsvOptions {
        bom: true,
        sessions: BTreeMap::from([(office.sessions[0], "客服".to_owned())]),
        agents: BTreeMap::from([("mei".parse().unwrap(), "Mei".to_owned())]),
    };
    let csv = csv(&query([Dimension::Class, Dimension::Agent, Dimension::Session, Dimension::Day]), &options);
    let lines: Vec<&str> = csv.lines().collect();
    assert!(
        lines[0].starts_with("\u{feff}class,attribution,agent,agent_name,session,session_name,day,sealed,new,"),
        "{csv}"
    );
    assert!(lines[2].starts_with(&format!("new,device,,,{},客服,1970-01-01,false,0,", office.sessions[0])), "{csv}");
    assert_eq!(lines.len(), 3);
}

#[test]
fn a_period_to_compare_with_comes_after_the_current_one() {
    let csv = csv(&query([]).compare(), &CsvOptions::default());
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("period,new,"), "{csv}");
    assert_eq!(lines[1..], ["current,2,0,0,0,0,1,1,1,5,5,5", "before,0,0,0,0,0,0,0,0,,,"]);
}

#[test]
fn lines_end_as_rfc_4180_says() {
    let csv = csv(&query([]), &CsvOptions::default());
    assert_eq!((csv.matches("\r\n").count(), csv.matches('\n').count()), (2, 2));
    assert!(!csv.starts_with('\u{feff}'));
}

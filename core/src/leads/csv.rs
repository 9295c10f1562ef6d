//! A lead report for spreadsheets.

use std::collections::BTreeMap;

use csv::{Terminator, WriterBuilder};

use super::{Attribution, Dimension, LeadClass, LeadPeriod, LeadQuery, LeadReport, LeadRow};
use crate::ids::{AgentId, SessionId};

/// How a report is written as CSV.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// Whether a byte order mark goes first: without it, Excel takes UTF-8 for the machine's own code page.
    pub bom: bool,
    /// What people call the sessions. If there are any, a column with these names stands beside the ids.
    pub sessions: BTreeMap<SessionId, String>,
    /// What people call the agents. If there are any, a column with these names stands beside the ids.
    pub agents: BTreeMap<AgentId, String>,
}

/// What a spreadsheet takes for the beginning of a formula, or skips on the way to one; the wide forms too, which a keyboard
/// for Chinese types.
const FORMULA: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'];

const FIGURES: [&str; 11] = [
    "new",
    "duplicate",
    "returning",
    "outreach_replies",
    "late",
    "replied",
    "unanswered",
    "responses",
    "mean_seconds",
    "p50_seconds",
    "p90_seconds",
];

impl LeadReport {
    /// The rows as CSV (RFC 4180), in UTF-8: a header, then a line for each row. The columns are the query's dimensions in
    /// their order, then the figures; a period to compare with comes after the current one, told apart by a first column. An
    /// agent, "unassigned" and "device" are told apart by the column `attribution`.
    ///
    /// A text that a spreadsheet would take for a formula gets an apostrophe in front: ids and names are anybody's to choose.
    ///
    /// ```
    /// use seatport::leads::{CsvOptions, Dimension, LeadQuery, LeadReport};
    /// let query = LeadQuery::new("2026-03-29".parse()?, 1, "UTC")?.by([Dimension::Day])?;
    /// let report = LeadReport::new(&query, &[], &[], query.range().0);
    /// assert_eq!(
    ///     String::from_utf8(report.to_csv(&query, &CsvOptions::default())).unwrap(),
    ///     "day,sealed,new,duplicate,returning,outreach_replies,late,replied,unanswered,\
    ///      responses,mean_seconds,p50_seconds,p90_seconds\r\n\
    ///      2026-03-29,false,0,0,0,0,0,0,0,0,,,\r\n",
    /// );
    /// # Ok::<(), seatport::Invalid>(())
    /// ```
    #[must_use]
    pub fn to_csv(&self, query: &LeadQuery, options: &CsvOptions) -> Vec<u8> {
        let mut lines = vec![self.header(query, options)];
        let period = |name: &'static str| self.before.is_some().then(|| name.to_owned());
        lines.extend(period_lines(&self.current, period("current"), query, options));
        lines.extend(self.before.iter().flat_map(|before| period_lines(before, period("before"), query, options)));

        let start = if options.bom { "\u{feff}".into() } else { Vec::new() };
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(start);
        for line in lines {
            // A vector takes everything, and all lines are equally long.
            let _ = writer.write_record(line);
        }
        writer.into_inner().unwrap_or_default()
    }

    fn header(&self, query: &LeadQuery, options: &CsvOptions) -> Vec<String> {
        let mut header: Vec<&str> = self.before.iter().map(|_| "period").collect();
        for dimension in query.dimensions() {
            match dimension {
                Dimension::Day => header.extend(["day", "sealed"]),
                Dimension::Session => header.extend(named(["session", "session_name"], options.sessions.is_empty())),
                Dimension::Agent => {
                    header.push("attribution");
                    header.extend(named(["agent", "agent_name"], options.agents.is_empty()));
                }
                Dimension::Class => header.push("class"),
            }
        }
        header.into_iter().chain(FIGURES).map(str::to_owned).collect()
    }
}

fn period_lines(
    period: &LeadPeriod,
    name: Option<String>,
    query: &LeadQuery,
    options: &CsvOptions,
) -> impl Iterator<Item = Vec<String>> {
    period.rows.iter().map(move |row| {
        let places = query.dimensions().iter().flat_map(|dimension| place(row, *dimension, options));
        name.clone().into_iter().chain(places).chain(figures(row)).collect()
    })
}

/// The cells of a row in one dimension.
fn place(row: &LeadRow, dimension: Dimension, options: &CsvOptions) -> Vec<String> {
    match dimension {
        Dimension::Day => vec![cell(row.day), cell(row.sealed)],
        Dimension::Session => {
            let name = row.session.and_then(|session| options.sessions.get(&session));
            named([text(&cell(row.session)), text(&cell(name))], options.sessions.is_empty()).collect()
        }
        Dimension::Agent => {
            let (attribution, agent) = match &row.agent {
                Some(Attribution::Agent(agent)) => ("agent", Some(agent)),
                Some(Attribution::Unassigned) => ("unassigned", None),
                Some(Attribution::Device) => ("device", None),
                None => ("", None),
            };
            let name = agent.and_then(|agent| options.agents.get(agent));
            let cells = named([text(&cell(agent)), text(&cell(name))], options.agents.is_empty());
            std::iter::once(attribution.to_owned()).chain(cells).collect()
        }
        Dimension::Class => {
            let class = row.class.map(|class| match class {
                LeadClass::New => "new",
                LeadClass::Duplicate => "duplicate",
                LeadClass::Returning => "returning",
                LeadClass::OutreachReply => "outreach_reply",
            });
            vec![cell(class)]
        }
    }
}

fn figures(row: &LeadRow) -> [String; 11] {
    let figures = &row.figures;
    let responses = figures.responses;
    [
        figures.new.to_string(),
        figures.duplicate.to_string(),
        figures.returning.to_string(),
        figures.outreach_replies.to_string(),
        figures.late.to_string(),
        figures.replied.to_string(),
        figures.unanswered.to_string(),
        responses.count.to_string(),
        cell(responses.mean),
        cell(responses.p50),
        cell(responses.p90),
    ]
}

/// An id and a name, the latter only where there are names.
fn named<T>(cells: [T; 2], nameless: bool) -> impl Iterator<Item = T> {
    cells.into_iter().take(if nameless { 1 } else { 2 })
}

/// What there is, or nothing.
fn cell(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A text that somebody chose, so that no spreadsheet takes it for a formula.
fn text(cell: &str) -> String {
    if cell.starts_with(FORMULA) { format!("'{cell}") } else { cell.to_owned() }
}

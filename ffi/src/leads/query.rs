//! What a lead report is asked for.

use std::collections::HashMap;

use seatport::{AgentId, Invalid, SessionId, leads};

use crate::mirror::mirror;

mirror! {
    /// What the rows of a report are told apart by.
    LeadDimension = leads::Dimension {
        /// The day.
        Day,
        /// The session.
        Session,
        /// The agent: of a lead the one bound to the session, of a reply the one who wrote it.
        Agent,
        /// What visits count as.
        Class,
    }
}

mirror! {
    /// How long somebody who was counted as new is remembered as such.
    LeadWindow = leads::LeadWindow {
        /// For ever.
        Lifetime,
        /// For 7 days.
        Days7,
        /// For 30 days.
        Days30,
        /// For 90 days.
        Days90,
    }
}

/// What a lead report is asked for: which days, in which zone, counted how, and in which rows.
///
/// A day begins when the clocks of the zone show the reset time and lasts until the next day begins: 23 or 25 hours when they
/// are put forward or back.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LeadQuery {
    /// The first day, written as in ISO 8601: `2026-03-29`.
    pub from_day: String,
    /// How many days, 1 to 366.
    pub days: u32,
    /// The IANA time zone whose days they are: `Asia/Shanghai`.
    pub zone: String,
    /// When a day begins: `HH:MM`, a multiple of 15 minutes. If the clocks skip it, the day begins as much later as they skip; if
    /// they show it twice, at the first. Midnight, if left out.
    #[uniffi(default = None)]
    pub reset: Option<String>,
    /// How long after the last time a person is counted as new again. Never, if left out.
    #[uniffi(default = None)]
    pub window: Option<LeadWindow>,
    /// What rows are told apart by, and sorted by in this order. One row for everything, if left out.
    #[uniffi(default)]
    pub by: Vec<LeadDimension>,
    /// Only the sessions with these ids. All of them, if left out.
    #[uniffi(default = None)]
    pub sessions: Option<Vec<String>>,
    /// Only the agents with these ids: the leads bound to them, and, in rows by agent, the replies they wrote. All of them, if
    /// left out.
    #[uniffi(default = None)]
    pub agents: Option<Vec<String>>,
    /// Puts as many days before these beside them.
    #[uniffi(default = false)]
    pub compare: bool,
}

impl TryFrom<LeadQuery> for leads::LeadQuery {
    type Error = Invalid;

    fn try_from(query: LeadQuery) -> Result<Self, Invalid> {
        let days = u16::try_from(query.days).unwrap_or(u16::MAX);
        let mut core = Self::new(query.from_day.parse()?, days, &query.zone)?;
        if let Some(reset) = query.reset {
            core = core.reset(&reset)?;
        }
        if let Some(window) = query.window {
            core = core.window(window.into());
        }
        core = core.by(query.by.into_iter().map(Into::into))?;
        if let Some(sessions) = query.sessions {
            core = core.sessions(sessions.iter().map(|id| id.parse()).collect::<Result<Vec<SessionId>, _>>()?);
        }
        if let Some(agents) = query.agents {
            core = core.agents(agents.iter().map(|id| id.parse()).collect::<Result<Vec<AgentId>, _>>()?);
        }
        Ok(if query.compare { core.compare() } else { core })
    }
}

/// How a report is written as CSV.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct CsvOptions {
    /// Whether a byte order mark goes first: without it, Excel takes UTF-8 for the machine's own code page.
    #[uniffi(default = false)]
    pub bom: bool,
    /// What people call the sessions, by id. If there are any, a column with these names stands beside the ids.
    #[uniffi(default)]
    pub sessions: HashMap<String, String>,
    /// What people call the agents, by id. If there are any, a column with these names stands beside the ids.
    #[uniffi(default)]
    pub agents: HashMap<String, String>,
}

impl TryFrom<CsvOptions> for leads::CsvOptions {
    type Error = Invalid;

    fn try_from(options: CsvOptions) -> Result<Self, Invalid> {
        Ok(Self {
            bom: options.bom,
            sessions: options
                .sessions
                .into_iter()
                .map(|(id, name)| Ok((id.parse()?, name)))
                .collect::<Result<_, _>>()?,
            agents: options.agents.into_iter().map(|(id, name)| Ok((id.parse()?, name))).collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query() -> LeadQuery {
        LeadQuery {
            from_day: "2026-03-29".into(),
            days: 7,
            zone: "Europe/Berlin".into(),
            reset: None,
            window: None,
            by: Vec::new(),
            sessions: None,
            agents: None,
            compare: false,
        }
    }

    fn core(query: LeadQuery) -> Result<leads::LeadQuery, Invalid> {
        query.try_into()
    }

    #[test]
    fn a_query_with_nothing_left_out_is_the_one_that_core_builds() {
        let (session, agent) = (SessionId::from_bytes([7; 16]), AgentId::new("li").unwrap());
        let built = leads::LeadQuery::new("2026-03-29".parse().unwrap(), 7, "Europe/Berlin").unwrap();
        assert_eq!(core(query()).unwrap(), built);
        let full = LeadQuery {
            reset: Some("04:15".into()),
            window: Some(LeadWindow::Days30),
            by: vec![LeadDimension::Agent, LeadDimension::Day],
            sessions: Some(vec![session.to_string()]),
            agents: Some(vec!["li".into()]),
            compare: true,
            ..query()
        };
        let built = built.reset("04:15").unwrap().window(leads::LeadWindow::Days30);
        let built = built.by([leads::Dimension::Agent, leads::Dimension::Day]).unwrap();
        assert_eq!(core(full).unwrap(), built.sessions([session]).agents([agent]).compare());
    }

    #[test]
    fn an_empty_list_asks_for_nobody_and_none_for_everybody() {
        let nobody = core(LeadQuery { sessions: Some(Vec::new()), agents: Some(Vec::new()), ..query() }).unwrap();
        assert_ne!(nobody, core(query()).unwrap());
    }

    #[test]
    fn each_part_of_a_query_is_checked() {
        let refused = [
            (LeadQuery { from_day: "29.3.2026".into(), ..query() }, "day"),
            (LeadQuery { days: 0, ..query() }, "number of days"),
            (LeadQuery { days: 367, ..query() }, "number of days"),
            (LeadQuery { days: 65_536 + 7, ..query() }, "number of days"),
            (LeadQuery { zone: "Berlin".into(), ..query() }, "time zone"),
            (LeadQuery { reset: Some("4:15".into()), ..query() }, "reset time"),
            (LeadQuery { by: vec![LeadDimension::Day, LeadDimension::Day], ..query() }, "dimensions"),
            (LeadQuery { sessions: Some(vec!["seat 1".into()]), ..query() }, "session id"),
            (LeadQuery { agents: Some(vec![String::new()]), ..query() }, "agent id"),
        ];
        for (query, field) in refused {
            assert_eq!(core(query).unwrap_err().field, field);
        }
    }

    #[test]
    fn names_for_a_spreadsheet_stand_beside_ids_that_exist() {
        let names =
            |id: &str| CsvOptions { sessions: [(id.to_owned(), "Front desk".into())].into(), ..Default::default() };
        let session = SessionId::from_bytes([7; 16]);
        let core = leads::CsvOptions::try_from(names(&session.to_string())).unwrap();
        assert_eq!(core.sessions[&session], "Front desk");
        assert_eq!(leads::CsvOptions::try_from(names("seat 1")).unwrap_err().field, "session id");
    }
}

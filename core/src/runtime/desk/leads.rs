//! The data centre (数据中心): lead figures, for supervisors only.

use super::Desk;
use crate::audit::Outcome;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::leads::{Attribution, CsvOptions, LeadQuery, LeadReport, LeadTotal, VisibleAdjustment, visible};
use crate::policy::Action;
use crate::session::SessionRecord;

impl Desk {
    /// The lead figures that the query asks for. Supervisors only. What it costs follows the days asked for, not the messages
    /// stored.
    ///
    /// ```
    /// use seatport::leads::{Dimension, LeadQuery};
    /// use seatport::{Desk, Error};
    ///
    /// async fn this_week(desk: &Desk) -> Result<(), Error> {
    ///     let query = LeadQuery::new("2026-03-23".parse()?, 7, "Asia/Shanghai")?.by([Dimension::Agent])?;
    ///     for row in desk.leads(&query).await?.current.rows {
    ///         println!("{:?}: {} new, {} duplicate", row.agent, row.figures.new, row.figures.duplicate);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn leads(&self, query: &LeadQuery) -> Result<LeadReport, Error> {
        self.admit(Action::ViewDataCentre, None).await?;
        let totals = self.totals(Some(query.range())).await?;
        let before = self.totals(query.range_before()).await?;
        Ok(LeadReport::new(query, &totals, &before, self.node().now()))
    }

    /// The same figures for a spreadsheet. Beside the id of a session stands its remark, or else its account, and beside that
    /// of an agent the name, as far as they are there still; names that `options` gives go before. Supervisors only.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn export_leads(&self, query: &LeadQuery, options: CsvOptions) -> Result<Vec<u8>, Error> {
        let report = self.leads(query).await?;
        let mut names = CsvOptions { bom: options.bom, ..CsvOptions::default() };
        let rows = report.current.rows.iter().chain(report.before.iter().flat_map(|before| &before.rows));
        for row in rows {
            if let Some(session) = row.session
                && !names.sessions.contains_key(&session)
                && let Some(stored) = self.node().storage.session(session).await?
            {
                names.sessions.insert(session, called(&stored.record));
            }
            if let Some(Attribution::Agent(agent)) = &row.agent
                && !names.agents.contains_key(agent)
                && let Some(known) = self.node().storage.agent(agent).await?
            {
                names.agents.insert(agent.clone(), known.name);
            }
        }
        names.sessions.extend(options.sessions);
        names.agents.extend(options.agents);
        Ok(report.to_csv(query, &names))
    }

    /// The corrections that belong beside the [figures](Self::leads) of the query: what changed in a day after it was sealed,
    /// and what changed because two ids turned out to be one person. Supervisors only.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn lead_adjustments(&self, query: &LeadQuery) -> Result<Vec<VisibleAdjustment>, Error> {
        self.admit(Action::ViewDataCentre, None).await?;
        let (from, until) = query.range();
        Ok(visible(query, &self.node().storage.lead_adjustments(from, until).await?))
    }

    /// Computes all lead figures anew from the ledger. Nothing changes by it, unless they were wrong. Supervisors only.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn rebuild_leads(&self) -> Result<(), Error> {
        self.admit(Action::ViewDataCentre, None).await?;
        self.node().storage.rebuild_leads().await?;
        Ok(self.node().storage.record(self.line(Action::ViewDataCentre, None, Outcome::Done)).await?)
    }

    async fn totals(&self, range: Option<(Timestamp, Timestamp)>) -> Result<Vec<LeadTotal>, Error> {
        match range {
            Some((from, until)) => Ok(self.node().storage.lead_totals(from, until).await?),
            None => Ok(Vec::new()),
        }
    }
}

/// What people call a session.
fn called(record: &SessionRecord) -> String {
    let account = record.facts.account.as_ref();
    let account = account.map(|account| {
        account.name.as_deref().or(account.phone.as_deref()).unwrap_or(account.address.as_str()).to_owned()
    });
    match record.remark.as_str() {
        "" => account.unwrap_or_default(),
        remark => remark.to_owned(),
    }
}

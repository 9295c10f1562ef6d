//! The data centre: lead figures, for supervisors only.

use super::Desk;
use crate::error::SeatportError;
use crate::instance::all;
use crate::leads::{CsvOptions, LeadQuery, LeadReport, VisibleAdjustment};

#[uniffi::export]
impl Desk {
    /// The lead figures that the query asks for. Supervisors only. What it costs follows the days asked for, not the messages stored.
    ///
    /// # Errors
    /// `Denied`; `Invalid` names the part of the query that makes no sense.
    pub async fn leads(&self, query: LeadQuery) -> Result<LeadReport, SeatportError> {
        let query = query.try_into()?;
        self.run(move |desk| async move { Ok(desk.leads(&query).await?.into()) }).await
    }

    /// The same figures for a spreadsheet, as CSV in UTF-8. Beside the id of a session stands its remark, or else its account, and
    /// beside that of an agent the name; names that `options` gives go before. Supervisors only.
    ///
    /// # Errors
    /// Those of `leads`.
    pub async fn export_leads(&self, query: LeadQuery, options: CsvOptions) -> Result<Vec<u8>, SeatportError> {
        let (query, options) = (query.try_into()?, options.try_into()?);
        self.run(move |desk| async move { Ok(desk.export_leads(&query, options).await?) }).await
    }

    /// The corrections that belong beside the figures: what changed in a day after it was sealed, and what changed because two ids
    /// turned out to be one person. Supervisors only.
    ///
    /// # Errors
    /// Those of `leads`.
    pub async fn lead_adjustments(&self, query: LeadQuery) -> Result<Vec<VisibleAdjustment>, SeatportError> {
        let query = query.try_into()?;
        self.run(move |desk| async move { Ok(all(desk.lead_adjustments(&query).await?)) }).await
    }

    /// Computes all lead figures anew from the ledger. Nothing changes by it, unless they were wrong. Supervisors only.
    ///
    /// # Errors
    /// `Denied`.
    pub async fn rebuild_leads(&self) -> Result<(), SeatportError> {
        self.run(|desk| async move { Ok(desk.rebuild_leads().await?) }).await
    }
}

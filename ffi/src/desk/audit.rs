//! The audit trail: reading it, and proving that it is whole.

use super::Desk;
use crate::audit::{AuditHead, AuditLine};
use crate::error::SeatportError;
use crate::instance::all;

#[uniffi::export]
impl Desk {
    /// Lines of the audit trail in their order, those after line number `after`, at most `limit`, and never more than 1000.
    /// Supervisors only.
    ///
    /// # Errors
    /// `Denied`; `Invalid` for a limit of zero.
    pub async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditLine>, SeatportError> {
        self.run(move |desk| async move { Ok(all(desk.audit(after, limit).await?)) }).await
    }

    /// Reads the whole audit trail and makes sure that each line is the one that was written, and that the trail still holds the
    /// `known` head, one that was answered earlier and kept elsewhere. Answers how far it goes now. Supervisors only.
    ///
    /// # Errors
    /// `AuditBroken` names the first line that is not right; `Denied`.
    #[uniffi::method(default(known = None))]
    pub async fn verify_audit(&self, known: Option<AuditHead>) -> Result<AuditHead, SeatportError> {
        let known = known.map(TryInto::try_into).transpose()?;
        self.run(move |desk| async move { Ok(desk.verify_audit(known.as_ref()).await?.into()) }).await
    }
}

//! The audit trail: reading it, and proving that it is whole.

use super::{Desk, MAX_PAGE, limited};
use crate::audit::{AuditFault, AuditHead, AuditLine};
use crate::error::Error;
use crate::policy::Action;
use crate::storage::Page;

impl Desk {
    /// Lines of the audit trail in their order, those after line number `after`, at most `limit` (and never more than 1000).
    /// Supervisors only.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditLine>, Error> {
        self.admit(Action::ReadAudit, None).await?;
        Ok(self.node().storage.audit(after, limited(Page::<u64>::first(limit))?.limit).await?)
    }

    /// Reads the whole audit trail and makes sure that each line is the one that was written: that it follows from those before
    /// it, and that the trail still holds the `known` head, one that was answered earlier. Answers how far it goes now.
    /// Supervisors only.
    ///
    /// Who can write to the database can also write a whole new trail, each line of which follows from those before. Keep the
    /// head where such a person does not get at it, and give it to the next call: then that shows too.
    ///
    /// ```
    /// use seatport::{AuditHead, Desk, Error};
    ///
    /// async fn nightly(desk: &Desk, kept_elsewhere: AuditHead) -> Result<AuditHead, Error> {
    ///     match desk.verify_audit(Some(&kept_elsewhere)).await {
    ///         Err(Error::AuditBroken { number, fault }) => panic!("somebody was at line {number}: {fault}"),
    ///         answer => answer, // keep it, for tomorrow
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::AuditBroken`] names the first line that is not right; [`Error::Denied`].
    pub async fn verify_audit(&self, known: Option<&AuditHead>) -> Result<AuditHead, Error> {
        self.admit(Action::ReadAudit, None).await?;
        let broken = |number, fault| Error::AuditBroken { number, fault };
        let mut head = AuditHead::default();
        loop {
            let lines = self.node().storage.audit(head.lines, MAX_PAGE).await?;
            for line in &lines {
                head = head.followed_by(line).map_err(|fault| broken(head.lines + 1, fault))?;
                if known.is_some_and(|known| known.lines == head.lines && known.hash != head.hash) {
                    return Err(broken(head.lines, AuditFault::Rewritten));
                }
            }
            if lines.is_empty() {
                break;
            }
        }
        match known {
            Some(known) if known.lines > head.lines => Err(broken(head.lines + 1, AuditFault::Missing)),
            _ => Ok(head),
        }
    }
}

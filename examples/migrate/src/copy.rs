//! Copying table after table, piece after piece.

use crate::failure::Failure;
use crate::report::Progress;
use crate::source::Source;
use crate::table::Plan;
use crate::target::Target;

/// Copies all that is not there yet, so many rows at a time.
pub(crate) async fn everything(
    source: &Source,
    target: &mut Target,
    plans: &[Plan],
    rows: usize,
    progress: &Progress,
) -> Result<(), Failure> {
    for plan in plans {
        let mut done = target.progressed(plan).await?;
        let count = source.count(plan)?;
        progress.begin("moving", plan.name(), done.rows, count);
        while !done.complete {
            let piece = source.piece(plan, done.after.as_deref(), rows)?;
            target.write(plan, &piece).await?;
            done.rows += piece.rows.len() as u64;
            (done.complete, done.after) = (piece.after.is_none(), piece.after);
            progress.at("moving", plan.name(), done.rows, count);
        }
    }
    Ok(())
}

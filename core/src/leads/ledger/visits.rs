//! The gap rule: which messages belong to the same visit. Silence of 24 hours or more ends one.

use std::time::Duration;

use super::row::{Moment, Visit};

/// How long somebody is silent before their next message is another visit. Exactly as long is long enough.
const SILENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// What one message does to the visits of its pair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Edit {
    /// These visits are no more …
    pub(super) gone: Vec<Visit>,
    /// … and this one is there instead.
    pub(super) put: Option<Visit>,
}

impl Edit {
    /// What a message at `moment` does: `before` is the last visit that starts at the moment or earlier, `after` the first that
    /// starts later, and `alone` the visit that the message makes when it joins none that started earlier.
    pub(super) fn of<E>(
        moment: &Moment,
        before: Option<Visit>,
        after: Option<Visit>,
        alone: impl FnOnce() -> Result<Visit, E>,
    ) -> Result<Self, E> {
        let before = before.filter(|visit| moment.at.since(visit.end) < SILENCE);
        let after = after.filter(|visit| visit.start.at.since(moment.at) < SILENCE);
        let start = match &before {
            Some(before) => before.clone(),
            None => alone()?,
        };
        let end = after.as_ref().map_or(moment.at, |after| after.end).max(start.end);
        Ok(Self { gone: before.into_iter().chain(after).collect(), put: Some(Visit { end, ..start }) })
    }

    /// Whether a visit only lasts longer than it did: no figure knows how long a visit lasts.
    pub(super) fn only_prolongs(&self) -> bool {
        match (self.gone.as_slice(), &self.put) {
            (gone, None) => gone.is_empty(),
            (gone, Some(put)) => matches!(gone, [gone] if gone.start == put.start),
        }
    }

    /// These visits after the edit, in the order of their starts.
    pub(super) fn apply(&self, visits: &[Visit]) -> Vec<Visit> {
        let kept = visits.iter().filter(|visit| !self.gone.contains(visit));
        let mut visits: Vec<Visit> = kept.chain(&self.put).cloned().collect();
        visits.sort_unstable();
        visits
    }
}

/// The visits that messages of both make together. The earlier start survives where two become one.
pub(super) fn join(visits: impl IntoIterator<Item = Visit>) -> Vec<Visit> {
    let mut visits: Vec<Visit> = visits.into_iter().collect();
    visits.sort_unstable();
    let mut joined: Vec<Visit> = Vec::with_capacity(visits.len());
    for visit in visits {
        match joined.last_mut() {
            Some(last) if visit.start.at.since(last.end) < SILENCE => last.end = last.end.max(visit.end),
            _ => joined.push(visit),
        }
    }
    joined
}

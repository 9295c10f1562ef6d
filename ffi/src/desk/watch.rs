//! Following one session live.

use std::sync::Arc;

use super::Desk;
use crate::card::View;
use crate::error::SeatportError;
use crate::reader::{Reader, Source};

impl Source for seatport::Watch {
    type Batch = seatport::View;

    async fn read(&mut self, _max: u32) -> Result<Self::Batch, seatport::Error> {
        self.next().await
    }
}

/// How a session looks, and the number of this look.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ViewUpdate {
    /// To be passed to the next call.
    pub number: u64,
    /// How it looks.
    pub view: View,
}

/// Follows one session: answers how it looks now, and then each time that changes. States that lasted shorter than the follower
/// took are passed over; the event feed passes over nothing.
#[derive(Debug, uniffi::Object)]
pub struct Watch(Reader<seatport::Watch>);

#[uniffi::export]
impl Desk {
    /// Follows a session live: its card, and the login code to show, whichever node drives it.
    ///
    /// # Errors
    /// `UnknownSession`.
    pub async fn watch(&self, session: String) -> Result<Arc<Watch>, SeatportError> {
        let session = session.parse()?;
        let watch = self.run(move |desk| async move { Ok(desk.watch(session).await?) }).await?;
        Ok(Arc::new(Watch(Reader::new(self.engine.clone(), watch))))
    }
}

#[uniffi::export]
impl Watch {
    /// How the session looks now, if that was not answered yet, or else once it looks different. `seen` is the number of the last
    /// answer that arrived, 0 at first: one that got lost on its way is answered again.
    ///
    /// # Errors
    /// `UnknownSession` once it was deleted; `Denied` once the agent lost sight of it; `Closed`.
    pub async fn next(&self, seen: u64) -> Result<ViewUpdate, SeatportError> {
        let (number, view) = self.0.next(seen, 1).await?;
        Ok(ViewUpdate { number, view: view.into() })
    }

    /// Ends it: a call under way answers `Closed`, and so do later ones.
    ///
    /// # Errors
    /// None.
    pub fn end(&self) -> Result<(), SeatportError> {
        self.0.close();
        Ok(())
    }
}

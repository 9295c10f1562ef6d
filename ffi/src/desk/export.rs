//! Exporting a session, as lines of JSON.

use std::sync::Arc;

use super::Desk;
use crate::error::SeatportError;
use crate::reader::{Reader, Source};

impl Source for seatport::Export {
    type Batch = Vec<String>;

    async fn read(&mut self, max: u32) -> Result<Vec<String>, seatport::Error> {
        let mut lines = Vec::new();
        while lines.len() < max as usize {
            let Some(line) = self.next().await? else { break };
            lines.push(line);
        }
        Ok(lines)
    }
}

/// Lines of an export, and the number of this batch.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LineBatch {
    /// To be passed to the next call.
    pub number: u64,
    /// The lines, each a piece of JSON without a line end; none: the export is over.
    pub lines: Vec<String>,
}

/// Reads a session's conversations as lines of JSON: a header, contacts, chats with their messages, and an end that says how much
/// there was.
#[derive(Debug, uniffi::Object)]
pub struct Export(Reader<seatport::Export>);

#[uniffi::export]
impl Desk {
    /// Begins to export a session: its card, contacts, chats and messages, to be written to a file, say, before it is deleted. It holds
    /// what people said: keep it as well as the database.
    ///
    /// # Errors
    /// `UnknownSession`.
    pub async fn export_session(&self, session: String) -> Result<Arc<Export>, SeatportError> {
        let session = session.parse()?;
        let export = self.run(move |desk| async move { Ok(desk.export_session(session).await?) }).await?;
        Ok(Arc::new(Export(Reader::new(self.engine.clone(), export))))
    }
}

#[uniffi::export]
impl Export {
    /// The next lines, at most `max`; none after the last. `seen` is the number of the last batch that arrived, 0 at first: one that
    /// got lost on its way is answered again.
    ///
    /// # Errors
    /// `UnknownSession` once the session was deleted; `Denied` once the agent lost sight of it; `Closed`.
    pub async fn next(&self, seen: u64, max: u32) -> Result<LineBatch, SeatportError> {
        let (number, lines) = self.0.next(seen, max).await?;
        Ok(LineBatch { number, lines })
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

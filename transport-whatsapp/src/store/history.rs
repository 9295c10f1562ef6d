//! Pieces of the phone's history, as they came, until Seatport has stored what is in them: the phone sends each once.

use whatsapp_rust::bytes::Bytes;
use whatsapp_rust::wacore::store::error::Result;

use super::name::part;
use super::{Store, name};

const HISTORY: &str = "history";
/// Stands for a progress that the phone did not tell.
const UNTOLD: u8 = u8::MAX;

/// A piece of history, packed.
#[derive(Clone)]
pub(crate) struct KeptHistory {
    /// The message that brought it.
    pub(crate) id: String,
    /// How much of all of it has come with it, in percent.
    pub(crate) progress: Option<u8>,
    /// Compressed.
    pub(crate) packed: Bytes,
}

impl Store {
    pub(crate) async fn keep_history(&self, piece: &KeptHistory) -> Result<()> {
        let progress = piece.progress.filter(|progress| *progress != UNTOLD).unwrap_or(UNTOLD);
        let entry = [&[progress], piece.packed.as_ref()].concat();
        self.put(name(&[HISTORY, &piece.id]), &entry).await
    }

    /// Those that an earlier connection left.
    pub(crate) async fn kept_history(&self) -> Result<Vec<KeptHistory>> {
        let read = |(id, entry): &(String, super::Bytes)| {
            let (progress, packed) = entry.split_first()?;
            let progress = (*progress != UNTOLD).then_some(*progress);
            Some(KeptHistory { id: part(id), progress, packed: Bytes::copy_from_slice(packed) })
        };
        Ok(self.below(HISTORY).await?.iter().filter_map(read).collect())
    }

    pub(crate) async fn forget_history(&self, id: &str) -> Result<()> {
        self.remove(name(&[HISTORY, id])).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::store;

    #[tokio::test]
    async fn a_piece_of_history_is_kept_until_it_is_forgotten() {
        let store = store().await;
        for (id, progress) in [("A", Some(40)), ("B/C", None)] {
            let piece = KeptHistory { id: id.to_owned(), progress, packed: Bytes::from_static(b"packed") };
            store.keep_history(&piece).await.unwrap();
        }
        let kept = store.kept_history().await.unwrap();
        let kept: Vec<_> = kept.iter().map(|piece| (piece.id.as_str(), piece.progress, &piece.packed[..])).collect();
        assert_eq!(kept, [("A", Some(40), &b"packed"[..]), ("B/C", None, b"packed")]);
        store.forget_history("A").await.unwrap();
        store.forget_history("B/C").await.unwrap();
        assert!(store.kept_history().await.unwrap().is_empty());
    }
}

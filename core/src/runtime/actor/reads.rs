//! Telling the network what was read.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::storing::patiently;
use super::{Actor, Exit, answer};
use crate::conversation::StoredMessage;
use crate::ids::{Address, MessageId};
use crate::transport::{SendError, TransportCommand};

/// How many messages are looked at in one go.
const BATCH: u32 = 256;
/// How long a transport may take to say whether the network heard it.
const TELLING: Duration = Duration::from_secs(60);
/// How long to wait when the network could not hear it.
const TELL_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What was read of one chat: the messages, with their senders.
type Run = (Address, Vec<(MessageId, Address)>);

/// What was read, on its way to the network.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Whether there may be more than is on its way: set by hints, cleared by looking.
    pub(super) due: bool,
    /// If the network is to be left alone for a while: until when.
    pub(super) not_before: Option<Instant>,
    telling: Option<Telling>,
    /// What comes after it.
    waiting: VecDeque<Run>,
    /// What the network has heard and is not written down yet.
    told: Vec<(Address, MessageId)>,
}

/// What the network is being told.
#[derive(Debug)]
struct Telling {
    run: Run,
    done: oneshot::Receiver<Result<(), SendError>>,
    give_up_at: Instant,
}

impl Reads {
    /// Whether the network heard what it is being told.
    pub(super) async fn told(&mut self) -> Result<(), SendError> {
        match &mut self.telling {
            Some(telling) => answer(&mut telling.done, telling.give_up_at).await,
            None => std::future::pending().await,
        }
    }

    /// The connection is gone. The next one is told anew; hearing it twice does no harm.
    pub(super) fn interrupted(&mut self) {
        *self = Self::default();
    }
}

impl Actor {
    /// Tells the network what was read of the next chat.
    pub(super) async fn tell_next(&mut self) -> Result<(), Exit> {
        if !self.is_online() || self.reads.telling.is_some() || self.reads.not_before.is_some() {
            return Ok(());
        }
        if self.reads.waiting.is_empty() {
            if !self.reads.due {
                return Ok(());
            }
            let (storage, session) = (&self.node.storage, self.stored.record.id);
            let untold = patiently(&self.node.random, || storage.untold_reads(session, BATCH)).await?;
            self.reads.due = untold.len() == BATCH as usize;
            self.reads.waiting = runs(untold);
        }
        let (Some((chat, messages)), Some(link)) = (self.reads.waiting.pop_front(), &self.link) else { return Ok(()) };
        let (done, receiver) = oneshot::channel();
        let command = TransportCommand::MarkRead { chat: chat.clone(), messages: messages.clone(), done };
        if !link.tell(command) {
            return self.tell_again_later().await;
        }
        let give_up_at = Instant::now() + TELLING;
        self.reads.telling = Some(Telling { run: (chat, messages), done: receiver, give_up_at });
        Ok(())
    }

    pub(super) async fn on_told(&mut self, result: Result<(), SendError>) -> Result<(), Exit> {
        let Some(Telling { run: (chat, messages), .. }) = self.reads.telling.take() else { return Ok(()) };
        match result {
            Err(SendError::Later(_)) => return self.tell_again_later().await,
            // It will never hear it: there is nothing left to do.
            Err(SendError::Refused(why)) => {
                tracing::info!(session = %self.stored.record.id, %why, "the network would not hear what was read");
            }
            Ok(()) => {}
        }
        self.reads.told.extend(messages.into_iter().map(|(id, _)| (chat.clone(), id)));
        if self.reads.waiting.is_empty() { self.write_down_told().await } else { Ok(()) }
    }

    async fn tell_again_later(&mut self) -> Result<(), Exit> {
        self.reads.due = true;
        self.reads.waiting.clear();
        self.reads.not_before = Some(Instant::now() + TELL_AGAIN_AFTER);
        self.write_down_told().await
    }

    async fn write_down_told(&mut self) -> Result<(), Exit> {
        let mut commit = self.conversation_commit();
        commit.told = std::mem::take(&mut self.reads.told);
        if commit.told.is_empty() { Ok(()) } else { self.commit(commit).await.map(drop) }
    }
}

/// The messages by chat.
fn runs(mut messages: Vec<StoredMessage>) -> VecDeque<Run> {
    // Stable: each chat's messages stay in their order.
    messages.sort_by(|a, b| a.message.chat.cmp(&b.message.chat));
    let chats = messages.chunk_by(|a, b| a.message.chat == b.message.chat);
    let named = |stored: &StoredMessage| (stored.message.id.clone(), stored.message.sender.clone());
    chats.map(|of| (of[0].message.chat.clone(), of.iter().map(named).collect())).collect()
}

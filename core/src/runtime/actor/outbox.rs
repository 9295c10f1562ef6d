//! Messages on their way to the network.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::storing::patiently;
use super::{Actor, Exit, answer};
use crate::conversation::{MessageStatus, SendFailure};
use crate::ids::{Address, MessageId};
use crate::transport::{SendError, TransportCommand};

/// How long a transport may take to say whether the network took a message.
const SENDING: Duration = Duration::from_secs(60);
/// How long to leave a message alone that the network could not take now.
const RESEND_AFTER: Duration = Duration::from_secs(5);

/// The messages that wait to be sent.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Whether there may be any: set by hints, cleared by looking.
    pub(super) due: bool,
    /// If there has to be a pause: until when.
    pub(super) not_before: Option<Instant>,
    sending: Option<Sending>,
}

/// A message on its way to the network.
#[derive(Debug)]
struct Sending {
    chat: Address,
    id: MessageId,
    done: oneshot::Receiver<Result<(), SendError>>,
    give_up_at: Instant,
}

impl Outbox {
    /// Whether the network took the message that is on its way.
    pub(super) async fn sent(&mut self) -> Result<(), SendError> {
        match &mut self.sending {
            Some(sending) => answer(&mut sending.done, sending.give_up_at).await,
            None => std::future::pending().await,
        }
    }

    /// Whether a message is on its way.
    pub(super) fn is_sending(&self) -> bool {
        self.sending.is_some()
    }

    /// The connection is gone. The message that was on its way is sent again on the next one, under the same id; a pause goes
    /// on, or who reconnects often would send faster than it may.
    pub(super) fn interrupted(&mut self) {
        self.sending = None;
    }
}

impl Actor {
    /// Hands the oldest message that waits to the network, one at a time, so that their order is kept.
    pub(super) async fn send_next(&mut self) -> Result<(), Exit> {
        let busy = self.outbox.sending.is_some() || self.outbox.not_before.is_some();
        if !self.is_online() || !self.outbox.due || busy {
            return Ok(());
        }
        // Only now, after the pause: what was cancelled meanwhile is not among them.
        let (storage, id) = (&self.node.storage, self.stored.record.id);
        let pending = patiently(&self.node.random, || storage.pending(id, 1)).await?;
        self.outbox.due = !pending.is_empty();
        let (Some(next), Some(link)) = (pending.into_iter().next(), &self.link) else { return Ok(()) };
        let message = next.message;
        if self.stored.record.facts.account.as_ref().is_some_and(|account| account.address != message.sender) {
            // It was written for an account that another one has replaced since. Nobody meant this one to say it.
            let cancelled = Some(SendFailure::Cancelled);
            return self.update(message.chat, vec![message.id], MessageStatus::Failed, cancelled).await;
        }
        if !self.node.holds_its_lease() {
            // Another node may send it by now. Either the lease is renewed, or this task is ended.
            self.outbox.not_before = Some(Instant::now() + self.node.timing.lease / 12);
            return Ok(());
        }
        let (done, receiver) = oneshot::channel();
        let command = TransportCommand::Send {
            chat: message.chat.clone(),
            id: message.id.clone(),
            content: message.content,
            quoted: message.quoted,
            done,
        };
        let now = Instant::now();
        if link.tell(command) {
            let pause = self.node.timing.send_pause(&self.node.random);
            self.outbox.not_before = (!pause.is_zero()).then(|| now + pause);
            let give_up_at = now + SENDING;
            self.outbox.sending = Some(Sending { chat: message.chat, id: message.id, done: receiver, give_up_at });
        } else {
            self.outbox.not_before = Some(now + RESEND_AFTER);
        }
        Ok(())
    }

    pub(super) async fn on_sent(&mut self, result: Result<(), SendError>) -> Result<(), Exit> {
        let Some(Sending { chat, id, .. }) = self.outbox.sending.take() else { return Ok(()) };
        match result {
            Ok(()) => self.update(chat, vec![id], MessageStatus::Sent, None).await,
            Err(SendError::Refused(why)) => {
                tracing::info!(session = %self.stored.record.id, %why, "the network refused a message");
                self.update(chat, vec![id], MessageStatus::Failed, Some(SendFailure::Refused(why))).await
            }
            Err(SendError::Later(_)) => {
                let resend_at = Instant::now() + RESEND_AFTER;
                self.outbox.not_before = self.outbox.not_before.max(Some(resend_at));
                Ok(())
            }
        }
    }
}

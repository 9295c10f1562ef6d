//! Messages on their way to the network.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::{Actor, Exit, patiently};
use crate::conversation::{Content, MessageStatus};
use crate::ids::{Address, MessageId};
use crate::lifecycle::Lifecycle;
use crate::transport::{SendError, TransportCommand};

/// How long a transport may take to say whether the network took a message.
const SENDING: Duration = Duration::from_secs(60);
/// How long to leave a message alone that the network could not take now.
const RESEND_AFTER: Duration = Duration::from_secs(5);

/// A message on its way to the network.
#[derive(Debug)]
pub(super) struct Sending {
    chat: Address,
    id: MessageId,
    done: oneshot::Receiver<Result<(), SendError>>,
    give_up_at: Instant,
}

impl Actor {
    /// Hands the oldest message that waits to the network, one at a time, so that their order is kept.
    pub(super) async fn send_next(&mut self) -> Result<(), Exit> {
        let online = self.stored.record.facts.lifecycle == Lifecycle::Online;
        if !online || !self.outbox || self.sending.is_some() || self.resend_at.is_some() {
            return Ok(());
        }
        let (storage, id) = (&self.node.storage, self.stored.record.id);
        let pending = patiently(&self.node.random, || storage.pending(id, 1)).await?;
        self.outbox = !pending.is_empty();
        let (Some(next), Some(link)) = (pending.into_iter().next(), &self.link) else { return Ok(()) };
        let message = next.message;
        let Content::Text(text) = message.content else {
            return self.update(message.chat, vec![message.id], MessageStatus::Failed).await;
        };
        let (done, receiver) = oneshot::channel();
        let command = TransportCommand::SendText { chat: message.chat.clone(), id: message.id.clone(), text, done };
        if link.tell(command) {
            let give_up_at = Instant::now() + SENDING;
            self.sending = Some(Sending { chat: message.chat, id: message.id, done: receiver, give_up_at });
        } else {
            self.resend_at = Some(Instant::now() + RESEND_AFTER);
        }
        Ok(())
    }

    pub(super) async fn on_sent(&mut self, result: Result<(), SendError>) -> Result<(), Exit> {
        let Some(Sending { chat, id, .. }) = self.sending.take() else { return Ok(()) };
        match result {
            Ok(()) => self.update(chat, vec![id], MessageStatus::Sent).await,
            Err(SendError::Refused(why)) => {
                tracing::info!(session = %self.stored.record.id, %why, "the network refused a message");
                self.update(chat, vec![id], MessageStatus::Failed).await
            }
            Err(SendError::Later(_)) => {
                self.resend_at = Some(Instant::now() + RESEND_AFTER);
                Ok(())
            }
        }
    }
}

/// Whether the network took the message that is on its way.
pub(super) async fn sent(sending: &mut Option<Sending>) -> Result<(), SendError> {
    match sending {
        Some(sending) => match timeout_at(sending.give_up_at, &mut sending.done).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(SendError::Later("the connection ended before it was sent".to_owned())),
            Err(_) => Err(SendError::Later("the transport gave no answer".to_owned())),
        },
        None => std::future::pending().await,
    }
}

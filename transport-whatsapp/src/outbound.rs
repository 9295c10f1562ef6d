//! What goes out: texts, each until the network has taken it, and read receipts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use seatport::transport::SendError;
use seatport::{Address, Invalid, MessageId, Random};
use tokio::sync::oneshot;
use whatsapp_rust::prelude::wa;
use whatsapp_rust::send::SendError as ClientError;
use whatsapp_rust::wacore::types::events::ServerAck;
use whatsapp_rust::wacore_binary::JidExt;
use whatsapp_rust::{Client, SendOptions};

use crate::address::{jid, on_the_wire};

/// How long the network may take to say that it has a message. The first to a person needs their keys fetched before.
const PATIENCE: Duration = Duration::from_secs(30);

/// An id in the form of WhatsApp Web: `3EB0` and nine random bytes in hexadecimal.
pub(crate) fn message_id(random: &Random) -> Result<MessageId, Invalid> {
    let mut bytes = [0; 9];
    random.fill(&mut bytes);
    MessageId::new(bytes.iter().fold("3EB0".to_owned(), |id, byte| format!("{id}{byte:02X}")))
}

/// The texts that are on their way. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbound(Arc<Mutex<HashMap<String, oneshot::Sender<Option<String>>>>>);

impl Outbound {
    /// Sends a text, and waits until the network has taken it.
    pub(crate) async fn send(
        &self,
        client: &Client,
        pace: impl Fn(Duration) -> Duration,
        chat: &Address,
        id: &MessageId,
        text: String,
    ) -> Result<(), SendError> {
        let chat = jid(chat).ok_or_else(|| SendError::Refused(format!("{chat} is no address of WhatsApp")))?;
        let (sender, taken) = oneshot::channel();
        self.0.lock().insert(id.as_str().to_owned(), sender);
        let message = wa::Message { conversation: Some(text), ..Default::default() };
        let options = SendOptions::default().with_message_id(id.as_str());
        let sent = async {
            client.send_message_with_options(chat, message, options).await.map_err(|error| refusal(&error))?;
            match taken.await {
                Ok(None) => Ok(()),
                Ok(Some(code)) => Err(refused_with(&code)),
                Err(_) => Err(SendError::Later("the connection ended".to_owned())),
            }
        };
        let result = tokio::time::timeout(pace(PATIENCE), sent).await;
        self.0.lock().remove(id.as_str());
        result.unwrap_or_else(|_| Err(SendError::Later("the network has not taken it yet".to_owned())))
    }

    /// The network says what became of something that was sent.
    pub(crate) fn on_ack(&self, ack: &ServerAck) {
        if ack.class.as_deref() == Some("message")
            && let Some(waiting) = self.0.lock().remove(&ack.id)
        {
            // An error means that nobody waits any longer.
            let _ = waiting.send(ack.error.clone());
        }
    }
}

/// What the client's own refusal means: what is wrong with the message itself will not pass, all else may.
fn refusal(error: &ClientError) -> SendError {
    match error {
        ClientError::InvalidRequest(why) => SendError::Refused(why.clone()),
        other => SendError::Later(other.to_string()),
    }
}

/// What the network's error code means: its own trouble and "too many" pass.
fn refused_with(code: &str) -> SendError {
    match code.parse() {
        Ok(429 | 500..=599) => SendError::Later(format!("code {code}")),
        _ => SendError::Refused(format!("code {code}")),
    }
}

/// Tells the network that these messages were read: per sender in a group, as the protocol wants it.
pub(crate) async fn mark_read(client: &Client, chat: &Address, messages: &[(MessageId, Address)]) {
    let Some(chat) = jid(chat) else { return };
    let is_group = chat.is_group();
    let chat = on_the_wire(client, chat).await;
    let mut by_sender: BTreeMap<Option<&Address>, Vec<&str>> = BTreeMap::new();
    for (id, sender) in messages {
        by_sender.entry(is_group.then_some(sender)).or_default().push(id.as_str());
    }
    for (sender, ids) in by_sender {
        let sender = match sender.and_then(jid) {
            Some(sender) => Some(on_the_wire(client, sender).await),
            None => None,
        };
        if let Err(error) = client.mark_as_read(&chat, sender.as_ref(), &ids).await {
            tracing::debug!(%error, "read receipts were not sent");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_like_those_of_whatsapp_web() {
        let random = Random::seeded(1);
        let (one, other) = (message_id(&random).unwrap(), message_id(&random).unwrap());
        assert!(one.as_str().starts_with("3EB0") && one.as_str().len() == 22, "{one}");
        assert!(one.as_str().bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte)));
        assert_ne!(one, other);
    }

    #[test]
    fn a_code_tells_whether_to_try_again() {
        for code in ["429", "500", "503"] {
            assert!(matches!(refused_with(code), SendError::Later(_)), "{code}");
        }
        for code in ["400", "463", "479", "?"] {
            assert!(matches!(refused_with(code), SendError::Refused(_)), "{code}");
        }
    }

    #[tokio::test]
    async fn the_acknowledgement_of_something_else_is_not_taken_for_this_one() {
        let outbound = Outbound::default();
        let (sender, mut taken) = oneshot::channel();
        outbound.0.lock().insert("A".to_owned(), sender);
        let ack = |id: &str, class: &str| ServerAck::builder().id(id.to_owned()).class(class.to_owned()).build();
        outbound.on_ack(&ack("B", "message"));
        outbound.on_ack(&ack("A", "receipt"));
        assert!(taken.try_recv().is_err());
        outbound.on_ack(&ack("A", "message"));
        assert_eq!(taken.await, Ok(None));
    }
}

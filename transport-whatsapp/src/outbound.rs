//! What goes out: texts, each until the network has taken it, and read receipts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use seatport::conversation::Content;
use seatport::transport::SendError;
use seatport::{Address, Invalid, MessageId, Random};
use tokio::sync::oneshot;
use whatsapp_rust::buffa::MessageField;
use whatsapp_rust::prelude::wa;
use whatsapp_rust::send::SendError as ClientError;
use whatsapp_rust::wacore::types::events::ServerAck;
use whatsapp_rust::wacore_binary::JidExt;
use whatsapp_rust::{Client, Jid, SendOptions};

use crate::address::{jid, on_the_wire};
use crate::store::Store;

/// How long the network may take to say that it has a message. The first to a person needs their keys fetched before.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many messages go into one receipt. The client would split a longer list, and the network acknowledge each part.
const READ_AT_ONCE: usize = 256;

/// An id in the form of WhatsApp Web: `3EB0` and nine random bytes in hexadecimal.
pub(crate) fn message_id(random: &Random) -> Result<MessageId, Invalid> {
    let mut bytes = [0; 9];
    random.fill(&mut bytes);
    MessageId::new(bytes.iter().fold("3EB0".to_owned(), |id, byte| format!("{id}{byte:02X}")))
}

/// A message to be sent.
#[derive(Debug)]
pub(crate) struct Letter<'a> {
    pub(crate) chat: &'a Address,
    pub(crate) id: &'a MessageId,
    pub(crate) content: Content,
    pub(crate) quoted: Option<&'a MessageId>,
}

/// What the network acknowledges by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Class {
    Message,
    Receipt,
}

/// Stanzas on their way, each with who waits for what the network says: nothing, or an error code.
type Waiting = HashMap<(Class, String), oneshot::Sender<Option<String>>>;

/// What is on its way. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbound(Arc<Mutex<Waiting>>);

impl Outbound {
    /// Sends a message, and waits until the network has taken it.
    pub(crate) async fn send(
        &self,
        client: &Client,
        store: &Store,
        pace: impl Fn(Duration) -> Duration,
        letter: Letter<'_>,
    ) -> Result<(), SendError> {
        let Letter { chat, id, content, quoted } = letter;
        let chat = recipient(chat)?;
        let text = text(content)?;
        let message = match quoted {
            None => wa::Message { conversation: Some(text), ..Default::default() },
            Some(quoted) => answer(text, quoted, author(client, store, &chat, quoted).await),
        };
        let options = SendOptions::default().with_message_id(id.as_str());
        let sending = async {
            client.send_message_with_options(chat, message, options).await.map_err(|error| refusal(&error)).map(drop)
        };
        let acknowledged = self.acknowledged(Class::Message, id.as_str(), pace(PATIENCE), sending).await?;
        acknowledged.ok_or_else(|| SendError::Later("the network has not taken it yet".to_owned()))
    }

    /// Tells the network that these messages were read: per sender in a group, as the protocol wants it.
    pub(crate) async fn mark_read(
        &self,
        client: &Client,
        pace: impl Fn(Duration) -> Duration,
        chat: &Address,
        messages: &[(MessageId, Address)],
    ) -> Result<(), SendError> {
        let chat = recipient(chat)?;
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
            for ids in ids.chunks(READ_AT_ONCE) {
                let sending = async {
                    let sent = client.mark_as_read(&chat, sender.as_ref(), ids).await;
                    sent.map_err(|error| SendError::Later(error.to_string()))
                };
                // A network that keeps quiet on a connection that lives has heard it: to say it over and over helps nobody.
                let _ = self.acknowledged(Class::Receipt, ids[0], pace(PATIENCE), sending).await?;
            }
        }
        Ok(())
    }

    /// Sends, and waits for the network's word: none came in time, or it took it, or what it refused it with.
    async fn acknowledged(
        &self,
        class: Class,
        id: &str,
        patience: Duration,
        sending: impl Future<Output = Result<(), SendError>>,
    ) -> Result<Option<()>, SendError> {
        let key = (class, id.to_owned());
        let (sender, taken) = oneshot::channel();
        self.0.lock().insert(key.clone(), sender);
        let sent = async {
            sending.await?;
            match taken.await {
                Ok(None) => Ok(()),
                Ok(Some(code)) => Err(refused_with(&code)),
                Err(_) => Err(SendError::Later("the connection ended".to_owned())),
            }
        };
        let result = tokio::time::timeout(patience, sent).await;
        self.0.lock().remove(&key);
        result.ok().transpose()
    }

    /// The network says what became of something that was sent.
    pub(crate) fn on_ack(&self, ack: &ServerAck) {
        let class = match ack.class.as_deref() {
            Some("message") => Class::Message,
            Some("receipt") => Class::Receipt,
            _ => return,
        };
        if let Some(waiting) = self.0.lock().remove(&(class, ack.id.clone())) {
            // An error means that nobody waits any longer.
            let _ = waiting.send(ack.error.clone());
        }
    }
}

fn recipient(chat: &Address) -> Result<Jid, SendError> {
    jid(chat).ok_or_else(|| SendError::Refused(format!("{chat} is no address of WhatsApp")))
}

fn text(content: Content) -> Result<String, SendError> {
    match content {
        Content::Text(text) => Ok(text),
        Content::Media(_) => {
            Err(SendError::Refused("this transport cannot upload media: it sends texts only".to_owned()))
        }
        _ => Err(SendError::Refused("this transport sends texts only".to_owned())),
    }
}

/// A text that answers a message. What that said is not known here: who has it sees it, who does not sees that there was one.
fn answer(text: String, quoted: &MessageId, author: Option<Jid>) -> wa::Message {
    let said = wa::Message { conversation: Some(String::new()), ..Default::default() };
    let context = wa::ContextInfo {
        stanza_id: Some(quoted.as_str().to_owned()),
        participant: author.map(|author| author.to_non_ad_string()),
        quoted_message: MessageField::some(said),
        ..Default::default()
    };
    let extended = wa::message::ExtendedTextMessage {
        text: Some(text),
        context_info: MessageField::some(context),
        ..Default::default()
    };
    wa::Message { extended_text_message: MessageField::some(extended), ..Default::default() }
}

/// Who wrote the message that is answered, as far as it is known; of a chat of two most likely the other one.
async fn author(client: &Client, store: &Store, chat: &Jid, quoted: &MessageId) -> Option<Jid> {
    let author = match store.author(client, chat, quoted.as_str()).await {
        Some(author) => Some(author),
        None => (!chat.is_group()).then(|| chat.clone()),
    };
    Some(on_the_wire(client, author?).await)
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

#[cfg(test)]
mod tests {
    use seatport::conversation::{Media, MediaKind};

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

    #[test]
    fn what_is_no_text_is_refused_in_clear_words() {
        let media = Content::Media(Media::new(MediaKind::Image, "image/jpeg"));
        let Err(SendError::Refused(why)) = text(media) else { panic!("taken") };
        assert!(why.contains("texts only"), "{why}");
        assert!(matches!(text(Content::System("x".to_owned())), Err(SendError::Refused(_))));
    }

    #[test]
    fn an_answer_names_what_it_answers_and_who_wrote_it() {
        let author: Jid = "5522:3@s.whatsapp.net".parse().unwrap();
        let message = answer("yes".to_owned(), &MessageId::new("A").unwrap(), Some(author));
        let extended = message.extended_text_message.as_option().unwrap();
        let context = extended.context_info.as_option().unwrap();
        assert_eq!(extended.text.as_deref(), Some("yes"));
        assert_eq!(context.stanza_id.as_deref(), Some("A"));
        assert_eq!(context.participant.as_deref(), Some("5522@s.whatsapp.net"), "without a device");
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_network_says_nothing_of_is_neither_taken_nor_refused() {
        let outbound = Outbound::default();
        let patience = Duration::from_secs(1);
        let silent = outbound.acknowledged(Class::Receipt, "A", patience, async { Ok(()) }).await;
        assert_eq!(silent, Ok(None));
        assert!(outbound.0.lock().is_empty());
        let failed = async { Err(SendError::Later("no line".to_owned())) };
        assert!(outbound.acknowledged(Class::Receipt, "A", patience, failed).await.is_err());
    }

    #[tokio::test]
    async fn the_acknowledgement_of_something_else_is_not_taken_for_this_one() {
        let outbound = Outbound::default();
        let (sender, mut taken) = oneshot::channel();
        outbound.0.lock().insert((Class::Message, "A".to_owned()), sender);
        let ack = |id: &str, class: &str| ServerAck::builder().id(id.to_owned()).class(class.to_owned()).build();
        outbound.on_ack(&ack("B", "message"));
        outbound.on_ack(&ack("A", "receipt"));
        assert!(taken.try_recv().is_err());
        outbound.on_ack(&ack("A", "message"));
        assert_eq!(taken.await, Ok(None));
    }
}

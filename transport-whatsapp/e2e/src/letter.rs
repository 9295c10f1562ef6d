//! What a person writes to an account.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use whatsapp_rust::buffa::MessageField;
use whatsapp_rust::wacore::message_edit::{MessageEditContext, encrypt_message_edit};
use whatsapp_rust::waproto::whatsapp as wa;

/// A message to be written by a [`Person`](crate::Person): its content, and how it arrives.
#[derive(Debug, Clone)]
pub struct Letter {
    pub(crate) content: Option<wa::Message>,
    pub(crate) id: Option<String>,
    pub(crate) room: Option<String>,
    pub(crate) sent_at: Option<u64>,
    pub(crate) hidden_number: bool,
    /// Whether the number behind a hidden address comes along.
    pub(crate) tells_number: bool,
    pub(crate) edit: Option<&'static str>,
}

impl Letter {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(wa::Message { conversation: Some(text.into()), ..Default::default() })
    }

    /// Any content.
    pub fn of(content: wa::Message) -> Self {
        let (id, room, sent_at, edit) = (None, None, None, None);
        Self { content: Some(content), id, room, sent_at, hidden_number: false, tells_number: true, edit }
    }

    /// Something that the companion cannot open, as after a lost ratchet; the sender does not send it again.
    pub fn undecryptable() -> Self {
        Self { content: None, ..Self::text("") }
    }

    /// A picture, as far as its description: nothing can be downloaded.
    pub fn image(caption: impl Into<String>) -> Self {
        let image = wa::message::ImageMessage {
            caption: Some(caption.into()),
            mimetype: Some("image/jpeg".into()),
            ..Default::default()
        };
        Self::of(wa::Message { image_message: MessageField::some(image), ..Default::default() })
    }

    /// A text that answers the message with the id `to`.
    pub fn answer(text: impl Into<String>, to: impl Into<String>) -> Self {
        let context = wa::ContextInfo { stanza_id: Some(to.into()), ..Default::default() };
        let extended = wa::message::ExtendedTextMessage {
            text: Some(text.into()),
            context_info: MessageField::some(context),
            ..Default::default()
        };
        Self::of(wa::Message { extended_text_message: MessageField::some(extended), ..Default::default() })
    }

    /// Another text for the sender's own message with the id `of`.
    pub fn edit(of: impl Into<String>, text: impl Into<String>) -> Self {
        let new = wa::Message { conversation: Some(text.into()), ..Default::default() };
        let protocol = wa::message::ProtocolMessage {
            r#type: Some(wa::message::protocol_message::Type::MESSAGE_EDIT),
            key: own_key(of.into()),
            edited_message: MessageField::some(new),
            ..Default::default()
        };
        let message = wa::Message { protocol_message: MessageField::some(protocol), ..Default::default() };
        let wrapper = wa::message::FutureProofMessage { message: MessageField::some(message) };
        let message = wa::Message { edited_message: MessageField::some(wrapper), ..Default::default() };
        Self { edit: Some("1"), ..Self::of(message) }
    }

    /// The same, sealed with the secret of the message that is changed, as newer phones do it; `author` is the sender's address.
    ///
    /// # Errors
    /// When the secret is too short.
    pub fn sealed_edit(of: &str, text: &str, secret: &[u8; 32], author: &str) -> Result<Self> {
        let new = wa::Message { conversation: Some(text.to_owned()), ..Default::default() };
        let protocol = wa::message::ProtocolMessage {
            r#type: Some(wa::message::protocol_message::Type::MESSAGE_EDIT),
            key: own_key(of.to_owned()),
            edited_message: MessageField::some(new),
            ..Default::default()
        };
        let inner = wa::Message { protocol_message: MessageField::some(protocol), ..Default::default() };
        let context = MessageEditContext { original_msg_id: of, original_sender_jid: author, editor_jid: author };
        let (sealed, iv) = encrypt_message_edit(&inner, secret, &context)?;
        let sealed = wa::message::SecretEncryptedMessage {
            target_message_key: own_key(of.to_owned()),
            enc_payload: Some(sealed),
            enc_iv: Some(iv.to_vec()),
            secret_enc_type: Some(wa::message::secret_encrypted_message::SecretEncType::MESSAGE_EDIT),
            ..Default::default()
        };
        let message = wa::Message { secret_encrypted_message: MessageField::some(sealed), ..Default::default() };
        Ok(Self { edit: Some("1"), ..Self::of(message) })
    }

    /// Takes the sender's own message with the id `of` back.
    pub fn deletion(of: impl Into<String>) -> Self {
        Self { edit: Some("7"), ..Self::revoke(own_key(of.into())) }
    }

    /// Takes somebody else's message with the id `of` back, as an admin may in a group.
    pub fn deletion_by_admin(of: impl Into<String>, author: impl Into<String>) -> Self {
        let key = wa::MessageKey {
            id: Some(of.into()),
            from_me: Some(false),
            participant: Some(author.into()),
            ..Default::default()
        };
        Self { edit: Some("8"), ..Self::revoke(MessageField::some(key)) }
    }

    fn revoke(key: MessageField<wa::MessageKey>) -> Self {
        let protocol = wa::message::ProtocolMessage {
            r#type: Some(wa::message::protocol_message::Type::REVOKE),
            key,
            ..Default::default()
        };
        Self::of(wa::Message { protocol_message: MessageField::some(protocol), ..Default::default() })
    }

    /// A reaction to the message with the id `to`.
    pub fn reaction(emoji: impl Into<String>, to: impl Into<String>) -> Self {
        let reaction = wa::message::ReactionMessage {
            key: MessageField::some(wa::MessageKey { id: Some(to.into()), ..Default::default() }),
            text: Some(emoji.into()),
            ..Default::default()
        };
        Self::of(wa::Message { reaction_message: MessageField::some(reaction), ..Default::default() })
    }

    /// With this id instead of a fresh one.
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Into a group (`…@g.us`) or as a status post (`status@broadcast`) instead of to the account alone.
    pub fn in_room(mut self, room: impl Into<String>) -> Self {
        self.room = Some(room.into());
        self
    }

    /// Written at this time, as the network tells it, instead of now.
    pub fn sent_at(mut self, time: SystemTime) -> Self {
        self.sent_at = Some(time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs());
        self
    }

    /// Under the sender's hidden address; nobody tells the number behind it.
    pub fn from_nobody_known(mut self) -> Self {
        (self.hidden_number, self.tells_number) = (true, false);
        self
    }

    /// With a secret, from which the changes of this message are sealed; and by which others see whose it is.
    pub fn with_secret(mut self, secret: [u8; 32]) -> Self {
        if let Some(content) = &mut self.content {
            let context = wa::MessageContextInfo { message_secret: Some(secret.to_vec()), ..Default::default() };
            content.message_context_info = MessageField::some(context);
        }
        self
    }

    /// Under the sender's hidden address; the number comes along as an attribute.
    pub fn from_hidden_number(mut self) -> Self {
        self.hidden_number = true;
        self
    }
}

fn own_key(id: String) -> MessageField<wa::MessageKey> {
    MessageField::some(wa::MessageKey { id: Some(id), from_me: Some(true), ..Default::default() })
}

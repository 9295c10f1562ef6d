//! What a person writes to an account.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use whatsapp_rust::buffa::MessageField;
use whatsapp_rust::waproto::whatsapp as wa;

/// A message to be written by a [`Person`](crate::Person): its content, and how it arrives.
#[derive(Debug, Clone)]
pub struct Letter {
    pub(crate) content: Option<wa::Message>,
    pub(crate) id: Option<String>,
    pub(crate) room: Option<String>,
    pub(crate) sent_at: Option<u64>,
    pub(crate) hidden_number: bool,
}

impl Letter {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(wa::Message { conversation: Some(text.into()), ..Default::default() })
    }

    /// Any content.
    pub fn of(content: wa::Message) -> Self {
        Self { content: Some(content), id: None, room: None, sent_at: None, hidden_number: false }
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

    /// Under the sender's hidden address; the number comes along as an attribute.
    pub fn from_hidden_number(mut self) -> Self {
        self.hidden_number = true;
        self
    }
}

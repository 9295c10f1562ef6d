//! Sending messages, and taking back what was not sent yet.

use super::Desk;
use crate::conversation::{Media, SendOptions};
use crate::error::SeatportError;

#[uniffi::export]
impl Desk {
    /// Sends a text: stores it, and hands it to the network as soon as that can be reached. Answers its id.
    ///
    /// # Errors
    /// `NotSending` when the session is not started, unless the options say to queue; `Invalid` for an empty or too long text;
    /// `KeyReused` when the key belongs to another message.
    pub async fn send_text(
        &self,
        session: String,
        chat: String,
        text: String,
        options: SendOptions,
    ) -> Result<String, SeatportError> {
        let (session, chat, options) = (session.parse()?, chat.parse()?, options.try_into()?);
        self.run(move |desk| async move { Ok(desk.send_text(session, &chat, text, options).await?.to_string()) }).await
    }

    /// Sends media, where the network can. `reference` says where its bytes are, in the network's own form.
    ///
    /// # Errors
    /// `Unsupported` when the network cannot; and those of `send_text`.
    pub async fn send_media(
        &self,
        session: String,
        chat: String,
        media: Media,
        options: SendOptions,
    ) -> Result<String, SeatportError> {
        let (session, chat, media, options) = (session.parse()?, chat.parse()?, media.try_into()?, options.try_into()?);
        self.run(move |desk| async move { Ok(desk.send_media(session, &chat, media, options).await?.to_string()) })
            .await
    }

    /// Takes back a message that waits to be sent.
    ///
    /// # Errors
    /// `AlreadySent` when it is too late; `UnknownMessage`.
    pub async fn cancel_send(&self, session: String, chat: String, message: String) -> Result<(), SeatportError> {
        let (session, chat, message) = (session.parse()?, chat.parse()?, message.parse()?);
        self.run(move |desk| async move { Ok(desk.cancel_send(session, &chat, &message).await?) }).await
    }
}

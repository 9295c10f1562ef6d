//! What a message says.

use seatport::conversation::Content;
use whatsapp_rust::prelude::{MessageExt, wa};

/// Something a person wrote, or nothing: keys, settings, reactions, votes and edits are no messages of their own.
pub(crate) fn content(message: &wa::Message) -> Option<Content> {
    if let Some(text) = message.text_content() {
        return Some(Content::Text(text.to_owned()));
    }
    kind(message.get_base_message()).map(|kind| Content::Unsupported(kind.to_owned()))
}

/// The first kind of which the message has the field.
macro_rules! kinds {
    ($message:ident: $($kind:literal => $($field:ident)|+),+ $(,)?) => {
        $(if $($message.$field.is_set())||+ { return Some($kind); })+
    };
}

/// The network's name for what is no text. What has none of these fields is for the client and not for a person.
fn kind(message: &wa::Message) -> Option<&'static str> {
    kinds! { message:
        "image" => image_message,
        "video" => video_message,
        "video note" => ptv_message,
        "audio" => audio_message,
        "document" => document_message | document_with_caption_message,
        "sticker" => sticker_message | lottie_sticker_message | sticker_pack_message,
        "contact" => contact_message | contacts_array_message,
        "location" => location_message | live_location_message,
        "poll" => poll_creation_message | poll_creation_message_v2 | poll_creation_message_v3 | poll_creation_message_v4
            | poll_creation_message_v5 | poll_creation_message_v6,
        "event" => event_message | event_invite_message,
        "group invite" => group_invite_message,
        "product" => product_message,
        "order" => order_message,
        "invoice" => invoice_message,
        "payment" => send_payment_message | request_payment_message | payment_invite_message | split_payment_message
            | payment_reminder_message,
        "template" => template_message | highly_structured_message,
        "template reply" => template_button_reply_message,
        "buttons" => buttons_message,
        "buttons reply" => buttons_response_message,
        "list" => list_message,
        "list reply" => list_response_message,
        "interactive" => interactive_message,
        "interactive reply" => interactive_response_message,
        "call" => scheduled_call_creation_message | call_log_messsage | bcall_message,
        "album" => album_message,
        "request for the phone number" => request_phone_number_message,
        "rich response" => rich_response_message,
        "comment" => comment_message | enc_comment_message,
        "view once" => view_once_message | view_once_message_v2 | view_once_message_v2_extension,
    }
    None
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::buffa::MessageField;

    use super::*;

    #[test]
    fn text_is_found_wherever_it_is_wrapped() {
        let plain = wa::Message { conversation: Some("hi".to_owned()), ..Default::default() };
        let extended = wa::message::ExtendedTextMessage { text: Some("hi".to_owned()), ..Default::default() };
        let extended = wa::Message { extended_text_message: MessageField::some(extended), ..Default::default() };
        let wrapper = wa::message::FutureProofMessage { message: MessageField::some(plain.clone()) };
        let ephemeral = wa::Message { ephemeral_message: MessageField::some(wrapper), ..Default::default() };
        for message in [plain, extended, ephemeral] {
            assert_eq!(content(&message), Some(Content::Text("hi".to_owned())));
        }
    }

    #[test]
    fn what_is_no_text_is_named() {
        let image = wa::message::ImageMessage { caption: Some("look".to_owned()), ..Default::default() };
        let image = wa::Message { image_message: MessageField::some(image), ..Default::default() };
        assert_eq!(content(&image), Some(Content::Unsupported("image".to_owned())));
        let wrapper = wa::message::FutureProofMessage { message: MessageField::some(image) };
        let once = wa::Message { view_once_message_v2: MessageField::some(wrapper), ..Default::default() };
        assert_eq!(content(&once), Some(Content::Unsupported("image".to_owned())));
    }

    #[test]
    fn what_no_person_wrote_is_no_message() {
        let reaction = wa::message::ReactionMessage { text: Some("👍".to_owned()), ..Default::default() };
        for message in [
            wa::Message { reaction_message: MessageField::some(reaction), ..Default::default() },
            wa::Message { protocol_message: MessageField::some(Default::default()), ..Default::default() },
            wa::Message {
                sender_key_distribution_message: MessageField::some(Default::default()),
                ..Default::default()
            },
            wa::Message::default(),
        ] {
            assert_eq!(content(&message), None, "{message:?}");
        }
    }
}

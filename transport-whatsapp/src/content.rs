//! What a message says.

use seatport::MessageId;
use seatport::conversation::{Content, Location};
use whatsapp_rust::prelude::wa;

use crate::{card, media};

/// How often a message may be wrapped. The network wraps it twice or so; whoever wraps it oftener wants to do harm.
const DEEPEST: usize = 8;

/// The field that is set, of those that hold another message.
macro_rules! wrapped {
    ($message:ident: $($field:ident),+ $(,)?) => {
        None$(.or_else(|| $message.$field.as_option().and_then(|wrapper| wrapper.message.as_option())))+
    };
}

/// The message inside all wrappers: those that say how it is shown, or who sent it.
pub(crate) fn base(message: &wa::Message) -> &wa::Message {
    let mut current = message;
    for _ in 0..DEEPEST {
        let inner: Option<&wa::Message> =
            current.device_sent_message.as_option().and_then(|wrapper| wrapper.message.as_option()).or_else(|| {
                wrapped! { current:
                    ephemeral_message, view_once_message, view_once_message_v2, view_once_message_v2_extension,
                    document_with_caption_message, edited_message, associated_child_message, lottie_sticker_message,
                    group_mentioned_message, bot_invoke_message, bot_forwarded_message, spoiler_message,
                    question_message, question_reply_message, limit_sharing_message,
                }
            });
        match inner {
            Some(inner) => current = inner,
            None => break,
        }
    }
    current
}

/// Something a person said, or nothing: keys, settings, votes, and what [changes](crate::amendment) a message, are no messages
/// of their own.
pub(crate) fn content(message: &wa::Message) -> Option<Content> {
    let message = base(message);
    if let Some(text) = text(message) {
        return Some(Content::Text(text.to_owned()));
    }
    if let Some(media) = media::media(message) {
        return Some(Content::Media(media));
    }
    if let Some(location) = location(message) {
        return Some(Content::Location(location));
    }
    if let Some(card) = card::card(message) {
        return Some(Content::Contact(card));
    }
    kind(message).map(|kind| Content::Unsupported(kind.to_owned()))
}

/// What was typed, or chosen from what the account had offered.
fn text(message: &wa::Message) -> Option<&str> {
    let typed = message.conversation.as_deref();
    let typed =
        typed.or_else(|| message.extended_text_message.as_option().and_then(|extended| extended.text.as_deref()));
    let template = || message.template_button_reply_message.as_option()?.selected_display_text.as_deref();
    let list = || message.list_response_message.as_option()?.title.as_deref();
    typed.filter(|text| !text.is_empty()).or_else(template).or_else(list).filter(|text| !text.is_empty())
}

fn location(message: &wa::Message) -> Option<Location> {
    // The cast saturates: what is no place on Earth ends at its edge.
    let millionths = |degrees: Option<f64>| degrees.map(|degrees| (degrees * 1e6).round() as i32);
    let told = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(place) = message.location_message.as_option() {
        return Some(Location {
            latitude: millionths(place.degrees_latitude)?,
            longitude: millionths(place.degrees_longitude)?,
            name: told(&place.name).or_else(|| told(&place.comment)),
            address: told(&place.address),
        });
    }
    let place = message.live_location_message.as_option()?;
    Some(Location {
        latitude: millionths(place.degrees_latitude)?,
        longitude: millionths(place.degrees_longitude)?,
        name: told(&place.caption),
        address: None,
    })
}

/// The message that this one answers.
pub(crate) fn quoted(message: &wa::Message) -> Option<MessageId> {
    macro_rules! context {
        ($message:ident: $($field:ident),+ $(,)?) => {
            None$(.or_else(|| $message.$field.as_option().and_then(|inner| inner.context_info.as_option())))+
        };
    }
    let message = base(message);
    let context: Option<&wa::ContextInfo> = context! { message:
        extended_text_message, image_message, video_message, ptv_message, audio_message, document_message,
        sticker_message, location_message, live_location_message, contact_message, contacts_array_message,
        buttons_message, buttons_response_message, list_message, list_response_message, template_message,
        template_button_reply_message, interactive_message, interactive_response_message, poll_creation_message,
        poll_creation_message_v2, poll_creation_message_v3, product_message, order_message, group_invite_message,
        event_message, sticker_pack_message,
    };
    // What quotes a message of another chat, a status post for one, quotes nothing that is here.
    let context = context.filter(|context| context.remote_jid.is_none())?;
    context.stanza_id.as_deref().and_then(|id| MessageId::new(id).ok())
}

/// The first kind of which the message has the field.
macro_rules! kinds {
    ($message:ident: $($kind:literal => $($field:ident)|+),+ $(,)?) => {
        $(if $($message.$field.is_set())||+ { return Some($kind); })+
    };
}

/// The network's name for what is not shown. What has none of these fields is for the client and not for a person, or only
/// announces what follows: an album, its pictures.
fn kind(message: &wa::Message) -> Option<&'static str> {
    kinds! { message:
        "sticker" => sticker_pack_message,
        "location" => location_message | live_location_message,
        "contact" => contact_message | contacts_array_message,
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

    fn text_message(text: &str) -> wa::Message {
        wa::Message { conversation: Some(text.to_owned()), ..Default::default() }
    }

    fn wrapper(message: wa::Message) -> MessageField<wa::message::FutureProofMessage> {
        MessageField::some(wa::message::FutureProofMessage { message: MessageField::some(message) })
    }

    #[test]
    fn text_is_found_wherever_it_is_wrapped() {
        let extended = wa::message::ExtendedTextMessage { text: Some("hi".to_owned()), ..Default::default() };
        let extended = wa::Message { extended_text_message: MessageField::some(extended), ..Default::default() };
        let ephemeral = wa::Message { ephemeral_message: wrapper(text_message("hi")), ..Default::default() };
        let twice = wa::Message { spoiler_message: wrapper(ephemeral.clone()), ..Default::default() };
        for message in [text_message("hi"), extended, ephemeral, twice] {
            assert_eq!(content(&message), Some(Content::Text("hi".to_owned())));
        }
    }

    #[test]
    fn what_is_wrapped_without_end_is_nothing() {
        let mut message = text_message("hi");
        for _ in 0..20 {
            message = wa::Message { ephemeral_message: wrapper(message), ..Default::default() };
        }
        assert_eq!(content(&message), None);
    }

    #[test]
    fn what_was_chosen_was_said() {
        let reply = wa::message::TemplateButtonReplyMessage {
            selected_display_text: Some("Track my order".to_owned()),
            ..Default::default()
        };
        let reply = wa::Message { template_button_reply_message: MessageField::some(reply), ..Default::default() };
        assert_eq!(content(&reply), Some(Content::Text("Track my order".to_owned())));
    }

    #[test]
    fn a_place_is_told_in_millionths_of_a_degree() {
        let place = wa::message::LocationMessage {
            degrees_latitude: Some(-23.561_414),
            degrees_longitude: Some(-46.655_881_9),
            name: Some("MASP".to_owned()),
            address: Some(String::new()),
            ..Default::default()
        };
        let place = wa::Message { location_message: MessageField::some(place), ..Default::default() };
        let expected =
            Location { latitude: -23_561_414, longitude: -46_655_882, name: Some("MASP".to_owned()), address: None };
        assert_eq!(content(&place), Some(Content::Location(expected)));
        let nowhere = wa::Message { location_message: MessageField::some(Default::default()), ..Default::default() };
        assert_eq!(content(&nowhere), Some(Content::Unsupported("location".to_owned())));
    }

    #[test]
    fn what_is_not_shown_is_named() {
        let poll =
            wa::Message { poll_creation_message_v3: MessageField::some(Default::default()), ..Default::default() };
        assert_eq!(content(&poll), Some(Content::Unsupported("poll".to_owned())));
    }

    #[test]
    fn what_no_person_said_is_no_message() {
        let reaction = wa::message::ReactionMessage { text: Some("👍".to_owned()), ..Default::default() };
        for message in [
            wa::Message { reaction_message: MessageField::some(reaction), ..Default::default() },
            wa::Message { protocol_message: MessageField::some(Default::default()), ..Default::default() },
            wa::Message { album_message: MessageField::some(Default::default()), ..Default::default() },
            wa::Message {
                sender_key_distribution_message: MessageField::some(Default::default()),
                ..Default::default()
            },
            wa::Message::default(),
        ] {
            assert_eq!(content(&message), None);
        }
    }

    #[test]
    fn an_answer_names_the_message_of_the_same_chat_that_it_answers() {
        let answer = |remote_jid: Option<&str>| {
            let context = wa::ContextInfo {
                stanza_id: Some("A1".to_owned()),
                remote_jid: remote_jid.map(str::to_owned),
                ..Default::default()
            };
            let image = wa::message::ImageMessage { context_info: MessageField::some(context), ..Default::default() };
            wa::Message { image_message: MessageField::some(image), ..Default::default() }
        };
        assert_eq!(quoted(&answer(None)).unwrap().as_str(), "A1");
        assert_eq!(quoted(&answer(Some("status@broadcast"))), None);
        assert_eq!(quoted(&text_message("hi")), None);
    }
}

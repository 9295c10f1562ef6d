//! Pictures, films, sound, files and stickers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seatport::conversation::{Media, MediaKind, MediaReference};
use serde::Serialize;
use whatsapp_rust::prelude::wa;

/// What the network says when it does not say what it is.
const ANYTHING: &str = "application/octet-stream";

/// Where the bytes are: what it takes to download and open them later. The network keeps them for some weeks.
#[derive(Serialize)]
struct Place<'a> {
    /// As which of its kinds the network encrypted it: that goes into the key.
    kind: &'static str,
    direct_path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_enc_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
}

/// The media in a message, if it is one of those.
pub(crate) fn media(message: &wa::Message) -> Option<Media> {
    /// What all sorts have in common, under the names of this sort's field.
    macro_rules! described {
        ($inner:ident, $kind:expr, $sort:literal) => {{
            let mut media = Media::new($kind, told(&$inner.mimetype).unwrap_or_else(|| ANYTHING.to_owned()));
            media.bytes = $inner.file_length;
            media.reference = reference(Place {
                kind: $sort,
                direct_path: $inner.direct_path.as_deref().unwrap_or_default(),
                media_key: base64(&$inner.media_key),
                file_sha256: base64(&$inner.file_sha256),
                file_enc_sha256: base64(&$inner.file_enc_sha256),
                bytes: $inner.file_length,
            });
            media
        }};
    }
    if let Some(image) = message.image_message.as_option() {
        let mut media = described!(image, MediaKind::Image, "image");
        media.caption = told(&image.caption);
        media.dimensions = dimensions(image.width, image.height);
        return Some(media);
    }
    let film = message.video_message.as_option().map(|film| (film, false));
    let film = film.or_else(|| message.ptv_message.as_option().map(|film| (film, true)));
    if let Some((film, is_note)) = film {
        let mut media = match is_note {
            true => described!(film, MediaKind::Video, "ptv"),
            false => described!(film, MediaKind::Video, "video"),
        };
        media.caption = told(&film.caption);
        media.dimensions = dimensions(film.width, film.height);
        media.duration = film.seconds.map(|seconds| Duration::from_secs(seconds.into()));
        return Some(media);
    }
    if let Some(sound) = message.audio_message.as_option() {
        let mut media = match sound.ptt {
            Some(true) => described!(sound, MediaKind::Audio, "ptt"),
            _ => described!(sound, MediaKind::Audio, "audio"),
        };
        media.duration = sound.seconds.map(|seconds| Duration::from_secs(seconds.into()));
        return Some(media);
    }
    if let Some(file) = message.document_message.as_option() {
        let mut media = described!(file, MediaKind::Document, "document");
        media.file_name = told(&file.file_name).or_else(|| told(&file.title));
        media.caption = told(&file.caption);
        return Some(media);
    }
    let sticker = message.sticker_message.as_option()?;
    let mut media = described!(sticker, MediaKind::Sticker, "sticker");
    media.dimensions = dimensions(sticker.width, sticker.height);
    Some(media)
}

fn told(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.is_empty())
}

fn base64(bytes: &Option<Vec<u8>>) -> Option<String> {
    bytes.as_ref().map(|bytes| STANDARD.encode(bytes))
}

fn dimensions(width: Option<u32>, height: Option<u32>) -> Option<(u32, u32)> {
    Some((width?, height?)).filter(|(width, height)| *width > 0 && *height > 0)
}

fn reference(place: Place<'_>) -> Option<MediaReference> {
    if place.direct_path.is_empty() {
        return None;
    }
    // An error cannot come of text and numbers.
    serde_json::to_string(&place).ok().map(MediaReference::new)
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::buffa::MessageField;

    use super::*;

    #[test]
    fn all_that_is_known_of_a_film_is_kept_and_how_to_get_it() {
        let film = wa::message::VideoMessage {
            mimetype: Some("video/mp4".to_owned()),
            caption: Some("look".to_owned()),
            file_length: Some(4_000),
            seconds: Some(7),
            width: Some(640),
            height: Some(480),
            media_key: Some(vec![9; 32]),
            file_sha256: Some(vec![1]),
            file_enc_sha256: Some(vec![2]),
            direct_path: Some("/v/t62/film".to_owned()),
            ..Default::default()
        };
        let message = wa::Message { video_message: MessageField::some(film), ..Default::default() };
        let media = media(&message).unwrap();
        assert_eq!((media.kind, media.mime_type.as_str(), media.bytes), (MediaKind::Video, "video/mp4", Some(4_000)));
        assert_eq!((media.caption.as_deref(), media.dimensions), (Some("look"), Some((640, 480))));
        assert_eq!(media.duration, Some(Duration::from_secs(7)));
        let reference = media.reference.clone().unwrap();
        let place: serde_json::Value = serde_json::from_str(reference.as_str()).unwrap();
        assert_eq!(place["kind"], "video");
        assert_eq!(place["direct_path"], "/v/t62/film");
        assert_eq!(place["media_key"], STANDARD.encode([9; 32]));
        assert_eq!(place["file_enc_sha256"], STANDARD.encode([2]));
        assert!(!format!("{media:?}").contains(&STANDARD.encode([9; 32])), "the key is no business of a log");
    }

    #[test]
    fn media_of_which_nothing_is_known_is_media_all_the_same() {
        let message = wa::Message { document_message: MessageField::some(Default::default()), ..Default::default() };
        let media = media(&message).unwrap();
        assert_eq!((media.kind, media.mime_type.as_str(), media.bytes), (MediaKind::Document, ANYTHING, None));
        assert_eq!((media.reference, media.file_name), (None, None));
    }

    #[test]
    fn a_voice_message_says_that_it_is_one() {
        let sound = |ptt| {
            let sound = wa::message::AudioMessage { ptt, direct_path: Some("/v".to_owned()), ..Default::default() };
            let message = wa::Message { audio_message: MessageField::some(sound), ..Default::default() };
            media(&message).unwrap().reference.unwrap().as_str().to_owned()
        };
        assert!(sound(Some(true)).contains(r#""kind":"ptt""#));
        assert!(sound(None).contains(r#""kind":"audio""#));
    }
}

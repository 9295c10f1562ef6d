//! What a message says.

use std::sync::Arc;
use std::time::Duration;

use seatport::{Invalid, conversation};

use crate::mirror::mirror;
use crate::secret::Secret;
use crate::time::lasting;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Content {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A picture, a recording, a document: what is known of it and where to get it.
    Media {
        /// What is known of it.
        media: Media,
    },
    /// A place.
    Location {
        /// Where it is.
        location: Location,
    },
    /// Somebody's contact details.
    Contact {
        /// The details.
        card: ContactCard,
    },
    /// A line of the network's own: who joined a group, that the encryption changed.
    System {
        /// The line.
        text: String,
    },
    /// Something that this version does not show.
    Unsupported {
        /// The network's name for it.
        name: String,
    },
    /// A message that could not be decrypted. The network may send it again.
    Undecryptable,
    /// It was taken back; what it said is not kept.
    Deleted,
}

impl From<conversation::Content> for Content {
    fn from(content: conversation::Content) -> Self {
        use conversation::Content as Core;
        match content {
            Core::Text(text) => Self::Text { text },
            Core::Media(media) => Self::Media { media: media.into() },
            Core::Location(location) => Self::Location { location: location.into() },
            Core::Contact(card) => Self::Contact { card: card.into() },
            Core::System(text) => Self::System { text },
            Core::Unsupported(name) => Self::Unsupported { name },
            Core::Undecryptable => Self::Undecryptable,
            Core::Deleted => Self::Deleted,
            // What a newer core can say is something that this version does not show.
            _ => Self::Unsupported { name: "newer than this package".to_owned() },
        }
    }
}

impl TryFrom<Content> for conversation::Content {
    type Error = Invalid;

    fn try_from(content: Content) -> Result<Self, Invalid> {
        Ok(match content {
            Content::Text { text } => Self::Text(text),
            Content::Media { media } => Self::Media(media.try_into()?),
            Content::Location { location } => Self::Location(location.into()),
            Content::Contact { card } => Self::Contact(card.into()),
            Content::System { text } => Self::System(text),
            Content::Unsupported { name } => Self::Unsupported(name),
            Content::Undecryptable => Self::Undecryptable,
            Content::Deleted => Self::Deleted,
        })
    }
}

mirror! {
    /// What sort of media.
    MediaKind = conversation::MediaKind {
        /// A picture.
        Image,
        /// A film.
        Video,
        /// Sound: music, or a voice message.
        Audio,
        /// A file.
        Document,
        /// A sticker.
        Sticker,
    }
}

/// Media: what is known of it, and where to get it. The bytes themselves are not kept here.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Media {
    /// What sort.
    pub kind: MediaKind,
    /// Its MIME type.
    pub mime_type: String,
    /// How many bytes it has.
    #[uniffi(default = None)]
    pub size: Option<u64>,
    /// The name of the file.
    #[uniffi(default = None)]
    pub file_name: Option<String>,
    /// What is written under it.
    #[uniffi(default = None)]
    pub caption: Option<String>,
    /// Its width in pixels; it comes together with the height.
    #[uniffi(default = None)]
    pub width: Option<u32>,
    /// Its height in pixels; it comes together with the width.
    #[uniffi(default = None)]
    pub height: Option<u32>,
    /// How long it plays.
    #[uniffi(default = None)]
    pub duration: Option<Duration>,
    /// Where the bytes are, as the transport writes it: for media that came in it may hold the key to them, for media to be
    /// sent it is what the transport reads them from.
    #[uniffi(default = None)]
    pub reference: Option<Arc<Secret>>,
}

impl From<conversation::Media> for Media {
    fn from(media: conversation::Media) -> Self {
        let (width, height) = media.dimensions.unzip();
        Self {
            kind: media.kind.into(),
            mime_type: media.mime_type,
            size: media.bytes,
            file_name: media.file_name,
            caption: media.caption,
            width,
            height,
            duration: media.duration.map(lasting),
            reference: media.reference.map(|reference| Secret::new(reference.as_str().to_owned())),
        }
    }
}

impl TryFrom<Media> for conversation::Media {
    type Error = Invalid;

    fn try_from(given: Media) -> Result<Self, Invalid> {
        if given.width.is_some() != given.height.is_some() {
            return Err(Invalid::new("media", "width without height, or height without width", "give both or neither"));
        }
        let mut media = Self::new(given.kind.into(), given.mime_type);
        media.bytes = given.size;
        media.file_name = given.file_name;
        media.caption = given.caption;
        media.dimensions = given.width.zip(given.height);
        media.duration = given.duration;
        media.reference = given.reference.map(|reference| conversation::MediaReference::new(reference.0.expose()));
        Ok(media)
    }
}

/// A place.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Location {
    /// Degrees north, in millionths.
    pub latitude: i32,
    /// Degrees east, in millionths.
    pub longitude: i32,
    /// What the place is called.
    #[uniffi(default = None)]
    pub name: Option<String>,
    /// Its postal address.
    #[uniffi(default = None)]
    pub address: Option<String>,
}

impl From<conversation::Location> for Location {
    fn from(location: conversation::Location) -> Self {
        let conversation::Location { latitude, longitude, name, address } = location;
        Self { latitude, longitude, name, address }
    }
}

impl From<Location> for conversation::Location {
    fn from(location: Location) -> Self {
        let Location { latitude, longitude, name, address } = location;
        Self { latitude, longitude, name, address }
    }
}

/// Somebody's contact details.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ContactCard {
    /// The name.
    pub name: String,
    /// Phone numbers, as they were written.
    pub phones: Vec<String>,
}

impl From<conversation::ContactCard> for ContactCard {
    fn from(card: conversation::ContactCard) -> Self {
        Self { name: card.name, phones: card.phones }
    }
}

impl From<ContactCard> for conversation::ContactCard {
    fn from(card: ContactCard) -> Self {
        Self { name: card.name, phones: card.phones }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> conversation::Media {
        let mut media = conversation::Media::new(conversation::MediaKind::Video, "video/mp4");
        media.bytes = Some(u64::MAX);
        media.file_name = Some("发票.mp4".into());
        media.caption = Some("for May".into());
        media.dimensions = Some((640, 480));
        media.duration = Some(Duration::from_millis(1_500));
        media.reference = Some(conversation::MediaReference::new("https://cdn.example/1#key"));
        media
    }

    #[test]
    fn everything_a_message_can_say_survives_the_way_out_and_in() {
        use conversation::Content as Core;
        let place =
            conversation::Location { latitude: -33_000_001, longitude: 2, name: Some("x".into()), address: None };
        let card = conversation::ContactCard { name: "Li".into(), phones: vec!["+86 1".into()] };
        let contents = [
            Core::Text("hi\u{0}".into()),
            Core::Media(full()),
            Core::Media(conversation::Media::new(conversation::MediaKind::Sticker, "")),
            Core::Location(place),
            Core::Contact(card),
            Core::System("Li joined".into()),
            Core::Unsupported("poll".into()),
            Core::Undecryptable,
            Core::Deleted,
        ];
        for content in contents {
            assert_eq!(Core::try_from(Content::from(content.clone())).unwrap(), content);
        }
    }

    #[test]
    fn the_reference_of_media_shows_nowhere() {
        assert!(!format!("{:?}", Content::from(conversation::Content::Media(full()))).contains("cdn.example"));
    }

    #[test]
    fn a_width_without_a_height_is_refused() {
        let media = Media { height: None, ..full().into() };
        assert_eq!(conversation::Media::try_from(media).unwrap_err().field, "media");
    }

    #[test]
    fn a_film_that_lasts_for_ever_is_told_within_what_python_holds() {
        let mut media = full();
        media.duration = Some(Duration::MAX);
        assert_eq!(Media::from(media).duration, Some(lasting(Duration::MAX)));
    }
}

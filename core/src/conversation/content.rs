//! What a message says.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Content {
    /// Text.
    Text(String),
    /// A picture, a recording, a document: what is known of it and where to get it.
    Media(Media),
    /// A place.
    Location(Location),
    /// Somebody's contact details.
    Contact(ContactCard),
    /// A line of the network's own: who joined a group, that the encryption changed.
    System(String),
    /// Something this version does not show; the network's name for it.
    Unsupported(String),
    /// A message that could not be decrypted. The network may send it again.
    Undecryptable,
    /// It was taken back; what it said is not kept.
    Deleted,
}

impl Content {
    /// Whether a person said it: what the network says by itself is nobody's first message.
    #[must_use]
    pub fn is_from_a_person(&self) -> bool {
        !matches!(self, Self::System(_))
    }

    /// The text that a search looks at, if there is any: texts, captions, names of files and places and people.
    ///
    /// ```
    /// use seatport::conversation::{Content, Media, MediaKind};
    /// let mut invoice = Media::new(MediaKind::Document, "application/pdf");
    /// invoice.file_name = Some("发票.pdf".into());
    /// invoice.caption = Some("for May".into());
    /// assert_eq!(Content::Media(invoice).searchable().unwrap(), "for May\n发票.pdf");
    /// assert!(Content::Deleted.searchable().is_none());
    /// ```
    #[must_use]
    pub fn searchable(&self) -> Option<Cow<'_, str>> {
        let joined = |parts: &[&Option<String>]| {
            let parts: Vec<_> = parts.iter().filter_map(|part| part.as_deref()).collect();
            (!parts.is_empty()).then(|| Cow::Owned(parts.join("\n")))
        };
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Media(media) => joined(&[&media.caption, &media.file_name]),
            Self::Location(location) => joined(&[&location.name, &location.address]),
            Self::Contact(card) => {
                Some(Cow::Owned([std::slice::from_ref(&card.name), &card.phones].concat().join("\n")))
            }
            Self::System(_) | Self::Unsupported(_) | Self::Undecryptable | Self::Deleted => None,
        }
    }
}

/// What sort of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MediaKind {
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

/// Media: what is known of it, and where to get it. The bytes themselves are not kept here.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Media {
    /// What sort.
    pub kind: MediaKind,
    /// Its MIME type.
    pub mime_type: String,
    /// How many bytes it has.
    pub bytes: Option<u64>,
    /// The name of the file.
    pub file_name: Option<String>,
    /// What is written under it.
    pub caption: Option<String>,
    /// Width and height in pixels.
    pub dimensions: Option<(u32, u32)>,
    /// How long it plays.
    pub duration: Option<Duration>,
    /// Where the bytes are.
    pub reference: Option<MediaReference>,
}

impl Media {
    /// Media of this kind and MIME type, of which nothing else is known.
    #[must_use]
    pub fn new(kind: MediaKind, mime_type: impl Into<String>) -> Self {
        Self {
            kind,
            mime_type: mime_type.into(),
            bytes: None,
            file_name: None,
            caption: None,
            dimensions: None,
            duration: None,
            reference: None,
        }
    }
}

/// Where the bytes of media are, as the transport writes it: for media that came in it may hold the key to them, for media to
/// be sent it is what the transport reads them from. `Debug` shows only how long it is.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MediaReference(String);

impl MediaReference {
    /// A reference in the transport's own form.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The reference, for the transport.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MediaReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MediaReference({} bytes)", self.0.len())
    }
}

/// A place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Location {
    /// Degrees north, in millionths.
    pub latitude: i32,
    /// Degrees east, in millionths.
    pub longitude: i32,
    /// What the place is called.
    pub name: Option<String>,
    /// Its postal address.
    pub address: Option<String>,
}

/// Somebody's contact details.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContactCard {
    /// The name.
    pub name: String,
    /// Phone numbers, as they were written.
    pub phones: Vec<String>,
}

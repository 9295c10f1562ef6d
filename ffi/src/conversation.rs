//! Conversations: the people an account talks to, the chat with each, and what was said.

mod amendment;
mod chat;
mod contact;
mod content;
mod history;
mod message;
mod search;
mod send;

pub use amendment::{Amendment, AmendmentChange};
pub use chat::{Chat, ChatKind, ChatUpdate, Coverage, Muting};
pub use contact::{AvatarUpdate, Contact, ContactUpdate, SamePerson};
pub use content::{ContactCard, Content, Location, Media, MediaKind};
pub use history::{History, InboundMessage};
pub use message::{Author, Direction, Message, MessageStatus, Reaction, SendFailure, StoredMessage};
pub use search::{ContactHit, MessageHit, SearchQuery};
pub use send::{SendOptions, WhenStopped};

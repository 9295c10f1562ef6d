//! Conversations: the people an account talks to, the chat with each, and what was said.

mod amendment;
mod chat;
mod contact;
mod content;
mod history;
mod message;
mod search;

pub use amendment::{Amendment, AmendmentChange};
pub use chat::{Chat, ChatCursor, ChatKind, ChatUpdate, Coverage};
pub use contact::{Contact, ContactUpdate};
pub use content::{ContactCard, Content, Location, Media, MediaKind, MediaReference};
pub use history::History;
pub use message::{Author, Direction, Message, MessageStatus, Reaction, SendFailure, StoredMessage};
pub use search::{ContactHit, MessageHit, SearchQuery};

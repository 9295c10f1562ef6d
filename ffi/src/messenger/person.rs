//! People who write.

use std::time::SystemTime;

use super::built;
use crate::conversation::Content;
use crate::error::SeatportError;

/// Somebody on the simulated network who is no account of Seatport's: writes to accounts and groups, and reads what accounts send.
/// Accounts, groups and messages are named by their addresses and ids.
#[derive(Debug, uniffi::Object)]
pub struct Person(built::Person);

/// A message as a person, or a group, got it.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Received {
    /// The account it is from; in a group perhaps a person.
    pub sender: String,
    /// Its id.
    pub id: String,
    /// What it says, if that is a text, and nothing otherwise.
    pub text: String,
    /// What it says.
    pub content: Content,
    /// The id of the message it answers.
    pub quoted: Option<String>,
    /// When it came.
    pub at: SystemTime,
}

impl Person {
    pub(super) fn new(person: built::Person) -> Self {
        Self(person)
    }
}

#[uniffi::export]
impl Person {
    /// Where the person is reached.
    ///
    /// # Errors
    /// None.
    pub fn address(&self) -> Result<String, SeatportError> {
        Ok(self.0.address().to_string())
    }

    /// Writes a text to an account or a group, and answers its id. It waits there until a linked session acknowledges it.
    ///
    /// # Errors
    /// `Invalid` for what is no address.
    pub fn write(&self, to: String, text: String) -> Result<String, SeatportError> {
        self.send(to, Content::Text { text })
    }

    /// Like `write`, with any content.
    ///
    /// # Errors
    /// `Invalid` for what is no address, and for content that makes no sense.
    pub fn send(&self, to: String, content: Content) -> Result<String, SeatportError> {
        Ok(self.0.send(&to.parse()?, content.try_into()?).to_string())
    }

    /// Like `write`, in answer to a message.
    ///
    /// # Errors
    /// `Invalid` for what is no address or no id.
    pub fn reply(&self, to: String, quoted: String, text: String) -> Result<String, SeatportError> {
        Ok(self.0.reply(&to.parse()?, &quoted.parse()?, text).to_string())
    }

    /// Says this under an id that was used before: as what could not be decrypted is sent once more.
    ///
    /// # Errors
    /// As for `send`.
    pub fn send_again(&self, to: String, id: String, content: Content) -> Result<(), SeatportError> {
        self.0.send_again(&to.parse()?, &id.parse()?, content.try_into()?);
        Ok(())
    }

    /// Changes what a message says that the person has sent.
    ///
    /// # Errors
    /// As for `reply`.
    pub fn edit(&self, to: String, id: String, text: String) -> Result<(), SeatportError> {
        self.0.edit(&to.parse()?, &id.parse()?, text);
        Ok(())
    }

    /// Takes a message back that the person has sent.
    ///
    /// # Errors
    /// As for `reply`.
    pub fn delete(&self, to: String, id: String) -> Result<(), SeatportError> {
        self.0.delete(&to.parse()?, &id.parse()?);
        Ok(())
    }

    /// Puts an emoji under a message, or takes it away.
    ///
    /// # Errors
    /// As for `reply`.
    #[uniffi::method(default(emoji = None))]
    pub fn react(&self, to: String, id: String, emoji: Option<String>) -> Result<(), SeatportError> {
        self.0.react(&to.parse()?, &id.parse()?, emoji.as_deref());
        Ok(())
    }

    /// Confirms to an account that its message is on the person's device.
    ///
    /// # Errors
    /// As for `reply`.
    pub fn confirm(&self, to: String, id: String) -> Result<(), SeatportError> {
        self.0.confirm(&to.parse()?, &id.parse()?);
        Ok(())
    }

    /// Shows an account that the person has read its message.
    ///
    /// # Errors
    /// As for `reply`.
    pub fn read(&self, to: String, id: String) -> Result<(), SeatportError> {
        self.0.read(&to.parse()?, &id.parse()?);
        Ok(())
    }

    /// What the person got, in order. A message that was sent twice under one id is there once.
    ///
    /// # Errors
    /// None.
    pub fn received(&self) -> Result<Vec<Received>, SeatportError> {
        Ok(self.0.received())
    }

    /// The ids of the person's messages that an account has marked as read, in order, each once.
    ///
    /// # Errors
    /// `Invalid` for what is no address.
    pub fn seen_by(&self, account: String) -> Result<Vec<String>, SeatportError> {
        Ok(self.0.seen_by(&account.parse()?))
    }

    /// Calls itself something else from now on. The accounts it has written to hear of it.
    ///
    /// # Errors
    /// None.
    pub fn rename(&self, name: String) -> Result<(), SeatportError> {
        self.0.rename(&name);
        Ok(())
    }

    /// Shows this picture from now on, or none. The accounts it has written to hear of it.
    ///
    /// # Errors
    /// None.
    #[uniffi::method(default(avatar = None))]
    pub fn show(&self, avatar: Option<String>) -> Result<(), SeatportError> {
        self.0.show(avatar.as_deref());
        Ok(())
    }

    /// The network tells an account the phone number behind this address, and tells it along with everything from now on.
    ///
    /// # Errors
    /// `Invalid` for what is no address.
    pub fn reveal_number(&self, to: String, number: String) -> Result<(), SeatportError> {
        self.0.reveal_number(&to.parse()?, &number);
        Ok(())
    }

    /// The network tells an account that this person and that other one are the same, and that the other address counts from now on.
    ///
    /// # Errors
    /// `Invalid` for what is no address.
    pub fn is_also(&self, to: String, other: &Person) -> Result<(), SeatportError> {
        self.0.is_also(&to.parse()?, &other.0);
        Ok(())
    }
}

//! How hints and notices are written in a notification: the sender, and then one word for each, with blanks between.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seatport::SessionId;
use seatport::storage::{Change, Notice};
use uuid::Uuid;

/// How long a notification may be. Postgres takes 7999 bytes.
const LONGEST: usize = 7900;

/// What a notification says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Change(Change),
    Notice(Notice),
}

fn short(session: SessionId) -> String {
    URL_SAFE_NO_PAD.encode(session.as_bytes())
}

fn session(text: &str) -> Option<SessionId> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(SessionId::from_bytes)
}

impl Word {
    fn write(&self) -> String {
        match self {
            Self::Change(Change::Session { session, by_owner: true }) => format!("+{}", short(*session)),
            Self::Change(Change::Session { session, by_owner: false }) => format!("!{}", short(*session)),
            Self::Change(Change::Ports) => "ports".to_owned(),
            Self::Change(Change::Any) => "any".to_owned(),
            Self::Notice(Notice { session, sealed }) => {
                format!("={}:{}", short(*session), URL_SAFE_NO_PAD.encode(sealed))
            }
        }
    }

    fn read(word: &str) -> Option<Self> {
        if let Some(id) = word.strip_prefix('+') {
            return Some(Self::Change(Change::Session { session: session(id)?, by_owner: true }));
        }
        if let Some(id) = word.strip_prefix('!') {
            return Some(Self::Change(Change::Session { session: session(id)?, by_owner: false }));
        }
        if let Some(notice) = word.strip_prefix('=') {
            let (id, sealed) = notice.split_once(':')?;
            let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
            return Some(Self::Notice(Notice { session: session(id)?, sealed }));
        }
        match word {
            "ports" => Some(Self::Change(Change::Ports)),
            "any" => Some(Self::Change(Change::Any)),
            _ => None,
        }
    }
}

/// As few notifications as hold all these words.
pub(super) fn write(sender: Uuid, words: &[Word]) -> Vec<String> {
    let sender = sender.simple().to_string();
    let mut notifications: Vec<String> = Vec::new();
    for word in words.iter().map(Word::write) {
        match notifications.last_mut() {
            Some(last) if last.len() + 1 + word.len() <= LONGEST => {
                last.push(' ');
                last.push_str(&word);
            }
            _ => notifications.push(format!("{sender} {word}")),
        }
    }
    notifications
}

/// What a notification says, unless this process sent it. What cannot be read, from a newer version say, may be anything.
pub(super) fn read(me: Uuid, notification: &str) -> Vec<Word> {
    let mut words = notification.split(' ');
    if words.next().is_some_and(|sender| sender == me.simple().to_string()) {
        return Vec::new();
    }
    words.map(|word| Word::read(word).unwrap_or(Word::Change(Change::Any))).collect()
}

#[cfg(test)]
mod tests {
    use seatport::storage::MAX_NOTICE_BYTES;

    use super::*;

    const ME: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    fn id(number: u8) -> SessionId {
        SessionId::from_bytes([number; 16])
    }

    #[test]
    fn what_is_written_is_read() {
        let mut words: Vec<_> = (0..=255)
            .flat_map(|number| [true, false].map(|by_owner| Change::Session { session: id(number), by_owner }))
            .chain([Change::Ports, Change::Any])
            .map(Word::Change)
            .collect();
        words.insert(3, Word::Notice(Notice { session: id(7), sealed: vec![0xff; MAX_NOTICE_BYTES] }));
        words.push(Word::Notice(Notice { session: id(7), sealed: vec![] }));
        let notifications = write(OTHER, &words);
        assert!(notifications.len() > 1);
        assert!(notifications.iter().all(|notification| notification.len() <= LONGEST));
        let read: Vec<_> = notifications.iter().flat_map(|notification| read(ME, notification)).collect();
        assert_eq!(read, words);
    }

    #[test]
    fn what_this_process_sent_says_nothing_to_it() {
        let sent = write(ME, &[Word::Change(Change::Ports)]);
        assert_eq!(read(ME, &sent[0]), []);
        assert_eq!(read(OTHER, &sent[0]), [Word::Change(Change::Ports)]);
    }

    #[test]
    fn what_cannot_be_read_may_be_anything() {
        for odd in ["x +short", "x =", "x what", "x +"] {
            assert_eq!(read(ME, odd), [Word::Change(Change::Any)], "{odd}");
        }
        assert_eq!(read(ME, ""), []);
    }
}

//! The audit trail: who did what to which session when, the refused attempts included.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::error::Invalid;
use crate::ids::{AgentId, SessionId};
use crate::policy::Action;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// It was done; the entry was written in the same commit, if there was one.
    Done,
    /// The policy refused it, and nothing was changed.
    Denied,
    /// The session's state refused it, and nothing was changed.
    Illegal,
}

/// One line of the audit trail. Survives the deletion of its session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub agent: AgentId,
    /// What.
    pub action: Action,
    /// On which session; none for actions on all of them.
    pub session: Option<SessionId>,
    /// How it ended.
    pub outcome: Outcome,
}

/// The hash of a line of the audit trail, and through it of all lines before.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AuditHash([u8; 32]);

impl AuditHash {
    /// What the first line is chained to.
    pub const START: Self = Self([0; 32]);

    /// The hash of the line that follows the one with this hash: SHA-256 over this hash, the number of the line and its entry
    /// as JSON.
    #[must_use]
    pub fn followed_by(&self, number: u64, entry: &AuditEntry) -> Self {
        // An entry is plain data: writing it as JSON cannot fail.
        let entry = serde_json::to_vec(entry).unwrap_or_default();
        let digest =
            Sha256::new().chain_update(self.0).chain_update(number.to_be_bytes()).chain_update(entry).finalize();
        Self(digest.into())
    }

    /// The 32 bytes, for storages.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash with these 32 bytes, as [`as_bytes`](Self::as_bytes) gave them.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditHash({self})")
    }
}

impl FromStr for AuditHash {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("audit hash", "not 64 hexadecimal digits", "pass the hash as it was handed out");
        let mut bytes = [0; 32];
        // The parser of numbers would take a sign.
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| invalid())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| invalid())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for AuditHash {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<AuditHash> for String {
    fn from(hash: AuditHash) -> Self {
        hash.to_string()
    }
}

/// A line of the audit trail with its place in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// 1 for the first line ever, then one more for each.
    pub number: u64,
    /// What it says.
    pub entry: AuditEntry,
    /// The hash of it and of all lines before.
    pub hash: AuditHash,
}

/// How far the audit trail goes: how many lines it has, and the hash of the last one, and so of all of them. Whoever keeps it
/// elsewhere can tell later whether the trail still begins with those lines.
///
/// ```
/// use seatport::{AuditHead, AuditHash};
/// let empty = AuditHead::default();
/// assert_eq!((empty.lines, empty.hash), (0, AuditHash::START));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AuditHead {
    /// How many lines there are.
    pub lines: u64,
    /// The hash of the last one.
    pub hash: AuditHash,
}

impl Default for AuditHead {
    /// That of an empty trail.
    fn default() -> Self {
        Self { lines: 0, hash: AuditHash::START }
    }
}

impl AuditHead {
    /// The head of the trail that goes on with this line.
    ///
    /// # Errors
    /// [`AuditFault`] if this is not the line that was written there.
    pub fn followed_by(self, line: &AuditLine) -> Result<Self, AuditFault> {
        let lines = self.lines + 1;
        let hash = self.hash.followed_by(lines, &line.entry);
        match line {
            line if line.number != lines => Err(AuditFault::Missing),
            line if line.hash != hash => Err(AuditFault::Changed),
            _ => Ok(Self { lines, hash }),
        }
    }
}

/// What is wrong with a line of the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AuditFault {
    /// It is not there.
    Missing,
    /// It does not say what was written, or what is before it does not.
    Changed,
    /// It follows from those before it, but it is another one than the one that was known: all of them were written anew.
    Rewritten,
}

impl fmt::Display for AuditFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "is missing",
            Self::Changed => "was changed",
            Self::Rewritten => "is not the one that was known, and neither need those before it be",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> AuditEntry {
        AuditEntry {
            at: Timestamp::from_millis(1_700_000_000_000),
            agent: AgentId::new("mei").unwrap(),
            action: Action::Delete,
            session: Some(SessionId::from_bytes([7; 16])),
            outcome: Outcome::Done,
        }
    }

    /// A trail of three lines.
    fn trail() -> Vec<AuditLine> {
        let mut head = AuditHead::default();
        let line = |minute: i64| {
            let entry = AuditEntry { at: Timestamp::from_millis(60_000 * minute), ..entry() };
            let line = AuditLine { number: head.lines + 1, hash: head.hash.followed_by(head.lines + 1, &entry), entry };
            head = head.followed_by(&line).unwrap();
            line
        };
        (0..3).map(line).collect()
    }

    fn read(trail: &[AuditLine]) -> Result<AuditHead, (u64, AuditFault)> {
        trail.iter().try_fold(AuditHead::default(), |head, line| {
            head.followed_by(line).map_err(|fault| (head.lines + 1, fault))
        })
    }

    #[test]
    fn the_hash_is_the_one_it_has_always_been() {
        // A trail that was written by an earlier version has to be whole for a later one.
        let hash = AuditHash::START.followed_by(1, &entry());
        assert_eq!(hash.to_string(), "197ead1d8a6186f3ba5ee9f436ebbbb28a3276341f883ac2d751c3694ebad50a");
        assert_eq!(AuditHash::START.to_string(), "0".repeat(64));
    }

    #[test]
    fn everything_in_a_line_and_what_is_before_it_matters_to_its_hash() {
        let (start, same) = (AuditHash::START, entry());
        let other_hash = AuditHash::from_bytes([1; 32]);
        let hashes = [
            start.followed_by(1, &same),
            start.followed_by(2, &same),
            other_hash.followed_by(1, &same),
            start.followed_by(1, &AuditEntry { at: same.at + std::time::Duration::from_millis(1), ..entry() }),
            start.followed_by(1, &AuditEntry { agent: AgentId::new("li").unwrap(), ..entry() }),
            start.followed_by(1, &AuditEntry { action: Action::Erase, ..entry() }),
            start.followed_by(1, &AuditEntry { session: Some(SessionId::from_bytes([8; 16])), ..entry() }),
            start.followed_by(1, &AuditEntry { session: None, ..entry() }),
            start.followed_by(1, &AuditEntry { outcome: Outcome::Denied, ..entry() }),
        ];
        let different: std::collections::HashSet<_> = hashes.iter().collect();
        assert_eq!(different.len(), hashes.len());
        assert_eq!(start.followed_by(1, &entry()), hashes[0], "and nothing else does");
    }

    #[test]
    fn a_hash_survives_bytes_text_and_json() {
        let hash = AuditHash::START.followed_by(1, &entry());
        assert_eq!(AuditHash::from_bytes(*hash.as_bytes()), hash);
        assert_eq!(hash.to_string().parse::<AuditHash>().unwrap(), hash);
        assert_eq!(hash.to_string().to_uppercase().parse::<AuditHash>().unwrap(), hash);
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(json, format!("\"{hash}\""));
        assert_eq!(serde_json::from_str::<AuditHash>(&json).unwrap(), hash);
        let sign = format!("+1{}", "0".repeat(62));
        let wide = "０".repeat(64);
        for text in ["", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &sign, &wide] {
            assert!(text.parse::<AuditHash>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_head_tells_a_line_that_is_not_the_one_that_was_written() {
        let trail = trail();
        assert_eq!(read(&trail).unwrap(), AuditHead { lines: 3, hash: trail[2].hash });
        assert_eq!(read(&[]).unwrap(), AuditHead::default());

        let mut changed = trail.clone();
        changed[1].entry.agent = AgentId::new("li").unwrap();
        assert_eq!(read(&changed), Err((2, AuditFault::Changed)));
        // Who makes the changed line follow from the one before has to do the same with all that come after.
        changed[1].hash = trail[0].hash.followed_by(2, &changed[1].entry);
        assert_eq!(read(&changed), Err((3, AuditFault::Changed)));

        assert_eq!(read(&trail[1..]), Err((1, AuditFault::Missing)));
        let without_the_second = [trail[0].clone(), trail[2].clone()];
        assert_eq!(read(&without_the_second), Err((2, AuditFault::Missing)));
        let mut renumbered = without_the_second;
        renumbered[1].number = 2;
        assert_eq!(read(&renumbered), Err((2, AuditFault::Changed)));
    }
}

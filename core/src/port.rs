//! Licence ports: one running session occupies exactly one.

use serde::{Deserialize, Serialize};

use crate::error::Invalid;
use crate::ids::{PortNumber, SessionId};

/// The numbers of the ports the organisation has: `capacity` of them, from `first` upwards.
///
/// ```
/// use seatport::{PortNumber, PortRange};
/// let range = PortRange::new(8001, 20).unwrap();
/// assert_eq!(range.last(), PortNumber(8020));
/// assert!(PortRange::new(1, 0).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Numbers")]
pub struct PortRange {
    first: u32,
    capacity: u32,
}

/// A range as it is read, not yet checked.
#[derive(Deserialize)]
struct Numbers {
    first: u32,
    capacity: u32,
}

impl TryFrom<Numbers> for PortRange {
    type Error = Invalid;

    fn try_from(Numbers { first, capacity }: Numbers) -> Result<Self, Invalid> {
        Self::new(first, capacity)
    }
}

impl PortRange {
    /// A range of `capacity` ports, from number `first` upwards.
    ///
    /// # Errors
    /// [`Invalid`] when the capacity is zero or the last number would not fit into 32 bits.
    pub fn new(first: u32, capacity: u32) -> Result<Self, Invalid> {
        if capacity == 0 {
            return Err(Invalid::new(
                "port capacity",
                "zero",
                "give it at least one port; to stop everything, stop the sessions",
            ));
        }
        if first.checked_add(capacity - 1).is_none() {
            return Err(Invalid::new(
                "port range",
                "runs past the largest port number",
                "start it lower or make it shorter",
            ));
        }
        Ok(Self { first, capacity })
    }

    /// The lowest number.
    #[must_use]
    pub fn first(&self) -> PortNumber {
        PortNumber(self.first)
    }

    /// The highest number.
    #[must_use]
    pub fn last(&self) -> PortNumber {
        PortNumber(self.first + (self.capacity - 1))
    }

    /// How many ports there are.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.capacity
    }
}

impl Default for PortRange {
    /// Ports 1 to 10.
    fn default() -> Self {
        Self { first: 1, capacity: 10 }
    }
}

/// A port and the session that occupies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupied {
    /// The number of the port.
    pub port: PortNumber,
    /// Who holds it.
    pub session: SessionId,
}

/// How the pool stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortUsage {
    /// The numbers in use. After the capacity was lowered, sessions may still hold numbers outside it.
    pub range: PortRange,
    /// The occupied ports, by number.
    pub occupied: Vec<Occupied>,
}

impl PortUsage {
    /// How many more sessions can be started now.
    #[must_use]
    pub fn free(&self) -> u32 {
        self.range.capacity().saturating_sub(u32::try_from(self.occupied.len()).unwrap_or(u32::MAX))
    }
}

//! Licence ports: one running session occupies exactly one.

use std::time::Duration;

use seatport::Invalid;

/// The numbers of the ports the organisation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PortRange {
    /// The lowest number.
    pub first: u32,
    /// How many there are, from the lowest number upwards; at least one.
    pub capacity: u32,
}

impl From<seatport::PortRange> for PortRange {
    fn from(range: seatport::PortRange) -> Self {
        Self { first: range.first().0, capacity: range.capacity() }
    }
}

impl TryFrom<PortRange> for seatport::PortRange {
    type Error = Invalid;

    fn try_from(range: PortRange) -> Result<Self, Invalid> {
        Self::new(range.first, range.capacity)
    }
}

/// A port and the session that occupies it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Occupied {
    /// The number of the port.
    pub port: u32,
    /// The id of the session that holds it.
    pub session: String,
}

impl From<seatport::Occupied> for Occupied {
    fn from(occupied: seatport::Occupied) -> Self {
        Self { port: occupied.port.0, session: occupied.session.to_string() }
    }
}

/// How the ports stand.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PortUsage {
    /// The numbers in use. After the capacity was lowered, sessions may still hold numbers outside it.
    pub range: PortRange,
    /// The occupied ports, by number.
    pub occupied: Vec<Occupied>,
    /// How many more sessions can be started now.
    pub free: u32,
}

impl From<seatport::PortUsage> for PortUsage {
    fn from(usage: seatport::PortUsage) -> Self {
        let free = usage.free();
        Self { range: usage.range.into(), occupied: usage.occupied.into_iter().map(Into::into).collect(), free }
    }
}

/// What starting a session does when no port is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum WhenFull {
    /// It fails: `PoolFull`.
    Fail,
    /// It queues, behind those that came before, at whatever node. A caller that gives up, or times out, leaves nothing behind.
    Wait {
        /// How long it queues at most.
        timeout: Duration,
    },
}

impl From<WhenFull> for seatport::WhenFull {
    fn from(when_full: WhenFull) -> Self {
        match when_full {
            WhenFull::Fail => Self::Fail,
            WhenFull::Wait { timeout } => Self::Wait { timeout },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_checked_on_the_way_in() {
        let range = PortRange { first: 8001, capacity: 20 };
        assert_eq!(PortRange::from(seatport::PortRange::try_from(range).unwrap()), range);
        for (first, capacity, field) in [(1, 0, "port capacity"), (u32::MAX, 2, "port range")] {
            let error = seatport::PortRange::try_from(PortRange { first, capacity }).unwrap_err();
            assert_eq!(error.field, field);
        }
    }

    #[test]
    fn usage_tells_how_many_ports_are_free() {
        let session = seatport::SessionId::from_bytes([7; 16]);
        let occupied = vec![seatport::Occupied { port: seatport::PortNumber(3), session }];
        let usage = PortUsage::from(seatport::PortUsage { range: seatport::PortRange::default(), occupied });
        assert_eq!((usage.range, usage.free), (PortRange { first: 1, capacity: 10 }, 9));
        assert_eq!(usage.occupied, [Occupied { port: 3, session: session.to_string() }]);
    }
}

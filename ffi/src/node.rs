//! The nodes of a cluster.

use std::collections::HashMap;

/// A process that runs sessions and is live.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Node {
    /// Its id, fresh at every start of the process.
    pub id: String,
    /// Its labels: what the environment of a session may ask for.
    pub labels: HashMap<String, String>,
    /// How many sessions it drives at most.
    pub capacity: u32,
    /// How many sessions it drives.
    pub sessions: u32,
    /// Whether it takes sessions over. One that is being drained does not.
    pub accepting: bool,
}

impl From<seatport::LiveNode> for Node {
    fn from(node: seatport::LiveNode) -> Self {
        let seatport::LiveNode { profile, report } = node;
        Self {
            id: profile.id.to_string(),
            labels: profile.labels.into_iter().collect(),
            capacity: profile.capacity,
            sessions: report.sessions,
            accepting: report.accepting,
        }
    }
}

/// What draining a node came to.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Drained {
    /// How many sessions other nodes have taken.
    pub moved: u32,
    /// The ids of the sessions that still run here: no other node may drive them or has room, or the time was over.
    pub left: Vec<String>,
}

impl From<seatport::Drained> for Drained {
    fn from(drained: seatport::Drained) -> Self {
        Self { moved: drained.moved, left: drained.left.iter().map(ToString::to_string).collect() }
    }
}

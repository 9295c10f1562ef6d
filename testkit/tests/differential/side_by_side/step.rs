//! What is done to both storages, as values: so that a run can be repeated with some of it left out.

use std::fmt;
use std::time::Duration;

use seatport::lifecycle::PortChange;
use seatport::storage::{Deletion, SessionCommit, VaultWrite};
use seatport::{
    Action, Agent, AgentId, AuditEntry, ConsumerName, NodeId, Outcome, PortRange, Retention, SessionRecord, Timestamp,
};

use super::made_up;

/// Which session: of the one that is in this place now, or of the one that was there before it was deleted last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Which {
    pub(crate) place: usize,
    pub(crate) gone: bool,
}

/// What a commit expects. Which revision that is turns out when it is its turn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expecting {
    New,
    Present,
    TheRevision,
    AnotherRevision,
}

/// Which fence a commit carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fencing {
    None,
    /// The one that was handed out last, whether or not it still holds.
    Last,
    /// The one that was handed out first.
    First,
}

/// What a commit writes. `Debug` leaves out what it does not.
#[derive(Clone)]
pub(crate) struct Writes(pub(crate) Box<SessionCommit>);

impl fmt::Debug for Writes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Writes");
        shown.field("at", &self.0.at);
        macro_rules! show {
            ($($list:ident),*) => {
                $(if !self.0.$list.is_empty() {
                    shown.field(stringify!($list), &self.0.$list);
                })*
            };
        }
        if let Some(record) = &self.0.record {
            let SessionRecord { agent, first_login_at, facts, .. } = record;
            shown.field("record", &(agent, first_login_at, facts.desired, facts.lifecycle));
        }
        if self.0.port != PortChange::Keep || self.0.forget_credentials {
            shown.field("port", &self.0.port).field("forget_credentials", &self.0.forget_credentials);
        }
        show!(vault, identities, contacts, chats, messages, amendments, updates, read, told, events, audit);
        shown.finish()
    }
}

/// A commit. Which session it is for and what it expects is filled in when it is its turn.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) which: Which,
    pub(crate) expecting: Expecting,
    pub(crate) fencing: Fencing,
    pub(crate) writes: Writes,
}

/// One thing that is done.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Commits that are asked for at the same time, in this order.
    Commits(Vec<Planned>),
    Delete(Which, Expecting, Deletion, Timestamp),
    Join(NodeId),
    Leave(NodeId),
    Claim(Which, NodeId),
    Release(Which),
    WriteVault(Which, Fencing, Vec<VaultWrite>),
    Trim(Which, Retention, Timestamp, u32),
    Register(ConsumerName),
    Remove(ConsumerName),
    Acknowledge(ConsumerName, Vec<(Which, u64)>),
    PutAgent(Agent),
    RemoveAgent(AgentId),
    Resize(PortRange),
    ReplaceLedgerKey(Option<Vec<u8>>, Vec<u8>),
    Record(AuditEntry),
    /// The process ends, and another one opens the same data.
    Reopen,
}

/// How long a node stays live: no lease runs out here, there are cases for that.
pub(crate) const LIVE: Duration = Duration::from_secs(3600);

/// The line in the audit trail for a deletion.
pub(crate) fn deleted_at(at: Timestamp) -> AuditEntry {
    AuditEntry { at, agent: made_up::agent(0), action: Action::Delete, session: None, outcome: Outcome::Done }
}

/// The commit with one of its writes left out, in all ways.
fn without_one(commit: &SessionCommit) -> Vec<SessionCommit> {
    let mut all = Vec::new();
    macro_rules! leave_out {
        ($($list:ident),*) => {
            $(for index in 0..commit.$list.len() {
                let mut less = commit.clone();
                less.$list.remove(index);
                all.push(less);
            })*
        };
    }
    leave_out!(vault, identities, contacts, chats, messages, amendments, updates, read, told, events, audit);
    if commit.record.is_some() {
        all.push(SessionCommit { record: None, ..commit.clone() });
    }
    all
}

impl Step {
    /// The same step with less to it, in all ways.
    fn less(&self) -> Vec<Self> {
        match self {
            Self::Commits(all) => {
                let mut ways = Vec::new();
                for (index, planned) in all.iter().enumerate() {
                    let but_one = [&all[..index], &all[index + 1..]].concat();
                    ways.extend((!but_one.is_empty()).then_some(Self::Commits(but_one)));
                    for less in without_one(&planned.writes.0) {
                        let mut all = all.clone();
                        all[index].writes = Writes(Box::new(less));
                        ways.push(Self::Commits(all));
                    }
                }
                ways
            }
            _ => Vec::new(),
        }
    }
}

/// Leaves out of the steps whatever `fails` can do without, and answers what is left.
pub(crate) fn shortest(mut steps: Vec<Step>, fails: impl Fn(&[Step]) -> bool) -> Vec<Step> {
    let mut size = steps.len().div_ceil(2);
    while size > 0 {
        let mut start = 0;
        while start < steps.len() {
            let mut less = steps.clone();
            less.drain(start..steps.len().min(start + size));
            if fails(&less) {
                steps = less;
            } else {
                start += size;
            }
        }
        size /= 2;
    }
    for index in 0..steps.len() {
        let mut ways = steps[index].less();
        while let Some(way) = ways.pop() {
            let mut less = steps.clone();
            less[index] = way;
            if fails(&less) {
                ways = less[index].less();
                steps = less;
            }
        }
    }
    steps
}

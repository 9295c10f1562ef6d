//! Which node drives which session: a pure function of what the nodes report.
//!
//! Every node computes it for itself, from the same list, and comes to the same answer: so no two adopt the same session, and
//! no one has to be asked. Where they differ for a moment, the claim of ownership decides.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::ids::{NodeId, SessionId};
use crate::storage::LiveNode;

/// Whether the node takes sessions that ask for these labels, and has room for one more.
pub(crate) fn may_take(node: &LiveNode, runs_on: &BTreeMap<String, String>) -> bool {
    let labels = &node.profile.labels;
    node.report.accepting
        && node.report.sessions < node.profile.capacity
        && runs_on.iter().all(|(name, value)| labels.get(name) == Some(value))
}

/// The node that is to drive the session; none if there is no place for it.
///
/// Of the nodes that [may take](may_take) it, those whose load is at or below the average are kept, and of these the one with
/// the highest hash of session and node is chosen (rendezvous hashing): as long as the loads are alike, a session has the same
/// place wherever and whenever it is computed, and a node that comes or goes moves no session but its own. Load is how many
/// sessions a node drives; where all of them have a limit, how full they are.
pub(crate) fn choose(session: SessionId, runs_on: &BTreeMap<String, String>, nodes: &[LiveNode]) -> Option<NodeId> {
    let candidates: Vec<_> = nodes.iter().filter(|node| may_take(node, runs_on)).collect();
    let scale = Scale::of(&candidates);
    let light = candidates.into_iter().filter(|node| scale.excess(node) <= 0);
    light.map(|node| node.profile.id).max_by_key(|node| (rank(session, *node), *node))
}

/// How many sessions the node drives above its share of what those that accept some drive together; nothing, unless that is
/// clearly more, by a tenth of its share and one: or nodes would hand sessions to and fro.
pub(crate) fn surplus(node: NodeId, nodes: &[LiveNode]) -> u32 {
    let accepting: Vec<_> = nodes.iter().filter(|node| node.report.accepting && node.profile.capacity > 0).collect();
    let scale = Scale::of(&accepting);
    let Some(node) = accepting.into_iter().find(|found| found.profile.id == node) else { return 0 };
    let share = scale.share(node);
    let sessions = f64::from(node.report.sessions);
    if sessions <= 1.1 * share + 1.0 {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and at most the sessions")]
    let surplus = (sessions - share) as u32;
    surplus
}

/// What loads are compared by: the weight of a node is its capacity if all of them have a limit, and one otherwise.
struct Scale {
    sessions: u64,
    weights: u64,
    limited: bool,
}

impl Scale {
    fn of(nodes: &[&LiveNode]) -> Self {
        let limited = nodes.iter().all(|node| node.profile.capacity < u32::MAX);
        let sessions = nodes.iter().map(|node| u64::from(node.report.sessions)).sum();
        let mut scale = Self { sessions, weights: 0, limited };
        scale.weights = nodes.iter().map(|node| scale.weight(node)).sum();
        scale
    }

    fn weight(&self, node: &LiveNode) -> u64 {
        if self.limited { u64::from(node.profile.capacity) } else { 1 }
    }

    /// Positive for a load above the average, in whole numbers: there is always a node at or below it.
    fn excess(&self, node: &LiveNode) -> i128 {
        let load = i128::from(node.report.sessions) * i128::from(self.weights);
        load - i128::from(self.sessions) * i128::from(self.weight(node))
    }

    /// How many of the sessions are the node's share.
    #[expect(clippy::cast_precision_loss, reason = "nobody has that many sessions")]
    fn share(&self, node: &LiveNode) -> f64 {
        self.sessions as f64 * self.weight(node) as f64 / self.weights.max(1) as f64
    }
}

/// The same for everybody and for ever, and different for every pair.
fn rank(session: SessionId, node: NodeId) -> [u8; 32] {
    Sha256::new().chain_update(session.as_bytes()).chain_update(node.as_bytes()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::random::Random;
    use crate::storage::{NodeProfile, NodeReport};

    fn node(number: u8, sessions: u32) -> LiveNode {
        LiveNode {
            profile: NodeProfile { id: id(number), labels: BTreeMap::new(), capacity: u32::MAX },
            report: NodeReport { sessions, accepting: true },
        }
    }

    fn id(number: u8) -> NodeId {
        NodeId::from_bytes([number; 16])
    }

    fn limited(number: u8, sessions: u32, capacity: u32) -> LiveNode {
        let mut node = node(number, sessions);
        node.profile.capacity = capacity;
        node
    }

    fn labelled(number: u8, labels: &[(&str, &str)]) -> LiveNode {
        let mut node = node(number, 0);
        node.profile.labels = labels_of(labels);
        node
    }

    fn labels_of(labels: &[(&str, &str)]) -> BTreeMap<String, String> {
        labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn sessions(count: usize) -> Vec<SessionId> {
        let random = Random::seeded(7);
        (0..count).map(|_| SessionId::generate(Timestamp::from_millis(0), &random)).collect()
    }

    fn anywhere(session: SessionId, nodes: &[LiveNode]) -> Option<NodeId> {
        choose(session, &BTreeMap::new(), nodes)
    }

    #[test]
    fn sessions_spread_evenly_over_nodes_that_drive_equally_many() {
        let nodes = [1, 2, 3].map(|number| node(number, 5));
        let places: Vec<_> = sessions(3000).into_iter().map(|session| anywhere(session, &nodes)).collect();
        for number in 1..=3 {
            let share = places.iter().filter(|place| **place == Some(id(number))).count();
            assert!((900..1100).contains(&share), "node {number} has {share} of 3000");
        }
    }

    #[test]
    fn the_order_of_the_list_does_not_matter() {
        let nodes = [1, 2, 3].map(|number| node(number, 0));
        let backwards = [3, 2, 1].map(|number| node(number, 0));
        for session in sessions(100) {
            assert_eq!(anywhere(session, &nodes), anywhere(session, &backwards));
        }
    }

    #[test]
    fn a_node_that_goes_moves_no_session_but_its_own() {
        let nodes = [1, 2, 3].map(|number| node(number, 0));
        for session in sessions(300) {
            let (before, after) = (anywhere(session, &nodes), anywhere(session, &nodes[..2]));
            assert!(after == before || before == Some(id(3)));
        }
    }

    #[test]
    fn who_drives_more_than_the_average_gets_no_more() {
        let nodes = [node(1, 10), node(2, 11), node(3, 30)];
        assert!(sessions(100).into_iter().all(|session| anywhere(session, &nodes) != Some(id(3))));
        let nodes = [node(1, 9), node(2, 10), node(3, 11)];
        assert!(
            sessions(100).into_iter().any(|session| anywhere(session, &nodes) == Some(id(2))),
            "the average itself"
        );
    }

    #[test]
    fn where_all_have_a_limit_the_emptier_one_is_chosen() {
        let nodes = [limited(1, 10, 100), limited(2, 5, 10)];
        assert!(
            sessions(50).into_iter().all(|session| anywhere(session, &nodes) == Some(id(1))),
            "a tenth, and a half"
        );
        let nodes = [limited(1, 10, 100), node(2, 5)];
        assert!(sessions(50).into_iter().all(|session| anywhere(session, &nodes) == Some(id(2))), "one has no limit");
    }

    #[test]
    fn who_is_full_or_accepts_none_gets_none() {
        let session = sessions(1)[0];
        let mut draining = node(1, 0);
        draining.report.accepting = false;
        let full = limited(2, 3, 3);
        assert_eq!(anywhere(session, &[draining.clone(), full.clone()]), None);
        assert_eq!(anywhere(session, &[draining, full, node(3, 100)]), Some(id(3)), "however much that drives");
        assert_eq!(anywhere(session, &[]), None);
    }

    #[test]
    fn a_session_runs_where_every_label_is_that_it_asks_for() {
        let nodes = [
            labelled(1, &[]),
            labelled(2, &[("egress", "fra")]),
            labelled(3, &[("egress", "sin")]),
            labelled(4, &[("egress", "fra"), ("disk", "fast")]),
        ];
        for session in sessions(50) {
            let place = |runs_on| choose(session, &labels_of(runs_on), &nodes);
            assert_eq!(place(&[("egress", "sin")]), Some(id(3)));
            assert_eq!(place(&[("egress", "fra"), ("disk", "fast")]), Some(id(4)));
            assert!([Some(id(2)), Some(id(4))].contains(&place(&[("egress", "fra")])));
            assert_eq!(place(&[("egress", "nyc")]), None);
        }
    }

    #[test]
    fn the_average_is_of_those_that_may_take_it() {
        let mut nodes = [labelled(1, &[("egress", "fra")]), labelled(2, &[])];
        nodes[0].report.sessions = 50;
        let place = choose(sessions(1)[0], &labels_of(&[("egress", "fra")]), &nodes);
        assert_eq!(place, Some(id(1)), "that another one is idle is no reason to wait");
    }

    #[test]
    fn only_who_drives_clearly_more_than_its_share_has_a_surplus() {
        let of_first = |nodes: &[LiveNode]| surplus(id(1), nodes);
        assert_eq!(of_first(&[node(1, 30), node(2, 0)]), 15);
        assert_eq!(of_first(&[node(1, 12), node(2, 10), node(3, 10)]), 0);
        assert_eq!(of_first(&[node(1, 20), node(2, 20), node(3, 20), node(4, 0)]), 5);
        assert_eq!(of_first(&[node(1, 2), node(2, 0)]), 0, "one more than its share is not clearly more");
        assert_eq!(of_first(&[node(1, 30)]), 0, "there is nobody else");
        assert_eq!(of_first(&[limited(1, 50, 100), limited(2, 5, 10)]), 0, "both are half full");
        let mut draining = node(2, 0);
        draining.report.accepting = false;
        assert_eq!(of_first(&[node(1, 30), draining]), 0);
    }
}

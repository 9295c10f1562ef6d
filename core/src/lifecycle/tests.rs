//! Every state that can be reached with every input, against a second statement of the table.

mod table;

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use table::{At, On, expected, table};

use crate::clock::Timestamp;
use crate::ids::Address;
use crate::lifecycle::{
    Account, Command, Desired, Facts, IllegalTransition, Input, Lifecycle, Login, PortChange, Reason, ReasonKind, Step,
    Then, transition,
};

/// Deeper counts of failed tries differ in nothing but the number.
const MOST_TRIES: u32 = 3;
/// Any will do: it must be counted on from, not started over.
const GENERATION: u64 = 7;

const REASONS: [ReasonKind; 15] = [
    ReasonKind::LoginExpired,
    ReasonKind::LoggedOut,
    ReasonKind::LoggedOutHere,
    ReasonKind::Replaced,
    ReasonKind::Banned,
    ReasonKind::ProxyRefused,
    ReasonKind::ClientOutdated,
    ReasonKind::AccountMismatch,
    ReasonKind::VaultUnreadable,
    ReasonKind::TransportMissing,
    ReasonKind::Refused,
    ReasonKind::ConnectionLost,
    ReasonKind::DialTimedOut,
    ReasonKind::NoProofOfLife,
    ReasonKind::Crashed,
];

fn account(name: &str) -> Account {
    Account { address: Address::new(name).unwrap(), phone: None, name: Some(name.to_owned()) }
}

fn retry_at(attempt: u32) -> Timestamp {
    Timestamp::from_millis(1_000 * i64::from(attempt))
}

/// Everything that can happen, with every reason and with two accounts.
fn inputs() -> Vec<Input> {
    let mut inputs: Vec<Input> = Command::ALL.into_iter().map(Input::Command).collect();
    for who in ["alice", "bob"] {
        inputs.push(Input::Paired { account: account(who), redial: false });
        inputs.push(Input::Paired { account: account(who), redial: true });
        inputs.push(Input::Ready { account: account(who) });
    }
    for kind in REASONS {
        inputs.push(Input::Lost(Reason::new(kind)));
        inputs.push(Input::Rejected(Reason::new(kind).code("499").until(Timestamp::from_millis(9))));
    }
    inputs.extend([Input::Challenge, Input::LoginExpired, Input::Closed, Input::Deadline, Input::Adopted]);
    inputs
}

/// One input in one state that can be reached, and what the machine answered.
struct Edge {
    facts: Facts,
    input: Input,
    result: Result<Step, IllegalTransition>,
}

impl Edge {
    fn step(&self) -> Option<&Step> {
        self.result.as_ref().ok()
    }
}

/// Walks breadth first from a new session through everything that can happen to it.
fn explore() -> Vec<Edge> {
    let inputs = inputs();
    let mut edges = Vec::new();
    let mut seen = HashSet::new();
    let mut next = VecDeque::from([Facts { generation: GENERATION, ..Facts::default() }]);
    while let Some(facts) = next.pop_front() {
        if !seen.insert(facts.clone()) {
            continue;
        }
        for input in &inputs {
            let result = transition(&facts, input, retry_at);
            if let Ok(step) = &result
                && !matches!(step.next.lifecycle, Lifecycle::Backoff { attempt, .. } if attempt > MOST_TRIES)
            {
                // States that differ in the generation alone behave alike.
                next.push_back(Facts { generation: GENERATION, ..step.next.clone() });
            }
            edges.push(Edge { facts: facts.clone(), input: input.clone(), result });
        }
    }
    edges
}

#[test]
fn the_machine_answers_as_the_table_says_and_every_row_is_reached() {
    let table = table();
    let mut missing: BTreeSet<(usize, At, On)> = BTreeSet::new();
    for (index, row) in table.iter().enumerate() {
        missing.extend(row.from.iter().flat_map(|at| row.on.iter().map(move |on| (index, *at, *on))));
    }

    for edge in explore() {
        let (facts, input) = (&edge.facts, &edge.input);
        let rows: Vec<usize> = (0..table.len()).filter(|index| table[*index].covers(facts, input)).collect();
        assert!(rows.len() <= 1, "rows {rows:?} all claim {input:?} in {facts:?}");
        let row = rows.first().map(|index| &table[*index]);
        assert_eq!(edge.result, expected(row, facts, input, retry_at), "{input:?} in {facts:?} by row {row:?}");
        if let Some(index) = rows.first() {
            missing.remove(&(*index, At::of(facts), On::of(input)));
        }
    }
    assert!(missing.is_empty(), "never reached: {missing:?}");
}

#[test]
fn every_state_meets_every_input() {
    let met: BTreeSet<(At, On)> = explore().iter().map(|edge| (At::of(&edge.facts), On::of(&edge.input))).collect();
    let inputs: BTreeSet<On> = inputs().iter().map(On::of).collect();
    for at in At::ALL {
        for on in &inputs {
            assert!(met.contains(&(at, *on)), "{on:?} was never tried in {at:?}");
        }
    }
}

#[test]
fn the_facts_combine_in_these_ways_only() {
    use Login::{LoggedIn, LoggedOut, Never};

    let mut found: BTreeMap<At, (HashSet<Desired>, HashSet<Login>)> = BTreeMap::new();
    for edge in explore() {
        let (desired, logins) = found.entry(At::of(&edge.facts)).or_default();
        desired.insert(edge.facts.desired);
        logins.insert(edge.facts.login);
    }
    for at in At::ALL {
        let desired = match at {
            At::Stopped | At::StoppingToRest | At::LoggingOutToRest => Desired::Stopped,
            _ => Desired::Started,
        };
        let logins = match at {
            At::Online | At::LoggingOut | At::LoggingOutToRest => HashSet::from([LoggedIn]),
            _ => HashSet::from([Never, LoggedIn, LoggedOut]),
        };
        assert_eq!(found[&at], (HashSet::from([desired]), logins), "{at:?}");
    }
}

#[test]
fn a_port_is_claimed_exactly_when_leaving_stopped_and_released_exactly_when_entering_it() {
    for edge in explore() {
        let Some(step) = edge.step() else { continue };
        let stopped = |facts: &Facts| facts.lifecycle == Lifecycle::Stopped;
        let change = match (stopped(&edge.facts), stopped(&step.next)) {
            (true, false) => PortChange::Claim,
            (false, true) => PortChange::Release,
            _ => PortChange::Keep,
        };
        assert_eq!(step.port, change, "{:?} in {:?}", edge.input, edge.facts);
    }
}

#[test]
fn stop_always_ends_stopped_however_the_connection_ends() {
    let states: HashSet<Facts> = explore().into_iter().map(|edge| edge.facts).collect();
    for facts in states {
        let stopping = transition(&facts, &Input::Command(Command::Stop), retry_at).unwrap().next;
        assert_eq!(stopping.desired, Desired::Stopped, "{facts:?}");
        for end in [Input::Closed, Input::Deadline, Input::Adopted] {
            let stopped = transition(&stopping, &end, retry_at).unwrap().next;
            assert_eq!(stopped.lifecycle, Lifecycle::Stopped, "{end:?} after a stop in {facts:?}");
        }
    }
}

#[test]
fn once_stopping_to_rest_nothing_but_stopped_follows() {
    for edge in explore() {
        if let (Lifecycle::Stopping { then: Then::Rest, .. }, Some(step)) = (edge.facts.lifecycle, edge.step()) {
            let next = step.next.lifecycle;
            assert!(next == edge.facts.lifecycle || next == Lifecycle::Stopped, "{:?} in {:?}", edge.input, edge.facts);
        }
    }
}

#[test]
fn nothing_leaves_stopped_but_start() {
    for edge in explore() {
        if edge.facts.lifecycle == Lifecycle::Stopped
            && let Some(step) = edge.step()
        {
            let left = step.next != edge.facts;
            assert_eq!(left, edge.input == Input::Command(Command::Start), "{:?} in {:?}", edge.input, edge.facts);
        }
    }
}

#[test]
fn no_state_lasts_past_its_deadline_but_stopped_and_blocked() {
    for edge in explore() {
        if edge.input == Input::Deadline {
            let rests = matches!(edge.facts.lifecycle, Lifecycle::Stopped | Lifecycle::Blocked);
            let stays = edge.step().is_some_and(|step| step.next.lifecycle == edge.facts.lifecycle);
            assert_eq!(stays, rests, "{:?}", edge.facts);
        }
    }
}

#[test]
fn a_new_connection_always_has_a_new_generation() {
    for edge in explore() {
        let Some(step) = edge.step() else { continue };
        let (before, after) = (&edge.facts, &step.next);
        let grown = after.generation.checked_sub(before.generation).expect("the generation never decreases");
        assert!(grown <= 1, "{:?} in {before:?}", edge.input);
        if grown == 1 {
            assert_eq!(
                after.connection(),
                Some(after.generation),
                "counted without a dial: {:?} in {before:?}",
                edge.input
            );
        }
        // No connection before, or none that outlived the process: whatever connection there is now was dialled.
        if after.connection().is_some() && (before.connection().is_none() || edge.input == Input::Adopted) {
            assert_eq!(grown, 1, "dialled without counting: {:?} in {before:?}", edge.input);
        }
    }
}

#[test]
fn credentials_are_forgotten_only_with_the_login() {
    for edge in explore() {
        let Some(step) = edge.step() else { continue };
        let told = matches!(
            &edge.input,
            Input::Rejected(reason) if matches!(reason.kind, ReasonKind::LoggedOut | ReasonKind::AccountMismatch)
        );
        let asked = matches!(edge.facts.lifecycle, Lifecycle::Stopping { log_out: true, .. });
        if step.forget_credentials {
            assert!(told || asked, "{:?} in {:?}", edge.input, edge.facts);
            assert_ne!(step.next.login, Login::LoggedIn, "{:?} in {:?}", edge.input, edge.facts);
        } else if edge.facts.login == Login::LoggedIn {
            assert_eq!(step.next.login, Login::LoggedIn, "{:?} in {:?}", edge.input, edge.facts);
        }
    }
}

#[test]
fn the_account_outlives_everything_but_another_login() {
    for edge in explore() {
        let Some(step) = edge.step() else { continue };
        if !matches!(edge.input, Input::Paired { .. } | Input::Ready { .. }) {
            assert_eq!(step.next.account, edge.facts.account, "{:?} in {:?}", edge.input, edge.facts);
        }
    }
}

#[test]
fn an_illegal_command_says_the_state_and_the_way_out() {
    let message = |state, command| IllegalTransition { state, command }.to_string();
    let stopping = Lifecycle::Stopping { then: Then::Rest, log_out: false };
    let cases = [
        (Lifecycle::Stopped, Command::Restart, "cannot restart a session that is stopped: start it first"),
        (Lifecycle::Online, Command::Delete, "cannot delete a session that is online: stop it first"),
        (
            Lifecycle::Online,
            Command::Resume,
            "cannot refresh login a session that is online: its login needs no refreshing",
        ),
        (Lifecycle::Blocked, Command::LogOut, "cannot log out a session that is blocked: no account is logged in"),
        (stopping, Command::Start, "cannot start a session that is stopping: wait until it has stopped"),
    ];
    for (state, command, text) in cases {
        assert_eq!(message(state, command), text);
    }
}

#[test]
fn a_reason_reads_as_a_sentence_with_code_and_end() {
    let banned = Reason::new(ReasonKind::Banned).code("402").until(Timestamp::from_millis(1_700_000_000_000));
    assert_eq!(banned.to_string(), "the network banned the account (402) until 2023-11-14T22:13:20Z");
    let texts: HashSet<String> = REASONS.iter().map(ReasonKind::to_string).collect();
    assert_eq!(texts.len(), REASONS.len(), "two reasons read the same");
}

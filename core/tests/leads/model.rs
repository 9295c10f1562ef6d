//! What the domain says a log comes to, worked out the slow way: every question is answered by going through everything that
//! was ever heard of. It shares nothing with the ledger but the types of what goes in and what comes out.

use std::collections::BTreeSet;

use seatport::conversation::Author;
use seatport::leads::{EntryClass, LeadEntry, LeadTotal, LeadWindow, PersonKey, Replier, Reply, Windows};
use seatport::{AgentId, MessageId, SessionId, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::log::{DAY, Kind, Log, SECOND, What};

/// One time somebody came to write.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) session: SessionId,
    pub(crate) at: i64,
    pub(crate) agent: Option<AgentId>,
    pub(crate) late: bool,
    pub(crate) class: EntryClass,
    pub(crate) reply: Option<Reply>,
}

#[derive(Clone, Debug)]
struct Heard {
    session: SessionId,
    person: PersonKey,
    at: i64,
    id: MessageId,
    kind: Kind,
}

/// A lead of a session that was erased.
#[derive(Clone, Debug)]
struct Ghost {
    person: PersonKey,
    at: i64,
    id: MessageId,
    session: SessionId,
}

/// What is known when the log has been read so far.
#[derive(Clone, Debug, Default)]
struct Known {
    heard: Vec<Heard>,
    same: Vec<(PersonKey, PersonKey)>,
    ghosts: Vec<Ghost>,
    /// The visits to erased sessions.
    fixed: Vec<Visit>,
}

/// All visits that count, as far as they were known when everything heard of before `until` had been.
pub(crate) fn visits(log: &Log, until: Timestamp) -> Vec<Visit> {
    let mut known = Known::default();
    for line in log.lines.iter().filter(|line| line.heard < until) {
        match &line.what {
            What::Happened { session, person, at, id, kind } => known.heard.push(Heard {
                session: *session,
                person: *person,
                at: at.as_millis(),
                id: id.clone(),
                kind: kind.clone(),
            }),
            What::SamePerson(a, b) => known.same.push((*a, *b)),
            What::Deleted(_) => {}
            What::Erased(session) => known.erase(*session, log),
        }
    }
    known.visits(log).into_iter().map(|(visit, _)| visit).chain(known.fixed.clone()).collect()
}

impl Known {
    /// Everybody who is the same person as this one.
    fn person(&self, key: PersonKey) -> BTreeSet<PersonKey> {
        let mut person = BTreeSet::from([key]);
        loop {
            let before = person.len();
            for (a, b) in &self.same {
                if person.contains(a) || person.contains(b) {
                    person.extend([*a, *b]);
                }
            }
            if person.len() == before {
                return person;
            }
        }
    }

    /// All visits, and of a lead its first message.
    fn visits(&self, log: &Log) -> Vec<(Visit, Option<Ghost>)> {
        let everybody: BTreeSet<BTreeSet<PersonKey>> =
            self.heard.iter().map(|heard| self.person(heard.person)).collect();
        let mut visits = Vec::new();
        for person in everybody {
            let mut leads: Vec<Ghost> =
                self.ghosts.iter().filter(|ghost| person.contains(&ghost.person)).cloned().collect();
            let own = visits.len();
            let sessions: BTreeSet<SessionId> = self.heard.iter().map(|heard| heard.session).collect();
            for session in sessions {
                let of_pair = |heard: &&Heard| heard.session == session && person.contains(&heard.person);
                let heard: Vec<&Heard> = self.heard.iter().filter(of_pair).collect();
                visits.extend(visits_of_pair(&heard, session, log));
            }
            leads.extend(visits[own..].iter().filter_map(|(_, lead)| lead.clone()));
            leads.sort_by_key(|lead| (lead.at, lead.id.clone(), last_resort(lead.session)));
            for (visit, lead) in &mut visits[own..] {
                if let (EntryClass::Lead { new_in }, Some(lead)) = (&mut visit.class, lead) {
                    let windows = LeadWindow::ALL.into_iter().filter(|window| counted_new(lead, &leads, *window));
                    *new_in = windows.fold(Windows::default(), Windows::with);
                }
            }
        }
        visits
    }

    fn erase(&mut self, session: SessionId, log: &Log) {
        for (visit, lead) in self.visits(log) {
            if visit.session == session {
                self.fixed.push(visit);
                self.ghosts.extend(lead);
            }
        }
        let (erased, kept): (Vec<Heard>, Vec<Heard>) =
            self.heard.iter().cloned().partition(|heard| heard.session == session);
        let known = |heard: &&Heard| counts_as_dealings(&heard.kind);
        for heard in erased.iter().filter(known) {
            let person = self.person(heard.person);
            if !kept.iter().filter(known).any(|heard| person.contains(&heard.person)) {
                self.same.retain(|(a, _)| !person.contains(a));
                self.ghosts.retain(|ghost| !person.contains(&ghost.person));
            }
        }
        self.heard = kept;
    }
}

/// User messages in one-to-one chats, those not to be decrypted included.
fn qualifies(kind: &Kind) -> bool {
    matches!(kind, Kind::Message | Kind::Undecryptable)
}

fn counts_as_dealings(kind: &Kind) -> bool {
    qualifies(kind) || matches!(kind, Kind::Ours(_) | Kind::History)
}

/// The visits of one person to one session; leads as if they were new nowhere.
fn visits_of_pair(heard: &[&Heard], session: SessionId, log: &Log) -> Vec<(Visit, Option<Ghost>)> {
    let mut written: Vec<&Heard> = heard.iter().copied().filter(|heard| qualifies(&heard.kind)).collect();
    written.sort_by_key(|heard| (heard.at, heard.id.clone()));
    let Some(first) = written.first().copied() else { return Vec::new() };

    if let Some(login) = log.login(session) {
        let second = login.as_millis() - login.as_millis().rem_euclid(SECOND);
        if heard.iter().any(|heard| counts_as_dealings(&heard.kind) && heard.at < second) {
            return Vec::new();
        }
    }

    let mut ours: Vec<(i64, MessageId, bool, Option<AgentId>)> = Vec::new();
    for heard in heard {
        match &heard.kind {
            Kind::Ours(Author::Agent(agent)) => ours.push((heard.at, heard.id.clone(), false, Some(agent.clone()))),
            Kind::Ours(Author::Device) => ours.push((heard.at, heard.id.clone(), true, None)),
            _ => {}
        }
    }
    ours.sort();
    let wrote_first = ours.iter().any(|(at, id, ..)| (*at, id) < (first.at, &first.id));
    let reply = ours.iter().find(|(at, id, ..)| (*at, id) >= (first.at, &first.id)).map(|(at, _, _, agent)| Reply {
        by: agent.clone().map_or(Replier::Device, Replier::Agent),
        seconds: ((at - first.at) / SECOND).try_into().unwrap(),
    });

    let mut visits = Vec::new();
    for (index, message) in written.iter().enumerate() {
        let silence = index.checked_sub(1).map(|before| message.at - written[before].at);
        if silence.is_some_and(|silence| silence < DAY) {
            continue;
        }
        let shift = shift(session, message.at, log);
        let (class, reply) = match (index, wrote_first) {
            (0, false) => (EntryClass::Lead { new_in: Windows::default() }, reply.clone()),
            (0, true) => (EntryClass::OutreachReply, None),
            _ => (EntryClass::Returning, None),
        };
        let visit = Visit {
            session,
            at: message.at,
            agent: shift.and_then(|shift| shift.0),
            late: shift_late(session, message.at, log),
            class,
            reply,
        };
        let lead = matches!(class, EntryClass::Lead { .. }).then(|| Ghost {
            person: message.person,
            at: message.at,
            id: message.id.clone(),
            session,
        });
        visits.push((visit, lead));
    }
    visits
}

fn shift(session: SessionId, at: i64, log: &Log) -> Option<(Option<AgentId>, bool)> {
    let mut found = None;
    for shift in log.shifts.iter().filter(|shift| shift.session == session) {
        if found.is_none() || shift.at.as_millis() <= at {
            found = Some((shift.agent.clone(), shift.running));
        }
    }
    found
}

fn shift_late(session: SessionId, at: i64, log: &Log) -> bool {
    shift(session, at, log).is_some_and(|(_, running)| !running)
}

/// Whether this one of a person's leads is counted new: all of them in their order.
fn counted_new(lead: &Ghost, leads: &[Ghost], window: LeadWindow) -> bool {
    let days = match window {
        LeadWindow::Lifetime => None,
        LeadWindow::Days7 => Some(7),
        LeadWindow::Days30 => Some(30),
        LeadWindow::Days90 => Some(90),
    };
    let mut last = None;
    for other in leads {
        let new = match (last, days) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(last), Some(days)) => other.at - last >= days * DAY,
        };
        if new {
            last = Some(other.at);
        }
        if (other.at, &other.id, other.session) == (lead.at, &lead.id, lead.session) {
            return new;
        }
    }
    unreachable!("it is one of them")
}

/// Between messages of the same time and id to two sessions something has to decide.
fn last_resort(session: SessionId) -> i64 {
    let hash = Sha256::digest(session.as_bytes());
    i64::from_be_bytes(hash[..8].try_into().unwrap())
}

/// The visits as totals.
pub(crate) fn totals(visits: &[Visit]) -> Vec<LeadTotal> {
    let quarter = 15 * 60 * SECOND;
    let mut entries: Vec<LeadEntry> = visits
        .iter()
        .map(|visit| LeadEntry {
            quarter: Timestamp::from_millis(visit.at.div_euclid(quarter) * quarter),
            session: visit.session,
            agent: visit.agent.clone(),
            class: visit.class,
            late: visit.late,
            reply: visit.reply.clone(),
        })
        .collect();
    entries.sort();
    let groups = entries.chunk_by(|a, b| a == b);
    groups.map(|group| LeadTotal { entry: group[0].clone(), count: group.len() as u64 }).collect()
}

//! Generated logs: whatever happens on a few accounts within some weeks, in the order in which it is heard of.

use seatport::conversation::Author;
use seatport::leads::PersonKey;
use seatport::{AgentId, MessageId, Random, SessionId, Timestamp};

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const HOUR: i64 = 3_600 * SECOND;
pub(crate) const DAY: i64 = 24 * HOUR;

/// What a network tells of.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Message,
    Undecryptable,
    Edit,
    Reaction,
    Receipt,
    Call,
    InGroup,
    Status,
    /// One of ours, which the network took.
    Ours(Author),
    /// One of ours, which it did not take.
    Failed,
    /// One of ours, to a group.
    OursInGroup,
    /// The network's history: there was something at this time.
    History,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Happened { session: SessionId, person: PersonKey, at: Timestamp, id: MessageId, kind: Kind },
    SamePerson(PersonKey, PersonKey),
    Deleted(SessionId),
    Erased(SessionId),
}

/// One line of the log.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// When it was heard of.
    pub(crate) heard: Timestamp,
    pub(crate) what: What,
}

/// From then on this agent was bound to the session, and it was running or not.
#[derive(Clone, Debug)]
pub(crate) struct Shift {
    pub(crate) session: SessionId,
    pub(crate) at: Timestamp,
    pub(crate) agent: Option<AgentId>,
    pub(crate) running: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) logins: Vec<(SessionId, Option<Timestamp>)>,
    /// In the order of time.
    pub(crate) shifts: Vec<Shift>,
    pub(crate) lines: Vec<Line>,
    pub(crate) start: Timestamp,
}

impl Log {
    pub(crate) fn login(&self, session: SessionId) -> Option<Timestamp> {
        self.logins.iter().find(|(id, _)| *id == session).and_then(|(_, login)| *login)
    }

    pub(crate) fn end(&self) -> Timestamp {
        self.lines.last().map_or(self.start, |line| line.heard)
    }
}

/// Midnights (UTC) before the clocks change somewhere: Europe, New York, Lord Howe and Chatham, Europe again, New York again;
/// and before the day that Samoa left out.
const STARTS: [i64; 6] = [1_774_483_200, 1_772_668_800, 1_775_001_600, 1_792_627_200, 1_793_318_400, 1_324_857_600];

/// Makes logs.
pub(crate) struct Generator<'a> {
    random: &'a Random,
    start: i64,
    span: i64,
    /// The times that occurred, for others to lie close to.
    times: Vec<i64>,
}

impl<'a> Generator<'a> {
    pub(crate) fn log(random: &'a Random) -> Log {
        let start = *pick(random, &STARTS) * SECOND;
        let span = *pick(random, &[2, 5, 15, 45, 120]) * DAY;
        let mut generator = Self { random, start, span, times: vec![start] };
        generator.make()
    }

    fn make(&mut self) -> Log {
        let random = self.random;
        let origin = Timestamp::from_millis(self.start);
        let sessions: Vec<SessionId> = (0..=random.below(4)).map(|_| SessionId::generate(origin, random)).collect();
        let logins = sessions.iter().map(|session| (*session, self.login())).collect();
        let mut shifts: Vec<Shift> = Vec::new();
        for session in &sessions {
            for _ in 0..random.below(5) {
                let agent = pick(random, &[None, Some("li"), Some("mei"), Some("=wu")]);
                let agent = agent.map(|agent| agent.parse().unwrap());
                shifts.push(Shift { session: *session, at: self.time(), agent, running: random.below(3) > 0 });
            }
        }
        shifts.sort_by_key(|shift| (shift.at, shift.session));
        shifts.dedup_by_key(|shift| (shift.at, shift.session));

        let persons: Vec<PersonKey> = (0..=random.below(5)).map(|n| PersonKey::from_bytes([n as u8; 16])).collect();
        let mut lines: Vec<What> = Vec::new();
        let mut gone: Vec<SessionId> = Vec::new();
        for _ in 0..3 + random.below(38) {
            let what = self.what(&sessions, &persons);
            match &what {
                What::Happened { session, .. } if gone.contains(session) => continue,
                What::Deleted(session) => gone.push(*session),
                What::Erased(session) => gone.push(*session),
                _ => {}
            }
            lines.push(what);
        }
        let mut heard: Vec<i64> = lines.iter().map(|_| self.heard(0, self.span + 6 * DAY)).collect();
        heard.sort_unstable();
        let lines = lines.into_iter().zip(heard);
        let lines = lines.map(|(what, heard)| Line { heard: Timestamp::from_millis(heard), what }).collect();
        Log { logins, shifts, lines, start: origin }
    }

    fn what(&mut self, sessions: &[SessionId], persons: &[PersonKey]) -> What {
        let random = self.random;
        let (session, person) = (*pick(random, sessions), *pick(random, persons));
        match random.below(60) {
            0..5 => What::SamePerson(person, *pick(random, persons)),
            5 => What::Deleted(session),
            6 => What::Erased(session),
            other => {
                let author = match random.below(3) {
                    0 => Author::Device,
                    1 => Author::Agent("mei".parse().unwrap()),
                    _ => Author::Agent("@ben".parse().unwrap()),
                };
                let kind = match other {
                    7..30 => Kind::Message,
                    30..33 => Kind::Undecryptable,
                    33..46 => Kind::Ours(author),
                    46..48 => Kind::Failed,
                    48 => Kind::OursInGroup,
                    49 => Kind::History,
                    50..53 => Kind::InGroup,
                    53 => Kind::Status,
                    54..56 => Kind::Edit,
                    56..58 => Kind::Reaction,
                    58 => Kind::Receipt,
                    _ => Kind::Call,
                };
                let id = pick(random, &["a", "b", "c", "d"]).parse().unwrap();
                What::Happened { session, person, at: self.time(), id, kind }
            }
        }
    }

    /// A time of a message: often one that occurred, or one that lies as far from it as some rule says.
    fn time(&mut self) -> Timestamp {
        let random = self.random;
        let at = match random.below(3) {
            0 => {
                let quarter = 15 * 60 * SECOND;
                let distances = [0, 0, SECOND, 5 * SECOND, quarter, DAY, DAY, 2 * DAY, 7 * DAY, 30 * DAY, 90 * DAY];
                let distance = pick(random, &distances);
                let around = pick(random, &[0, 0, -1, 1, -SECOND, SECOND]);
                let sign = if random.below(3) == 0 { -1 } else { 1 };
                self.near() + sign * distance + around
            }
            1 => self.heard(0, self.span) / (15 * 60 * SECOND) * (15 * 60 * SECOND),
            _ => self.heard(0, self.span) / SECOND * SECOND,
        };
        self.times.push(at);
        Timestamp::from_millis(at)
    }

    /// One of the times that occurred, often one of the last.
    fn near(&self) -> i64 {
        let last = &self.times[self.times.len().saturating_sub(3)..];
        *pick(self.random, if self.random.below(2) == 0 { last } else { &self.times })
    }

    /// Most accounts logged in before it all; the others in the midst of it, and one not yet as far as anybody told.
    fn login(&mut self) -> Option<Timestamp> {
        match self.random.below(8) {
            0 => None,
            1..4 => Some(self.time()),
            _ => Some(Timestamp::from_millis(self.start - 200 * DAY)),
        }
    }

    fn heard(&self, from: i64, until: i64) -> i64 {
        self.start + from + i64::try_from(self.random.below((until - from) as u64)).unwrap()
    }
}

pub(crate) fn pick<'a, T>(random: &Random, from: &'a [T]) -> &'a T {
    &from[random.below(from.len() as u64) as usize]
}

/// The same log heard of in another order, some of it repeatedly, at other times. What is erased cuts it in two: nothing
/// crosses an erasure but what is said again of sessions that are still there.
pub(crate) fn shuffled(log: &Log, random: &Random) -> Log {
    let mut lines: Vec<Line> = Vec::new();
    let mut erased: Vec<SessionId> = Vec::new();
    let mut told: Vec<What> = Vec::new();
    let mut from = log.start.as_millis();
    for part in log.lines.split_inclusive(|line| matches!(line.what, What::Erased(_))) {
        let erasure = part.last().filter(|line| matches!(line.what, What::Erased(_))).cloned();
        let until = part.last().map_or(from, |line| line.heard.as_millis()).max(from);
        let mut whats: Vec<What> =
            part.iter().take(part.len() - usize::from(erasure.is_some())).map(|line| line.what.clone()).collect();
        told.extend(whats.iter().filter(|what| matches!(what, What::Happened { .. })).cloned());
        for _ in 0..random.below(5) {
            if let Some(again) = (!whats.is_empty()).then(|| pick(random, &whats).clone()) {
                whats.push(again);
            }
            let again = (!told.is_empty()).then(|| pick(random, &told).clone());
            let there = |what: &What| !matches!(what, What::Happened { session, .. } if erased.contains(session));
            whats.extend(again.filter(there));
        }
        for last in (1..whats.len()).rev() {
            whats.swap(last, random.below(last as u64 + 1) as usize);
        }
        let mut heard: Vec<i64> = whats.iter().map(|_| from + random.below((until - from) as u64 + 1) as i64).collect();
        heard.sort_unstable();
        let pairs = whats.into_iter().zip(heard);
        lines.extend(pairs.map(|(what, heard)| Line { heard: Timestamp::from_millis(heard), what }));
        if let Some(line) = &erasure
            && let What::Erased(session) = line.what
        {
            erased.push(session);
        }
        lines.extend(erasure);
        from = until;
    }
    Log { lines, ..log.clone() }
}

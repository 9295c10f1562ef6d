//! Ten thousand generated logs: the ledger and its reports are what the slow model says, whatever the order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use seatport::Random;
use seatport::leads::{
    CsvOptions, Dimension, EntryClass, Figures, LeadEntry, LeadPeriod, LeadQuery, LeadReport, LeadTotal, LeadWindow,
    Tables, ledger, visible,
};

use crate::log::{DAY, Generator, Log, SECOND, pick, shuffled};
use crate::model;
use crate::model_report::{self, Asked, day_start, day_text};
use crate::office::{ALWAYS, at, ledger_of, report};

const LOGS: u64 = 10_000;
const THREADS: u64 = 2;

const ZONES: [&str; 11] = [
    "UTC",
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Apia",
];

/// What came up, so that a log that has nothing of it does not pass for a proof.
#[derive(Debug, Default)]
struct Seen {
    new: AtomicU64,
    new_again: AtomicU64,
    duplicate: AtomicU64,
    returning: AtomicU64,
    outreach: AtomicU64,
    late: AtomicU64,
    replied: AtomicU64,
    corrected_after_seal: AtomicU64,
    erased: AtomicU64,
}

impl Seen {
    fn see(&self, totals: &[LeadTotal]) {
        let count = |counter: &AtomicU64, is: &dyn Fn(&LeadEntry) -> bool| {
            let seen: u64 = totals.iter().filter(|total| is(&total.entry)).map(|total| total.count).sum();
            counter.fetch_add(seen, Relaxed);
        };
        let new_in = |entry: &LeadEntry, window| match entry.class {
            EntryClass::Lead { new_in } => Some(new_in.contains(window)),
            _ => None,
        };
        count(&self.new, &|entry| new_in(entry, LeadWindow::Lifetime) == Some(true));
        count(&self.duplicate, &|entry| new_in(entry, LeadWindow::Days7) == Some(false));
        count(&self.new_again, &|entry| {
            new_in(entry, LeadWindow::Lifetime) == Some(false) && new_in(entry, LeadWindow::Days30) == Some(true)
        });
        count(&self.returning, &|entry| entry.class == EntryClass::Returning);
        count(&self.outreach, &|entry| entry.class == EntryClass::OutreachReply);
        count(&self.late, &|entry| entry.late);
        count(&self.replied, &|entry| entry.reply.is_some());
    }

    fn all(&self) -> [u64; 9] {
        let Self { new, new_again, duplicate, returning, outreach, late, replied, corrected_after_seal, erased } = self;
        [new, new_again, duplicate, returning, outreach, late, replied, corrected_after_seal, erased]
            .map(|seen| seen.load(Relaxed))
    }
}

/// Names the seed of the log that a test failed on.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SEATPORT_SEED={} repeats this log", self.0);
        }
    }
}

#[test]
fn every_log_comes_to_what_the_domain_says_in_whatever_order_it_is_told() {
    let seen = Seen::default();
    if let Ok(seed) = std::env::var("SEATPORT_SEED") {
        return check(seed.parse().unwrap(), &seen);
    }
    std::thread::scope(|scope| {
        for first in 0..THREADS {
            let seen = &seen;
            scope.spawn(move || (first..LOGS).step_by(THREADS as usize).for_each(|seed| check(seed, seen)));
        }
    });
    assert!(seen.all().into_iter().all(|seen| seen > LOGS / 100), "something hardly ever came up: {seen:?}");
}

fn check(seed: u64, seen: &Seen) {
    let seed = Seed(seed);
    let random = Random::seeded(seed.0);
    let log = Generator::log(&random);
    let told_otherwise = shuffled(&log, &random);
    let asked = asked(&log, &random);
    let query = query(&asked);

    let visits = model::visits(&log, ALWAYS.1);
    let now = at(log.end().as_millis() + random.below(3) as i64 * DAY);
    let expected = model::totals(&visits);
    let expected_report = json(&model_report::report(&visits, &asked, now));
    seen.see(&expected);
    for log in [&log, &told_otherwise] {
        let mut tables = ledger_of(log);
        assert_eq!(tables.totals(ALWAYS.0, ALWAYS.1), expected, "{log:#?}");
        let report = report(&tables, &query, now);
        assert_eq!(json(&report), expected_report, "{asked:?}");
        add_up(&report.current, &query);
        as_it_was_sealed(&tables, log, &asked, &random, seen);

        let Ok(()) = ledger::rebuild(&mut tables);
        assert_eq!(tables.totals(ALWAYS.0, ALWAYS.1), expected, "rebuilt");
    }
    let tables = ledger_of(&log);
    as_csv(&report(&tables, &query, now), &query);
    reconcile(&tables, &asked);
}

fn json(report: &LeadReport) -> String {
    serde_json::to_string(report).unwrap()
}

fn asked(log: &Log, random: &Random) -> Asked {
    let span = (log.end().as_millis() - log.start.as_millis()) / DAY;
    let sessions: Vec<_> = log.logins.iter().map(|(session, _)| *session).collect();
    let mut by = vec![Dimension::Day, Dimension::Session, Dimension::Agent, Dimension::Class];
    for last in (1..by.len()).rev() {
        by.swap(last, random.below(last as u64 + 1) as usize);
    }
    by.truncate(*pick(random, &[0, 1, 1, 1, 2, 3, 4]));
    Asked {
        from: log.start.as_millis() / DAY - 2 + random.below(span as u64 / 2 + 4) as i64,
        days: *pick(random, &[1, 1, 2, 2, 3, 3, 5, 5, 9, 30]),
        zone: ZONES[random.below(ZONES.len() as u64) as usize],
        reset: *pick(random, &[0, 0, 15, 2 * 60, 2 * 60 + 15, 2 * 60 + 30, 2 * 60 + 45, 3 * 60, 4 * 60, 23 * 60 + 45]),
        window: *pick(random, &LeadWindow::ALL),
        by,
        sessions: (random.below(4) == 0).then(|| vec![*pick(random, &sessions)]),
        agents: (random.below(4) == 0).then(|| vec!["mei".parse().unwrap()]),
        compare: random.below(3) == 0,
    }
}

fn query(asked: &Asked) -> LeadQuery {
    let query = LeadQuery::new(day_text(asked.from).parse().unwrap(), asked.days as u16, asked.zone).unwrap();
    let query = query.reset(&format!("{:02}:{:02}", asked.reset / 60, asked.reset % 60)).unwrap();
    let mut query = query.window(asked.window).by(asked.by.clone()).unwrap();
    if let Some(sessions) = &asked.sessions {
        query = query.sessions(sessions.clone());
    }
    if let Some(agents) = &asked.agents {
        query = query.agents(agents.clone());
    }
    if asked.compare { query.compare() } else { query }
}

fn sums(figures: &Figures) -> [u64; 8] {
    let Figures { new, duplicate, returning, outreach_replies, late, replied, unanswered, responses } = figures;
    [*new, *duplicate, *returning, *outreach_replies, *late, *replied, *unanswered, responses.count]
}

/// The rows are the total, and answered and unanswered leads are new ones and duplicates.
fn add_up(period: &LeadPeriod, query: &LeadQuery) {
    let mut sum = [0; 8];
    for row in &period.rows {
        sum.iter_mut().zip(sums(&row.figures)).for_each(|(sum, figure)| *sum += figure);
        assert_eq!(row.figures.new + row.figures.duplicate, row.figures.replied + row.figures.unanswered);
    }
    assert_eq!(sum, sums(&period.total), "{query:?}");
}

/// The export says the same.
fn as_csv(report: &LeadReport, query: &LeadQuery) {
    let csv = report.to_csv(query, &CsvOptions::default());
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let mut column: BTreeMap<String, usize> = BTreeMap::new();
    column.extend(reader.headers().unwrap().iter().enumerate().map(|(index, name)| (name.to_owned(), index)));
    let names = ["new", "duplicate", "returning", "outreach_replies", "late", "replied", "unanswered", "responses"];
    let mut sum = [0; 8];
    let mut rows = 0;
    for line in reader.records().map(Result::unwrap) {
        if column.get("period").is_none_or(|period| &line[*period] == "current") {
            rows += 1;
            names.iter().zip(&mut sum).for_each(|(name, sum)| *sum += line[column[*name]].parse::<u64>().unwrap());
        }
    }
    assert_eq!((rows, sum), (report.current.rows.len(), sums(&report.current.total)));
}

/// Days, sessions, agents with those without, and classes all come to the organisation's figures, in every zone and window.
fn reconcile(tables: &Tables, asked: &Asked) {
    let whole = query(&Asked { by: Vec::new(), sessions: None, agents: None, compare: false, ..asked.clone() });
    let mut leads = None;
    for window in LeadWindow::ALL {
        let total = report(tables, &whole.clone().window(window), at(0)).current.total;
        assert_eq!(*leads.get_or_insert(total.new + total.duplicate), total.new + total.duplicate);
    }
    let whole = whole.window(asked.window);
    let total = report(tables, &whole, at(0)).current.total;
    for dimension in [Dimension::Day, Dimension::Session, Dimension::Agent, Dimension::Class] {
        let query = whole.clone().by([dimension]).unwrap();
        let period = report(tables, &query, at(0)).current;
        assert_eq!(period.total, total, "{query:?}");
        add_up(&period, &query);
    }
}

/// What a day is now, less what was corrected since it was sealed, is what was known when it was.
fn as_it_was_sealed(tables: &Tables, log: &Log, asked: &Asked, random: &Random, seen: &Seen) {
    let asked = Asked { sessions: None, agents: None, ..asked.clone() };
    let query = query(&asked);
    let day = asked.from + random.below(asked.days as u64) as i64;
    let (start, end) = (at(day_start(&asked, day)), at(day_start(&asked, day + 1)));
    let seal = at(end.as_millis() + 48 * 3600 * SECOND);

    let mut figures: BTreeMap<LeadEntry, i64> =
        tables.totals(start, end).into_iter().map(|total| (total.entry, total.count as i64)).collect();
    let (from, until) = query.range();
    for shown in visible(&query, &tables.adjustments(from, until)) {
        let made = shown.adjustment;
        assert!((from..until).contains(&made.entry.quarter) && made.change != 0);
        if shown.day.to_string() == day_text(day) && made.posted_at >= seal {
            seen.corrected_after_seal.fetch_add(1, Relaxed);
            *figures.entry(made.entry).or_default() -= made.change;
        }
    }
    figures.retain(|_, count| *count != 0);

    let sealed = model::totals(&model::visits(log, seal)).into_iter();
    let in_day = |total: &LeadTotal| (start..end).contains(&total.entry.quarter);
    let sealed: BTreeMap<LeadEntry, i64> =
        sealed.filter(in_day).map(|total| (total.entry, total.count as i64)).collect();
    assert_eq!(figures, sealed, "{day} of {asked:?} as it was at {seal}");
    seen.erased.fetch_add(u64::from(has_erasure(log)), Relaxed);
}

fn has_erasure(log: &Log) -> bool {
    log.lines.iter().any(|line| matches!(line.what, crate::log::What::Erased(_)))
}

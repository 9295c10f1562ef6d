//! Reading from a small database and from a large one, beside the bare statement for the same rows.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Params};
use seatport::conversation::SearchQuery;
use seatport::leads::{Dimension, LeadQuery};
use seatport::{Page, SessionFilter, SystemClock};
use seatport_benches::clock::{days, earlier};
use seatport_benches::figures::{Bound, Figures};
use seatport_benches::history::{self, History, MESSAGES, RARE, RARE_WORDS, SESSIONS};
use seatport_benches::office::Office;
use seatport_benches::place::quick;
use seatport_benches::rounds::{Contestant, Rounds};
use tokio::runtime::Runtime;

/// How many older messages each session of the large database has: 5,000,000 in all.
const OLDER: u64 = 499;
/// The same for a quick run, unless the large one is there: 200,000 in all.
const OLDER_QUICK: u64 = 19;
/// How long one turn takes at least.
const TURN: Duration = Duration::from_millis(20);

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Cards,
    Card,
    Chats,
    Messages,
    Search(&'static str),
    Leads,
}

impl Read {
    fn name(self) -> String {
        match self {
            Self::Cards => format!("50 cards of {SESSIONS} sessions"),
            Self::Card => "the card of a session, with its unread count".to_owned(),
            Self::Chats => "the first 10 chats of a session".to_owned(),
            Self::Messages => "the first 50 messages of a chat".to_owned(),
            Self::Search(word) => format!("search for {word}, {RARE} hits"),
            Self::Leads => "leads of 30 days, by day and agent".to_owned(),
        }
    }
}

const READS: [Read; 7] = [
    Read::Cards,
    Read::Card,
    Read::Chats,
    Read::Messages,
    Read::Search(RARE_WORDS[0]),
    Read::Search(RARE_WORDS[1]),
    Read::Leads,
];

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    let count = if quick() { 15 } else { 60 };
    let older = if quick() && !runtime.block_on(History::is_there(OLDER))? { OLDER_QUICK } else { OLDER };
    let small = Place::open(&runtime, 0)?;
    let large = Place::open(&runtime, older)?;
    let mut figures = Figures::default();
    let messages = MESSAGES + older * SESSIONS;
    println!("{MESSAGES} messages, and {messages}");
    for read in READS {
        let (ours, bare) = (small.ours(read)?, small.bare(read)?);
        // A report sums the rows up.
        ensure!(ours == bare || read == Read::Leads, "{}: {ours} rows, {bare} by the bare statement", read.name());
        ensure!(ours == large.ours(read)?, "{}: not the same rows in both databases", read.name());
        let contestants = vec![
            turns(|| small.ours(read))?,
            turns(|| large.ours(read))?,
            turns(|| small.bare(read))?,
            turns(|| large.bare(read))?,
        ];
        let rounds = Rounds::run(count, contestants)?;
        let micros = |contestant| rounds.seconds(contestant) * 1e6;
        let name = read.name();
        println!("\n{name} ({ours} rows)");
        figures.show(format!("{name}: {MESSAGES} messages"), micros(0), "us");
        figures.show(format!("{name}: {messages} messages"), micros(1), "us");
        figures.show(format!("{name}: bare statement, {messages} messages"), micros(3), "us");
        figures.show(format!("{name}: desk / bare statement"), rounds.ratio(1, 3), "x");
        let (growth, ratio) = (format!("{name}: large / small"), rounds.ratio(1, 0));
        match read {
            // An index of texts has more segments to look through when it is larger.
            Read::Search(_) => figures.show(growth, ratio, "x"),
            _ => figures.bounded(growth, ratio, Bound::AtMost(1.3)),
        }
    }
    figures.write()
}

/// Calls this in each turn so often that the turn is long enough; answers the time of one call.
fn turns<'a>(call: impl Fn() -> Result<usize> + 'a) -> Result<Contestant<'a>> {
    // Once to have it in memory, once to see how long it takes.
    call()?;
    let started = Instant::now();
    call()?;
    let calls = TURN.as_nanos().div_ceil(started.elapsed().as_nanos().max(1));
    let calls = u32::try_from(calls)?.clamp(1, 2000);
    Ok(Box::new(move || {
        let started = Instant::now();
        for _ in 0..calls {
            call()?;
        }
        Ok(started.elapsed() / calls)
    }))
}

/// A database, open at a desk and beside it as it is.
struct Place<'a> {
    runtime: &'a Runtime,
    office: Office,
    bare: Connection,
}

impl<'a> Place<'a> {
    fn open(runtime: &'a Runtime, older: u64) -> Result<Self> {
        runtime.block_on(async {
            let history = History::open(older).await?;
            if let Some(took) = history.made_in {
                println!("that took {:.0} s", took.as_secs_f64());
            }
            let office = Office::open(&history.file, SystemClock).await?;
            let bare = bare_connection(&history.file)?;
            Ok(Self { runtime, office, bare })
        })
    }

    /// Reads it at a desk; answers how many rows came.
    fn ours(&self, read: Read) -> Result<usize> {
        let (desk, busy) = (&self.office.desk, history::busy(3)?);
        self.runtime.block_on(async {
            Ok(match read {
                Read::Cards => desk.cards(&SessionFilter::default(), Page::first(50)).await?.len(),
                Read::Card => usize::try_from(desk.card(busy.session).await?.unread.min(1))?,
                Read::Chats => desk.chats(busy.session, Page::first(10)).await?.len(),
                Read::Messages => desk.messages(busy.session, &busy.chat, Page::first(50)).await?.len(),
                Read::Search(word) => desk.search_messages(&SearchQuery::new(word), None, 50).await?.len(),
                Read::Leads => {
                    let query = LeadQuery::new("2025-12-02".parse()?, 30, "UTC")?;
                    let query = query.by([Dimension::Day, Dimension::Agent])?;
                    let report = desk.leads(&query).await?;
                    usize::try_from(report.current.total.new)?
                }
            })
        })
    }

    /// Reads the same rows by a statement of bare SQLite.
    fn bare(&self, read: Read) -> Result<usize> {
        let busy = history::busy(3)?;
        let session = busy.session.as_bytes();
        let rows = |sql, params: &dyn rusqlite::ToSql| count(&self.bare, sql, [params]);
        Ok(match read {
            Read::Cards => count(&self.bare, "SELECT * FROM session ORDER BY id LIMIT 50", [])?,
            Read::Card => rows("SELECT * FROM session WHERE id = ?1", session)?,
            Read::Chats => rows(
                "SELECT c.*, k.name, m.* FROM chat AS c LEFT JOIN contact AS k ON k.session = c.session AND k.address = c.address
                 JOIN message AS m ON m.session = c.session AND m.seq = c.last
                 WHERE c.session = (SELECT key FROM session WHERE id = ?1) AND c.listed = 1
                 ORDER BY c.recency, c.address LIMIT 10",
                session,
            )?,
            Read::Messages => count(
                &self.bare,
                "SELECT * FROM message WHERE chat = (SELECT key FROM chat WHERE address = ?2 AND session =
                     (SELECT key FROM session WHERE id = ?1)) ORDER BY at DESC, seq DESC LIMIT 50",
                (session, busy.chat.as_str()),
            )?,
            Read::Search(word) => rows(
                "SELECT m.* FROM message_text AS t JOIN message AS m ON m.session = t.rowid >> 40 AND m.seq = t.rowid & 0xffffffffff
                 WHERE t.message_text MATCH ?1 ORDER BY t.rowid DESC LIMIT 50",
                &grams(word),
            )?,
            Read::Leads => {
                let from = earlier(history::end(), days(30)).as_millis();
                let sql = "SELECT * FROM lead_total WHERE quarter >= ?1 AND quarter < ?2";
                count(&self.bare, sql, [from, history::end().as_millis()])?
            }
        })
    }
}

/// A word as the index of texts is asked for it, see `storage-sqlite/src/search/grams.rs`.
fn grams(word: &str) -> String {
    let letters: Vec<char> = word.chars().collect();
    let length = if word.is_ascii() { 3 } else { 2 };
    let pieces = letters.windows(length).step_by(length).chain(letters.windows(length).last());
    pieces.map(|piece| format!("\"{}\" ", piece.iter().collect::<String>())).collect()
}

fn bare_connection(file: &Path) -> Result<Connection> {
    Ok(Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// Runs a statement and reads every column of its rows; answers how many rows there were.
fn count(connection: &Connection, sql: &str, params: impl Params) -> Result<usize> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let (mut rows, mut count) = (statement.query(params)?, 0);
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            row.get::<_, Value>(column)?;
        }
        count += 1;
    }
    Ok(count)
}

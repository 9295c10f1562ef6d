//! Two databases that differ in nothing but the length of their history.
//!
//! Both have the same 10,000 sessions, the same agents, and the same last 30 days: the same messages in the same chats, the
//! same leads on each day, and 20 messages with each of two words that nobody else ever writes. The larger one also has what
//! came before that: other chats in every session, and in the chats that are read here older messages.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use rusqlite::Connection;
use seatport::conversation::{Author, Content, Direction, Message, MessageStatus};
use seatport::leads::PersonKey;
use seatport::lifecycle::{Account, Login};
use seatport::storage::{AgentStore, Expect, Incoming, SessionCommit, SessionStore, Storage};
use seatport::{Address, Agent, Invalid, Random, Role, SessionId, SessionRecord, Timestamp, TransportName};
use seatport_sqlite::{SqliteStorage, Synchronous};
use tokio::task::JoinSet;

use crate::clock::{days, earlier};
use crate::network::NAME;
use crate::place::directory;
use crate::recording::transactions_seen;
use crate::texts::text;
use crate::traffic::{address, message_id, scattered};

/// Sessions.
pub const SESSIONS: u64 = 10_000;
/// Of so many sessions one has a chat that is read here.
const BUSY_EACH: u64 = 100;
/// How many messages the last 30 days brought to such a chat.
const RECENT: u64 = 50;
/// How many people wrote for the first time in the last 30 days.
const LEADS: u64 = 4_900;
/// How many of them wrote to each session with such a chat.
const LEADS_EACH: u64 = 10;
/// How many messages have each of the rare words.
pub const RARE: u64 = 20;
/// The rare words.
pub const RARE_WORDS: [&str; 2] = ["zeppelin", "麒麟"];
/// How many messages both databases have; the larger one has `older` for each session besides.
pub const MESSAGES: u64 = LEADS + SESSIONS / BUSY_EACH * (RECENT + 1);
/// How many older messages follow one another in one chat.
const TALK: u64 = 10;
/// To be raised when anything here changes: databases are kept from one run to the next.
const EDITION: u32 = 2;
/// How many commits are under way at once.
const AT_ONCE: usize = 32;

/// The end of the last day: 2026-01-01 in UTC.
#[must_use]
pub fn end() -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000)
}

/// A database.
#[derive(Clone, Debug)]
pub struct History {
    /// Where it is.
    pub file: PathBuf,
    /// How long it took to make, if that was now.
    pub made_in: Option<Duration>,
}

/// Where to find what in a database.
#[derive(Clone, Debug)]
pub struct Busy {
    /// A session with a chat that is read.
    pub session: SessionId,
    /// That chat.
    pub chat: Address,
}

/// A session with a chat that is read.
///
/// # Errors
/// There are none: all names are valid.
pub fn busy(number: u64) -> Result<Busy, Invalid> {
    let session = number * BUSY_EACH % SESSIONS;
    Ok(Busy { session: session_id(session), chat: address(busy_person(session))? })
}

fn session_id(session: u64) -> SessionId {
    SessionId::generate(earlier(end(), days(500)) + Duration::from_secs(session), &Random::seeded(session))
}

fn busy_person(session: u64) -> u64 {
    session * 100
}

impl History {
    /// Whether the database with so many older messages in each session is there from an earlier run.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn is_there(older: u64) -> Result<bool> {
        Ok(path(older).await?.exists())
    }

    /// The database with so many older messages in each session, made unless it is there from an earlier run.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn open(older: u64) -> Result<Self> {
        let (file, messages) = (path(older).await?, MESSAGES + older * SESSIONS);
        if file.exists() {
            return Ok(Self { file, made_in: None });
        }
        let directory = file.parent().unwrap_or(&file);
        forget(directory, messages)?;
        println!("making a database of {messages} messages, to be kept at {}", file.display());
        let (making, started) = (directory.join(format!("{messages}-making.db")), Instant::now());
        make(&making, older).await?;
        fs::rename(&making, &file)?;
        forget(directory, format!("{messages}-making"))?;
        Ok(Self { file, made_in: Some(started.elapsed()) })
    }
}

/// Where a database is kept.
async fn path(older: u64) -> Result<PathBuf> {
    let directory = directory()?.join("history");
    fs::create_dir_all(&directory)?;
    let edition = edition(&directory.join("schema.db")).await?;
    Ok(directory.join(format!("{}-{edition:016x}.db", MESSAGES + older * SESSIONS)))
}

/// Names the schema of the storage and what is written here.
async fn edition(scratch: &Path) -> Result<u64> {
    forget(scratch.parent().unwrap_or(scratch), "schema")?;
    SqliteStorage::open(scratch).await?.close().await?;
    let connection = Connection::open(scratch)?;
    let mut hasher = DefaultHasher::new();
    EDITION.hash(&mut hasher);
    let mut schema = connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")?;
    let mut rows = schema.query([])?;
    while let Some(row) = rows.next()? {
        row.get::<_, String>(0)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// Removes the files of a database of an earlier edition, or one that was never finished.
fn forget(directory: &Path, name: impl ToString) -> Result<()> {
    let name = name.to_string();
    for file in fs::read_dir(directory)? {
        let file = file?;
        let found = file.file_name();
        let rest = found.to_str().and_then(|found| found.strip_prefix(&name));
        if rest.is_some_and(|rest| rest.starts_with(['-', '.'])) {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

async fn make(file: &Path, older: u64) -> Result<()> {
    // What it is made with is not measured; if the machine fails, it is made again.
    let storage = SqliteStorage::options().synchronous(Synchronous::Normal).open(file).await?;
    for (id, role) in [("mei", Role::Supervisor), ("li", Role::Agent), ("wang", Role::Agent)] {
        storage.put_agent(Agent::new(id, id, role)?).await?;
    }
    let mut commits = JoinSet::new();
    for session in 0..SESSIONS {
        let commit = added(session, older)?;
        let storage = storage.clone();
        commits.spawn(async move { storage.commit(commit).await });
        settle(&mut commits, AT_ONCE).await?;
    }
    settle(&mut commits, 0).await?;
    for session in (0..SESSIONS).step_by(usize::try_from(BUSY_EACH)?) {
        storage.commit(recent(session)?).await?;
    }
    for lead in 0..LEADS {
        let commit = lead_commit(lead)?;
        let storage = storage.clone();
        commits.spawn(async move { storage.commit(commit).await });
        settle(&mut commits, AT_ONCE).await?;
    }
    settle(&mut commits, 0).await?;
    rest(file).await?;
    Ok(storage.close().await?)
}

/// Waits until nothing has been written for a second: a storage may put its indexes in order when it has nothing else to do.
async fn rest(file: &Path) -> Result<()> {
    let mut before = None;
    loop {
        let seen = transactions_seen(file)?;
        if before.replace(seen) == Some(seen) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn settle<T: 'static>(
    commits: &mut JoinSet<Result<T, seatport::storage::StorageError>>,
    at_once: usize,
) -> Result<()> {
    while commits.len() > at_once {
        if let Some(committed) = commits.join_next().await {
            committed??;
        }
    }
    Ok(())
}

fn account(session: u64) -> Result<Account, Invalid> {
    let phone = format!("85260{session:06}");
    let address = Address::new(format!("{phone}@s.whatsapp.net"))?;
    Ok(Account { address, phone: Some(phone), name: Some(format!("Seat {session}")) })
}

/// A session that ran for a year and was stopped, with the messages that came before the last 30 days.
fn added(session: u64, older: u64) -> Result<SessionCommit, Invalid> {
    let (id, added) = (session_id(session), earlier(end(), days(450)));
    let mut commit = SessionCommit::new(id, earlier(end(), days(31)), Expect::New);
    let mut record = SessionRecord::new(id, added, TransportName::new(NAME)?);
    record.facts.account = Some(account(session)?);
    record.facts.login = Login::LoggedIn;
    record.first_login_at = Some(added);
    record.agent = match session % 3 {
        0 => None,
        1 => Some("li".parse()?),
        _ => Some("wang".parse()?),
    };
    record.remark = seatport::Remark::new(format!("第 {session} 号坐席"))?;
    commit.record = Some(record);
    let random = Random::seeded(session);
    let is_busy = session.is_multiple_of(BUSY_EACH);
    for number in 0..older {
        // One talk after the other; every second one in the chat that is read here, the others in ten more chats.
        let (talk, talks) = (number / TALK, older.div_ceil(TALK));
        let chat = if is_busy && talk % 2 == 0 { 0 } else { 1 + talk % 10 };
        let began = earlier(end(), days(400)) + days(365).mul_f64(talk as f64 / talks as f64);
        let at = began + Duration::from_secs(number % TALK * 120);
        commit.messages.push(incoming(session, session * 100 + chat, (session + 1) << 20 | number, at, text(&random))?);
    }
    if is_busy {
        // So that in both databases whoever wrote here in the last 30 days had written before.
        let number = (session + 1) << 20 | older;
        commit.messages.push(incoming(session, busy_person(session), number, earlier(end(), days(34)), text(&random))?);
    }
    Ok(commit)
}

/// The last 30 days of a chat that is read here.
fn recent(session: u64) -> Result<SessionCommit, Invalid> {
    let mut commit = SessionCommit::new(session_id(session), end(), Expect::Present);
    let random = Random::seeded(session + SESSIONS);
    for number in 0..RECENT {
        let at = earlier(end(), days(20)) + days(20).mul_f64(number as f64 / RECENT as f64);
        let mut text = text(&random);
        // One of the rare words in each of the first sessions.
        if number == 7 && session / BUSY_EACH < RARE * 2 {
            let [latin, chinese] = RARE_WORDS;
            text = if session / BUSY_EACH < RARE {
                format!("my {latin} arrived")
            } else {
                format!("请问{chinese}有货吗")
            };
        }
        commit.messages.push(incoming(
            session,
            busy_person(session),
            (session + 1) << 20 | 1 << 19 | number,
            at,
            text,
        )?);
    }
    Ok(commit)
}

/// Somebody writes for the first time.
fn lead_commit(lead: u64) -> Result<SessionCommit, Invalid> {
    let busy = SESSIONS / BUSY_EACH;
    let session = if lead < busy * LEADS_EACH { lead % busy * BUSY_EACH } else { scattered(lead) % SESSIONS };
    // Spread over the 30 days, whatever the session.
    let at = earlier(end(), days(30)) + days(30).mul_f64((scattered(lead) >> 40) as f64 / (1_u64 << 24) as f64);
    let mut commit = SessionCommit::new(session_id(session), at, Expect::Present);
    let (person, random) = (50_000_000 + lead, Random::seeded(lead));
    commit.messages.push(incoming(session, person, 1 << 60 | lead, at, text(&random))?);
    Ok(commit)
}

/// Two of three messages come from the other side; the first one always does.
fn incoming(session: u64, person: u64, number: u64, at: Timestamp, text: String) -> Result<Incoming, Invalid> {
    let chat = address(person)?;
    let outbound = number % 3 == 2 && number < 1 << 60;
    let (direction, author, status, sender) = match outbound {
        true => (Direction::Outbound, Some(Author::Device), MessageStatus::Read, account(session)?.address),
        false => (Direction::Inbound, None, MessageStatus::Delivered, chat.clone()),
    };
    let (id, content) = (message_id(number)?, Content::Text(text));
    let message = Message { chat, id, direction, sender, author, content, at, status, quoted: None };
    let mut key = [0; 16];
    key[..8].copy_from_slice(&scattered(person).to_be_bytes());
    let mut incoming = Incoming::new(message);
    incoming.sender_name = (!outbound).then(|| format!("客户 {person}"));
    incoming.person = Some(PersonKey::from_bytes(key));
    incoming.historical = at < earlier(end(), days(31));
    Ok(incoming)
}

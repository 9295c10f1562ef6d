//! That every storage finds the same, whichever way Postgres goes about it. The memory storage, which reads everything, is the
//! judge.

use futures_util::FutureExt;
use seatport::conversation::{
    Amendment, AmendmentChange, ContactUpdate, Content, Direction, Message, MessageStatus, SearchQuery,
};
use seatport::memory::MemoryStorage;
use seatport::storage::{ConversationStore, Expect, Identity, Incoming, SessionCommit, Storage};
use seatport::{Address, AgentId, MessageId, Random, SessionId, SessionRecord, Timestamp, TransportName};
use seatport_sqlite::SqliteStorage;
use seatport_testkit::postgres::Cluster;

use super::query::{Effort, USUAL, contacts_with, messages_with};
use crate::PostgresStorage;

const SESSIONS: u64 = 5;

/// Letters of many sorts: some that fold to another or to two, some that combine, some that take several units of UTF-16, some
/// that no text column takes, and some that mean something to a search of another kind.
const LETTERS: &str = "a b c A B C é É e\u{301} ß ẞ ss İ ı i\u{307} Σ σ ς Ǆ ǆ ﬁ \u{212a} \u{212b} å д Д ё م ر ح ح\u{64e} لا ש ก ก็ क्षि 退 款 退款 ， ア 한 𠮷 😀 \
    👩‍💻 \0 \u{1a} %";

struct Sample(Random, Vec<&'static str>);

impl Sample {
    fn below(&self, bound: usize) -> usize {
        usize::try_from(self.0.below(bound as u64)).unwrap()
    }

    /// A text of so many letters at most, of a few words.
    fn text(&self, longest: usize) -> String {
        let mut text = String::new();
        for _ in 0..self.below(longest + 1) {
            // Of a dozen letters, most of the time, so that they meet again.
            let letter = if self.below(3) == 0 { self.below(self.1.len()) } else { 30 + self.below(12) };
            text.push_str(self.1[letter]);
            if self.below(6) == 0 {
                text.push_str([" ", "\n", "\u{3000}"][self.below(3)]);
            }
        }
        text
    }

    /// Something to search for: most of the time a piece of one of these texts, in another letter case perhaps.
    fn query(&self, texts: &[String]) -> SearchQuery {
        let mut text = self.text(3);
        if self.below(5) > 0 {
            let characters: Vec<char> = texts[self.below(texts.len())].chars().collect();
            let start = self.below(characters.len() + 1);
            let end = start + self.below(characters.len() - start + 1).min(1 + self.below(6));
            text = characters[start..end].iter().collect();
        }
        match self.below(4) {
            0 => text = text.to_uppercase(),
            1 => text = text.to_lowercase(),
            _ => (),
        }
        let session = (self.below(3) == 0).then(|| id(self.0.below(SESSIONS + 1)));
        let bound_to = (self.below(4) == 0).then(|| AgentId::new("mei").unwrap());
        SearchQuery { text, session, bound_to }
    }
}

fn id(number: u64) -> SessionId {
    // Their ids are not in the order in which they are added.
    SessionId::from_bytes(u128::from((number * 7 + 3) % 11).to_be_bytes())
}

fn address(text: &str) -> Address {
    Address::new(text).unwrap()
}

fn at(second: usize) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + i64::try_from(second).unwrap() * 1000)
}

fn commit(session: u64) -> SessionCommit {
    SessionCommit::new(id(session), at(0), Expect::Present)
}

/// Commits that bring messages and contacts, change some of them and take some back; and every text there was.
fn history(sample: &Sample) -> (Vec<SessionCommit>, Vec<String>) {
    let (mut commits, mut texts) = (Vec::new(), Vec::new());
    for number in 0..SESSIONS {
        let mut record = SessionRecord::new(id(number), at(0), TransportName::new("simulated").unwrap());
        record.agent = (number % 2 == 0).then(|| AgentId::new("mei").unwrap());
        commits.push(SessionCommit { record: Some(record), expect: Expect::New, ..commit(number) });
    }
    for n in 0..360 {
        let mut text = || {
            texts.push(sample.text(14));
            texts.last().cloned().unwrap()
        };
        let session = sample.0.below(SESSIONS);
        let chat = address(&format!("退{}@net", sample.below(4)));
        let mut commit = commit(session);
        let message = Message {
            chat: chat.clone(),
            id: MessageId::new(n.to_string()).unwrap(),
            direction: Direction::Inbound,
            sender: chat.clone(),
            author: None,
            content: if sample.below(20) == 0 { Content::Undecryptable } else { Content::Text(text()) },
            at: at(sample.below(400)),
            status: MessageStatus::Delivered,
            quoted: None,
        };
        commit.messages.push(Incoming::new(message));
        if sample.below(4) == 0 {
            let change = if sample.below(3) == 0 {
                AmendmentChange::Delete
            } else {
                AmendmentChange::Edit(Content::Text(text()))
            };
            let target = MessageId::new(sample.below(n + 20).to_string()).unwrap();
            let id = MessageId::new(format!("change {n}")).unwrap();
            commit.amendments.push(Amendment {
                chat: chat.clone(),
                target,
                id,
                sender: chat.clone(),
                at: at(n),
                change,
            });
        }
        if sample.below(4) == 0 {
            let who = if sample.below(2) == 0 { chat } else { address(&format!("Ann{}@net", sample.below(40))) };
            let name = (sample.below(2) == 0).then(&mut text);
            let saved_name = (sample.below(2) == 0).then(&mut text);
            commit.contacts.push(ContactUpdate { name, saved_name, ..ContactUpdate::new(who) });
        }
        commits.push(commit);
    }
    for session in 0..SESSIONS {
        let identity = Identity { address: address("退0@net"), canonical: address("退1@net"), persons: None };
        commits.push(SessionCommit { identities: vec![identity], ..commit(session) });
    }
    (commits, texts)
}

/// Other ways to go about a search than the usual one, in which a few hundred texts are not many: by every step of it.
const EFFORTS: [Effort; 4] = [
    Effort { first_window: 2, farthest: 1_000, candidates: 1_000 },
    Effort { first_window: 1, farthest: 1, candidates: 1_000 },
    Effort { first_window: 1, farthest: 1, candidates: 0 },
    Effort { first_window: 3, farthest: 20, candidates: 5 },
];

#[tokio::test]
async fn whichever_way_it_is_searched_the_same_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStorage::open(directory.path().join("seatport.db")).await.unwrap();
    let cluster = Cluster::shared();
    let options = PostgresStorage::options().schema(cluster.fresh_schema()).connections(2);
    let postgres = options.open(&cluster.url()).await.unwrap();
    let memory = MemoryStorage::new();
    let sample = Sample(Random::seeded(8), LETTERS.split(' ').collect());
    let (commits, texts) = history(&sample);
    for commit in commits {
        for storage in [&memory as &dyn Storage, &sqlite, &postgres] {
            storage.commit(commit.clone()).await.unwrap();
        }
    }

    let mut found = 0;
    for _ in 0..300 {
        let query = sample.query(&texts);
        let limit = [1, 3, 20, 1_000][sample.below(4)];
        let efforts = [USUAL, EFFORTS[sample.below(EFFORTS.len())]];
        found += check_messages(&memory, &sqlite, &postgres, &query, limit, efforts).await;
        found += check_contacts(&memory, &sqlite, &postgres, &query, limit, efforts).await;
    }
    assert!(found > 2_000, "only {found} hits were compared");
    postgres.close().await.unwrap();
}

/// Checks the first pages of an answer; answers how many hits they had.
async fn check_messages(
    memory: &MemoryStorage,
    sqlite: &SqliteStorage,
    postgres: &PostgresStorage,
    query: &SearchQuery,
    limit: u32,
    efforts: [Effort; 2],
) -> usize {
    let (mut after, mut found) = (None, 0);
    for _ in 0..3 {
        let expected = memory.search_messages(query, after, limit).await.unwrap();
        let of_sqlite = sqlite.search_messages(query, after, limit).await.unwrap();
        assert_eq!(of_sqlite, expected, "SQLite, {query:?} after {after:?}, {limit}");
        for effort in efforts {
            let search = postgres.read((query, after, limit, effort), |on, (query, after, limit, effort)| {
                messages_with(on, query, *after, *limit, *effort).boxed()
            });
            assert_eq!(search.await.unwrap(), expected, "{effort:?}, {query:?} after {after:?}, {limit}");
        }
        found += expected.len();
        let Some(last) = expected.last() else { break };
        after = Some((last.session, last.message.seq));
    }
    found
}

async fn check_contacts(
    memory: &MemoryStorage,
    sqlite: &SqliteStorage,
    postgres: &PostgresStorage,
    query: &SearchQuery,
    limit: u32,
    efforts: [Effort; 2],
) -> usize {
    let (mut after, mut found) = (None, 0);
    for _ in 0..3 {
        let expected = memory.search_contacts(query, after.as_ref(), limit).await.unwrap();
        let of_sqlite = sqlite.search_contacts(query, after.as_ref(), limit).await.unwrap();
        assert_eq!(of_sqlite, expected, "SQLite, {query:?} after {after:?}, {limit}");
        for effort in efforts {
            let search = postgres.read((query, after.as_ref(), limit, effort), |on, (query, after, limit, effort)| {
                contacts_with(on, query, *after, *limit, *effort).boxed()
            });
            assert_eq!(search.await.unwrap(), expected, "{effort:?}, {query:?} after {after:?}, {limit}");
        }
        found += expected.len();
        let Some(last) = expected.into_iter().next_back() else { break };
        after = Some((last.session, last.contact.address));
    }
    found
}

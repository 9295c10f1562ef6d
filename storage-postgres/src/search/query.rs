//! Asking the indexes: first along the texts in the order of the answer, then by the index, see [the module](super).

use seatport::conversation::{ContactHit, MessageHit, SearchQuery};
use seatport::storage::grams::Words;
use seatport::{Address, SessionId};
use tokio_postgres::types::ToSql;

use super::index::{OF_SESSION, wanted};
use super::kind::{Contacts, Kind, Messages};
use crate::codes::Id;
use crate::error::Failure;
use crate::sql::{Connection, all, first, integer};

/// How far a search goes one way before it goes another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// How many texts are read along at first.
    pub(super) first_window: i64,
    /// How many texts are read along at most.
    pub(super) farthest: i64,
    /// How many candidates the index may name at once.
    pub(super) candidates: i64,
}

/// As it is outside of tests.
pub(super) const USUAL: Effort = Effort { first_window: 1_000, farthest: 20_000, candidates: 10_000 };

/// How many more rows than hits that are missing are read at once: not every candidate is a hit.
const SPARE: usize = 8;

/// Messages, those of the sessions added last first, and in a session by place, the newest first.
pub(crate) async fn messages(
    on: &Connection,
    query: &SearchQuery,
    after: Option<(SessionId, u64)>,
    limit: u32,
) -> Result<Vec<MessageHit>, Failure> {
    messages_with(on, query, after, limit, USUAL).await
}

pub(super) async fn messages_with(
    on: &Connection,
    query: &SearchQuery,
    after: Option<(SessionId, u64)>,
    limit: u32,
    effort: Effort,
) -> Result<Vec<MessageHit>, Failure> {
    let after = after.map(|(session, place)| (session, integer(place)));
    search::<Messages>(on, query, after, limit, effort).await
}

/// Contacts, those of the sessions added last first, and in a session by address.
pub(crate) async fn contacts(
    on: &Connection,
    query: &SearchQuery,
    after: Option<&(SessionId, Address)>,
    limit: u32,
) -> Result<Vec<ContactHit>, Failure> {
    contacts_with(on, query, after, limit, USUAL).await
}

pub(super) async fn contacts_with(
    on: &Connection,
    query: &SearchQuery,
    after: Option<&(SessionId, Address)>,
    limit: u32,
    effort: Effort,
) -> Result<Vec<ContactHit>, Failure> {
    let after = after.map(|(session, address)| (*session, address.as_str().to_owned()));
    search::<Contacts>(on, query, after, limit, effort).await
}

async fn search<K: Kind>(
    on: &Connection,
    query: &SearchQuery,
    after: Option<(SessionId, K::Place)>,
    limit: u32,
    effort: Effort,
) -> Result<Vec<K::Hit>, Failure> {
    let words = Words::of(query);
    let edge = match after {
        None => Edge { session: i64::MAX, place: K::start() },
        Some((session, place)) => match key(on, session).await? {
            Some(session) => Edge { session, place },
            None => return Ok(Vec::new()),
        },
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if words.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let wanted = wanted(&words);
    let scope = Scope::of(query);
    let mut search = Search::<K> { on, words, wanted, scope, effort, edge, limit, hits: Vec::new() };
    let done = search.along().await? || search.scope.is_everything() && search.all_at_once().await?;
    if !done {
        search.by_session().await?;
    }
    Ok(search.hits)
}

/// The key of a session's row.
async fn key(on: &Connection, session: SessionId) -> Result<Option<i64>, Failure> {
    first(on, "SELECT key FROM session WHERE id = $1", &[&Id(session)], |row| Ok(row.try_get(0)?)).await
}

/// In which sessions to look.
struct Scope {
    session: Option<Id<SessionId>>,
    agent: Option<String>,
}

impl Scope {
    fn of(query: &SearchQuery) -> Self {
        let agent = query.bound_to.as_ref().map(|agent| agent.as_str().to_owned());
        Self { session: query.session.map(Id), agent }
    }

    fn is_everything(&self) -> bool {
        self.session.is_none() && self.agent.is_none()
    }

    /// The condition on a session `s`, with the session as the first parameter and the agent as the second one, whether or not
    /// there are any.
    fn condition(&self) -> &'static str {
        match (self.session.is_some(), self.agent.is_some()) {
            (false, false) => "$1::uuid IS NULL AND $2::text IS NULL",
            (true, false) => "s.id = $1::uuid AND $2::text IS NULL",
            (false, true) => "$1::uuid IS NULL AND s.agent = $2::text",
            (true, true) => "s.id = $1::uuid AND s.agent = $2::text",
        }
    }
}

/// A place in the order of the answer, by the key of the session.
#[derive(Clone)]
struct Edge<P> {
    session: i64,
    place: P,
}

/// A search under way.
struct Search<'a, K: Kind> {
    on: &'a Connection,
    words: Words,
    wanted: Vec<i32>,
    scope: Scope,
    effort: Effort,
    /// What is up to here has been looked at.
    edge: Edge<K::Place>,
    limit: usize,
    hits: Vec<K::Hit>,
}

impl<K: Kind> Search<'_, K> {
    fn missing(&self) -> usize {
        self.limit - self.hits.len()
    }

    /// Reads along the texts, as long as the hits come often enough; answers whether that was all.
    async fn along(&mut self) -> Result<bool, Failure> {
        let sql = along_sql::<K>(&self.scope);
        let (mut window, mut read) = (self.effort.first_window, 0);
        loop {
            let Edge { session, place } = self.edge.clone();
            let values: [&(dyn ToSql + Sync); 6] =
                [&self.scope.session, &self.scope.agent, &session, &place, &self.wanted, &window];
            let texts = all(self.on, &sql, &values, |row| {
                let edge = Edge { session: row.try_get(0)?, place: row.try_get(1)? };
                Ok((edge, row.try_get(2)?, row.try_get(3)?))
            });
            let texts: Vec<(Edge<K::Place>, bool, i64)> = texts.await?;
            let next = texts.last().filter(|(_, _, number)| *number == window).map(|(edge, ..)| edge.clone());
            let candidates = texts.into_iter().filter(|(_, fits, _)| *fits).map(|(edge, ..)| edge);
            if self.take(candidates.collect()).await? {
                return Ok(true);
            }
            let Some(next) = next else { return Ok(true) };
            self.edge = next;
            read += window;
            // As many as it takes at this rate, and some more.
            let (missing, found) = (self.missing() as u128, self.hits.len() as u128);
            let Some(enough) = (missing * u128::from(read.unsigned_abs()) * 3 / 2).checked_div(found) else {
                return Ok(false);
            };
            window = i64::try_from(enough).unwrap_or(i64::MAX).max(self.effort.first_window);
            if window > self.effort.farthest - read {
                return Ok(false);
            }
        }
    }

    /// Asks the index for all candidates in all sessions; answers whether it could name them.
    async fn all_at_once(&mut self) -> Result<bool, Failure> {
        let (sql, most) = (all_at_once_sql::<K>(), self.effort.candidates + 1);
        let Edge { session, place } = self.edge.clone();
        let values: [&(dyn ToSql + Sync); 4] = [&self.wanted, &session, &place, &most];
        let mut candidates = self.candidates(&sql, &values).await?;
        if candidates.len() as u64 >= most.unsigned_abs() {
            return Ok(false);
        }
        candidates.sort_unstable_by(|one, other| {
            let places = one.place.cmp(&other.place);
            other.session.cmp(&one.session).then(if K::FALLS { places.reverse() } else { places })
        });
        self.take(candidates).await?;
        Ok(true)
    }

    /// Asks the index for the candidates of each session, until there are enough hits.
    async fn by_session(&mut self) -> Result<(), Failure> {
        let sql = by_session_sql::<K>(&self.scope);
        let mut most = self.missing().saturating_add(SPARE);
        loop {
            let limit = i64::try_from(most).unwrap_or(i64::MAX).min(self.effort.candidates.max(1));
            let Edge { session, place } = self.edge.clone();
            let values: [&(dyn ToSql + Sync); 6] =
                [&self.scope.session, &self.scope.agent, &session, &place, &self.wanted, &limit];
            let candidates = self.candidates(&sql, &values).await?;
            let last = candidates.last().filter(|_| candidates.len() as u64 == limit.unsigned_abs()).cloned();
            if self.take(candidates).await? {
                return Ok(());
            }
            let Some(last) = last else { return Ok(()) };
            self.edge = last;
            most = most.saturating_mul(4);
        }
    }

    async fn candidates(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Edge<K::Place>>, Failure> {
        all(self.on, sql, values, |row| Ok(Edge { session: row.try_get(0)?, place: row.try_get(1)? })).await
    }

    /// Reads these candidates, compares them with the words, and keeps the hits; answers whether there are enough.
    async fn take(&mut self, candidates: Vec<Edge<K::Place>>) -> Result<bool, Failure> {
        let mut rest = candidates.as_slice();
        let mut more = SPARE;
        while self.missing() > 0 && !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(self.missing().saturating_add(more)));
            let sessions: Vec<i64> = now.iter().map(|edge| edge.session).collect();
            let places: Vec<K::Place> = now.iter().map(|edge| edge.place.clone()).collect();
            let found = all(self.on, &K::rows(), &[&sessions, &places], K::hit).await?;
            let hits = found.into_iter().filter(|hit| self.words.are_in(&K::text(hit))).take(self.missing());
            let hits: Vec<_> = hits.collect();
            self.hits.extend(hits);
            (rest, more) = (later, more * 4);
        }
        Ok(self.missing() == 0)
    }
}

/// The part of a statement that goes through the sessions in their order, with what `texts` says of each of them: of the
/// session `s`, from the third and fourth parameter on, as many as the sixth one says.
fn through_sessions<K: Kind>(scope: &Scope, columns: &str, condition: &str) -> String {
    let (table, column) = K::TEXTS;
    let (way, sign) = if K::FALLS { ("DESC", "<") } else { ("ASC", ">") };
    let (start, scope) = (K::START, scope.condition());
    format!(
        "FROM session AS s CROSS JOIN LATERAL (
             SELECT x.{column} AS place{columns} FROM {table} AS x
             WHERE {condition} AND x.{column} {sign} CASE WHEN s.key = $3 THEN $4 ELSE {start} END
             ORDER BY x.{column} {way} LIMIT $6
         ) AS t
         WHERE {scope} AND s.key <= $3 ORDER BY s.key DESC, t.place {way} LIMIT $6"
    )
}

/// Session, place, whether it has the grams of the fifth parameter, and its number: of those that have them, and of the last one.
fn along_sql<K: Kind>(scope: &Scope) -> String {
    let texts = through_sessions::<K>(scope, ", x.grams @> $5::integer[] AS fits", "x.session = s.key");
    format!(
        "SELECT * FROM (
             SELECT key, place, fits, row_number() OVER () AS number FROM (SELECT s.key, t.place, t.fits {texts}) AS texts
         ) AS numbered
         WHERE fits OR number = $6 ORDER BY number"
    )
}

/// Session and place of those that have the grams of the fifth parameter.
fn by_session_sql<K: Kind>(scope: &Scope) -> String {
    // Where nothing but the grams is compared by itself, there is only one index to go by.
    let texts = through_sessions::<K>(
        scope,
        "",
        &format!("x.grams @> ($5::integer[] || {OF_SESSION}) AND x.session + 0 = s.key"),
    );
    format!("SELECT s.key, t.place {texts}")
}

/// Session and place of those in any session that have the grams of the first parameter, in no order.
fn all_at_once_sql<K: Kind>() -> String {
    let (table, column) = K::TEXTS;
    let sign = if K::FALLS { "<" } else { ">" };
    format!(
        "SELECT x.session, x.{column} FROM {table} AS x
         WHERE x.grams @> $1::integer[] AND (x.session + 0 < $2 OR x.session + 0 = $2 AND x.{column} {sign} $3) LIMIT $4"
    )
}

//! Keyset paging: the SQL that reads one part of an ordered list.

use seatport::storage::{Edge, Page};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::error::Failure;
use crate::sql::{Connection, all};

/// An ordered list in SQL.
#[derive(Debug)]
pub(crate) struct List<'a> {
    /// `SELECT … WHERE …`: all of it, in no order.
    pub(crate) select: &'a str,
    /// What the order goes by: columns that have an index together.
    pub(crate) by: &'a [&'a str],
    /// Whether it begins with the largest.
    pub(crate) descending: bool,
}

impl List<'_> {
    /// The part that a page asks for. `values` are the parameters of `select`; `edge` gives the values of `by` at a place in the
    /// list. Both are followed by the limit.
    pub(crate) async fn part<'v, K, T>(
        &self,
        on: &Connection,
        page: &'v Page<K>,
        mut values: Vec<&'v (dyn ToSql + Sync)>,
        edge: impl FnOnce(&'v K) -> Vec<&'v (dyn ToSql + Sync)>,
        read: impl FnMut(&Row) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Failure> {
        let (place, backwards) = match &page.edge {
            Edge::First => (None, false),
            Edge::After(place) => (Some(place), false),
            Edge::Before(place) => (Some(place), true),
            Edge::Last => (None, true),
        };
        let falls = self.descending != backwards;
        let mut sql = self.select.to_owned();
        if let Some(place) = place {
            let sign = if falls { "<" } else { ">" };
            let numbers: Vec<_> = (values.len() + 1..).take(self.by.len()).map(|number| format!("${number}")).collect();
            sql.push_str(&format!(" AND ({}) {sign} ({})", self.by.join(", "), numbers.join(", ")));
            values.extend(edge(place));
        }
        let way = if falls { " DESC" } else { "" };
        let order: Vec<_> = self.by.iter().map(|column| format!("{column}{way}")).collect();
        let limit = i64::from(page.limit);
        values.push(&limit);
        sql.push_str(&format!(" ORDER BY {} LIMIT ${}", order.join(", "), values.len()));

        let mut part = all(on, &sql, &values, read).await?;
        if backwards {
            part.reverse();
        }
        Ok(part)
    }
}

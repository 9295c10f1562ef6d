//! Keyset paging: the SQL that reads one part of an ordered list.

use rusqlite::{Connection, Row, ToSql};
use seatport::storage::{Edge, Page};

use crate::sql::all;

/// An ordered list in SQL.
pub(crate) struct List<'a> {
    /// `SELECT … WHERE …`: all of it, in no order.
    pub(crate) select: &'a str,
    /// What the order goes by: columns that have an index together.
    pub(crate) by: &'a [&'a str],
    /// The parameters that hold an edge's values of those.
    pub(crate) edge: &'a [&'a str],
    /// Whether it begins with the largest.
    pub(crate) descending: bool,
}

impl List<'_> {
    /// The part that a page asks for. `values` are the parameters of `select`; `edge` gives those of a place in the list.
    pub(crate) fn part<'v, K, T>(
        &self,
        connection: &Connection,
        page: &'v Page<K>,
        values: Vec<(&'v str, &'v dyn ToSql)>,
        edge: impl FnOnce(&'v K) -> Vec<&'v dyn ToSql>,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let mut values: Vec<(&str, &dyn ToSql)> = values;
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
            sql.push_str(&format!(" AND ({}) {sign} ({})", self.by.join(", "), self.edge.join(", ")));
            values.extend(self.edge.iter().copied().zip(edge(place)));
        }
        let way = if falls { " DESC" } else { "" };
        let order: Vec<_> = self.by.iter().map(|column| format!("{column}{way}")).collect();
        sql.push_str(&format!(" ORDER BY {} LIMIT :limit", order.join(", ")));
        values.push((":limit", &page.limit));

        let mut part = all(connection, &sql, values.as_slice(), read)?;
        if backwards {
            part.reverse();
        }
        Ok(part)
    }
}

//! Recording: triggers note what is written, and transactions are made of the notes.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio_postgres::{Client, NoTls};

use super::columns::Table;
use super::replay::{self, Lane};

/// Watches a schema while somebody writes to it.
#[derive(Debug)]
pub struct Recorder {
    schema: String,
    client: Client,
}

/// What somebody wrote.
#[derive(Debug)]
pub struct Recording {
    schema: String,
    tables: Vec<Table>,
    /// The transactions of each connection, in their order.
    lanes: Vec<Vec<Transaction>>,
    /// How many rows they leave behind, a row counted once for each transaction that wrote it.
    pub rows: usize,
    /// How many messages each transaction holds.
    pub messages: Vec<usize>,
}

/// What one transaction left behind.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    pub(super) writes: Vec<Write>,
    /// How many transactions of each other connection have to be there before.
    pub(super) after: BTreeMap<usize, usize>,
}

/// Rows of one table that one statement writes.
#[derive(Debug)]
pub(super) struct Write {
    /// Which table.
    pub(super) table: usize,
    pub(super) kind: Kind,
    /// The rows, each with the values of all columns.
    pub(super) rows: Vec<Vec<Value>>,
}

/// What is done with the rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Delete,
    Insert,
    /// These columns are set.
    Update(Vec<usize>),
}

/// Connects, and lets the connection run in the background.
pub(super) async fn connect(url: &str, schema: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    // As `seatport-postgres` sets its own: plans for tables that grow.
    let settings = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off;
        SET enable_mergejoin = off; SET jit = off";
    client.batch_execute(&format!("SET search_path = \"{schema}\"; {settings}")).await?;
    Ok(client)
}

impl Recorder {
    /// Has the tables of a schema note every row that is written from now on. Nobody writes at this moment.
    ///
    /// # Errors
    /// Those of Postgres.
    pub async fn begin(url: &str, schema: &str) -> Result<Self> {
        let client = connect(url, schema).await?;
        client
            .batch_execute(
                "CREATE UNLOGGED TABLE bench_note (
                     number bigserial, txid text, pid int, of name, before jsonb, after jsonb
                 );
                 CREATE FUNCTION bench_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     EXECUTE format('INSERT INTO %I.bench_note (txid, pid, of, before, after) VALUES ($1, $2, $3, $4, $5)',
                                    TG_TABLE_SCHEMA)
                     USING pg_current_xact_id()::text, pg_backend_pid(), TG_TABLE_NAME,
                           CASE TG_OP WHEN 'INSERT' THEN NULL ELSE to_jsonb(OLD) END,
                           CASE TG_OP WHEN 'DELETE' THEN NULL ELSE to_jsonb(NEW) END;
                     RETURN NULL;
                 END $$;",
            )
            .await?;
        for table in watched(&client, schema).await? {
            let sql = format!(
                "CREATE TRIGGER bench_note AFTER INSERT OR UPDATE OR DELETE ON \"{}\"
                 FOR EACH ROW EXECUTE FUNCTION bench_note()",
                table.name
            );
            client.batch_execute(&sql).await?;
        }
        Ok(Self { schema: schema.to_owned(), client })
    }

    /// Ends, and makes transactions of what was noted.
    ///
    /// # Errors
    /// Those of Postgres.
    pub async fn end(self) -> Result<Recording> {
        let tables = watched(&self.client, &self.schema).await?;
        let places: HashMap<&str, usize> =
            tables.iter().enumerate().map(|(place, table)| (table.name.as_str(), place)).collect();
        let sql = "SELECT txid, pid, of::text, before::text, after::text FROM bench_note ORDER BY number";
        let mut noted = Noted::default();
        for row in self.client.query(sql, &[]).await? {
            let place = places.get(row.get::<_, &str>(2)).copied().context("a note of an unknown table")?;
            let json = |column: usize| -> Result<Option<Vec<Value>>> {
                let text: Option<&str> = row.get(column);
                let value: Option<Value> = text.map(serde_json::from_str).transpose()?;
                Ok(value.map(|value| tables[place].row(&value)))
            };
            noted.add(row.get(0), row.get(1), &tables, place, json(3)?, json(4)?);
        }
        noted.into_recording(self.schema, tables)
    }
}

/// All tables but those that tell of processes and their doings.
async fn watched(client: &Client, schema: &str) -> Result<Vec<Table>> {
    let tables = Table::all(client, schema).await?;
    let ours =
        |table: &Table| !["bench_note", "landed", "leftover", "node", "port_queue"].contains(&table.name.as_str());
    Ok(tables.into_iter().filter(ours).collect())
}

/// Names a row: its table, and its key as JSON.
type Place = (usize, String);

/// The notes, gathered by transaction.
#[derive(Debug, Default)]
struct Noted {
    /// In the order of their first notes.
    transactions: Vec<Gathered>,
    by_txid: HashMap<String, usize>,
}

#[derive(Debug)]
struct Gathered {
    pid: i32,
    /// What each row was before the first write and is after the last one.
    rows: BTreeMap<Place, (State, State)>,
}

/// The values of a row; none if it is not there.
type State = Option<Vec<Value>>;

impl Noted {
    fn add(
        &mut self,
        txid: &str,
        pid: i32,
        tables: &[Table],
        table: usize,
        before: Option<Vec<Value>>,
        after: Option<Vec<Value>>,
    ) {
        let next = self.transactions.len();
        let transaction = *self.by_txid.entry(txid.to_owned()).or_insert(next);
        if transaction == next {
            self.transactions.push(Gathered { pid, rows: BTreeMap::new() });
        }
        let Some(row) = after.as_ref().or(before.as_ref()) else { return };
        let key: Vec<_> = tables[table].key.iter().map(|column| &row[*column]).collect();
        let place = (table, Value::from_iter(key.into_iter().cloned()).to_string());
        let (_, last) = self.transactions[transaction].rows.entry(place).or_insert((before, None));
        *last = after;
    }

    fn into_recording(self, schema: String, tables: Vec<Table>) -> Result<Recording> {
        let message = tables.iter().position(|table| table.name == "message").context("no table of messages")?;
        let mut pids = Vec::new();
        let mut recording = Recording { schema, tables, lanes: Vec::new(), rows: 0, messages: Vec::new() };
        // Who wrote a row last: on which connection, and as which transaction there.
        let mut last: HashMap<Place, (usize, usize)> = HashMap::new();
        for gathered in self.transactions {
            let lane = pids.iter().position(|pid| *pid == gathered.pid).unwrap_or_else(|| {
                pids.push(gathered.pid);
                recording.lanes.push(Vec::new());
                pids.len() - 1
            });
            let number = recording.lanes[lane].len() + 1;
            let mut transaction = Transaction::default();
            let mut writes: BTreeMap<(usize, Kind), Vec<Vec<Value>>> = BTreeMap::new();
            for (place, (before, after)) in gathered.rows {
                let kind = match (&before, &after) {
                    (None, None) => continue,
                    (None, Some(_)) => Kind::Insert,
                    (Some(_), None) => Kind::Delete,
                    (Some(before), Some(after)) if before == after => continue,
                    (Some(before), Some(after)) => {
                        Kind::Update((0..after.len()).filter(|column| before[*column] != after[*column]).collect())
                    }
                };
                writes.entry((place.0, kind)).or_default().extend(after.or(before));
                if let Some((other, needed)) = last.insert(place, (lane, number))
                    && other != lane
                {
                    let after = transaction.after.entry(other).or_default();
                    *after = (*after).max(needed);
                }
            }
            let messages = writes.get(&(message, Kind::Insert)).map_or(0, Vec::len);
            transaction.writes = writes.into_iter().map(|((table, kind), rows)| Write { table, kind, rows }).collect();
            if !transaction.writes.is_empty() {
                recording.rows += transaction.writes.iter().map(|write| write.rows.len()).sum::<usize>();
                recording.messages.push(messages);
            }
            // An empty one keeps its number.
            recording.lanes[lane].push(transaction);
        }
        Ok(recording)
    }
}

impl Recording {
    /// How many transactions there are.
    #[must_use]
    pub fn transactions(&self) -> usize {
        self.messages.len()
    }

    /// On how many connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.lanes.len()
    }

    /// Writes all of it to a schema in the state before the recording, by bare tokio-postgres; answers how long that took.
    ///
    /// # Errors
    /// Those of Postgres, or a row was not there.
    pub async fn replay(&self, url: &str, schema: &str) -> Result<Duration> {
        let mut lanes = Vec::with_capacity(self.lanes.len());
        for transactions in &self.lanes {
            lanes.push(Lane::prepare(connect(url, schema).await?, &self.tables, transactions).await?);
        }
        replay::run(lanes).await
    }

    /// Checks that a database to which it was written holds what ours holds: all but sessions and events, which tell of how ours
    /// was opened as well.
    ///
    /// # Errors
    /// It does not.
    pub async fn verify(&self, ours: &str, replayed: &str) -> Result<()> {
        let (ours, replayed) = (connect(ours, &self.schema).await?, connect(replayed, &self.schema).await?);
        for table in self.tables.iter().filter(|table| !["session", "event"].contains(&table.name.as_str())) {
            let name = &table.name;
            let sql = format!("SELECT count(*), sum(hashtextextended(t::text, 0))::text FROM \"{name}\" t");
            let (one, other) = (ours.query_one(&sql, &[]).await?, replayed.query_one(&sql, &[]).await?);
            let of = |row: &tokio_postgres::Row| (row.get::<_, i64>(0), row.get::<_, Option<String>>(1));
            ensure!(of(&one) == of(&other), "the bare loop left another {name}: {:?}, {:?}", of(&one), of(&other));
        }
        Ok(())
    }
}

//! The raw limit: a loop of bare tokio-postgres.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::sync::watch;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use super::columns::Table;
use super::recording::{Kind, Transaction, Write};

/// One connection and what it writes, prepared: statements are parsed, values are in their arrays.
pub(super) struct Lane {
    client: Client,
    transactions: Vec<Prepared>,
}

struct Prepared {
    after: BTreeMap<usize, usize>,
    writes: Vec<Ready>,
}

struct Ready {
    statement: Statement,
    values: Vec<Box<dyn ToSql + Sync + Send>>,
    rows: u64,
}

impl Lane {
    pub(super) async fn prepare(client: Client, tables: &[Table], transactions: &[Transaction]) -> Result<Self> {
        let mut known: HashMap<(usize, Kind), Statement> = HashMap::new();
        let mut prepared = Vec::with_capacity(transactions.len());
        for Transaction { writes, after } in transactions {
            let mut ready = Vec::with_capacity(writes.len());
            for write in writes {
                let table = &tables[write.table];
                let place = (write.table, write.kind.clone());
                let statement = match known.get(&place) {
                    Some(statement) => statement.clone(),
                    None => {
                        let statement = client.prepare(&sql(table, &write.kind)).await?;
                        known.insert(place, statement.clone());
                        statement
                    }
                };
                ready.push(Ready { statement, values: values(table, write)?, rows: write.rows.len() as u64 });
            }
            prepared.push(Prepared { after: after.clone(), writes: ready });
        }
        Ok(Self { client, transactions: prepared })
    }

    /// Writes everything, and says after each transaction how many are done.
    async fn run(self, done: watch::Sender<usize>, others: Vec<watch::Receiver<usize>>) -> Result<()> {
        let (begin, commit) = (self.client.prepare("BEGIN").await?, self.client.prepare("COMMIT").await?);
        for (number, transaction) in (1..).zip(&self.transactions) {
            for (other, needed) in &transaction.after {
                others[*other].clone().wait_for(|done| done >= needed).await.context("another connection gave up")?;
            }
            if !transaction.writes.is_empty() {
                let writes = transaction.writes.iter().map(|write| async {
                    let values: Vec<&(dyn ToSql + Sync)> = write.values.iter().map(|value| &**value as _).collect();
                    let written = self.client.execute(&write.statement, &values).await?;
                    ensure!(written == write.rows, "{written} of {} rows were written", write.rows);
                    Ok(())
                });
                // Polled in this order, and so sent in it, in one pipeline.
                let (began, written, committed) = futures_util::future::join3(
                    self.client.execute(&begin, &[]),
                    futures_util::future::join_all(writes),
                    self.client.execute(&commit, &[]),
                )
                .await;
                began?;
                written.into_iter().collect::<Result<()>>()?;
                committed?;
            }
            done.send_replace(number);
        }
        Ok(())
    }
}

/// Runs all lanes side by side; answers how long that took.
pub(super) async fn run(lanes: Vec<Lane>) -> Result<Duration> {
    let progress: Vec<_> = lanes.iter().map(|_| watch::channel(0)).collect();
    let receivers: Vec<_> = progress.iter().map(|(_, receiver)| receiver.clone()).collect();
    let started = Instant::now();
    let running: Vec<_> = lanes
        .into_iter()
        .zip(progress)
        .map(|(lane, (done, _))| tokio::spawn(lane.run(done, receivers.clone())))
        .collect();
    for lane in running {
        lane.await??;
    }
    Ok(started.elapsed())
}

/// The statement that writes rows of a table so.
fn sql(table: &Table, kind: &Kind) -> String {
    let sent = sent(table, kind);
    let unnested = (1..).zip(&sent).map(|(number, column)| table.columns[*column].parameter(number));
    let unnested = unnested.collect::<Vec<_>>().join(", ");
    let quoted = |column: &usize| format!("\"{}\"", table.columns[*column].name);
    let names = sent.iter().map(quoted).collect::<Vec<_>>().join(", ");
    let rows = format!("UNNEST({unnested}) AS u({names})");
    let is_key = table.key.iter().map(|column| format!("t.{} = {}", quoted(column), table.columns[*column].cast()));
    let is_key = is_key.collect::<Vec<_>>().join(" AND ");
    let name = &table.name;
    match kind {
        Kind::Insert => {
            let values = sent.iter().map(|column| table.columns[*column].cast()).collect::<Vec<_>>().join(", ");
            format!("INSERT INTO \"{name}\" ({names}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {rows}")
        }
        Kind::Delete => format!("DELETE FROM \"{name}\" t USING {rows} WHERE {is_key}"),
        Kind::Update(columns) => {
            let set = columns.iter().map(|column| format!("{} = {}", quoted(column), table.columns[*column].cast()));
            let set = set.collect::<Vec<_>>().join(", ");
            format!("UPDATE \"{name}\" t SET {set} FROM {rows} WHERE {is_key}")
        }
    }
}

/// The columns that are sent: of an update its key and what is set.
fn sent(table: &Table, kind: &Kind) -> Vec<usize> {
    match kind {
        Kind::Insert => (0..table.columns.len()).collect(),
        Kind::Delete => table.key.clone(),
        Kind::Update(columns) => {
            let new = columns.iter().copied().filter(|column| !table.key.contains(column));
            table.key.iter().copied().chain(new).collect()
        }
    }
}

fn values(table: &Table, write: &Write) -> Result<Vec<Box<dyn ToSql + Sync + Send>>> {
    let array = |column: &usize| {
        let values = write.rows.iter().map(|row| &row[*column]).collect();
        table.columns[*column].array(values)
    };
    sent(table, &write.kind).iter().map(array).collect()
}

//! What ours wrote to Postgres, so that a bare loop of tokio-postgres can write the same.
//!
//! The same idea as for SQLite, see [`recording`](crate::recording): triggers note each row that is written, with the
//! transaction and the connection that wrote it. From the notes the bare loop knows for each transaction which rows it left
//! behind; it writes each of them once, all rows of a table in one statement, all statements of a transaction in one pipeline,
//! on as many connections as ours used, and reads nothing.

mod columns;
mod ingest;
mod recording;
mod replay;
mod server;

pub use ingest::{Bare, Ingest};
pub use recording::{Recorder, Recording};
pub use server::{SCHEMA, Server};

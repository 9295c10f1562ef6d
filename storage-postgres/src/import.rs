//! What a program needs that fills a schema with the rows of another storage, as `seatport-migrate` does. Nobody else does: what
//! the columns mean is written down in `migrations/`, and may change with any version.
//!
//! As long as there is a table `moving_in` in a schema, no storage opens it.

use seatport::conversation::{Contact, Content};
use seatport::storage::StorageError;
use tokio_postgres::Client;

use crate::connect::Target;
use crate::error::Failure;
use crate::options::PostgresOptions;
use crate::search::index::of_text;

pub use crate::codes::{escaped, unescaped};

/// A connection to the schema, with the TLS that the URL asks for: names without a schema are of this one, which need not be there
/// yet. Must be called inside a tokio runtime, which drives the connection until it is dropped.
///
/// # Errors
/// Those of [`PostgresStorage::open`](crate::PostgresStorage::open) that are about reaching the database.
pub async fn connect(url: &str, options: &PostgresOptions) -> Result<Client, StorageError> {
    let target = Target::read(url, options)?;
    let target = target.with_settings(&[("search_path", format!("\"{}\"", options.schema))]);
    let connected = target.connect().await;
    let (client, driver) = connected.map_err(|failure: Failure| failure.into_error(&target))?;
    tokio::spawn(async move {
        if let Err(error) = driver.await {
            tracing::debug!(%error, "a connection to PostgreSQL ended");
        }
    });
    Ok(client)
}

/// What the column `grams` of `message_text` holds for a message of the session with this key. Without any, there is no row.
#[must_use]
pub fn message_grams(session: i64, content: &Content) -> Vec<i32> {
    content.searchable().map(|text| of_text(session, &text)).unwrap_or_default()
}

/// What the column `grams` of `contact_text` holds for a contact of the session with this key. Without any, there is no row.
#[must_use]
pub fn contact_grams(session: i64, contact: &Contact) -> Vec<i32> {
    of_text(session, &contact.searchable())
}

//! What every storage promises, on Postgres.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

mod backend;

use seatport_testkit::storage_suite;

storage_suite!(backend::Postgres::new(2));

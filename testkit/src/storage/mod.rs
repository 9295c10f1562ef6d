//! The storage suite: named cases that state what [`Storage`](seatport::storage::Storage) promises, run against any backend.
//!
//! A backend's test file is two lines beside its [`Backend`]:
//!
//! ```
//! seatport_testkit::storage_suite!(seatport_testkit::storage::Memory::default());
//! ```
//!
//! Every case becomes a `#[test]` of its own. [`Intercepted`] puts a layer around a storage that sees every call: with
//! [`Faults`] it delays, fails and crashes on purpose.

mod backend;
mod call;
mod cases;
mod faults;
mod intercepted;
mod list;
mod sample;
mod snapshot;
mod suite;

pub use backend::{Backend, Memory};
pub use call::{Answer, Call};
pub use faults::{Fault, Faults, Faulty, Odds};
pub use intercepted::{Intercept, Intercepted};
pub use sample::text_from;
pub use suite::{CASES, Case, Report, Verdict, case, run_all};

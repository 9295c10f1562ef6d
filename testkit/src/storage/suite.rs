//! The cases by name, and what runs them.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use super::Backend;
use super::cases::{
    agent, amendment, audit, changes, chat, close, commit, concurrent, consumer, contact, contact_search, conversation,
    delete, event, history, identity, lead, lease, ledger, message_search, notices, port, port_queue, search, sending,
    session, status, trim, unread, vault,
};

type Running<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// One promise of a storage, as something that can be run.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its name, `concept::what_is_promised`.
    pub name: &'static str,
    run: for<'a> fn(&'a mut dyn Backend) -> Running<'a>,
}

impl Case {
    /// Runs the case on a fresh database.
    ///
    /// # Panics
    /// When the storage does not keep the promise.
    pub fn run(&self, mut backend: impl Backend) {
        // One thread, for only there tokio's time can be moved; cases about many threads bring their own.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the operating system gives what a runtime needs");
        runtime.block_on((self.run)(&mut backend));
    }

    /// Runs the case on a fresh database and says how it went, instead of panicking.
    pub fn verdict(&self, backend: impl Backend) -> Verdict {
        let failure = catch_unwind(AssertUnwindSafe(|| self.run(backend))).err().map(|panic| words(panic.as_ref()));
        Verdict { case: self.name, failure }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Case").field(&self.name).finish()
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked without a message").to_owned()
}

/// How one case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The name of the case.
    pub case: &'static str,
    /// What was wrong; none if it passed.
    pub failure: Option<String>,
}

/// How all cases went, each on a line of its own when printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report(pub Vec<Verdict>);

impl Report {
    /// The cases that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Verdict> {
        self.0.iter().filter(|verdict| verdict.failure.is_some())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Verdict { case, failure } in &self.0 {
            match failure {
                None => writeln!(f, "ok      {case}")?,
                Some(failure) => writeln!(f, "FAILED  {case}: {failure}")?,
            }
        }
        Ok(())
    }
}

/// Runs every case, each on a database of its own.
///
/// ```
/// use seatport_testkit::storage::{CASES, Memory, run_all};
/// let report = run_all(Memory::default);
/// assert_eq!(report.0.len(), CASES.len());
/// assert_eq!(report.failed().count(), 0, "{report}");
/// ```
pub fn run_all<B: Backend>(backend: impl Fn() -> B) -> Report {
    Report(CASES.iter().map(|case| case.verdict(backend())).collect())
}

/// The case of this name.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn case(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no case {name:?} in the storage suite"))
}

/// All cases of the suite.
pub const CASES: &[Case] = crate::storage_suite!(@list slice []);

//! The cases by name, and what runs them.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use seatport::transport::Transport;

use super::Peer;
use super::abilities::Need;
use super::cases::{end, environment, inbound, itself, login, loss, outbound, sessions, vault};
use super::trial::Trial;

/// How many times the peer's patience a case may take.
const WAITS: u32 = 60;

type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// What is under test: a transport, and who plays its other side.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The transport.
    pub transport: Arc<dyn Transport>,
    /// The other side of the same network.
    pub peer: Arc<dyn Peer>,
}

impl Subject {
    /// This transport, whose other side is this peer.
    pub fn new(transport: impl Transport, peer: impl Peer) -> Self {
        Self { transport: Arc::new(transport), peer: Arc::new(peer) }
    }
}

/// One promise of a transport, as something that can be run.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its name, `concept::what_is_promised`.
    pub name: &'static str,
    needs: &'static [Need],
    run: for<'a> fn(&'a Trial) -> Running<'a>,
}

impl Case {
    /// What keeps this case from being run against such a subject: what the peer or the transport lacks. None if it can be run.
    #[must_use]
    pub fn left_out(&self, subject: &Subject) -> Option<&'static str> {
        let (capabilities, abilities) = (subject.transport.capabilities(), subject.peer.abilities());
        self.needs.iter().find_map(|need| need.missing(capabilities, &abilities))
    }

    /// Runs the case, if the subject can do what it needs, and says how it went. Call it inside a tokio runtime with time.
    pub async fn check(&self, subject: &Subject) -> Verdict {
        let outcome = match self.left_out(subject) {
            Some(lack) => Outcome::LeftOut(lack),
            None => self.outcome(subject.clone()).await,
        };
        Verdict { case: self.name, outcome }
    }

    async fn outcome(&self, subject: Subject) -> Outcome {
        let run = self.run;
        // A task of its own, so that a panic is a verdict.
        let task = tokio::spawn(async move {
            let trial = Trial::new(subject);
            trial.peer("begin a case", trial.peer.begin()).await;
            // Every wait has a limit; this is for those who loop.
            let limit = trial.can.patience * WAITS;
            let ended = tokio::time::timeout(limit, run(&trial)).await;
            assert!(ended.is_ok(), "the case has not ended within {limit:?}");
        });
        let abort = AbortOnDrop(task.abort_handle());
        let ended = task.await;
        drop(abort);
        match ended {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(words(error)),
        }
    }

    /// Runs the case on a subject of its own, on one thread.
    ///
    /// # Panics
    /// When the transport does not keep the promise; when the case is left out and not in this list, or in the list and not left
    /// out.
    pub fn run(&self, subject: impl Future<Output = Subject>, left_out: &[&str]) {
        // One thread, for only there tokio's time can be paused.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the operating system gives what a runtime needs");
        let verdict = runtime.block_on(async { self.check(&subject.await).await });
        let expected = left_out.contains(&self.name);
        match verdict.outcome {
            Outcome::Passed => assert!(!expected, "{} can be run: take it off the list of those left out", self.name),
            Outcome::LeftOut(lack) => assert!(expected, "{} is left out, for {lack}: list it as such", self.name),
            Outcome::Failed(failure) => panic!("{failure}"),
        }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Case").field(&self.name).finish()
    }
}

/// Ends a task that nobody waits for any more.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn words(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked without a message").to_owned()
        }
        Err(error) => error.to_string(),
    }
}

/// How one case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The name of the case.
    pub case: &'static str,
    /// How it went.
    pub outcome: Outcome,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The transport keeps the promise.
    Passed,
    /// It does not: what was wrong.
    Failed(String),
    /// Nobody knows: what the transport or the peer lacks.
    LeftOut(&'static str),
}

/// How all cases went, each on a line of its own when printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report(pub Vec<Verdict>);

impl Report {
    /// The cases that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Verdict> {
        self.0.iter().filter(|verdict| matches!(verdict.outcome, Outcome::Failed(_)))
    }

    /// The names of the cases that were not run.
    pub fn left_out(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|verdict| matches!(verdict.outcome, Outcome::LeftOut(_))).map(|verdict| verdict.case)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Verdict { case, outcome } in &self.0 {
            match outcome {
                Outcome::Passed => writeln!(f, "ok        {case}")?,
                Outcome::Failed(failure) => writeln!(f, "FAILED    {case}: {failure}")?,
                Outcome::LeftOut(lack) => writeln!(f, "left out  {case}: {lack}")?,
            }
        }
        Ok(())
    }
}

/// Runs every case on one subject, one after the other. Each uses sessions of its own, with empty vaults; the network remembers what
/// the cases before have done to it. Call it inside a tokio runtime with time.
///
/// ```
/// # use std::sync::Arc;
/// # use seatport_testkit::VirtualClock;
/// # use seatport_testkit::messenger::Messenger;
/// use seatport_testkit::transport::{CASES, SimulatedPeer, Subject, run_all};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// # let messenger = Messenger::new(7, Arc::new(VirtualClock::default()));
/// let subject = Subject::new(messenger.transport(), SimulatedPeer::new(messenger));
/// let report = run_all(&subject).await;
/// assert_eq!(report.0.len(), CASES.len());
/// assert_eq!(report.failed().count(), 0, "{report}");
/// # }
/// ```
pub async fn run_all(subject: &Subject) -> Report {
    let mut verdicts = Vec::with_capacity(CASES.len());
    for case in CASES {
        verdicts.push(case.check(subject).await);
    }
    Report(verdicts)
}

/// The case of this name.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn case(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no case {name:?} in the transport suite"))
}

/// All cases of the suite.
pub const CASES: &[Case] = crate::transport_suite!(@list slice []);

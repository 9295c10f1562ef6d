//! The table.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::lifecycle::{Command, Desired, Facts, IllegalTransition, Input, Lifecycle, Login, Reason, ReasonKind, Then};

/// What a step does to the session's port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PortChange {
    /// It stays as it is.
    #[default]
    Keep,
    /// The lowest free number is claimed.
    Claim,
    /// It is given back.
    Release,
}

/// What follows from an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The facts from now on.
    pub next: Facts,
    /// What happens to the port, in the same commit.
    pub port: PortChange,
    /// Whether the transport's credentials are forgotten, in the same commit.
    pub forget_credentials: bool,
}

/// The next step for a session with these `facts` when `input` happens.
///
/// `retry_at` is asked, with the number of the attempt that failed, when the next dial has to be put off.
/// A transport's input that the state does not expect changes nothing: `next` equals `facts`.
///
/// ```
/// use seatport::lifecycle::{transition, Command, Facts, Input, PortChange};
/// use seatport::Timestamp;
/// let step = transition(&Facts::default(), &Input::Command(Command::Start), |_| Timestamp::from_millis(0)).unwrap();
/// assert_eq!(step.port, PortChange::Claim);
/// ```
///
/// # Errors
/// [`IllegalTransition`] for a command that the state does not allow; a repeated start or stop succeeds and changes nothing.
pub fn transition(
    facts: &Facts,
    input: &Input,
    retry_at: impl FnOnce(u32) -> Timestamp,
) -> Result<Step, IllegalTransition> {
    use Lifecycle::{AwaitingLogin, Backoff, Blocked, Connecting, Online, Stopped, Stopping};

    let now = Plan(facts);
    let logged_in = facts.login == Login::LoggedIn;
    Ok(match (facts.lifecycle, input) {
        (Stopped, Input::Command(Command::Start)) => now.dial(0).desired(Desired::Started).port(PortChange::Claim),
        (Stopped, Input::Command(Command::Stop | Command::Delete)) => now.stay(),

        (Connecting { .. } | AwaitingLogin, Input::Challenge) => now.go(AwaitingLogin),
        (AwaitingLogin, Input::Paired { account, redial }) => {
            let step = if *redial { now.dial(0) } else { now.go(Connecting { attempt: 0 }) };
            step.account(account)
        }
        (Connecting { .. } | AwaitingLogin, Input::Ready { account }) => {
            now.go(Online).account(account).login(Login::LoggedIn)
        }

        (Connecting { attempt }, Input::Lost(reason)) => now.back_off(attempt, reason.clone(), retry_at),
        (AwaitingLogin | Online, Input::Lost(reason)) => now.back_off(0, reason.clone(), retry_at),
        (Connecting { attempt }, Input::Deadline) => {
            now.back_off(attempt, Reason::new(ReasonKind::DialTimedOut), retry_at)
        }
        (Online, Input::Deadline) => now.back_off(0, Reason::new(ReasonKind::NoProofOfLife), retry_at),
        (AwaitingLogin, Input::LoginExpired | Input::Deadline) => now.block(Reason::new(ReasonKind::LoginExpired)),

        (Backoff { attempt, .. }, Input::Deadline | Input::Command(Command::Resume)) => {
            let mut step = now.dial(attempt);
            step.next.reason.clone_from(&facts.reason);
            step
        }
        (Blocked | AwaitingLogin, Input::Command(Command::Resume)) => now.dial(0),

        (Connecting { .. } | AwaitingLogin | Online | Backoff { .. }, Input::Rejected(reason)) => {
            let step = now.block(reason.clone());
            match reason.kind {
                ReasonKind::LoggedOut | ReasonKind::AccountMismatch => step.logged_out(),
                _ => step,
            }
        }
        (Connecting { .. } | AwaitingLogin | Online | Backoff { .. }, Input::Adopted) => now.dial(0),

        (
            Connecting { .. } | AwaitingLogin | Online | Backoff { .. } | Blocked,
            Input::Command(command @ (Command::Stop | Command::Restart)),
        ) => match command {
            Command::Restart => now.go(Stopping { then: Then::Restart, log_out: false }),
            _ => now.go(Stopping { then: Then::Rest, log_out: false }).desired(Desired::Stopped),
        },
        (Connecting { .. } | AwaitingLogin | Online | Backoff { .. } | Blocked, Input::Command(Command::LogOut))
            if logged_in =>
        {
            now.go(Stopping { then: Then::Block, log_out: true })
        }
        (Stopping { log_out, .. }, Input::Command(Command::Stop)) => {
            now.go(Stopping { then: Then::Rest, log_out }).desired(Desired::Stopped)
        }

        (Stopping { then, log_out }, Input::Closed | Input::Deadline | Input::Adopted) => {
            let step = match then {
                Then::Rest => now.go(Stopped).port(PortChange::Release),
                Then::Restart => now.dial(0),
                Then::Block => now.block(Reason::new(ReasonKind::LoggedOutHere)),
            };
            if log_out { step.logged_out() } else { step }
        }

        (_, Input::Command(Command::Start)) if facts.desired == Desired::Started => now.stay(),
        (state, Input::Command(command)) => return Err(IllegalTransition { state, command: *command }),
        _ => now.stay(),
    })
}

/// Writes the rows of the table short.
struct Plan<'a>(&'a Facts);

impl Plan<'_> {
    fn stay(&self) -> Step {
        Step { next: self.0.clone(), port: PortChange::Keep, forget_credentials: false }
    }

    fn go(&self, lifecycle: Lifecycle) -> Step {
        let mut step = self.stay();
        step.next.lifecycle = lifecycle;
        // A reason belongs to the trouble it names: it stays on the card while that lasts, through the way to stopped.
        if !matches!(lifecycle, Lifecycle::Stopping { .. } | Lifecycle::Stopped) {
            step.next.reason = None;
        }
        step
    }

    fn dial(&self, attempt: u32) -> Step {
        let mut step = self.go(Lifecycle::Connecting { attempt });
        step.next.generation += 1;
        step
    }

    fn back_off(&self, attempt: u32, reason: Reason, retry_at: impl FnOnce(u32) -> Timestamp) -> Step {
        let attempt = attempt.saturating_add(1);
        let mut step = self.go(Lifecycle::Backoff { attempt, retry_at: retry_at(attempt) });
        step.next.reason = Some(reason);
        step
    }

    fn block(&self, reason: Reason) -> Step {
        let mut step = self.go(Lifecycle::Blocked);
        step.next.reason = Some(reason);
        step
    }
}

impl Step {
    fn desired(mut self, desired: Desired) -> Self {
        self.next.desired = desired;
        self
    }

    fn login(mut self, login: Login) -> Self {
        self.next.login = login;
        self
    }

    fn account(mut self, account: &super::Account) -> Self {
        self.next.account = Some(account.clone());
        self
    }

    fn port(mut self, port: PortChange) -> Self {
        self.port = port;
        self
    }

    /// The credentials go; who has never been logged in has not been logged out either.
    fn logged_out(mut self) -> Self {
        self.forget_credentials = true;
        if self.next.login == Login::LoggedIn {
            self.next.login = Login::LoggedOut;
        }
        self
    }
}

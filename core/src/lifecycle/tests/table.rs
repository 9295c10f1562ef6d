//! The table a second time, in another form, so that a slip in the machine does not repeat itself here.

use At::{
    AwaitingLogin, Backoff, Blocked, Connecting, LoggingOut, LoggingOutToRest, Online, Restarting, Stopped,
    StoppingToRest,
};

use crate::clock::Timestamp;
use crate::lifecycle::{
    Account, Command, Desired, Facts, IllegalTransition, Input, Lifecycle, Login, PortChange, Reason, ReasonKind, Step,
    Then,
};

/// Where a session stands: the states of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum At {
    Stopped,
    Connecting,
    AwaitingLogin,
    Online,
    Backoff,
    Blocked,
    StoppingToRest,
    Restarting,
    LoggingOut,
    LoggingOutToRest,
}

impl At {
    pub(super) const ALL: [Self; 10] = [
        Stopped,
        Connecting,
        AwaitingLogin,
        Online,
        Backoff,
        Blocked,
        StoppingToRest,
        Restarting,
        LoggingOut,
        LoggingOutToRest,
    ];

    pub(super) fn of(facts: &Facts) -> Self {
        match facts.lifecycle {
            Lifecycle::Stopped => Stopped,
            Lifecycle::Connecting { .. } => Connecting,
            Lifecycle::AwaitingLogin => AwaitingLogin,
            Lifecycle::Online => Online,
            Lifecycle::Backoff { .. } => Backoff,
            Lifecycle::Blocked => Blocked,
            Lifecycle::Stopping { then: Then::Rest, log_out: false } => StoppingToRest,
            Lifecycle::Stopping { then: Then::Rest, log_out: true } => LoggingOutToRest,
            Lifecycle::Stopping { then: Then::Restart, log_out: false } => Restarting,
            Lifecycle::Stopping { then: Then::Block, log_out: true } => LoggingOut,
            Lifecycle::Stopping { .. } => panic!("nothing leads here: {facts:?}"),
        }
    }
}

/// What happens: an [`Input`] without what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum On {
    Start,
    Stop,
    Restart,
    Resume,
    LogOut,
    Delete,
    Challenge,
    PairedHere,
    PairedRedial,
    Ready,
    Lost,
    /// Rejected: logged out from the phone.
    PhoneLoggedOut,
    /// Rejected: another account.
    Mismatch,
    /// Rejected for any other reason.
    Refused,
    LoginExpired,
    Closed,
    Deadline,
    Adopted,
}

impl On {
    pub(super) fn of(input: &Input) -> Self {
        match input {
            Input::Command(Command::Start) => Self::Start,
            Input::Command(Command::Stop) => Self::Stop,
            Input::Command(Command::Restart) => Self::Restart,
            Input::Command(Command::Resume) => Self::Resume,
            Input::Command(Command::LogOut) => Self::LogOut,
            Input::Command(Command::Delete) => Self::Delete,
            Input::Challenge => Self::Challenge,
            Input::Paired { redial: false, .. } => Self::PairedHere,
            Input::Paired { redial: true, .. } => Self::PairedRedial,
            Input::Ready { .. } => Self::Ready,
            Input::Lost(_) => Self::Lost,
            Input::Rejected(reason) => match reason.kind {
                ReasonKind::LoggedOut => Self::PhoneLoggedOut,
                ReasonKind::AccountMismatch => Self::Mismatch,
                _ => Self::Refused,
            },
            Input::LoginExpired => Self::LoginExpired,
            Input::Closed => Self::Closed,
            Input::Deadline => Self::Deadline,
            Input::Adopted => Self::Adopted,
        }
    }
}

/// What becomes of the number of failed tries.
#[derive(Clone, Copy, Debug)]
enum Tries {
    Zero,
    Same,
    OneMore,
}

/// What becomes of the reason.
#[derive(Clone, Copy, Debug)]
enum Why {
    Gone,
    Kept,
    Given,
    Is(ReasonKind),
}

/// A row: from these states, on these inputs, this happens. What a row does not mention stays as it is.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) from: &'static [At],
    pub(super) on: &'static [On],
    /// Only for sessions with this login.
    pub(super) only: Option<Login>,
    /// None: the input succeeds and changes nothing.
    to: Option<At>,
    tries: Tries,
    why: Why,
    desired: Option<Desired>,
    login: Option<Login>,
    account: bool,
    port: PortChange,
    dials: bool,
    forgets: bool,
}

fn row(from: &'static [At], on: &'static [On], to: impl Into<Option<At>>) -> Row {
    Row {
        from,
        on,
        only: None,
        to: to.into(),
        tries: Tries::Zero,
        why: Why::Gone,
        desired: None,
        login: None,
        account: false,
        port: PortChange::Keep,
        dials: false,
        forgets: false,
    }
}

impl Row {
    fn only(self, login: Login) -> Self {
        Self { only: Some(login), ..self }
    }

    fn tries(self, tries: Tries) -> Self {
        Self { tries, ..self }
    }

    fn why(self, why: Why) -> Self {
        Self { why, ..self }
    }

    fn desired(self, desired: Desired) -> Self {
        Self { desired: Some(desired), ..self }
    }

    fn login(self, login: Login) -> Self {
        Self { login: Some(login), ..self }
    }

    fn account(self) -> Self {
        Self { account: true, ..self }
    }

    fn port(self, port: PortChange) -> Self {
        Self { port, ..self }
    }

    fn dials(self) -> Self {
        Self { dials: true, ..self }
    }

    fn forgets(self) -> Self {
        Self { forgets: true, ..self }
    }

    pub(super) fn covers(&self, facts: &Facts, input: &Input) -> bool {
        self.from.contains(&At::of(facts))
            && self.on.contains(&On::of(input))
            && self.only.is_none_or(|login| login == facts.login)
    }
}

const LIVE: &[At] = &[Connecting, AwaitingLogin, Online, Backoff];
/// Live, and not necessarily logged in.
const DIALLING: &[At] = &[Connecting, AwaitingLogin, Backoff];
const LIVE_OR_BLOCKED: &[At] = &[Connecting, AwaitingLogin, Online, Backoff, Blocked];
const GONE: &[On] = &[On::Closed, On::Deadline, On::Adopted];

#[rustfmt::skip]
pub(super) fn table() -> Vec<Row> {
    use Desired::Started;
    use Login::{LoggedIn, LoggedOut, Never};
    use PortChange::{Claim, Release};
    use Tries::{OneMore, Same};
    use Why::{Given, Is, Kept};

    vec![
        row(&[Stopped], &[On::Start], Connecting).port(Claim).desired(Started).dials(),
        row(&[Stopped], &[On::Stop, On::Delete], None),

        row(&[Connecting, AwaitingLogin], &[On::Challenge], AwaitingLogin),
        row(&[AwaitingLogin], &[On::PairedRedial], Connecting).account().dials(),
        row(&[AwaitingLogin], &[On::PairedHere], Connecting).account(),
        row(&[Connecting, AwaitingLogin], &[On::Ready], Online).account().login(LoggedIn),

        row(&[Connecting], &[On::Lost], Backoff).tries(OneMore).why(Given),
        row(&[Connecting], &[On::Deadline], Backoff).tries(OneMore).why(Is(ReasonKind::DialTimedOut)),
        row(&[AwaitingLogin, Online], &[On::Lost], Backoff).tries(OneMore).why(Given),
        row(&[Online], &[On::Deadline], Backoff).tries(OneMore).why(Is(ReasonKind::NoProofOfLife)),
        row(&[Backoff], &[On::Deadline, On::Resume], Connecting).tries(Same).why(Kept).dials(),

        row(LIVE, &[On::Refused], Blocked).why(Given),
        row(DIALLING, &[On::PhoneLoggedOut, On::Mismatch], Blocked).only(Never).why(Given).forgets(),
        row(LIVE, &[On::PhoneLoggedOut, On::Mismatch], Blocked).only(LoggedIn).why(Given).forgets().login(LoggedOut),
        row(DIALLING, &[On::PhoneLoggedOut, On::Mismatch], Blocked).only(LoggedOut).why(Given).forgets(),
        row(&[AwaitingLogin], &[On::LoginExpired, On::Deadline], Blocked).why(Is(ReasonKind::LoginExpired)),
        row(&[Blocked, AwaitingLogin], &[On::Resume], Connecting).dials(),
        row(LIVE, &[On::Adopted], Connecting).dials(),

        row(LIVE_OR_BLOCKED, &[On::Start], None),
        row(LIVE_OR_BLOCKED, &[On::Stop], StoppingToRest).desired(Desired::Stopped).why(Kept),
        row(LIVE_OR_BLOCKED, &[On::Restart], Restarting).why(Kept),
        row(LIVE_OR_BLOCKED, &[On::LogOut], LoggingOut).only(LoggedIn).why(Kept),

        row(&[Restarting, LoggingOut], &[On::Start], None),
        row(&[StoppingToRest, LoggingOutToRest], &[On::Stop], None),
        row(&[Restarting], &[On::Stop], StoppingToRest).desired(Desired::Stopped).why(Kept),
        row(&[LoggingOut], &[On::Stop], LoggingOutToRest).desired(Desired::Stopped).why(Kept),

        row(&[StoppingToRest], GONE, Stopped).port(Release).why(Kept),
        row(&[LoggingOutToRest], GONE, Stopped).port(Release).why(Kept).forgets().login(LoggedOut),
        row(&[Restarting], GONE, Connecting).dials(),
        row(&[LoggingOut], GONE, Blocked).why(Is(ReasonKind::LoggedOutHere)).forgets().login(LoggedOut),
    ]
}

/// What the table says: a row's outcome; without a row, a command is refused and everything else ignored.
pub(super) fn expected(
    row: Option<&Row>,
    facts: &Facts,
    input: &Input,
    retry_at: fn(u32) -> Timestamp,
) -> Result<Step, IllegalTransition> {
    let stay = Step { next: facts.clone(), port: PortChange::Keep, forget_credentials: false };
    let Some((row, to)) = row.and_then(|row| Some((row, row.to?))) else {
        return match (row, input) {
            (None, Input::Command(command)) => Err(IllegalTransition { state: facts.lifecycle, command: *command }),
            _ => Ok(stay),
        };
    };
    let tries_before = match facts.lifecycle {
        Lifecycle::Connecting { attempt } | Lifecycle::Backoff { attempt, .. } => attempt,
        _ => 0,
    };
    let attempt = match row.tries {
        Tries::Zero => 0,
        Tries::Same => tries_before,
        Tries::OneMore => tries_before + 1,
    };
    let next = Facts {
        lifecycle: lifecycle(to, attempt, retry_at),
        desired: row.desired.unwrap_or(facts.desired),
        login: row.login.unwrap_or(facts.login),
        reason: match row.why {
            Why::Gone => None,
            Why::Kept => facts.reason.clone(),
            Why::Given => given_reason(input),
            Why::Is(kind) => Some(Reason::new(kind)),
        },
        account: if row.account { given_account(input) } else { facts.account.clone() },
        generation: facts.generation + u64::from(row.dials),
    };
    Ok(Step { next, port: row.port, forget_credentials: row.forgets })
}

fn lifecycle(at: At, attempt: u32, retry_at: fn(u32) -> Timestamp) -> Lifecycle {
    match at {
        Stopped => Lifecycle::Stopped,
        Connecting => Lifecycle::Connecting { attempt },
        AwaitingLogin => Lifecycle::AwaitingLogin,
        Online => Lifecycle::Online,
        Backoff => Lifecycle::Backoff { attempt, retry_at: retry_at(attempt) },
        Blocked => Lifecycle::Blocked,
        StoppingToRest => Lifecycle::Stopping { then: Then::Rest, log_out: false },
        Restarting => Lifecycle::Stopping { then: Then::Restart, log_out: false },
        LoggingOut => Lifecycle::Stopping { then: Then::Block, log_out: true },
        LoggingOutToRest => Lifecycle::Stopping { then: Then::Rest, log_out: true },
    }
}

fn given_reason(input: &Input) -> Option<Reason> {
    match input {
        Input::Lost(reason) | Input::Rejected(reason) => Some(reason.clone()),
        _ => None,
    }
}

fn given_account(input: &Input) -> Option<Account> {
    match input {
        Input::Paired { account, .. } | Input::Ready { account } => Some(account.clone()),
        _ => None,
    }
}

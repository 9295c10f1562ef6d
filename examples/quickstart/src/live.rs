//! One account on a real network: shows the code to scan, and then what happens, until it is told to end.

use std::time::Duration;

use anyhow::Context;
use seatport::conversation::Content;
use seatport::lifecycle::{Login, ReasonKind};
use seatport::transport::{LoginChallenge, Transport};
use seatport::{
    Address, Agent, Card, CardStatus, Clock, Desk, Event, EventBody, EventStream, MessageId, NewAccount, Page, Role,
    Seatport, SessionFilter, SessionId, SystemClock, TransportName, View, WhenFull,
};

use crate::database::Database;
use crate::narrator::Narrator;

const GOODBYE: Duration = Duration::from_secs(5);
/// As many as a page can hold.
const ALL: u32 = 1000;

/// Runs one account on this network until `end`.
pub(crate) async fn run(
    mut narrator: Narrator,
    database: &Database,
    transport: impl Transport,
    end: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let network = transport.name();
    let (storage, key) = database.open().await?;
    let seatport = Seatport::builder()
        .storage(storage)
        .transport(transport)
        .vault_key(key)
        .build()
        .await
        .context("Seatport cannot be built on this database")?;
    let mei = Agent::new("mei", "Mei Lin", Role::Supervisor)?;
    seatport.agents().put(mei.clone()).await?;
    let desk = seatport.desk(&mei.id).await?;
    narrator.title(format_args!("Seatport quickstart on {network}")).await?;
    match database.is_temporary() {
        true => narrator.say("The login is forgotten at the end; to keep it, name a file with --database.").await?,
        false => narrator.say(format_args!("The login is kept in {}.", database.path().display())).await?,
    }
    narrator.say("Ctrl-C ends it.").await?;
    let lived = async {
        // What an earlier run has shown is not shown again.
        let feed = desk.events(desk.cursors().await?).await?;
        let session = take_up(&desk, &network).await?;
        tokio::select! {
            // Follows until something fails.
            followed = follow(&mut narrator, &desk, session, feed) => followed,
            () = end => {
                narrator.say("Shutting down.").await?;
                if database.is_temporary() {
                    unlink(&mut narrator, &desk, session).await?;
                }
                Ok(())
            }
        }
    };
    let lived = lived.await;
    seatport.shutdown(GOODBYE).await;
    lived
}

/// Starts the account of an earlier run, or a new one.
async fn take_up(desk: &Desk, network: &TransportName) -> anyhow::Result<SessionId> {
    let cards = desk.cards(&SessionFilter::default(), Page::first(ALL)).await?;
    match cards.into_iter().find(|card| card.transport == *network) {
        None => {
            let new = NewAccount::on(network.as_str()).remark("quickstart");
            Ok(desk.add_and_start(new, WhenFull::Fail).await?)
        }
        Some(Card { session, status: CardStatus::Blocked, .. }) => Ok(desk.refresh_login(session).await?.session),
        Some(Card { session, .. }) => Ok(desk.start(session, WhenFull::Fail).await?.session),
    }
}

/// Takes the device off the phone's list, for its credentials are about to go.
async fn unlink(narrator: &mut Narrator, desk: &Desk, session: SessionId) -> anyhow::Result<()> {
    let card = desk.card(session).await?;
    if card.status == CardStatus::Online {
        desk.log_out(session).await?;
        let mut watch = desk.watch(session).await?;
        watch.until(|view| view.card.login == Login::LoggedOut).await?;
    } else if card.login == Login::LoggedIn {
        narrator.say("The network cannot be told now: take this device off the list of linked devices.").await?;
    }
    Ok(())
}

/// Shows login codes, changes of the card, and messages that come in.
async fn follow(narrator: &mut Narrator, desk: &Desk, session: SessionId, mut feed: EventStream) -> anyhow::Result<()> {
    let mut watch = desk.watch(session).await?;
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let mut shown: Option<View> = None;
    loop {
        let code = shown.as_ref().and_then(|view| view.challenge.as_ref());
        tokio::select! {
            view = watch.next() => {
                let view = view?;
                show_change(narrator, shown.as_ref(), &view).await?;
                renew_login(narrator, desk, &view.card).await?;
                shown = Some(view);
            }
            event = feed.next() => {
                if let Event { session, body: EventBody::MessageStored { chat, id, inbound: true }, .. } = event? {
                    show_message(narrator, desk, session, &chat, &id).await?;
                }
            }
            _ = second.tick(), if code.is_some() => if let Some(code) = code {
                narrator.seconds_left(code, left(code))?;
            },
        }
    }
}

async fn show_change(narrator: &mut Narrator, before: Option<&View>, now: &View) -> anyhow::Result<()> {
    let (card, before_card) = (&now.card, before.map(|view| &view.card));
    let row = |card: &Card| (card.status, card.account.clone(), card.port);
    if before_card.map(row) != Some(row(card)) {
        narrator.cards(std::slice::from_ref(card)).await?;
    }
    let trouble = |card: &Card| (card.status, card.reason.clone(), card.next_try);
    if before_card.map(trouble) != Some(trouble(card))
        && let Some(reason) = &card.reason
    {
        match (card.status, card.next_try) {
            (CardStatus::Blocked, _) => narrator.show(reason).await?,
            (CardStatus::Connecting, Some(at)) => {
                let wait = at.since(SystemClock.now()).as_millis().div_ceil(1000);
                narrator.show(format_args!("{reason}; try {} comes in {wait} s", card.attempt + 1)).await?;
            }
            _ => {}
        }
    }
    if let Some(code) = &now.challenge
        && before.and_then(|view| view.challenge.as_ref()) != Some(code)
    {
        narrator.code(code, left(code)).await?;
    }
    Ok(())
}

/// Asks for new codes as long as somebody is there to see them. What else blocks an account, only a person can mend.
async fn renew_login(narrator: &mut Narrator, desk: &Desk, card: &Card) -> anyhow::Result<()> {
    use ReasonKind::{LoggedOut, LoggedOutHere, LoginExpired};
    let kind = card.reason.as_ref().map(|reason| reason.kind);
    if card.status == CardStatus::Blocked && matches!(kind, Some(LoginExpired | LoggedOut | LoggedOutHere)) {
        narrator.say("Asking for new login codes.").await?;
        desk.refresh_login(card.session).await?;
    }
    Ok(())
}

async fn show_message(
    narrator: &mut Narrator,
    desk: &Desk,
    session: SessionId,
    chat: &Address,
    id: &MessageId,
) -> anyhow::Result<()> {
    let Some(found) = desk.message(session, chat, id).await? else { return Ok(()) };
    let text = match &found.message.content {
        Content::Text(text) => printable(text),
        Content::Unsupported(kind) => format!("({})", printable(kind)),
        Content::Undecryptable => "(cannot be decrypted)".to_owned(),
        _ => "(something else)".to_owned(),
    };
    let sender = desk.chat(session, chat).await?.name.unwrap_or_else(|| found.message.sender.to_string());
    Ok(narrator.say(format_args!("{}: {text}", printable(&sender))).await?)
}

/// Without control characters: what a stranger writes must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn left(code: &LoginChallenge) -> Duration {
    code.expires_at.since(SystemClock.now())
}

#[cfg(test)]
mod tests;

//! The story of a customer-service team, on the simulated messenger. Each chapter is a file.

mod account;
mod agents;
mod customers;
mod data_centre;
mod goodbye;
mod office;
mod ports;
mod records;
mod restart;

use std::sync::Arc;

use anyhow::{bail, ensure};
use seatport::conversation::{Content, Direction, StoredMessage};
use seatport::{Card, CardStatus, Error, Event, EventBody, EventStream, Page, SessionId, SystemClock, Timestamp};
use seatport_testkit::messenger::{Messenger, Person, Phone};

use crate::database::Database;
use crate::narrator::Narrator;
use office::Office;

/// Everybody and everything in the story.
struct Story<'a> {
    narrator: Narrator,
    database: &'a Database,
    /// The messenger network, which goes on when the office is closed.
    network: Messenger,
    /// The phone of the hotline's account.
    phone: Phone,
    ana: Person,
    bo: Person,
    office: Office,
}

/// Tells the story from the beginning to the end.
pub(crate) async fn tell(mut narrator: Narrator, database: &Database) -> anyhow::Result<()> {
    database.ensure_unused().await?;
    narrator.title("Seatport quickstart").await?;
    let kept = if database.is_temporary() { "is removed at the end" } else { "is kept" };
    narrator.say(format_args!("The database is {} and {kept}.", database.path().display())).await?;
    narrator.say("The phones and the customers are simulated; everything else is what a host would run.").await?;

    let network = Messenger::new(7, Arc::new(SystemClock));
    let (phone, ana, bo) = (network.phone("+8613800138000"), network.person("Ana"), network.person("Bo"));
    let office = Office::open(database, &network).await?;
    let mut story = Story { narrator, database, network, phone, ana, bo, office };
    story.introduce().await?;
    let hotline = story.add_an_account().await?;
    let bookmark = story.customers_write(hotline).await?;
    story.agents_work(hotline).await?;
    story.ports_run_out(hotline).await?;
    story.stop_and_start(hotline).await?;
    let (mut story, missed) = story.come_back(hotline).await?;
    story.find_again().await?;
    story.count_leads().await?;
    story.look_up(hotline, &bookmark, &missed).await?;
    story.say_goodbye(hotline).await
}

impl Story<'_> {
    /// Waits until a session has this status, as Mei sees it.
    async fn reach(&self, session: SessionId, status: CardStatus) -> anyhow::Result<Card> {
        self.reach_anew(session, status, Timestamp::from_millis(0)).await
    }

    /// Waits until a session has had this status since a later time than that.
    async fn reach_anew(&self, session: SessionId, status: CardStatus, than: Timestamp) -> anyhow::Result<Card> {
        let mut watch = self.office.mei.watch(session).await?;
        let done = |card: &Card| card.since > than && [status, CardStatus::Blocked].contains(&card.status);
        let found = watch.until(|view| done(&view.card)).await?.card;
        ensure!(found.status == status, "the session is {} and not {status}: {:?}", found.status, found.reason);
        Ok(found)
    }

    /// Waits until a session has so many unread messages; answers its card.
    async fn unread(&self, session: SessionId, count: u64) -> anyhow::Result<Card> {
        Ok(self.office.mei.watch(session).await?.until(|view| view.card.unread == count).await?.card)
    }

    /// What was said with somebody, oldest first.
    async fn conversation(&self, session: SessionId, with: &Person) -> anyhow::Result<Vec<StoredMessage>> {
        let mut messages = self.office.mei.messages(session, with.address(), Page::first(20)).await?;
        messages.reverse();
        Ok(messages)
    }

    /// Shows what was said with somebody.
    async fn show_conversation(&mut self, session: SessionId, with: &Person, name: &str) -> anyhow::Result<()> {
        for StoredMessage { message, .. } in self.conversation(session, with).await? {
            let who = if message.direction == Direction::Inbound { name } else { "hotline" };
            let Content::Text(text) = &message.content else { continue };
            self.narrator.show(format_args!("{who:>7}: {text}")).await?;
        }
        Ok(())
    }
}

/// The error of a call that has to be refused.
fn refusal<T>(result: Result<T, Error>) -> anyhow::Result<Error> {
    match result {
        Err(error) => Ok(error),
        Ok(_) => bail!("this was to be refused and was not"),
    }
}

/// Reads the feed up to and including the event that is wanted; answers what was read.
async fn read_until(feed: &mut EventStream, wanted: impl Fn(&EventBody) -> bool) -> anyhow::Result<Vec<Event>> {
    let mut read = Vec::new();
    loop {
        let event = feed.next().await?;
        let found = wanted(&event.body);
        read.push(event);
        if found {
            return Ok(read);
        }
    }
}

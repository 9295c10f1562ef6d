//! The end.

use anyhow::ensure;
use seatport::leads::LeadQuery;
use seatport::{Clock, SessionId, SystemClock};

use super::data_centre::ZONE;
use super::{Story, refusal};

impl Story<'_> {
    pub(super) async fn say_goodbye(mut self, hotline: SessionId) -> anyhow::Result<()> {
        self.narrator.chapter("Deleted, for good").await?;
        self.office.mei.stop(hotline).await?;
        self.office.mei.delete(hotline).await?;
        let refused = refusal(self.office.mei.card(hotline).await)?;
        self.narrator.say("Mei stops the hotline and deletes it: credentials, contacts, messages, events.").await?;
        self.narrator.refused(&refused).await?;
        let leads = self.office.mei.leads(&LeadQuery::last(7, ZONE, SystemClock.now())?).await?.current.total;
        ensure!(leads.new == 3 && leads.duplicate == 1, "the figures changed: {leads:?}");
        self.narrator.say("What the data centre counted stays, without a trace of who it was.").await?;

        for card in self.all_cards().await?.iter().filter(|card| card.port.is_some()) {
            self.office.mei.stop(card.session).await?;
        }
        let usage = self.office.seatport.ports().usage().await?;
        self.narrator.say("She stops what still runs. Two accounts are left, and every port is free:").await?;
        self.show_all().await?;
        self.narrator
            .say(format_args!("{} of {} ports occupied.", usage.occupied.len(), usage.range.capacity()))
            .await?;
        self.office.close().await;
        self.narrator.say("The office closes.").await?;
        if !self.database.is_temporary() {
            self.narrator.say(format_args!("The database stays: {}", self.database.path().display())).await?;
        }
        Ok(())
    }
}

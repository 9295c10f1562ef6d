//! Ports: they run out, are queued for, kept by a restart and released by a stop.

use std::time::Duration;

use anyhow::{bail, ensure};
use seatport::{Card, CardStatus, Error, NewAccount, Page, SessionFilter, SessionId, WhenFull};

use super::{Story, refusal};

impl Story<'_> {
    pub(super) async fn ports_run_out(&mut self, hotline: SessionId) -> anyhow::Result<()> {
        self.narrator.chapter("Two ports for three accounts").await?;
        let (returns, press) =
            (NewAccount::on("simulated").remark("returns"), NewAccount::on("simulated").remark("press"));
        let returns = self.office.mei.add_and_start(returns, WhenFull::Fail).await?;
        self.reach(returns, CardStatus::AwaitingLogin).await?;
        let press = self.office.li.add_account(press).await?;
        self.narrator.say("Mei adds and starts a second account; Li adds a third one, to be started later:").await?;
        self.show_all().await?;

        let full = refusal(self.office.li.start(press, WhenFull::Fail).await)?;
        self.narrator.say("Li starts it:").await?;
        self.narrator.refused(&full).await?;
        let Error::PoolFull { holders, .. } = full else { bail!("not for lack of a port: {full}") };
        let mut held = Vec::new();
        for holder in holders {
            held.push(format!("{}: {}", holder.port, self.office.li.card(holder.session).await?.remark));
        }
        self.narrator.say(format_args!("The error names the holders. {}.", held.join("; "))).await?;

        let patient = WhenFull::Wait { timeout: Duration::from_secs(10) };
        let (started, stopped) = tokio::join!(self.office.li.start(press, patient), self.office.mei.stop(returns));
        ensure!(started?.port.is_some() && stopped?.port.is_none(), "the port did not change hands");
        self.reach(press, CardStatus::AwaitingLogin).await?;
        self.narrator.say("So Li waits in line. Mei stops the second account, and its port goes to the third:").await?;
        self.show_all().await?;

        let before = self.office.li.card(hotline).await?;
        self.office.li.restart(hotline).await?;
        let after = self.reach(hotline, CardStatus::Online).await?;
        ensure!(before.port == after.port && before.since != after.since, "restart is to keep the port");
        self.narrator.say("Li restarts the hotline. It comes back on the same port, without a scan:").await?;
        self.narrator.cards(&[after]).await?;
        Ok(())
    }

    pub(super) async fn stop_and_start(&mut self, hotline: SessionId) -> anyhow::Result<()> {
        self.narrator.chapter("Stopped, and started again").await?;
        let refused = refusal(self.office.mei.delete(hotline).await)?;
        self.narrator.say("Mei tries to delete the hotline:").await?;
        self.narrator.refused(&refused).await?;
        let card = self.office.mei.stop(hotline).await?;
        self.narrator.say("She stops it. Its port is free:").await?;
        self.narrator.cards(&[card]).await?;
        self.narrator.say("Offline, contacts and history stay readable. What was said with Bo:").await?;
        let bo = self.bo.clone();
        self.show_conversation(hotline, &bo, "Bo").await?;

        self.ana.write(self.phone.address(), "Hello? The blue one?");
        self.office.mei.start(hotline, WhenFull::Fail).await?;
        self.reach(hotline, CardStatus::Online).await?;
        let card = self.unread(hotline, 2).await?;
        self.narrator.say("Ana writes meanwhile. Mei starts it again: no scan, and the message comes in:").await?;
        self.narrator.cards(&[card]).await?;
        Ok(())
    }

    /// All cards, as Mei sees them.
    pub(super) async fn all_cards(&self) -> anyhow::Result<Vec<Card>> {
        Ok(self.office.mei.cards(&SessionFilter::default(), Page::first(10)).await?)
    }

    pub(super) async fn show_all(&mut self) -> anyhow::Result<()> {
        let cards = self.all_cards().await?;
        Ok(self.narrator.cards(&cards).await?)
    }
}

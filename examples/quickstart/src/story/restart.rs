//! The process ends, politely and not, and comes back.

use anyhow::ensure;
use seatport::conversation::Content;
use seatport::{Card, MessageId, SessionId};

use super::{Office, Story};

impl<'a> Story<'a> {
    /// Answers the message that was written while nobody was there.
    pub(super) async fn come_back(mut self, hotline: SessionId) -> anyhow::Result<(Story<'a>, MessageId)> {
        self.narrator.chapter("The process ends, and comes back").await?;
        let before = self.all_cards().await?;
        self.office.close().await;
        self.office = Office::open(self.database, &self.network).await?;
        self.all_back(&before).await?;
        self.narrator.say("The host shuts down, and builds Seatport again on the same file.").await?;
        self.narrator.say("What ran is back, on its port and without a scan; what was stopped stays stopped:").await?;
        self.show_all().await?;

        let before = self.all_cards().await?;
        self.office.crash().await?;
        let text = "Thank you, it is here!";
        let missed = self.bo.write(self.phone.address(), text);
        self.office = Office::open(self.database, &self.network).await?;
        self.all_back(&before).await?;
        self.unread(hotline, 3).await?;
        let conversation = self.conversation(hotline, &self.bo).await?;
        let copies =
            conversation.iter().filter(|stored| stored.message.content == Content::Text(text.to_owned())).count();
        ensure!(copies == 1, "the message is there {copies} times");
        self.narrator.say("Now it ends as in a crash: nothing is closed. Bo writes into the gap.").await?;
        self.narrator.say("The host comes back, and so does everything; Bo's message is there, once:").await?;
        self.show_all().await?;
        Ok((self, missed))
    }

    /// Waits until what ran before runs again, as it did.
    async fn all_back(&self, before: &[Card]) -> anyhow::Result<()> {
        for card in before.iter().filter(|card| card.port.is_some()) {
            let now = self.reach_anew(card.session, card.status, card.since).await?;
            ensure!(now.port == card.port, "port {:?} became {:?}", card.port, now.port);
        }
        Ok(())
    }
}

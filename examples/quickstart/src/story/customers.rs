//! Customers write; the card is kept up to date.

use seatport::{AgentId, Cursors, EventBody, SessionId};

use super::{Story, read_until};

impl Story<'_> {
    /// Answers how far a follower of the event feed has read, as it would keep it.
    pub(super) async fn customers_write(&mut self, hotline: SessionId) -> anyhow::Result<String> {
        self.narrator.chapter("Customers write").await?;
        let account = self.phone.address();
        self.ana.write(account, "Is the blue kettle in stock?");
        let one = self.unread(hotline, 1).await?;
        self.bo.write(account, "My parcel has not come.");
        let last = self.bo.write(account, "The number is 4711.");
        let three = self.unread(hotline, 3).await?;
        self.narrator.say("Ana writes, then Bo twice, and the unread count grows:").await?;
        self.narrator.cards(&[one, three]).await?;

        // What follows the event feed need not be there all the time: it keeps a bookmark.
        let mut feed = self.office.mei.events(Cursors::default()).await?;
        read_until(&mut feed, |body| matches!(body, EventBody::MessageStored { id, .. } if *id == last)).await?;
        let bookmark = serde_json::to_string(feed.cursors())?;

        let card = self.office.mei.set_remark(hotline, "hotline, busy at noon").await?;
        self.narrator.say("Mei edits the remark on the card:").await?;
        self.narrator.cards(&[card]).await?;
        let card = self.office.mei.assign(hotline, Some(&AgentId::new("chen")?)).await?;
        self.narrator.say("She changes the agent from Li to Chen, while the account is online:").await?;
        self.narrator.cards(&[card]).await?;
        Ok(bookmark)
    }
}

//! What agents do, and what they may not.

use seatport::conversation::MessageStatus;
use seatport::{AgentId, Cursors, EventBody, SendOptions, SessionId};

use super::{Story, read_until, refusal};

impl Story<'_> {
    pub(super) async fn agents_work(&mut self, hotline: SessionId) -> anyhow::Result<()> {
        self.narrator.chapter("The agents at work").await?;
        let refused = refusal(self.office.li.assign(hotline, Some(&AgentId::new("li")?)).await)?;
        self.narrator.say("Li would like to have the account back, and tries to bind himself:").await?;
        self.narrator.refused(&refused).await?;
        let refused = refusal(self.office.li.audit(0, 10).await)?;
        self.narrator.say("He tries to see who has done what:").await?;
        self.narrator.refused(&refused).await?;

        let (bo, account) = (self.bo.clone(), self.phone.address().clone());
        self.office.chen.mark_read(hotline, bo.address()).await?;
        let card = self.unread(hotline, 1).await?;
        self.narrator
            .say("Everything else agents may do too. Chen opens the chat with Bo, and it counts as read:")
            .await?;
        self.narrator.cards(&[card]).await?;

        let mut feed = self.office.chen.events(Cursors::default()).await?;
        let answer = self
            .office
            .chen
            .send_text(hotline, bo.address(), "It comes today, before six.", SendOptions::default())
            .await?;
        self.narrator.say("Chen answers:").await?;
        self.show_conversation(hotline, &bo, "Bo").await?;
        let has_become = |wanted| {
            let answer = &answer;
            move |body: &EventBody| match body {
                EventBody::MessageStatusChanged { id, status, .. } => id == answer && *status == wanted,
                _ => false,
            }
        };
        read_until(&mut feed, has_become(MessageStatus::Sent)).await?;
        bo.confirm(&account, &answer);
        read_until(&mut feed, has_become(MessageStatus::Delivered)).await?;
        bo.read(&account, &answer);
        read_until(&mut feed, has_become(MessageStatus::Read)).await?;
        self.narrator
            .say("The network takes it, it reaches Bo's phone, and Bo reads it: sent, delivered, read.")
            .await?;
        Ok(())
    }
}

//! What is on record: events and audit trail.

use seatport::{Event, EventBody, MessageId, Outcome, SessionId};

use super::{Story, read_until};

/// How many events a line shows.
const IN_A_LINE: usize = 3;

impl Story<'_> {
    pub(super) async fn look_up(
        &mut self,
        hotline: SessionId,
        bookmark: &str,
        missed: &MessageId,
    ) -> anyhow::Result<()> {
        self.narrator.chapter("What is on record").await?;
        let mut feed = self.office.mei.events(serde_json::from_str(bookmark)?).await?;
        let is_last = |body: &EventBody| matches!(body, EventBody::MessageStored { id, .. } if id == missed);
        let mut events = read_until(&mut feed, is_last).await?;
        events.retain(|event| event.session == hotline);
        self.narrator
            .say("Somebody followed the event feed until the first customers had written. The feed goes on from there:")
            .await?;
        for line in events.chunks(IN_A_LINE) {
            let line: String = line.iter().map(|event| format!("{:<32}", words(event))).collect();
            self.narrator.show(line.trim_end()).await?;
        }

        let trail = self.office.mei.audit(0, 1000).await?;
        self.narrator
            .say(format_args!("The audit trail has {} lines. What was refused is among them:", trail.len()))
            .await?;
        for line in trail.iter().filter(|line| line.entry.outcome != Outcome::Done) {
            let (entry, why) = (
                &line.entry,
                match line.entry.outcome {
                    Outcome::Denied => "not allowed to",
                    _ => "not in this state",
                },
            );
            self.narrator.show(format_args!("line {}: {}, {}: {why}", line.number, entry.agent, entry.action)).await?;
        }
        let head = self.office.mei.verify_audit(None).await?;
        self.narrator
            .say("Each line is chained to the one before, and none was changed. To be kept elsewhere:")
            .await?;
        self.narrator.show(format_args!("{} lines, {}", head.lines, head.hash)).await?;
        Ok(())
    }
}

/// An event in a few words.
fn words(event: &Event) -> String {
    let body = match &event.body {
        EventBody::Added => "added".to_owned(),
        EventBody::StatusChanged { status, .. } => status.to_string(),
        EventBody::LoggedIn { .. } => "logged in".to_owned(),
        EventBody::LoggedOut => "logged out".to_owned(),
        EventBody::AgentChanged { agent: Some(agent) } => format!("agent is {agent}"),
        EventBody::AgentChanged { agent: None } => "no agent".to_owned(),
        EventBody::RemarkChanged => "remark changed".to_owned(),
        EventBody::EnvironmentChanged => "environment changed".to_owned(),
        EventBody::MessageStored { chat, inbound: true, .. } => format!("message from {chat}"),
        EventBody::MessageStored { chat, .. } => format!("message to {chat}"),
        EventBody::MessageStatusChanged { status, .. } => format!("message is {status}"),
        EventBody::ChatRead { chat } => format!("read {chat}"),
        other => format!("{other:?}"),
    };
    format!("{} {body}", event.seq)
}

//! What a connection says, and what is stored of it.

use tokio::time::Instant;

use super::{Actor, Exit};
use crate::conversation::{Author, Direction, Message, MessageStatus};
use crate::lifecycle::{Account, Input, Lifecycle, Reason, ReasonKind};
use crate::runtime::timing::after;
use crate::storage::{Incoming, ReadMark};
use crate::transport::{Ack, InboundMessage, LoginChallenge, Signal, TransportCommand};

impl Actor {
    pub(super) async fn on_signal(&mut self, signal: Signal) -> Result<(), Exit> {
        let (timing, now) = (&self.node.timing, Instant::now());
        match (self.stored.record.facts.lifecycle, &signal) {
            // Whatever it says, it is alive.
            (Lifecycle::Online, _) => self.deadline = Some(now + timing.proof_of_life),
            // What was written meanwhile comes before it is online. However much that is, dialling goes well.
            (Lifecycle::Connecting { .. }, Signal::Messages { .. }) => self.deadline = Some(now + timing.dial),
            _ => {}
        }
        match signal {
            Signal::Alive => Ok(()),
            Signal::Challenge(challenge) => self.on_challenge(challenge).await,
            Signal::Paired { account, redial } => {
                let input = |account| Input::Paired { account, redial };
                self.on_account(account, input).await
            }
            Signal::Ready { account } => self.on_account(account, |account| Input::Ready { account }).await,
            Signal::Messages { messages, ack } => self.on_messages(messages, ack).await,
            Signal::Status { chat, ids, status } => self.update(chat, ids, status).await,
            Signal::Read { chat, up_to } => {
                let mut commit = self.conversation_commit();
                commit.read.push(ReadMark { chat, up_to });
                self.commit(commit).await.map(drop)
            }
            Signal::LoginExpired => self.apply(Input::LoginExpired).await,
            Signal::Lost(reason) => self.apply(Input::Lost(reason)).await,
            Signal::Rejected(reason) => self.apply(Input::Rejected(reason)).await,
        }
    }

    async fn on_challenge(&mut self, challenge: LoginChallenge) -> Result<(), Exit> {
        let left = challenge.expires_at.since(self.node.now());
        // Before the commit, so that a card which says that it awaits login has a code to show.
        self.node.set_challenge(self.stored.record.id, Some(challenge));
        self.apply(Input::Challenge).await?;
        if self.stored.record.facts.lifecycle == Lifecycle::AwaitingLogin {
            self.deadline = Some(after(left.saturating_add(self.node.timing.challenge_grace)));
        } else {
            self.node.set_challenge(self.stored.record.id, None);
        }
        Ok(())
    }

    /// Somebody logged in: the account that belongs here, or a stranger.
    async fn on_account(&mut self, account: Account, input: impl FnOnce(Account) -> Input) -> Result<(), Exit> {
        let known = self.stored.record.facts.account.as_ref();
        let stranger = known.is_some_and(|known| known.address != account.address);
        if !stranger || self.node.allow_account_change {
            return self.apply(input(account)).await;
        }
        self.apply(Input::Rejected(Reason::new(ReasonKind::AccountMismatch))).await?;
        if let Some(link) = self.link.take() {
            // The stranger's phone now lists this device; take it off again.
            link.farewell(TransportCommand::LogOut, self.node.timing.stop);
        }
        Ok(())
    }

    async fn on_messages(&mut self, messages: Vec<InboundMessage>, ack: Ack) -> Result<(), Exit> {
        let mut commit = self.conversation_commit();
        commit.messages = messages.into_iter().map(incoming).collect();
        self.commit(commit).await?;
        ack.stored();
        Ok(())
    }
}

fn incoming(inbound: InboundMessage) -> Incoming {
    let (direction, author, status) = match inbound.from_account {
        true => (Direction::Outbound, Some(Author::Device), MessageStatus::Sent),
        false => (Direction::Inbound, None, MessageStatus::Delivered),
    };
    let message = Message {
        chat: inbound.chat,
        id: inbound.id,
        direction,
        sender: inbound.sender,
        author,
        content: inbound.content,
        at: inbound.at,
        status,
    };
    Incoming { message, sender_name: inbound.sender_name }
}

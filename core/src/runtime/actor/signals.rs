//! What a connection says.

use super::{Actor, Exit};
use crate::lifecycle::{Account, Input, Lifecycle, Reason, ReasonKind};
use crate::runtime::timing::after;
use crate::storage::ReadMark;
use crate::transport::{LoginChallenge, Signal, TransportCommand};

impl Actor {
    pub(super) async fn on_signal(&mut self, signal: Signal) -> Result<(), Exit> {
        self.heard(false);
        match signal {
            Signal::Alive => {}
            Signal::Challenge(challenge) => self.on_challenge(challenge).await?,
            Signal::Paired { account, redial } => {
                let input = |account| Input::Paired { account, redial };
                self.on_account(account, input).await?;
            }
            Signal::Ready { account } => self.on_account(account, |account| Input::Ready { account }).await?,
            Signal::Messages { messages, ack } => self.on_messages(messages, ack),
            Signal::Amendments { amendments, ack } => self.on_amendments(amendments, ack),
            Signal::History { history, ack } => self.on_history(*history, ack),
            Signal::Contacts(contacts) => self.on_contacts(contacts),
            Signal::Chats(chats) => self.on_chats(chats),
            Signal::Identities(same) => self.on_identities(same).await?,
            Signal::Status { chat, ids, status } => self.update(chat, ids, status, None).await?,
            Signal::Read { chat, up_to } => {
                let mut commit = self.conversation_commit();
                commit.read.push(ReadMark { chat, up_to, tell: false });
                self.commit(commit).await?;
            }
            Signal::LoginExpired => self.apply(Input::LoginExpired).await?,
            Signal::Lost(reason) => self.apply(Input::Lost(reason)).await?,
            Signal::Rejected(reason) => self.apply(Input::Rejected(reason)).await?,
        }
        Ok(())
    }

    async fn on_challenge(&mut self, challenge: LoginChallenge) -> Result<(), Exit> {
        let left = challenge.expires_at.since(self.node.now());
        // Before the commit, so that a card which says that it awaits login has a code to show.
        self.login_code.show(self.stored.record.facts.generation, challenge);
        self.apply(Input::Challenge).await?;
        if self.stored.record.facts.lifecycle == Lifecycle::AwaitingLogin {
            self.deadline = Some(after(left.saturating_add(self.node.timing.challenge_grace)));
        } else {
            self.login_code.withdraw();
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
}

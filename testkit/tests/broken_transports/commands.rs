//! What the connection is told, done wrongly.

use seatport::conversation::Content;
use seatport::transport::{SendError, TransportCommand};
use seatport::{Address, MessageId};
use tokio::sync::oneshot;

use crate::Defect;
use crate::relay::{Next, Relay};
use crate::signals::mangled;

type Done = oneshot::Sender<Result<(), SendError>>;

impl Relay {
    pub(crate) async fn on_command(&mut self, command: TransportCommand) -> Next {
        match (self.transport.defect, command) {
            (Some(Defect::IgnoresClose), TransportCommand::Close) => return Next::On,
            (Some(Defect::ClosesOnlyWhoIsOnline), TransportCommand::Close) if !self.online => return Next::On,
            (Some(Defect::ClosesWithoutEnding), TransportCommand::Close | TransportCommand::LogOut) => {
                return Next::Hang;
            }
            (Some(Defect::ClosesInsteadOfLoggingOut), TransportCommand::LogOut) => {
                self.pass(TransportCommand::Close).await;
            }
            (Some(Defect::PutsReadingOff), TransportCommand::MarkRead { done, .. }) => {
                let _ = done.send(Err(SendError::Later("not now".into())));
            }
            (Some(Defect::EndsWhenToldTwice), TransportCommand::MarkRead { chat, messages, done }) => {
                if messages.iter().any(|(id, _)| self.told.contains(id)) {
                    return Next::End;
                }
                self.told.extend(messages.iter().map(|(id, _)| id.clone()));
                self.pass(TransportCommand::MarkRead { chat, messages, done }).await;
            }
            (_, TransportCommand::Send { chat, id, content, quoted, done }) => {
                return self.send(chat, id, content, quoted, done).await;
            }
            (_, command) => self.pass(command).await,
        }
        Next::On
    }

    async fn send(
        &mut self,
        chat: Address,
        id: MessageId,
        content: Content,
        quoted: Option<MessageId>,
        done: Done,
    ) -> Next {
        let content = mangled(self.transport.defect, content);
        let is_empty = matches!(&content, Content::Text(text) if text.is_empty());
        let fresh = || MessageId::new(self.context.random.below(u64::MAX).to_string()).expect("an id");
        let mut command = TransportCommand::Send { chat: chat.clone(), id, content: content.clone(), quoted, done };
        match (self.transport.defect, &mut command) {
            (Some(Defect::TakesMediaAndSendsNone | Defect::SendsNothing), _)
                if self.is(Defect::SendsNothing) || matches!(content, Content::Media(_)) =>
            {
                answer(command, Ok(()));
                return Next::On;
            }
            (_, _) if matches!(content, Content::Media(_)) => {
                answer(command, Err(SendError::Refused("this transport sends no media".into())));
                return Next::On;
            }
            (Some(Defect::PutsEmptyTextsOff), _) if is_empty => {
                answer(command, Err(SendError::Later("nothing to say".into())));
                return Next::On;
            }
            (Some(Defect::EndsOnEmptyTexts), _) if is_empty => {
                answer(command, Err(SendError::Refused("nothing to say".into())));
                return Next::End;
            }
            (Some(Defect::SendsTwice), _) => {
                let (done, _) = oneshot::channel();
                let id = fresh();
                self.pass(TransportCommand::Send { chat, id, content, quoted: None, done }).await;
            }
            (Some(Defect::SendsUnderNewIds), TransportCommand::Send { id, .. }) => *id = fresh(),
            (Some(Defect::NeverAnswers | Defect::AnswersBeforeTheNetwork), TransportCommand::Send { done, .. }) => {
                let (unheard, _) = oneshot::channel();
                let done = std::mem::replace(done, unheard);
                match self.is(Defect::NeverAnswers) {
                    true => self.transport.memory.unanswered.lock().push(done),
                    false => drop(done.send(Ok(()))),
                }
            }
            (Some(Defect::SendsForTheFirstSession), _) => {
                let first = self.transport.memory.commands.lock().iter().find(|first| !first.is_closed()).cloned();
                if let Some(first) = first {
                    let _ = first.send(command).await;
                }
                return Next::On;
            }
            _ => {}
        }
        self.pass(command).await;
        Next::On
    }

    async fn pass(&self, command: TransportCommand) {
        // An error hands the command back and drops whoever was to answer.
        let _ = self.inner.commands.send(command).await;
    }
}

fn answer(command: TransportCommand, answer: Result<(), SendError>) {
    if let TransportCommand::Send { done, .. } = command {
        // The suite may not wait any more.
        let _ = done.send(answer);
    }
}

//! What the connection says, told wrongly.

use seatport::conversation::{ChatKind, Content};
use seatport::lifecycle::{Reason, ReasonKind};
use seatport::transport::{Ack, ChallengeKind, InboundMessage, Signal};
use seatport::{Address, MessageId, Secret, Timestamp};

use crate::Defect;
use crate::relay::{Next, Relay};

/// A text as a careless transport carries it.
pub(crate) fn mangled(defect: Option<Defect>, content: Content) -> Content {
    match (defect, content) {
        (Some(Defect::CutsLongTexts), Content::Text(text)) => Content::Text(text.chars().take(1_000).collect()),
        (Some(Defect::SpeaksAsciiOnly), Content::Text(text)) => {
            Content::Text(text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect())
        }
        (Some(Defect::TrimsTexts), Content::Text(text)) => Content::Text(text.trim().to_owned()),
        (_, content) => content,
    }
}

impl Relay {
    pub(crate) async fn on_signal(&mut self, mut signal: Signal) -> Next {
        self.online |= matches!(signal, Signal::Ready { .. });
        *self.transport.memory.losses.lock() += u32::from(matches!(signal, Signal::Lost(_)));
        match (self.transport.defect, &mut signal) {
            (Some(Defect::NeverSaysReady), Signal::Ready { .. })
            | (Some(Defect::ShowsNoCode), Signal::Challenge(_))
            | (Some(Defect::SkipsPaired), Signal::Paired { .. })
            | (Some(Defect::KeepsQuiet), Signal::Alive)
            | (Some(Defect::HidesTheEndOfTheRound), Signal::LoginExpired)
            | (Some(Defect::HidesLosses), Signal::Lost(_)) => return Next::On,
            (Some(Defect::NoticesNoLoss), Signal::Lost(_)) => return Next::Hang,
            (Some(Defect::DialsAgainByItself), Signal::Lost(_)) => {
                self.say(signal).await;
                return self.dial_again().await;
            }
            (Some(Defect::GoesOnAfterTheRound), Signal::LoginExpired) => {
                self.say(signal).await;
                return Next::Hang;
            }
            (Some(Defect::ShowsExpiredCodes), Signal::Challenge(code)) => code.expires_at = Timestamp::from_millis(0),
            (Some(Defect::NumbersCodesFromZero), Signal::Challenge(code)) => code.sequence -= 1,
            (Some(Defect::RepeatsCodes), Signal::Challenge(challenge)) => challenge.code = Secret::new("again"),
            (Some(Defect::TakesPairingCodesForQr), Signal::Challenge(code)) => code.kind = ChallengeKind::Qr,
            (Some(Defect::ShowsCodes), Signal::Challenge(code)) => self.transport.show(code.code.expose()),
            (Some(Defect::ShowsCredentials), Signal::Paired { .. }) => {
                let credentials = self.context.vault.get("credentials").await.unwrap_or_default();
                self.transport.show(&String::from_utf8_lossy(&credentials.unwrap_or_default()));
            }
            (Some(Defect::PairsSomebodyElse), Signal::Paired { account, .. }) => {
                account.address = Address::new("somebody@else").expect("an address");
            }
            (Some(Defect::TakesLossesForRejections), Signal::Lost(reason)) => {
                signal = Signal::Rejected(reason.clone());
            }
            (Some(Defect::TakesRejectionsForLosses), Signal::Rejected(reason)) => {
                signal = Signal::Lost(reason.clone());
            }
            (Some(Defect::ForgetsWhyItWasRejected), Signal::Rejected(reason)) => {
                *reason = Reason::new(ReasonKind::Refused);
            }
            _ => {}
        }
        match signal {
            Signal::Messages { messages, ack } => self.on_messages(messages, ack).await,
            signal => self.say(signal).await,
        }
        Next::On
    }

    async fn on_messages(&mut self, mut messages: Vec<InboundMessage>, ack: Ack) {
        for message in &mut messages {
            let content = std::mem::replace(&mut message.content, Content::Deleted);
            message.content = mangled(self.transport.defect, content);
            match self.transport.defect {
                Some(Defect::TakesChatsForGroups) => message.kind = ChatKind::Group,
                Some(Defect::TakesEverySenderForTheAccount) => message.from_account = true,
                Some(Defect::RenumbersMessages) => {
                    let number = self.context.random.below(u64::MAX);
                    message.id = MessageId::new(number.to_string()).expect("an id");
                }
                _ => {}
            }
        }
        let mut told = ack;
        match self.transport.defect {
            Some(Defect::AcknowledgesAtOnce) => std::mem::replace(&mut told, Ack::unneeded()).stored(),
            Some(Defect::NeverAcknowledges) => {
                let kept = std::mem::replace(&mut told, Ack::unneeded());
                self.transport.memory.acks.lock().push(kept);
            }
            Some(Defect::ReversesBatches) => messages.reverse(),
            Some(Defect::LosesWhatCameMeanwhile) if !self.first_dial => return told.stored(),
            Some(Defect::TellsEverySession) => {
                let others = self.transport.memory.signals.lock().clone();
                for other in others.iter().filter(|other| !other.same_channel(&self.signals)) {
                    let copy = Signal::Messages { messages: messages.clone(), ack: Ack::unneeded() };
                    let _ = other.send(copy).await;
                }
            }
            Some(Defect::DropsWhatDoesNotFit) => {
                if let Err(full) = self.signals.try_send(Signal::Messages { messages, ack: told })
                    && let Signal::Messages { ack, .. } = full.into_inner()
                {
                    ack.stored();
                }
                return;
            }
            _ => {}
        }
        self.say(Signal::Messages { messages, ack: told }).await;
    }

    async fn say(&self, signal: Signal) {
        // An error means that the suite has dropped the connection.
        let _ = self.signals.send(signal).await;
    }
}

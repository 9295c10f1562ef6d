//! One chat of the history, as Seatport knows it.

use seatport::conversation::{Amendment, AmendmentChange, ChatKind, ChatUpdate, ContactUpdate, Content, Coverage};
use seatport::transport::InboundMessage;
use seatport::{Address, MessageId, Timestamp};
use whatsapp_rust::prelude::wa;
use whatsapp_rust::waproto::whatsapp::conversation::EndOfHistoryTransferType;
use whatsapp_rust::{Client, Jid};

use super::system;
use crate::address::{self, by_number, kind, phone};
use crate::amendment::change;
use crate::content::{content, quoted};

/// What the phone writes for a name that it does not know.
const NO_NAME: &str = "-";
/// Where a chat is silent for good: the year 9999.
const FOR_EVER: Timestamp = Timestamp::from_millis(253_402_300_799_000);
/// From here on a number counts milliseconds and no longer seconds.
const SURELY_MILLIS: u64 = 100_000_000_000;

/// A chat as the phone tells of it.
pub(super) struct Told {
    pub(super) place: Place,
    pub(super) update: ChatUpdate,
    pub(super) contact: Option<ContactUpdate>,
    pub(super) messages: Vec<wa::HistorySyncMsg>,
}

/// Where its messages belong.
pub(super) struct Place {
    chat: Address,
    kind: ChatKind,
    /// Whom it is with, as the phone writes it.
    with: Jid,
    own: Address,
}

/// A message as the phone tells of it.
#[derive(Default)]
pub(super) struct Said {
    pub(super) message: Option<InboundMessage>,
    pub(super) amendments: Vec<Amendment>,
}

impl Told {
    /// None for what the phone lists elsewhere than among its chats.
    pub(super) async fn read(client: &Client, told: wa::Conversation) -> Option<Self> {
        let with: Jid = told.id.parse().ok()?;
        let kind = kind(&with)?;
        let also = [&told.pn_jid, &told.new_jid].into_iter().flatten().find_map(|jid| jid.parse().ok());
        let chat = by_number(client, &with, also.as_ref()).await?;
        let own = address::own(client)?;
        let contact = name(told.name.as_deref()).map(|name| {
            let contact = ContactUpdate::new(chat.clone());
            match kind {
                // A group calls itself so; a person is called so by the account's owner.
                ChatKind::Person => ContactUpdate { phone: phone(&chat), saved_name: Some(name), ..contact },
                _ => ContactUpdate { name: Some(name), ..contact },
            }
        });
        let active_at = told.conversation_timestamp.or(told.last_msg_timestamp).filter(|at| *at > 0);
        let update = ChatUpdate {
            phone: phone(&chat).filter(|_| kind == ChatKind::Person),
            archived: told.archived,
            muted_until: told.mute_end_time.map(silent_until),
            coverage: coverage(&told),
            active_at: active_at.map(seconds),
            ..ChatUpdate::new(chat.clone(), kind)
        };
        let messages = told.messages;
        Some(Self { place: Place { chat, kind, with, own }, update, contact, messages })
    }
}

/// How far back the chat goes, if anything of it came along.
fn coverage(told: &wa::Conversation) -> Option<Coverage> {
    let times = told.messages.iter().filter_map(|said| said.message.as_option()?.message_timestamp);
    let complete = match told.end_of_history_transfer_type {
        Some(end) => end == EndOfHistoryTransferType::COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY,
        None => false,
    };
    Some(Coverage { oldest: times.filter(|at| *at > 0).min().map(seconds)?, complete })
}

/// The message, and what was done to it: the phone writes both down together.
pub(super) async fn said(client: &Client, place: &Place, said: wa::HistorySyncMsg) -> Option<Said> {
    let told = said.message.into_option()?;
    let key = told.key.as_option()?;
    let id = MessageId::new(key.id.as_deref()?).ok()?;
    let from_account = key.from_me == Some(true);
    let participant = key.participant.as_deref().or(told.participant.as_deref());
    let sender = whose(client, place, from_account, participant).await?;
    let at = seconds(told.message_timestamp.filter(|at| *at > 0)?);

    let mut found = Said::default();
    if let Some(message) = told.message.as_option()
        && let Some(change) = change(message)
    {
        found.amendments.push(change.amendment(place.chat.clone(), id, sender, at));
        return Some(found);
    }
    for reaction in &told.reactions {
        found.amendments.extend(reacted(client, place, &id, reaction, at).await);
    }
    let system = told.message_stub_type.and_then(|stub| system::content(stub, &told.message_stub_parameters));
    let (content, quoted) = match told.message.as_option() {
        Some(message) => (content(message).or(system), quoted(message)),
        None => (system, None),
    };
    let content = content?;
    // What the network says by itself nobody sent from here.
    let from_account = from_account && !matches!(content, Content::System(_));
    found.message = Some(InboundMessage {
        chat: place.chat.clone(),
        kind: place.kind,
        phone: phone(&place.chat).filter(|_| place.kind == ChatKind::Person),
        id,
        sender,
        sender_name: name(told.push_name.as_deref()).filter(|_| !from_account),
        from_account,
        content,
        at,
        quoted,
    });
    Some(found)
}

/// Who wrote it: the account, a member of the group, or the person the chat is with.
async fn whose(client: &Client, place: &Place, is_own: bool, participant: Option<&str>) -> Option<Address> {
    if is_own {
        return Some(place.own.clone());
    }
    let participant: Option<Jid> = participant.and_then(|participant| participant.parse().ok());
    match (place.kind, participant) {
        (ChatKind::Person, _) => Some(place.chat.clone()),
        (_, Some(participant)) => by_number(client, &participant, None).await,
        // A line of the group's own.
        (_, None) => by_number(client, &place.with, None).await,
    }
}

async fn reacted(
    client: &Client,
    place: &Place,
    target: &MessageId,
    reaction: &wa::Reaction,
    said_at: Timestamp,
) -> Option<Amendment> {
    let key = reaction.key.as_option()?;
    let emoji = reaction.text.clone().filter(|emoji| !emoji.is_empty())?;
    Some(Amendment {
        chat: place.chat.clone(),
        target: target.clone(),
        id: MessageId::new(key.id.as_deref()?).ok()?,
        sender: whose(client, place, key.from_me == Some(true), key.participant.as_deref()).await?,
        at: reaction.sender_timestamp_ms.map_or(said_at, Timestamp::from_millis),
        change: AmendmentChange::React(Some(emoji)),
    })
}

/// What the phone tells of people besides: what they call themselves, and what the account's owner calls them.
pub(super) async fn contacts(client: &Client, rest: wa::HistorySync) -> Vec<ContactUpdate> {
    let mut contacts = Vec::new();
    for told in rest.pushnames {
        let Some(name) = name(told.pushname.as_deref()) else { continue };
        if let Some(contact) = contact(client, told.id.as_deref()).await {
            contacts.push(ContactUpdate { name: Some(name), ..contact });
        }
    }
    for told in rest.inline_contacts {
        let Some(name) = name(told.full_name.as_deref()).or_else(|| name(told.first_name.as_deref())) else { continue };
        if let Some(contact) = contact(client, told.pn_jid.as_deref().or(told.lid_jid.as_deref())).await {
            contacts.push(ContactUpdate { saved_name: Some(name), ..contact });
        }
    }
    contacts
}

async fn contact(client: &Client, jid: Option<&str>) -> Option<ContactUpdate> {
    let jid: Jid = jid?.parse().ok()?;
    if kind(&jid)? != ChatKind::Person {
        return None;
    }
    let address = by_number(client, &jid, None).await?;
    Some(ContactUpdate { phone: phone(&address), ..ContactUpdate::new(address) })
}

fn name(told: Option<&str>) -> Option<String> {
    told.filter(|name| !name.is_empty() && *name != NO_NAME).map(str::to_owned)
}

fn seconds(at: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(at.saturating_mul(1000)).unwrap_or(i64::MAX))
}

/// Until when a chat makes no sound: 0 for one that does. A time that lies beyond all calendars, or is negative where the field
/// cannot be, means for good. The phone counts in seconds or in milliseconds.
pub(crate) fn silent_until(end: u64) -> Option<Timestamp> {
    let at = match end {
        0 => return None,
        end if end < SURELY_MILLIS => seconds(end),
        end => i64::try_from(end).map_or(FOR_EVER, Timestamp::from_millis),
    };
    Some(at.min(FOR_EVER))
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::buffa::MessageField;

    use super::*;

    #[test]
    fn a_chat_is_silent_until_the_time_that_was_set_or_for_good() {
        assert_eq!(silent_until(0), None);
        assert_eq!(silent_until(1_700_000_000), Some(Timestamp::from_millis(1_700_000_000_000)));
        assert_eq!(silent_until(1_700_000_000_000), Some(Timestamp::from_millis(1_700_000_000_000)));
        assert_eq!(silent_until(u64::MAX), Some(FOR_EVER), "-1 in a field without a sign");
    }

    #[test]
    fn a_chat_is_covered_from_its_oldest_message_on() {
        let said = |at: u64| wa::HistorySyncMsg {
            message: MessageField::some(wa::WebMessageInfo { message_timestamp: Some(at), ..Default::default() }),
            ..Default::default()
        };
        let mut chat = wa::Conversation { messages: vec![said(30), said(10), said(0), said(20)], ..Default::default() };
        let oldest = Timestamp::from_millis(10_000);
        assert_eq!(coverage(&chat), Some(Coverage { oldest, complete: false }));
        chat.end_of_history_transfer_type =
            Some(EndOfHistoryTransferType::COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY);
        assert_eq!(coverage(&chat), Some(Coverage { oldest, complete: true }));
        chat.messages.clear();
        assert_eq!(coverage(&chat), None, "nothing of it came along");
    }
}

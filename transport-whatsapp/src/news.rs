//! What the account's other devices and the network say about people and chats.

use seatport::conversation::{ChatKind, ChatUpdate, ContactUpdate};
use seatport::transport::Signal;
use seatport::{Address, MessageId};
use whatsapp_rust::lid_pn_cache::LearningSource;
use whatsapp_rust::prelude::Event;
use whatsapp_rust::wacore::stanza::groups::GroupNotificationAction;
use whatsapp_rust::wacore::types::events::{
    ContactUpdate as AddressBookEntry, MarkChatAsReadUpdate, MuteUpdate, PictureUpdate,
};
use whatsapp_rust::{Client, Jid};

use crate::address::{address, by_number, kind, phone};
use crate::history::silent_until;

/// How many are handed over at once.
const AT_ONCE: usize = 200;

/// What was said and is not handed over yet: after a login the whole address book comes, entry by entry.
#[derive(Debug, Default)]
pub(crate) struct News {
    contacts: Vec<ContactUpdate>,
    chats: Vec<ChatUpdate>,
}

impl News {
    /// Notes what the event says, if it says something of the kind.
    pub(crate) async fn note(&mut self, client: &Client, event: &Event) {
        match event {
            Event::ContactUpdate(event) => self.contacts.extend(saved(client, event).await),
            Event::PictureUpdate(event) => self.contacts.extend(picture(client, event).await),
            Event::GroupUpdate(event) => {
                if let GroupNotificationAction::Subject { subject, .. } = &event.action
                    && let Some(group) = address(&event.group_jid)
                {
                    self.contacts.push(ContactUpdate { name: Some(subject.clone()), ..ContactUpdate::new(group) });
                }
            }
            Event::ArchiveUpdate(event) => {
                let archived = event.action.archived;
                self.chats.extend(chat(client, &event.jid).await.map(|chat| ChatUpdate { archived, ..chat }));
            }
            Event::MuteUpdate(event) => {
                let muted_until = Some(muted(event).and_then(silent_until));
                self.chats.extend(chat(client, &event.jid).await.map(|chat| ChatUpdate { muted_until, ..chat }));
            }
            _ => {}
        }
    }

    /// Whether it is time to hand over, though more may come.
    pub(crate) fn is_full(&self) -> bool {
        self.contacts.len() >= AT_ONCE || self.chats.len() >= AT_ONCE
    }

    /// What was noted.
    pub(crate) fn take(&mut self) -> Vec<Signal> {
        let Self { contacts, chats } = std::mem::take(self);
        let contacts = (!contacts.is_empty()).then_some(Signal::Contacts(contacts));
        contacts.into_iter().chain((!chats.is_empty()).then_some(Signal::Chats(chats))).collect()
    }
}

async fn chat(client: &Client, jid: &Jid) -> Option<ChatUpdate> {
    let kind = kind(jid)?;
    let address = by_number(client, jid, None).await?;
    let phone = phone(&address).filter(|_| kind == ChatKind::Person);
    Some(ChatUpdate { phone, ..ChatUpdate::new(address, kind) })
}

/// An entry of the address book. It may say who is whom, too.
async fn saved(client: &Client, event: &AddressBookEntry) -> Option<ContactUpdate> {
    let action = &event.action;
    let jid = |told: &Option<String>| told.as_deref().and_then(|jid| jid.parse::<Jid>().ok());
    let (lid, pn) = (jid(&action.lid_jid), jid(&action.pn_jid));
    let own_pn = pn.or_else(|| Some(event.jid.clone())).filter(Jid::is_pn);
    if let (Some(lid), Some(pn)) = (lid.filter(Jid::is_lid), &own_pn) {
        let learnt = client.add_lid_pn_mapping(lid.user_base(), pn.user_base(), LearningSource::Other).await;
        if let Err(error) = learnt {
            tracing::debug!(%error, "who is whom could not be kept");
        }
    }
    let told = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
    let saved_name = Some(told(&action.full_name).or_else(|| told(&action.first_name))?);
    if kind(&event.jid)? != ChatKind::Person {
        return None;
    }
    let address = by_number(client, &event.jid, own_pn.as_ref()).await?;
    Some(ContactUpdate { phone: phone(&address), saved_name, ..ContactUpdate::new(address) })
}

/// The picture as the network numbers it: what it shows has to be asked for.
async fn picture(client: &Client, event: &PictureUpdate) -> Option<ContactUpdate> {
    kind(&event.jid)?;
    let address = by_number(client, &event.jid, None).await?;
    let avatar = match event.removed {
        true => Some(None),
        false => Some(Some(event.picture_id.clone()?)),
    };
    Some(ContactUpdate { phone: phone(&address), avatar, ..ContactUpdate::new(address) })
}

/// The end as the network writes it: 0 for a chat that is not muted, beyond all times for one that is for good.
fn muted(event: &MuteUpdate) -> Option<u64> {
    let action = &event.action;
    match (action.muted, action.mute_end_timestamp) {
        (Some(true), Some(end)) if end > 0 => u64::try_from(end).ok(),
        (Some(true), _) => Some(u64::MAX),
        _ => None,
    }
}

/// A chat that was marked as read elsewhere: up to which messages, or all of it.
pub(crate) async fn read_elsewhere(client: &Client, event: &MarkChatAsReadUpdate) -> Vec<Signal> {
    // What the account's state says at the login may be older than what has come in since.
    if event.from_full_sync || event.action.read != Some(true) {
        return Vec::new();
    }
    let Some(chat) = by_number(client, &event.jid, None).await else { return Vec::new() };
    let range = event.action.message_range.as_option();
    let named = range.into_iter().flat_map(|range| &range.messages);
    let ids: Vec<_> =
        named.filter_map(|message| MessageId::new(message.key.as_option()?.id.as_deref()?).ok()).collect();
    // Not each of them need be a message that is shown: each moves the mark as far as it goes.
    match ids.is_empty() {
        true => vec![read(chat, None)],
        false => ids.into_iter().map(|id| read(chat.clone(), Some(id))).collect(),
    }
}

fn read(chat: Address, up_to: Option<MessageId>) -> Signal {
    Signal::Read { chat, up_to }
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::prelude::wa::sync_action_value::MuteAction;

    use super::*;

    #[test]
    fn a_chat_is_muted_for_a_while_or_for_good_or_not() {
        let of = |told: Option<bool>, end: Option<i64>| {
            let action = Box::new(MuteAction { muted: told, mute_end_timestamp: end, ..Default::default() });
            let event = MuteUpdate::builder()
                .jid("5522@s.whatsapp.net".parse().unwrap())
                .timestamp(whatsapp_rust::chrono::Utc::now())
                .action(action)
                .from_full_sync(false)
                .build();
            muted(&event)
        };
        assert_eq!(of(Some(true), Some(1_700_000_000_000)), Some(1_700_000_000_000));
        assert_eq!(of(Some(true), Some(-1)), Some(u64::MAX));
        assert_eq!(of(Some(true), None), Some(u64::MAX));
        assert_eq!(of(Some(false), Some(1_700_000_000_000)), None);
    }

    #[test]
    fn what_was_noted_is_handed_over_once() {
        let mut news = News::default();
        assert!(news.take().is_empty());
        let bob = Address::new("5522@s.whatsapp.net").unwrap();
        news.contacts = vec![ContactUpdate::new(bob.clone()); AT_ONCE];
        news.chats = vec![ChatUpdate::new(bob, ChatKind::Person)];
        assert!(news.is_full());
        assert!(
            matches!(&news.take()[..], [Signal::Contacts(contacts), Signal::Chats(_)] if contacts.len() == AT_ONCE)
        );
        assert!(news.take().is_empty() && !news.is_full());
    }
}

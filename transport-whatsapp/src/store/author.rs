//! Who wrote a message: the client keeps a secret of every message for a while, under the name of its author.

use whatsapp_rust::wacore_binary::JidExt;
use whatsapp_rust::{Client, Jid, Server};

use super::name::part;
use super::secrets::SECRET;
use super::{Store, name};

impl Store {
    /// Who wrote this message of a chat, as far as it is known: for some weeks, and not of the oldest clients' messages.
    pub(crate) async fn author(&self, client: &Client, chat: &Jid, id: &str) -> Option<Jid> {
        let mut chats = vec![chat.to_non_ad_string()];
        // A failing vault has decided the connection's fate by now.
        if !chat.is_group()
            && let Ok(Some(known)) = client.get_lid_pn_entry(chat).await
        {
            let other = match chat.is_lid() {
                true => Jid::new(&*known.phone_number, Server::Pn),
                false => Jid::new(&*known.lid, Server::Lid),
            };
            chats.push(other.to_non_ad_string());
        }
        for chat in chats {
            if let Some(author) = self.author_in(&chat, id).await {
                return Some(author);
            }
        }
        None
    }

    async fn author_in(&self, chat: &str, id: &str) -> Option<Jid> {
        let kept = self.below(&name(&[SECRET, chat])).await.ok()?;
        let mut authors = kept.iter().filter_map(|(rest, _)| rest.split_once('/'));
        authors.find(|(_, of)| part(of) == id).and_then(|(author, _)| part(author).parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::traits::{MsgSecretEntry, MsgSecretStore};

    use crate::store::tests::store;

    #[tokio::test]
    async fn the_author_of_a_message_is_found_by_its_chat_and_id() {
        let store = store().await;
        let entry = |chat: &str, sender: &str, id: &str| MsgSecretEntry {
            chat: chat.into(),
            sender: sender.into(),
            msg_id: id.into(),
            secret: [1; 32],
            expires_at: 0,
            message_ts: 0,
        };
        let (bob, carol) = ("5522@s.whatsapp.net", "95533@lid");
        let entries = vec![entry("1@g.us", bob, "A"), entry("1@g.us", carol, "B/C"), entry("2@g.us", carol, "A")];
        store.put_msg_secrets(entries).await.unwrap();
        let of = async |chat: &str, id: &str| store.author_in(chat, id).await.map(|author| author.to_string());
        assert_eq!(of("1@g.us", "A").await.as_deref(), Some(bob));
        assert_eq!(of("1@g.us", "B/C").await.as_deref(), Some(carol));
        assert_eq!(of("1@g.us", "D").await, None);
    }
}

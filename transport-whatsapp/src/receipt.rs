//! What became of messages: delivered, read by the other side, read on the phone.

use seatport::MessageId;
use seatport::conversation::MessageStatus;
use seatport::transport::Signal;
use whatsapp_rust::types::presence::ReceiptType;
use whatsapp_rust::wacore::types::events::Receipt;
use whatsapp_rust::wacore_binary::{JidExt, NodeRef};
use whatsapp_rust::{Client, Jid};

use crate::address::by_number;

/// What the other side says of messages of ours. In a group one member is enough.
pub(crate) async fn status(client: &Client, receipt: &Receipt) -> Option<Signal> {
    let status = match receipt.r#type {
        ReceiptType::Delivered | ReceiptType::Inactive => MessageStatus::Delivered,
        ReceiptType::Read | ReceiptType::Played => MessageStatus::Read,
        _ => return None,
    };
    if is_own(client, &receipt.source.sender) {
        return None;
    }
    let chat = by_number(client, &receipt.source.chat, receipt.source.sender_alt.as_ref()).await?;
    let ids = receipt.message_ids.iter().filter_map(|id| MessageId::new(id.as_str()).ok()).collect();
    Some(Signal::Status { chat, ids, status })
}

/// Whether this is the account itself, on whatever device.
fn is_own(client: &Client, jid: &Jid) -> bool {
    [client.pn(), client.lid()].iter().flatten().any(|own| own.is_same_user_as(jid))
}

/// What the account's other devices say that they have read. The client does not tell the chat, so the stanza is read.
///
/// The messages come in no order that the network promises: each moves the mark as far as it goes.
pub(crate) async fn read_elsewhere(client: &Client, stanza: &NodeRef<'_>) -> Vec<Signal> {
    let Some((chat, ids)) = own_reading(stanza, |jid| is_own(client, jid)) else { return Vec::new() };
    let Some(chat) = by_number(client, &chat, None).await else { return Vec::new() };
    let ids = ids.into_iter().filter_map(|id| MessageId::new(id).ok());
    ids.map(|id| Signal::Read { chat: chat.clone(), up_to: Some(id) }).collect()
}

/// The chat and the messages, if the stanza is a receipt for reading by the account itself.
fn own_reading(stanza: &NodeRef<'_>, is_own: impl Fn(&Jid) -> bool) -> Option<(Jid, Vec<String>)> {
    if stanza.tag != "receipt" {
        return None;
    }
    let text = |name: &str| stanza.get_attr(name).map(|value| value.as_str().into_owned());
    let jid = |name: &str| text(name).and_then(|text| text.parse::<Jid>().ok());
    let from = jid("from")?;
    match text("type")?.as_str() {
        "read-self" | "played-self" => {}
        "read" | "played" if is_own(&from) => {}
        _ => return None,
    }
    // In a group the receipt is from the group, else from the account, with the chat beside it.
    let chat = if from.is_group() { from } else { jid("recipient")? };
    let listed = stanza.children().unwrap_or_default().iter().filter(|child| child.tag == "list");
    let items = listed.flat_map(|list| list.children().unwrap_or_default());
    let listed = items.filter_map(|item| item.get_attr("id").map(|id| id.as_str().into_owned()));
    Some((chat, text("id").into_iter().chain(listed).collect()))
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::NodeBuilder;

    use super::*;

    fn reading(from: &str, kind: &str, recipient: Option<&str>) -> Option<(Jid, Vec<String>)> {
        let item = NodeBuilder::new("item").attr("id", "B").build();
        let list = NodeBuilder::new("list").children([item]).build();
        let mut receipt = NodeBuilder::new("receipt").attr("id", "A").attr("from", from).attr("type", kind);
        if let Some(recipient) = recipient {
            receipt = receipt.attr("recipient", recipient);
        }
        let receipt = receipt.children([list]).build();
        own_reading(&receipt.as_node_ref(), |jid| jid.user_base() == "me")
    }

    #[test]
    fn reading_on_the_phone_names_the_chat_and_all_messages() {
        let bob: Jid = "5522@s.whatsapp.net".parse().unwrap();
        let group: Jid = "1203@g.us".parse().unwrap();
        let ids = || vec!["A".to_owned(), "B".to_owned()];
        let me = "me@s.whatsapp.net";
        assert_eq!(reading(me, "read-self", Some("5522@s.whatsapp.net")), Some((bob.clone(), ids())));
        assert_eq!(reading(me, "read", Some("5522@s.whatsapp.net")), Some((bob, ids())));
        assert_eq!(reading("1203@g.us", "read-self", None), Some((group, ids())));
        assert_eq!(reading("5522@s.whatsapp.net", "read", None), None, "somebody else");
        assert_eq!(reading(me, "read-self", None), None, "no chat");
        assert_eq!(reading(me, "delivery", Some("5522@s.whatsapp.net")), None);
    }
}

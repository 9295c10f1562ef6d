//! The stanzas that the server sends, and how to read those it receives.

use std::time::{SystemTime, UNIX_EPOCH};

use whatsapp_rust::wacore_binary::builder::NodeBuilder;
use whatsapp_rust::wacore_binary::{Node, NodeRef};

use crate::party::Sealed;

/// The server's own address, and the domain of phone numbers.
pub(crate) const SERVER: &str = "s.whatsapp.net";

/// The seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

/// What is written on the outside of a message to a companion.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(crate) id: String,
    pub(crate) from: String,
    /// In a group or a broadcast: who of its members wrote.
    pub(crate) participant: Option<String>,
    /// On a copy of an own message: the chat it was sent to.
    pub(crate) recipient: Option<String>,
    /// The sender's other address, where the network tells it: the number of a hidden one, or the other way round.
    pub(crate) also_known_as: Option<(&'static str, String)>,
    pub(crate) push_name: Option<String>,
    pub(crate) sent_at: u64,
    /// On a change of a message: the number by which the network knows which sort.
    pub(crate) edit: Option<&'static str>,
    /// From the account's own phone to its companion, about the account itself.
    pub(crate) is_peer: bool,
}

impl Envelope {
    pub(crate) fn stanza(&self, sealed: &Sealed) -> Node {
        let mut message = NodeBuilder::new("message")
            .attr("from", self.from.clone())
            .attr("id", self.id.clone())
            .attr("t", self.sent_at.to_string())
            .attr("type", "text");
        if let Some(participant) = &self.participant {
            message = message.attr("participant", participant.clone());
        }
        if let Some(recipient) = &self.recipient {
            message = message.attr("recipient", recipient.clone());
        }
        if let Some((name, address)) = &self.also_known_as {
            message = message.attr(name, address.clone());
            if *name == "participant_pn" {
                // So the network marks a group whose members it names by their hidden addresses.
                message = message.attr("addressing_mode", "lid");
            }
        }
        if let Some(name) = &self.push_name {
            message = message.attr("notify", name.clone());
        }
        if let Some(edit) = self.edit {
            message = message.attr("edit", edit);
        }
        if self.is_peer {
            message = message.attr("category", "peer");
        }
        let body = NodeBuilder::new("enc").attr("v", "2").attr("type", sealed.kind).bytes(sealed.bytes.clone()).build();
        message.children([body]).build()
    }
}

/// A copy of a message, marked as one from the offline queue.
pub(crate) fn offline(message: &Node) -> Node {
    let mut message = message.clone();
    message.attrs.insert("offline", "1");
    message
}

pub(crate) fn offline_preview(messages: usize) -> Node {
    let count = messages.to_string();
    ib(NodeBuilder::new("offline_preview").attr("count", count.clone()).attr("message", count).build())
}

pub(crate) fn offline_end(messages: usize) -> Node {
    ib(NodeBuilder::new("offline").attr("count", messages.to_string()).build())
}

fn ib(child: Node) -> Node {
    NodeBuilder::new("ib").attr("from", SERVER).children([child]).build()
}

/// The answer to an accepted login.
pub(crate) fn success(lid: &str) -> Node {
    NodeBuilder::new("success")
        .attr("t", now().to_string())
        .attr("lid", format!("{lid}@lid"))
        .attr("props", "1")
        .attr("companion_enc_static", "")
        .build()
}

/// Offers the refs from which an unlinked device makes its QR codes.
pub(crate) fn pair_device(connection: u64, refs: usize) -> Node {
    let refs = (0..refs)
        .map(|number| NodeBuilder::new("ref").bytes(format!("2@fake-{connection}-{number}").into_bytes()).build());
    server_iq("set", &format!("pair-device-{connection}"), NodeBuilder::new("pair-device").children(refs).build())
}

/// Tells a device that a phone has taken it on.
pub(crate) fn pair_success(id: &str, jid: &str, lid: &str, identity: Vec<u8>) -> Node {
    let children = [
        NodeBuilder::new("device-identity").bytes(identity).build(),
        NodeBuilder::new("platform").attr("name", "android").build(),
        NodeBuilder::new("device").attr("jid", jid.to_owned()).attr("lid", lid.to_owned()).build(),
    ];
    server_iq("set", id, NodeBuilder::new("pair-success").children(children).build())
}

fn server_iq(kind: &'static str, id: &str, child: Node) -> Node {
    NodeBuilder::new("iq")
        .attr("from", SERVER)
        .attr("type", kind)
        .attr("id", id.to_owned())
        .attr("xmlns", "md")
        .children([child])
        .build()
}

/// Tells a device that the phone has typed a pairing code for it.
pub(crate) fn primary_hello(id: &str, pairing_ref: &[u8], wrapped_ephemeral: &[u8], identity: &[u8]) -> Node {
    let part = |tag: &'static str, bytes: &[u8]| NodeBuilder::new(tag).bytes(bytes.to_vec()).build();
    let hello = NodeBuilder::new("link_code_companion_reg")
        .attr("stage", "primary_hello")
        .children([
            part("link_code_pairing_wrapped_primary_ephemeral_pub", wrapped_ephemeral),
            part("primary_identity_pub", identity),
            part("link_code_pairing_ref", pairing_ref),
        ])
        .build();
    NodeBuilder::new("notification")
        .attr("from", SERVER)
        .attr("type", "link_code_companion_reg")
        .attr("id", id.to_owned())
        .attr("t", now().to_string())
        .children([hello])
        .build()
}

/// The server's acknowledgement of a stanza of `class`.
pub(crate) fn ack(class: &'static str, id: &str, from: &str) -> Node {
    NodeBuilder::new("ack")
        .attr("class", class)
        .attr("id", id.to_owned())
        .attr("from", from.to_owned())
        .attr("t", now().to_string())
        .build()
}

/// A receipt for messages that the companion sent, or, from the own phone, for messages that it read.
pub(crate) fn receipt(id: &str, from: &str, kind: Option<&str>, recipient: Option<&str>, more: &[&str]) -> Node {
    let mut receipt = NodeBuilder::new("receipt")
        .attr("id", id.to_owned())
        .attr("from", from.to_owned())
        .attr("t", now().to_string());
    if let Some(kind) = kind {
        receipt = receipt.attr("type", kind.to_owned());
    }
    if let Some(recipient) = recipient {
        receipt = receipt.attr("recipient", recipient.to_owned());
    }
    if !more.is_empty() {
        let items = more.iter().map(|id| NodeBuilder::new("item").attr("id", (*id).to_owned()).build());
        receipt = receipt.children([NodeBuilder::new("list").children(items).build()]);
    }
    receipt.build()
}

/// Tells that somebody has a new picture, or none any more.
pub(crate) fn picture(id: &str, from: &str, picture: Option<&str>) -> Node {
    let change = match picture {
        Some(picture) => NodeBuilder::new("set").attr("jid", from.to_owned()).attr("id", picture.to_owned()),
        None => NodeBuilder::new("delete").attr("jid", from.to_owned()),
    };
    NodeBuilder::new("notification")
        .attr("from", from.to_owned())
        .attr("type", "picture")
        .attr("id", id.to_owned())
        .attr("t", now().to_string())
        .children([change.build()])
        .build()
}

/// An attribute as text; empty where it is missing.
pub(crate) fn text(node: &NodeRef<'_>, name: &str) -> String {
    optional_text(node, name).unwrap_or_default()
}

/// An attribute as text.
pub(crate) fn optional_text(node: &NodeRef<'_>, name: &str) -> Option<String> {
    node.get_attr(name).map(|value| value.as_str().into_owned())
}

/// The content of a child, reached by its path of tags.
pub(crate) fn bytes(node: &NodeRef<'_>, path: &[&str]) -> Option<Vec<u8>> {
    node.get_optional_child_by_tag(path)?.content_bytes().map(<[u8]>::to_vec)
}

//! The server's answers to requests.

use std::sync::Arc;

use anyhow::{Context, Result};
use whatsapp_rust::wacore::iq::prekeys::OneTimePreKeyNode;
use whatsapp_rust::wacore::protocol::ProtocolNode;
use whatsapp_rust::wacore_binary::builder::NodeBuilder;
use whatsapp_rust::wacore_binary::{Jid, Node, NodeRef};

use crate::connection::{Caller, Line};
use crate::inbound;
use crate::journal::Seen;
use crate::network::{KeyBundle, LinkCode, Network, lid_jid, number_of};
use crate::refusal::StreamEnd;
use crate::settings::Settings;
use crate::stanza::{SERVER, bytes, text};

/// Handles a request, or the answer to one of the server's own.
pub(crate) async fn handle(network: &Arc<Network>, caller: &Caller, line: &Line, iq: &NodeRef<'_>) -> Result<()> {
    let id = text(iq, "id");
    match text(iq, "type").as_str() {
        "get" | "set" => request(network, caller, line, iq, &id).await,
        answer => {
            if let Some(adoption) = network.adoptions.lock().remove(&id) {
                let word = match answer {
                    "result" => Ok(()),
                    _ => Err(iq.get_optional_child("error").map(|error| text(error, "text")).unwrap_or_default()),
                };
                // The phone may have given up waiting.
                let _ = adoption.send(word);
            }
            Ok(())
        }
    }
}

async fn request(network: &Arc<Network>, caller: &Caller, line: &Line, iq: &NodeRef<'_>, id: &str) -> Result<()> {
    let namespace = text(iq, "xmlns");
    let is_set = text(iq, "type") == "set";
    match (namespace.as_str(), is_set) {
        ("passive", true) => {
            line.say(result(id, []));
            if let Caller::Companion(number) = caller
                && iq.get_optional_child("active").is_some()
            {
                inbound::activate(network, number, line).await?;
            }
        }
        ("encrypt", true) => {
            store_one_time_keys(network, caller, iq).await;
            line.say(result(id, []));
        }
        ("encrypt", false) => line.say(keys(network, iq, id).await),
        ("md", true) if iq.get_optional_child("remove-companion-device").is_some() => {
            line.say(result(id, []));
            unlink(network, caller, line).await;
        }
        ("md", true) if iq.get_optional_child("link_code_companion_reg").is_some() => {
            line.say(link_code(network, caller, iq, id)?);
        }
        ("abt", _) => {
            let props = NodeBuilder::new("props").attr("protocol", "1").attr("refresh", "86400").attr("hash", "h");
            line.say(result(id, [props.build()]));
        }
        ("privacy", _) => {
            let category = NodeBuilder::new("category").attr("name", "readreceipts").attr("value", "all").build();
            line.say(result(id, [NodeBuilder::new("privacy").children([category]).build()]));
        }
        ("blocklist", _) => line.say(result(id, [NodeBuilder::new("list").build()])),
        ("w:sync:app:state", _) => line.say(result(id, [settings(network, caller, iq).await])),
        ("usync", _) => line.say(result(id, [directory(network, iq).await])),
        ("w:profile:picture", false) => line.say(error(id, 404, "item-not-found")),
        _ => line.say(result(id, [])),
    }
    Ok(())
}

fn result(id: &str, children: impl IntoIterator<Item = Node>) -> Node {
    NodeBuilder::new("iq")
        .attr("from", SERVER)
        .attr("type", "result")
        .attr("id", id.to_owned())
        .children(children)
        .build()
}

fn error(id: &str, code: u16, why: &str) -> Node {
    let error = NodeBuilder::new("error").attr("code", code.to_string()).attr("text", why.to_owned()).build();
    NodeBuilder::new("iq")
        .attr("from", SERVER)
        .attr("type", "error")
        .attr("id", id.to_owned())
        .children([error])
        .build()
}

async fn store_one_time_keys(network: &Network, caller: &Caller, iq: &NodeRef<'_>) {
    let Caller::Companion(number) = caller else { return };
    let Some(account) = network.known_account(number) else { return };
    let Some(list) = iq.get_optional_child("list").and_then(NodeRef::children) else { return };
    let keys = list.iter().filter_map(|key| {
        let key = OneTimePreKeyNode::try_from_node_ref(key).ok()?;
        Some((key.id, key.public_bytes.try_into().ok()?))
    });
    if let Some(companion) = &mut account.lock().await.companion {
        companion.keys.one_time = keys.collect();
    }
}

/// Either how many keys the server holds for the caller, or the keys of others.
async fn keys(network: &Network, iq: &NodeRef<'_>, id: &str) -> Node {
    if iq.get_optional_child("count").is_some() {
        return result(id, [NodeBuilder::new("count").attr("value", "812").build()]);
    }
    if iq.get_optional_child("digest").is_some() {
        return error(id, 404, "item-not-found");
    }
    let wanted = iq.get_optional_child("key").and_then(NodeRef::children).unwrap_or_default();
    let mut bundles = Vec::new();
    for user in wanted {
        let Some(jid) = user.get_attr("jid").and_then(|value| value.to_jid()) else { continue };
        let number = number_of(&jid);
        bundles.push(match network.known_account(&number) {
            Some(account) => account.lock().await.phone.bundle(jid).into_node(),
            None => network.person(&number).lock().await.party.bundle(jid).into_node(),
        });
    }
    result(id, [NodeBuilder::new("list").children(bundles).build()])
}

/// What the caller does not know yet of its account's settings.
async fn settings(network: &Network, caller: &Caller, iq: &NodeRef<'_>) -> Node {
    let account = match caller {
        Caller::Companion(number) => network.known_account(number),
        Caller::Applicant(_) | Caller::Nobody => None,
    };
    match account {
        Some(account) => account.lock().await.settings.answer(iq),
        None => Settings::default().answer(iq),
    }
}

/// Who is on the network and with which devices: everybody, with a phone.
async fn directory(network: &Network, iq: &NodeRef<'_>) -> Node {
    let asked = iq.get_optional_child_by_tag(&["usync", "list"]).and_then(NodeRef::children).unwrap_or_default();
    let wants_lid = iq.get_optional_child_by_tag(&["usync", "query", "lid"]).is_some();
    let sid = iq.get_optional_child("usync").map(|usync| text(usync, "sid")).unwrap_or_default();
    let mut users = Vec::new();
    for user in asked {
        // Either by address, or by a telephone number as a person would write it.
        let by_number = || {
            let number = user.get_optional_child("contact")?.content_as_string()?;
            format!("{}@{SERVER}", number.trim_start_matches('+')).parse::<Jid>().ok()
        };
        let Some(jid) = user.get_attr("jid").and_then(|value| value.to_jid()).or_else(by_number) else { continue };
        let number = number_of(&jid);
        let phone = NodeBuilder::new("device").attr("id", "0").build();
        let devices = NodeBuilder::new("device-list").children([phone]).build();
        let mut facts = vec![
            NodeBuilder::new("devices").children([devices]).build(),
            NodeBuilder::new("contact").attr("type", "in").build(),
        ];
        if wants_lid && network.has_hidden_address(&number) {
            facts.push(NodeBuilder::new("lid").attr("val", lid_jid(&number)).build());
        }
        users.push(NodeBuilder::new("user").attr("jid", jid).children(facts).build());
    }
    let list = NodeBuilder::new("list").children(users).build();
    NodeBuilder::new("usync").attr("sid", sid).children([list]).build()
}

/// The companion takes itself off its account.
async fn unlink(network: &Network, caller: &Caller, line: &Line) {
    let Caller::Companion(number) = caller else { return };
    let Some(account) = network.known_account(number) else { return };
    account.lock().await.companion = None;
    network.journal.record(Seen::Unlinked { account: number.clone() });
    line.end(StreamEnd::DeviceRemoved);
}

/// Both steps of linking by code, as far as the server has a part in them: it passes things on.
fn link_code(network: &Network, caller: &Caller, iq: &NodeRef<'_>, id: &str) -> Result<Node> {
    let step = iq.get_optional_child("link_code_companion_reg").context("no step of linking by code")?;
    let number = text(step, "jid").split('@').next().unwrap_or_default().to_owned();
    let Caller::Applicant(identity) = caller else { return Ok(error(id, 403, "forbidden")) };
    if text(step, "stage") == "companion_hello" {
        let applicant = network.applicants.lock().get(identity).cloned().context("the applicant has left")?;
        let reference = format!("fake-code-{}", network.next()).into_bytes();
        let wrapped_ephemeral =
            bytes(step, &["link_code_pairing_wrapped_companion_ephemeral_pub"]).context("no ephemeral key")?;
        let code = LinkCode { reference: reference.clone(), wrapped_ephemeral, applicant, finish: None };
        network.link_codes.lock().insert(number, code);
        let reference = NodeBuilder::new("link_code_pairing_ref").bytes(reference).build();
        return Ok(result(id, [NodeBuilder::new("link_code_companion_reg").children([reference]).build()]));
    }
    let bundle = KeyBundle {
        wrapped: bytes(step, &["link_code_pairing_wrapped_key_bundle"]).context("no key bundle")?,
        identity: bytes(step, &["companion_identity_public"]).context("no identity key")?,
    };
    let waiting = network.link_codes.lock().get_mut(&number).and_then(|code| code.finish.take());
    match waiting {
        Some(phone) => {
            // The phone may have given up waiting.
            let _ = phone.send(bundle);
            Ok(result(id, []))
        }
        None => Ok(error(id, 400, "bad-request")),
    }
}

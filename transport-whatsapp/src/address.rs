//! Addresses as Seatport knows them: without a device, and by phone number where that is known.

use seatport::Address;
use seatport::conversation::ChatKind;
use seatport::lifecycle::Account;
use whatsapp_rust::wacore_binary::JidExt;
use whatsapp_rust::{Client, Jid, Server};

/// The address without its device.
pub(crate) fn address(jid: &Jid) -> Option<Address> {
    Address::new(jid.to_non_ad_string()).ok()
}

/// The JID of an address.
pub(crate) fn jid(address: &Address) -> Option<Jid> {
    address.as_str().parse().ok()
}

/// Whom a chat is with; none for what the phone lists elsewhere than among its chats: status posts, channels, the assistant.
pub(crate) fn kind(chat: &Jid) -> Option<ChatKind> {
    match chat.server {
        Server::Group => Some(ChatKind::Group),
        Server::Broadcast => (!chat.is_status_broadcast()).then_some(ChatKind::Broadcast),
        // The network's own account tells everybody the same.
        Server::Pn | Server::Lid if chat.is_psa() => Some(ChatKind::Broadcast),
        Server::Pn | Server::Lid => Some(ChatKind::Person),
        _ => None,
    }
}

/// The phone number behind an address that is one.
pub(crate) fn phone(address: &Address) -> Option<String> {
    let digits = address.as_str().strip_suffix("@s.whatsapp.net")?;
    (digits.len() > 1 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.to_owned())
}

/// The account's own address.
pub(crate) fn own(client: &Client) -> Option<Address> {
    address(client.pn().or_else(|| client.lid()).as_ref()?)
}

/// The hidden address and the phone number of one person, in whichever order they come.
pub(crate) fn pair(one: &Jid, other: &Jid) -> Option<(Address, Address)> {
    let (lid, pn) = if one.is_lid() { (one, other) } else { (other, one) };
    if !(lid.is_lid() && pn.is_pn()) {
        return None;
    }
    Some((address(lid)?, address(pn)?))
}

/// The address by phone number: of `jid` itself, of `also` (what the stanza told besides), or of what the client has learnt
/// before; else the hidden one. The same person would otherwise be two chats.
pub(crate) async fn by_number(client: &Client, jid: &Jid, also: Option<&Jid>) -> Option<Address> {
    if !jid.is_lid() {
        return address(jid);
    }
    if let Some(also) = also.filter(|also| also.is_pn()) {
        return address(also);
    }
    match client.get_lid_pn_entry(jid).await {
        Ok(Some(known)) => Address::new(format!("{}@s.whatsapp.net", known.phone_number)).ok(),
        // A failing vault has decided the connection's fate by now; the hidden address is right in any case.
        Ok(None) | Err(_) => address(jid),
    }
}

/// The address as the network wants it in a stanza: the hidden one, where it is known and the account has moved to those.
pub(crate) async fn on_the_wire(client: &Client, jid: Jid) -> Jid {
    if !jid.is_pn() || !client.is_lid_migrated().await {
        return jid;
    }
    match client.get_lid_pn_entry(&jid).await {
        Ok(Some(known)) => Jid::new(&*known.lid, Server::Lid),
        Ok(None) | Err(_) => jid,
    }
}

/// The account with these addresses. `name` may be empty: not known yet.
pub(crate) fn account(pn: Option<&Jid>, lid: Option<&Jid>, name: &str) -> Option<Account> {
    let own = pn.or(lid)?;
    Some(Account {
        address: address(own)?,
        phone: pn.map(|pn| pn.user_base().to_owned()),
        name: (!name.is_empty()).then(|| name.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_device() {
        let jid: Jid = "5511999990001:7@s.whatsapp.net".parse().unwrap();
        assert_eq!(address(&jid).unwrap().as_str(), "5511999990001@s.whatsapp.net");
        let group: Jid = "120363021033254949@g.us".parse().unwrap();
        assert_eq!(address(&group).unwrap().as_str(), "120363021033254949@g.us");
    }

    #[test]
    fn only_what_the_phone_lists_as_a_chat_is_one() {
        let of = |chat: &str| kind(&chat.parse().unwrap());
        assert_eq!(of("5522@s.whatsapp.net"), Some(ChatKind::Person));
        assert_eq!(of("95522@lid"), Some(ChatKind::Person));
        assert_eq!(of("120363021033254949@g.us"), Some(ChatKind::Group));
        assert_eq!(of("1700000000@broadcast"), Some(ChatKind::Broadcast));
        assert_eq!(of("0@s.whatsapp.net"), Some(ChatKind::Broadcast));
        for other in ["status@broadcast", "120363021033254949@newsletter", "13135550002@bot"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn a_phone_number_is_read_off_an_address_that_is_one() {
        let of = |address: &str| phone(&Address::new(address).unwrap());
        assert_eq!(of("5522@s.whatsapp.net").as_deref(), Some("5522"));
        for other in ["95522@lid", "120363021033254949@g.us", "0@s.whatsapp.net", "nobody"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn a_pair_is_one_of_each() {
        let jid = |text: &str| text.parse::<Jid>().unwrap();
        let (lid, pn) = (jid("95522:3@lid"), jid("5522:3@s.whatsapp.net"));
        let expected = Some((Address::new("95522@lid").unwrap(), Address::new("5522@s.whatsapp.net").unwrap()));
        assert_eq!(pair(&lid, &pn), expected);
        assert_eq!(pair(&pn, &lid), expected);
        assert_eq!(pair(&lid, &lid), None);
        assert_eq!(pair(&pn, &jid("1203@g.us")), None);
    }

    #[test]
    fn an_account_is_known_by_its_number_first() {
        let (pn, lid): (Jid, Jid) = ("5511:7@s.whatsapp.net".parse().unwrap(), "95511:7@lid".parse().unwrap());
        let known = account(Some(&pn), Some(&lid), "Mei").unwrap();
        assert_eq!(known.address.as_str(), "5511@s.whatsapp.net");
        assert_eq!((known.phone.as_deref(), known.name.as_deref()), (Some("5511"), Some("Mei")));
        let hidden = account(None, Some(&lid), "").unwrap();
        assert_eq!((hidden.address.as_str(), hidden.phone, hidden.name), ("95511@lid", None, None));
        assert_eq!(account(None, None, "Mei"), None);
    }
}

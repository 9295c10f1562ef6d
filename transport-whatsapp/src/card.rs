//! Contact cards.

use seatport::conversation::ContactCard;
use whatsapp_rust::prelude::wa;

/// The card in a message. Several of them become one, that lists all names and numbers.
pub(crate) fn card(message: &wa::Message) -> Option<ContactCard> {
    if let Some(contact) = message.contact_message.as_option() {
        return one(contact);
    }
    let cards: Vec<_> = message.contacts_array_message.as_option()?.contacts.iter().filter_map(one).collect();
    let names: Vec<_> = cards.iter().map(|card| card.name.as_str()).collect();
    let name = names.join(", ");
    (!cards.is_empty()).then(|| ContactCard { name, phones: cards.into_iter().flat_map(|card| card.phones).collect() })
}

fn one(contact: &wa::message::ContactMessage) -> Option<ContactCard> {
    let vcard = unfolded(contact.vcard.as_deref().unwrap_or_default());
    let phones: Vec<_> = properties(&vcard, "TEL").map(str::to_owned).collect();
    let named = contact.display_name.as_deref().filter(|name| !name.is_empty());
    let name = named.or_else(|| properties(&vcard, "FN").next()).or(phones.first().map(String::as_str))?.to_owned();
    Some(ContactCard { name, phones })
}

/// RFC 6350, section 3.2: a line that begins with white space goes on with the one before.
fn unfolded(vcard: &str) -> String {
    vcard.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "")
}

/// The values of a property: `TEL;type=CELL:+55 11 …`, `item1.TEL:…`.
fn properties<'a>(vcard: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    vcard.lines().filter_map(move |line| {
        let (property, value) = line.split_once(':')?;
        let property = property.split(';').next()?;
        let property = property.rsplit('.').next()?;
        let value = value.trim();
        (property.eq_ignore_ascii_case(name) && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::buffa::MessageField;

    use super::*;

    fn contact(name: Option<&str>, vcard: &str) -> wa::message::ContactMessage {
        wa::message::ContactMessage {
            display_name: name.map(str::to_owned),
            vcard: Some(vcard.to_owned()),
            ..Default::default()
        }
    }

    const LI: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Li\r\n Na\r\nitem1.TEL;waid=8613800138000:+86 138 0013 8000\r\n\
                      tel;type=WORK:+86 10 5555\r\nEND:VCARD";

    #[test]
    fn a_card_is_a_name_and_its_numbers() {
        let message = wa::Message { contact_message: MessageField::some(contact(None, LI)), ..Default::default() };
        let expected =
            ContactCard { name: "LiNa".to_owned(), phones: vec!["+86 138 0013 8000".into(), "+86 10 5555".into()] };
        assert_eq!(card(&message), Some(expected));
    }

    #[test]
    fn several_cards_are_told_as_one() {
        let contacts = vec![contact(Some("Li"), LI), contact(Some("Bo"), "TEL:1")];
        let array = wa::message::ContactsArrayMessage { contacts, ..Default::default() };
        let message = wa::Message { contacts_array_message: MessageField::some(array), ..Default::default() };
        let card = card(&message).unwrap();
        assert_eq!((card.name.as_str(), card.phones.len()), ("Li, Bo", 3));
    }

    #[test]
    fn an_empty_card_is_none() {
        let message = wa::Message { contact_message: MessageField::some(contact(None, "")), ..Default::default() };
        assert_eq!(card(&message), None);
    }
}

//! Finding messages and people, in every script, and only what the agent may see.

use seatport::conversation::{ContactCard, Content, Location, Media, MediaKind, SearchQuery};
use seatport::{AgentScope, CardStatus, Error, SessionId};

use crate::office::{Office, id};

super::on_every_storage![
    texts_are_found_in_chinese_and_latin_wherever_the_words_stand,
    captions_files_places_and_cards_are_found,
    what_was_edited_is_found_by_what_it_says_now_and_what_was_deleted_is_not,
    people_are_found_by_every_name_and_number,
    an_agent_finds_only_what_the_agent_may_see,
    hits_come_in_pages_the_newest_first,
    a_search_looks_into_one_session_if_asked,
    what_was_said_under_an_address_that_was_given_up_is_found_under_the_other,
];

async fn finds(office: &Office, text: &str) -> Vec<String> {
    let hits = office.li.search_messages(&SearchQuery::new(text), None, 100).await.unwrap();
    hits.into_iter().map(|hit| hit.message.message.content.searchable().unwrap_or_default().into_owned()).collect()
}

async fn people(office: &Office, text: &str) -> Vec<String> {
    let hits = office.li.search_contacts(&SearchQuery::new(text), None, 100).await.unwrap();
    hits.into_iter().map(|hit| hit.contact.address.to_string()).collect()
}

async fn texts_are_found_in_chinese_and_latin_wherever_the_words_stand(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let texts =
        ["请问这件衣服有红色的吗？", "The Invoice for MAY, please", "Straße 12, Ĉu vi parolas?", "100% wolle_x"];
    for text in texts {
        ada.write(phone.address(), text);
    }
    office.unread(session, 4).await;
    office.says(session, ada.address(), "红色有货，明天退款").await;
    for (words, hits) in [
        ("红色", vec!["红色有货，明天退款", texts[0]]),
        ("红", vec!["红色有货，明天退款", texts[0]]),
        ("红色 衣服", vec![texts[0]]),
        ("衣服   红色\n吗", vec![texts[0]]),
        ("退款", vec!["红色有货，明天退款"]),
        ("invoice may", vec![texts[1]]),
        ("VOIC", vec![texts[1]]),
        ("invoice june", vec![]),
        ("STRASSE", vec![]),
        ("straße ĉu", vec![texts[2]]),
        ("ĈU", vec![texts[2]]),
        ("100%", vec![texts[3]]),
        ("e_x", vec![texts[3]]),
        ("%", vec![texts[3]]),
        ("_", vec![texts[3]]),
        ("\"", vec![]),
        ("'; --", vec![]),
        ("*", vec![]),
    ] {
        assert_eq!(finds(&office, words).await, hits, "{words}");
    }
    for nothing in ["", "  \n "] {
        let refused = office.li.search_messages(&SearchQuery::new(nothing), None, 10).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
}

async fn captions_files_places_and_cards_are_found(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let mut invoice = Media::new(MediaKind::Document, "application/pdf");
    (invoice.file_name, invoice.caption) = (Some("发票.pdf".into()), Some("for May".into()));
    let place =
        Location { latitude: 0, longitude: 0, name: Some("外滩".into()), address: Some("Zhongshan Road".into()) };
    let card = ContactCard { name: "Bob Baker".into(), phones: vec!["+49 151 1234".into()] };
    for content in [Content::Media(invoice), Content::Location(place), Content::Contact(card), Content::Undecryptable] {
        ada.send(phone.address(), content);
    }
    office.unread(session, 4).await;
    for words in ["发票", "PDF may", "外滩", "zhongshan", "baker", "151"] {
        assert_eq!(finds(&office, words).await.len(), 1, "{words}");
    }
    assert!(finds(&office, "application").await.is_empty());
}

async fn what_was_edited_is_found_by_what_it_says_now_and_what_was_deleted_is_not(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let edited = ada.write(phone.address(), "the price is ten");
    let deleted = ada.write(phone.address(), "a secret price");
    office.unread(session, 2).await;
    assert_eq!(finds(&office, "price").await.len(), 2);
    ada.edit(phone.address(), &edited, "the cost is eleven");
    ada.delete(phone.address(), &deleted);
    let late = ada.send(phone.address(), Content::Undecryptable);
    office.settled(&phone).await;
    ada.send_again(phone.address(), &late, Content::Text("the total is twelve".into()));
    office.settled(&phone).await;
    assert!(finds(&office, "price").await.is_empty());
    assert!(finds(&office, "ten").await.is_empty());
    assert!(finds(&office, "secret").await.is_empty());
    assert_eq!(finds(&office, "cost").await, ["the cost is eleven"]);
    assert_eq!(finds(&office, "twelve").await, ["the total is twelve"]);
}

async fn people_are_found_by_every_name_and_number(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("+49 151 12345678");
    ada.write(phone.address(), "hello");
    ada.rename("Ada Lovelace");
    phone.save(ada.address(), "阿达 VIP");
    phone.save(office.messenger.person("bob").address(), "Bob VIP");
    office.settled(&phone).await;
    assert_eq!(office.card(session).await.unread, 1);
    let ada = ada.address().as_str();
    for words in ["lovelace", "ADA", "阿达", "阿", "15112345", "vip 阿达", "lace 1511"] {
        assert_eq!(people(&office, words).await, [ada], "{words}");
    }
    assert_eq!(people(&office, "vip").await.len(), 2);
    assert!(people(&office, "nobody").await.is_empty());
    office.messenger.person("+49 151 12345678").rename("Augusta");
    office.settled(&phone).await;
    assert!(people(&office, "lovelace").await.is_empty(), "by the name of today");
}

/// Two sessions, in each of which somebody wrote about a refund.
async fn two_refunds(office: &Office) -> [SessionId; 2] {
    let (ada, mut sessions) = (office.messenger.person("ada"), Vec::new());
    for number in ["+8613800138000", "+8613800138001"] {
        let (session, phone) = office.online(number).await;
        ada.write(phone.address(), format!("a refund from {number}"));
        office.unread(session, 1).await;
        sessions.push(session);
    }
    [sessions[0], sessions[1]]
}

async fn an_agent_finds_only_what_the_agent_may_see(mut office: Office) {
    let [mine, other] = two_refunds(&office).await;
    office.mei.assign(mine, Some(&id("li"))).await.unwrap();
    office.mei.assign(other, Some(&id("wang"))).await.unwrap();
    assert_eq!(finds(&office, "refund").await.len(), 2, "agents work on all sessions");
    office.scope = AgentScope::BoundOnly;
    let office = office.restart(true).await;
    assert_eq!(finds(&office, "refund").await, ["a refund from +8613800138000"]);
    assert_eq!(people(&office, "ada").await.len(), 1);
    assert_eq!(office.mei.search_messages(&SearchQuery::new("refund"), None, 10).await.unwrap().len(), 2);
    let query = SearchQuery { session: Some(other), ..SearchQuery::new("refund") };
    let refused = office.li.search_messages(&query, None, 10).await;
    assert!(matches!(refused, Err(Error::Denied { .. })), "{refused:?}");
    let query = SearchQuery { bound_to: Some(id("wang")), ..SearchQuery::new("refund") };
    assert!(office.li.search_messages(&query, None, 10).await.unwrap().is_empty());
    office.mei.assign(mine, Some(&id("wang"))).await.unwrap();
    assert!(finds(&office, "refund").await.is_empty(), "from the moment it was taken away");
}

async fn hits_come_in_pages_the_newest_first(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    for number in 0..25 {
        office.messenger.person(&format!("person-{}", number % 4)).write(phone.address(), format!("refund {number}"));
    }
    office.unread(session, 25).await;
    let (query, mut found) = (SearchQuery::new("refund"), Vec::new());
    loop {
        let after = found.last().map(|hit: &seatport::conversation::MessageHit| (hit.session, hit.message.seq));
        match office.li.search_messages(&query, after, 4).await.unwrap() {
            page if page.is_empty() => break,
            page => found.extend(page),
        }
    }
    assert_eq!(found.len(), 25);
    assert!(found.is_sorted_by(|a, b| a.message.seq > b.message.seq), "each once, the newest first");
    let mut people = Vec::new();
    loop {
        let after =
            people.last().map(|hit: &seatport::conversation::ContactHit| (hit.session, hit.contact.address.clone()));
        match office.li.search_contacts(&SearchQuery::new("person"), after.as_ref(), 3).await.unwrap() {
            page if page.is_empty() => break,
            page => people.extend(page),
        }
    }
    assert_eq!(people.len(), 4);
    assert!(people.is_sorted_by(|a, b| a.contact.address < b.contact.address));
}

async fn a_search_looks_into_one_session_if_asked(office: Office) {
    let [one, two] = two_refunds(&office).await;
    let hits = office.li.search_messages(&SearchQuery::new("refund"), None, 10).await.unwrap();
    assert_eq!(hits.iter().map(|hit| hit.session).collect::<Vec<_>>(), [two, one], "what was added last first");
    let query = SearchQuery { session: Some(one), ..SearchQuery::new("refund") };
    let hits = office.li.search_messages(&query, None, 10).await.unwrap();
    assert_eq!(hits.iter().map(|hit| hit.session).collect::<Vec<_>>(), [one]);
    office.mei.stop(one).await.unwrap();
    office.reaches(one, CardStatus::Offline).await;
    assert_eq!(finds(&office, "refund").await.len(), 2, "whatever state it is in");
    office.mei.delete(one).await.unwrap();
    assert_eq!(finds(&office, "refund").await.len(), 1);
    assert_eq!(people(&office, "ada").await.len(), 1);
}

async fn what_was_said_under_an_address_that_was_given_up_is_found_under_the_other(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (known, hidden) = (office.messenger.person("+8613911111111"), office.messenger.person("hidden-17"));
    hidden.write(phone.address(), "a refund please");
    office.unread(session, 1).await;
    hidden.is_also(phone.address(), &known);
    office.settled(&phone).await;
    let hits = office.li.search_messages(&SearchQuery::new("refund"), None, 10).await.unwrap();
    assert_eq!(hits.iter().map(|hit| &hit.message.message.chat).collect::<Vec<_>>(), [known.address()]);
    assert_eq!(people(&office, "8613911111111").await, [known.address().as_str()]);
    assert_eq!(people(&office, "hidden-17").await.iter().filter(|one| one.contains("hidden")).count(), 0);
}

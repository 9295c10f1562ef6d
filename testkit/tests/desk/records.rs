//! What is left of a session, and of what people did: exports, deletion, the audit trail, the feed of a consumer.

use std::collections::BTreeSet;
use std::time::Duration;

use seatport::conversation::Content;
use seatport::leads::{Figures, LeadQuery};
use seatport::{Action, AuditHead, CardStatus, ConsumerName, Error, EventBody, ExportLine, SessionId};
use seatport_testkit::messenger::Phone;

use crate::office::{Office, Store, eventually, id};

super::on_every_storage![
    an_export_holds_everything_and_deletion_then_leaves_nothing,
    a_deleted_session_s_people_still_count_and_are_not_new_again,
    an_erased_session_s_people_are_forgotten_and_the_totals_stay,
    who_is_forgotten_with_one_session_is_still_known_by_another,
    the_audit_trail_verifies_across_crashes_and_deletions,
    agents_neither_read_nor_verify_the_audit_trail,
    a_consumer_gets_every_event_though_it_dies,
];

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

async fn total(office: &Office) -> Figures {
    let query = LeadQuery::new("2023-11-14".parse().unwrap(), 100, "UTC").unwrap();
    office.mei.leads(&query).await.unwrap().current.total
}

async fn exported(office: &Office, session: SessionId) -> Vec<ExportLine> {
    let (mut export, mut lines) = (office.li.export_session(session).await.unwrap(), Vec::new());
    while let Some(line) = export.next().await.unwrap() {
        lines.push(serde_json::from_str(&line).unwrap());
    }
    lines
}

async fn an_export_holds_everything_and_deletion_then_leaves_nothing(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    let mut ids: BTreeSet<_> = (0..1_200).map(|number| ada.write(phone.address(), number.to_string())).collect();
    let edited = bob.write(phone.address(), "helo");
    ids.insert(edited.clone());
    office.unread(session, 1_201).await;
    bob.edit(phone.address(), &edited, "hello");
    ids.insert(office.says(session, bob.address(), "yes?").await);
    phone.save(office.messenger.person("eve").address(), "Eve");
    office.settled(&phone).await;
    office.mei.stop(session).await.unwrap();

    let lines = exported(&office, session).await;
    assert!(matches!(&lines[0], ExportLine::Header(header) if header.card.session == session));
    let messages: Vec<_> = lines
        .iter()
        .filter_map(|line| if let ExportLine::Message(stored) = line { Some(stored) } else { None })
        .collect();
    assert_eq!(messages.iter().map(|stored| stored.message.id.clone()).collect::<BTreeSet<_>>(), ids);
    assert_eq!(messages.len(), ids.len(), "each once");
    assert!(messages.iter().any(|stored| stored.message.content == Content::Text("hello".into())));
    let contacts = lines.iter().filter(|line| matches!(line, ExportLine::Contact(_))).count();
    assert_eq!(contacts, 3);
    let Some(ExportLine::End(end)) = lines.last() else { panic!("no end") };
    assert_eq!((end.contacts, end.chats, end.messages), (3, 2, 1_202));

    office.li.delete(session).await.unwrap();
    assert!(matches!(office.li.export_session(session).await, Err(Error::UnknownSession(_))));
    assert!(office.storage.chat(session, ada.address()).await.unwrap().is_none());
    assert!(office.storage.message(session, bob.address(), &edited).await.unwrap().is_none());
    assert!(office.storage.pending(session, 10).await.unwrap().is_empty());
    assert!(office.storage.events(session, 0, 10).await.unwrap().is_empty());
    let actions: Vec<_> = office.mei.audit(0, 1000).await.unwrap().into_iter().map(|line| line.entry.action).collect();
    assert!(actions.contains(&Action::Export) && actions.contains(&Action::Delete));
}

/// Ada writes to one session, which goes, and then to another one with the same phone.
async fn goes_and_comes_back(office: &Office, gone: impl AsyncFnOnce(SessionId)) -> Figures {
    let (session, phone) = office.online("+8613800138000").await;
    pass(60).await;
    let ada = office.messenger.person("+4915100000001");
    ada.write(phone.address(), "hello");
    office.unread(session, 1).await;
    let before = total(office).await;
    assert_eq!((before.new, before.duplicate), (1, 0));
    office.mei.stop(session).await.unwrap();
    gone(session).await;
    assert_eq!(total(office).await, before, "no total changes by it");
    comes_back(office, &phone).await;
    total(office).await
}

async fn comes_back(office: &Office, gone: &Phone) {
    // Another phone: the history on the first one would make her an old acquaintance.
    let (session, phone) = office.online("+8613800138009").await;
    assert_ne!(phone.address(), gone.address());
    pass(60).await;
    office.messenger.person("+4915100000001").write(phone.address(), "hello again");
    office.unread(session, 1).await;
}

async fn a_deleted_session_s_people_still_count_and_are_not_new_again(office: Office) {
    let after = goes_and_comes_back(&office, async |session| office.li.delete(session).await.unwrap()).await;
    assert_eq!((after.new, after.duplicate), (1, 1));
    office.mei.rebuild_leads().await.unwrap();
    assert_eq!(total(&office).await, after);
}

async fn an_erased_session_s_people_are_forgotten_and_the_totals_stay(office: Office) {
    let after = goes_and_comes_back(&office, async |session| office.li.erase(session).await.unwrap()).await;
    assert_eq!((after.new, after.duplicate), (2, 0), "she is somebody new");
    office.mei.rebuild_leads().await.unwrap();
    assert_eq!(total(&office).await, after);
    let last = office.mei.audit(0, 1000).await.unwrap();
    assert!(last.iter().any(|line| line.entry.action == Action::Erase));
}

async fn who_is_forgotten_with_one_session_is_still_known_by_another(office: Office) {
    let (gone, phone) = office.online("+8613800138000").await;
    let (kept, kept_phone) = office.online("+8613800138001").await;
    pass(60).await;
    let ada = office.messenger.person("+4915100000001");
    ada.write(phone.address(), "hello");
    office.unread(gone, 1).await;
    pass(60).await;
    ada.write(kept_phone.address(), "hello");
    office.unread(kept, 1).await;
    office.mei.stop(gone).await.unwrap();
    office.mei.erase(gone).await.unwrap();
    office.mei.rebuild_leads().await.unwrap();
    let before = total(&office).await;
    assert_eq!((before.new, before.duplicate), (1, 1), "the totals stay");
    comes_back(&office, &phone).await;
    let after = total(&office).await;
    assert_eq!((after.new, after.duplicate), (1, 2), "the session that is kept still knows her");
}

async fn the_audit_trail_verifies_across_crashes_and_deletions(mut office: Office) {
    let empty = office.mei.verify_audit(None).await.unwrap();
    let mut known = empty;
    for round in 0..3 {
        let (session, _phone) = office.online(&format!("+86138001380{round:02}")).await;
        office.li.set_remark(session, format!("{round}")).await.unwrap();
        assert!(office.li.assign(session, None).await.is_err());
        office.mei.stop(session).await.unwrap();
        office.mei.delete(session).await.unwrap();
        office = office.restart(false).await;
        let head = office.mei.verify_audit(Some(&known)).await.unwrap();
        assert!(head.lines > known.lines);
        known = head;
    }
    let made_up = AuditHead { lines: known.lines + 1, ..known };
    let broken = office.mei.verify_audit(Some(&made_up)).await;
    assert!(matches!(broken, Err(Error::AuditBroken { .. })), "lines are missing: {broken:?}");
    let made_up = AuditHead { lines: known.lines - 1, ..known };
    let broken = office.mei.verify_audit(Some(&made_up)).await;
    assert!(matches!(broken, Err(Error::AuditBroken { .. })), "it was written anew: {broken:?}");
}

async fn agents_neither_read_nor_verify_the_audit_trail(office: Office) {
    assert!(matches!(office.li.audit(0, 10).await, Err(Error::Denied { action: Action::ReadAudit, .. })));
    assert!(matches!(office.li.verify_audit(None).await, Err(Error::Denied { action: Action::ReadAudit, .. })));
}

async fn a_consumer_gets_every_event_though_it_dies(mut office: Office) {
    let name = ConsumerName::new("crm").unwrap();
    drop(office.mei.consume(&name).await.unwrap());
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    let (mut handled, mut handed_out) = (Vec::new(), 0);
    for round in 0..5 {
        ada.write(phone.address(), round.to_string());
        office.unread(session, round + 1).await;
        let mut consumer = office.mei.consume(&name).await.unwrap();
        let batch = consumer.next_batch(1_000).await.unwrap();
        handed_out += batch.len();
        // It dies in the middle of every second batch, before it could say that it was done.
        if round % 2 == 0 {
            consumer.acknowledge().await.unwrap();
            handled.extend(batch);
        }
        drop(consumer);
        office = office.restart(false).await;
        office.reaches(session, CardStatus::Online).await;
    }
    assert!(handed_out > handled.len());
    assert!(handled.iter().zip(1..).all(|(event, seq)| (event.session, event.seq) == (session, seq)), "{handled:?}");
    let told = handled.iter().filter(|event| matches!(event.body, EventBody::MessageStored { inbound: true, .. }));
    assert_eq!(told.count(), 5);
    let refused = office.li.forget_consumer(&ConsumerName::new("unknown").unwrap()).await;
    assert!(matches!(refused, Err(Error::UnknownConsumer(_))), "{refused:?}");
}

/// Somebody with a file editor makes Wang's doing another one's.
#[tokio::test(start_paused = true)]
async fn a_line_that_was_changed_in_the_file_is_found() {
    let office = Office::open(Store::sqlite()).await;
    let (session, phone) = office.online("+8613800138000").await;
    let wang = office.seatport.desk(&id("wang")).await.unwrap();
    wang.set_remark(session, "mine").await.unwrap();
    wang.set_remark(session, "still mine").await.unwrap();
    let lines = office.mei.audit(0, 1000).await.unwrap();
    let first = lines.iter().find(|line| line.entry.agent == id("wang")).unwrap().number;
    let known = office.mei.verify_audit(None).await.unwrap();
    eventually(|| phone.undelivered() == 0).await;
    drop(wang);

    let office = office.restart_after(|file| {
        let mut bytes = std::fs::read(file).unwrap();
        let places: Vec<_> =
            bytes.windows(4).enumerate().filter(|(_, four)| four == b"wang").map(|(at, _)| at).collect();
        assert!(places.len() >= 2, "his name stands in the file");
        places.into_iter().for_each(|at| bytes[at..at + 4].copy_from_slice(b"weng"));
        std::fs::write(file, bytes).unwrap();
    });
    let office = office.await;
    for known in [None, Some(&known)] {
        match office.mei.verify_audit(known).await {
            Err(Error::AuditBroken { number, .. }) => assert_eq!(number, first),
            answer => panic!("{answer:?}"),
        }
    }
}

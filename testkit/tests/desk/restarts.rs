//! The process ends and starts again.

use std::time::Duration;

use seatport::{CardStatus, Cursors, Page, SessionFilter, WhenFull};

use crate::office::{Office, eventually};

super::on_every_storage![
    what_ran_resumes_without_a_scan_and_what_was_stopped_stays_so,
    a_crash_is_no_different,
    events_are_gap_free_and_replayed_from_a_cursor,
    who_was_stopping_has_stopped_after_the_crash,
];

async fn resumes(office: Office, politely: bool) {
    let (online, phone) = office.online("+8613800138000").await;
    let waiting = office.started().await;
    office.reaches(waiting, CardStatus::AwaitingLogin).await;
    let (stopped, _) = office.online("+8613800138001").await;
    office.mei.stop(stopped).await.unwrap();
    let port = office.card(online).await.port;

    let office = office.restart(politely).await;
    let first = office.mei.cards(&SessionFilter::default(), Page::first(10)).await.unwrap();
    assert!(first.iter().all(|card| card.status != CardStatus::Online), "nobody is online before it is");
    assert_eq!(office.reaches(online, CardStatus::Online).await.port, port);
    office.reaches(waiting, CardStatus::AwaitingLogin).await;
    let card = office.card(stopped).await;
    assert_eq!((card.status, card.port), (CardStatus::Offline, None));
    assert_eq!(office.seatport.ports().usage().await.unwrap().occupied.len(), 2);
    let journal = office.messenger.journal();
    assert_eq!(journal.logins(phone.address()).count(), 2);
    assert!(!journal.overlapped(phone.address()));
    // The stopped one needs no scan either.
    office.mei.start(stopped, WhenFull::Fail).await.unwrap();
    office.reaches(stopped, CardStatus::Online).await;
}

async fn what_ran_resumes_without_a_scan_and_what_was_stopped_stays_so(office: Office) {
    resumes(office, true).await;
}

async fn a_crash_is_no_different(office: Office) {
    resumes(office, false).await;
}

async fn events_are_gap_free_and_replayed_from_a_cursor(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    for number in 0..20 {
        ada.write(phone.address(), format!("{number}"));
    }
    office.unread(session, 20).await;
    let mut stream = office.li.events(Cursors::default()).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 12 {
        seen.push(stream.next().await.unwrap());
    }
    let cursors = stream.cursors().clone();
    drop(stream);

    let office = office.restart(false).await;
    office.reaches(session, CardStatus::Online).await;
    ada.write(phone.address(), "after the crash");
    office.unread(session, 21).await;
    let last = office.storage.session(session).await.unwrap().unwrap().last_event;
    let mut stream = office.li.events(cursors).await.unwrap();
    while seen.len() < usize::try_from(last).unwrap() {
        seen.extend(stream.next_batch(5).await.unwrap());
    }
    let numbers: Vec<_> = seen.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "each once, none missing");
    assert_eq!(seen, office.storage.events(session, 0, 1000).await.unwrap());
    // And then what happens.
    let (next, ()) = tokio::join!(stream.next(), async {
        ada.write(phone.address(), "live");
    });
    assert_eq!(next.unwrap().seq, last + 1);
}

async fn who_was_stopping_has_stopped_after_the_crash(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    phone.conditions(|now| now.hang = true);
    let desk = office.mei.clone();
    let stop = tokio::spawn(async move { desk.stop(session).await });
    office.reaches(session, CardStatus::Stopping).await;
    stop.abort();
    let _ = stop.await;
    let office = office.restart(false).await;
    let card = office.reaches(session, CardStatus::Offline).await;
    assert_eq!(card.port, None);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    eventually(|| office.messenger.journal().live(phone.address()) == 0).await;
}

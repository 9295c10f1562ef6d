//! The story of one account, from the first scan to the last.

mod office;

use std::time::{Duration, Instant};

use anyhow::Result;
use office::{BOB, Office, contents, eventually, text};
use seatport::lifecycle::{Login, ReasonKind};
use seatport::{CardStatus, WhenFull};
use seatport_whatsapp_e2e::{Pattern, StreamEnd};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_first_scan_through_a_logout_to_the_next_scan() -> Result<()> {
    let office = Office::open().await?;
    let bob = office.server.person(BOB);
    bob.set_name("Bob").await;

    // QR → scan → online.
    let session = office.add_and_start().await?;
    let phone = office.server.phone(office::ALICE);
    phone.set_name("Alice's shop").await;
    office.scan(session, &phone).await?;
    let card = office.online(session).await?.card;
    let account = card.account.clone().expect("an account");
    assert_eq!((account.address.as_str(), account.phone.as_deref()), (phone.jid().as_str(), Some(phone.number())));
    assert_eq!(card.login, Login::LoggedIn);
    let port = card.port.expect("a port");

    // Text in and out.
    let hello = bob.write(&phone, "hello").await?;
    let messages = office.messages_until(session, &bob.jid(), |messages| messages.len() == 1).await?;
    assert_eq!((contents(&messages), messages[0].id.as_str()), (vec![text("hello")], hello.as_str()));
    assert_eq!(office.desk.card(session).await?.unread, 1);
    assert_eq!(office.desk.contacts(session, seatport::Page::first(10)).await?[0].name.as_deref(), Some("Bob"));
    let sent = office.send(session, &bob.jid(), "hello Bob").await?;
    assert!(sent.starts_with("3EB0"), "{sent}");
    assert_eq!(office.server.journal().texts(phone.number()), [(sent, bob.jid(), "hello Bob".to_owned())]);
    eventually("everything is acknowledged", async || phone.unacknowledged().await.is_empty()).await?;

    // Stop → start without a scan.
    let begin = Instant::now();
    let card = office.desk.stop(session).await?;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!((card.status, card.port), (CardStatus::Offline, None));
    eventually("the device is gone", async || phone.live_connections() == 0).await?;
    assert_eq!(office.messages(session, &bob.jid()).await?.len(), 2, "the history stays readable");
    office.desk.start(session, WhenFull::Fail).await?;
    let card = office.online(session).await?.card;
    assert_eq!(card.port, Some(port));
    assert_eq!(office.server.journal().logins(phone.number()), [Pattern::Xx, Pattern::Ik]);

    // Logged out from the phone → blocked, port kept.
    phone.log_out_companion().await;
    let reason = office.blocked_by(session, ReasonKind::LoggedOut).await?;
    assert_eq!(reason.code.as_deref(), Some("device_removed"));
    let card = office.desk.card(session).await?;
    assert_eq!((card.login, card.port), (Login::LoggedOut, Some(port)));
    assert_eq!(office.storage_names(session).await?, Vec::<String>::new(), "the credentials are gone");

    // A new scan resumes in place.
    office.desk.refresh_login(session).await?;
    office.scan(session, &phone).await?;
    let card = office.online(session).await?.card;
    assert_eq!((card.account.map(|account| account.address), card.port), (Some(account.address), Some(port)));
    let messages = office.messages(session, &bob.jid()).await?;
    assert_eq!(contents(&messages), [text("hello"), text("hello Bob")]);
    bob.write(&phone, "still there?").await?;
    office.messages_until(session, &bob.jid(), |messages| messages.len() == 3).await?;
    office.send(session, &bob.jid(), "of course").await?;

    // A replaced connection never reconnects by itself.
    let logins = office.server.journal().logins(phone.number()).len();
    phone.end_stream(StreamEnd::Replaced).await;
    office.blocked_by(session, ReasonKind::Replaced).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(office.desk.card(session).await?.status, CardStatus::Blocked);
    assert_eq!(office.server.journal().logins(phone.number()).len(), logins);
    assert_eq!((phone.live_connections(), phone.peak_connections()), (0, 1));

    // Until a person says so.
    office.desk.refresh_login(session).await?;
    office.online(session).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_process_needs_no_scan() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let bob = office.server.person(BOB);
    bob.write(&phone, "before").await?;
    office.messages_until(session, &bob.jid(), |messages| messages.len() == 1).await?;
    let port = office.desk.card(session).await?.port;

    let office = office.crash_and_start_again().await?;
    let card = office.online(session).await?.card;
    assert_eq!(card.port, port);
    bob.write(&phone, "after").await?;
    let messages = office.messages_until(session, &bob.jid(), |messages| messages.len() == 2).await?;
    assert_eq!(contents(&messages), [text("before"), text("after")]);
    office.send(session, &bob.jid(), "here again").await?;
    assert_eq!(phone.peak_connections(), 1, "never two connections of one account");

    // And a polite end.
    let (seatport, begin) = (office.seatport.clone(), Instant::now());
    seatport.shutdown(Duration::from_secs(5)).await;
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    eventually("the device is gone", async || phone.live_connections() == 0).await?;
    let office = office.crash_and_start_again().await?;
    office.online(session).await?;
    Ok(())
}

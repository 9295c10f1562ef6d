//! Logging in and out, in all the ways that are not the usual one.

mod office;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use office::{ALICE, BOB, CAROL, Office, eventually, impatient, whatsapp};
use seatport::lifecycle::{Login, ReasonKind};
use seatport::storage::VaultStore;
use seatport::vault::{VaultError, VaultKey};
use seatport::{CardStatus, Environment, Error, Platform, Seatport};
use seatport_whatsapp_e2e::Seen;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_of_codes_runs_out_and_a_new_one_is_issued() -> Result<()> {
    // Codes of 60 s and 20 s last 2 s and 0.7 s.
    let office = Office::open_with(impatient(), |transport| transport.pace(30)).await?;
    office.server.set_qr_codes(2);
    let session = office.add_and_start().await?;
    let port = office.desk.card(session).await?.port;
    let shown = |sequence: u32| {
        let office = &office;
        async move {
            let is_next = |view: &seatport::View| {
                view.card.status == CardStatus::AwaitingLogin
                    && view.challenge.as_ref().is_some_and(|code| code.sequence == sequence)
            };
            let view = office.until(session, "the next code", is_next).await?;
            view.challenge.context("a code")
        }
    };
    let first = shown(1).await?;
    let second = shown(2).await?;
    assert_ne!(first.code.expose(), second.code.expose());
    let lasts = second.expires_at.since(first.expires_at);
    assert!(lasts > Duration::from_millis(400) && lasts < Duration::from_millis(1500), "{lasts:?}");
    assert!(!format!("{first:?}").contains(first.code.expose()));

    office.blocked_by(session, ReasonKind::LoginExpired).await?;
    assert!(
        matches!(office.desk.login_code(session).await, Err(Error::NoLoginCode(_))),
        "an expired code is never shown"
    );
    office.desk.refresh_login(session).await?;
    shown(1).await?;
    let phone = office.server.phone(ALICE);
    office.scan(session, &phone).await?;
    assert_eq!(office.online(session).await?.card.port, port);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_typed_instead() -> Result<()> {
    let office = Office::open().await?;
    let session = office.add_and_start_by_code(&format!("+{ALICE}")).await?;
    let code = office.code(session).await?;
    let phone = office.server.phone(ALICE);
    let wrong = if code == "ABCDEFGH" { "ABCDEFGJ" } else { "ABCDEFGH" };
    assert!(phone.enter_code(wrong).await.is_err(), "a wrong code");
    phone.enter_code(&code).await?;
    let card = office.online(session).await?.card;
    assert_eq!(card.account.and_then(|account| account.phone).as_deref(), Some(ALICE));
    assert!(phone.is_linked().await);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_refused_and_unlinked() -> Result<()> {
    let office = Office::open().await?;
    let (session, alice) = office.alice_online().await?;
    alice.log_out_companion().await;
    office.blocked_by(session, ReasonKind::LoggedOut).await?;

    office.desk.refresh_login(session).await?;
    let carol = office.server.phone(CAROL);
    office.scan(session, &carol).await?;
    office.blocked_by(session, ReasonKind::AccountMismatch).await?;
    let unlinked = |seen: &Seen| matches!(seen, Seen::Unlinked { account } if account == CAROL).then_some(());
    office.server.journal().wait("Carol's phone lists no device", office::PATIENCE, unlinked).await?;
    assert!(!carol.is_linked().await);
    let card = office.desk.card(session).await?;
    assert_eq!(card.account.map(|account| account.address.as_str().to_owned()), Some(alice.jid()));
    assert_eq!(office.storage_names(session).await?, Vec::<String>::new(), "her credentials are gone");

    office.desk.refresh_login(session).await?;
    office.scan(session, &alice).await?;
    office.online(session).await?;
    assert_eq!(carol.peak_connections(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logging_out_here_unlinks_on_the_network() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    office.desk.log_out(session).await?;
    office.blocked_by(session, ReasonKind::LoggedOutHere).await?;
    assert!(!phone.is_linked().await);
    assert_eq!(office.desk.card(session).await?.login, Login::LoggedOut);
    assert_eq!(office.storage_names(session).await?, Vec::<String>::new());
    office.desk.refresh_login(session).await?;
    office.scan(session, &phone).await?;
    office.online(session).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_while_a_code_is_shown_leaves_nothing_behind() -> Result<()> {
    let office = Office::open().await?;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let session = office.add_and_start().await?;
    office.code(session).await?;
    assert!(tasks() > before);
    let begin = Instant::now();
    let card = office.desk.stop(session).await?;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!((card.status, card.port), (CardStatus::NotStarted, None));
    eventually("every task has ended", async || tasks() <= before).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_phone_lists_the_device_under_its_name() -> Result<()> {
    let office = Office::open().await?;
    for (environment, listed) in [
        (Environment::new().device_name("Front desk 3")?.platform(Platform::Windows), "Front desk 3"),
        (Environment::new().platform(Platform::MacOs), "Mac OS"),
    ] {
        let mark = office.server.journal().mark();
        let session = office.add_and_start_in(environment).await?;
        office.code(session).await?;
        let os = |seen: &Seen| match seen {
            Seen::Registration { os, .. } => Some(os.clone()),
            _ => None,
        };
        let os = office.server.journal().wait_since(mark, "a registration", office::PATIENCE, os).await?;
        assert_eq!(os.as_deref(), Some(listed));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_vault_key_is_told_and_overwrites_nothing() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    office.server.person(BOB).write(&phone, "hello").await?;
    office.desk.stop(session).await?;
    let storage = office.storage.reopen();
    let kept = storage.vault_list(session, "").await?;
    assert!(!kept.is_empty());

    let wrong = Seatport::builder()
        .storage(storage.clone())
        .transport(whatsapp(&office.server.url())?)
        .vault_key(VaultKey::new([8; 32]))
        .build()
        .await;
    assert!(matches!(wrong, Err(Error::Vault(VaultError::WrongKey { .. }))), "{wrong:?}");
    assert_eq!(storage.vault_list(session, "").await?, kept);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_in_the_storage_or_on_the_card_tells_a_secret() -> Result<()> {
    let office = Office::open().await?;
    let session = office.add_and_start().await?;
    let view = office.until(session, "a code", |view| view.challenge.is_some()).await?;
    let code = view.challenge.as_ref().context("a code")?.code.expose().to_owned();
    assert!(!format!("{view:?}").contains(&code));
    let phone = office.server.phone(ALICE);
    phone.scan(&code).await?;
    office.online(session).await?;
    let kept = office.storage.vault_list(session, "net/").await?;
    let device = kept.iter().find(|entry| entry.name == "net/device").context("the device")?;
    for entry in &kept {
        let holds = |text: &str| entry.sealed.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!holds("noise_key") && !holds(ALICE) && !holds(&code), "{} is not sealed", entry.name);
    }
    assert!(device.sealed.len() > 500, "and it is the device that was looked at");
    Ok(())
}

//! The account's credentials in a file: the embedded storage, over the end of a process.

mod office;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use office::{ALICE, BOB, PATIENCE, contents, impatient, text, whatsapp};
use seatport::vault::VaultKey;
use seatport::{Address, Agent, CardStatus, Desk, NewAccount, Page, Role, Seatport, SessionId, View, WhenFull};
use seatport_sqlite::SqliteStorage;
use seatport_whatsapp_e2e::{FakeServer, Pattern};

async fn process(file: &Path, server: &FakeServer) -> Result<(Seatport, Desk)> {
    let seatport = Seatport::builder()
        .storage(SqliteStorage::open(file).await?)
        .transport(whatsapp(&server.url())?)
        .vault_key(VaultKey::new([7; 32]))
        .timing(impatient())
        .build()
        .await?;
    let mei = Agent::new("mei", "Mei Lin", Role::Supervisor)?;
    seatport.agents().put(mei.clone()).await?;
    let desk = seatport.desk(&mei.id).await?;
    Ok((seatport, desk))
}

async fn until(desk: &Desk, session: SessionId, what: &str, is: impl Fn(&View) -> bool) -> Result<View> {
    let mut watch = desk.watch(session).await?;
    let view = tokio::time::timeout(PATIENCE, watch.until(is)).await;
    Ok(view.with_context(|| format!("{what}: not within {PATIENCE:?}"))??)
}

fn online(view: &View) -> bool {
    view.card.status == CardStatus::Online
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_in_a_file_needs_no_second_scan() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("seatport.db");
    let server = FakeServer::start().await?;
    let (phone, bob) = (server.phone(ALICE), server.person(BOB));

    let (seatport, desk) = process(&file, &server).await?;
    let session = desk.add_and_start(NewAccount::on("whatsapp"), WhenFull::Fail).await?;
    let view = until(&desk, session, "a code", |view| view.challenge.is_some()).await?;
    let code = view.challenge.context("a code")?.code;
    phone.scan(code.expose()).await?;
    until(&desk, session, "online", online).await?;
    bob.write(&phone, "before").await?;
    until(&desk, session, "one unread", |view| view.card.unread == 1).await?;
    seatport.shutdown(Duration::from_secs(5)).await;
    drop((seatport, desk));

    bob.write(&phone, "meanwhile").await?;
    let (seatport, desk) = process(&file, &server).await?;
    until(&desk, session, "online again", online).await?;
    until(&desk, session, "two unread", |view| view.card.unread == 2).await?;
    let messages = desk.messages(session, &Address::new(bob.jid())?, Page::first(10)).await?;
    let messages: Vec<_> = messages.into_iter().rev().map(|stored| stored.message).collect();
    assert_eq!(contents(&messages), [text("before"), text("meanwhile")]);
    assert_eq!(server.journal().logins(ALICE), [Pattern::Xx, Pattern::Ik]);
    seatport.shutdown(Duration::from_secs(5)).await;
    drop((seatport, desk));

    let bytes = std::fs::read(&file)?;
    let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
    assert!(!holds(code.expose().as_bytes()), "a login code was written down");
    assert!(!holds(b"noise_key"), "the device is not sealed");
    Ok(())
}

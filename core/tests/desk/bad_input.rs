//! Bad input: each gets an error of its own that says the way out, and nothing is changed.

use std::sync::Arc;

use seatport::lifecycle::{Command, IllegalTransition};
use seatport::memory::MemoryStorage;
use seatport::storage::SessionStore;
use seatport::transport::{ChallengeKind, LoginChallenge, Signal};
use seatport::vault::{VaultError, VaultKey};
use seatport::{
    Address, AgentId, Environment, Error, Invalid, LoginMethod, MAX_REMARK_BYTES, NewAccount, Page, Platform,
    PortRange, Random, Retry, Seatport, Secret, SendOptions, SessionFilter, SessionId, SystemClock, Timestamp,
    WhenFull,
};

use crate::scripted::{Dial, Scripted};
use crate::{add, office};

fn invalid(result: Result<impl std::fmt::Debug, Error>) -> String {
    match result {
        Err(Error::Invalid(invalid)) => invalid.to_string(),
        other => panic!("{other:?}"),
    }
}

fn says(invalid: &Invalid, field: &str, way_out: &str) {
    assert_eq!(invalid.field, field, "{invalid}");
    assert!(invalid.way_out.contains(way_out), "{invalid}");
}

#[tokio::test(start_paused = true)]
async fn ids_that_nobody_knows() {
    let (seatport, desk) = office(Scripted::new(Dial::Hangs).0, 1).await;
    let ghost = SessionId::generate(Timestamp::from_millis(1), &Random::seeded(1));
    for result in [
        desk.card(ghost).await.map(drop),
        desk.start(ghost, WhenFull::Fail).await.map(drop),
        desk.stop(ghost).await.map(drop),
        desk.set_remark(ghost, "x").await.map(drop),
        desk.delete(ghost).await,
        desk.chats(ghost, Page::first(1)).await.map(drop),
        desk.watch(ghost).await.map(drop),
    ] {
        assert!(matches!(&result, Err(Error::UnknownSession(id)) if *id == ghost), "{result:?}");
        assert_eq!(result.unwrap_err().retry(), Retry::No);
    }
    let nobody = AgentId::new("nobody").unwrap();
    assert!(matches!(seatport.desk(&nobody).await, Err(Error::UnknownAgent(id)) if id == nobody));
    let session = add(&desk).await;
    assert!(matches!(desk.assign(session, Some(&nobody)).await, Err(Error::UnknownAgent(_))));
    let bound = NewAccount::on("scripted").bind(nobody);
    assert!(matches!(desk.add_account(bound).await, Err(Error::UnknownAgent(_))));
    let chat = Address::new("nobody").unwrap();
    assert!(matches!(desk.mark_read(session, &chat).await, Err(Error::UnknownChat(_))));
    let error = desk.add_account(NewAccount::on("telegraph")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown transport \"telegraph\": this host has scripted; give it to the builder with transport(…)"
    );
    says(&"no-uuid".parse::<SessionId>().unwrap_err(), "session id", "as it was handed out");
    let cards = desk.cards(&SessionFilter::default(), Page::first(10)).await.unwrap();
    assert_eq!(cards.len(), 1, "what was refused was not added");
}

#[tokio::test(start_paused = true)]
async fn remarks_too_long_or_with_control_characters() {
    let (_seatport, desk) = office(Scripted::new(Dial::Hangs).0, 1).await;
    let session = add(&desk).await;
    desk.set_remark(session, "备".repeat(MAX_REMARK_BYTES / 3)).await.unwrap();
    desk.set_remark(session, "kept\n\tas it is").await.unwrap();
    let too_long = invalid(desk.set_remark(session, "x".repeat(MAX_REMARK_BYTES + 1)).await);
    assert_eq!(too_long, "invalid remark: 4097 bytes long; keep it within 4096 bytes");
    let bell = invalid(desk.set_remark(session, "ring\u{7}").await);
    assert_eq!(bell, "invalid remark: holds the control character U+0007; remove it");
    invalid(desk.add_account(NewAccount::on("scripted").remark("\0")).await);
    assert_eq!(desk.card(session).await.unwrap().remark.as_str(), "kept\n\tas it is");
}

#[test]
fn environments_that_make_no_sense() {
    for proxy in
        ["", "proxy.example:1080", "ftp://proxy.example:21", "http://", "socks5://h", "http://h:0", "http://h:1/path"]
    {
        says(&Environment::new().proxy(proxy).unwrap_err(), "proxy", "http://user:password@host:port");
    }
    let with_password = Environment::new().proxy("gopher://mei:hunter2@proxy.example").unwrap_err();
    assert!(!with_password.to_string().contains("hunter2"));
    says(&Environment::new().time_zone("Mars/Olympus").unwrap_err(), "time zone", "Asia/Shanghai");
    says(&Environment::new().locale("中文").unwrap_err(), "locale", "zh-CN");
    says(&"beos".parse::<Platform>().unwrap_err(), "platform", "windows, macos, linux, android, ios");
    says(&Environment::new().device_name("a\nb").unwrap_err(), "device name", "remove it");
    // However it came about: an environment read from a file passes the same checks at the door.
    let mut from_file = Environment::new();
    from_file.time_zone = Some("Mars/Olympus".to_owned());
    says(&from_file.checked().unwrap_err(), "time zone", "Asia/Shanghai");
    let whole = Environment::new().proxy("socks5://m%40i:p%3Aw@[::1]:1080").unwrap().label("team", "sales").unwrap();
    assert_eq!(whole.clone().checked().unwrap(), whole);
    says(&LoginMethod::pairing_code("call me").unwrap_err(), "phone number", "+8613800138000");
}

#[tokio::test(start_paused = true)]
async fn what_the_transport_cannot_do() {
    let (_seatport, desk) = office(Scripted::new(Dial::Hangs).0, 1).await;
    let code = LoginMethod::pairing_code("+8613800138000").unwrap();
    let error = desk.add_account(NewAccount::on("scripted").login(code)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "transport scripted cannot log in by a pairing code; leave that out, or use another network"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_put_together_past_the_checks() {
    let (seatport, desk) = office(Scripted::new(Dial::Hangs).0, 1).await;
    let agent = seatport::Agent { id: AgentId::new("x").unwrap(), name: "\n".to_owned(), role: seatport::Role::Agent };
    assert!(invalid(seatport.agents().put(agent).await).contains("agent name"));
    let zero = seatport::Timing { lease: std::time::Duration::ZERO, ..Default::default() };
    let built = Seatport::builder().storage(MemoryStorage::new()).timing(zero).build().await;
    assert!(invalid(built).contains("timing lease: zero"));
    let endless = seatport::Timing { proof_of_life: std::time::Duration::MAX, ..Default::default() };
    let built = Seatport::builder().storage(MemoryStorage::new()).timing(endless).build().await;
    assert!(invalid(built).contains("timing proof_of_life: zero, or longer than a day"));
    // Longer than the clock can tell is just very long.
    let ages = WhenFull::Wait { timeout: std::time::Duration::MAX };
    let session = add(&desk).await;
    desk.start(session, ages).await.unwrap();
    seatport.shutdown(std::time::Duration::MAX).await;
}

#[tokio::test(start_paused = true)]
async fn zero_of_something() {
    let (seatport, desk) = office(Scripted::new(Dial::Hangs).0, 1).await;
    assert!(invalid(seatport.ports().resize(0).await).contains("port capacity: zero"));
    says(&PortRange::new(u32::MAX, 2).unwrap_err(), "port range", "shorter");
    assert!(invalid(desk.cards(&SessionFilter::default(), Page::first(0)).await).contains("at least one item"));
    let session = add(&desk).await;
    invalid(desk.contacts(session, Page::first(0)).await);
    invalid(desk.chats(session, Page::first(0)).await);
    invalid(desk.messages(session, &Address::new("bob").unwrap(), Page::first(0)).await);
    invalid(desk.audit(0, 0).await);
    assert!(invalid(Seatport::builder().build().await).contains("storage(…)"));
}

#[tokio::test(start_paused = true)]
async fn commands_that_the_state_does_not_allow() {
    let (_seatport, desk) = office(Scripted::new(Dial::Hangs).0, 1).await;
    let session = add(&desk).await;
    let illegal = |result: Result<(), Error>| match result {
        Err(Error::IllegalTransition(illegal @ IllegalTransition { command, .. })) => (command, illegal.to_string()),
        other => panic!("{other:?}"),
    };
    let (command, said) = illegal(desk.restart(session).await.map(drop));
    assert_eq!(
        (command, said.as_str()),
        (Command::Restart, "cannot restart a session that is stopped: start it first")
    );
    desk.start(session, WhenFull::Fail).await.unwrap();
    let (_, said) = illegal(desk.delete(session).await);
    assert_eq!(said, "cannot delete a session that is connecting: stop it first");
    let (_, said) = illegal(desk.log_out(session).await.map(drop));
    assert_eq!(said, "cannot log out a session that is connecting: no account is logged in");
    let audit = desk.audit(0, 100).await.unwrap();
    let refused = audit.iter().filter(|line| line.entry.outcome == seatport::Outcome::Illegal).count();
    assert_eq!(refused, 3, "the refused attempts are written down too");
    assert!(desk.card(session).await.is_ok(), "and it is still there");
    let chat = Address::new("bob").unwrap();
    assert!(matches!(
        desk.send_text(session, &chat, "hi", SendOptions::default()).await,
        Err(Error::NotSending { .. })
    ));
    assert!(invalid(desk.send_text(session, &chat, "", SendOptions::default()).await).contains("text: empty"));
}

#[tokio::test(start_paused = true)]
async fn a_login_code_that_has_expired() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let session = desk.add_and_start(NewAccount::on("scripted"), WhenFull::Fail).await.unwrap();
    assert!(matches!(desk.login_code(session).await, Err(Error::NoLoginCode(id)) if id == session));
    let line = lines.recv().await.unwrap();
    let now = seatport::Clock::now(&SystemClock);
    let challenge = |sequence, expires_at| {
        Signal::Challenge(LoginChallenge { kind: ChallengeKind::Qr, code: Secret::new("2@code"), sequence, expires_at })
    };
    let mut watch = desk.watch(session).await.unwrap();
    line.signals.send(challenge(1, now + std::time::Duration::from_secs(3600))).await.unwrap();
    watch.until(|view| view.challenge.is_some()).await.unwrap();
    assert_eq!(desk.login_code(session).await.unwrap().sequence, 1);
    line.signals.send(challenge(2, now)).await.unwrap();
    watch.until(|view| view.challenge.is_none()).await.unwrap();
    assert!(matches!(desk.login_code(session).await, Err(Error::NoLoginCode(_))));
}

#[tokio::test(start_paused = true)]
async fn vault_keys_that_are_missing_or_wrong() {
    let storage = MemoryStorage::new();
    let build = |key: Option<u8>| {
        let builder =
            Seatport::builder().shared_storage(Arc::new(storage.clone())).transport(Scripted::new(Dial::Hangs).0);
        match key {
            Some(byte) => builder.vault_key(VaultKey::new([byte; 32])).build(),
            None => builder.build(),
        }
    };
    // Without a key nothing that is secret is taken in.
    let keyless = build(None).await.unwrap();
    keyless.agents().put(seatport::Agent::new("mei", "Mei", seatport::Role::Supervisor).unwrap()).await.unwrap();
    let desk = keyless.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    let secret = || Environment::new().proxy("http://mei:hunter2@proxy.example:8080").unwrap();
    let refused = desk.add_account(NewAccount::on("scripted").environment(secret())).await;
    assert!(matches!(refused, Err(Error::Vault(VaultError::KeyMissing))), "{refused:?}");
    drop((keyless, desk));

    let right = build(Some(1)).await.unwrap();
    let desk = right.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    let session = desk.add_account(NewAccount::on("scripted").environment(secret())).await.unwrap();
    let shown = format!("{:?}", storage.session(session).await.unwrap()) + &format!("{:?}", desk.card(session).await);
    assert!(!shown.contains("hunter2"));
    drop((right, desk));

    let wrong = build(Some(2)).await;
    assert!(matches!(wrong, Err(Error::Vault(VaultError::WrongKey { .. }))), "{wrong:?}");
    assert!(build(Some(1)).await.is_ok(), "nothing was overwritten");
}

#[tokio::test(start_paused = true)]
async fn calls_after_the_shutdown() {
    let (seatport, desk) = office(Scripted::new(Dial::Hangs).0, 1).await;
    let session = add(&desk).await;
    let mut watch = desk.watch(session).await.unwrap();
    watch.next().await.unwrap();
    let mut events = desk.events(Default::default()).await.unwrap();
    events.next().await.unwrap();
    seatport.shutdown(std::time::Duration::from_secs(1)).await;
    seatport.shutdown(std::time::Duration::from_secs(1)).await;
    assert!(matches!(desk.card(session).await, Err(Error::ShutDown(_))));
    assert!(matches!(seatport.ports().usage().await, Err(Error::ShutDown(_))));
    assert!(matches!(watch.next().await, Err(Error::ShutDown(_))));
    assert!(matches!(events.next().await, Err(Error::ShutDown(_))));
}

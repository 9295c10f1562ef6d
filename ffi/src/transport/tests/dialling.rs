use std::sync::Arc;
use std::time::Duration;

use seatport::conversation::ChatKind;
use seatport::lifecycle::{Reason as CoreReason, ReasonKind as CoreKind};
use seatport::transport::{ConnectError, Transport as _, TransportCommand};
use seatport::{Address, Environment, LoginMethod as CoreMethod, TransportName};

use super::double::{Host, LIMIT, Mood, Seat, me, rest, tell};
use crate::card::LoginMethod;
use crate::card::{Reason, ReasonKind};
use crate::host::Held;
use crate::transport::{AnyConnection, Capabilities, Dial, HostedTransport, Transport, TransportError};

fn code(error: &ConnectError) -> String {
    let (ConnectError::Lost(reason) | ConnectError::Rejected(reason)) = error;
    reason.code.clone().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_dial_names_all_that_a_transport_needs_and_shows_no_password() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let environment = Environment::new().proxy("socks5://mei:hunter2@proxy.example:1080").unwrap();
    let method = CoreMethod::pairing_code("+8613800138000").unwrap();
    let account = me().try_into().unwrap();
    let context = seat.context().await.environment(environment).login(method).account(account);
    let _connection = host.hosted().connect(context).await.unwrap();

    let dial = host.dial();
    assert_eq!((dial.session.as_str(), dial.port), (seat.session().to_string().as_str(), 17));
    assert_eq!(dial.login, LoginMethod::PairingCode { phone: "8613800138000".to_owned() });
    assert_eq!(dial.account, Some(me()));
    assert_eq!(dial.environment.proxy.as_ref().unwrap().password.as_ref().unwrap().0.expose(), "hunter2");
    assert!(!format!("{dial:?}").contains("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn how_dialling_failed_is_passed_on_in_the_words_of_the_transport() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let transport = host.hosted();
    let reason = |kind| Reason { kind, code: Some("403".to_owned()), until: None };

    *host.dialling.lock() = Mood::Failing(TransportError::Rejected { reason: reason(ReasonKind::Banned) });
    let banned = CoreReason::new(CoreKind::Banned).code("403");
    assert_eq!(seat.dial(&transport).await.unwrap_err(), ConnectError::Rejected(banned));

    *host.dialling.lock() = Mood::Failing(TransportError::Lost { reason: reason(ReasonKind::ConnectionLost) });
    let lost = CoreReason::new(CoreKind::ConnectionLost).code("403");
    assert_eq!(seat.dial(&transport).await.unwrap_err(), ConnectError::Lost(lost));
}

#[tokio::test(start_paused = true)]
async fn whatever_else_goes_wrong_in_a_dial_is_a_loss_that_says_what() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let transport = host.hosted();

    let thrown = uniffi::UnexpectedUniFFICallbackError::new("KeyError: 'token'\nTraceback …");
    *host.dialling.lock() = Mood::Failing(thrown.into());
    let error = seat.dial(&transport).await.unwrap_err();
    assert_eq!(code(&error), "the transport failed: KeyError: 'token'", "one line, for a card");
    assert!(matches!(error, ConnectError::Lost(_)));

    *host.dialling.lock() = Mood::Panicking;
    let error = seat.dial(&transport).await.unwrap_err();
    assert!(code(&error).contains("connect cannot be read"), "{error}");

    *host.dialling.lock() = Mood::Failing(TransportError::Refused { problem: "x".repeat(1_000) });
    assert_eq!(code(&seat.dial(&transport).await.unwrap_err()).len(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_hangs_is_given_up_after_the_limit_and_its_signals_meet_nobody() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    *host.dialling.lock() = Mood::Hanging;
    let begin = tokio::time::Instant::now();
    let error = seat.dial(&host.hosted()).await.unwrap_err();
    assert_eq!(begin.elapsed(), LIMIT);
    assert!(code(&error).contains("did not answer connect within 2s"), "{error}");
    assert_eq!(host.given_up(), 1, "the host hears of it");
    assert!(matches!(host.dial().signals.alive().await, Err(TransportError::Ended { .. })));
}

/// Dials until the host has been asked, and lets go of it then.
async fn dial_and_let_go(host: &Host, seat: &Seat, transport: &HostedTransport) {
    let mut dial = std::pin::pin!(seat.dial(transport));
    tokio::select! {
        biased;
        _ = &mut dial => panic!("it hangs"),
        () = host.until(|host| host.dials.lock().len() == 1) => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_nobody_waits_for_any_more_is_given_up_after_a_moment() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    *host.dialling.lock() = Mood::Hanging;
    dial_and_let_go(&host, &seat, &host.hosted()).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(matches!(host.dial().signals.alive().await, Err(TransportError::Ended { .. })), "at once");
    assert_eq!(host.given_up(), 0, "its answer may be on its way");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(host.given_up(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_when_nobody_waits_for_it_any_more_is_closed() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    *host.dialling.lock() = Mood::Slow(Duration::from_millis(500));
    dial_and_let_go(&host, &seat, &host.hosted()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(*host.ends.lock(), ["close", "drop"]);
    assert_eq!(host.given_up(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_next_connection_of_a_session_waits_until_the_host_has_closed_the_one_before() {
    let (host, seat, other) = (Arc::new(Host::default()), Seat::new(1), Seat::new(2));
    let transport = host.hosted();
    let first = seat.dial(&transport).await.unwrap();
    *host.leaving.lock() = Mood::Hanging;
    let begin = tokio::time::Instant::now();
    drop(first);
    let _elsewhere = other.dial(&transport).await.unwrap();
    assert!(begin.elapsed().is_zero(), "another session does not wait");
    let _second = seat.dial(&transport).await.unwrap();
    assert_eq!(begin.elapsed(), LIMIT, "the host hung in close");
    assert_eq!(*host.ends.lock(), ["close", "drop"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_transport_puts_into_the_vault_is_there_at_the_next_dial() {
    let (host, seat) = (Arc::new(Host::default()), Seat::new(1));
    let transport = host.hosted();
    let mut connection = seat.dial(&transport).await.unwrap();
    let vault = host.dial().vault;
    vault.put("keys/a".to_owned(), vec![1]).await.unwrap();
    vault.write([("keys/b".to_owned(), Some(vec![2])), ("keys/c".to_owned(), Some(vec![3]))].into()).await.unwrap();
    vault.remove("keys/c".to_owned()).await.unwrap();
    tell(&connection, TransportCommand::Close).await;
    rest(&mut connection).await;

    let _again = seat.dial(&transport).await.unwrap();
    let now = host.dial().vault;
    assert_eq!(now.get("keys/a".to_owned()).await.unwrap(), Some(vec![1]));
    assert_eq!(now.get("keys/c".to_owned()).await.unwrap(), None);
    let all = now.list("keys/".to_owned()).await.unwrap();
    assert_eq!(all, [("keys/a".to_owned(), vec![1]), ("keys/b".to_owned(), vec![2])].into());
    let stale = vault.put("keys/a".to_owned(), vec![9]).await;
    assert!(matches!(stale, Err(TransportError::Ended { .. })), "{stale:?}");
}

/// Dials, and asks the vault on the way.
struct Curious;

#[async_trait::async_trait]
impl Transport for Curious {
    async fn connect(&self, dial: Dial) -> Result<AnyConnection, TransportError> {
        dial.vault.get("credentials".to_owned()).await?;
        unreachable!("the vault does not open")
    }
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_does_not_open_ends_the_dial_as_one_for_a_person() {
    let seat = Seat::new(1);
    let before = seat.context().await;
    before.vault.put("credentials", b"key bytes").await.unwrap();
    let name = TransportName::new("curious").unwrap();
    let curious: Arc<dyn Transport> = Arc::new(Curious);
    let transport = HostedTransport::new(name, Capabilities::default(), Held::new(curious), LIMIT);
    let error = transport.connect(seat.context_with_key([8; 32]).await).await.unwrap_err();
    assert_eq!(error, ConnectError::Rejected(CoreReason::new(CoreKind::VaultUnreadable)));
}

#[test]
fn the_ends_of_addresses_tell_whom_a_chat_is_with() {
    let capabilities = Capabilities {
        group_suffixes: vec!["@g".to_owned(), "@rooms".to_owned()],
        broadcast_suffixes: vec!["@channel".to_owned()],
        ..Capabilities::default()
    };
    let curious: Arc<dyn Transport> = Arc::new(Curious);
    let name = TransportName::new("curious").unwrap();
    let transport = HostedTransport::new(name, capabilities, Held::new(curious), LIMIT);
    let kind = |address: &str| transport.chat_kind(&Address::new(address).unwrap());
    assert_eq!([kind("1@g"), kind("2@rooms")], [ChatKind::Group; 2]);
    assert_eq!(kind("3@channel"), ChatKind::Broadcast);
    assert_eq!(kind("@g@person"), ChatKind::Person);
}

//! From the login code to being online, and out again.

use std::time::Duration;

use seatport::lifecycle::ReasonKind;
use seatport::transport::{ChallengeKind, ConnectError, Signal, TransportCommand};
use seatport::{LoginMethod, Proxy};
use seatport_testkit::messenger::{End, PhoneError, Settings};
use tokio::time::{Instant, sleep};

use crate::seat::{START, Seat, challenge, messenger, one_online, ready, send, signal, stored};

/// The reason of the rejection that is due now, after which the connection must be closed.
async fn rejected(connection: &mut seatport::transport::Connection) -> seatport::lifecycle::Reason {
    let Some(Signal::Rejected(reason)) = signal(connection).await else { panic!("no rejection") };
    assert!(signal(connection).await.is_none(), "a rejected connection says nothing more");
    reason
}

#[tokio::test(start_paused = true)]
async fn a_round_has_six_codes_and_then_runs_out() {
    let messenger = messenger(Settings::default());
    let seat = Seat::new(1, messenger.transport());
    let mut connection = seat.dial().await.unwrap();
    let mut codes = Vec::new();
    let (started, mut lives) = (Instant::now(), Vec::new());
    for sequence in 1..=6 {
        let challenge = challenge(&mut connection).await;
        assert_eq!((challenge.kind, challenge.sequence), (ChallengeKind::Qr, sequence));
        lives.push(started.elapsed().as_secs());
        codes.push(challenge);
    }
    assert_eq!(lives, [0, 60, 80, 100, 120, 140]);
    for pair in codes.windows(2) {
        assert_ne!(pair[0].code, pair[1].code);
        let seconds = pair[1].expires_at.since(pair[0].expires_at).as_secs();
        assert_eq!(seconds, 20, "each code is good until the next one");
    }
    assert!(matches!(signal(&mut connection).await, Some(Signal::LoginExpired)));
    assert!(signal(&mut connection).await.is_none());
    assert_eq!(started.elapsed().as_secs(), 160);
    assert_eq!(messenger.journal().connections[0].end.map(|(end, _)| end), Some(End::CodesRanOut));
}

#[tokio::test(start_paused = true)]
async fn a_scan_pairs_and_the_next_dials_need_none() {
    let messenger = messenger(Settings::default());
    let phone = messenger.phone("+8613800138000");
    let mut seat = Seat::new(1, messenger.transport());
    seat.environment = seat.environment.device_name("Front desk").unwrap();

    let mut connection = seat.dial().await.unwrap();
    phone.scan(challenge(&mut connection).await.code.expose()).unwrap();
    let Some(Signal::Paired { account, redial }) = signal(&mut connection).await else { panic!("not paired") };
    assert!(redial);
    assert_eq!(&account, phone.account());
    assert_eq!(account.phone.as_deref(), Some("8613800138000"));
    assert!(signal(&mut connection).await.is_none(), "the network wants a new connection");

    for _ in 0..3 {
        let mut connection = seat.dial().await.unwrap();
        assert_eq!(&ready(&mut connection).await, phone.account());
    }
    let devices = phone.devices();
    assert_eq!(devices.len(), 1);
    assert_eq!((devices[0].session, devices[0].name.as_deref()), (seat.session(), Some("Front desk")));
    assert_eq!(messenger.journal().logins(phone.address()).count(), 3);
    assert!(!messenger.journal().overlapped(phone.address()));
}

#[tokio::test(start_paused = true)]
async fn a_network_that_wants_no_redial_goes_on_with_the_same_connection() {
    let messenger = messenger(Settings { redial_after_pairing: false, ..Settings::default() });
    let phone = messenger.phone("+8613800138000");
    let seat = Seat::new(1, messenger.transport());
    let connection = seat.log_in(&phone).await;
    assert_eq!(messenger.journal().connections.len(), 1);
    drop(connection);
    seat.online().await;
}

#[tokio::test(start_paused = true)]
async fn a_phone_takes_only_the_code_that_is_shown_now() {
    let messenger = messenger(Settings::default());
    let (phone, other) = (messenger.phone("+8613800138000"), messenger.phone("+8613800138001"));
    let seat = Seat::new(1, messenger.transport());
    assert_eq!(phone.scan("simulated:never issued"), Err(PhoneError::UnknownCode));

    let mut connection = seat.dial().await.unwrap();
    let first = challenge(&mut connection).await;
    let second = challenge(&mut connection).await;
    assert_eq!(phone.scan(first.code.expose()), Err(PhoneError::ExpiredCode));

    phone.conditions(|now| now.down = true);
    assert_eq!(phone.scan(second.code.expose()), Err(PhoneError::Offline));
    phone.conditions(|now| now.down = false);
    messenger.ban(phone.address(), None);
    assert_eq!(phone.scan(second.code.expose()), Err(PhoneError::Banned));
    messenger.unban(phone.address());

    assert_eq!(phone.scan(second.code.expose()), Ok(()));
    assert_eq!(other.scan(second.code.expose()), Err(PhoneError::ExpiredCode), "a code is used once");
}

#[tokio::test(start_paused = true)]
async fn the_code_of_a_connection_that_is_gone_is_expired() {
    let messenger = messenger(Settings::default());
    let phone = messenger.phone("+8613800138000");
    let seat = Seat::new(1, messenger.transport());
    let mut connection = seat.dial().await.unwrap();
    let code = challenge(&mut connection).await.code;
    drop(connection);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(phone.scan(code.expose()), Err(PhoneError::ExpiredCode));
    assert_eq!(messenger.journal().connections[0].end.map(|(end, _)| end), Some(End::HungUp));
}

#[tokio::test(start_paused = true)]
async fn a_pairing_code_is_for_one_phone() {
    let messenger = messenger(Settings::default());
    let (phone, other) = (messenger.phone("+8613800138000"), messenger.phone("+8613800138001"));
    let mut seat = Seat::new(1, messenger.transport());
    seat.login = LoginMethod::pairing_code("+8613800138000").unwrap();

    let mut connection = seat.dial().await.unwrap();
    let challenge = challenge(&mut connection).await;
    assert_eq!((challenge.kind, challenge.code.expose().len()), (ChallengeKind::PairingCode, 8));
    assert_eq!(other.enter_pairing_code(challenge.code.expose()), Err(PhoneError::UnknownCode));
    phone.enter_pairing_code(challenge.code.expose()).unwrap();
    assert!(matches!(signal(&mut connection).await, Some(Signal::Paired { .. })));
    drop(connection);
    seat.online().await;
}

#[tokio::test(start_paused = true)]
async fn a_pairing_code_that_nobody_enters_runs_out() {
    let messenger = messenger(Settings::default());
    let mut seat = Seat::new(1, messenger.transport());
    seat.login = LoginMethod::pairing_code("+8613800138000").unwrap();
    let mut connection = seat.dial().await.unwrap();
    challenge(&mut connection).await;
    assert!(matches!(signal(&mut connection).await, Some(Signal::LoginExpired)));
}

#[tokio::test(start_paused = true)]
async fn logged_out_from_the_phone_the_credentials_are_worthless() {
    let (_messenger, phone, seat, mut connection) = one_online().await;
    phone.log_out(seat.session()).unwrap();
    assert_eq!(rejected(&mut connection).await.kind, ReasonKind::LoggedOut);
    assert_eq!(phone.log_out(seat.session()), Err(PhoneError::NotLinked(seat.session())));

    let mut connection = seat.dial().await.unwrap();
    let reason = rejected(&mut connection).await;
    assert_eq!((reason.kind, reason.code.as_deref()), (ReasonKind::LoggedOut, Some("401")));
}

#[tokio::test(start_paused = true)]
async fn the_phone_logs_out_one_session_and_leaves_the_other() {
    let (messenger, phone, first, connection) = one_online().await;
    let second = Seat::new(2, messenger.transport());
    drop(connection);
    let mut connection = second.log_in(&phone).await;
    phone.log_out(first.session()).unwrap();
    assert_eq!(phone.devices().iter().map(|device| device.session).collect::<Vec<_>>(), [second.session()]);

    let bob = messenger.person("bob");
    assert_eq!(send(&connection, bob.address(), "OUT1", "hello").await, Ok(()), "the other is still online");
    let mut refused = first.dial().await.unwrap();
    assert_eq!(rejected(&mut refused).await.kind, ReasonKind::LoggedOut);
    bob.write(phone.address(), "hello");
    assert_eq!(stored(&mut connection).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn log_out_unlinks_and_close_does_not() {
    let (messenger, phone, seat, mut connection) = one_online().await;
    connection.commands.send(TransportCommand::Close).await.unwrap();
    assert!(signal(&mut connection).await.is_none());
    assert_eq!(phone.devices().len(), 1);

    let mut connection = seat.online().await;
    connection.commands.send(TransportCommand::LogOut).await.unwrap();
    assert!(signal(&mut connection).await.is_none());
    assert_eq!(phone.devices(), []);
    let ends: Vec<End> = messenger.journal().connections.iter().filter_map(|c| c.end.map(|(end, _)| end)).collect();
    assert_eq!(ends, [End::Paired, End::Closed, End::LoggedOut]);
}

#[tokio::test(start_paused = true)]
async fn who_logs_in_last_replaces_the_one_before() {
    let (messenger, phone, seat, mut first) = one_online().await;
    let mut second = seat.online().await;
    assert_eq!(rejected(&mut first).await.kind, ReasonKind::Replaced);

    let journal = messenger.journal();
    assert!(journal.overlapped(phone.address()));
    assert_eq!(journal.overlaps.len(), 1);
    assert_eq!(journal.live(phone.address()), 1);

    phone.open_elsewhere();
    assert_eq!(rejected(&mut second).await.kind, ReasonKind::Replaced);
    assert_eq!(messenger.journal().overlaps.len(), 1, "elsewhere is not Seatport");
    assert_eq!(messenger.journal().live(phone.address()), 0);
}

#[tokio::test(start_paused = true)]
async fn dialling_right_after_a_drop_is_no_overlap() {
    let (messenger, phone, seat, mut connection) = one_online().await;
    for _ in 0..20 {
        drop(connection);
        connection = seat.online().await;
    }
    assert!(!messenger.journal().overlapped(phone.address()));
    assert_eq!(messenger.journal().logins(phone.address()).count(), 21);
}

#[tokio::test(start_paused = true)]
async fn a_ban_ends_the_connection_and_ends_itself() {
    let (messenger, phone, seat, mut connection) = one_online().await;
    let until = messenger.journal().connections[0].dialled_at + Duration::from_secs(3600);
    messenger.ban(phone.address(), Some(until));
    for attempt in 0..2 {
        let reason = rejected(&mut connection).await;
        assert_eq!((reason.kind, reason.until), (ReasonKind::Banned, Some(until)), "attempt {attempt}");
        connection = seat.dial().await.unwrap();
    }
    sleep(Duration::from_secs(3600)).await;
    seat.online().await;
}

#[tokio::test(start_paused = true)]
async fn an_outdated_client_is_refused_at_the_dial() {
    let (messenger, _phone, seat, connection) = one_online().await;
    drop(connection);
    messenger.conditions(|now| now.outdated = true);
    let Err(ConnectError::Rejected(reason)) = seat.dial().await else { panic!("an outdated client was let in") };
    assert_eq!(reason.kind, ReasonKind::ClientOutdated);
    messenger.conditions(|now| now.outdated = false);
    seat.online().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_around_a_proxy_that_refuses() {
    let messenger = messenger(Settings::default());
    let phone = messenger.phone("+8613800138000");
    let mut seat = Seat::new(1, messenger.transport());
    let proxy: Proxy = "socks5://mei:hunter2@proxy.example:1080".parse().unwrap();
    seat.environment = seat.environment.proxy("socks5://mei:hunter2@proxy.example:1080").unwrap();

    messenger.refuse_proxy(&proxy);
    for _ in 0..3 {
        let Err(ConnectError::Rejected(reason)) = seat.dial().await else { panic!("the proxy was passed by") };
        assert_eq!(reason.kind, ReasonKind::ProxyRefused);
    }
    let journal = messenger.journal();
    assert_eq!(journal.dials(seat.session()).count(), 3);
    assert!(journal.dials(seat.session()).all(|dial| !dial.welcomed));

    messenger.accept_proxy(&proxy);
    seat.log_in(&phone).await;
    let journal = messenger.journal();
    let through: Vec<Option<&str>> = journal.dials(seat.session()).map(|dial| dial.proxy.as_deref()).collect();
    assert_eq!(through, [Some("socks5://mei@proxy.example:1080"); 5], "no dial went around it");
    assert!(journal.dials(seat.session()).all(|dial| dial.port == seatport::PortNumber(7)));
}

#[tokio::test(start_paused = true)]
async fn credentials_that_cannot_be_stored_are_not_reported_as_paired() {
    let messenger = messenger(Settings::default());
    let phone = messenger.phone("+8613800138000");
    let seat = Seat::new(1, messenger.transport());
    let mut connection = seat.dial().await.unwrap();
    let code = challenge(&mut connection).await.code;
    // Another owner takes the session over: the vault of this connection is closed.
    let vault = seat.vault().await;
    phone.scan(code.expose()).unwrap();
    let Some(Signal::Lost(reason)) = signal(&mut connection).await else { panic!("not lost") };
    assert_eq!(reason.code.as_deref(), Some("vault"));
    assert!(signal(&mut connection).await.is_none());
    assert!(vault.list("").await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_clock_of_the_network_is_the_one_it_was_given_and_a_code_expires_by_that_of_the_session() {
    let messenger = messenger(Settings::default());
    let seat = Seat::new(1, messenger.transport());
    let mut connection = seat.dial().await.unwrap();
    let expires_at = challenge(&mut connection).await.expires_at;
    let dialled_at = messenger.journal().connections[0].dialled_at;
    assert!(dialled_at.since(START) < Duration::from_secs(1) && dialled_at >= START, "{dialled_at}");
    let day = Duration::from_secs(86_400);
    assert!((59_000..61_000).contains(&(expires_at + day).since(START).as_millis()), "{expires_at}");
}

//! Logging in, and all the ways in which it ends.

use std::time::Duration;

use seatport::lifecycle::{Login, ReasonKind};
use seatport::transport::ChallengeKind;
use seatport::{CardStatus, Clock, Environment, Error, LoginMethod, Page, PortNumber, SessionId, WhenFull};
use seatport_testkit::messenger::PhoneError;

use crate::office::{Office, id, new_account};

super::on_every_storage![
    each_code_of_a_round_is_numbered_and_expires,
    a_round_that_runs_out_blocks_keeps_the_port_and_is_refreshed,
    a_pairing_code_instead_of_a_qr_code,
    changing_from_a_qr_code_to_a_pairing_code_on_the_way,
    logged_out_from_the_phone_blocks_until_a_new_scan_resumes_in_place,
    logging_out_here_unlinks_the_device_and_forgets_its_credentials,
    another_account_than_before_is_refused,
    replaced_never_reconnects_by_itself,
    a_ban_says_until_when_and_never_reconnects_by_itself,
    an_outdated_client_is_told_so,
    a_proxy_that_refuses_is_never_gone_around,
    a_changed_environment_keeps_the_proxy_s_password,
    a_lost_network_is_dialled_again_until_it_is_back,
    a_thousand_seconds_of_silence_are_not_online,
    stop_and_restart_in_every_state_that_runs,
];

async fn blocked(office: &Office, session: SessionId, reason: ReasonKind) {
    let card = office.reaches(session, CardStatus::Blocked).await;
    assert_eq!(card.reason.as_ref().map(|reason| reason.kind), Some(reason));
    assert_eq!(card.port, Some(PortNumber(1)), "a blocked session keeps its port");
}

/// Nothing dials for a day.
async fn nothing_dials(office: &Office, session: SessionId) {
    let dials = office.messenger.journal().dials(session).count();
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    assert_eq!(office.messenger.journal().dials(session).count(), dials);
}

async fn each_code_of_a_round_is_numbered_and_expires(office: Office) {
    let session = office.started().await;
    let mut watch = office.mei.watch(session).await.unwrap();
    let mut codes = Vec::new();
    let begin = office.clock.now();
    while codes.len() < 6 {
        let view = watch.next().await.unwrap();
        assert_ne!(view.card.status, CardStatus::Blocked);
        if let Some(challenge) = view.challenge {
            assert!(challenge.is_valid(office.clock.now()), "an expired one is never handed out");
            codes.push(challenge);
        }
    }
    assert_eq!(codes.iter().map(|code| code.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    let lives: Vec<_> = codes.iter().map(|code| code.expires_at.since(begin).as_secs()).collect();
    assert_eq!(lives, [60, 80, 100, 120, 140, 160], "as WhatsApp does it");
    let phone = office.messenger.phone("+8613800138000");
    assert_eq!(phone.scan(codes[0].code.expose()), Err(PhoneError::ExpiredCode));
    phone.scan(office.mei.login_code(session).await.unwrap().code.expose()).unwrap();
    office.reaches(session, CardStatus::Online).await;
    assert!(matches!(office.mei.login_code(session).await, Err(Error::NoLoginCode(_))));
    // Login codes are in no database, event or error.
    let kept = format!(
        "{:?} {:?} {:?}",
        office.storage.session(session).await.unwrap(),
        office.storage.events(session, 0, 100).await.unwrap(),
        office.mei.audit(0, 100).await.unwrap()
    );
    assert!(codes.iter().all(|code| !kept.contains(code.code.expose())));
}

async fn a_round_that_runs_out_blocks_keeps_the_port_and_is_refreshed(office: Office) {
    let session = office.started().await;
    blocked(&office, session, ReasonKind::LoginExpired).await;
    nothing_dials(&office, session).await;
    let card = office.mei.refresh_login(session).await.unwrap();
    assert_eq!((card.status, card.port), (CardStatus::Connecting, Some(PortNumber(1))));
    let phone = office.messenger.phone("+8613800138000");
    office.scan(session, &phone).await;
    office.reaches(session, CardStatus::Online).await;
}

async fn a_pairing_code_instead_of_a_qr_code(office: Office) {
    let method = LoginMethod::pairing_code("+86 138 0013 8000").unwrap();
    let session = office.mei.add_and_start(new_account().login(method), WhenFull::Fail).await.unwrap();
    let code = office.until(session, |view| view.challenge.is_some()).await.challenge.unwrap();
    assert_eq!(code.kind, ChallengeKind::PairingCode);
    let stranger = office.messenger.phone("+4915100000000");
    assert_eq!(stranger.enter_pairing_code(code.code.expose()), Err(PhoneError::UnknownCode));
    office.messenger.phone("+8613800138000").enter_pairing_code(code.code.expose()).unwrap();
    office.reaches(session, CardStatus::Online).await;
}

async fn changing_from_a_qr_code_to_a_pairing_code_on_the_way(office: Office) {
    let session = office.started().await;
    let kind = |wanted| move |view: &seatport::View| view.challenge.as_ref().is_some_and(|code| code.kind == wanted);
    office.until(session, kind(ChallengeKind::Qr)).await;
    let method = LoginMethod::pairing_code("+8613800138000").unwrap();
    office.li.refresh_login_by(session, method).await.unwrap();
    let view = office.until(session, kind(ChallengeKind::PairingCode)).await;
    office.messenger.phone("+8613800138000").enter_pairing_code(view.challenge.unwrap().code.expose()).unwrap();
    office.reaches(session, CardStatus::Online).await;
}

async fn logged_out_from_the_phone_blocks_until_a_new_scan_resumes_in_place(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    office.mei.set_remark(session, "kept").await.unwrap();
    office.mei.assign(session, Some(&id("li"))).await.unwrap();
    let ada = office.messenger.person("ada");
    ada.write(phone.address(), "hello");
    office.unread(session, 1).await;
    phone.log_out(session).unwrap();
    blocked(&office, session, ReasonKind::LoggedOut).await;
    assert!(office.storage.vault_list(session, "net/").await.unwrap().is_empty(), "the credentials are wiped");
    nothing_dials(&office, session).await;

    office.mei.refresh_login(session).await.unwrap();
    office.scan(session, &phone).await;
    let card = office.reaches(session, CardStatus::Online).await;
    assert_eq!((card.remark.as_str(), card.unread, card.port), ("kept", 1, Some(PortNumber(1))));
    assert_eq!((card.login, card.reason, card.agent), (Login::LoggedIn, None, Some(id("li"))));
    assert_eq!(office.li.contacts(session, Page::first(10)).await.unwrap().len(), 1);
    assert_eq!(office.li.messages(session, ada.address(), Page::first(10)).await.unwrap().len(), 1);
}

async fn logging_out_here_unlinks_the_device_and_forgets_its_credentials(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    assert_eq!(phone.devices().len(), 1);
    office.mei.log_out(session).await.unwrap();
    blocked(&office, session, ReasonKind::LoggedOutHere).await;
    assert!(phone.devices().is_empty(), "the phone no longer lists it");
    assert!(office.storage.vault_list(session, "net/").await.unwrap().is_empty());
    assert_eq!(office.card(session).await.login, Login::LoggedOut);
    office.mei.refresh_login(session).await.unwrap();
    office.scan(session, &phone).await;
    office.reaches(session, CardStatus::Online).await;
}

async fn another_account_than_before_is_refused(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    phone.log_out(session).unwrap();
    blocked(&office, session, ReasonKind::LoggedOut).await;
    office.mei.refresh_login(session).await.unwrap();
    let stranger = office.messenger.phone("+4915100000000");
    office.scan(session, &stranger).await;
    blocked(&office, session, ReasonKind::AccountMismatch).await;
    assert_eq!(office.card(session).await.account.unwrap().address, *phone.address());
    assert!(office.storage.vault_list(session, "net/").await.unwrap().is_empty());
    office.mei.refresh_login(session).await.unwrap();
    office.scan(session, &phone).await;
    office.reaches(session, CardStatus::Online).await;
}

async fn replaced_never_reconnects_by_itself(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    phone.open_elsewhere();
    blocked(&office, session, ReasonKind::Replaced).await;
    nothing_dials(&office, session).await;
    assert_eq!(office.card(session).await.login, Login::LoggedIn, "no new scan is needed");
    office.mei.refresh_login(session).await.unwrap();
    office.reaches(session, CardStatus::Online).await;
}

async fn a_ban_says_until_when_and_never_reconnects_by_itself(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let until = office.clock.now() + Duration::from_secs(3600);
    office.messenger.ban(phone.address(), Some(until));
    blocked(&office, session, ReasonKind::Banned).await;
    let reason = office.card(session).await.reason.unwrap();
    assert_eq!(reason.until, Some(until));
    assert!(reason.code.is_some(), "with the network's own code");
    nothing_dials(&office, session).await;
    office.mei.refresh_login(session).await.unwrap();
    office.reaches(session, CardStatus::Online).await;
}

async fn an_outdated_client_is_told_so(office: Office) {
    office.messenger.conditions(|now| now.outdated = true);
    let session = office.started().await;
    blocked(&office, session, ReasonKind::ClientOutdated).await;
    assert_eq!(office.mei.stop(session).await.unwrap().status, CardStatus::NotStarted);
}

async fn a_proxy_that_refuses_is_never_gone_around(office: Office) {
    let environment = Environment::new().proxy("http://mei:hunter2@proxy.example:8080").unwrap();
    office.messenger.refuse_proxy(environment.proxy.as_ref().unwrap());
    let new = new_account().environment(environment.clone());
    let session = office.mei.add_and_start(new, WhenFull::Fail).await.unwrap();
    blocked(&office, session, ReasonKind::ProxyRefused).await;
    nothing_dials(&office, session).await;
    office.messenger.accept_proxy(environment.proxy.as_ref().unwrap());
    office.mei.refresh_login(session).await.unwrap();
    office.scan(session, &office.messenger.phone("+8613800138000")).await;
    office.reaches(session, CardStatus::Online).await;
    let journal = office.messenger.journal();
    assert!(journal.dials(session).all(|dial| dial.proxy.as_deref() == Some("http://mei@proxy.example:8080")));
}

async fn a_changed_environment_keeps_the_proxy_s_password(office: Office) {
    let password = |office: &Office, session| {
        let storage = office.storage.clone();
        async move { storage.vault_get(session, "environment/proxy-password").await.unwrap() }
    };
    let with = |proxy: &str| Environment::new().proxy(proxy).unwrap();
    let new = new_account().environment(with("http://mei:hunter2@proxy.example:8080"));
    let session = office.mei.add_account(new).await.unwrap();
    let first = password(&office, session).await;
    assert!(first.is_some());
    // What a dialog reads back and hands in again has no password: the one that is kept stays.
    let shown = office.card(session).await.environment.time_zone("Asia/Tokyo").unwrap();
    office.mei.set_environment(session, shown).await.unwrap();
    assert_eq!(password(&office, session).await, first);
    office.mei.set_environment(session, with("http://mei:hunter3@proxy.example:8080")).await.unwrap();
    assert_ne!(password(&office, session).await, first);
    office.mei.set_environment(session, with("http://mei@other.example:8080")).await.unwrap();
    assert_eq!(password(&office, session).await, None, "another proxy is not given this one's password");
}

async fn a_lost_network_is_dialled_again_until_it_is_back(office: Office) {
    let (session, _) = office.online("+8613800138000").await;
    office.messenger.conditions(|now| now.down = true);
    let view = office.until(session, |view| view.card.attempt >= 4 && view.card.next_try.is_some()).await;
    assert_eq!(view.card.status, CardStatus::Connecting);
    assert_eq!(view.card.reason.unwrap().kind, ReasonKind::ConnectionLost);
    assert_eq!(view.card.port, Some(PortNumber(1)));
    office.messenger.conditions(|now| now.down = false);
    office.mei.refresh_login(session).await.unwrap();
    let card = office.reaches(session, CardStatus::Online).await;
    assert_eq!((card.attempt, card.reason), (0, None));
}

async fn a_thousand_seconds_of_silence_are_not_online(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    tokio::time::sleep(Duration::from_secs(1000)).await;
    assert_eq!(office.card(session).await.status, CardStatus::Online, "the network's keepalive is proof of life");
    let begin = office.clock.now();
    phone.conditions(|now| now.hang = true);
    let view = office.until(session, |view| view.card.status != CardStatus::Online).await;
    assert_eq!(view.card.reason.unwrap().kind, ReasonKind::NoProofOfLife);
    assert!(office.clock.now().since(begin) <= Duration::from_secs(60));
    phone.conditions(|now| now.hang = false);
    office.reaches(session, CardStatus::Online).await;
}

async fn stop_and_restart_in_every_state_that_runs(office: Office) {
    let phone = office.messenger.phone("+8613800138000");
    let (session, _) = office.online("+8613800138000").await;
    // Online; waiting to reconnect; hung; blocked.
    for trouble in 0..4 {
        for restart in [true, false] {
            match trouble {
                1 => {
                    office.messenger.conditions(|now| now.down = true);
                    office.until(session, |view| view.card.next_try.is_some()).await;
                }
                2 => {
                    phone.conditions(|now| now.hang = true);
                }
                3 => {
                    phone.open_elsewhere();
                    office.reaches(session, CardStatus::Blocked).await;
                }
                _ => {}
            }
            let begin = office.clock.now();
            if restart {
                office.mei.restart(session).await.unwrap();
            } else {
                let card = office.mei.stop(session).await.unwrap();
                assert_eq!((card.status, card.port), (CardStatus::Offline, None), "trouble {trouble}");
                assert!(office.clock.now().since(begin) <= Duration::from_secs(5), "trouble {trouble}");
            }
            office.messenger.conditions(|now| now.down = false);
            phone.conditions(|now| now.hang = false);
            office.mei.start(session, WhenFull::Fail).await.unwrap();
            office.reaches(session, CardStatus::Online).await;
        }
    }
    assert!(!office.messenger.journal().overlapped(phone.address()), "never two connections of one account");
}

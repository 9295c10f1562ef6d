//! The network in trouble, or at odds with the account.

mod office;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use office::{ALICE, BOB, Office, eventually, impatient};
use seatport::lifecycle::{Login, Reason, ReasonKind};
use seatport::{CardStatus, SessionId, Timing, View, WhenFull};
use seatport_whatsapp_e2e::{Reach, Refusal, Seen, StreamEnd};

/// Connecting, after at least one try that failed for a reason of this kind.
fn retrying(kind: ReasonKind) -> impl Fn(&View) -> bool {
    move |view| {
        view.card.status == CardStatus::Connecting
            && view.card.reason.as_ref().is_some_and(|reason| reason.kind == kind)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_blocks_until_it_lifts_and_never_reconnects() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let banned_at = SystemTime::now().duration_since(UNIX_EPOCH)?;
    phone.refuse_logins(Refusal::Banned { code: 101, lifts_in: Duration::from_secs(3600) }).await;
    let reason = office.blocked_by(session, ReasonKind::Banned).await?;
    assert_eq!(reason.code.as_deref(), Some("101"));
    let until = Duration::from_millis(u64::try_from(reason.until.context("an end")?.as_millis())?);
    let error = until.abs_diff(banned_at + Duration::from_secs(3600));
    assert!(error < Duration::from_secs(30), "{error:?}");
    let tries = |seen: &Seen| matches!(seen, Seen::Opened { .. }).then_some(());
    let before = office.server.journal().pick(tries).len();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(office.server.journal().pick(tries).len(), before);

    phone.accept_logins().await;
    office.desk.refresh_login(session).await?;
    assert_eq!(office.online(session).await?.card.login, Login::LoggedIn, "without a scan");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_at_login_block_with_their_code() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    for (refusal, kind, code) in [
        (Refusal::Locked, ReasonKind::Banned, "403"),
        (Refusal::Outdated, ReasonKind::ClientOutdated, "405"),
        (Refusal::Other(418), ReasonKind::Refused, "418"),
    ] {
        office.desk.stop(session).await?;
        phone.refuse_logins(refusal).await;
        office.desk.start(session, WhenFull::Fail).await?;
        let reason = office.blocked_by(session, kind).await?;
        assert_eq!(reason.code.as_deref(), Some(code));
        phone.accept_logins().await;
        office.desk.refresh_login(session).await?;
        office.online(session).await?;
    }
    // Unlinked while it was away.
    office.desk.stop(session).await?;
    phone.log_out_companion().await;
    office.desk.start(session, WhenFull::Fail).await?;
    assert_eq!(office.blocked_by(session, ReasonKind::LoggedOut).await?.code.as_deref(), Some("401"));
    assert_eq!(office.desk.card(session).await?.login, Login::LoggedOut);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outdated_client_is_told_before_any_scan() -> Result<()> {
    let office = Office::open().await?;
    office.server.refuse_everyone(Some(Refusal::Outdated));
    let session = office.add_and_start().await?;
    assert_eq!(office.blocked_by(session, ReasonKind::ClientOutdated).await?.code.as_deref(), Some("405"));
    office.server.refuse_everyone(None);
    office.desk.refresh_login(session).await?;
    office.code(session).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_is_down_at_first_is_tried_until_it_is_up() -> Result<()> {
    let office = Office::open().await?;
    office.server.set_reach(Reach::Down);
    let session = office.add_and_start().await?;
    let view = office.until(session, "retrying", |view| view.card.attempt >= 2).await?;
    assert_eq!(view.card.reason.context("a reason")?.kind, ReasonKind::ConnectionLost);
    office.server.set_reach(Reach::Up);
    office.scan(session, &office.server.phone(ALICE)).await?;
    office.online(session).await?;
    Ok(())
}

/// Waits until the loss is noticed and made good; answers why it was lost.
async fn comes_back(office: &Office, session: SessionId) -> Result<Reason> {
    let view = office.until(session, "noticed", retrying(ReasonKind::ConnectionLost)).await?;
    office.online(session).await?;
    view.card.reason.context("a reason")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_comes_back_by_itself() -> Result<()> {
    let office = Office::open().await?;
    let (session, phone) = office.alice_online().await?;
    let port = office.desk.card(session).await?.port;
    phone.cut().await;
    comes_back(&office, session).await?;
    for (why, code) in [(StreamEnd::Unavailable, "503"), (StreamEnd::RateLimited, "429"), (StreamEnd::Restart, "515")] {
        phone.end_stream(why).await;
        let reason = comes_back(&office, session).await.with_context(|| format!("{why:?}"))?;
        assert_eq!(reason.code.as_deref(), Some(code));
    }
    office.server.set_reach(Reach::Down);
    office.until(session, "noticed", |view| view.card.attempt >= 2).await?;
    office.server.set_reach(Reach::Up);
    office.online(session).await?;
    phone.refuse_logins(Refusal::Unavailable).await;
    office.until(session, "noticed", |view| view.card.attempt >= 2).await?;
    phone.accept_logins().await;
    let card = office.online(session).await?.card;
    assert_eq!((card.port, phone.peak_connections()), (port, 1));
    // And it talks.
    let bob = office.server.person(BOB);
    bob.write(&phone, "back?").await?;
    office.messages_until(session, &bob.jid(), |messages| messages.len() == 1).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_network_counts_as_lost_and_stops_nobody_from_stopping() -> Result<()> {
    let timing = Timing { proof_of_life: Duration::from_secs(3), dial: Duration::from_secs(2), ..impatient() };
    let office = Office::open_with(timing, |transport| transport).await?;
    let (session, _phone) = office.alice_online().await?;
    office.server.set_reach(Reach::Silent);
    office.until(session, "noticed", retrying(ReasonKind::NoProofOfLife)).await?;
    office.until(session, "dialling in vain", retrying(ReasonKind::DialTimedOut)).await?;
    office.server.set_reach(Reach::Up);
    office.online(session).await?;

    office.server.set_reach(Reach::Silent);
    let begin = Instant::now();
    let card = office.desk.stop(session).await?;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!((card.status, card.port), (CardStatus::Offline, None));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_proves_that_it_is_alive() -> Result<()> {
    // The client pings after 15 s of silence, which no pace shortens.
    let timing = Timing { proof_of_life: Duration::from_secs(20), ..impatient() };
    let office = Office::open_with(timing, |transport| transport.pace(20)).await?;
    let (session, phone) = office.alice_online().await?;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(30) {
        assert_eq!(office.desk.card(session).await?.status, CardStatus::Online, "after {:?}", begin.elapsed());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(office.server.journal().logins(phone.number()).len(), 1, "it was never lost");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_link_is_noticed_before_proof_of_life_runs_out() -> Result<()> {
    // The client takes 15 s of silence for idle and 20 s without an answer for dead, which no pace shortens.
    let office = Office::open_with(impatient(), |transport| transport.pace(20)).await?;
    let (session, _phone) = office.alice_online().await?;
    office.server.set_reach(Reach::Silent);
    let mut watch = office.desk.watch(session).await?;
    let noticed = watch.until(retrying(ReasonKind::ConnectionLost));
    let view = tokio::time::timeout(Duration::from_secs(55), noticed).await.context("it was not noticed")??;
    assert_eq!(view.card.reason.context("a reason")?.code.as_deref(), Some("no answer"));
    office.server.set_reach(Reach::Up);
    office.online(session).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hosted_account_is_refused_by_name() -> Result<()> {
    let office = Office::open().await?;
    let session = office.add_and_start().await?;
    let phone = office.server.phone(ALICE);
    phone.set_hosted(true).await;
    let code = office.code(session).await?;
    assert!(phone.scan(&code).await.is_err());
    let reason = office.blocked_by(session, ReasonKind::Refused).await?;
    assert!(reason.code.as_deref().is_some_and(|code| code.contains("signature-mismatch")), "{reason:?}");
    eventually("the device has left", async || office.server.live_connections() == 0).await?;
    Ok(())
}

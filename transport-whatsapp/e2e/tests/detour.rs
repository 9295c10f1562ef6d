//! Sessions behind a proxy: through it, or not at all.

mod office;

use anyhow::{Context, Result};
use office::{ALICE, Office, impatient};
use seatport::lifecycle::ReasonKind;
use seatport::{CardStatus, Environment, SessionId, View};
use seatport_whatsapp_e2e::{FakeProxy, ProxyAnswer, ProxyKind, Seen};

/// A name that nobody can resolve: only the proxy knows where it leads.
const NOWHERE: &str = "ws://whatsapp.invalid/ws/chat";

async fn office_behind_a_name() -> Result<Office> {
    let nowhere = |transport: seatport_whatsapp::WhatsApp| transport.server_url(NOWHERE).expect("a URL");
    Office::open_with(impatient(), nowhere).await
}

async fn through(office: &Office, scheme: &str, proxy: &FakeProxy, password: &str) -> Result<SessionId> {
    let url = format!("{scheme}://ada:{password}@{}", proxy.address());
    office.add_and_start_in(Environment::new().proxy(&url)?).await
}

fn opened(office: &Office) -> usize {
    office.server.journal().pick(|seen| matches!(seen, Seen::Opened { .. }).then_some(())).len()
}

/// Waiting to dial again, because of the proxy.
fn retrying(view: &View) -> bool {
    view.card.status == CardStatus::Connecting
        && view.card.attempt >= 2
        && view.card.reason.as_ref().is_some_and(|reason| reason.kind == ReasonKind::ProxyRefused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_goes_through_the_proxy() -> Result<()> {
    for (kind, scheme) in [(ProxyKind::Http, "http"), (ProxyKind::Socks5, "socks5")] {
        let office = office_behind_a_name().await?;
        let proxy = FakeProxy::start(kind, Some(("ada", "s3cret")), office.server.address()).await?;
        let session = through(&office, scheme, &proxy, "s3cret").await?;
        let phone = office.server.phone(ALICE);
        office.scan(session, &phone).await?;
        office.online(session).await?;
        let targets = proxy.targets();
        assert!(targets.len() >= 2 && targets.iter().all(|target| target == "whatsapp.invalid:80"), "{targets:?}");
        assert_eq!(targets.len(), opened(&office), "every connection came through the proxy");
        // The tunnel breaks, and comes back.
        proxy.cut();
        office.until(session, "noticed", |view| view.card.status != CardStatus::Online).await?;
        office.online(session).await?;
        assert_eq!(proxy.targets().len(), opened(&office));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_says_no_blocks() -> Result<()> {
    for (kind, scheme, password, answer, code) in [
        (ProxyKind::Http, "http", "wr0ng", ProxyAnswer::Tunnel, "407"),
        (ProxyKind::Socks5, "socks5", "wr0ng", ProxyAnswer::Tunnel, "wrong credentials"),
        (ProxyKind::Socks5, "socks5", "s3cret", ProxyAnswer::Deny, "not allowed by its rules"),
    ] {
        let office = office_behind_a_name().await?;
        let proxy = FakeProxy::start(kind, Some(("ada", "s3cret")), office.server.address()).await?;
        proxy.set_answer(answer);
        let session = through(&office, scheme, &proxy, password).await?;
        let reason = office.blocked_by(session, ReasonKind::ProxyRefused).await?;
        assert_eq!(reason.code.as_deref(), Some(code));
        assert_eq!((opened(&office), proxy.targets().len()), (0, 0));
        assert!(!format!("{:?}", office.desk.card(session).await?).contains(password));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_fails_is_tried_again_and_never_gone_around() -> Result<()> {
    // The server itself could be reached here.
    let office = Office::open().await?;
    let proxy = FakeProxy::start(ProxyKind::Http, None, office.server.address()).await?;
    proxy.set_answer(ProxyAnswer::Deny);
    let url = format!("http://{}", proxy.address());
    let session = office.add_and_start_in(Environment::new().proxy(&url)?).await?;
    let view = office.until(session, "retrying", retrying).await?;
    assert_eq!(view.card.reason.context("a reason")?.code.as_deref(), Some("502"));
    assert_eq!(opened(&office), 0);
    proxy.set_answer(ProxyAnswer::Tunnel);
    office.scan(session, &office.server.phone(ALICE)).await?;
    office.online(session).await?;

    let before = opened(&office);
    drop(proxy);
    let view = office.until(session, "retrying", retrying).await?;
    assert_eq!(view.card.reason.context("a reason")?.code.as_deref(), Some("connection refused"));
    assert_eq!(opened(&office), before, "nobody went around it");
    Ok(())
}

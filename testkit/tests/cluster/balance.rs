//! Nodes that give up what is more than their share.

use seatport::CardStatus;
use tokio::time::{Instant, sleep};

use crate::region::{Region, millis, secs};

#[tokio::test(start_paused = true)]
async fn a_node_that_joins_gets_its_share() {
    let region = Region::new(1);
    let (a, b) = (region.node().await, region.node().await);
    let online = region.online(&[&a, &b], 40).await;
    sleep(secs(30)).await;
    let before = region.messenger.journal().connections.len();
    let c = region.node().await;
    let mut offline = 0;
    for _ in 0..1200 {
        sleep(millis(50)).await;
        let mut now = 0;
        for (session, _) in &online {
            now += usize::from(region.stored(*session).await.status() != CardStatus::Online);
        }
        offline = offline.max(now);
    }
    let spread = region.spread().await;
    assert!([&a, &b, &c].iter().all(|office| (9..=18).contains(&spread[&office.id()])), "{spread:?}");
    assert!(offline <= 10, "{offline} were offline at the same time");
    let journal = region.messenger.journal();
    let moved = journal.connections.len() - before;
    assert!(moved <= 14, "{moved} moved: none to and fro");
    assert_eq!(journal.overlaps, []);
    sleep(secs(120)).await;
    assert_eq!(region.spread().await, spread, "it stays as it is");
}

#[tokio::test(start_paused = true)]
async fn sessions_without_a_connection_go_first() {
    let region = Region::new(2);
    let a = region.node().await;
    let online = region.online(&[&a], 10).await;
    let idle = region.online(&[&a], 10).await;
    for (session, phone) in &idle {
        phone.open_elsewhere();
        region.reaches(*session, CardStatus::Blocked).await;
    }
    let b = region.node().await;
    sleep(secs(60)).await;
    let spread = region.spread().await;
    assert!(spread[&b.id()] >= 8, "{spread:?}");
    for (session, _) in &online {
        assert_eq!(region.owner(*session).await, Some(a.id()));
    }
    for (session, _) in idle {
        assert_eq!(region.stored(session).await.status(), CardStatus::Blocked, "and stay as they are");
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_without_rebalancing_keeps_what_it_has() {
    let region = Region::new(3);
    let a = region.built(|builder| builder.without_rebalancing()).await;
    region.online(&[&a], 10).await;
    let _b = region.node().await;
    sleep(secs(120)).await;
    assert_eq!(region.spread().await[&a.id()], 10);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_moved_to_a_node_that_may_not_drive_it() {
    let region = Region::new(4);
    let fra = region.built(|builder| builder.node_label("egress", "fra").unwrap()).await;
    for _ in 0..10 {
        let pinned = seatport::Environment::new().runs_on("egress", "fra").unwrap();
        crate::region::started(&fra.desk, pinned).await;
    }
    let begin = Instant::now();
    let _plain = region.node().await;
    let _full = region.built(|builder| builder.max_sessions(0)).await;
    while begin.elapsed() < secs(60) {
        sleep(millis(100)).await;
        assert_eq!(region.spread().await.get(&fra.id()), Some(&10));
    }
}

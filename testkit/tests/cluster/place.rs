//! Where a session is driven from the beginning: evenly, within each node's limit, and where its labels are.

use seatport::{CardStatus, Environment};
use tokio::time::sleep;

use crate::region::{Region, millis, secs, started};

#[tokio::test(start_paused = true)]
async fn sixty_sessions_spread_over_three_nodes() {
    let region = Region::new(1);
    let (a, b, c) = (region.node().await, region.node().await, region.node().await);
    let mut sessions = Vec::new();
    for _ in 0..60 {
        sessions.extend(region.started(&a, 1).await);
        sleep(millis(200)).await;
    }
    for session in sessions {
        region.reaches(session, CardStatus::AwaitingLogin).await;
    }
    let spread = region.spread().await;
    assert_eq!(spread.values().sum::<usize>(), 60);
    for office in [&a, &b, &c] {
        let driven = spread.get(&office.id()).copied().unwrap_or_default();
        assert!((16..=24).contains(&driven), "{spread:?}");
    }
    sleep(secs(6)).await;
    let reported: u32 = a.seatport.nodes().await.unwrap().iter().map(|node| node.report.sessions).sum();
    assert_eq!(reported, 60, "every node says how many it drives");
}

#[tokio::test(start_paused = true)]
async fn sessions_started_all_at_once_spread_too() {
    let region = Region::new(2);
    let (a, b, c) = (region.node().await, region.node().await, region.node().await);
    let sessions = region.started(&b, 60).await;
    for session in sessions {
        region.reaches(session, CardStatus::AwaitingLogin).await;
    }
    let spread = region.spread().await;
    for office in [&a, &b, &c] {
        assert!(spread.get(&office.id()).is_some_and(|driven| (8..=32).contains(driven)), "{spread:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_starts_at_once_on_whichever_node() {
    let region = Region::new(3);
    let (a, _b, _c) = (region.node().await, region.node().await, region.node().await);
    // Long after anything that happens at the start, and not when the nodes look by themselves.
    sleep(millis(20_300)).await;
    for session in region.started(&a, 20).await {
        assert_eq!(region.owner(session).await, None);
    }
    sleep(millis(250)).await;
    assert_eq!(region.spread().await.values().sum::<usize>(), 20, "nobody waits for a look");
}

#[tokio::test(start_paused = true)]
async fn no_node_drives_more_than_it_may_and_what_is_more_waits_for_room() {
    let region = Region::new(4);
    let a = region.built(|builder| builder.max_sessions(3)).await;
    let b = region.built(|builder| builder.max_sessions(4)).await;
    region.started(&a, 10).await;
    for _ in 0..600 {
        let spread = region.spread().await;
        assert!(spread.get(&a.id()).is_none_or(|driven| *driven <= 3), "{spread:?}");
        assert!(spread.get(&b.id()).is_none_or(|driven| *driven <= 4), "{spread:?}");
        sleep(millis(100)).await;
    }
    assert_eq!(region.spread().await.values().sum::<usize>(), 7, "all the room there is");

    let c = region.node().await;
    region.until(secs(3), async || region.spread().await.values().sum::<usize>() == 10).await;
    assert!(region.spread().await[&c.id()] >= 3);
}

#[tokio::test(start_paused = true)]
async fn a_full_node_takes_the_next_one_as_soon_as_it_has_room() {
    let region = Region::new(5);
    let a = region.built(|builder| builder.max_sessions(10)).await;
    let sessions = region.started(&a, 11).await;
    sleep(secs(30)).await;
    let waits = async |session| region.owner(session).await.is_none();
    let mut driven = Vec::new();
    for session in sessions {
        if !waits(session).await {
            driven.push(session);
        }
    }
    assert_eq!(driven.len(), 10);
    a.desk.stop(driven[0]).await.unwrap();
    region.until(secs(2), async || region.spread().await[&a.id()] == 10).await;
}

#[tokio::test(start_paused = true)]
async fn a_pinned_session_runs_only_where_its_label_is() {
    let region = Region::new(6);
    let plain = region.node().await;
    let pinned = Environment::new().runs_on("egress", "fra").unwrap();
    let session = started(&plain.desk, pinned.clone()).await;
    // Longer than a session is left to the node whose it is.
    sleep(secs(60)).await;
    assert_eq!(region.owner(session).await, None, "it waits for such a node");

    let fra = region.built(|builder| builder.node_label("egress", "fra").unwrap()).await;
    let other = region.built(|builder| builder.node_label("egress", "sin").unwrap()).await;
    region.until(secs(2), async || region.owner(session).await == Some(fra.id())).await;
    for _ in 0..10 {
        let another = started(&other.desk, pinned.clone()).await;
        region.until(secs(1), async || region.owner(another).await == Some(fra.id())).await;
    }

    fra.dies();
    sleep(secs(60)).await;
    assert_eq!(region.owner(session).await, None);
    let again = region.built(|builder| builder.node_label("egress", "fra").unwrap()).await;
    region.until(secs(2), async || region.owner(session).await == Some(again.id())).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_its_node_leaves_alone_is_taken_by_another_one() {
    let region = Region::new(7);
    let a = region.node().await;
    // It is live, reports that it accepts sessions, and takes none: a process that has lost its way.
    let idle = crate::fence::idle_node(&region).await;
    let sessions = region.started(&a, 20).await;
    sleep(secs(2)).await;
    let driven = region.spread().await.values().sum::<usize>();
    assert!((1..20).contains(&driven), "some are left to the other one: {driven}");
    for session in &sessions {
        region.until(secs(40), async || region.owner(*session).await == Some(a.id())).await;
    }
    idle.abort();
}

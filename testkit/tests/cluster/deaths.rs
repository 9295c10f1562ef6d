//! Nodes that end without a word.

use seatport::{CardStatus, Timing};
use tokio::time::{Instant, sleep};

use crate::region::{Region, millis, secs};

#[tokio::test(start_paused = true)]
async fn what_a_dead_node_drove_is_online_again_within_its_lease_and_two_seconds() {
    for (seed, lived) in [(1, 0), (2, 1_700), (3, 3_900), (4, 7_300)] {
        let region = Region::new(seed);
        let (a, b, c) = (region.node().await, region.node().await, region.node().await);
        let online = region.online(&[&a, &b, &c], 30).await;
        sleep(millis(lived)).await;
        let died = b.dies();
        let begin = Instant::now();
        let theirs: Vec<_> = {
            let mut theirs = Vec::new();
            for (session, _) in &online {
                if region.owner(*session).await == Some(died) {
                    theirs.push(*session);
                }
            }
            theirs
        };
        assert!(theirs.len() > 3, "{:?}", region.spread().await);
        let limit = Timing::default().lease + secs(2);
        for session in theirs {
            let resumed = async || {
                let owner = region.owner(session).await;
                owner.is_some_and(|owner| owner != died) && region.stored(session).await.status() == CardStatus::Online
            };
            region.until(limit.saturating_sub(begin.elapsed()), resumed).await;
        }
        let spread = region.spread().await;
        assert_eq!(spread.values().sum::<usize>(), 30);
        assert!(spread[&a.id()].abs_diff(spread[&c.id()]) <= 12, "they share what it drove: {spread:?}");
        let journal = region.messenger.journal();
        assert_eq!(journal.overlaps, []);
        for (session, phone) in online {
            assert_eq!(journal.live(phone.address()), 1);
            assert!(journal.dials(session).count() <= 3, "the login, and one that resumes it");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn all_nodes_die_and_the_next_one_takes_everything_up() {
    let region = Region::new(5);
    let (a, b) = (region.node().await, region.node().await);
    let online = region.online(&[&a, &b], 12).await;
    a.dies();
    b.dies();
    let c = region.node().await;
    for (session, phone) in online {
        region.until(secs(18), async || region.owner(session).await == Some(c.id())).await;
        region.reaches(session, CardStatus::Online).await;
        assert_eq!(region.messenger.journal().live(phone.address()), 1);
    }
    assert_eq!(region.messenger.journal().overlaps, []);
}

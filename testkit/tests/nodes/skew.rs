//! Nodes whose clocks differ by an hour.

use seatport::conversation::MessageStatus;
use seatport::leads::LeadQuery;
use seatport::{CardStatus, Clock, Page, SendOptions, View};
use tokio::time::{Instant, sleep, timeout};

use crate::cluster::{Cluster, eventually, secs};

const HOUR: i64 = 3600;

/// How far the clock of the node that drives the session is ahead of the network's, and that of the other node.
const CLOCKS: [(i64, i64); 6] = [(0, HOUR), (0, -HOUR), (HOUR, 0), (-HOUR, 0), (HOUR, -HOUR), (-HOUR, HOUR)];

#[tokio::test(start_paused = true)]
async fn a_code_is_shown_elsewhere_as_long_as_it_is_valid_and_no_longer() {
    for (owner_ahead, other_ahead) in CLOCKS {
        let mut cluster = Cluster::new(3);
        let owner = cluster.join_ahead(owner_ahead).await;
        let session = owner.started().await;
        let first = owner.until(session, |view| view.challenge.is_some()).await.challenge.unwrap();
        let shown_at = Instant::now();
        sleep(secs(25)).await;
        let other = cluster.join_ahead(other_ahead).await;
        let mut watch = other.desk.watch(session).await.unwrap();
        let first_there = |view: &View| view.challenge.as_ref().is_some_and(|code| code.code == first.code);
        timeout(secs(3), watch.until(first_there)).await.expect("it asks").unwrap();
        // Nobody says that it is over, nor what the next one is.
        owner.way().mute(true);
        let gone = |view: &View| view.challenge.as_ref().is_none_or(|code| code.code != first.code);
        timeout(secs(70), watch.until(gone)).await.expect("it expires").unwrap();
        // The first code of the simulated network is valid for a minute.
        let (shown, minute) = (shown_at.elapsed().as_millis(), 59_900..=60_100);
        assert!(minute.contains(&shown), "{shown} ms, with {owner_ahead} and {other_ahead}");
        owner.way().mute(false);
        cluster.messenger.phone("+8613800138000").scan(&other.code(session).await).unwrap();
        other.reaches(session, CardStatus::Online).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_logged_in_written_to_answered_lost_adopted_and_stopped() {
    for (owner_ahead, other_ahead) in CLOCKS {
        let clocks = format!("with {owner_ahead} and {other_ahead}");
        let mut cluster = Cluster::new(3);
        let owner = cluster.join_ahead(owner_ahead).await;
        let session = owner.started().await;
        owner.code(session).await;
        let other = cluster.join_ahead(other_ahead).await;
        let phone = cluster.messenger.phone("+8613800138000");
        phone.scan(&other.code(session).await).unwrap();
        other.reaches(session, CardStatus::Online).await;

        let ada = cluster.messenger.person("ada");
        ada.write(phone.address(), "hello");
        other.until(session, |view| view.card.unread == 1).await;
        let options = SendOptions::default();
        let answer = other.desk.send_text(session, ada.address(), "hello yourself", options).await.unwrap();
        eventually("the answer arrives", || ada.received().len() == 1).await;
        sleep(secs(1)).await;
        let messages = other.desk.messages(session, ada.address(), Page::first(10)).await.unwrap();
        assert_eq!(messages[0].message.id, answer, "the answer stands after the question, {clocks}");
        assert!(messages[0].message.status >= MessageStatus::Sent, "{clocks}");

        // The network is away, the session waits to reconnect, and then its node dies.
        cluster.messenger.conditions(|now| now.down = true);
        owner.until(session, |view| view.card.attempt >= 3 && view.card.next_try.is_some()).await;
        drop(owner);
        sleep(secs(20)).await;
        cluster.messenger.conditions(|now| now.down = false);
        let begin = Instant::now();
        other.reaches(session, CardStatus::Online).await;
        // Not the hour by which the clocks differ, nor much of it.
        assert!(begin.elapsed() <= secs(300), "{:?}, {clocks}", begin.elapsed());
        ada.write(phone.address(), "still there?");
        other.until(session, |view| view.card.unread == 2).await;

        let begin = Instant::now();
        assert_eq!(other.desk.stop(session).await.unwrap().status, CardStatus::Offline);
        assert!(begin.elapsed() <= secs(5), "{clocks}");
        assert!(!cluster.messenger.journal().overlapped(phone.address()), "{clocks}");
        assert_eq!(ada.received().len(), 1, "sent once, {clocks}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_a_node_that_is_behind_does_not_make_an_outreach_of_a_lead() {
    for (owner_ahead, other_ahead) in [(0, -HOUR), (-HOUR, 0), (-HOUR, -HOUR), (0, HOUR)] {
        let mut cluster = Cluster::new(3);
        let owner = cluster.join_ahead(owner_ahead).await;
        let (session, phone) = cluster.online(&owner, "+8613800138000").await;
        let other = cluster.join_ahead(other_ahead).await;
        let ada = cluster.messenger.person("ada");
        sleep(secs(60)).await;
        ada.write(phone.address(), "hello");
        other.until(session, |view| view.card.unread == 1).await;
        other.desk.send_text(session, ada.address(), "hello yourself", SendOptions::default()).await.unwrap();
        eventually("the answer arrives", || ada.received().len() == 1).await;
        sleep(secs(5)).await;
        let query = LeadQuery::last(3, "UTC", cluster.clock.now()).unwrap();
        for node in [&owner, &other] {
            let total = node.desk.leads(&query).await.unwrap().current.total;
            assert_eq!((total.new, total.duplicate), (1, 0), "with {owner_ahead} and {other_ahead}: {total:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_added_at_nodes_whose_clocks_differ_are_listed_once_each() {
    let mut cluster = Cluster::new(30);
    let nodes = [cluster.join_ahead(0).await, cluster.join_ahead(HOUR).await, cluster.join_ahead(-HOUR).await];
    let mut added = Vec::new();
    for number in 0..9 {
        added.push(nodes[number % 3].added().await);
        sleep(secs(1)).await;
    }
    added.sort();
    for node in &nodes {
        let mut listed = Vec::new();
        let mut page = Page::first(2);
        loop {
            let cards = node.desk.cards(&Default::default(), page).await.unwrap();
            let Some(last) = cards.last() else { break };
            page = Page::after(last.session, 2);
            listed.extend(cards.iter().map(|card| card.session));
        }
        assert_eq!(listed, added);
    }
}

//! Handing sessions over for a rolling restart.

use std::collections::BTreeMap;
use std::time::Duration;

use seatport::conversation::{Content, Direction, MessageStatus};
use seatport::storage::ConversationStore;
use seatport::{Address, CardStatus, Environment, Error, Page, SendOptions, SessionId, Timing, WhenStopped};
use seatport_testkit::messenger::{Journal, Person, Phone};
use tokio::time::{Instant, sleep, timeout};

use crate::region::{Office, Region, millis, secs, started};

/// How long the session had no connection that was logged in, at most.
fn longest_gap(journal: &Journal, session: SessionId, account: &Address) -> Duration {
    let logins: Vec<_> = journal.logins(account).filter(|connection| connection.session == session).collect();
    let gaps = logins.windows(2).map(|pair| match (pair[0].end, &pair[1].login) {
        (Some((_, ended)), Some((_, logged_in))) => logged_in.since(ended),
        _ => Duration::MAX,
    });
    gaps.max().unwrap_or_default()
}

/// People write to the accounts, and the accounts to them, while something happens.
struct Traffic {
    person: Person,
    written: BTreeMap<SessionId, Vec<String>>,
    sent: BTreeMap<SessionId, Vec<String>>,
}

impl Traffic {
    fn new(region: &Region) -> Self {
        Self { person: region.messenger.person("bob"), written: BTreeMap::new(), sent: BTreeMap::new() }
    }

    async fn goes_on(&mut self, desk: &seatport::Desk, online: &[(SessionId, Phone)]) {
        let mut number = self.written.values().map(Vec::len).sum::<usize>();
        loop {
            for (session, phone) in online {
                number += 1;
                let text = format!("in {number}");
                self.person.write(phone.address(), text.clone());
                self.written.entry(*session).or_default().push(text);
                if number % 3 == 0 {
                    let text = format!("out {number}");
                    let how = SendOptions::default().when_stopped(WhenStopped::Queue);
                    desk.send_text(*session, self.person.address(), text.clone(), how).await.unwrap();
                    self.sent.entry(*session).or_default().push(text);
                }
                sleep(millis(7)).await;
            }
        }
    }

    /// Every message is stored once, and every one of ours came once.
    async fn settles(&self, region: &Region, online: &[(SessionId, Phone)]) {
        for (session, phone) in online {
            let chat = self.person.address();
            let texts = async |direction: Direction, least: MessageStatus| {
                let messages = region.memory.messages(*session, chat, Page::first(1000)).await.unwrap();
                let of = messages.into_iter().map(|stored| stored.message).filter(|message| {
                    message.direction == direction && message.status != MessageStatus::Failed && message.status >= least
                });
                let mut texts: Vec<_> = of
                    .map(|message| match message.content {
                        Content::Text(text) => text,
                        other => panic!("{other:?}"),
                    })
                    .collect();
                texts.sort();
                texts
            };
            let sorted = |texts: Option<&Vec<String>>| {
                let mut texts = texts.cloned().unwrap_or_default();
                texts.sort();
                texts
            };
            let (written, sent) = (sorted(self.written.get(session)), sorted(self.sent.get(session)));
            let all = async || {
                texts(Direction::Inbound, MessageStatus::Pending).await.len() >= written.len()
                    && texts(Direction::Outbound, MessageStatus::Sent).await.len() >= sent.len()
            };
            region.until(secs(300), all).await;
            assert_eq!(texts(Direction::Inbound, MessageStatus::Pending).await, written);
            assert_eq!(texts(Direction::Outbound, MessageStatus::Sent).await, sent);
            let received = self.person.received().into_iter().filter(|received| received.from == *phone.address());
            let mut received: Vec<_> = received.map(|received| received.text().to_owned()).collect();
            received.sort();
            assert_eq!(received, sent);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn twenty_sessions_move_while_people_write() {
    let region = Region::new(1);
    let a = region.node().await;
    let online = region.online(&[&a], 20).await;
    let b = region.built(|builder| builder.without_rebalancing()).await;
    let c = region.built(|builder| builder.without_rebalancing()).await;
    let mut traffic = Traffic::new(&region);
    let drained = tokio::select! {
        () = traffic.goes_on(&b.desk, &online) => unreachable!("it goes on for ever"),
        drained = async {
            sleep(secs(1)).await;
            let begin = Instant::now();
            let drained = a.seatport.drain(secs(60)).await.unwrap();
            assert!(begin.elapsed() < secs(10), "it took {:?}", begin.elapsed());
            sleep(secs(1)).await;
            drained
        } => drained,
    };
    assert_eq!((drained.moved, drained.left), (20, vec![]));
    a.seatport.shutdown(secs(5)).await;
    traffic.settles(&region, &online).await;
    let journal = region.messenger.journal();
    assert_eq!(journal.overlaps, []);
    for (session, phone) in &online {
        assert_eq!(region.stored(*session).await.status(), CardStatus::Online);
        assert_eq!(journal.live(phone.address()), 1);
        let gap = longest_gap(&journal, *session, phone.address());
        assert!(gap <= secs(2), "{session} was offline for {gap:?}");
        assert_eq!(phone.devices().len(), 1, "without a scan");
    }
    let sent_twice: Vec<_> = journal.sent.iter().filter(|sent| sent.times > 1).collect();
    assert!(sent_twice.is_empty(), "what is on its way is waited for: {sent_twice:?}");
    let spread = region.spread().await;
    assert_eq!(spread.get(&a.id()), None);
    assert!(spread[&b.id()] >= 5 && spread[&c.id()] >= 5, "{spread:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rolling_restart_takes_no_session_offline_for_long() {
    let region = Region::new(2);
    let mut offices = vec![region.node().await, region.node().await, region.node().await];
    let online = region.online(&offices.iter().collect::<Vec<_>>(), 30).await;
    for _ in 0..3 {
        let old = offices.remove(0);
        offices.push(region.node().await);
        let drained = old.seatport.drain(secs(60)).await.unwrap();
        assert_eq!(drained.left, []);
        old.seatport.shutdown(secs(5)).await;
        assert!(!region.is_live(old.id()).await);
    }
    let journal = region.messenger.journal();
    assert_eq!(journal.overlaps, []);
    for (session, phone) in online {
        region.reaches(session, CardStatus::Online).await;
        let gap = longest_gap(&journal, session, phone.address());
        assert!(gap <= secs(2), "{session} was offline for {gap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_nowhere_to_go_sessions_stay_and_are_named() {
    let region = Region::new(3);
    let a = region.node().await;
    let mut sessions: Vec<_> = region.online(&[&a], 3).await.into_iter().map(|(session, _)| session).collect();
    sessions.sort();
    let drained = a.seatport.drain(secs(60)).await.unwrap();
    assert_eq!((drained.moved, &drained.left), (0, &sessions));
    for session in &sessions {
        assert_eq!(region.stored(*session).await.status(), CardStatus::Online);
    }
    // What is started meanwhile waits for a node that accepts it.
    let later = started(&a.desk, Environment::new()).await;
    sleep(secs(60)).await;
    assert_eq!(region.owner(later).await, None);

    let b = region.built(|builder| builder.max_sessions(2)).await;
    region.until(secs(2), async || region.owner(later).await == Some(b.id())).await;
    let drained = a.seatport.drain(secs(60)).await.unwrap();
    assert_eq!((drained.moved, drained.left.len()), (1, 2), "the other one is full then");
    let c = region.node().await;
    let drained = a.seatport.drain(secs(60)).await.unwrap();
    assert_eq!((drained.moved, drained.left), (2, vec![]), "calling again goes on");
    assert_eq!(a.seatport.drain(secs(60)).await.unwrap().moved, 0, "and then there is nothing to do");
    region.until(secs(5), async || region.spread().await[&c.id()] == 2).await;
    assert_eq!(region.messenger.journal().overlaps, []);
    a.seatport.shutdown(secs(1)).await;
    assert!(matches!(a.seatport.drain(secs(1)).await, Err(Error::ShutDown(_))));
}

#[tokio::test(start_paused = true)]
async fn what_is_pinned_elsewhere_or_here_alone_stays() {
    let region = Region::new(4);
    let fra = region.built(|builder| builder.node_label("egress", "fra").unwrap()).await;
    let pinned = started(&fra.desk, Environment::new().runs_on("egress", "fra").unwrap()).await;
    let free = started(&fra.desk, Environment::new()).await;
    region.reaches(pinned, CardStatus::AwaitingLogin).await;
    region.reaches(free, CardStatus::AwaitingLogin).await;
    let other = region.node().await;
    let drained = fra.seatport.drain(secs(60)).await.unwrap();
    assert_eq!((drained.moved, drained.left), (1, vec![pinned]));
    assert_eq!(region.owner(free).await, Some(other.id()));
    assert_eq!(region.owner(pinned).await, Some(fra.id()));
}

#[tokio::test(start_paused = true)]
async fn sessions_move_in_whatever_state_they_are() {
    let region = Region::new(5);
    let a = region.node().await;
    let online = region.online(&[&a], 4).await;
    let awaiting = region.started(&a, 1).await[0];
    region.reaches(awaiting, CardStatus::AwaitingLogin).await;
    let [blocked, retrying, stopping, writing] = &online[..] else { unreachable!("there are four") };
    blocked.1.open_elsewhere();
    region.reaches(blocked.0, CardStatus::Blocked).await;
    retrying.1.conditions(|now| now.down = true);
    region.reaches(retrying.0, CardStatus::Connecting).await;
    // The network answers neither a message nor the closing.
    writing.1.conditions(|now| now.hang = true);
    let bob = region.messenger.person("bob");
    a.desk.send_text(writing.0, bob.address(), "hello", SendOptions::default()).await.unwrap();
    stopping.1.conditions(|now| now.hang = true);
    let desk = a.desk.clone();
    let session = stopping.0;
    let stop = tokio::spawn(async move { desk.stop(session).await.unwrap() });
    sleep(millis(100)).await;

    let b = region.node().await;
    let drained = a.seatport.drain(secs(60)).await.unwrap();
    assert_eq!(drained.left, []);
    assert_eq!(stop.await.unwrap().status, CardStatus::Offline, "a stop is finished where it began");
    for session in [blocked.0, retrying.0, writing.0, awaiting] {
        assert_eq!(region.owner(session).await, Some(b.id()));
    }
    assert_eq!(region.stored(blocked.0).await.status(), CardStatus::Blocked);
    retrying.1.conditions(|now| now.down = false);
    writing.1.conditions(|now| now.hang = false);
    region.reaches(retrying.0, CardStatus::Online).await;
    region.reaches(writing.0, CardStatus::Online).await;
    region.until(secs(60), async || bob.received().len() == 1).await;
    region.log_in(&[&b], awaiting, &region.messenger.phone("+8613900000000")).await;
    assert_eq!(region.messenger.journal().overlaps, []);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_the_node_draining() {
    let region = Region::new(6);
    let timing = Timing { handovers_per_second: 1.0, ..Timing::default() };
    let a = region.built(|builder| builder.timing(timing)).await;
    region.online(&[&a], 10).await;
    let b = region.built(|builder| builder.without_rebalancing()).await;
    assert!(timeout(secs(4), a.seatport.drain(secs(600))).await.is_err());
    let begun = region.spread().await;
    assert!((1..9).contains(&begun[&b.id()]), "{begun:?}");
    sleep(secs(30)).await;
    let later = started(&a.desk, Environment::new()).await;
    region.until(secs(1), async || region.owner(later).await == Some(b.id())).await;
    let reports = b.seatport.nodes().await.unwrap();
    assert!(reports.iter().all(|node| node.report.accepting == (node.profile.id == b.id())), "{reports:?}");
    assert_eq!(a.seatport.drain(secs(600)).await.unwrap().left, []);
    assert_eq!(region.messenger.journal().overlaps, []);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_over_names_what_is_left() {
    let region = Region::new(7);
    let timing = Timing { handovers_per_second: 1.0, ..Timing::default() };
    let a = region.built(|builder| builder.timing(timing)).await;
    region.online(&[&a], 10).await;
    let _b = region.node().await;
    let begin = Instant::now();
    let drained = a.seatport.drain(secs(4)).await.unwrap();
    assert!(begin.elapsed() <= millis(4010));
    assert!(drained.moved >= 1 && drained.left.len() >= 4, "{drained:?}");
    assert!(drained.moved as usize + drained.left.len() <= 10, "{drained:?}");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_dead_without_anybody_knowing_keeps_no_session_offline() {
    let region = Region::new(8);
    let a = region.node().await;
    let online = region.online(&[&a], 6).await;
    let (b, dead) = (region.node().await, region.node().await);
    sleep(secs(1)).await;
    dead.dies();
    let drained = a.seatport.drain(secs(60)).await.unwrap();
    assert_eq!(drained.left, []);
    let journal = region.messenger.journal();
    assert_eq!(journal.overlaps, []);
    for (session, phone) in online {
        assert_eq!(region.owner(session).await, Some(b.id()));
        region.reaches(session, CardStatus::Online).await;
        let gap = longest_gap(&region.messenger.journal(), session, phone.address());
        assert!(gap <= secs(3), "{session} was offline for {gap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_session_sent_away_at_a_bounded_rate() {
    let region = Region::new(9);
    let timing = Timing { handovers_per_second: 5.0, ..Timing::default() };
    let a = region.built(|builder| builder.timing(timing)).await;
    let online = region.online(&[&a], 30).await;
    let _b = region.built(|builder| builder.without_rebalancing()).await;
    let Office { seatport, .. } = a;
    let drain = tokio::spawn(async move { seatport.drain(secs(60)).await.unwrap() });
    let (begin, mut most) = (Instant::now(), 0);
    while !drain.is_finished() {
        let mut offline = 0;
        for (session, _) in &online {
            offline += usize::from(region.stored(*session).await.status() != CardStatus::Online);
        }
        most = most.max(offline);
        sleep(millis(10)).await;
    }
    assert!(most <= 5, "{most} were offline at the same time");
    assert!(begin.elapsed() >= secs(5), "thirty at five a second, five of them at once");
    assert_eq!(drain.await.unwrap().moved, 30);
}

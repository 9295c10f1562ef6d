//! Following a session at a node to which no hint comes: everybody looks for themselves, but not all the time.

use seatport::{CardStatus, ConsumerName, Cursors, EventBody};
use tokio::time::{Instant, sleep, timeout};

use crate::cluster::{Cluster, secs};

#[tokio::test(start_paused = true)]
async fn a_watch_looks_again_by_itself() {
    let mut cluster = Cluster::new(3);
    let (here, deaf) = (cluster.join().await, cluster.join_deaf().await);
    let session = here.added().await;
    let mut watch = deaf.desk.watch(session).await.unwrap();
    watch.next().await.unwrap();
    for remark in ["one", "two", "three"] {
        here.desk.set_remark(session, remark).await.unwrap();
        let view = timeout(secs(6), watch.next()).await.expect("it looks every five seconds").unwrap();
        assert_eq!(view.card.remark.as_str(), remark);
    }
    deaf.way().count("session");
    assert!(timeout(secs(3600), watch.next()).await.is_err(), "nothing happens");
    let reads = deaf.way().count("session");
    assert!((700..=730).contains(&reads), "{reads} reads in an hour");
}

#[tokio::test(start_paused = true)]
async fn an_event_stream_looks_again_by_itself_also_for_one_who_gives_up_each_time() {
    let mut cluster = Cluster::new(3);
    let (here, deaf) = (cluster.join().await, cluster.join_deaf().await);
    let (session, name) = (here.added().await, ConsumerName::new("crm").unwrap());
    let mut stream = deaf.desk.events(deaf.desk.cursors().await.unwrap()).await.unwrap();
    let mut consumer = deaf.desk.consume(&name).await.unwrap();
    assert_eq!(consumer.next().await.unwrap().body, EventBody::Added);
    assert!(timeout(secs(1), stream.next()).await.is_err());
    here.desk.set_remark(session, "one").await.unwrap();
    let event = timeout(secs(31), stream.next()).await.expect("it looks every thirty seconds").unwrap();
    assert_eq!((event.session, event.body), (session, EventBody::RemarkChanged));
    assert_eq!(timeout(secs(31), consumer.next()).await.unwrap().unwrap().body, EventBody::RemarkChanged);
    here.desk.set_remark(session, "two").await.unwrap();
    let begin = Instant::now();
    let event = loop {
        if let Ok(event) = timeout(secs(1), stream.next()).await {
            break event.unwrap();
        }
        assert!(begin.elapsed() < secs(32));
    };
    assert_eq!(event.seq, 3);
    deaf.way().count("event_heads");
    assert!(timeout(secs(3600), stream.next()).await.is_err(), "nothing happens");
    let looks = deaf.way().count("event_heads");
    assert!((115..=125).contains(&looks), "{looks} looks in an hour");
}

#[tokio::test(start_paused = true)]
async fn a_stop_learns_by_itself_that_the_session_rests() {
    let mut cluster = Cluster::new(3);
    let (here, deaf) = (cluster.join().await, cluster.join_deaf().await);
    let (session, _) = cluster.online(&here, "+8613800138000").await;
    let begin = Instant::now();
    let card = deaf.desk.stop(session).await.unwrap();
    assert_eq!(card.status, CardStatus::Offline);
    assert!(begin.elapsed() <= secs(5), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_follows_here_what_is_driven_there_misses_no_event() {
    let (cluster, nodes) = Cluster::of::<2>(3).await;
    let mut feeds = Vec::new();
    for node in &nodes {
        feeds.push(node.desk.events(Cursors::default()).await.unwrap());
    }
    let (session, phone) = cluster.online(&nodes[0], "+8613800138000").await;
    let ada = cluster.messenger.person("ada");
    for number in 0..20 {
        ada.write(phone.address(), format!("message {number}"));
        sleep(secs(1)).await;
    }
    nodes[1].desk.stop(session).await.unwrap();
    let mut told = Vec::new();
    for mut feed in feeds {
        let mut events = Vec::new();
        while let Ok(event) = timeout(secs(5), feed.next()).await {
            events.push(event.unwrap());
        }
        assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq));
        told.push(events);
    }
    assert!(told[0].len() > 24);
    assert_eq!(told[0], told[1]);
}

//! Consumers: what they have not acknowledged comes again, and is kept for them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use seatport::memory::MemoryStorage;
use seatport::{Agent, AgentId, AgentScope, Consumer, Cursors, Error, Event, Random, Role, SessionId};
use tokio::time::{sleep, timeout};

use crate::{MINUTE, Office, from_to, name, newest, numbers, ten_minutes};

async fn rest_of(consumer: &mut Consumer) -> Vec<Event> {
    let mut events = Vec::new();
    while let Ok(event) = timeout(Duration::from_millis(1), consumer.next()).await {
        events.push(event.unwrap());
    }
    events
}

#[tokio::test(start_paused = true)]
async fn nothing_is_trimmed_before_every_consumer_has_acknowledged_it() {
    let office = Office::keeping(ten_minutes()).await;
    let session = office.session(10).await;
    let mut quick = office.mei.consume(&name("quick")).await.unwrap();
    let mut slow = office.mei.consume(&name("slow")).await.unwrap();
    assert_eq!(rest_of(&mut quick).await.len(), 10);
    quick.acknowledge().await.unwrap();
    assert_eq!(slow.next_batch(4).await.unwrap().len(), 4);
    slow.acknowledge().await.unwrap();
    sleep(20 * MINUTE).await;
    assert_eq!(office.trimmed(session).await, 4, "the slow one has the say");
    let behind: Vec<_> =
        office.mei.consumers().await.unwrap().into_iter().map(|state| (state.name, state.behind)).collect();
    assert_eq!(behind, [(name("quick"), 0), (name("slow"), 6)]);

    office.mei.forget_consumer(&name("slow")).await.unwrap();
    sleep(2 * MINUTE).await;
    assert_eq!(office.trimmed(session).await, 10);
    assert!(matches!(slow.acknowledge_up_to(&Cursors::default()).await, Ok(())), "there is nothing to acknowledge");
    assert_eq!(numbers(&rest_of(&mut slow).await, session), from_to(5, 10), "what it had read already");
    office.happens(session, 5).await;
    assert_eq!(numbers(&rest_of(&mut quick).await, session), from_to(11, 15));
    quick.acknowledge().await.unwrap();
    sleep(20 * MINUTE).await;
    assert!(matches!(slow.next().await, Err(Error::EventsTrimmed { after: 10, kept_from: 16, .. })));
    assert!(matches!(slow.acknowledge().await, Err(Error::UnknownConsumer(unknown)) if unknown == name("slow")));
    assert!(matches!(office.mei.forget_consumer(&name("slow")).await, Err(Error::UnknownConsumer(_))));
}

#[tokio::test(start_paused = true)]
async fn a_new_consumer_begins_with_what_is_kept_and_every_later_one_where_it_got_to() {
    let office = Office::keeping(newest(5)).await;
    let session = office.session(20).await;
    sleep(2 * MINUTE).await;
    let mut consumer = office.mei.consume(&name("crm")).await.unwrap();
    assert_eq!(consumer.name(), &name("crm"));
    assert_eq!(numbers(&rest_of(&mut consumer).await, session), from_to(16, 20), "and no word of what was before");
    assert_eq!(consumer.cursors().after(session), 20);

    // It dies having acknowledged nothing; then a part; then everything.
    let mut consumer = office.mei.consume(&name("crm")).await.unwrap();
    assert_eq!(numbers(&rest_of(&mut consumer).await, session), from_to(16, 20));
    consumer.acknowledge_up_to(&Cursors([(session, 18)].into())).await.unwrap();
    let mut consumer = office.mei.consume(&name("crm")).await.unwrap();
    assert_eq!(numbers(&rest_of(&mut consumer).await, session), from_to(19, 20));
    consumer.acknowledge().await.unwrap();
    consumer.acknowledge_up_to(&Cursors([(session, 17)].into())).await.unwrap();
    let mut consumer = office.mei.consume(&name("crm")).await.unwrap();
    assert!(rest_of(&mut consumer).await.is_empty(), "it never goes back");
    office.happens(session, 2).await;
    assert_eq!(numbers(&rest_of(&mut consumer).await, session), from_to(21, 22));
    assert_eq!(office.mei.consumers().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_handed_out_cannot_be_acknowledged() {
    let office = Office::keeping(newest(1)).await;
    let (session, other) = (office.session(10).await, office.session(10).await);
    let mut consumer = office.mei.consume(&name("crm")).await.unwrap();
    assert_eq!(consumer.next_batch(3).await.unwrap().len(), 3);
    let too_much = Cursors([(session, 3), (other, 1)].into());
    let refused = consumer.acknowledge_up_to(&too_much).await.unwrap_err().to_string();
    let expected = format!("event 1 of session {other} was not handed out; acknowledge what was handled");
    assert_eq!(refused, format!("invalid acknowledgement: {expected}"));
    sleep(2 * MINUTE).await;
    assert_eq!((office.trimmed(session).await, office.trimmed(other).await), (0, 0), "nothing was acknowledged");
    consumer.acknowledge().await.unwrap();
    sleep(2 * MINUTE).await;
    assert_eq!((office.trimmed(session).await, office.trimmed(other).await), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_consumer_is_for_who_sees_all_sessions_for_as_long_as_that_is_so() {
    let office = Office::open(Arc::new(MemoryStorage::new()), newest(1), AgentScope::BoundOnly).await;
    let session = office.session(10).await;
    office.mei.assign(session, Some(&AgentId::new("li").unwrap())).await.unwrap();
    assert!(matches!(office.li.consume(&name("crm")).await, Err(Error::Denied { .. })));
    assert!(matches!(office.li.consumers().await, Err(Error::Denied { .. })));

    let mut consumer = office.mei.consume(&name("crm")).await.unwrap();
    assert!(matches!(office.li.forget_consumer(&name("crm")).await, Err(Error::Denied { .. })));
    assert_eq!(consumer.next_batch(5).await.unwrap().len(), 5);
    let role = async |role| office.seatport.agents().put(Agent::new("mei", "Mei", role).unwrap()).await.unwrap();
    role(Role::Agent).await;
    assert!(matches!(consumer.acknowledge().await, Err(Error::Denied { .. })));
    let mut rest_of_it = Vec::new();
    for _ in 0..6 {
        rest_of_it.push(consumer.next().await.unwrap().seq); // what was read already
    }
    office.li.set_remark(session, "while Mei does not see it").await.unwrap();
    let refused = timeout(MINUTE, consumer.next()).await;
    assert!(matches!(refused, Ok(Err(Error::Denied { .. }))), "not left out, but refused");
    role(Role::Supervisor).await;
    rest_of_it.push(consumer.next().await.unwrap().seq);
    assert_eq!(rest_of_it, from_to(6, 12));
    consumer.acknowledge().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_holds_nobody_up_and_gets_all_of_ten_thousand_events() {
    const EVENTS: u64 = 10_000;
    let office = Office::keeping(newest(1)).await;
    let sessions = [office.session(1).await, office.session(1).await, office.session(1).await, office.session(1).await];
    let mut consumer = office.mei.consume(&name("slow")).await.unwrap();
    let mei = office.mei.clone();
    let happening = tokio::spawn(async move {
        for number in 0..EVENTS - sessions.len() as u64 {
            let session = sessions[usize::try_from(number % 4).unwrap()];
            mei.set_remark(session, number.to_string()).await.unwrap();
            if number % 10 == 0 {
                sleep(Duration::from_millis(1)).await;
            }
        }
        tokio::time::Instant::now()
    });
    let (mut next, mut seen) = (BTreeMap::new(), 0);
    while seen < EVENTS {
        let batch = timeout(100 * MINUTE, consumer.next_batch(7)).await.expect("events are missing").unwrap();
        for event in &batch {
            let expected = next.entry(event.session).or_insert(1);
            assert_eq!(event.seq, *expected, "in order, each once, of {}", event.session);
            *expected += 1;
            seen += 1;
        }
        consumer.acknowledge().await.unwrap();
        sleep(Duration::from_secs(1)).await;
    }
    let took = happening.await.unwrap().elapsed();
    assert!(took > Duration::from_secs(1000), "the sessions were done long before: {took:?}");
    assert!(timeout(Duration::from_secs(1), consumer.next()).await.is_err());
    sleep(2 * MINUTE).await;
    for session in sessions {
        assert_eq!(office.trimmed(session).await, EVENTS / 4 - 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_ends_at_any_moment_misses_nothing() {
    for seed in 0..8 {
        let random = Random::seeded(seed);
        let office = Office::keeping(newest(3)).await;
        let sessions = [office.session(1).await, office.session(1).await];
        let (mut handled, mut acknowledged) = (BTreeMap::<SessionId, Vec<u64>>::new(), Cursors::default());
        for _ in 0..100 {
            for session in sessions {
                office.happens(session, random.below(20)).await;
            }
            let mut consumer = office.mei.consume(&name("crm")).await.unwrap();
            for session in sessions {
                assert_eq!(consumer.cursors().after(session), acknowledged.after(session), "seed {seed}");
            }
            for _ in 0..random.below(4) {
                let most = usize::try_from(1 + random.below(30)).unwrap();
                let next = timeout(Duration::from_millis(1), consumer.next_batch(most)).await;
                for event in next.into_iter().flat_map(Result::unwrap) {
                    let seen = handled.entry(event.session).or_default();
                    let newest = seen.iter().max().copied().unwrap_or(0);
                    assert!(event.seq <= newest + 1, "seed {seed}: {} follows {newest}", event.seq);
                    seen.push(event.seq);
                }
                if random.below(2) == 0 {
                    consumer.acknowledge().await.unwrap();
                    acknowledged = consumer.cursors().clone();
                }
            }
            drop(consumer);
            sleep(2 * MINUTE).await;
        }
        let mut consumer = office.mei.consume(&name("crm")).await.unwrap();
        for event in rest_of(&mut consumer).await {
            handled.entry(event.session).or_default().push(event.seq);
        }
        let last = office.mei.cursors().await.unwrap();
        for session in sessions {
            let seen = handled.get_mut(&session).unwrap();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(*seen, from_to(1, last.after(session)), "seed {seed}");
            assert!(office.trimmed(session).await > 0, "seed {seed}: there was nothing to miss");
        }
    }
}

//! The event feed over time: what is trimmed and who is told, consumers that are slow, come back, or are cut off. On virtual
//! time; the same under kills is in `consumers_killed.rs`.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use seatport::memory::MemoryStorage;
use seatport::storage::{EventStore, Storage};
use seatport::{
    Agent, AgentId, AgentScope, Consumer, ConsumerName, Cursors, Desk, Error, Event, EventStream, NewAccount, Random,
    Retention, Role, Seatport, SessionId, Timing,
};
use seatport_testkit::VirtualClock;
use seatport_testkit::messenger::Messenger;
use seatport_testkit::storage::{Call, Fault, Faults, Faulty};
use tokio::time::{sleep, timeout};

/// How often the node trims.
const MINUTE: Duration = Duration::from_secs(60);

fn ten_minutes() -> Retention {
    Retention { age: Some(10 * MINUTE), count: None }
}

fn newest(count: u64) -> Retention {
    Retention { age: None, count: Some(count) }
}

fn name(name: &str) -> ConsumerName {
    ConsumerName::new(name).unwrap()
}

struct Office {
    storage: Arc<dyn Storage>,
    seatport: Seatport,
    mei: Desk,
    li: Desk,
}

impl Office {
    async fn open(storage: Arc<dyn Storage>, retention: Retention, scope: AgentScope) -> Self {
        let clock = VirtualClock::default();
        let builder = Seatport::builder().shared_storage(storage.clone()).clock(clock).random(Random::seeded(11));
        let builder = builder.transport(Messenger::new(7, Arc::new(clock)).transport()).insecure_plaintext_vault();
        let builder = builder.timing(Timing { trim: MINUTE, ..Timing::default() });
        let seatport = builder.retention(retention).agent_scope(scope).build().await.unwrap();
        for (id, role) in [("mei", Role::Supervisor), ("li", Role::Agent)] {
            seatport.agents().put(Agent::new(id, id, role).unwrap()).await.unwrap();
        }
        let desk = async |id: &str| seatport.desk(&AgentId::new(id).unwrap()).await.unwrap();
        let (mei, li) = (desk("mei").await, desk("li").await);
        Self { storage, seatport, mei, li }
    }

    async fn keeping(retention: Retention) -> Self {
        Self::open(Arc::new(MemoryStorage::new()), retention, AgentScope::All).await
    }

    /// A session with this many events.
    async fn session(&self, events: u64) -> SessionId {
        let session = self.mei.add_account(NewAccount::on("simulated")).await.unwrap();
        self.happens(session, events - 1).await;
        session
    }

    async fn happens(&self, session: SessionId, events: u64) {
        let before = self.mei.cursors().await.unwrap().after(session);
        for number in before..before + events {
            self.mei.set_remark(session, number.to_string()).await.unwrap();
        }
    }

    /// How many of the session's events were trimmed.
    async fn trimmed(&self, session: SessionId) -> u64 {
        let heads = self.storage.event_heads(None, 1000).await.unwrap();
        heads.into_iter().find(|head| head.session == session).unwrap().trimmed
    }
}

/// Until nothing more comes.
async fn rest(stream: &mut EventStream) -> Vec<Result<Event, Error>> {
    let mut answers = Vec::new();
    while let Ok(answer) = timeout(Duration::from_millis(1), stream.next()).await {
        answers.push(answer);
    }
    answers
}

async fn rest_of(consumer: &mut Consumer) -> Vec<Event> {
    let mut events = Vec::new();
    while let Ok(event) = timeout(Duration::from_millis(1), consumer.next()).await {
        events.push(event.unwrap());
    }
    events
}

fn numbers(events: &[Event], session: SessionId) -> Vec<u64> {
    events.iter().filter(|event| event.session == session).map(|event| event.seq).collect()
}

fn from_to(first: u64, last: u64) -> Vec<u64> {
    (first..=last).collect()
}

#[tokio::test(start_paused = true)]
async fn events_that_are_too_old_go_from_time_to_time_and_the_newest_stay() {
    let office = Office::keeping(ten_minutes()).await;
    let session = office.session(10).await;
    sleep(9 * MINUTE).await;
    office.happens(session, 5).await;
    assert_eq!(office.trimmed(session).await, 0, "ten minutes are not over");
    sleep(3 * MINUTE).await;
    assert_eq!(office.trimmed(session).await, 10);
    sleep(20 * MINUTE).await;
    assert_eq!(office.trimmed(session).await, 15);
    assert_eq!(office.mei.cursors().await.unwrap().after(session), 15, "the numbers go on");

    // By number; more than one call's worth, in more than one session.
    let office = Office::keeping(newest(7)).await;
    let sessions = [office.session(2500).await, office.session(8).await, office.session(7).await];
    sleep(2 * MINUTE).await;
    let trimmed =
        [office.trimmed(sessions[0]).await, office.trimmed(sessions[1]).await, office.trimmed(sessions[2]).await];
    assert_eq!(trimmed, [2493, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn without_a_retention_everything_stays() {
    let office = Office::keeping(Retention::default()).await;
    let session = office.session(10).await;
    sleep(100 * MINUTE).await;
    assert_eq!(office.trimmed(session).await, 0);
}

#[tokio::test(start_paused = true)]
async fn who_comes_too_late_is_told_once_and_goes_on_behind_the_gap() {
    let office = Office::keeping(newest(5)).await;
    let (gone, whole) = (office.session(20).await, office.session(5).await);
    sleep(2 * MINUTE).await;
    let mut feed = office.mei.events(Cursors([(gone, 3)].into())).await.unwrap();
    let answers = rest(&mut feed).await;
    let (errors, events): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_err);
    let events: Vec<_> = events.into_iter().map(Result::unwrap).collect();
    match &errors[..] {
        [Err(error @ Error::EventsTrimmed { session, after: 3, kept_from: 16 })] => {
            assert_eq!(*session, gone);
            assert!(
                error.to_string().starts_with(&format!("events 4 to 15 of session {gone} were trimmed")),
                "{error}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(numbers(&events, gone), from_to(16, 20));
    assert_eq!(numbers(&events, whole), from_to(1, 5), "nothing else is lost");
    assert_eq!(feed.cursors(), &Cursors([(gone, 20), (whole, 5)].into()));
}

#[tokio::test(start_paused = true)]
async fn who_is_overtaken_by_trimming_is_told_even_if_nothing_is_left() {
    let office = Office::keeping(ten_minutes()).await;
    let session = office.session(1000).await;
    let mut feed = office.mei.events(Cursors::default()).await.unwrap();
    assert_eq!(feed.next_batch(300).await.unwrap().len(), 256, "what was read at once");
    sleep(20 * MINUTE).await;
    assert!(matches!(feed.next().await, Err(Error::EventsTrimmed { after: 256, kept_from: 1001, .. })));
    assert_eq!(feed.cursors().after(session), 1000);
    office.happens(session, 1).await;
    assert_eq!(feed.next().await.unwrap().seq, 1001);
    // Who had read everything has missed nothing.
    sleep(20 * MINUTE).await;
    office.happens(session, 1).await;
    assert_eq!(feed.next().await.unwrap().seq, 1002);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_session_is_not_taken_for_a_trimmed_one() {
    let office = Office::keeping(Retention::default()).await;
    let (deleted, stays) = (office.session(300).await, office.session(3).await);
    let mut feed = office.mei.events(Cursors::default()).await.unwrap();
    assert_eq!(feed.next_batch(1000).await.unwrap().len(), 256);
    office.mei.delete(deleted).await.unwrap();
    let events: Vec<_> = rest(&mut feed).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(numbers(&events, stays), from_to(1, 3));
    assert_eq!(feed.cursors(), &Cursors([(stays, 3)].into()));
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
    assert!(matches!(consumer.next().await, Err(Error::Denied { .. })), "not left out, but refused");
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

#[tokio::test(start_paused = true)]
async fn trimming_that_fails_is_tried_again_and_ends_with_the_node() {
    let storage = Arc::new(MemoryStorage::new());
    let mut failures = 3;
    let faults = Faults::scripted(move |call| match call {
        Call::TrimEvents(..) if failures > 0 => {
            failures -= 1;
            Fault::FailBefore
        }
        _ => Fault::None,
    });
    let office = Office::open(Arc::new(Faulty::new(storage.clone(), faults)), newest(1), AgentScope::All).await;
    let session = office.session(10).await;
    sleep(MINUTE + MINUTE / 2).await;
    assert_eq!(office.trimmed(session).await, 9, "not a minute later each time");

    office.happens(session, 5).await;
    office.seatport.shutdown(Duration::from_secs(1)).await;
    sleep(10 * MINUTE).await;
    let reopened = storage.reopen();
    assert_eq!(reopened.event_heads(None, 10).await.unwrap()[0].trimmed, 9);
}

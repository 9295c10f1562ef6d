//! In order, and not too fast.

use std::time::Duration;

use seatport::conversation::{Content, MessageStatus};
use seatport::memory::MemoryStorage;
use seatport::transport::{SendError, Signal};
use seatport::{Agent, AgentId, Role, Seatport, Timing};
use tokio::time::Instant;

use super::{bob, handed_over, plainly, until};
use crate::office;
use crate::scripted::{Dial, Scripted, online, ready};

#[tokio::test(start_paused = true)]
async fn messages_leave_in_order_with_a_pause_after_each() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let (session, mut line) = online(&desk, &mut lines).await;
    let mut ids = Vec::new();
    for number in 0..40 {
        ids.push(desk.send_text(session, &bob(), format!("{number}"), plainly()).await.unwrap());
    }
    let (mut last, mut pauses) = (None, Vec::new());
    for expected in &ids {
        let (id, _, done) = handed_over(&mut line).await;
        assert_eq!(id, *expected);
        let now = Instant::now();
        pauses.extend(last.replace(now).map(|last| now.duration_since(last).as_millis()));
        done.send(Ok(())).unwrap();
    }
    assert!(pauses.iter().all(|pause| (499..=1502).contains(pause)), "{pauses:?}");
    assert!(pauses.iter().any(|pause| *pause < 800) && pauses.iter().any(|pause| *pause > 1200), "{pauses:?}");
    until(&desk, session, &ids[39], MessageStatus::Sent).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_messages_leave_as_fast_as_the_network_takes_them() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let timing = Timing { send_every: Duration::ZERO, ..Timing::default() };
    let seatport = Seatport::builder().storage(MemoryStorage::new()).transport(transport).timing(timing).build();
    let seatport = seatport.await.unwrap();
    seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
    let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    let (session, mut line) = online(&desk, &mut lines).await;
    for number in 0..40 {
        desk.send_text(session, &bob(), format!("{number}"), plainly()).await.unwrap();
    }
    let begin = Instant::now();
    for number in 0..40 {
        let (_, content, done) = handed_over(&mut line).await;
        assert_eq!(content, Content::Text(number.to_string()));
        done.send(Ok(())).unwrap();
    }
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_pause_goes_on_when_a_message_is_sent_again_on_a_new_connection() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let timing = Timing { send_every: Duration::from_secs(600), ..Timing::default() };
    let seatport = Seatport::builder().storage(MemoryStorage::new()).transport(transport).timing(timing).build();
    let seatport = seatport.await.unwrap();
    seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
    let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    let (session, mut line) = online(&desk, &mut lines).await;
    let message = desk.send_text(session, &bob(), "one", plainly()).await.unwrap();
    let begin = Instant::now();
    handed_over(&mut line).await.2.send(Err(SendError::Later("not now".to_owned()))).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(line);
    let mut line = ready(&desk, session, &mut lines).await;
    let signals = line.signals.clone();
    let alive = tokio::spawn(async move {
        while signals.send(Signal::Alive).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
    });
    assert_eq!(handed_over(&mut line).await.0, message);
    assert!((299..=901).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    alive.abort();
}

//! Those for whom all of this is done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use seatport::SessionId;
use seatport::lifecycle::Desired;
use tokio::time::sleep;

use crate::processes::Answer;
use crate::world::World;

/// How many people write; every account hears from several, and everybody writes to several accounts.
pub(crate) const PEOPLE: usize = 12;
/// The supervisor stops and starts the first so many sessions; the others are always to be online.
const RESTLESS: usize = 12;

pub(crate) fn name(number: usize) -> String {
    format!("person-{number}")
}

/// People write to every account.
pub(crate) async fn write(world: World) {
    while !world.is_calm() {
        for account in world.accounts.lock().values_mut() {
            let person = world.messenger.person(&name(world.pick(PEOPLE)));
            person.write(account.phone.address(), "hello");
            account.written += 1;
        }
        sleep(Duration::from_millis(250)).await;
    }
}

/// Agents write to people, through any node. Who gets no answer says it again under the same key, perhaps elsewhere.
pub(crate) async fn send(world: World) {
    let mut sending = tokio::task::JoinSet::new();
    static TEXTS: AtomicU64 = AtomicU64::new(0);
    while !world.is_calm() {
        sleep(Duration::from_millis(60)).await;
        while let Some(ended) = sending.try_join_next() {
            ended.unwrap();
        }
        if sending.len() > 40 {
            continue;
        }
        let world = world.clone();
        sending.spawn(async move {
            let session = session(&world, usize::MAX);
            let text = format!("order-{}", TEXTS.fetch_add(1, Ordering::Relaxed));
            let to = world.messenger.person(&name(world.pick(PEOPLE))).address().to_string();
            for _ in 0..20 {
                match world.any_node().ask(format!("send {session} {to} {text}")).await {
                    Answer::Done => {
                        world.accounts.lock().get_mut(&session).unwrap().said.insert((text, to));
                        return;
                    }
                    Answer::Refused => panic!("a message was refused"),
                    Answer::Unknown(_) => sleep(Duration::from_millis(200)).await,
                }
            }
        });
    }
    sending.join_all().await;
}

/// Some session or other of the first so many.
fn session(world: &World, of: usize) -> SessionId {
    let accounts = world.accounts.lock();
    let number = world.pick(accounts.len().min(of));
    *accounts.keys().nth(number).unwrap()
}

/// A supervisor stops and starts sessions, through any node.
pub(crate) async fn supervise(world: World) {
    let mut ordering = tokio::task::JoinSet::new();
    while !world.is_calm() {
        sleep(Duration::from_millis(150)).await;
        while let Some(ended) = ordering.try_join_next() {
            ended.unwrap();
        }
        let session = session(&world, RESTLESS);
        let wanted = if world.random.below(3) == 0 { Desired::Stopped } else { Desired::Started };
        let order = {
            let mut accounts = world.accounts.lock();
            let account = accounts.get_mut(&session).unwrap();
            // One order at a time.
            if account.orders % 2 == 1 {
                continue;
            }
            account.orders += 1;
            let before = account.told.take();
            (format!("{} {session}", if wanted == Desired::Started { "start" } else { "stop" }), before)
        };
        let world = world.clone();
        ordering.spawn(async move {
            let (order, before) = order;
            let answer = world.any_node().ask(order).await;
            let mut accounts = world.accounts.lock();
            let account = accounts.get_mut(&session).unwrap();
            account.orders += 1;
            account.told = match answer {
                Answer::Done => Some(wanted),
                Answer::Refused => before,
                Answer::Unknown(_) => None,
            };
        });
    }
    ordering.join_all().await;
}

//! What was read here, and how the network hears of it.

use std::time::Duration;

use seatport::memory::MemoryStorage;
use seatport::storage::ConversationStore;
use seatport::transport::{Ack, SendError, Signal, TransportCommand};
use seatport::{Address, Agent, AgentId, Desk, MessageId, Role, Seatport, WhenFull};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::scripted::{Dial, Line, Scripted, address, from, id, online, ready};

async fn house() -> (Seatport, Desk, MemoryStorage, mpsc::UnboundedReceiver<Line>) {
    let (transport, lines) = Scripted::new(Dial::Answers);
    let storage = MemoryStorage::new();
    let seatport = Seatport::builder().storage(storage.clone()).transport(transport).build().await.unwrap();
    seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
    let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    (seatport, desk, storage, lines)
}

async fn receive(line: &Line, messages: Vec<(&str, String)>) {
    let (ack, stored) = Ack::new();
    let messages = messages.into_iter().map(|(person, message)| from(person, &message)).collect();
    line.signals.send(Signal::Messages { messages, ack }).await.unwrap();
    stored.await.unwrap();
}

/// What the network is told next: the chat, the messages, and what waits for the answer.
async fn told(line: &mut Line) -> (Address, Vec<MessageId>, oneshot::Sender<Result<(), SendError>>) {
    match line.commands.recv().await {
        Some(TransportCommand::MarkRead { chat, messages, done }) => {
            assert!(messages.iter().all(|(_, sender)| *sender == chat));
            (chat, messages.into_iter().map(|(id, _)| id).collect(), done)
        }
        other => panic!("{other:?}"),
    }
}

async fn nothing_more(line: &mut Line) {
    let more = tokio::time::timeout(Duration::from_secs(30), line.commands.recv()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test(start_paused = true)]
async fn the_network_is_told_once_of_each_message_that_was_read() {
    let (_seatport, desk, storage, mut lines) = house().await;
    let (session, mut line) = online(&desk, &mut lines).await;
    receive(&line, ["1", "2", "3"].map(|id| ("bob", id.to_owned())).into()).await;
    desk.mark_read_up_to(session, &address("bob"), &id("2")).await.unwrap();
    let (chat, ids, done) = told(&mut line).await;
    assert_eq!((chat, ids), (address("bob"), vec![id("1"), id("2")]));
    done.send(Ok(())).unwrap();
    desk.mark_read(session, &address("bob")).await.unwrap();
    let (_, ids, done) = told(&mut line).await;
    assert_eq!(ids, [id("3")]);
    assert_eq!(storage.untold_reads(session, 10).await.unwrap().len(), 1, "it has not heard that one yet");
    done.send(Ok(())).unwrap();
    nothing_more(&mut line).await;
    assert!(storage.untold_reads(session, 10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_chat_without_unread_messages_is_marked_without_a_trace() {
    let (_seatport, desk, _storage, mut lines) = house().await;
    let (session, mut line) = online(&desk, &mut lines).await;
    receive(&line, vec![("bob", "1".to_owned())]).await;
    desk.mark_read(session, &address("bob")).await.unwrap();
    told(&mut line).await.2.send(Ok(())).unwrap();
    let trace = async || (desk.audit(0, 1000).await.unwrap().len(), desk.cursors().await.unwrap());
    let before = trace().await;
    desk.mark_read(session, &address("bob")).await.unwrap();
    desk.mark_read_up_to(session, &address("bob"), &id("1")).await.unwrap();
    assert_eq!(trace().await, before);
    nothing_more(&mut line).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_network_could_not_hear_it_is_told_again() {
    let (_seatport, desk, _storage, mut lines) = house().await;
    let (session, mut line) = online(&desk, &mut lines).await;
    receive(&line, vec![("bob", "1".to_owned()), ("ada", "2".to_owned())]).await;
    desk.mark_read(session, &address("bob")).await.unwrap();
    let (_, _, done) = told(&mut line).await;
    desk.mark_read(session, &address("ada")).await.unwrap();
    let begin = Instant::now();
    done.send(Err(SendError::Later("busy".to_owned()))).unwrap();
    let (chat, _, done) = told(&mut line).await;
    assert_eq!(chat, address("ada"), "chat by chat");
    assert_eq!(begin.elapsed().as_secs(), 5);
    done.send(Ok(())).unwrap();
    let (chat, _, done) = told(&mut line).await;
    assert_eq!(chat, address("bob"));
    drop(done);
    let (chat, _, done) = told(&mut line).await;
    assert_eq!(chat, address("bob"), "no answer is no yes");
    assert_eq!(begin.elapsed().as_secs(), 10);
    done.send(Err(SendError::Refused("no such chat".to_owned()))).unwrap();
    nothing_more(&mut line).await;
}

#[tokio::test(start_paused = true)]
async fn the_next_connection_is_told_what_the_last_one_was_not() {
    let (_seatport, desk, _storage, mut lines) = house().await;
    let (session, mut line) = online(&desk, &mut lines).await;
    receive(&line, ["1", "2"].map(|id| ("bob", id.to_owned())).into()).await;
    desk.mark_read_up_to(session, &address("bob"), &id("1")).await.unwrap();
    let (_, _, done) = told(&mut line).await;
    desk.stop(session).await.unwrap();
    drop((line, done));
    desk.mark_read(session, &address("bob")).await.unwrap();
    desk.start(session, WhenFull::Fail).await.unwrap();
    let mut line = ready(&desk, session, &mut lines).await;
    let (_, ids, done) = told(&mut line).await;
    assert_eq!(ids, [id("1"), id("2")]);
    done.send(Ok(())).unwrap();
    nothing_more(&mut line).await;
}

#[tokio::test(start_paused = true)]
async fn however_much_was_read_the_network_hears_all_of_it() {
    let (_seatport, desk, storage, mut lines) = house().await;
    let (session, mut line) = online(&desk, &mut lines).await;
    receive(&line, (0..600).map(|number| ("bob", number.to_string())).collect()).await;
    desk.mark_read(session, &address("bob")).await.unwrap();
    let mut heard = Vec::new();
    for expected in [256, 256, 88] {
        let (_, ids, done) = told(&mut line).await;
        assert_eq!(ids.len(), expected);
        heard.extend(ids);
        done.send(Ok(())).unwrap();
    }
    assert_eq!(heard, (0..600).map(|number| id(&number.to_string())).collect::<Vec<_>>());
    nothing_more(&mut line).await;
    assert!(storage.untold_reads(session, 10).await.unwrap().is_empty());
}

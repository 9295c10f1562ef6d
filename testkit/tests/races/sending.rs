//! Messages and read marks on their way to a network that answers late, wrongly or not at all.

use std::sync::Arc;

use seatport::conversation::{Media, MediaKind, MediaReference, MessageStatus, SendFailure, StoredMessage};
use seatport::lifecycle::Account;
use seatport::memory::MemoryStorage;
use seatport::storage::StorageErrorKind;
use seatport::transport::{SamePerson, SendError, Signal, TransportCommand};
use seatport::{Address, CardStatus, Error, MessageId, SendKey, SendOptions, SessionId};
use seatport_testkit::storage::Call;
use tokio::time::{sleep, timeout};

use crate::office::{Office, secs};
use crate::scripted::{Line, bob, lost, message, message_id};
use crate::tampered::{Tamper, once, tampered};

async fn told(line: &mut Line) -> TransportCommand {
    timeout(secs(120), line.commands.recv()).await.expect("told nothing").expect("the connection ended")
}

async fn stored(office: &Office, session: SessionId, id: &MessageId) -> StoredMessage {
    office.desk.message(session, &bob(), id).await.unwrap().unwrap()
}

async fn send(office: &Office, session: SessionId, how: SendOptions) -> Result<MessageId, Error> {
    office.desk.send_text(session, &bob(), "hello", how).await
}

#[tokio::test(start_paused = true)]
async fn a_transport_without_media_is_given_none() {
    let mut office = Office::open(Arc::new(MemoryStorage::new()), 1).await;
    let (session, mut line) = office.online().await;
    let mut picture = Media::new(MediaKind::Image, "image/png");
    picture.reference = Some(MediaReference::new("file:///picture.png"));
    let refused = office.desk.send_media(session, &bob(), picture, SendOptions::default()).await;
    assert!(matches!(refused, Err(Error::Unsupported { .. })), "{refused:?}");
    sleep(secs(10)).await;
    assert!(line.commands.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn what_was_written_for_one_account_is_never_sent_from_another() {
    let storage = Arc::new(MemoryStorage::new());
    let mut office = Office::built(storage, 1, seatport::SeatportBuilder::allow_account_change).await;
    let (session, line) = office.online().await;
    line.says(lost()).await;
    office.reaches(session, CardStatus::Connecting).await;
    let id = send(&office, session, SendOptions::default()).await.unwrap();
    let mut line = office.network.dialled().await;
    line.says(Signal::Ready {
        account: Account { address: Address::new("somebody else").unwrap(), phone: None, name: None },
    })
    .await;
    line.stays_alive();
    office.reaches(session, CardStatus::Online).await;
    sleep(secs(60)).await;
    assert!(line.commands.try_recv().is_err(), "it was said by somebody who never meant to");
    let stored = stored(&office, session, &id).await;
    assert_eq!((stored.message.status, stored.failure), (MessageStatus::Failed, Some(SendFailure::Cancelled)));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_cancelled_too_late_turns_out_to_be_sent() {
    let mut office = Office::open(Arc::new(MemoryStorage::new()), 1).await;
    let (session, mut line) = office.online().await;
    let id = send(&office, session, SendOptions::default()).await.unwrap();
    let TransportCommand::Send { done, .. } = told(&mut line).await else { panic!("not sent") };
    office.desk.cancel_send(session, &bob(), &id).await.unwrap();
    assert_eq!(stored(&office, session, &id).await.message.status, MessageStatus::Failed);
    done.send(Ok(())).unwrap();
    sleep(secs(1)).await;
    let stored = stored(&office, session, &id).await;
    assert_eq!((stored.message.status, stored.failure), (MessageStatus::Sent, None), "the truth, though it is late");
}

#[tokio::test(start_paused = true)]
async fn a_commit_whose_answer_was_lost_is_found_again_by_its_key() {
    let storage = tampered(&MemoryStorage::new(), crate::tampered::nothing);
    let mut office = Office::open(storage.clone(), 1).await;
    let (session, mut line) = office.online().await;
    line.stays_alive();
    let key = || SendOptions::default().key(SendKey::new("order 17").unwrap());
    let has_messages = |call: &Call<'_>| matches!(call, Call::Commit(commit) if !commit.messages.is_empty());
    storage.layer().plan(once(has_messages, Tamper::FailThoughDone(StorageErrorKind::Busy)));
    // It may be found at once, or when somebody asks again.
    let _ = send(&office, session, key()).await;
    let id = send(&office, session, key()).await.unwrap();
    for _ in 0..2 {
        let TransportCommand::Send { id: handed, done, .. } = told(&mut line).await else { panic!("not sent") };
        assert_eq!(handed, id);
        let later = Err(SendError::Later("a moment".into()));
        done.send(later).unwrap();
    }
    let TransportCommand::Send { id: handed, done, .. } = told(&mut line).await else { panic!("not sent") };
    done.send(Ok(())).unwrap();
    assert_eq!(handed, id);
    sleep(secs(60)).await;
    assert!(line.commands.try_recv().is_err(), "once");
}

#[tokio::test(start_paused = true)]
async fn a_read_mark_whose_answer_never_comes_is_told_again() {
    let mut office = Office::open(Arc::new(MemoryStorage::new()), 1).await;
    let (session, mut line) = office.online().await;
    line.stays_alive();
    line.says(message(1)).await;
    office.until(session, |view| view.card.unread == 1).await;
    office.desk.mark_read(session, &bob()).await.unwrap();
    // Dropped without an answer, then put off, then refused: a network that will never hear it is not asked for ever.
    for answer in [None, Some(Err(SendError::Later("busy".into()))), Some(Err(SendError::Refused("no".into())))] {
        let TransportCommand::MarkRead { messages, done, .. } = told(&mut line).await else { panic!("not told") };
        assert_eq!(messages, [(message_id(1), bob())]);
        if let Some(answer) = answer {
            done.send(answer).unwrap();
        }
    }
    sleep(secs(600)).await;
    assert!(line.commands.try_recv().is_err(), "once is enough");
}

/// The network says that Bob is somebody known by another address.
fn bob_is(other: &str) -> Signal {
    let canonical = Address::new(other).unwrap();
    Signal::Identities(vec![SamePerson { address: bob(), canonical, phone: None }])
}

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_while_two_addresses_become_one_is_noted_all_the_same() {
    let mut office = Office::open(Arc::new(MemoryStorage::new()), 1).await;
    let (session, mut line) = office.online().await;
    line.stays_alive();
    line.says(message(1)).await;
    office.until(session, |view| view.card.unread == 1).await;
    office.desk.mark_read(session, &bob()).await.unwrap();
    let TransportCommand::MarkRead { done: read, .. } = told(&mut line).await else { panic!("not told") };
    let id = send(&office, session, SendOptions::default()).await.unwrap();
    let TransportCommand::Send { done: sent, .. } = told(&mut line).await else { panic!("not sent") };
    line.says(bob_is("robert")).await;
    sleep(secs(1)).await;
    read.send(Ok(())).unwrap();
    sent.send(Ok(())).unwrap();
    sleep(secs(1)).await;
    let robert = Address::new("robert").unwrap();
    let message = office.desk.message(session, &robert, &id).await.unwrap().unwrap().message;
    assert_eq!((message.chat, message.status), (robert, MessageStatus::Sent));
    sleep(secs(600)).await;
    assert!(line.commands.try_recv().is_err(), "neither is said again");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_an_address_that_was_given_up_goes_to_the_other_and_is_cancelled_by_either() {
    let mut office = Office::open(Arc::new(MemoryStorage::new()), 1).await;
    let (session, mut line) = office.online().await;
    line.stays_alive();
    line.says(message(1)).await;
    let first = send(&office, session, SendOptions::default()).await.unwrap();
    let second = send(&office, session, SendOptions::default()).await.unwrap();
    let TransportCommand::Send { done, .. } = told(&mut line).await else { panic!("not sent") };
    line.says(bob_is("robert")).await;
    sleep(secs(1)).await;
    office.desk.cancel_send(session, &bob(), &second).await.unwrap();
    assert_eq!(stored(&office, session, &second).await.message.status, MessageStatus::Failed);
    done.send(Err(SendError::Later("a moment".into()))).unwrap();
    let TransportCommand::Send { chat, id, done, .. } = told(&mut line).await else { panic!("not sent again") };
    assert_eq!((chat.as_str(), id), ("robert", first));
    done.send(Ok(())).unwrap();
    sleep(secs(60)).await;
    assert!(line.commands.try_recv().is_err());
}

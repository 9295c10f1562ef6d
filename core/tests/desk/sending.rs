//! Sending: once for each key, in order, not too fast, and not at all if it was cancelled in time.

mod cancelling;
mod content;
mod keys;
mod pace;
mod waiting;

use std::time::Duration;

use seatport::conversation::{Content, MessageStatus, StoredMessage};
use seatport::transport::{SendError, TransportCommand};
use seatport::{Address, CardStatus, Desk, MessageId, SendKey, SendOptions, SessionId};
use tokio::sync::oneshot;

use crate::scripted::{Line, address};

type Done = oneshot::Sender<Result<(), SendError>>;

fn plainly() -> SendOptions {
    SendOptions::default()
}

fn once(key: &str) -> SendOptions {
    plainly().key(SendKey::new(key).unwrap())
}

fn bob() -> Address {
    address("bob")
}

/// The next message that is handed to the network, and what waits for the answer.
async fn handed_over(line: &mut Line) -> (MessageId, Content, Done) {
    loop {
        if let TransportCommand::Send { id, content, done, .. } = line.commands.recv().await.unwrap() {
            return (id, content, done);
        }
    }
}

async fn stored(desk: &Desk, session: SessionId, message: &MessageId) -> StoredMessage {
    desk.message(session, &bob(), message).await.unwrap().unwrap()
}

async fn until(desk: &Desk, session: SessionId, message: &MessageId, status: MessageStatus) -> StoredMessage {
    loop {
        let found = stored(desk, session, message).await;
        if found.message.status == status {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn until_status(desk: &Desk, session: SessionId, status: CardStatus) {
    desk.watch(session).await.unwrap().until(|view| view.card.status == status).await.unwrap();
}

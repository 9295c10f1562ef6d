//! A queue for ports that is none, and notices that go astray.

use std::time::Duration;

use seatport::storage::{MAX_NOTICE_BYTES, NodeProfile, Notice, Storage, StorageError, StorageErrorKind};
use seatport_testkit::storage::{Answer, Call};

use crate::Defect;
use crate::broken::Broken;

impl Broken {
    pub(crate) async fn write_queue(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        match (self.defect, call) {
            (Defect::KeepsEveryPlace, Call::LeavePortQueue(_)) => Ok(Answer::Done(())),
            (Defect::LetsAnybodyQueue, Call::JoinPortQueue(node)) => match storage.join_port_queue(node).await {
                Err(error) if error.kind() == StorageErrorKind::Fenced => {
                    let anybody = NodeProfile { id: node, labels: Default::default(), capacity: 9 };
                    storage.join(&anybody, Duration::from_secs(60)).await?;
                    Call::JoinPortQueue(node).send(storage).await
                }
                other => other.map(Answer::Number),
            },
            (Defect::CountsPlacesOfTheDead | Defect::KeepsPlacesOfWhoLeft, Call::JoinPortQueue(node)) => {
                let ticket = storage.join_port_queue(node).await?;
                self.places.lock().insert(ticket);
                Ok(Answer::Number(ticket))
            }
            (Defect::CountsPlacesOfTheDead | Defect::KeepsPlacesOfWhoLeft, Call::LeavePortQueue(ticket)) => {
                self.places.lock().remove(&ticket);
                Call::LeavePortQueue(ticket).send(storage).await
            }
            // It forgets them when a node joins anew; only those whose lease has run out still count.
            (Defect::CountsPlacesOfTheDead, call @ (Call::Leave(_) | Call::Join(..))) => {
                let answer = call.send(storage).await?;
                let left = storage.port_queue().await?;
                self.places.lock().retain(|ticket| left.contains(ticket));
                Ok(answer)
            }
            (Defect::NotifiesNobody, Call::Notify(_)) => Ok(Answer::Done(())),
            (Defect::NotifiesTwice, Call::Notify(notice)) => {
                storage.notify(notice.clone()).await?;
                Call::Notify(notice).send(storage).await
            }
            (Defect::EndsNoticesAtZero, Call::Notify(Notice { session, sealed })) => {
                let sealed = sealed.into_iter().take_while(|byte| *byte != 0).collect();
                Call::Notify(Notice { session, sealed }).send(storage).await
            }
            (Defect::CutsLongNotices, Call::Notify(Notice { session, mut sealed })) => {
                sealed.truncate(MAX_NOTICE_BYTES);
                Call::Notify(Notice { session, sealed }).send(storage).await
            }
            (Defect::KeepsNotices, Call::Notify(notice)) => {
                storage.set_key_check(notice.sealed.clone()).await?;
                Call::Notify(notice).send(storage).await
            }
            (_, call) => self.write_ledger(storage, call).await,
        }
    }

    /// The queue as this storage tells it.
    pub(crate) async fn port_queue(&self, storage: &dyn Storage) -> Result<Vec<u64>, StorageError> {
        let mut queue = storage.port_queue().await?;
        match self.defect {
            Defect::QueuesBackwards => queue.reverse(),
            Defect::CountsPlacesOfTheDead | Defect::KeepsPlacesOfWhoLeft => {
                queue = self.places.lock().iter().copied().collect();
            }
            _ => {}
        }
        Ok(queue)
    }
}

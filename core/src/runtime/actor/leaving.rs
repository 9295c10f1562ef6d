//! Making way for another node.

use tokio::sync::watch;
use tokio::time::Instant;

use super::Actor;
use crate::lifecycle::Lifecycle;
use crate::runtime::link::LinkEvent;
use crate::runtime::node::MovingCosts;
use crate::transport::TransportCommand;

impl Actor {
    /// Whether the session is to be handed over to another node, and now is the time: no message is on its way to the network
    /// that it might get twice, and no command is half done. Neither takes longer than a transport may take to close.
    pub(super) fn may_leave(&mut self) -> bool {
        if !*self.leave.borrow() {
            return false;
        }
        let now = Instant::now();
        let leave_by = *self.leave_by.get_or_insert(now + self.node.timing.stop);
        let rests = self.is_stopping() || self.stored.record.facts.lifecycle == Lifecycle::Stopped;
        !rests && (!self.outbox.is_sending() || leave_by <= now)
    }

    pub(super) fn is_stopping(&self) -> bool {
        matches!(self.stored.record.facts.lifecycle, Lifecycle::Stopping { .. })
    }

    /// Closes the connection, and waits until it is.
    pub(super) async fn close(&mut self) {
        if let Some(mut link) = self.link.take()
            && link.tell(TransportCommand::Close)
        {
            while !matches!(link.next().await, LinkEvent::Closed) {}
        }
    }
}

/// What people notice when a session in this state is handed over.
pub(super) fn costs(lifecycle: Lifecycle) -> MovingCosts {
    match lifecycle {
        Lifecycle::Online => MovingCosts::AMoment,
        Lifecycle::AwaitingLogin => MovingCosts::ALogin,
        _ => MovingCosts::Nothing,
    }
}

/// Waits until the session is to be handed over.
pub(super) async fn asked(leave: &mut watch::Receiver<bool>) {
    // An error means that nobody can ask any more.
    if leave.wait_for(|leave| *leave).await.is_err() {
        std::future::pending().await
    }
}

//! Start, stop and the other commands that move a session's lifecycle.

use super::Desk;
use crate::card::{Card, LoginMethod};
use crate::error::SeatportError;
use crate::port::WhenFull;

#[uniffi::export]
impl Desk {
    /// Starts a session: it claims a port and dials. Starting a started one changes nothing.
    ///
    /// # Errors
    /// `PoolFull` or `PortWaitTimedOut` when there is no port; `IllegalTransition` while it is stopping.
    pub async fn start(&self, session: String, when_full: WhenFull) -> Result<Card, SeatportError> {
        let session = session.parse()?;
        self.run(move |desk| async move { Ok(desk.start(session, when_full.into()).await?.into()) }).await
    }

    /// Stops a session: closes its connection and releases its port. Answers when it is at rest, within 5 s even if the network
    /// hangs. Stopping a stopped one changes nothing.
    ///
    /// # Errors
    /// `UnknownSession`.
    pub async fn stop(&self, session: String) -> Result<Card, SeatportError> {
        let session = session.parse()?;
        self.run(move |desk| async move { Ok(desk.stop(session).await?.into()) }).await
    }

    /// Closes the connection and dials again, on the same port. Answers at once; `watch` tells how it goes on.
    ///
    /// # Errors
    /// `IllegalTransition` when it is stopped or stopping.
    pub async fn restart(&self, session: String) -> Result<Card, SeatportError> {
        let session = session.parse()?;
        self.run(move |desk| async move { Ok(desk.restart(session).await?.into()) }).await
    }

    /// Asks for a new round of login codes when one ran out, or for the next try right now; in place, on the same port.
    ///
    /// # Errors
    /// `IllegalTransition` when it is neither blocked, awaiting login, nor waiting to reconnect.
    pub async fn refresh_login(&self, session: String) -> Result<Card, SeatportError> {
        let session = session.parse()?;
        self.run(move |desk| async move { Ok(desk.refresh_login(session).await?.into()) }).await
    }

    /// Like `refresh_login`, by another method from now on: a pairing code instead of a QR code, say.
    ///
    /// # Errors
    /// `Unsupported` when the network has no such method; `UnknownTransport` when it is not part of this host;
    /// `IllegalTransition` as for `refresh_login`.
    pub async fn refresh_login_by(&self, session: String, method: LoginMethod) -> Result<Card, SeatportError> {
        let (session, method) = (session.parse()?, method.try_into()?);
        self.run(move |desk| async move { Ok(desk.refresh_login_by(session, method).await?.into()) }).await
    }

    /// Logs the account out, on the network too where it can be reached, and forgets its credentials. The session keeps its port
    /// and is blocked until a new scan; contacts and history stay. Answers at once; `watch` tells when it is done.
    ///
    /// # Errors
    /// `IllegalTransition` when it is stopped, stopping, or no account is logged in.
    pub async fn log_out(&self, session: String) -> Result<Card, SeatportError> {
        let session = session.parse()?;
        self.run(move |desk| async move { Ok(desk.log_out(session).await?.into()) }).await
    }
}

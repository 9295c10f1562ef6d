//! Dialling, done wrongly.

use std::sync::Arc;

use seatport::lifecycle::{Reason, ReasonKind};
use seatport::transport::{ConnectContext, ConnectError, Connection, ConnectionGuard, Transport};
use seatport::vault::{Vault, VaultKey};
use seatport::{SessionId, SessionRecord};
use tokio::sync::{mpsc, oneshot};

use crate::Defect;
use crate::broken::BrokenTransport;
use crate::relay::Relay;

/// How many signals wait for the suite.
const AHEAD: usize = 16;

impl BrokenTransport {
    pub(crate) async fn dial(&self, mut context: ConnectContext) -> Result<Connection, ConnectError> {
        let dials = {
            let mut dials = self.memory.dials.lock();
            let dials = dials.entry(context.session).or_default();
            *dials += 1;
            *dials
        };
        let refused = |why: &str| Err(ConnectError::Lost(Reason::new(ReasonKind::ConnectionLost).code(why)));
        match self.defect {
            Some(Defect::KeepsCredentialsToItself) => context.vault = self.own_vault(&context, context.session).await?,
            Some(Defect::SharesOneLogin) => {
                context.vault = self.own_vault(&context, SessionId::from_bytes([1; 16])).await?;
            }
            Some(Defect::ForgetsCredentials) => context.vault.remove("credentials").await?,
            Some(Defect::GoesAroundProxies) => context.environment.proxy = None,
            Some(Defect::WantsNoLanguage) if context.environment.locale.is_some() => return refused("a language"),
            Some(Defect::GivesUpAfterALoss) if *self.memory.losses.lock() > 0 => return refused("lost before"),
            Some(Defect::ServesOneSession) if *self.memory.live.lock() > 0 => return refused("busy"),
            _ => {}
        }
        let live = Live::new(self.clone());
        let inner = match self.defect {
            Some(Defect::DialsBehindTheBack) => self.behind_the_back(context.clone()).await,
            _ => self.inner.connect(context.clone()).await,
        };
        let inner = match inner {
            Ok(inner) => inner,
            Err(ConnectError::Rejected(reason))
                if self.is(Defect::OverwritesWhatItCannotOpen) && reason.kind == ReasonKind::VaultUnreadable =>
            {
                context.vault.remove("credentials").await?;
                self.inner.connect(context.clone()).await?
            }
            Err(error) => return Err(self.wrong(error, &context)),
        };
        let (signals, heard) = mpsc::channel(if self.is(Defect::DropsWhatDoesNotFit) { 2 } else { AHEAD });
        let (tell, commands) = mpsc::channel(AHEAD);
        self.memory.signals.lock().push(signals.clone());
        self.memory.commands.lock().push(inner.commands.clone());
        let relay = Relay {
            transport: self.clone(),
            context,
            first_dial: dials == 1,
            inner,
            signals,
            commands,
            online: false,
            told: Vec::new(),
            _live: live,
        };
        let task = tokio::spawn(relay.run());
        let guard = match self.defect {
            Some(Defect::SurvivesBeingDropped) => ConnectionGuard::new(|| {}),
            _ => ConnectionGuard::abort(task.abort_handle()),
        };
        Ok(Connection { signals: heard, commands: tell, guard })
    }

    /// A vault that only this transport knows.
    async fn own_vault(&self, context: &ConnectContext, session: SessionId) -> Result<Vault, ConnectError> {
        let storage = self.memory.vaults.lock().entry(session).or_default().clone();
        let record = SessionRecord::new(session, context.clock.now(), self.inner.name());
        Ok(Vault::detached(storage, record, &VaultKey::new([1; 32]), &context.random).await?)
    }

    /// Dials in a task that nobody ends.
    async fn behind_the_back(&self, context: ConnectContext) -> Result<Connection, ConnectError> {
        let (done, dialled) = oneshot::channel();
        let inner = self.inner.clone();
        tokio::spawn(async move {
            if let Err(Ok(connection)) = done.send(inner.connect(context).await) {
                let _kept: Connection = connection;
                std::future::pending::<()>().await;
            }
        });
        dialled.await.expect("the task goes on until it has dialled")
    }

    /// The error as this transport tells it.
    fn wrong(&self, error: ConnectError, context: &ConnectContext) -> ConnectError {
        match (self.defect, error) {
            (Some(Defect::TellsPasswords), ConnectError::Rejected(reason) | ConnectError::Lost(reason)) => {
                let proxy = context.environment.proxy.as_ref();
                let password = proxy.and_then(|proxy| proxy.password.as_ref());
                ConnectError::Rejected(reason.code(password.map(|password| password.expose()).unwrap_or_default()))
            }
            (Some(Defect::TakesLossesForRejections), ConnectError::Lost(reason)) => ConnectError::Rejected(reason),
            (Some(Defect::TakesRejectionsForLosses), ConnectError::Rejected(reason)) => ConnectError::Lost(reason),
            (_, error) => error,
        }
    }
}

/// Counts the connections of a transport, from the dial on.
pub(crate) struct Live(Arc<crate::broken::Memory>);

impl Live {
    fn new(transport: BrokenTransport) -> Self {
        *transport.memory.live.lock() += 1;
        Self(transport.memory)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        *self.0.live.lock() -= 1;
    }
}

//! Messenger networks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use seatport::TransportName;
use seatport::transport::Transport as CoreTransport;

use crate::error::SeatportError;
use crate::host::Held;
use crate::transport::{Capabilities, HostedTransport, Transport};

/// A messenger network: what `Options.networks` is made of. One network may be given to several instances.
#[derive(uniffi::Object)]
pub struct Network(Kind);

enum Kind {
    BuiltIn(Arc<dyn CoreTransport>),
    Hosted { name: TransportName, capabilities: Capabilities, transport: Held<dyn Transport> },
}

impl Network {
    /// A network that is written in Rust.
    #[cfg_attr(not(any(feature = "whatsapp", feature = "testkit")), expect(dead_code, reason = "there is none"))]
    pub(crate) fn built_in(transport: impl CoreTransport) -> Self {
        Self(Kind::BuiltIn(Arc::new(transport)))
    }

    /// What core dials with; a host that brings the network has this long for each call.
    pub(crate) fn transport(&self, limit: Duration) -> Arc<dyn CoreTransport> {
        match &self.0 {
            Kind::BuiltIn(transport) => transport.clone(),
            Kind::Hosted { name, capabilities, transport } => {
                Arc::new(HostedTransport::new(name.clone(), capabilities.clone(), transport.clone(), limit))
            }
        }
    }
}

#[uniffi::export]
impl Network {
    /// WhatsApp, as a linked device. Its name is `whatsapp`.
    ///
    /// # Errors
    /// `NotBuilt` in a library without it: for its licence it is not part of the usual one.
    #[uniffi::constructor]
    pub fn whatsapp() -> Result<Arc<Self>, SeatportError> {
        #[cfg(feature = "whatsapp")]
        return Ok(Self::built_in(seatport_whatsapp::WhatsApp::default()).into());
        #[cfg(not(feature = "whatsapp"))]
        return Err(SeatportError::not_built("whatsapp"));
    }

    /// A network that the host brings. Sessions know it by this name: 1 to 64 bytes.
    ///
    /// # Errors
    /// `Invalid` for another name.
    #[uniffi::constructor]
    pub fn hosted(
        name: String,
        capabilities: Capabilities,
        transport: Arc<dyn Transport>,
    ) -> Result<Arc<Self>, SeatportError> {
        let (name, transport) = (TransportName::new(name)?, Held::new(transport));
        Ok(Self(Kind::Hosted { name, capabilities, transport }).into())
    }

    /// The name that sessions know it by.
    ///
    /// # Errors
    /// None.
    pub fn name(&self) -> Result<String, SeatportError> {
        Ok(match &self.0 {
            Kind::BuiltIn(transport) => transport.name().to_string(),
            Kind::Hosted { name, .. } => name.to_string(),
        })
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::BuiltIn(transport) => transport.fmt(f),
            Kind::Hosted { name, .. } => f.debug_tuple("Network").field(name).finish(),
        }
    }
}

//! On real time, as a transport whose network is elsewhere.

use std::sync::Arc;

use async_trait::async_trait;
use seatport::SystemClock;
use seatport::TransportName;
use seatport::transport::{Capabilities, ConnectContext, ConnectError, Connection, Transport};
use seatport_testkit::messenger::{Listener, Messenger, SimulatedTransport};
use seatport_testkit::transport::{SimulatedPeer, Subject};

/// The transport, and the listener that is there as long as it is.
#[derive(Debug)]
struct Remote {
    transport: SimulatedTransport,
    _listener: Listener,
}

#[async_trait]
impl Transport for Remote {
    fn name(&self) -> TransportName {
        self.transport.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.transport.capabilities()
    }

    async fn connect(&self, context: ConnectContext) -> Result<Connection, ConnectError> {
        self.transport.connect(context).await
    }
}

async fn remote() -> Subject {
    let messenger = Messenger::new(7, Arc::new(SystemClock));
    let listener = messenger.listen("127.0.0.1:0").await.expect("a free port");
    let transport = SimulatedTransport::remote(listener.address().to_string());
    Subject::new(Remote { transport, _listener: listener }, SimulatedPeer::on_real_time(messenger))
}

seatport_testkit::transport_suite! {
    subject: remote(),
    left_out: [
        // It sends media.
        "outbound::what_it_cannot_send_is_refused",
        // These take minutes.
        "login::a_round_of_codes_ends",
        "itself::gives_a_sign_of_life_every_minute",
    ]
}

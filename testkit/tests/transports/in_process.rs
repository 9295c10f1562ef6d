//! On paused time: hours pass in milliseconds.

use std::sync::Arc;

use seatport_testkit::VirtualClock;
use seatport_testkit::messenger::Messenger;
use seatport_testkit::transport::{SimulatedPeer, Subject};

async fn simulated() -> Subject {
    tokio::time::pause();
    let messenger = Messenger::new(7, Arc::new(VirtualClock::default()));
    Subject::new(messenger.transport(), SimulatedPeer::new(messenger))
}

seatport_testkit::transport_suite! {
    subject: simulated(),
    // It sends media: `broken_transports` runs this one against a transport that does not.
    left_out: ["outbound::what_it_cannot_send_is_refused"]
}

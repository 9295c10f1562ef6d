//! A node, as a host runs it: a process with a Seatport in it, over the database that all of them share.

use std::time::Duration;

use seatport::vault::VaultKey;
use seatport::{PortRange, Seatport, SeatportBuilder, Timing};
use seatport_postgres::PostgresStorage;
use seatport_testkit::messenger::SimulatedTransport;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::arguments::Place;

/// The schema that everything is kept in.
const SCHEMA: &str = "cluster";
const DRAINED_WITHIN: Duration = Duration::from_secs(30);
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

/// Runs until it is told to end, or until whoever started it is gone.
pub(crate) async fn run(place: &Place) -> anyhow::Result<()> {
    let seatport = seatport(place).await?.build().await?;
    println!("ready {}", seatport.node_id());
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    if orders.next_line().await?.as_deref() == Some("drain") {
        let drained = seatport.drain(DRAINED_WITHIN).await?;
        seatport.shutdown(CLOSED_WITHIN).await;
        println!("drained {} {}", drained.moved, drained.left.len());
    } else {
        seatport.shutdown(CLOSED_WITHIN).await;
    }
    Ok(())
}

/// The same for all nodes: storage, network, key, and how fast things go. The key seals what a session needs to log in
/// again; all nodes have the same, for every session may come to every node.
pub(crate) async fn seatport(place: &Place) -> anyhow::Result<SeatportBuilder> {
    let timing = Timing {
        lease: Duration::from_millis(place.lease.into()),
        scan: Duration::from_millis(500),
        send_every: Duration::from_millis(100),
        ..Timing::default()
    };
    Ok(Seatport::builder()
        .storage(storage(place).await?)
        .transport(SimulatedTransport::remote(&place.messenger))
        .vault_key(VaultKey::new([7; 32])) // a host keeps it in its key store
        .ports(PortRange::new(8001, place.ports)?)
        .timing(timing))
}

/// Opens the database; the first one to do so creates the tables.
pub(crate) async fn storage(place: &Place) -> anyhow::Result<PostgresStorage> {
    Ok(PostgresStorage::options().schema(SCHEMA).open(&place.database).await?)
}

//! The runtime, through its one door, over a transport that does what the test says.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod bad_input;
mod connections;
mod data_centre;
mod intake;
mod keeping;
mod permissions;
mod ports;
mod reads;
mod scripted;
mod sending;

use seatport::memory::MemoryStorage;
use seatport::vault::VaultKey;
use seatport::{Agent, AgentId, Desk, NewAccount, PortRange, Role, Seatport, SessionId};

use scripted::Scripted;

/// A node with this many ports, on an empty storage, and a supervisor's desk.
async fn office(transport: Scripted, ports: u32) -> (Seatport, Desk) {
    let builder =
        Seatport::builder().storage(MemoryStorage::new()).transport(transport).vault_key(VaultKey::new([7; 32]));
    let seatport = builder.ports(PortRange::new(1, ports).unwrap()).build().await.unwrap();
    seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
    let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    (seatport, desk)
}

async fn add(desk: &Desk) -> SessionId {
    desk.add_account(NewAccount::on("scripted")).await.unwrap()
}

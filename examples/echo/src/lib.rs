//! How to write a transport, on the smallest network that has everything a transport must get right: whatever an account writes to
//! [`WALL`] comes back from there.
//!
//! - [`EchoNetwork`] stands for the other side of the wire: login codes, linked devices, a mailbox for each.
//! - [`EchoTransport`] is the transport: `connect` in `transport.rs`, one task per connection in `connection.rs`.
//! - `tests/suite.rs` runs the transport suite of `seatport-testkit` against it; its `Peer` is all that a network needs for that.
//!
//! ```
//! use seatport::memory::MemoryStorage;
//! use seatport::vault::VaultKey;
//! use seatport::{Agent, CardStatus, NewAccount, Page, Role, Seatport, SendOptions, WhenFull};
//! use seatport_echo::{EchoNetwork, EchoTransport, WALL};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let network = EchoNetwork::default();
//! let seatport = Seatport::builder()
//!     .storage(MemoryStorage::new())
//!     .transport(EchoTransport::new(network.clone()))
//!     .vault_key(VaultKey::new([7; 32]))
//!     .build()
//!     .await?;
//! seatport.agents().put(Agent::new("mei", "Mei Lin", Role::Supervisor)?).await?;
//! let desk = seatport.desk(&"mei".parse()?).await?;
//!
//! let session = desk.add_and_start(NewAccount::on("echo"), WhenFull::Fail).await?;
//! let mut watch = desk.watch(session).await?;
//! let shown = watch.until(|view| view.challenge.is_some()).await?;
//! network.scan(1, shown.challenge.expect("a code is shown").code.expose())?;
//! watch.until(|view| view.card.status == CardStatus::Online).await?;
//!
//! let wall = WALL.parse()?;
//! desk.send_text(session, &wall, "hello", SendOptions::default()).await?;
//! while desk.messages(session, &wall, Page::first(10)).await?.len() < 2 {
//!     tokio::task::yield_now().await;
//! }
//! # Ok(())
//! # }
//! ```

mod connection;
mod network;
mod transport;

pub use network::{EchoNetwork, NoSuchCode, WALL};
pub use transport::EchoTransport;

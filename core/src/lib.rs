//! Seatport runs many messenger accounts for a customer-service team, inside a host application.
//!
//! A host builds a [`Seatport`] from a storage and a transport for each network, registers its people as [`Agent`]s, and hands
//! each of them a [`Desk`]: everything a person does goes through it. Each [session] is one seat for one account; while it
//! is started it occupies a licence port. What it does is a [lifecycle] of one pure function; what people see of it is a [`Card`].
//!
//! ```
//! use seatport::memory::MemoryStorage;
//! use seatport::{Agent, Outcome, Role, Seatport};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let seatport = Seatport::builder().storage(MemoryStorage::new()).build().await?;
//! seatport.agents().put(Agent::new("li", "Li Wei", Role::Agent)?).await?;
//! seatport.agents().put(Agent::new("mei", "Mei Lin", Role::Supervisor)?).await?;
//!
//! let li = seatport.desk(&"li".parse()?).await?;
//! let mei = seatport.desk(&"mei".parse()?).await?;
//! assert!(li.audit(0, 10).await.is_err()); // supervisors only
//! let trail = mei.audit(0, 10).await?;
//! assert_eq!(trail[0].entry.outcome, Outcome::Denied); // and the attempt is on record
//! # Ok::<(), seatport::Error>(())
//! # }).unwrap();
//! ```
//!
//! Several processes may share one database, if the storage is made for that: each of them builds a [`Seatport`], and is a node.
//! Sessions spread over the nodes by load, within the limit of each ([`SeatportBuilder::max_sessions`]) and to where their labels
//! are ([`Environment::runs_on`]). A desk works at whichever node. The sessions of a node that dies resume at others within its
//! [lease](Timing::lease) and 2 s, and [`Seatport::drain`] empties a node that is to be restarted; neither needs a scan.
//!
//! The storages are crates of their own (`seatport-sqlite` is the embedded default), and so are the networks
//! (`seatport-whatsapp`). To write one, see [`storage`] and [`transport`]; `seatport-testkit` has the suite it has to pass.

pub mod agent;
pub mod audit;
mod clock;
pub mod conversation;
mod error;
mod event;
mod ids;
pub mod leads;
pub mod lifecycle;
pub mod memory;
pub mod policy;
mod port;
mod random;
mod runtime;
mod secret;
pub mod session;
pub mod storage;
mod text;
pub mod transport;
pub mod vault;

pub use agent::{Agent, Role};
pub use audit::{AuditEntry, AuditFault, AuditHash, AuditHead, AuditLine, Outcome};
pub use clock::{Clock, SystemClock, Timestamp};
pub use error::{Error, Invalid, Retry};
pub use event::{Cursors, Event, EventBody, EventHead, Retention};
pub use ids::{Address, AgentId, ConsumerName, MessageId, NodeId, PortNumber, SendKey, SessionId, TransportName};
pub use policy::{Action, AgentScope};
pub use port::{Occupied, PortRange, PortUsage};
pub use random::Random;
pub use runtime::{
    Agents, Consumer, ConsumerState, Desk, Drained, EXPORT_FORMAT, EXPORT_VERSION, EventStream, Export, ExportEnd,
    ExportHeader, ExportLine, NewAccount, Ports, Seatport, SeatportBuilder, SendOptions, Timing, View, Watch, WhenFull,
    WhenStopped,
};
pub use secret::Secret;
pub use session::{
    Card, CardStatus, Environment, LoginMethod, MAX_REMARK_BYTES, Platform, Proxy, ProxyScheme, Remark, SessionRecord,
};
pub use storage::{Edge, LiveNode, NodeProfile, NodeReport, Page, SessionFilter};
pub use transport::{ChallengeKind, LoginChallenge};

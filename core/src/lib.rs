//! Seatport runs many messenger accounts for a customer-service team, inside a host application.

pub mod agent;
pub mod audit;
mod clock;
pub mod conversation;
mod error;
mod event;
mod ids;
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
pub use audit::{AuditEntry, AuditLine, Outcome};
pub use clock::{Clock, SystemClock, Timestamp};
pub use error::{Error, Invalid, Retry};
pub use event::{Cursors, Event, EventBody};
pub use ids::{Address, AgentId, MessageId, NodeId, PortNumber, SessionId, TransportName};
pub use policy::{Action, AgentScope};
pub use port::{Occupied, PortRange, PortUsage};
pub use random::Random;
pub use runtime::{
    Agents, Desk, EventStream, NewAccount, Ports, Seatport, SeatportBuilder, Timing, View, Watch, WhenFull,
};
pub use secret::Secret;
pub use session::{
    Card, CardStatus, Environment, LoginMethod, MAX_REMARK_BYTES, Platform, Proxy, ProxyScheme, Remark, SessionRecord,
};
pub use storage::{Page, SessionFilter};

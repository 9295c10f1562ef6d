//! What meets at a bad moment: a desk and a connection that change a session at once, a storage that is slow, stuck or broken
//! just then, a lease that runs out, a node that ends. Over a transport and a storage that do what the test says, on virtual
//! time.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod commands;
mod connections;
mod events;
mod office;
mod ownership;
mod ports;
mod scripted;
mod sending;
mod shutdown;
mod storage;
mod tampered;

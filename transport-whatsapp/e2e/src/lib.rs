//! A fake WhatsApp server with simulated phones and people, for end-to-end tests without the real network.
//!
//! It speaks the network's protocol as far as a linked device needs it: the Noise handshake (XX and IK), linking by QR
//! code and by pairing code, login, Signal encryption in both directions, receipts, the queue for offline devices, and
//! the ways in which the network gets rid of a device. A test drives it through these handles:
//!
//! - [`FakeServer`]: start it, break the network, turn clients away;
//! - [`Phone`]: the owner of an account, who scans codes, logs devices out, writes and reads on the phone;
//! - [`Person`]: somebody who writes to accounts;
//! - [`Journal`]: what the server saw;
//! - [`FakeProxy`]: an HTTP or SOCKS5 proxy in front of it.
//!
//! ```no_run
//! # async fn example(qr: &str) -> anyhow::Result<()> {
//! use std::time::Duration;
//! use seatport_whatsapp_e2e::{FakeServer, Seen};
//!
//! let server = FakeServer::start().await?;
//! // … a client connects to `server.url()` and shows `qr` …
//! let phone = server.phone("5511999990001");
//! phone.scan(qr).await?;
//! let active = |seen: &Seen| matches!(seen, Seen::Active { .. }).then_some(());
//! server.journal().wait("the login", Duration::from_secs(10), active).await?;
//! server.person("5521888880002").write(&phone, "hello").await?;
//! # Ok(())
//! # }
//! ```
//!
//! The certificates that the server presents are not signed: a client has to be built with the feature
//! `danger-skip-cert-chain-verify`, as this package builds it, or know the server's keys beforehand.

mod account;
mod connection;
mod history;
mod inbound;
mod iq;
mod journal;
mod letter;
mod mailbox;
mod network;
mod noise;
mod pairing;
mod party;
mod person;
mod phone;
mod proxy;
mod refusal;
mod resend;
mod server;
mod settings;
mod signal;
mod stanza;
mod wire;

pub use history::{History, HistoryChat, HistoryMessage};
pub use journal::{Content, Journal, Seen};
pub use letter::Letter;
pub use network::Reach;
pub use noise::{CERTIFICATE_VALIDITY, Pattern};
pub use person::{Person, Receipt};
pub use phone::Phone;
pub use proxy::{FakeProxy, ProxyAnswer, ProxyKind};
pub use refusal::{Refusal, StreamEnd};
pub use server::{CertificateKeys, FakeServer};
pub use settings::Setting;

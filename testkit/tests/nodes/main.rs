//! Several nodes on one storage: any of them serves any call. Over the simulated messenger, on virtual time.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod calls;
mod cluster;
mod followers;
mod login_codes;
mod ports;
mod showing;
mod skew;
mod way;

//! The transport suite, run against the simulated messenger: in this process, and over TCP.

mod in_process;
mod over_tcp;

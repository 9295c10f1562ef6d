//! The transport suite, run against the simulated messenger, in this process and over TCP, and against the least that a network can be.

mod in_process;
mod minimal;
mod over_tcp;

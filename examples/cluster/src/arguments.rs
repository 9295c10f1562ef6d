//! The command line.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Runs three nodes, each a process of its own, over one temporary Postgres server; kills one, drains another one, and
/// shows what becomes of their sessions.
///
/// The phones and the customers are simulated. It needs the programs of a Postgres server on this machine, and nothing
/// else; what it makes is gone when it ends.
#[derive(Debug, Parser)]
#[command(name = "seatport-cluster", version, subcommand_negates_reqs = true)]
pub(crate) struct Arguments {
    /// How many accounts there are
    #[arg(long, value_name = "COUNT", default_value_t = 12, value_parser = clap::value_parser!(u32).range(12..=200))]
    pub(crate) accounts: u32,

    /// For how long a node that is not heard of owns its sessions; 15000 unless a host sets it
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 3000, value_parser = clap::value_parser!(u32).range(1000..=15000))]
    lease: u32,

    /// How long to look on between two things that happen
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 2000)]
    pace: u64,

    #[command(subcommand)]
    pub(crate) role: Option<Role>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Is one of the nodes: the story starts them so
    #[command(hide = true)]
    Node(Place),
}

/// What a node has to know.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    /// Where the database is
    #[arg(long, env = "SEATPORT_DATABASE", hide_env_values = true)]
    pub(crate) database: String,

    /// Where the messenger listens
    #[arg(long)]
    pub(crate) messenger: String,

    /// How many sessions the organisation may run at once
    #[arg(long)]
    pub(crate) ports: u32,

    /// How long the lease is, in milliseconds
    #[arg(long)]
    pub(crate) lease: u32,
}

impl Arguments {
    pub(crate) fn read() -> Self {
        Self::parse()
    }

    pub(crate) fn lease(&self) -> Duration {
        Duration::from_millis(self.lease.into())
    }

    pub(crate) fn pace(&self) -> Duration {
        Duration::from_millis(self.pace)
    }
}

//! The command line.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};

/// How the WhatsApp transport is built in.
const WITH_WHATSAPP: &str = "cargo run -p seatport-quickstart --features whatsapp -- --transport whatsapp";

/// Tells the story of Seatport in a terminal: accounts, login by QR code, customers, agents, ports, restarts.
///
/// Without options it runs on a temporary database and a simulated messenger, and is over in a few seconds. On WhatsApp it
/// shows a QR code to scan with a phone (Linked devices, Link a device), prints what comes in, and goes on until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "seatport-quickstart", version, after_help = after_help())]
pub(crate) struct Arguments {
    /// The messenger network
    #[arg(long, value_enum, default_value_t = Network::Simulated)]
    pub(crate) transport: Network,

    /// Keep the database in this file [default: a temporary one, removed at the end]
    #[arg(long, value_name = "PATH")]
    pub(crate) database: Option<PathBuf>,

    /// The key that seals the logins in it, made if it is not there [default: the database's path with .key added]
    #[arg(long, value_name = "PATH", requires = "database")]
    pub(crate) key_file: Option<PathBuf>,

    /// How long to pause after each step of the story
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 100)]
    pub(crate) pace: u64,
}

/// A messenger network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Network {
    /// Phones and customers in this process
    Simulated,
    /// The real one; needs a build with `--features whatsapp`
    Whatsapp,
}

impl Arguments {
    /// Reads the command line. Leaves the process with a word on what would be right if it is wrong.
    pub(crate) fn read() -> Self {
        let arguments = Self::parse();
        if arguments.transport == Network::Whatsapp && !cfg!(feature = "whatsapp") {
            let problem = format!("this build has no WhatsApp in it; run\n\n    {WITH_WHATSAPP}\n");
            Self::command().error(ErrorKind::InvalidValue, problem).exit();
        }
        arguments
    }
}

fn after_help() -> String {
    format!(
        "Examples:\n  cargo run -p seatport-quickstart\n  \
         cargo run -p seatport-quickstart -- --database story.db --pace 1000\n  \
         {WITH_WHATSAPP} --database seatport.db"
    )
}

//! Three nodes over one Postgres, and what becomes of their sessions when one of them is killed and another one is
//! drained.
//!
//! `cargo run -p seatport-cluster` starts a temporary Postgres server, a simulated messenger, and the nodes, each a
//! process of its own; it prints what happens when, and is over in under a minute.

mod accounts;
mod arguments;
mod fleet;
mod node;
mod office;
mod story;
mod timeline;

use std::process::ExitCode;

use anyhow::bail;

use crate::arguments::{Arguments, Role};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::read()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if let Some(Role::Node(place)) = &arguments.role {
        return node::run(place).await;
    }
    tokio::select! {
        told = story::tell(&arguments) => told,
        // Ends here and not by the signal itself, so that nodes and server end too.
        _ = tokio::signal::ctrl_c() => bail!("stopped half way through the story"),
    }
}

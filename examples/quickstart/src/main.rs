//! The story of Seatport in a terminal.
//!
//! `cargo run -p seatport-quickstart` tells it on a SQLite file and a simulated messenger; with
//! `--features whatsapp -- --transport whatsapp` it shows a QR code to scan with a phone, and stays online until Ctrl-C.

mod arguments;
mod database;
#[cfg(any(test, feature = "whatsapp"))]
mod live;
mod narrator;
mod qr;
mod story;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;

use crate::arguments::{Arguments, Network};
use crate::database::Database;
use crate::narrator::Narrator;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::read();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let database = Database::new(arguments.database.as_deref(), arguments.key_file.as_deref())?;
    let narrator = Narrator::on_stdout(Duration::from_millis(arguments.pace));
    match arguments.transport {
        Network::Simulated => tokio::select! {
            told = story::tell(narrator, &database) => told,
            // Ends here and not by the signal itself, so that a temporary database goes too.
            _ = tokio::signal::ctrl_c() => bail!("stopped half way through the story"),
        },
        #[cfg(feature = "whatsapp")]
        Network::Whatsapp => {
            let end = async { drop(tokio::signal::ctrl_c().await) };
            live::run(narrator, &database, seatport_whatsapp::WhatsApp::default(), end).await
        }
        #[cfg(not(feature = "whatsapp"))]
        Network::Whatsapp => unreachable!("the arguments were refused"),
    }
}

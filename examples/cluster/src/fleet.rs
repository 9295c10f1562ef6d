//! The node processes.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use seatport::NodeId;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::arguments::Place;

const PATIENCE: Duration = Duration::from_secs(40);

/// A node in a process of its own. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct NodeProcess {
    /// What it is called in the story.
    pub(crate) name: String,
    pub(crate) id: NodeId,
    child: Child,
    orders: ChildStdin,
    words: Lines<BufReader<ChildStdout>>,
}

impl NodeProcess {
    /// Starts one, and waits until it is ready.
    pub(crate) async fn start(name: &str, place: &Place) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let mut command = Command::new(program);
        // By the environment, for an address may have a password in it, and everybody can read command lines.
        command.arg("node").env("SEATPORT_DATABASE", &place.database);
        command.args(["--messenger", &place.messenger, "--ports", &place.ports.to_string()]);
        command.args(["--lease", &place.lease.to_string()]);
        // A Ctrl-C at the terminal is for the story, which ends them.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let (Some(orders), Some(words)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("{name} has no standard input or output")
        };
        let mut words = BufReader::new(words).lines();
        let ready = timeout(PATIENCE, words.next_line()).await.with_context(|| format!("{name} does not start"))??;
        let id = ready.as_deref().and_then(|line| line.strip_prefix("ready ")?.parse().ok());
        let id = id.with_context(|| format!("{name} did not start"))?;
        Ok(Self { name: name.to_owned(), id, child, orders, words })
    }

    /// Kills it, without a word.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Empties it and ends it; answers how many sessions it handed over.
    pub(crate) async fn drain(mut self) -> anyhow::Result<u32> {
        self.orders.write_all(b"drain\n").await?;
        let line = timeout(PATIENCE, self.words.next_line()).await.context("the drain has no end")??;
        let line = line.context("the node ended before it was drained")?;
        let numbers: Vec<u32> = line.split(' ').skip(1).filter_map(|number| number.parse().ok()).collect();
        let [moved, left] = numbers[..] else { bail!("the node said: {line}") };
        if left > 0 {
            bail!("{left} sessions found no other place");
        }
        self.child.wait().await?;
        Ok(moved)
    }
}

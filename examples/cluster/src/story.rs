//! What happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use seatport::{Clock, NodeId, SessionId, SystemClock};
use seatport_testkit::postgres::Cluster;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::accounts::Accounts;
use crate::arguments::{Arguments, Place};
use crate::fleet::NodeProcess;
use crate::office::Office;
use crate::timeline::{Timeline, seconds, spread};

const PATIENCE: Duration = Duration::from_secs(40);
/// How often the office answers somebody.
const REPLY_EVERY: Duration = Duration::from_millis(150);

/// Everybody and everything in the story.
struct Story<'a> {
    arguments: &'a Arguments,
    timeline: Timeline,
    place: Place,
    nodes: Vec<NodeProcess>,
    office: Arc<Office>,
    accounts: Arc<Accounts>,
}

/// Tells the story from the beginning to the end.
pub(crate) async fn tell(arguments: &Arguments) -> anyhow::Result<()> {
    let timeline = Timeline::begin();
    timeline.title("Three nodes, one Postgres")?;
    // It blocks, and says by a panic what is missing.
    let cluster = tokio::task::spawn_blocking(Cluster::start).await.context("there is no Postgres server to be had")?;
    timeline.say(format_args!("A temporary Postgres server listens on port {}.", cluster.port()))?;
    let accounts = Accounts::new().await?;
    let place = Place {
        database: cluster.url(),
        messenger: accounts.address(),
        ports: arguments.accounts,
        lease: u32::try_from(arguments.lease().as_millis())?,
    };
    let mut nodes = Vec::new();
    for name in ["ada", "bob", "cleo"] {
        let node = NodeProcess::start(name, &place).await?;
        timeline.node(name, "starts")?;
        nodes.push(node);
    }
    let office = Arc::new(Office::open(&place).await?);
    timeline.say("The office opens, at a node of its own that drives no session.")?;
    let mut story = Story { arguments, timeline, place, nodes, office, accounts: Arc::new(accounts) };
    story.add_accounts().await?;
    let load = Load::begin(&story)?;
    sleep(arguments.pace()).await;
    story.kill("bob").await?;
    story.replace("dora").await?;
    story.drain("ada").await?;
    story.replace("emil").await?;
    sleep(arguments.pace()).await;
    story.sum_up(load).await?;
    let Story { nodes, office, .. } = story;
    drop(nodes);
    if let Some(office) = Arc::into_inner(office) {
        office.close().await;
    }
    tokio::task::spawn_blocking(move || drop(cluster)).await?;
    Ok(())
}

impl Story<'_> {
    async fn add_accounts(&mut self) -> anyhow::Result<()> {
        let accounts = Arc::get_mut(&mut self.accounts).context("the accounts are in use")?;
        for _ in 0..self.arguments.accounts {
            self.office.add_account(accounts).await?;
        }
        self.timeline.say(format_args!(
            "{} accounts are added: the office shows their login codes, phones scan them, all are online.",
            self.arguments.accounts
        ))?;
        self.show_spread().await
    }

    /// Shows who drives how many sessions.
    async fn show_spread(&self) -> anyhow::Result<()> {
        let owners = self.office.owners().await?;
        for node in &self.nodes {
            let count = owners.get(&node.id).map_or(0, Vec::len);
            self.timeline.node(&node.name, format_args!("drives {count:>3}  {}", "■".repeat(count.min(60))))?;
        }
        Ok(())
    }

    fn ids(&self) -> Vec<NodeId> {
        self.nodes.iter().map(|node| node.id).collect()
    }

    /// Takes a node out, with the sessions that it drives.
    async fn take(&mut self, name: &str) -> anyhow::Result<(NodeProcess, Vec<SessionId>)> {
        self.office.all_online(&self.ids(), &self.accounts).await?;
        let place = self.nodes.iter().position(|node| node.name == name).context("there is no such node")?;
        let node = self.nodes.remove(place);
        let sessions = self.office.owners().await?.remove(&node.id).unwrap_or_default();
        Ok((node, sessions))
    }

    async fn kill(&mut self, name: &str) -> anyhow::Result<()> {
        let (node, sessions) = self.take(name).await?;
        let at = SystemClock.now();
        node.kill().await?;
        self.timeline.trouble(name, format_args!("is killed; it drove {} sessions", sessions.len()))?;
        let lease = seconds(self.arguments.lease());
        self.timeline
            .say(format_args!("The others know when its lease is over, at most {lease} after its last word."))?;
        self.office.all_online(&self.ids(), &self.accounts).await?;
        let times: Vec<_> =
            sessions.iter().filter_map(|session| Some(self.accounts.came_back(*session, at)?.0.since(at))).collect();
        ensure!(times.len() == sessions.len(), "some sessions did not come back");
        self.timeline.say(format_args!("They are online again, without a scan, {} after the kill.", spread(times)))?;
        self.show_spread().await
    }

    async fn replace(&mut self, name: &str) -> anyhow::Result<()> {
        let node = NodeProcess::start(name, &self.place).await?;
        self.timeline.node(name, "starts in its place, and the others hand it what is more than their share")?;
        self.nodes.push(node);
        let id = self.ids().last().copied();
        let shared = async {
            while self.office.owners().await?.get(&id.context("there is no node")?).is_none_or(Vec::is_empty) {
                sleep(Duration::from_millis(50)).await;
            }
            anyhow::Ok(())
        };
        timeout(PATIENCE, shared).await.context("the new node is given nothing to do")??;
        sleep(self.arguments.lease()).await;
        self.office.all_online(&self.ids(), &self.accounts).await?;
        self.show_spread().await
    }

    async fn drain(&mut self, name: &str) -> anyhow::Result<()> {
        let (node, sessions) = self.take(name).await?;
        let at = SystemClock.now();
        self.timeline.node(name, format_args!("is drained; it drives {} sessions", sessions.len()))?;
        let moved = node.drain().await?;
        self.timeline.node(name, format_args!("has handed over {moved} and ended"))?;
        self.office.all_online(&self.ids(), &self.accounts).await?;
        let times: Vec<_> =
            sessions.iter().filter_map(|session| Some(self.accounts.came_back(*session, at)?.1)).collect();
        self.timeline.say(format_args!("Each of them was offline for {}.", spread(times)))?;
        self.show_spread().await
    }

    async fn sum_up(&self, load: Load) -> anyhow::Result<()> {
        self.accounts.enough();
        let replies = load.end().await?;
        let arrived = async {
            while self.accounts.on_their_way() > 0 || self.heard() < replies {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, arrived).await.context("some messages never arrived")?;
        let (written, stored, heard) = (self.accounts.written(), self.office.stored().await?, self.heard());
        let (connections, overlaps) = self.accounts.connections();
        self.timeline.title("\nWhat came of it")?;
        self.timeline.say(format_args!("customers wrote {written} messages, and {stored} are stored"))?;
        self.timeline.say(format_args!("the office sent {replies} answers, and customers got {heard}"))?;
        self.timeline.say(format_args!("{connections} connections were made, and {overlaps} of them overlapped"))?;
        ensure!((written, replies, 0) == (stored, heard, overlaps), "that is not what was promised");
        Ok(())
    }

    /// How many answers customers got.
    fn heard(&self) -> usize {
        self.accounts.phones.keys().map(|session| self.accounts.customer(*session).received().len()).sum()
    }
}

/// Customers who write, and an office that answers, all the time.
struct Load {
    customers: JoinHandle<()>,
    replies: JoinHandle<anyhow::Result<usize>>,
    enough: Arc<AtomicBool>,
}

impl Load {
    fn begin(story: &Story<'_>) -> anyhow::Result<Self> {
        story.timeline.say("Customers begin to write to all of them, and the office to answer.")?;
        let (office, accounts, enough) =
            (story.office.clone(), story.accounts.clone(), Arc::new(AtomicBool::new(false)));
        let is_enough = enough.clone();
        let replies = tokio::spawn(async move {
            let (sessions, sent): (Vec<_>, _) = (accounts.phones.keys().copied().collect(), AtomicUsize::new(0));
            while !is_enough.load(Ordering::Relaxed) {
                let number = sent.fetch_add(1, Ordering::Relaxed);
                office.reply(&accounts, sessions[number % sessions.len()], number).await?;
                sleep(REPLY_EVERY).await;
            }
            Ok(sent.into_inner())
        });
        Ok(Self { customers: story.accounts.customers_write(), replies, enough })
    }

    /// Ends it; answers how many answers were sent.
    async fn end(self) -> anyhow::Result<usize> {
        self.enough.store(true, Ordering::Relaxed);
        self.customers.await?;
        self.replies.await?
    }
}

//! The people who work with the accounts. They sit at a node that drives no session itself: what they do, and what they
//! see, is the same at every node.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use seatport::conversation::Direction;
use seatport::storage::SessionStore;
use seatport::{
    Agent, CardStatus, Desk, Error, NewAccount, NodeId, Page, Retry, Role, Seatport, SendKey, SendOptions,
    SessionFilter, SessionId, View, WhenFull,
};
use seatport_postgres::PostgresStorage;
use tokio::time::{sleep, timeout};

use crate::accounts::Accounts;
use crate::arguments::Place;
use crate::node;

const PATIENCE: Duration = Duration::from_secs(40);
/// As many as a page can hold.
const ALL: u32 = 1000;

/// The office: a node without sessions, and a supervisor's desk at it.
#[derive(Debug)]
pub(crate) struct Office {
    seatport: Seatport,
    pub(crate) mei: Desk,
    /// To see which node drives what, which is no concern of a desk.
    storage: PostgresStorage,
}

impl Office {
    pub(crate) async fn open(place: &Place) -> anyhow::Result<Self> {
        let seatport = node::seatport(place).await?.max_sessions(0).build().await?;
        let mei = Agent::new("mei", "Mei Lin", Role::Supervisor)?;
        seatport.agents().put(mei.clone()).await?;
        let mei = seatport.desk(&mei.id).await?;
        Ok(Self { seatport, mei, storage: node::storage(place).await? })
    }

    /// Adds an account: the code that is to be scanned is shown here, whichever node the session runs on.
    pub(crate) async fn add_account(&self, accounts: &mut Accounts) -> anyhow::Result<()> {
        let session = self.mei.add_and_start(NewAccount::on("simulated"), WhenFull::Fail).await?;
        let mut watch = self.mei.watch(session).await?;
        let mut scanned = None;
        let scan = async {
            loop {
                let new = |view: &View| view.challenge.is_some() && view.challenge != scanned;
                let online = |view: &View| view.card.status == CardStatus::Online;
                let shown = watch.until(|view| new(view) || online(view)).await?;
                match &shown.challenge {
                    Some(challenge) => accounts.scan(session, challenge.code.expose()),
                    None => return anyhow::Ok(()),
                }
                scanned = shown.challenge;
            }
        };
        timeout(PATIENCE, scan).await.context("an account did not come online")?
    }

    /// Which sessions each node drives.
    pub(crate) async fn owners(&self) -> anyhow::Result<BTreeMap<NodeId, Vec<SessionId>>> {
        let mut owners = BTreeMap::<_, Vec<_>>::new();
        for stored in self.storage.sessions(&SessionFilter::default(), Page::first(ALL)).await? {
            if let Some(owner) = stored.owner {
                owners.entry(owner.node).or_default().push(stored.record.id);
            }
        }
        Ok(owners)
    }

    /// Waits until every session is online with one of these nodes, for the database and for the network.
    pub(crate) async fn all_online(&self, nodes: &[NodeId], accounts: &Accounts) -> anyhow::Result<()> {
        let all = async {
            loop {
                let sessions = self.storage.sessions(&SessionFilter::default(), Page::first(ALL)).await?;
                let well = sessions.iter().all(|stored| {
                    stored.status() == CardStatus::Online
                        && stored.owner.is_some_and(|owner| nodes.contains(&owner.node))
                        && accounts.is_connected(stored.record.id)
                });
                if well {
                    return anyhow::Ok(());
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, all).await.context("some sessions did not come back")?
    }

    /// Answers the customer of this session. Whoever is put off says it again under the same key: it is sent once.
    pub(crate) async fn reply(&self, accounts: &Accounts, session: SessionId, number: usize) -> anyhow::Result<()> {
        let (text, chat) = (format!("answer {number}"), accounts.customer(session).address().clone());
        loop {
            let how = SendOptions::default().key(SendKey::new(&*text)?);
            match self.mei.send_text(session, &chat, &*text, how).await {
                Ok(_) => return Ok(()),
                Err(Error::Storage(error)) if error.retry() == Retry::Later => sleep(Duration::from_millis(100)).await,
                Err(error) => bail!(error),
            }
        }
    }

    /// How many messages of customers are stored.
    pub(crate) async fn stored(&self) -> anyhow::Result<usize> {
        let mut count = 0;
        for card in self.mei.cards(&SessionFilter::default(), Page::first(ALL)).await? {
            for chat in self.mei.chats(card.session, Page::first(ALL)).await? {
                let mut page = Page::first(ALL);
                loop {
                    let messages = self.mei.messages(card.session, &chat.address, page).await?;
                    let Some(last) = messages.last() else { break };
                    page = Page::after(last.seq, ALL);
                    count += messages.iter().filter(|stored| stored.message.direction == Direction::Inbound).count();
                }
            }
        }
        Ok(count)
    }

    pub(crate) async fn close(self) {
        self.seatport.shutdown(Duration::from_secs(5)).await;
    }
}

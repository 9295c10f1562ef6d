//! What outlives the nodes: the network, the database, and everything anybody was told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use seatport::lifecycle::Desired;
use seatport::storage::{Storage, StorageError, StoredSession};
use seatport::{Page, Random, SessionFilter, SessionId, SystemClock};
use seatport_testkit::messenger::{Listener, Messenger, Phone, Settings};
use seatport_testkit::postgres::Cluster;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::observer::Observed;
use crate::processes::{self, Answer, Node, PATIENCE, Pace, Place};
use crate::{LEASE, NODES, SESSIONS, SILENCE};

/// An account and its session, as seen from outside.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) phone: Phone,
    /// How many messages people have written to it.
    pub(crate) written: usize,
    /// What the supervisor was told that it ought to be; none while that is not known.
    pub(crate) told: Option<Desired>,
    /// Grows with every order of the supervisor.
    pub(crate) orders: u64,
    /// What agents were told is on its way to people: the text and to whom.
    pub(crate) said: BTreeSet<(String, String)>,
}

/// Everything but the nodes' own memory. Its clones are the same.
#[derive(Clone)]
pub(crate) struct World(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) messenger: Messenger,
    _listener: Listener,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) place: Place,
    pub(crate) nodes: Mutex<Vec<Arc<Seat>>>,
    pub(crate) accounts: Mutex<BTreeMap<SessionId, Account>>,
    pub(crate) observed: Observed,
    pub(crate) random: Random,
    /// One fault of the database at a time.
    pub(crate) database: tokio::sync::Mutex<()>,
    calm: AtomicBool,
    codes: mpsc::UnboundedSender<(SessionId, String)>,
}

/// A node's place: whoever inflicts something on a node takes the place meanwhile.
pub(crate) struct Seat {
    node: Mutex<Arc<Node>>,
    pub(crate) taken: tokio::sync::Mutex<()>,
}

impl Seat {
    pub(crate) fn node(&self) -> Arc<Node> {
        self.node.lock().clone()
    }
}

impl std::ops::Deref for World {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl World {
    /// All sessions are online, and all nodes are there.
    pub(crate) async fn new() -> Self {
        // What happens, to whom and when; what meets it is up to the machine.
        let seed = match std::env::var("SEATPORT_SEED") {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => Random::from_os().unwrap().below(u64::MAX),
        };
        println!("SEATPORT_SEED={seed}");
        let settings = Settings {
            silence: SILENCE,
            keepalive: Duration::from_secs(10),
            redelivery: Duration::from_secs(5),
            latency: Duration::from_millis(5),
            ..Settings::default()
        };
        let messenger = Messenger::with_settings(seed, Arc::new(SystemClock), settings);
        let listener = messenger.listen("127.0.0.1:0").await.unwrap();
        let cluster = Arc::new(tokio::task::spawn_blocking(Cluster::start).await.unwrap());
        let place = Place {
            database: cluster.port(),
            schema: cluster.fresh_schema(),
            messenger: listener.address().to_string(),
            timing: Pace::Hasty(u64::try_from(LEASE.as_millis()).unwrap()),
            ports: u32::try_from(SESSIONS).unwrap(),
        };
        let (codes, mut shown) = mpsc::unbounded_channel();
        // All at once, on a database with nothing in it.
        let (one, two, three) = tokio::join!(
            Node::start(&place, codes.clone()),
            Node::start(&place, codes.clone()),
            Node::start(&place, codes.clone()),
        );
        let seat = |node| Arc::new(Seat { node: Mutex::new(Arc::new(node)), taken: tokio::sync::Mutex::default() });
        let nodes: [_; NODES] = [seat(one), seat(two), seat(three)];
        let storage = Arc::new(processes::storage(place.database, &place.schema).await);
        let world = Self(Arc::new(Inner {
            messenger,
            _listener: listener,
            cluster,
            storage,
            place,
            nodes: Mutex::new(nodes.into()),
            accounts: Mutex::default(),
            observed: Observed::default(),
            random: Random::seeded(seed),
            database: tokio::sync::Mutex::default(),
            calm: AtomicBool::new(false),
            codes,
        }));
        let scanning = world.clone();
        tokio::spawn(async move {
            while let Some((session, code)) = shown.recv().await {
                let mut accounts = scanning.accounts.lock();
                let number = accounts.len();
                let account = accounts.entry(session).or_insert_with(|| Account {
                    phone: scanning.messenger.phone(&format!("+861380013{number:04}")),
                    written: 0,
                    told: Some(Desired::Started),
                    orders: 0,
                    said: BTreeSet::new(),
                });
                // If it has expired already, another one is shown.
                let _ = account.phone.scan(&code);
            }
        });
        let mut adding = tokio::task::JoinSet::new();
        for number in 0..SESSIONS {
            let node = world.nodes.lock()[number % NODES].node();
            adding.spawn(async move { node.ask("add").await });
        }
        for answer in tokio::time::timeout(PATIENCE, adding.join_all()).await.expect("the accounts do not come online")
        {
            assert_eq!(answer, Answer::Done);
        }
        world
    }

    /// Puts a new node in this place.
    pub(crate) async fn replace(&self, seat: &Seat) {
        let node = Node::start(&self.place, self.codes.clone()).await;
        *seat.node.lock() = Arc::new(node);
    }

    /// Some node or other, whatever is happening to it.
    pub(crate) fn any_node(&self) -> Arc<Node> {
        let nodes = self.nodes.lock();
        nodes[self.pick(nodes.len())].node()
    }

    pub(crate) fn pick(&self, of: usize) -> usize {
        usize::try_from(self.random.below(of as u64)).unwrap()
    }

    /// All sessions, as one statement sees them.
    pub(crate) async fn sessions(&self) -> Result<Vec<StoredSession>, StorageError> {
        self.storage.sessions(&SessionFilter::default(), Page::first(1_000)).await
    }

    /// Asks until the database answers.
    pub(crate) async fn patiently<T, F: Future<Output = Result<T, StorageError>>>(&self, ask: impl Fn() -> F) -> T {
        let begin = Instant::now();
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(error) => assert!(begin.elapsed() < PATIENCE, "the database does not come back: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Nobody writes, sends or orders anything from now on.
    pub(crate) fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// Ends the nodes, so that they have nothing to complain about.
    pub(crate) async fn end(self) {
        self.nodes.lock().clear();
        // An error would mean that the database is gone already.
        let _ = self.storage.close().await;
    }
}

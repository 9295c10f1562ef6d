//! Many sessions at once: they do not knock together, and an end that is asked for comes in time.

use std::sync::Arc;
use std::time::Duration;

use seatport::memory::MemoryStorage;
use seatport::vault::{VaultError, VaultKey};
use seatport::{
    Agent, CardStatus, Clock, Desk, Error, NewAccount, Page, PortRange, Random, Role, Seatport, SessionFilter,
    Timestamp, Timing, WhenFull,
};
use seatport_testkit::VirtualClock;
use seatport_testkit::messenger::Messenger;
use tokio::time::Instant;

const CROWD: u32 = 100;

struct Crowd {
    clock: VirtualClock,
    messenger: Messenger,
    storage: MemoryStorage,
}

impl Crowd {
    fn new() -> Self {
        let clock = VirtualClock::default();
        Self { clock, messenger: Messenger::new(7, Arc::new(clock)), storage: MemoryStorage::new() }
    }

    /// A process starts on what is stored, with 5 reconnects and 10 adoptions a second.
    async fn boot(&mut self) -> (Seatport, Desk) {
        self.storage = self.storage.reopen();
        let timing = Timing { reconnects_per_second: 5.0, adoptions_per_second: 10.0, ..Timing::default() };
        let seatport = Seatport::builder()
            .storage(self.storage.clone())
            .transport(self.messenger.transport())
            .vault_key(VaultKey::new([7; 32]))
            .ports(PortRange::new(1, CROWD).unwrap())
            .timing(timing)
            .clock(self.clock)
            .random(Random::seeded(3))
            .build()
            .await
            .unwrap();
        let mei = Agent::new("mei", "Mei", Role::Supervisor).unwrap();
        seatport.agents().put(mei.clone()).await.unwrap();
        let desk = seatport.desk(&mei.id).await.unwrap();
        (seatport, desk)
    }

    /// Everybody scans.
    async fn fill(&self, desk: &Desk) {
        for number in 0..CROWD {
            let session = desk.add_and_start(NewAccount::on("simulated"), WhenFull::Fail).await.unwrap();
            let mut watch = desk.watch(session).await.unwrap();
            let code = watch.until(|view| view.challenge.is_some()).await.unwrap().challenge.unwrap();
            self.messenger.phone(&format!("+861380000{number:04}")).scan(code.code.expose()).unwrap();
            watch.until(|view| view.card.status == CardStatus::Online).await.unwrap();
        }
    }

    async fn all_online(&self, desk: &Desk) {
        let online = SessionFilter { statuses: vec![CardStatus::Online], ..Default::default() };
        let begin = Instant::now();
        while desk.cards(&online, Page::first(1000)).await.unwrap().len() < CROWD as usize {
            assert!(begin.elapsed() < Duration::from_secs(3600), "they never came back");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The most dials within any second since then.
    fn busiest_second(&self, since: Timestamp) -> usize {
        let journal = self.messenger.journal();
        let dials: Vec<_> = journal.connections.iter().map(|dial| dial.dialled_at).filter(|at| *at >= since).collect();
        let within = |from: &Timestamp| {
            dials.iter().filter(|at| *at >= from && at.since(*from) < Duration::from_secs(1)).count()
        };
        dials.iter().map(within).max().unwrap_or(0)
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_that_drop_together_do_not_knock_together() {
    let mut crowd = Crowd::new();
    let (_seatport, desk) = crowd.boot().await;
    crowd.fill(&desk).await;
    // Long enough for the bucket to be full.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let since = crowd.clock.now();
    crowd.messenger.conditions(|now| now.down = true);
    tokio::time::sleep(Duration::from_secs(1)).await;
    crowd.messenger.conditions(|now| now.down = false);
    crowd.all_online(&desk).await;
    // A full bucket holds one second's worth; another one drips in meanwhile.
    assert!(crowd.busiest_second(since) <= 10, "{} dials in one second", crowd.busiest_second(since));
}

#[tokio::test(start_paused = true)]
async fn at_boot_they_resume_at_a_bounded_rate_and_a_person_does_not_wait_behind_them() {
    let mut crowd = Crowd::new();
    let (seatport, desk) = crowd.boot().await;
    crowd.fill(&desk).await;
    let cards = desk.cards(&SessionFilter::default(), Page::first(1000)).await.unwrap();
    let last = cards.last().unwrap().session;
    desk.stop(last).await.unwrap();
    seatport.shutdown(Duration::from_secs(5)).await;
    drop((seatport, desk));
    tokio::time::sleep(Duration::from_secs(60)).await;

    let since = crowd.clock.now();
    let (_seatport, desk) = crowd.boot().await;
    desk.start(last, WhenFull::Fail).await.unwrap();
    let mut watch = desk.watch(last).await.unwrap();
    watch.until(|view| view.card.status == CardStatus::Online).await.unwrap();
    assert!(crowd.clock.now().since(since) < Duration::from_secs(1), "who starts one now is served now");
    crowd.all_online(&desk).await;
    assert!(crowd.busiest_second(since) <= 11, "{} dials in one second", crowd.busiest_second(since));
    let journal = crowd.messenger.journal();
    assert!(journal.overlaps.is_empty(), "never two connections of one account");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_keeps_its_deadline_though_nothing_answers() {
    let mut crowd = Crowd::new();
    let (seatport, desk) = crowd.boot().await;
    crowd.fill(&desk).await;
    crowd.messenger.conditions(|now| now.hang = true);
    let begin = Instant::now();
    seatport.shutdown(Duration::from_secs(3)).await;
    assert!(begin.elapsed() <= Duration::from_secs(4), "{:?}", begin.elapsed());
    drop((seatport, desk));
    crowd.messenger.conditions(|now| now.hang = false);
    let (seatport, desk) = crowd.boot().await;
    assert_eq!(seatport.ports().usage().await.unwrap().free(), 0, "desired states and ports stayed as they were");
    crowd.all_online(&desk).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_vault_key_a_transport_with_credentials_is_refused_unless_the_host_insists() {
    let crowd = Crowd::new();
    let builder = || Seatport::builder().storage(crowd.storage.clone()).transport(crowd.messenger.transport());
    let refused = builder().build().await;
    assert!(matches!(refused, Err(Error::Vault(VaultError::KeyMissing))), "{refused:?}");
    builder().insecure_plaintext_vault().build().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_vault_s_key_is_changed_while_sessions_run() {
    let mut crowd = Crowd::new();
    let (seatport, desk) = crowd.boot().await;
    crowd.fill(&desk).await;
    seatport.shutdown(Duration::from_secs(5)).await;
    drop((seatport, desk));
    let (old, new) = (VaultKey::new([7; 32]), VaultKey::new([8; 32]));
    let build = async |storage: MemoryStorage, key: &VaultKey, previous: Option<&VaultKey>| {
        let builder = Seatport::builder().storage(storage).transport(crowd.messenger.transport()).clock(crowd.clock);
        let builder = builder.vault_key(key.clone());
        match previous {
            Some(previous) => builder.previous_vault_key(previous.clone()).build().await,
            None => builder.build().await,
        }
    };
    let seatport = build(crowd.storage.reopen(), &new, Some(&old)).await.unwrap();
    assert!(seatport.rotate_vault().await.unwrap() >= u64::from(CROWD));
    seatport.shutdown(Duration::from_secs(5)).await;
    let wrong = build(crowd.storage.reopen(), &old, None).await;
    assert!(matches!(wrong, Err(Error::Vault(VaultError::WrongKey { .. }))));
    let seatport = build(crowd.storage.reopen(), &new, None).await.unwrap();
    let desk = seatport.desk(&"mei".parse().unwrap()).await.unwrap();
    crowd.all_online(&desk).await;
}

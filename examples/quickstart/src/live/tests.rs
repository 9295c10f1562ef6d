//! On the simulated messenger, which any network's transport can stand in for.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use seatport_testkit::messenger::{Messenger, Settings};

use super::*;

const PHONE: &str = "+8613800138000";

/// What was printed so far.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    async fn until(&self, wanted: impl Fn(&str) -> bool) {
        let waited = tokio::time::timeout(Duration::from_secs(20), async {
            while !wanted(&self.text()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        assert!(waited.await.is_ok(), "something is not in\n{}", self.text());
    }

    async fn shows(&self, text: &str) {
        self.until(|shown| shown.contains(text)).await;
    }

    fn narrator(&self) -> Narrator {
        Narrator::new(Box::new(self.clone()), true, Duration::ZERO)
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn seatport(database: &Database, network: &Messenger) -> (Seatport, Desk) {
    let (storage, key) = database.open().await.unwrap();
    let builder = Seatport::builder().storage(storage).transport(network.transport()).vault_key(key);
    let seatport = builder.build().await.unwrap();
    let mei = Agent::new("mei", "Mei Lin", Role::Supervisor).unwrap();
    seatport.agents().put(mei.clone()).await.unwrap();
    let desk = seatport.desk(&mei.id).await.unwrap();
    (seatport, desk)
}

async fn scan(network: &Messenger, desk: &Desk, session: SessionId) {
    let mut watch = desk.watch(session).await.unwrap();
    let code = watch.until(|view| view.challenge.is_some()).await.unwrap().challenge.unwrap();
    network.phone(PHONE).scan(code.code.expose()).unwrap();
}

#[tokio::test]
async fn it_shows_the_code_the_status_and_what_comes_in() {
    let (paper, network) = (Paper::default(), Messenger::new(7, Arc::new(SystemClock)));
    let database = Database::new(None, None).unwrap();
    let (seatport, desk) = seatport(&database, &network).await;
    let session = take_up(&desk, &network.transport().name()).await.unwrap();
    let steps = async {
        // Counts down.
        paper.until(|shown| shown.matches("login code 1, ").count() > 2).await;
        scan(&network, &desk, session).await;
        paper.shows("+8613800138000   online").await;
        network.person("Ana").write(network.phone(PHONE).address(), "Hello\u{1b}[2J there");
        paper.shows(" · Ana: Hello [2J there").await;
        network.phone(PHONE).log_out(session).unwrap();
        paper.shows("logged out from the phone; scan again").await;
        paper.shows("Asking for new login codes.").await;
        scan(&network, &desk, session).await;
    };
    let mut narrator = paper.narrator();
    let feed = desk.events(desk.cursors().await.unwrap()).await.unwrap();
    tokio::select! {
        followed = follow(&mut narrator, &desk, session, feed) => panic!("{followed:?}"),
        () = steps => {}
    }
    seatport.shutdown(GOODBYE).await;
}

#[tokio::test]
async fn the_next_run_needs_no_scan_and_a_temporary_one_leaves_no_device_behind() {
    let (paper, network) = (Paper::default(), Messenger::new(7, Arc::new(SystemClock)));
    let database = Database::new(None, None).unwrap();
    let (seatport, desk) = seatport(&database, &network).await;
    let session = take_up(&desk, &network.transport().name()).await.unwrap();
    scan(&network, &desk, session).await;
    desk.watch(session).await.unwrap().until(|view| view.card.status == CardStatus::Online).await.unwrap();
    seatport.shutdown(GOODBYE).await;
    assert_eq!(network.phone(PHONE).devices().len(), 1);

    let online = paper.until(|shown| {
        shown.rsplit_once("+8613800138000   connecting").is_some_and(|(_, after)| after.contains("   online"))
    });
    run(paper.narrator(), &database, network.transport(), online).await.unwrap();
    assert!(!paper.text().contains("login code"), "{}", paper.text());
    assert_eq!(network.phone(PHONE).devices(), []);
}

#[tokio::test]
async fn codes_replace_each_other_and_a_new_round_follows_when_they_ran_out() {
    let life = Duration::from_millis(500);
    let settings = Settings { qr_codes: vec![life; 2], ..Settings::default() };
    let (paper, network) = (Paper::default(), Messenger::with_settings(7, Arc::new(SystemClock), settings));
    let database = Database::new(None, None).unwrap();
    let steps = async {
        paper.shows("login code 1, 1 s left").await;
        paper.shows("A\u{1b}[J").await;
        paper.shows("login code 2, 1 s left").await;
        paper.shows("the login code ran out").await;
        paper
            .until(|shown| shown.rsplit_once("new login codes").is_some_and(|(_, after)| after.contains("code 1")))
            .await;
    };
    run(paper.narrator(), &database, network.transport(), steps).await.unwrap();
    assert!(paper.text().ends_with("Shutting down.\n"), "{}", paper.text());
}

//! Login codes, credentials and proxy passwords reach no log, no event and no error text.

use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use seatport::{CardStatus, Cursors, Environment, LoginMethod, WhenFull};
use tracing_subscriber::fmt::MakeWriter;

use crate::office::{Office, Store, new_account};

/// Everything that is logged, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn secrets_reach_no_log_no_event_and_no_error() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _logged = tracing::subscriber::set_default(subscriber);

    let office = Office::open(Store::memory()).await;
    let environment = || Environment::new().proxy("http://mei:hunter2@proxy.example:8080").unwrap();
    let session = office.mei.add_and_start(new_account().environment(environment()), WhenFull::Fail).await.unwrap();
    let mut secrets = vec!["hunter2".to_owned()];
    let view = office.until(session, |view| view.challenge.is_some()).await;
    let shown = format!("{view:?}");
    secrets.push(view.challenge.unwrap().code.expose().to_owned());
    let method = LoginMethod::pairing_code("+8613800138000").unwrap();
    office.mei.refresh_login_by(session, method).await.unwrap();
    let phone = office.messenger.phone("+8613800138000");
    let is_code = |view: &seatport::View| {
        view.challenge.as_ref().is_some_and(|code| code.kind == seatport::ChallengeKind::PairingCode)
    };
    let code = office.until(session, is_code).await.challenge.unwrap();
    secrets.push(code.code.expose().to_owned());
    phone.enter_pairing_code(code.code.expose()).unwrap();
    office.reaches(session, CardStatus::Online).await;
    phone.open_elsewhere();
    office.reaches(session, CardStatus::Blocked).await;
    office.mei.refresh_login(session).await.unwrap();
    office.reaches(session, CardStatus::Online).await;

    let mut errors = String::new();
    errors += &office.mei.delete(session).await.unwrap_err().to_string();
    errors += &office.mei.login_code(session).await.unwrap_err().to_string();
    errors += &Environment::new().proxy("gopher://mei:hunter2@proxy.example").unwrap_err().to_string();
    let mut stream = office.mei.events(Cursors::default()).await.unwrap();
    let events = format!("{:?}", stream.next_batch(1000).await.unwrap());
    let rest = format!("{:?} {:?}", office.card(session).await, office.mei.audit(0, 1000).await.unwrap());
    let log = String::from_utf8(log.0.lock().clone()).unwrap();
    assert!(log.contains(&session.to_string()), "something was logged");
    for (place, text) in [("log", &log), ("errors", &errors), ("events", &events), ("views", &shown), ("rest", &rest)] {
        for secret in &secrets {
            assert!(!text.contains(secret), "{secret} is in the {place}: {text}");
        }
    }
}

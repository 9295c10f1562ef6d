use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::*;

/// There is one log in a process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A sink that keeps what it is handed. While somebody holds the gate, it waits.
#[derive(Default)]
struct Sink {
    records: Mutex<Vec<LogRecord>>,
    failures: Mutex<u32>,
    gate: Mutex<()>,
    failing: Mutex<bool>,
}

impl LogSink for Arc<Sink> {
    fn write(&self, records: Vec<LogRecord>) -> Result<(), SeatportError> {
        tracing::error!("a sink that logs must not be handed that");
        drop(self.gate.lock());
        if *self.failing.lock() {
            *self.failures.lock() += 1;
            return Err(SeatportError::Host { detail: "disk full".to_owned() });
        }
        self.records.lock().extend(records);
        Ok(())
    }
}

impl Sink {
    fn messages(&self) -> Vec<String> {
        self.records.lock().iter().map(|record| record.message.clone()).collect()
    }
}

fn direct(sink: Option<&Arc<Sink>>, level: LogLevel) {
    let sink = sink.map(|sink| Arc::new(sink.clone()) as Arc<dyn LogSink>);
    set_log_sink(sink, level).unwrap();
}

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock()
}

#[test]
fn the_log_arrives_in_order_with_its_fields_from_the_level_on() {
    let (_alone, sink) = (alone(), Arc::new(Sink::default()));
    direct(Some(&sink), LogLevel::Info);
    tracing::info!(target: "seatport::test", session = %"s1", attempt = 2, "first");
    tracing::debug!(target: "seatport::test", "not at this level");
    tracing::warn!(target: "seatport::test", "second");
    tracing::error!(target: "another_library", "not ours");
    direct(None, LogLevel::Info);
    tracing::error!(target: "seatport::test", "too late");

    assert_eq!(sink.messages(), ["first", "second"]);
    let first = sink.records.lock()[0].clone();
    assert_eq!((first.level, first.target.as_str()), (LogLevel::Info, "seatport::test"));
    assert_eq!(
        first.fields,
        [("session", "s1"), ("attempt", "2")].map(|(name, text)| (name.into(), text.into())).into()
    );
}

#[test]
fn a_sink_that_is_replaced_has_taken_what_was_logged_for_it() {
    let (_alone, sinks) = (alone(), [Arc::new(Sink::default()), Arc::new(Sink::default())]);
    direct(Some(&sinks[0]), LogLevel::Trace);
    for _ in 0..1_000 {
        tracing::trace!(target: "seatport::test", "for the first");
    }
    direct(Some(&sinks[1]), LogLevel::Trace);
    assert_eq!(sinks[0].messages().len(), 1_000);
    assert_eq!(Arc::strong_count(&sinks[0]), 1, "it was given back");
    tracing::trace!(target: "seatport::test", "for the second");
    direct(None, LogLevel::Trace);
    assert_eq!((sinks[0].messages().len(), sinks[1].messages().len()), (1_000, 1));
}

#[test]
fn what_a_slow_sink_cannot_take_is_counted_and_told() {
    let (_alone, sink) = (alone(), Arc::new(Sink::default()));
    direct(Some(&sink), LogLevel::Info);
    let gate = sink.gate.lock();
    let said = 20_000;
    for _ in 0..said {
        tracing::info!(target: "seatport::test", "one of many");
    }
    drop(gate);
    direct(None, LogLevel::Info);
    let records = sink.records.lock();
    let lost: u64 =
        records.iter().filter_map(|record| record.fields.get("lines")).map(|lines| lines.parse::<u64>().unwrap()).sum();
    let arrived = records.iter().filter(|record| record.message == "one of many").count() as u64;
    assert!(lost > 0);
    assert_eq!(lost + arrived, said);
}

#[test]
fn what_a_failing_sink_loses_is_told_when_it_works_again() {
    let (_alone, sink) = (alone(), Arc::new(Sink::default()));
    direct(Some(&sink), LogLevel::Info);
    *sink.failing.lock() = true;
    tracing::info!(target: "seatport::test", "lost");
    while *sink.failures.lock() == 0 {
        std::thread::yield_now();
    }
    *sink.failing.lock() = false;
    tracing::info!(target: "seatport::test", "kept");
    direct(None, LogLevel::Info);
    let records = sink.records.lock();
    assert_eq!(records[0].fields.get("lines").map(String::as_str), Some("1"));
    assert_eq!(records[1].message, "kept");
}

#[test]
fn a_sink_that_always_fails_can_be_taken_away() {
    let (_alone, sink) = (alone(), Arc::new(Sink::default()));
    direct(Some(&sink), LogLevel::Info);
    *sink.failing.lock() = true;
    tracing::info!(target: "seatport::test", "lost");
    direct(None, LogLevel::Info);
    assert_eq!(*sink.failures.lock(), 1);
}

#[test]
fn a_sink_may_be_taken_away_by_itself() {
    struct Once(mpsc::Sender<()>);

    impl LogSink for Once {
        fn write(&self, _: Vec<LogRecord>) -> Result<(), SeatportError> {
            set_log_sink(None, LogLevel::Info)?;
            let _ = self.0.send(());
            Ok(())
        }
    }

    let _alone = alone();
    let (called, calls) = mpsc::channel();
    set_log_sink(Some(Arc::new(Once(called))), LogLevel::Info).unwrap();
    tracing::info!(target: "seatport::test", "once");
    calls.recv_timeout(Duration::from_secs(60)).unwrap();
    tracing::info!(target: "seatport::test", "nobody hears this");
    assert!(calls.recv().is_err(), "it was given back");
}

/// A login with everything that is secret in it, at the level that says the most.
#[cfg(feature = "testkit")]
#[test]
fn a_login_leaves_no_secret_in_the_log() {
    use crate::messenger::Messenger;
    use seatport::memory::MemoryStorage;
    use seatport::{Agent, CardStatus, Environment, NewAccount, Role, Seatport, SendOptions, WhenFull};

    let (_alone, sink) = (alone(), Arc::new(Sink::default()));
    direct(Some(&sink), LogLevel::Trace);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let code = runtime.block_on(async {
        let messenger = Messenger::new(7).unwrap();
        let phone = messenger.phone("+8613800138000".to_owned()).unwrap();
        let building = Seatport::builder().storage(MemoryStorage::new());
        let building = building.vault_key(seatport::vault::VaultKey::new([231; 32]));
        let network = messenger.network().unwrap();
        let seatport = building.shared_transport(network.transport(Duration::from_secs(10))).build().await.unwrap();
        seatport.agents().put(Agent::new("mei", "Mei Lin", Role::Supervisor).unwrap()).await.unwrap();
        let desk = seatport.desk(&"mei".parse().unwrap()).await.unwrap();
        let environment = Environment::new().proxy("socks5://mei:hunter2@proxy.example:1080").unwrap();
        let account = NewAccount::on("simulated").environment(environment);
        let session = desk.add_and_start(account, WhenFull::Fail).await.unwrap();
        let mut watch = desk.watch(session).await.unwrap();
        let view = watch.until(|view| view.challenge.is_some()).await.unwrap();
        let code = view.challenge.unwrap().code;
        phone.scan(Arc::new(code.clone().into())).unwrap();
        watch.until(|view| view.card.status == CardStatus::Online).await.unwrap();
        let person = messenger.person("Li".to_owned()).unwrap().address().unwrap();
        desk.send_text(session, &person.parse().unwrap(), "between us", SendOptions::default()).await.unwrap();
        desk.stop(session).await.unwrap();
        seatport.shutdown(Duration::from_secs(5)).await;
        code.expose().to_owned()
    });
    direct(None, LogLevel::Trace);
    let records = sink.records.lock();
    assert!(!records.is_empty(), "something was logged");
    let text = format!("{records:?}");
    for secret in [code.as_str(), "hunter2", "231, 231", "between us"] {
        assert!(!text.contains(secret), "{secret} is in the log: {text}");
    }
}

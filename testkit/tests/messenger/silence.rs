//! Processes that are there and say nothing: frozen, or behind a cable that carries nothing.

use std::sync::Arc;
use std::time::Duration;

use seatport::SystemClock;
use seatport_testkit::Cable;
use seatport_testkit::messenger::{ConnectionRecord, End, Listener, Messenger, Settings, SimulatedTransport};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::seat::{Seat, stored};

const SILENCE: Duration = Duration::from_millis(400);
const PATIENCE: Duration = Duration::from_secs(20);

/// A network that soon notices who is gone, and a way to it that can be frozen.
async fn network() -> (Messenger, Listener, Cable, SimulatedTransport) {
    let settings = Settings { silence: SILENCE, ..Settings::default() };
    let messenger = Messenger::with_settings(7, Arc::new(SystemClock), settings);
    let listener = messenger.listen("127.0.0.1:0").await.unwrap();
    let cable = Cable::to(listener.address().to_string()).await.unwrap();
    let transport = SimulatedTransport::remote(cable.address().to_string());
    (messenger, listener, cable, transport)
}

/// Waits until the latest connection is as it ought to be.
async fn latest(messenger: &Messenger, is: impl Fn(&ConnectionRecord) -> bool) {
    let begin = Instant::now();
    while !messenger.journal().connections.last().is_some_and(&is) {
        assert!(begin.elapsed() < PATIENCE, "{:?}", messenger.journal().connections.last());
        sleep(Duration::from_millis(5)).await;
    }
}

fn ended(record: &ConnectionRecord) -> Option<End> {
    record.end.map(|(end, _)| end)
}

#[tokio::test]
async fn a_connection_whose_other_side_is_frozen_is_not_live_for_long_and_overlaps_with_none() {
    let (messenger, _listener, cable, transport) = network().await;
    let phone = messenger.phone("+8613800138000");
    let seat = Seat::new(1, transport);
    let frozen = seat.log_in(&phone).await;
    assert_eq!(messenger.journal().live(phone.address()), 1);
    cable.freeze();
    latest(&messenger, |record| ended(record) == Some(End::Silent)).await;
    assert_eq!(messenger.journal().live(phone.address()), 0);

    cable.mend();
    let _connection = seat.online().await;
    assert_eq!(messenger.journal().live(phone.address()), 1);
    assert!(!messenger.journal().overlapped(phone.address()));
    drop(frozen);
}

#[tokio::test]
async fn a_dial_whose_other_side_is_frozen_ends_too() {
    let (messenger, listener, cable, transport) = network().await;
    let phone = messenger.phone("+8613800138000");
    let seat = Seat::new(1, transport);
    drop(seat.log_in(&phone).await);
    // Somebody who dials and does not even say so.
    let mut mute = TcpStream::connect(listener.address()).await.unwrap();
    assert_eq!(timeout(PATIENCE, mute.read(&mut [0; 8])).await.unwrap().unwrap(), 0);

    messenger.conditions(|now| now.hang = true);
    let dial = tokio::spawn(async move { seat.dial().await.map(drop) });
    latest(&messenger, |record| record.end.is_none()).await;
    cable.freeze();
    latest(&messenger, |record| ended(record) == Some(End::Silent)).await;
    messenger.conditions(|now| now.hang = false);
    cable.mend();
    assert!(timeout(PATIENCE, dial).await.unwrap().unwrap().is_err());
}

#[tokio::test]
async fn whoever_is_there_is_never_silent_however_long_it_takes_for_anything() {
    let (messenger, _listener, _cable, transport) = network().await;
    let phone = messenger.phone("+8613800138000");
    let seat = Seat::new(1, transport);
    let mut connection = seat.log_in(&phone).await;
    let bob = messenger.person("bob");
    for n in 0..200 {
        bob.write(phone.address(), n.to_string());
    }
    // Nobody takes a signal, and the network hangs for a while.
    messenger.conditions(|now| now.hang = true);
    sleep(SILENCE * 2).await;
    messenger.conditions(|now| now.hang = false);
    sleep(SILENCE * 2).await;
    assert_eq!(messenger.journal().live(phone.address()), 1);
    let mut got = 0;
    while got < 200 {
        got += stored(&mut connection).await.len();
    }
}

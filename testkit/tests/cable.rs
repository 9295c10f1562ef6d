//! The cable that tests of faults are made with.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::time::Duration;

use seatport_testkit::Cable;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);
const MOMENT: Duration = Duration::from_millis(50);

/// A server that answers "heard" to whatever it is told and keeps it, and a cable to it.
async fn server() -> (Cable, tokio::sync::mpsc::UnboundedReceiver<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cable = Cable::to(listener.local_addr().unwrap().to_string()).await.unwrap();
    let (heard, told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let heard = heard.clone();
            tokio::spawn(async move {
                while let Ok(byte) = stream.read_u8().await {
                    heard.send(byte).unwrap();
                    // Whoever said it may be gone.
                    let _ = stream.write_all(b"!").await;
                }
            });
        }
    });
    (cable, told)
}

#[tokio::test]
async fn what_a_frozen_cable_holds_back_comes_through_when_it_is_mended() {
    let (cable, mut told) = server().await;
    let mut client = TcpStream::connect(cable.address()).await.unwrap();
    client.write_all(b"a").await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'!');
    cable.freeze();
    client.write_all(b"b").await.unwrap();
    assert!(timeout(MOMENT, client.read_u8()).await.is_err());
    cable.mend();
    assert_eq!(timeout(PATIENCE, client.read_u8()).await.unwrap().unwrap(), b'!');
    assert_eq!((told.recv().await, told.recv().await), (Some(b'a'), Some(b'b')));
}

#[tokio::test]
async fn a_cut_cable_ends_what_is_connected_and_whoever_tries() {
    let (cable, _told) = server().await;
    let mut client = TcpStream::connect(cable.address()).await.unwrap();
    client.write_all(b"a").await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'!');
    cable.cut();
    assert!(timeout(PATIENCE, client.read_u8()).await.unwrap().is_err());
    let mut again = TcpStream::connect(cable.address()).await.unwrap();
    assert!(timeout(PATIENCE, again.read_u8()).await.unwrap().is_err());
    cable.mend();
    let mut again = TcpStream::connect(cable.address()).await.unwrap();
    again.write_all(b"a").await.unwrap();
    assert_eq!(timeout(PATIENCE, again.read_u8()).await.unwrap().unwrap(), b'!');
}

#[tokio::test]
async fn a_word_cuts_the_cable_before_or_after_the_server_has_heard_it() {
    let (cable, mut told) = server().await;
    cable.cut_after("stop");
    let mut client = TcpStream::connect(cable.address()).await.unwrap();
    client.write_all(b"st").await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'!');
    assert!(cable.is_set());
    client.write_all(b"op").await.unwrap();
    while timeout(PATIENCE, client.read_u8()).await.unwrap().is_ok() {}
    assert!(!cable.is_set());
    for letter in b"stop" {
        assert_eq!(timeout(PATIENCE, told.recv()).await.unwrap(), Some(*letter));
    }

    cable.cut_before("stop");
    let mut client = TcpStream::connect(cable.address()).await.unwrap();
    client.write_all(b"stop").await.unwrap();
    assert!(timeout(PATIENCE, client.read_u8()).await.unwrap().is_err());
    assert!(told.try_recv().is_err());

    cable.freeze_before("stop");
    let mut client = TcpStream::connect(cable.address()).await.unwrap();
    client.write_all(b"stop").await.unwrap();
    assert!(timeout(MOMENT, client.read_u8()).await.is_err());
    assert!(!cable.is_set() && told.try_recv().is_err());
    cable.mend();
    assert_eq!(timeout(PATIENCE, told.recv()).await.unwrap(), Some(b's'));
}

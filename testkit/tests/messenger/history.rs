//! What a newly linked device is told of the time before.

use std::time::Duration;

use seatport::conversation::{Content, Coverage, History};
use seatport::transport::{Connection, Signal};
use seatport_testkit::messenger::Settings;
use tokio::time::sleep;

use crate::seat::{Seat, messenger, send, signal, stored};

/// All pieces, acknowledged.
async fn history(connection: &mut Connection) -> Vec<History> {
    let mut pieces = Vec::new();
    while pieces.last().is_none_or(|last: &History| last.progress != Some(100)) {
        let Some(Signal::History { history, ack }) = signal(connection).await else { panic!("no history") };
        ack.stored();
        pieces.push(*history);
    }
    pieces
}

#[tokio::test(start_paused = true)]
async fn a_new_link_is_told_what_was_said_before_in_pieces() {
    let messenger = messenger(Settings { history_piece: 10, ..Settings::default() });
    let phone = messenger.phone("+8613800138000");
    let (ada, bob) = (messenger.person("ada"), messenger.person("bob"));
    for n in 0..25 {
        ada.write(phone.address(), format!("{n}"));
    }
    let misspelt = bob.write(phone.address(), "helo");
    bob.edit(phone.address(), &misspelt, "hello");
    phone.write(bob.address(), "hi");
    phone.archive(bob.address(), true);
    phone.save(ada.address(), "Ada, VIP");

    let seat = Seat::new(1, messenger.transport());
    let mut connection = seat.log_in(&phone).await;
    let pieces = history(&mut connection).await;
    assert_eq!(pieces.iter().map(|piece| piece.messages.len()).collect::<Vec<_>>(), [10, 10, 5, 2]);
    assert_eq!(
        pieces.iter().map(|piece| piece.progress).collect::<Vec<_>>(),
        [Some(25), Some(50), Some(75), Some(100)]
    );
    let covered: Vec<_> = pieces.iter().map(|piece| piece.chats[0].coverage.unwrap()).collect();
    assert_eq!(covered.iter().map(|covered| covered.complete).collect::<Vec<_>>(), [false, false, true, true]);
    assert_eq!(covered[2], Coverage { oldest: pieces[2].messages[4].at, complete: true });
    assert_eq!(pieces[0].messages[0].content, Content::Text("24".into()), "the newest first");
    assert_eq!(pieces[3].messages[1].content, Content::Text("hello".into()), "as it is by now");
    assert!(pieces[3].messages[0].from_account);
    assert_eq!(pieces[3].chats[0].archived, Some(true));
    let saved: Vec<_> = pieces[0].contacts.iter().map(|contact| contact.saved_name.as_deref()).collect();
    assert_eq!(saved, [Some("Ada, VIP"), None]);

    send(&connection, bob.address(), "OUT1", "from here").await.unwrap();
    ada.write(phone.address(), "and now");
    stored(&mut connection).await;
    drop(connection);
    phone.log_out(seat.session()).unwrap();
    let again = Seat::new(2, messenger.transport());
    let mut connection = again.log_in(&phone).await;
    let count: usize = history(&mut connection).await.iter().map(|piece| piece.messages.len()).sum();
    assert_eq!(count, 29, "what was sent and heard through a link is part of it too");
}

#[tokio::test(start_paused = true)]
async fn a_piece_that_is_not_acknowledged_comes_again() {
    let messenger = messenger(Settings::default());
    let phone = messenger.phone("+8613800138000");
    messenger.person("ada").write(phone.address(), "hello");
    let seat = Seat::new(1, messenger.transport());
    let mut connection = seat.log_in(&phone).await;
    let Some(Signal::History { history: first, ack }) = signal(&mut connection).await else { panic!("no history") };
    drop((ack, connection));
    let mut connection = seat.online().await;
    assert_eq!(history(&mut connection).await, [*first]);
    sleep(Duration::from_secs(1)).await;
    drop(connection);
    let mut connection = seat.online().await;
    assert!(matches!(signal(&mut connection).await, Some(Signal::Alive)), "once it is safe, it is not told again");
}

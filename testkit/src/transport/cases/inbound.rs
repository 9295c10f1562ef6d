//! What arrives at the account.

use seatport::conversation::{ChatKind, Content};

use super::{SCRIPTS, long};
use crate::transport::trial::{Trial, look_again};

pub(crate) async fn a_text_arrives_as_it_was_written(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let text = trial.text("good morning");
    let id = trial.let_arrive(&mut line, &text).await;
    let message = line.arrivals(&[&text]).await.remove(0);
    assert_eq!(message.content, Content::Text(text));
    assert_eq!((&message.chat, message.kind), (&trial.chat(), ChatKind::Person));
    assert_eq!(message.sender, message.chat, "with one person the sender is whom the chat is with");
    assert!(!message.from_account, "the account did not write it");
    if let Some(id) = id {
        assert_eq!(message.id.as_str(), id, "it has the id that the network gave it");
    }
}

pub(crate) async fn every_script_arrives(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    for words in SCRIPTS {
        let text = trial.text(words);
        trial.let_arrive(&mut line, &text).await;
        line.arrivals(&[&text]).await;
    }
}

pub(crate) async fn a_long_text_arrives(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let text = long(&trial.text("a long story: "));
    trial.let_arrive(&mut line, &text).await;
    line.arrivals(&[&text]).await;
}

pub(crate) async fn messages_of_a_chat_keep_their_order(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let texts: Vec<String> = (0..30).map(|_| trial.text("in order")).collect();
    for text in &texts {
        trial.let_arrive(&mut line, text).await;
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut arrived: Vec<_> = line.arrivals(&texts).await;
    // A network may deliver twice; the first time counts.
    let mut ids = std::collections::BTreeSet::new();
    arrived.retain(|message| ids.insert(message.id.clone()));
    let said: Vec<_> = arrived.into_iter().map(|message| message.content).collect();
    assert_eq!(said, texts.iter().map(|text| Content::Text((*text).to_owned())).collect::<Vec<_>>());
}

pub(crate) async fn what_was_not_stored_comes_again_under_its_id(trial: &Trial) {
    let seat = trial.seat();
    let mut line = trial.log_in(&seat, 1).await;
    let text = trial.text("do not lose me");
    trial.let_arrive(&mut line, &text).await;
    let (first, ack) = line.unstored(&text).await;
    // As when the storage fails: nobody says that it is stored.
    drop(ack);
    drop(line);
    let mut line = trial.log_in_for(&seat, 1, Some(&text)).await;
    let (second, ack) = line.unstored(&text).await;
    assert_eq!((&second.chat, &second.id), (&first.chat, &first.id), "the id tells that it is the same");
    // As when the process dies: the connection is gone while it is being stored.
    drop(line);
    drop(ack);
    let mut line = trial.log_in(&seat, 1).await;
    let third = line.arrivals(&[&text]).await.remove(0);
    assert_eq!((third.chat, third.id), (first.chat, first.id));
}

async fn waiting(trial: &Trial, account: &str) -> u32 {
    trial.peer("count what is not acknowledged", trial.peer.unacknowledged(account.to_owned())).await
}

pub(crate) async fn what_was_stored_is_acknowledged_and_nothing_else(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let account = line.account.clone();
    let before = waiting(trial, &account).await;
    let text = trial.text("keep me safe");
    trial.let_arrive(&mut line, &text).await;
    let (_, ack) = line.unstored(&text).await;
    trial.quiet().await;
    let unstored = waiting(trial, &account).await;
    assert!(unstored > before, "it was acknowledged before it was stored");
    ack.stored();
    // Not down to what it was before: another session of the account may have got it too, and nobody stores it there.
    let acknowledged = async {
        while waiting(trial, &account).await >= unstored {
            look_again().await;
        }
    };
    trial.within("what is stored is acknowledged", acknowledged).await;
}

pub(crate) async fn what_came_meanwhile_comes_at_the_next_login(trial: &Trial) {
    let seat = trial.seat();
    let line = trial.log_in(&seat, 1).await;
    let account = line.account.clone();
    drop(line);
    trial.no_connection("once it is dropped").await;
    let texts = [trial.text("are you there?"), trial.text("hello?")];
    for text in &texts {
        trial.peer("write", trial.peer.write(account.clone(), text.clone())).await;
    }
    let mut line = trial.log_in(&seat, 1).await;
    line.arrivals(&[&texts[0], &texts[1]]).await;
}

pub(crate) async fn nothing_is_lost_while_seatport_is_behind(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let texts: Vec<String> = (0..200).map(|_| trial.text("one of many")).collect();
    for text in &texts {
        trial.let_arrive(&mut line, text).await;
    }
    // All this time nobody has listened.
    trial.quiet().await;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    line.arrivals(&texts).await;
}

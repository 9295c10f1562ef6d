//! What the account sends.

use seatport::conversation::{Content, Media, MediaKind, MediaReference};
use seatport::transport::SendError;

use super::{SCRIPTS, long};
use crate::transport::trial::Trial;

pub(crate) async fn a_text_is_taken(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let text = trial.text("hello");
    assert_eq!(line.send_text(&trial.message_id(), &text).await, Ok(()));
}

pub(crate) async fn a_text_arrives(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let (id, text) = (trial.message_id(), trial.text("hello"));
    assert_eq!(line.send_text(&id, &text).await, Ok(()));
    trial.arrived(&mut line, &[&text], 1).await;
    if trial.can.receive {
        let received = trial.peer("tell what it received", trial.peer.received(line.account.clone())).await;
        let received = received.into_iter().find(|received| received.text == text).unwrap();
        assert_eq!((received.chat, received.id), (trial.peer.chat(), id.as_str().to_owned()));
    }
}

pub(crate) async fn every_script_arrives(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let texts: Vec<String> = SCRIPTS.iter().map(|words| trial.text(words)).collect();
    for text in &texts {
        assert_eq!(line.send_text(&trial.message_id(), text).await, Ok(()), "{text:?}");
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    trial.arrived(&mut line, &texts, 1).await;
}

pub(crate) async fn a_long_text_arrives(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let text = long(&trial.text("a long story: "));
    assert_eq!(line.send_text(&trial.message_id(), &text).await, Ok(()));
    trial.arrived(&mut line, &[&text], 1).await;
}

pub(crate) async fn an_empty_text_is_taken_or_refused(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let answer = line.send_text(&trial.message_id(), "").await;
    assert!(!matches!(answer, Err(SendError::Later(_))), "later it is just as empty: {answer:?}");
    let text = trial.text("that was nothing");
    assert_eq!(line.send_text(&trial.message_id(), &text).await, Ok(()), "the connection lives on");
}

pub(crate) async fn many_at_once_arrive_once_each(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let texts: Vec<String> = (0..20).map(|_| trial.text("one of many")).collect();
    let mut answers = Vec::new();
    for text in &texts {
        answers.push(line.tell_to_send(&trial.message_id(), Content::Text(text.clone())).await);
    }
    for answer in answers {
        assert_eq!(line.answered(answer).await, Ok(()));
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    trial.arrived(&mut line, &texts, 1).await;
}

pub(crate) async fn the_same_id_twice_is_shown_once(trial: &Trial) {
    let seat = trial.seat();
    let mut line = trial.log_in(&seat, 1).await;
    let (id, text) = (trial.message_id(), trial.text("say it once"));
    for _ in 0..2 {
        assert_eq!(line.send_text(&id, &text).await, Ok(()));
    }
    trial.arrived(&mut line, &[&text], 1).await;
    // As after a crash between the network's answer and the commit.
    drop(line);
    let mut line = trial.log_in(&seat, 1).await;
    assert_eq!(line.send_text(&id, &text).await, Ok(()));
    if trial.can.receive {
        trial.arrived(&mut line, &[&text], 1).await;
    }
}

pub(crate) async fn what_it_cannot_send_is_refused(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let mut picture = Media::new(MediaKind::Image, "image/jpeg");
    picture.reference = Some(MediaReference::new("https://media.example/1"));
    let answer = line.send(&trial.message_id(), Content::Media(picture)).await;
    assert!(matches!(answer, Err(SendError::Refused(_))), "it sends no media, and answered {answer:?}");
    let text = trial.text("words then");
    assert_eq!(line.send_text(&trial.message_id(), &text).await, Ok(()), "the connection lives on");
}

pub(crate) async fn reading_may_be_told_twice(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let text = trial.text("read me");
    trial.let_arrive(&mut line, &text).await;
    let message = line.arrivals(&[&text]).await.remove(0);
    for _ in 0..2 {
        let answer = line.mark_read(vec![(message.id.clone(), message.sender.clone())]).await;
        assert!(!matches!(answer, Err(SendError::Later(_))), "the network is there: {answer:?}");
    }
    let text = trial.text("I did");
    assert_eq!(line.send_text(&trial.message_id(), &text).await, Ok(()), "the connection lives on");
}

//! How a connection ends that Seatport ends.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use seatport::conversation::Content;
use seatport::transport::TransportCommand;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::transport::line::tell;
use crate::transport::trial::Trial;

/// How many steps into a dial it is dropped, at most.
const STEPS: usize = 12;

pub(crate) async fn closing_ends_the_signals(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    line.tell(TransportCommand::Close).await;
    line.closed().await;
    drop(line);
    trial.no_connection("once it is closed").await;
}

pub(crate) async fn closing_before_anybody_logs_in_ends_the_signals(trial: &Trial) {
    let mut line = trial.dial(&trial.seat()).await;
    line.challenge().await;
    line.tell(TransportCommand::Close).await;
    line.closed().await;
    trial.no_connection("once it is closed").await;
}

pub(crate) async fn closing_twice_is_closing_once(trial: &Trial) {
    let seat = trial.seat();
    let mut line = trial.log_in(&seat, 1).await;
    line.tell(TransportCommand::Close).await;
    line.tell(TransportCommand::Close).await;
    line.closed().await;
    line.tell(TransportCommand::Close).await;
    drop(line);
    trial.log_in(&seat, 1).await;
}

pub(crate) async fn a_command_after_the_end_is_not_taken(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    line.tell(TransportCommand::Close).await;
    line.closed().await;
    let text = trial.text("too late");
    let answer = line.send_text(&trial.message_id(), &text).await;
    assert!(answer.is_err(), "the connection has ended, and took a message");
}

pub(crate) async fn a_command_under_way_is_answered_or_dropped(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let text = Content::Text(trial.text("on the way out"));
    let answer = line.tell_to_send(&trial.message_id(), text).await;
    line.tell(TransportCommand::Close).await;
    // Whatever became of it, Seatport knows.
    let _ = line.answered(answer).await;
    line.closed().await;
}

pub(crate) async fn a_dropped_connection_ends_everything(trial: &Trial) {
    let line = trial.log_in(&trial.seat(), 1).await;
    let commands = line.connection.commands.clone();
    drop(line);
    trial.soon("nobody takes commands once the connection is dropped", commands.closed()).await;
    trial.no_connection("once it is dropped").await;
}

pub(crate) async fn a_dropped_dial_leaves_nothing_behind(trial: &Trial) {
    let seat = trial.seat();
    for steps in 0..STEPS {
        let mut dial = pin!(trial.transport.connect(seat.context().await));
        for _ in 0..steps {
            if poll_fn(|context| Poll::Ready(dial.as_mut().poll(context).is_ready())).await {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    trial.no_connection("once the dials are dropped").await;
    trial.log_in(&seat, 1).await;
}

pub(crate) async fn a_dial_that_hangs_can_be_dropped(trial: &Trial) {
    let seat = trial.seat();
    trial.peer("hang", trial.peer.set_hanging(true)).await;
    // Whether it answers, or waits for the network, is up to the transport.
    drop(timeout(trial.can.quiet, trial.transport.connect(seat.context().await)).await);
    trial.peer("go on", trial.peer.set_hanging(false)).await;
    trial.no_connection("once the dial is dropped").await;
    trial.log_in(&seat, 1).await;
}

pub(crate) async fn a_connection_that_hangs_can_be_dropped(trial: &Trial) {
    let seat = trial.seat();
    let mut line = trial.log_in(&seat, 1).await;
    trial.peer("hang", trial.peer.set_hanging(true)).await;
    let text = Content::Text(trial.text("into the void"));
    let answer = line.tell_to_send(&trial.message_id(), text).await;
    trial.quiet().await;
    let commands = line.connection.commands.clone();
    drop(line);
    trial.soon("nobody takes commands once the connection is dropped", commands.closed()).await;
    let answer = trial.soon("what was under way is dropped with the connection", answer).await;
    assert_ne!(answer, Ok(Ok(())), "nobody has taken it");
    trial.peer("go on", trial.peer.set_hanging(false)).await;
    trial.log_in(&seat, 1).await;
}

pub(crate) async fn logging_out_ends_the_signals(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let commands = line.connection.commands.clone();
    line.tell(TransportCommand::LogOut).await;
    line.closed().await;
    let (done, answer) = oneshot::channel();
    let content = Content::Text(trial.text("too late"));
    let send = TransportCommand::Send { chat: trial.chat(), id: trial.message_id(), content, quoted: None, done };
    tell(trial, &commands, send).await;
    let answer = trial.within("a command is answered or dropped", answer).await;
    assert_ne!(answer, Ok(Ok(())), "it has logged out, and took a message");
}

pub(crate) async fn logging_out_unlinks(trial: &Trial) {
    let seat = trial.seat();
    let mut line = trial.log_in(&seat, 1).await;
    line.tell(TransportCommand::LogOut).await;
    line.closed().await;
    drop(line);
    trial.not_online(&seat).await;
}

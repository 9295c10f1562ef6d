//! Sessions side by side.

use seatport::transport::TransportCommand;

use crate::transport::trial::Trial;

pub(crate) async fn two_at_once_do_not_mix(trial: &Trial) {
    let mut first = trial.log_in(&trial.seat(), 1).await;
    let mut second = trial.log_in(&trial.seat(), 2).await;
    assert_ne!(first.account, second.account);
    let texts = [trial.text("for the first"), trial.text("for the second")];
    trial.let_arrive(&mut first, &texts[0]).await;
    trial.let_arrive(&mut second, &texts[1]).await;
    first.arrivals(&[&texts[0]]).await;
    second.arrivals(&[&texts[1]]).await;
    assert_eq!(first.more_arrivals(&texts[1]).await, [], "this was for the second");
    assert_eq!(second.more_arrivals(&texts[0]).await, [], "this was for the first");
}

pub(crate) async fn two_at_once_send_for_themselves(trial: &Trial) {
    let mut first = trial.log_in(&trial.seat(), 1).await;
    let mut second = trial.log_in(&trial.seat(), 2).await;
    let texts = [trial.text("from the first"), trial.text("from the second")];
    // The same id, for ids are unique within an account's chat and no further.
    let id = trial.message_id();
    assert_eq!(first.send_text(&id, &texts[0]).await, Ok(()));
    assert_eq!(second.send_text(&id, &texts[1]).await, Ok(()));
    trial.arrived(&mut first, &[&texts[0]], 1).await;
    trial.arrived(&mut second, &[&texts[1]], 1).await;
}

pub(crate) async fn they_dial_side_by_side(trial: &Trial) {
    let seats = [trial.seat(), trial.seat()];
    let (first, second) = tokio::join!(trial.log_in(&seats[0], 1), trial.log_in(&seats[1], 2));
    let accounts = (first.account.clone(), second.account.clone());
    assert_ne!(accounts.0, accounts.1);
    drop((first, second));
    let (first, second) = tokio::join!(trial.log_in(&seats[0], 1), trial.log_in(&seats[1], 2));
    assert_eq!((first.account.clone(), second.account.clone()), accounts);
}

pub(crate) async fn the_end_of_one_leaves_the_other(trial: &Trial) {
    let mut closed = trial.log_in(&trial.seat(), 1).await;
    let mut stays = trial.log_in(&trial.seat(), 2).await;
    closed.tell(TransportCommand::Close).await;
    closed.closed().await;
    drop(closed);
    let text = trial.text("still here");
    assert_eq!(stays.send_text(&trial.message_id(), &text).await, Ok(()));
    drop(trial.log_in(&trial.seat(), 1).await);
    assert_eq!(stays.send_text(&trial.message_id(), &trial.text("and here")).await, Ok(()));
}

//! A whole network of a host, checked.

mod board;

use super::*;
use board::Board;

fn names(outcomes: &[CaseOutcome], is: impl Fn(&CaseVerdict) -> bool) -> Vec<&str> {
    outcomes.iter().filter(|outcome| is(&outcome.verdict)).map(|outcome| outcome.name.as_str()).collect()
}

#[tokio::test]
async fn a_transport_of_a_host_that_keeps_its_promises_passes() {
    let board = Board::default();
    let outcomes = check_transport(board.network(), Arc::new(board.clone()), None).await.unwrap();
    let failed: Vec<_> =
        outcomes.iter().filter(|outcome| matches!(outcome.verdict, CaseVerdict::Failed { .. })).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let left_out = names(&outcomes, |verdict| matches!(verdict, CaseVerdict::LeftOut { .. }));
    let known = [
        "login::a_code_for_a_phone_is_typed_there",
        "login::a_round_of_codes_ends",
        "environment::nothing_goes_around_a_proxy",
        "environment::the_password_of_a_proxy_is_not_told",
        "itself::gives_a_sign_of_life_every_minute",
    ];
    assert_eq!(left_out, known);
    assert_eq!(outcomes.len(), seatport_testkit::transport::CASES.len());
}

#[tokio::test]
async fn a_transport_of_a_host_that_acknowledges_too_early_is_caught() {
    let board = Board::default();
    board.state().hasty = true;
    let outcomes = check_transport(board.network(), Arc::new(board.clone()), None).await.unwrap();
    let failed = names(&outcomes, |verdict| matches!(verdict, CaseVerdict::Failed { .. }));
    assert!(failed.contains(&"inbound::what_was_stored_is_acknowledged_and_nothing_else"), "{failed:?}");
}

#[tokio::test]
async fn a_peer_that_hangs_ends_the_check_with_an_error() {
    let board = Board::default();
    board.state().silent = true;
    let limit = Some(Duration::from_millis(20));
    let checked = check_transport(board.network(), Arc::new(board.clone()), limit).await;
    assert!(matches!(&checked, Err(SeatportError::Host { detail }) if detail.contains("profile")), "{checked:?}");
}

//! Who tests the transport suite: transports that are broken on purpose, each of which it must catch.

mod broken;
mod commands;
mod dials;
mod relay;
mod signals;

use std::collections::BTreeSet;
use std::sync::Arc;

use broken::BrokenTransport;
use seatport_testkit::VirtualClock;
use seatport_testkit::messenger::Messenger;
use seatport_testkit::transport::{CASES, Outcome, SimulatedPeer, Subject, case, run_all};

/// The simulated network behind a transport with this defect, or with none.
fn subject(defect: Option<Defect>) -> Subject {
    let messenger = Messenger::new(7, Arc::new(VirtualClock::default()));
    Subject::new(BrokenTransport::new(messenger.transport(), defect), SimulatedPeer::new(messenger))
}

async fn outcome(name: &str, defect: Option<Defect>) -> Outcome {
    case(name).check(&subject(defect)).await.outcome
}

/// The defects, each with the cases that must catch it: one test each.
macro_rules! defects {
    ($($defect:ident by $($case:literal),+;)*) => {
        /// What is wrong with a transport.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Defect {
            $($defect),*
        }

        /// Every case that must catch something.
        const CATCHING: &[&str] = &[$($($case),+),*];

        $(
            #[tokio::test(start_paused = true)]
            #[expect(non_snake_case, reason = "named after the defect")]
            async fn $defect() {
                for name in [$($case),+] {
                    assert_eq!(outcome(name, None).await, Outcome::Passed, "{name}, without the defect");
                    let caught = matches!(outcome(name, Some(Defect::$defect)).await, Outcome::Failed(_));
                    assert!(caught, "{name} does not catch a transport that {:?}", Defect::$defect);
                }
            }
        )*
    };
}

defects! {
    // From the login code to being online.
    NeverSaysReady by "login::an_account_comes_online", "login::a_scanned_code_pairs_and_the_account_comes_online";
    ShowsNoCode by "login::a_code_is_shown_until_somebody_logs_in";
    ShowsExpiredCodes by "login::a_code_is_shown_until_somebody_logs_in";
    NumbersCodesFromZero by "login::a_code_is_shown_until_somebody_logs_in", "login::a_round_of_codes_ends";
    RepeatsCodes by "login::a_code_is_never_shown_twice", "login::a_round_of_codes_ends";
    TakesPairingCodesForQr by "login::a_code_for_a_phone_is_typed_there";
    SkipsPaired by "login::a_scanned_code_pairs_and_the_account_comes_online";
    PairsSomebodyElse by "login::a_scanned_code_pairs_and_the_account_comes_online";
    HidesTheEndOfTheRound by "login::a_round_of_codes_ends";
    GoesOnAfterTheRound by "login::a_round_of_codes_ends";

    // What it remembers.
    KeepsCredentialsToItself by "vault::credentials_are_in_it_once_paired", "vault::what_is_remembered_is_nowhere_else",
        "vault::credentials_that_cannot_be_kept_are_no_login";
    SharesOneLogin by "vault::another_session_is_not_logged_in";
    ForgetsCredentials by "vault::a_restart_needs_no_new_code", "loss::a_ban_that_is_lifted_is_over";
    OverwritesWhatItCannotOpen by "vault::one_that_does_not_open_is_left_alone";

    // What arrives.
    AcknowledgesAtOnce by "inbound::what_was_not_stored_comes_again_under_its_id",
        "inbound::what_was_stored_is_acknowledged_and_nothing_else";
    NeverAcknowledges by "inbound::what_was_stored_is_acknowledged_and_nothing_else";
    RenumbersMessages by "inbound::what_was_not_stored_comes_again_under_its_id",
        "inbound::a_text_arrives_as_it_was_written";
    TakesChatsForGroups by "inbound::a_text_arrives_as_it_was_written";
    TakesEverySenderForTheAccount by "inbound::a_text_arrives_as_it_was_written";
    ReversesBatches by "inbound::messages_of_a_chat_keep_their_order";
    LosesWhatCameMeanwhile by "inbound::what_came_meanwhile_comes_at_the_next_login";
    DropsWhatDoesNotFit by "inbound::nothing_is_lost_while_seatport_is_behind";
    CutsLongTexts by "inbound::a_long_text_arrives", "outbound::a_long_text_arrives";
    SpeaksAsciiOnly by "inbound::every_script_arrives", "outbound::every_script_arrives";
    TrimsTexts by "inbound::every_script_arrives", "outbound::every_script_arrives";

    // What is sent.
    SendsNothing by "outbound::a_text_arrives", "outbound::many_at_once_arrive_once_each";
    SendsTwice by "outbound::a_text_arrives", "outbound::many_at_once_arrive_once_each";
    SendsUnderNewIds by "outbound::a_text_arrives", "outbound::the_same_id_twice_is_shown_once";
    NeverAnswers by "outbound::a_text_is_taken", "end::a_command_under_way_is_answered_or_dropped",
        "loss::a_command_under_way_ends_with_the_connection", "end::a_connection_that_hangs_can_be_dropped";
    AnswersBeforeTheNetwork by "loss::a_command_under_way_ends_with_the_connection";
    PutsEmptyTextsOff by "outbound::an_empty_text_is_taken_or_refused";
    EndsOnEmptyTexts by "outbound::an_empty_text_is_taken_or_refused";
    TakesMediaAndSendsNone by "outbound::what_it_cannot_send_is_refused";
    PutsReadingOff by "outbound::reading_may_be_told_twice";
    EndsWhenToldTwice by "outbound::reading_may_be_told_twice";

    // How it ends.
    IgnoresClose by "end::closing_ends_the_signals", "end::closing_twice_is_closing_once",
        "end::closing_before_anybody_logs_in_ends_the_signals";
    ClosesWithoutEnding by "end::closing_ends_the_signals", "end::logging_out_ends_the_signals";
    ClosesOnlyWhoIsOnline by "end::closing_before_anybody_logs_in_ends_the_signals";
    TakesCommandsAfterTheEnd by "end::a_command_after_the_end_is_not_taken", "end::logging_out_ends_the_signals";
    SurvivesBeingDropped by "end::a_dropped_connection_ends_everything", "end::a_connection_that_hangs_can_be_dropped";
    DialsBehindTheBack by "end::a_dropped_dial_leaves_nothing_behind", "end::a_dial_that_hangs_can_be_dropped";
    ClosesInsteadOfLoggingOut by "end::logging_out_unlinks";

    // How the network ends it.
    HidesLosses by "loss::a_cut_connection_is_lost";
    NoticesNoLoss by "loss::a_cut_connection_is_lost";
    DialsAgainByItself by "loss::a_lost_connection_stays_lost";
    GivesUpAfterALoss by "loss::dialling_again_helps";
    TakesLossesForRejections by "loss::a_network_that_is_away_is_lost_and_not_rejected",
        "loss::a_cut_connection_is_lost";
    TakesRejectionsForLosses by "loss::logged_out_on_the_phone_it_is_rejected", "loss::a_banned_account_is_rejected",
        "loss::a_ban_that_is_lifted_is_over";
    ForgetsWhyItWasRejected by "loss::logged_out_on_the_phone_it_is_rejected", "loss::a_banned_account_is_rejected",
        "loss::logged_out_on_the_phone_its_credentials_are_worthless";

    // Side by side.
    TellsEverySession by "sessions::two_at_once_do_not_mix";
    SendsForTheFirstSession by "sessions::two_at_once_send_for_themselves";
    ServesOneSession by "sessions::they_dial_side_by_side";
    EndsAllAtOnce by "sessions::the_end_of_one_leaves_the_other";

    // What it runs in, and what it shows.
    WantsNoLanguage by "environment::any_of_it_is_no_obstacle";
    GoesAroundProxies by "environment::nothing_goes_around_a_proxy";
    TellsPasswords by "environment::the_password_of_a_proxy_is_not_told";
    ChangesItsCapabilities by "itself::never_changes_its_name_or_capabilities";
    RepeatsMessageIds by "itself::makes_a_new_id_for_every_message";
    ShowsCodes by "itself::shows_no_secret";
    ShowsCredentials by "itself::shows_no_secret";
    KeepsQuiet by "itself::gives_a_sign_of_life_every_minute";
}

#[test]
fn every_case_catches_something() {
    let catching: BTreeSet<_> = CATCHING.iter().copied().collect();
    assert_eq!(catching, CASES.iter().map(|case| case.name).collect());
}

/// The whole suite, not only the case it was made for, says so; and it names each case once.
#[tokio::test(start_paused = true)]
async fn a_report_names_what_failed_and_what_was_left_out() {
    let report = run_all(&subject(Some(Defect::RepeatsCodes))).await;
    let names: Vec<_> = report.0.iter().map(|verdict| verdict.case).collect();
    assert_eq!(names, CASES.iter().map(|case| case.name).collect::<Vec<_>>());
    let printed = report.to_string();
    assert!(printed.contains("FAILED    login::a_code_is_never_shown_twice: a code was shown before"), "{printed}");
    assert!(printed.contains("ok        itself::makes_a_new_id_for_every_message\n"), "{printed}");
    assert_eq!(printed.lines().filter(|line| line.starts_with("FAILED")).count(), report.failed().count());

    let messenger = Messenger::new(7, Arc::new(VirtualClock::default()));
    let report = run_all(&Subject::new(messenger.transport(), SimulatedPeer::new(messenger))).await;
    assert_eq!(report.left_out().collect::<Vec<_>>(), ["outbound::what_it_cannot_send_is_refused"]);
    let line = "left out  outbound::what_it_cannot_send_is_refused: the transport sends media\n";
    assert!(report.to_string().contains(line), "{report}");
}

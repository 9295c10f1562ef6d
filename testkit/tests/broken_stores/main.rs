//! Who tests the storage suite: stores that are broken on purpose, each of which it must catch.

mod broken;
mod commits;
mod reads;
mod writes;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use broken::Broken;
use seatport::storage::Storage;
use seatport_testkit::storage::{Backend, Intercepted, Memory, case, run_all};

/// The reference storage with one defect.
struct BrokenMemory(Memory, Defect);

#[async_trait(?Send)]
impl Backend for BrokenMemory {
    async fn open(&mut self) -> Arc<dyn Storage> {
        Arc::new(Intercepted::new(self.0.open().await, Broken::new(self.1)))
    }
}

/// The defects, each with the cases that must catch it: one test each.
macro_rules! defects {
    ($($defect:ident by $($case:literal),+;)*) => {
        /// What is wrong with a storage.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Defect {
            $($defect),*
        }

        $(
            #[test]
            #[expect(non_snake_case, reason = "named after the defect")]
            fn $defect() {
                for name in [$($case),+] {
                    assert_eq!(case(name).verdict(Memory::default()).failure, None, "{name} passes without the defect");
                    let verdict = case(name).verdict(BrokenMemory(Memory::default(), Defect::$defect));
                    assert!(verdict.failure.is_some(), "{name} does not catch a storage that {:?}", Defect::$defect);
                }
            }
        )*
    };
}

defects! {
    // What a commit does.
    AddsTwice by "commit::a_second_session_under_the_same_id_answers_exists";
    IgnoresRevisions by "commit::another_revision_answers_stale", "concurrent::one_of_many_commits_on_a_revision_lands";
    RaisesEveryRevision by "commit::the_revision_grows_with_records_only";
    IgnoresFences by "commit::a_fence_that_does_not_hold_answers_fenced", "lease::a_lease_runs_out";
    ChecksTheFenceFirst by "commit::the_expectation_is_checked_before_the_fence";
    LeavesAuditOfRefused by "commit::a_refused_commit_leaves_nothing_behind", "audit::lines_are_numbered_without_a_gap";
    LeavesMessagesOfRefused by "commit::a_refused_commit_leaves_nothing_behind";
    ForgetsReleases by "port::releasing_frees_the_number", "concurrent::starts_and_stops_lose_no_port";
    MovesHeldPorts by "port::a_claim_keeps_the_number_it_has";
    KeepsCredentials by "vault::forgetting_credentials_spares_other_areas";
    ForgetsEverythingSealed by "vault::forgetting_credentials_spares_other_areas";
    WritesVaultBackwards by "vault::writes_apply_in_order";
    StoresDuplicates by "conversation::a_message_is_stored_once", "concurrent::a_message_told_by_many_is_stored_once";
    MixesChats by "conversation::the_same_id_elsewhere_is_another_message";
    EndsTextAtZero by "conversation::a_message_reads_back_as_it_was";
    ForgetsNames by "conversation::a_contact_has_the_last_name_told", "conversation::a_chat_is_named_after_its_contact";
    FillsNothingIn by "conversation::an_undecryptable_message_is_filled_in";
    IgnoresWhereAMarkEnds by "unread::a_mark_reads_up_to_its_message", "unread::the_counters_equal_a_recount";
    SkipsStatuses by "status::rises_with_an_event";
    LowersStatus by "status::never_goes_back";
    ReordersEvents by "commit::all_writes_land_together_and_in_order";
    MistakesWhoWrote by "changes::follow_commits_and_say_who_wrote";

    // What other writes do.
    DeletesWhatRuns by "delete::refused_changes_nothing";
    LeavesMessagesOfDeleted by "delete::leaves_no_trace_but_the_audit_trail";
    NeverLowersTheCapacity by "port::lowering_the_capacity_takes_no_port_away";
    TakesPortsOutsideTheRange by "port::a_claim_keeps_the_number_it_has";
    RenewsNothing by "lease::renewing_keeps_all_sessions";
    LetsAnybodyClaim by "lease::a_node_that_did_not_join_is_fenced";
    LetsNoLeaseRunOut by "lease::a_lease_runs_out";
    KeepsTheEpoch by "lease::claiming_again_raises_the_epoch";
    StealsSessions by "lease::a_live_owner_keeps_others_out", "concurrent::one_of_many_nodes_claims_a_session";
    KeepsWhatWasLeft by "lease::leaving_gives_everything_up";
    ReleasesForAnybody by "lease::releasing_gives_one_session_up";
    RemovesBoundAgents by "agent::a_bound_agent_stays";
    WritesVaultUnfenced by "vault::a_write_needs_a_fence_that_holds";
    ReplacesWhatChanged by "vault::an_entry_is_replaced_only_if_unchanged";
    LosesTheKeyCheck by "vault::the_key_check_is_the_last_one_set";
    LosesRefusedAttempts by "audit::lines_are_numbered_without_a_gap";
    StaysOpen by "close::later_calls_answer_closed";

    // What reads answer.
    ConfusesStates by "session::every_state_of_the_lifecycle_reads_back";
    TellsPasswords by "session::the_password_of_a_proxy_is_not_stored";
    SortsAgentsByLanguage by "agent::agents_are_listed_by_id";
    SharesPorts by "port::claims_take_the_lowest_free_number", "concurrent::claims_never_share_a_port";
    MiscountsUnread by "unread::inbound_messages_count_once", "unread::the_counters_equal_a_recount";
    HidesPending by "conversation::pending_messages_wait_in_order";
    SortsByPlaceAlone by "conversation::messages_are_newest_first_late_ones_in_their_place";
    SkipsASession by "session::pages_show_each_session_once";
    SkipsAContact by "conversation::pages_show_each_contact_and_chat_once";
    SkipsAMessage by "conversation::pages_show_each_message_once";
    RepeatsAnEntry by "vault::a_scan_visits_every_entry_once";
    HidesDeletions by "delete::leaves_no_trace_but_the_audit_trail";
    LeavesAGapInEvents by "event::numbers_have_no_gap";
    ChangesEvents by "event::an_event_never_changes";
    HidesQuietSessions by "event::heads_say_how_far_each_session_is";
    IgnoresWhoDrives by "search::by_status_as_the_card_shows_it";
    TakesTextAsAPattern by "search::text_is_taken_literally";
    MindsLetterCase by "search::by_text_letter_case_of_ascii_aside";
    TakesPrefixesAsPatterns by "vault::a_list_takes_its_prefix_literally";
    FindsNoOrphans by "lease::orphans_are_what_nobody_drives";
    GivesNoHints by "changes::follow_commits_and_say_who_wrote", "changes::follow_released_ports_and_resizes";
}

/// The whole suite, not only the case it was made for, says so; and it names each case once.
#[test]
fn a_report_names_what_failed() {
    let report = run_all(|| BrokenMemory(Memory::default(), Defect::SharesPorts));
    let names: BTreeSet<_> = report.0.iter().map(|verdict| verdict.case).collect();
    assert_eq!(names.len(), report.0.len());
    let printed = report.to_string();
    assert!(printed.contains("FAILED  concurrent::claims_never_share_a_port: "), "{printed}");
    assert!(printed.contains("ok      audit::the_trail_survives_a_restart\n"), "{printed}");
    assert_eq!(printed.lines().filter(|line| line.starts_with("FAILED")).count(), report.failed().count());
}

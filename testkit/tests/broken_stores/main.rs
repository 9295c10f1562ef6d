//! Who tests the storage suite: stores that are broken on purpose, each of which it must catch.

mod broken;
mod commits;
mod conversations;
mod ledger;
mod lists;
mod queue;
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
    ForgetsNames by "contact::the_last_word_on_each_detail_counts", "chat::is_named_after_its_contact";
    FillsNothingIn by "conversation::an_undecryptable_message_is_filled_in";
    IgnoresWhereAMarkEnds by "unread::a_mark_reads_up_to_its_message", "unread::the_counters_equal_a_recount";
    SkipsStatuses by "status::rises_with_an_event";
    LowersStatus by "status::never_goes_back";
    ReordersEvents by "commit::all_writes_land_together_and_in_order";
    MistakesWhoWrote by "changes::follow_commits_and_say_who_wrote";

    // What a commit does to contacts and chats.
    ForgetsContactUpdates by "contact::are_those_who_wrote_or_were_told_of", "contact_search::by_what_they_are_called_now";
    ForgetsSavedNames by "contact::the_last_word_on_each_detail_counts", "chat::is_named_after_its_contact";
    KeepsPictures by "contact::the_last_word_on_each_detail_counts";
    AnnouncesNewContacts by "contact::a_change_is_an_event_and_a_new_one_is_not";
    UnmutesNobody by "chat::what_the_network_says_is_kept";
    AnnouncesEveryChat by "chat::a_new_or_changed_one_is_an_event";
    TakesEveryChatForAPerson by "chat::what_the_network_says_is_kept";
    TellsTheLastCoverage by "chat::coverage_only_grows";
    SortsChatsByAddress by "chat::the_newest_message_comes_first";
    CountsHistoryAsUnread by "history::nobody_has_to_read_it";
    ReadsWhatHistoryRepeats by "history::what_came_before_stays_as_it_was";

    // What it does to messages of ours, and to read marks.
    ForgetsKeys by "sending::a_message_is_found_by_its_key", "sending::a_key_stays_used";
    StoresUnderAUsedKey by "sending::a_used_key_refuses_the_whole_commit";
    SharesKeys by "sending::a_used_key_refuses_the_whole_commit";
    ForgetsWhyItFailed by "sending::why_it_failed_is_kept_while_it_counts_as_failed";
    KeepsWhyItFailed by "sending::why_it_failed_is_kept_while_it_counts_as_failed";
    TellsNobody by "unread::what_was_read_here_waits_to_be_told", "commit::each_write_sees_those_before_it";
    TellsEverything by "unread::what_was_read_elsewhere_need_not_be_told";
    ForgetsWhatWasTold by "unread::what_was_read_here_waits_to_be_told";
    AnnouncesEveryMark by "unread::a_mark_never_goes_back", "unread::unknown_marks_are_passed_over";
    ReadsByTime by "unread::a_late_message_counts";

    // What it does to messages after they were sent, and to people.
    ForgetsEdits by "amendment::an_edit_shows_what_it_says_now";
    ForgetsEditTimes by "amendment::an_edit_shows_what_it_says_now";
    IgnoresIdsOfAmendments by "amendment::of_two_edits_the_later_counts";
    DropsEarlyAmendments by "amendment::waits_for_its_message", "amendment::any_order_shows_the_same";
    AnnouncesEarlyAmendments by "amendment::waits_for_its_message";
    AmendsInSilence by "amendment::an_edit_shows_what_it_says_now";
    DeletesByEditing by "amendment::a_deletion_is_final", "amendment::any_order_shows_the_same";
    KeepsReactionsOfDeleted by "amendment::a_deletion_is_final";
    KeepsOneReactionInAll by "amendment::a_sender_has_one_reaction";
    TakesNoReactionAway by "amendment::a_sender_has_one_reaction";
    SortsReactionsByTime by "amendment::a_sender_has_one_reaction";
    AppendsEdits by "message_search::an_edited_message_is_found_by_what_it_says_now";
    ForgetsIdentities by "identity::a_chat_moves_as_a_whole", "identity::two_contacts_become_one";
    FollowsNobodyTwice by "identity::one_may_follow_another";
    ReadsWhatIsMerged by "identity::two_chats_become_one", "identity::what_was_read_under_either_was_read";
    LosesWhatOneCouldDecrypt by "identity::what_either_could_decrypt_is_kept";
    StandsByTheFirstWord by "identity::the_last_word_on_an_address_counts";
    OpensTheOldChatAnew by "identity::what_comes_for_the_old_address_lands_under_the_new";
    LosesReactionsOfMerged by "identity::a_chat_moves_as_a_whole", "identity::amendments_move_along";
    KeepsTheOldSender by "identity::two_contacts_become_one";
    AnnouncesEveryMerge by "identity::done_before_or_in_a_circle_it_changes_nothing";
    ForgetsTheOldAddress by "identity::either_address_asks_for_the_same";
    AnswersUnderTheOldAddress by "identity::either_address_asks_for_the_same";

    // What it tells the ledger of leads, and what the ledger makes of it.
    CountsNoLeads by "lead::the_first_message_is_new", "ledger::equals_the_reference_told_the_same";
    ForgetsOurMessages by "lead::the_first_answer_is_kept_with_the_lead", "lead::who_answers_us_is_an_outreach_reply";
    TellsOnlyOneKey by "lead::a_chat_known_by_another_key_is_of_one_person";
    ForgetsWhoWasThere by "lead::who_was_there_before_counts_as_nothing";
    ForgetsTheFirstLogin by "lead::who_was_there_before_counts_as_nothing";
    IgnoresStops by "lead::what_came_while_it_was_stopped_is_late";
    CountsForWhoIsBoundNow by "lead::it_belongs_to_the_agent_bound_when_it_came";
    IgnoresWhoIsWho by "ledger::a_merge_is_corrected_visibly";
    CountsTheQuarterAfter by "ledger::totals_are_of_the_time_asked_for";
    CountsEveryQuarterAlone by "ledger::totals_are_of_the_time_asked_for";
    SortsTotalsBySession by "ledger::totals_are_of_the_time_asked_for";
    SortsCorrectionsByQuarter by "ledger::what_is_learnt_after_two_days_is_a_correction";
    MakesNoCorrections by "ledger::a_merge_is_corrected_visibly", "ledger::equals_the_reference_told_the_same";
    DropsTotalsOfDeleted by "ledger::after_a_deletion_a_person_is_still_known";
    ErasesNothing by "ledger::after_an_erasure_a_person_is_new";
    ErasesEveryTime by "ledger::after_a_deletion_a_person_is_still_known";
    RebuildsOnTop by "ledger::after_an_erasure_a_person_is_new", "ledger::equals_the_reference_told_the_same";
    ReplacesAnyLedgerKey by "ledger::the_key_is_replaced_only_if_unchanged";

    // What other writes do.
    DeletesWhatRuns by "delete::refused_changes_nothing";
    LeavesMessagesOfDeleted by "delete::leaves_no_trace_but_the_audit_trail";
    NeverLowersTheCapacity by "port::lowering_the_capacity_takes_no_port_away";
    TakesPortsOutsideTheRange by "port::a_claim_keeps_the_number_it_has";
    QueuesBackwards by "port_queue::who_comes_first_stands_first_at_whatever_node";
    KeepsEveryPlace by "port_queue::a_place_is_given_up", "changes::follow_places_in_the_queue_that_are_given_up";
    LetsAnybodyQueue by "port_queue::nobody_waits_at_a_node_that_is_not_live";
    CountsPlacesOfTheDead by "port_queue::places_go_with_the_lease_of_their_node";
    KeepsPlacesOfWhoLeft by "port_queue::places_go_when_their_node_leaves_or_joins_again";
    KeepsPortsForWhoWaits by "port_queue::is_an_order_and_nothing_more";
    NotifiesNobody by "notices::reach_everybody_who_listens_once";
    NotifiesTwice by "notices::reach_everybody_who_listens_once";
    EndsNoticesAtZero by "notices::come_as_they_were_said";
    CutsLongNotices by "notices::one_that_is_too_long_is_refused";
    KeepsNotices by "notices::are_kept_nowhere";
    RenewsNothing by "lease::renewing_keeps_all_sessions";
    LetsAnybodyClaim by "lease::a_node_that_did_not_join_is_fenced";
    LetsNoLeaseRunOut by "lease::a_lease_runs_out";
    KeepsTheEpoch by "lease::claiming_again_raises_the_epoch";
    StealsSessions by "lease::a_live_owner_keeps_others_out", "concurrent::one_of_many_nodes_claims_a_session";
    KeepsWhatWasLeft by "lease::leaving_gives_everything_up";
    ForgetsReports by "lease::a_report_stays_until_the_next_one";
    ReportsForEverybody by "lease::a_report_stays_until_the_next_one";
    RemembersReports by "lease::who_joins_again_reports_anew";
    ReleasesForAnybody by "lease::releasing_gives_one_session_up";
    RemovesBoundAgents by "agent::a_bound_agent_stays";
    WritesVaultUnfenced by "vault::a_write_needs_a_fence_that_holds";
    ReplacesWhatChanged by "vault::an_entry_is_replaced_only_if_unchanged";
    LosesTheKeyCheck by "vault::the_key_check_is_the_last_one_set";
    LosesRefusedAttempts by "audit::lines_are_numbered_without_a_gap";
    StaysOpen by "close::later_calls_answer_closed";
    TrimsNothing by "trim::by_number_so_many_stay", "consumer::what_one_has_not_acknowledged_stays";
    KeepsOneMore by "trim::by_number_so_many_stay";
    TrimsWhatIsJustAsOld by "trim::by_age_what_is_older_goes";
    TrimsWithoutLimit by "trim::only_so_many_at_a_time";
    TrimsAtOnce by "trim::a_limit_not_set_removes_nothing";
    TrimsWhatIsNeeded by "consumer::what_one_has_not_acknowledged_stays";
    ForgetsWhatWasTrimmed by "trim::the_numbers_of_the_others_stay";
    NumbersEventsAnew by "trim::by_number_so_many_stay";
    AcknowledgesBackwards by "consumer::what_one_acknowledged_never_goes_back";
    RegistersAnew by "consumer::what_one_acknowledged_never_goes_back";
    RemovesUnknownConsumers by "consumer::are_registered_and_removed";
    RegistersWhoAcknowledges by "consumer::an_unknown_one_answers_not_found";
    RemembersDeletedSessions by "consumer::a_deleted_session_is_forgotten";

    // What reads answer.
    ConfusesStates by "session::every_state_of_the_lifecycle_reads_back";
    TellsPasswords by "session::the_password_of_a_proxy_is_not_stored";
    SortsAgentsByLanguage by "agent::agents_are_listed_by_id";
    SharesPorts by "port::claims_take_the_lowest_free_number", "concurrent::claims_never_share_a_port";
    MiscountsUnread by "unread::inbound_messages_count_once", "unread::the_counters_equal_a_recount";
    HidesPending by "conversation::pending_messages_wait_in_order";
    SortsByPlaceAlone by "conversation::messages_are_newest_first_late_ones_in_their_place";
    SkipsASession by "session::pages_show_each_session_once";
    SkipsAContact by "contact::pages_show_each_contact_once";
    SkipsAChat by "chat::pages_show_each_chat_once", "chat::a_page_goes_by_the_cursor_alone";
    SkipsAMessage by "conversation::pages_show_each_message_once";
    PagesSessionsForwards by "session::pages_show_each_session_once", "search::all_filters_at_once_page_by_page";
    PagesContactsForwards by "contact::pages_show_each_contact_once";
    PagesChatsForwards by "chat::pages_show_each_chat_once";
    PagesMessagesForwards by "conversation::pages_show_each_message_once";
    ShowsTheFirstChatsAgain by "chat::pages_show_each_chat_once";
    AnswersBackwards by "conversation::messages_are_newest_first_late_ones_in_their_place";
    GoesOnFromNowhere by "conversation::messages_are_newest_first_late_ones_in_their_place";
    FindsNoShortWords by "message_search::chinese_words_of_any_length_are_found";
    FindsAnyWord by "message_search::each_word_has_to_be_there", "message_search::what_is_found_equals_reading_everything";
    FindsSomethingForNothing by "message_search::a_query_without_a_word_finds_nothing";
    TakesWordsAsPatterns by "message_search::words_are_taken_literally";
    FoldsLatinLettersOnly by "message_search::letter_case_does_not_matter";
    SearchesTextsAlone by "message_search::captions_and_names_are_texts_too";
    SearchesEverySession by "message_search::only_where_it_was_asked_for";
    SearchesForEverybody by "message_search::only_where_it_was_asked_for", "contact_search::only_where_it_was_asked_for";
    SearchesByIdOfSession by "message_search::the_session_added_last_and_the_newest_place_come_first";
    SearchesByTime by "message_search::the_session_added_last_and_the_newest_place_come_first";
    SkipsAFoundMessage by "message_search::pages_show_each_hit_once";
    FindsPeopleByNameAlone by "contact_search::by_names_phone_number_and_address_together";
    FindsPeopleByIdOfSession by "contact_search::the_session_added_last_comes_first";
    SkipsAFoundContact by "contact_search::pages_show_each_hit_once";
    BreaksTheChain by "audit::each_line_is_chained_to_the_one_before";
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
    TakesReleasesForTheOwners by "changes::follow_claims_and_releases_of_ownership";
    GivesNoHintsOfPorts by "changes::follow_places_in_the_queue_that_are_given_up", "changes::follow_released_ports_and_resizes";
    UnpinsOrphans by "lease::orphans_say_where_they_may_run";
    PinsOrphansForEver by "lease::orphans_say_where_they_may_run";
    ListsNodesBackwards by "lease::live_nodes_are_listed_by_id_with_what_they_said";
    ListsNodesWithoutLabels by "lease::live_nodes_are_listed_by_id_with_what_they_said";
    ListsDeadNodes by "lease::who_is_not_live_is_not_listed";
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

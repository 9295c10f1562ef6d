//! The one list of all cases.

/// Makes a `#[test]` of every case of the storage suite, in a module per concept. Takes an expression that makes a fresh
/// [`Backend`](crate::storage::Backend).
#[macro_export]
macro_rules! storage_suite {
    // The one list of all cases, handed to the rule named `form`.
    (@list $form:ident $with:tt) => {
        $crate::storage_suite! { @$form $with
            session {
                an_unknown_session_is_none
                an_added_session_reads_back_as_it_was
                every_state_of_the_lifecycle_reads_back
                the_password_of_a_proxy_is_not_stored
                sessions_are_listed_in_the_order_of_their_ids
                pages_show_each_session_once
            }
            search {
                by_status_as_the_card_shows_it
                by_agent_or_by_nobody
                by_text_letter_case_of_ascii_aside
                text_is_taken_literally
                all_filters_at_once_page_by_page
            }
            commit {
                a_second_session_under_the_same_id_answers_exists
                a_new_session_without_a_record_answers_not_found
                an_unknown_session_answers_not_found
                another_revision_answers_stale
                the_revision_grows_with_records_only
                a_fence_that_does_not_hold_answers_fenced
                the_expectation_is_checked_before_the_fence
                a_refused_commit_leaves_nothing_behind
                all_writes_land_together_and_in_order
                each_write_sees_those_before_it
                other_sessions_are_left_alone
                what_was_acknowledged_survives_a_restart
                a_dropped_commit_happened_as_a_whole_or_not
            }
            delete {
                leaves_no_trace_but_the_audit_trail
                leaves_other_sessions_alone
                frees_the_port
                refused_changes_nothing
                survives_a_restart
            }
            port {
                the_range_is_the_default_until_one_is_set
                claims_take_the_lowest_free_number
                a_claim_keeps_the_number_it_has
                releasing_frees_the_number
                a_full_pool_refuses
                lowering_the_capacity_takes_no_port_away
                raising_the_capacity_lets_more_in
                numbers_outside_a_moved_range_count
                ports_survive_a_restart
            }
            port_queue {
                who_comes_first_stands_first_at_whatever_node
                a_place_is_given_up
                nobody_waits_at_a_node_that_is_not_live
                places_go_with_the_lease_of_their_node
                places_go_when_their_node_leaves_or_joins_again
                is_an_order_and_nothing_more
                nobody_waits_after_a_restart
            }
            notices {
                reach_everybody_who_listens_once
                come_as_they_were_said
                one_that_is_too_long_is_refused
                are_kept_nowhere
                are_not_shown
            }
            lease {
                a_node_that_did_not_join_is_fenced
                an_unknown_session_cannot_be_claimed
                the_owner_is_on_the_row
                a_live_owner_keeps_others_out
                claiming_again_raises_the_epoch
                a_lease_runs_out
                renewing_keeps_all_sessions
                leaving_gives_everything_up
                who_joins_again_owns_nothing
                releasing_gives_one_session_up
                orphans_are_what_nobody_drives
                nothing_is_owned_after_a_restart
                live_nodes_are_listed_by_id_with_what_they_said
                a_report_stays_until_the_next_one
                who_joins_again_reports_anew
                who_is_not_live_is_not_listed
                orphans_say_where_they_may_run
            }
            agent {
                an_agent_is_added_and_replaced
                agents_are_listed_by_id
                an_unknown_agent_cannot_be_removed
                a_bound_agent_stays
                agents_survive_a_restart
            }
            conversation {
                an_unknown_session_has_none
                a_message_reads_back_as_it_was
                a_message_is_stored_once
                the_same_id_elsewhere_is_another_message
                places_count_over_all_chats
                an_undecryptable_message_is_filled_in
                messages_are_newest_first_late_ones_in_their_place
                pages_show_each_message_once
                pending_messages_wait_in_order
            }
            contact {
                are_those_who_wrote_or_were_told_of
                the_last_word_on_each_detail_counts
                a_change_is_an_event_and_a_new_one_is_not
                pages_show_each_contact_once
            }
            chat {
                is_named_after_its_contact
                the_newest_message_comes_first
                pages_show_each_chat_once
                a_page_goes_by_the_cursor_alone
                what_the_network_says_is_kept
                coverage_only_grows
                a_new_or_changed_one_is_an_event
            }
            history {
                nobody_has_to_read_it
                it_stands_in_its_place
                what_came_before_stays_as_it_was
            }
            sending {
                a_message_is_found_by_its_key
                a_used_key_refuses_the_whole_commit
                a_used_key_is_noticed_after_a_fence_that_does_not_hold
                a_key_stays_used
                why_it_failed_is_kept_while_it_counts_as_failed
            }
            unread {
                inbound_messages_count_once
                marking_all_read_resets_one_chat
                a_mark_reads_up_to_its_message
                a_mark_never_goes_back
                a_late_message_counts
                unknown_marks_are_passed_over
                what_was_read_here_waits_to_be_told
                what_was_read_elsewhere_need_not_be_told
                amendments_change_no_counter
                the_counters_equal_a_recount
            }
            amendment {
                an_edit_shows_what_it_says_now
                of_two_edits_the_later_counts
                a_deletion_is_final
                a_sender_has_one_reaction
                waits_for_its_message
                an_edit_outlasts_what_is_filled_in
                any_order_shows_the_same
                survives_a_restart
            }
            identity {
                a_chat_moves_as_a_whole
                two_chats_become_one
                what_either_could_decrypt_is_kept
                what_was_read_under_either_was_read
                two_contacts_become_one
                what_comes_for_the_old_address_lands_under_the_new
                either_address_asks_for_the_same
                one_may_follow_another
                the_last_word_on_an_address_counts
                done_before_or_in_a_circle_it_changes_nothing
                amendments_move_along
                survives_a_restart
            }
            message_search {
                chinese_words_of_any_length_are_found
                letter_case_does_not_matter
                each_word_has_to_be_there
                a_query_without_a_word_finds_nothing
                words_are_taken_literally
                captions_and_names_are_texts_too
                an_edited_message_is_found_by_what_it_says_now
                a_deleted_message_is_not_found
                what_was_filled_in_or_merged_is_found_once
                the_session_added_last_and_the_newest_place_come_first
                only_where_it_was_asked_for
                pages_show_each_hit_once
                nothing_of_a_deleted_session_is_found
                what_is_found_equals_reading_everything
            }
            contact_search {
                by_names_phone_number_and_address_together
                by_what_they_are_called_now
                the_session_added_last_comes_first
                only_where_it_was_asked_for
                pages_show_each_hit_once
            }
            status {
                rises_with_an_event
                never_goes_back
                unknown_messages_are_passed_over
            }
            lead {
                the_first_message_is_new
                elsewhere_the_same_person_is_a_duplicate
                after_a_day_of_silence_it_is_a_returning_one
                who_was_there_before_counts_as_nothing
                who_answers_us_is_an_outreach_reply
                the_first_answer_is_kept_with_the_lead
                what_came_while_it_was_stopped_is_late
                it_belongs_to_the_agent_bound_when_it_came
                a_chat_known_by_another_key_is_of_one_person
            }
            ledger {
                totals_are_of_the_time_asked_for
                a_merge_is_corrected_visibly
                what_is_learnt_after_two_days_is_a_correction
                after_a_deletion_a_person_is_still_known
                after_an_erasure_a_person_is_new
                survives_a_restart
                the_key_is_replaced_only_if_unchanged
                equals_the_reference_told_the_same
            }
            event {
                every_kind_reads_back
                numbers_have_no_gap
                pages_show_each_event_once
                an_event_never_changes
                heads_say_how_far_each_session_is
                an_unknown_session_has_none
            }
            trim {
                by_number_so_many_stay
                by_age_what_is_older_goes
                the_oldest_goes_first
                a_limit_not_set_removes_nothing
                only_so_many_at_a_time
                the_numbers_of_the_others_stay
            }
            consumer {
                are_registered_and_removed
                what_one_acknowledged_never_goes_back
                an_unknown_one_answers_not_found
                what_one_has_not_acknowledged_stays
                what_is_acknowledged_may_be_kept
                a_deleted_session_is_forgotten
            }
            vault {
                entries_are_written_and_removed
                writes_apply_in_order
                a_write_needs_a_fence_that_holds
                a_list_takes_its_prefix_literally
                forgetting_credentials_spares_other_areas
                a_scan_visits_every_entry_once
                an_entry_is_replaced_only_if_unchanged
                the_key_check_is_the_last_one_set
                entries_survive_a_restart
            }
            audit {
                lines_are_numbered_without_a_gap
                each_line_is_chained_to_the_one_before
                every_action_and_outcome_reads_back
                pages_show_each_line_once
                the_trail_survives_a_restart
            }
            changes {
                follow_commits_and_say_who_wrote
                follow_claims_and_releases_of_ownership
                follow_released_ports_and_resizes
                follow_places_in_the_queue_that_are_given_up
                follow_deletions
                come_after_the_write_can_be_read
            }
            close {
                later_calls_answer_closed
                may_be_called_twice
                loses_nothing
            }
            concurrent {
                claims_never_share_a_port
                starts_and_stops_lose_no_port
                one_of_many_commits_on_a_revision_lands
                one_of_many_nodes_claims_a_session
                a_message_told_by_many_is_stored_once
                many_commits_on_many_sessions_add_up
            }
        }
    };
    (@slice [] $($concept:ident { $($name:ident)* })*) => {
        &[$($(
            Case { name: concat!(stringify!($concept), "::", stringify!($name)), run: |db| Box::pin($concept::$name(db)) }
        ),*),*]
    };
    (@tests [$backend:expr] $($concept:ident { $($name:ident)* })*) => {
        $(mod $concept {
            #[allow(unused_imports, reason = "the expression may name everything by its full path")]
            use super::*;

            $(#[test]
            fn $name() {
                $crate::storage::case(concat!(stringify!($concept), "::", stringify!($name))).run($backend);
            })*
        })*
    };
    ($backend:expr) => {
        $crate::storage_suite!(@list tests [$backend]);
    };
}

//! The cases by name, and what runs them.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use super::Backend;
use super::cases::{
    agent, audit, changes, close, commit, concurrent, conversation, delete, event, lease, port, search, session,
    status, unread, vault,
};

type Running<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// One promise of a storage, as something that can be run.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its name, `concept::what_is_promised`.
    pub name: &'static str,
    run: for<'a> fn(&'a mut dyn Backend) -> Running<'a>,
}

impl Case {
    /// Runs the case on a fresh database.
    ///
    /// # Panics
    /// When the storage does not keep the promise.
    pub fn run(&self, mut backend: impl Backend) {
        // One thread, for only there tokio's time can be moved; cases about many threads bring their own.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the operating system gives what a runtime needs");
        runtime.block_on((self.run)(&mut backend));
    }

    /// Runs the case on a fresh database and says how it went, instead of panicking.
    pub fn verdict(&self, backend: impl Backend) -> Verdict {
        let failure = catch_unwind(AssertUnwindSafe(|| self.run(backend))).err().map(|panic| words(panic.as_ref()));
        Verdict { case: self.name, failure }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Case").field(&self.name).finish()
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked without a message").to_owned()
}

/// How one case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The name of the case.
    pub case: &'static str,
    /// What was wrong; none if it passed.
    pub failure: Option<String>,
}

/// How all cases went, each on a line of its own when printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report(pub Vec<Verdict>);

impl Report {
    /// The cases that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Verdict> {
        self.0.iter().filter(|verdict| verdict.failure.is_some())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Verdict { case, failure } in &self.0 {
            match failure {
                None => writeln!(f, "ok      {case}")?,
                Some(failure) => writeln!(f, "FAILED  {case}: {failure}")?,
            }
        }
        Ok(())
    }
}

/// Runs every case, each on a database of its own.
///
/// ```
/// use seatport_testkit::storage::{CASES, Memory, run_all};
/// let report = run_all(Memory::default);
/// assert_eq!(report.0.len(), CASES.len());
/// assert_eq!(report.failed().count(), 0, "{report}");
/// ```
pub fn run_all<B: Backend>(backend: impl Fn() -> B) -> Report {
    Report(CASES.iter().map(|case| case.verdict(backend())).collect())
}

/// The case of this name.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn case(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no case {name:?} in the storage suite"))
}

/// All cases of the suite.
pub const CASES: &[Case] = crate::storage_suite!(@list slice []);

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
                contacts_are_those_who_wrote
                a_contact_has_the_last_name_told
                a_chat_is_named_after_its_contact
                messages_are_newest_first_late_ones_in_their_place
                pages_show_each_message_once
                pages_show_each_contact_and_chat_once
                pending_messages_wait_in_order
            }
            unread {
                inbound_messages_count_once
                marking_all_read_resets_one_chat
                a_mark_reads_up_to_its_message
                a_mark_never_goes_back
                a_late_message_counts
                unknown_marks_are_passed_over
                the_counters_equal_a_recount
            }
            status {
                rises_with_an_event
                never_goes_back
                unknown_messages_are_passed_over
            }
            event {
                every_kind_reads_back
                numbers_have_no_gap
                pages_show_each_event_once
                an_event_never_changes
                heads_say_how_far_each_session_is
                an_unknown_session_has_none
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
                every_action_and_outcome_reads_back
                pages_show_each_line_once
                the_trail_survives_a_restart
            }
            changes {
                follow_commits_and_say_who_wrote
                follow_claims_and_releases_of_ownership
                follow_released_ports_and_resizes
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

//! The one list of all cases, each with what it needs.

/// Makes a `#[test]` of every case of the transport suite, in a module per concept. Takes a future that makes a fresh
/// [`Subject`](crate::transport::Subject), and the names of the cases that it leaves out: a case that is left out and not listed
/// fails, as does one that is listed and could be run.
#[macro_export]
macro_rules! transport_suite {
    // The one list of all cases, handed to the rule named `form`.
    (@list $form:ident $with:tt) => {
        $crate::transport_suite! { @$form $with
            login {
                an_account_comes_online []
                a_code_is_shown_until_somebody_logs_in [Scan]
                a_code_is_never_shown_twice [Scan]
                a_scanned_code_pairs_and_the_account_comes_online [Scan]
                a_code_for_a_phone_is_typed_there [PairingCode]
                a_round_of_codes_ends [Scan CodesExpire]
            }
            vault {
                credentials_are_in_it_once_paired [Scan Credentials]
                a_restart_needs_no_new_code [Credentials]
                what_is_remembered_is_nowhere_else [Scan Credentials]
                another_session_is_not_logged_in [Scan]
                one_that_does_not_open_is_left_alone [Scan Credentials]
                credentials_that_cannot_be_kept_are_no_login [Scan Credentials]
            }
            inbound {
                a_text_arrives_as_it_was_written [Inbound]
                every_script_arrives [Inbound]
                a_long_text_arrives [Inbound]
                messages_of_a_chat_keep_their_order [Inbound]
                what_was_not_stored_comes_again_under_its_id [Inbound Redeliver]
                what_was_stored_is_acknowledged_and_nothing_else [Inbound CountUnacknowledged]
                what_came_meanwhile_comes_at_the_next_login [Write Redeliver]
                nothing_is_lost_while_seatport_is_behind [Write]
            }
            outbound {
                a_text_is_taken []
                a_text_arrives [Arrival]
                every_script_arrives [Arrival]
                a_long_text_arrives [Arrival]
                an_empty_text_is_taken_or_refused []
                many_at_once_arrive_once_each [Arrival]
                the_same_id_twice_is_shown_once [Arrival ShowOnce]
                what_it_cannot_send_is_refused [NoMedia]
                reading_may_be_told_twice [Inbound]
            }
            end {
                closing_ends_the_signals []
                closing_before_anybody_logs_in_ends_the_signals [Scan]
                closing_twice_is_closing_once []
                a_command_after_the_end_is_not_taken []
                a_command_under_way_is_answered_or_dropped []
                a_dropped_connection_ends_everything []
                a_dropped_dial_leaves_nothing_behind []
                a_dial_that_hangs_can_be_dropped [Hang]
                a_connection_that_hangs_can_be_dropped [Hang]
                logging_out_ends_the_signals []
                logging_out_unlinks [Scan Credentials]
            }
            loss {
                a_cut_connection_is_lost [Cut]
                a_lost_connection_stays_lost [Cut CountConnections]
                dialling_again_helps [Cut]
                a_command_under_way_ends_with_the_connection [Cut Hang]
                a_network_that_is_away_is_lost_and_not_rejected [GoDown]
                logged_out_on_the_phone_it_is_rejected [LogOut]
                logged_out_on_the_phone_its_credentials_are_worthless [LogOut Scan Credentials]
                a_banned_account_is_rejected [Block]
                a_ban_that_is_lifted_is_over [Block Credentials]
            }
            sessions {
                two_at_once_do_not_mix [TwoAccounts Inbound]
                two_at_once_send_for_themselves [TwoAccounts Arrival]
                they_dial_side_by_side [TwoAccounts]
                the_end_of_one_leaves_the_other [TwoAccounts]
            }
            environment {
                any_of_it_is_no_obstacle []
                nothing_goes_around_a_proxy [Proxy]
                the_password_of_a_proxy_is_not_told [Proxy]
            }
            itself {
                never_changes_its_name_or_capabilities []
                makes_a_new_id_for_every_message []
                shows_no_secret [Scan]
                gives_a_sign_of_life_every_minute [Unhurried]
            }
        }
    };
    (@slice [] $($concept:ident { $($name:ident [$($need:ident)*])* })*) => {
        &[$($(
            Case {
                name: concat!(stringify!($concept), "::", stringify!($name)),
                needs: &[$(Need::$need),*],
                run: |trial| Box::pin($concept::$name(trial)),
            }
        ),*),*]
    };
    (@tests [$subject:expr; $left_out:expr] $($concept:ident { $($name:ident $needs:tt)* })*) => {
        $(mod $concept {
            #[allow(unused_imports, reason = "the expression may name everything by its full path")]
            use super::*;

            $(#[test]
            fn $name() {
                let case = $crate::transport::case(concat!(stringify!($concept), "::", stringify!($name)));
                case.run(async { $subject.await }, &$left_out);
            })*
        })*
    };
    (subject: $subject:expr, left_out: $left_out:expr) => {
        $crate::transport_suite!(@list tests [$subject; $left_out]);
    };
}

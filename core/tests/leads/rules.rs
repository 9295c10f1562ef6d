//! What counts as what: each rule as a story.

use seatport::conversation::Author;
use seatport::leads::{EntryClass, LeadEntry, LeadWindow, Replier, Reply, Windows};

use crate::log::{DAY, HOUR, SECOND};
use crate::office::{ANN, BOB, Office, at, mei, mei_id};

/// In no window, one of them, …
fn lead(windows: impl IntoIterator<Item = LeadWindow>) -> EntryClass {
    EntryClass::Lead { new_in: windows.into_iter().fold(Windows::default(), Windows::with) }
}

fn new() -> EntryClass {
    lead(LeadWindow::ALL)
}

fn duplicate() -> EntryClass {
    lead([])
}

fn classes(office: &Office) -> Vec<EntryClass> {
    office.entries().into_iter().map(|entry| entry.class).collect()
}

/// The session's number and the class of each entry.
fn by_session(office: &Office) -> Vec<(usize, EntryClass)> {
    let session = |entry: &LeadEntry| office.sessions.iter().position(|session| *session == entry.session).unwrap();
    office.entries().iter().map(|entry| (session(entry), entry.class)).collect()
}

#[test]
fn somebody_who_writes_for_the_first_time_is_new_in_every_window() {
    let mut office = Office::new();
    office.writes(ANN, 0, DAY + 16 * 60 * SECOND);
    let session = office.sessions[0];
    let quarter = at(DAY + 15 * 60 * SECOND);
    assert_eq!(office.entries(), [LeadEntry { quarter, session, agent: None, class: new(), late: false, reply: None }]);
}

#[test]
fn quarters_before_1970_are_rounded_down_too() {
    let mut office = Office::new();
    office.login = None;
    office.writes(ANN, 0, -1);
    assert_eq!(office.entries()[0].quarter, at(-15 * 60 * SECOND));
}

#[test]
fn each_person_counts_once_however_often_they_write_and_it_is_heard() {
    let mut office = Office::new();
    for _ in 0..2 {
        office.writes(ANN, 0, HOUR).writes(ANN, 0, 2 * HOUR).writes(BOB, 0, HOUR).answered(ANN, 0, 3 * HOUR, mei());
    }
    assert_eq!(classes(&office), [new(), new()]);
    assert_eq!(office.adjustments(), []);
}

#[test]
fn the_first_message_to_a_second_session_is_a_duplicate_once() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).writes(ANN, 1, 2 * HOUR).writes(ANN, 1, 3 * HOUR).writes(ANN, 2, 4 * HOUR);
    assert_eq!(by_session(&office), [(0, new()), (1, duplicate()), (2, duplicate())]);
}

#[test]
fn the_network_s_time_decides_which_session_is_new_and_not_what_is_heard_first() {
    let mut office = Office::new();
    office.writes(ANN, 0, 2 * HOUR).writes(ANN, 1, HOUR);
    assert_eq!(by_session(&office), [(0, duplicate()), (1, new())]);
}

#[test]
fn of_messages_of_the_same_time_the_smaller_id_came_first() {
    for sessions in [[0, 1], [1, 0]] {
        let mut office = Office::new();
        office.writes_as(ANN, sessions[0], HOUR, "b").writes_as(ANN, sessions[1], HOUR, "a");
        let mut expected = [(sessions[0], duplicate()), (sessions[1], new())];
        expected.sort();
        assert_eq!(by_session(&office), expected);
    }
}

#[test]
fn of_messages_of_the_same_time_and_id_to_two_sessions_one_is_new_whichever_is_heard_first() {
    let told = |sessions: [usize; 2]| {
        let mut office = Office::new();
        sessions.into_iter().for_each(|session| {
            office.writes(ANN, session, HOUR);
        });
        by_session(&office)
    };
    assert_eq!(told([0, 1]), told([1, 0]));
    assert_eq!(told([0, 1]).iter().filter(|(_, class)| *class == new()).count(), 1);
}

#[test]
fn a_few_seconds_decide_too() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR + 10 * SECOND).writes(ANN, 1, HOUR + 5 * SECOND);
    assert_eq!(by_session(&office), [(0, duplicate()), (1, new())]);
    office.writes(ANN, 0, HOUR + SECOND);
    assert_eq!(by_session(&office), [(0, new()), (1, duplicate())], "within the same quarter of an hour");
}

#[test]
fn somebody_returns_after_24_hours_of_silence_and_not_a_second_before() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).writes(ANN, 0, HOUR + DAY - SECOND);
    assert_eq!(classes(&office), [new()]);
    office.writes(ANN, 0, HOUR + 2 * DAY - SECOND);
    assert_eq!(classes(&office), [new(), EntryClass::Returning], "counted from the last message, not the first");
}

#[test]
fn our_own_messages_do_not_break_the_silence() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).answered(ANN, 0, 20 * HOUR, mei()).writes(ANN, 0, HOUR + DAY);
    assert_eq!(classes(&office), [new(), EntryClass::Returning]);
}

#[test]
fn a_message_between_two_visits_makes_them_one() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).writes(ANN, 0, HOUR + DAY + DAY / 2);
    assert_eq!(classes(&office), [new(), EntryClass::Returning]);
    office.writes(ANN, 0, HOUR + DAY - SECOND);
    assert_eq!(classes(&office), [new()]);
}

#[test]
fn a_message_that_turns_up_before_a_visit_becomes_its_start() {
    let mut office = Office::new();
    office.shift(0, 0, Some("li"), true).shift(0, 10 * HOUR, Some("mei"), true);
    office.writes(ANN, 0, 20 * HOUR).writes(ANN, 0, HOUR);
    let entries = office.entries();
    assert_eq!((entries.len(), entries[0].quarter, &entries[0].agent), (1, at(HOUR), &Some("li".parse().unwrap())));
}

#[test]
fn an_older_visit_that_turns_up_makes_the_first_one_a_returning_one() {
    let mut office = Office::new();
    office.writes(ANN, 0, 10 * DAY).answered(ANN, 0, 10 * DAY + HOUR, mei()).writes(ANN, 0, DAY);
    let entries = office.entries();
    assert_eq!(classes(&office), [new(), EntryClass::Returning]);
    let reply = Reply { by: Replier::Agent(mei_id()), seconds: 9 * 24 * 3600 + 3600 };
    assert_eq!((&entries[0].reply, &entries[1].reply), (&Some(reply), &None), "the answer is the older one's");
}

#[test]
fn a_window_counts_a_person_new_again_its_length_after_the_last_time_and_not_a_moment_before() {
    for (window, days) in [(LeadWindow::Days7, 7), (LeadWindow::Days30, 30), (LeadWindow::Days90, 90)] {
        for (early, expected) in [(1, false), (0, true)] {
            let mut office = Office::new();
            office.writes(ANN, 0, HOUR).writes(ANN, 1, HOUR + days * DAY - early);
            let EntryClass::Lead { new_in } = classes(&office)[1] else { unreachable!("a lead") };
            assert_eq!((new_in.contains(window), new_in.contains(LeadWindow::Lifetime)), (expected, false));
        }
    }
}

#[test]
fn a_duplicate_does_not_prolong_a_window() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).writes(ANN, 1, HOUR + 6 * DAY).writes(ANN, 2, HOUR + 7 * DAY);
    assert_eq!(classes(&office), [new(), duplicate(), lead([LeadWindow::Days7])]);
}

#[test]
fn people_from_before_the_account_s_first_login_count_as_nothing_ever() {
    for tell in [
        |office: &mut Office| {
            office.known(ANN, 0, DAY - SECOND);
        },
        |office: &mut Office| {
            office.writes(ANN, 0, DAY - SECOND);
        },
        |office: &mut Office| {
            office.answered(ANN, 0, DAY - SECOND, mei());
        },
    ] {
        let mut office = Office::new();
        office.login = Some(at(DAY));
        tell(&mut office);
        office.writes(ANN, 0, 2 * DAY).writes(ANN, 0, 5 * DAY);
        assert_eq!(classes(&office), []);
    }
}

#[test]
fn history_that_is_heard_of_afterwards_takes_a_person_s_visits_out_of_the_figures() {
    let mut office = Office::new();
    office.login = Some(at(DAY));
    office.writes(ANN, 0, 2 * DAY).writes(ANN, 0, 5 * DAY).writes(ANN, 1, 6 * DAY);
    assert_eq!(by_session(&office), [(0, new()), (0, EntryClass::Returning), (1, duplicate())]);
    office.known(ANN, 0, HOUR).rebuilt();
    assert_eq!(by_session(&office), [(1, new())], "in the other session the person is new");
}

#[test]
fn what_happened_in_the_second_of_the_login_happened_after_it() {
    let mut office = Office::new();
    office.login = Some(at(DAY + 999));
    office.writes(ANN, 0, DAY).writes(BOB, 0, DAY - 1);
    assert_eq!(classes(&office), [new()]);
}

#[test]
fn of_several_first_logins_the_earliest_counts_whichever_is_told_first() {
    for logins in [[DAY, 3 * DAY], [3 * DAY, DAY]] {
        let mut office = Office::new();
        for login in logins {
            office.login = Some(at(login));
            office.writes(ANN, 0, 2 * DAY);
        }
        office.login = None;
        office.writes(ANN, 0, 2 * DAY);
        assert_eq!(classes(&office), [new()]);
    }
}

#[test]
fn somebody_we_wrote_to_first_is_no_lead_and_returns_like_others() {
    let mut office = Office::new();
    office.answered(ANN, 0, HOUR, mei()).writes(ANN, 0, 2 * HOUR).writes(ANN, 0, 5 * DAY).writes(ANN, 1, 6 * DAY);
    assert_eq!(
        by_session(&office),
        [(0, EntryClass::OutreachReply), (0, EntryClass::Returning), (1, new())],
        "an outreach reply counts nobody as new"
    );
    assert_eq!(office.entries()[0].reply, None);
}

#[test]
fn that_we_wrote_first_may_be_heard_of_afterwards() {
    let mut office = Office::new();
    office.writes(ANN, 0, 2 * HOUR).writes(ANN, 1, 3 * HOUR).answered(ANN, 0, HOUR, mei()).rebuilt();
    assert_eq!(by_session(&office), [(0, EntryClass::OutreachReply), (1, new())]);
}

#[test]
fn of_two_messages_of_the_same_time_the_smaller_id_was_written_first() {
    let mut office = Office::new();
    office.writes_as(ANN, 0, HOUR, "z").answered(ANN, 0, HOUR, mei());
    office.writes_as(BOB, 0, HOUR, "a").answered(BOB, 0, HOUR, mei());
    assert_eq!(classes(&office), [new(), EntryClass::OutreachReply]);
}

#[test]
fn whoever_never_wrote_counts_as_nothing() {
    let mut office = Office::new();
    office.answered(ANN, 0, HOUR, mei()).known(BOB, 0, HOUR);
    assert_eq!(classes(&office), []);
}

#[test]
fn the_first_answer_counts_whoever_gave_it_in_whole_seconds() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).answered(ANN, 0, HOUR + 90 * SECOND + 999, Author::Device);
    office.answered(ANN, 0, HOUR + 100 * SECOND, mei());
    assert_eq!(office.entries()[0].reply, Some(Reply { by: Replier::Device, seconds: 90 }));
    office.answered(ANN, 0, HOUR + 80 * SECOND, mei());
    assert_eq!(office.entries()[0].reply, Some(Reply { by: Replier::Agent(mei_id()), seconds: 80 }));
}

#[test]
fn an_answer_that_desk_and_phone_both_report_is_the_desk_s() {
    for authors in [[mei(), Author::Device], [Author::Device, mei()]] {
        let mut office = Office::new();
        office.writes(ANN, 0, HOUR);
        authors.into_iter().for_each(|author| {
            office.answered(ANN, 0, 2 * HOUR, author);
        });
        assert_eq!(office.entries()[0].reply, Some(Reply { by: Replier::Agent(mei_id()), seconds: 3600 }));
    }
}

#[test]
fn an_answer_after_ages_took_the_longest_time_there_is() {
    let mut office = Office::new();
    office.writes(ANN, 0, HOUR).answered(ANN, 0, i64::MAX, mei()).rebuilt();
    assert_eq!(office.entries()[0].reply, Some(Reply { by: Replier::Agent(mei_id()), seconds: u32::MAX }));
}

#[test]
fn a_lead_belongs_to_the_agent_bound_when_it_came_whoever_is_bound_now() {
    let mut office = Office::new();
    office.shift(0, HOUR, None, true).shift(0, 2 * HOUR, Some("li"), true).shift(0, 3 * HOUR, Some("mei"), true);
    office.writes(ANN, 0, 3 * HOUR - 1).writes(BOB, 0, 3 * HOUR);
    let agents: Vec<_> = office.entries().into_iter().map(|entry| entry.agent).collect();
    assert_eq!(agents, [Some("li".parse().unwrap()), Some(mei_id())]);
    let before = office.totals();
    office.shift(0, 4 * HOUR, None, true).writes(ANN, 0, 5 * HOUR).rebuilt();
    assert_eq!(office.totals(), before, "reassigning never rewrites the past");
}

#[test]
fn what_comes_while_the_session_is_stopped_is_late() {
    let mut office = Office::new();
    office.shift(0, HOUR, Some("mei"), true).shift(0, 2 * HOUR, Some("mei"), false);
    office.heard = Some(5 * HOUR);
    office.writes(ANN, 0, 2 * HOUR - 1).writes(BOB, 0, 2 * HOUR);
    let late: Vec<_> = office.entries().into_iter().map(|entry| (entry.agent, entry.late)).collect();
    assert_eq!(late, [(Some(mei_id()), false), (Some(mei_id()), true)]);
}

#[test]
fn what_came_before_the_first_shift_belongs_to_it() {
    let mut office = Office::new();
    office.shift(0, 2 * HOUR, Some("mei"), false).writes(ANN, 0, HOUR);
    let entries = office.entries();
    assert_eq!((entries[0].agent.clone(), entries[0].late), (Some(mei_id()), true));
}

#[test]
fn times_at_the_ends_of_the_world_do_no_harm() {
    let mut office = Office::new();
    for millis in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX] {
        office.writes(ANN, 0, millis).answered(ANN, 1, millis, mei()).known(BOB, 1, millis).writes(BOB, 1, millis);
    }
    office.same(ANN, BOB, i64::MAX).rebuilt().erase(0).rebuilt().erase(1).rebuilt();
    assert!(!office.knows(ANN));
}

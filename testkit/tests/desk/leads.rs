//! Leads (进粉): what counts, as what, and for whom.

use std::time::Duration;

use seatport::CardStatus;
use seatport::WhenFull;
use seatport::conversation::Content;
use seatport::leads::{AdjustmentReason, Attribution, Day, Dimension, Figures, LeadClass, LeadQuery, LeadReport};

use crate::office::{Office, eventually, id};

super::on_every_storage![
    every_class_of_visit_is_counted_as_what_it_is,
    what_does_not_qualify_is_not_counted,
    who_comes_while_the_session_is_stopped_counts_late_and_at_the_network_s_time,
    only_the_time_at_which_somebody_wrote_decides_what_is_late,
    order_and_repetition_change_nothing,
    a_lead_belongs_to_the_agent_bound_when_it_came,
    a_reply_belongs_to_whoever_wrote_it,
    a_reply_counts_once_the_network_has_taken_it,
    who_was_known_before_the_first_login_is_no_lead,
    what_only_the_history_brings_from_after_the_first_login_counts,
    two_ids_of_one_person_are_counted_once_and_the_correction_is_shown,
    a_number_learned_later_makes_one_person_of_two_sessions,
];

/// A day in seconds.
pub(crate) const DAY: u64 = 86_400;

pub(crate) async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// Time passes while no process runs.
pub(crate) async fn closed_for(office: Office, seconds: u64) -> Office {
    office.closed(async || pass(seconds).await).await
}

/// Everything that can happen in these tests. They begin on 2023-11-14 at 22:13:20 UTC.
pub(crate) fn query() -> LeadQuery {
    LeadQuery::new("2023-11-14".parse().unwrap(), 100, "UTC").unwrap()
}

pub(crate) async fn report(office: &Office, query: LeadQuery) -> LeadReport {
    office.mei.leads(&query).await.unwrap()
}

async fn total(office: &Office) -> Figures {
    report(office, query()).await.current.total
}

/// New people and duplicates.
async fn counted(office: &Office) -> (u64, u64) {
    let total = total(office).await;
    (total.new, total.duplicate)
}

async fn by_agent(office: &Office) -> Vec<(Attribution, Figures)> {
    let report = report(office, query().by([Dimension::Agent]).unwrap()).await;
    report.current.rows.into_iter().map(|row| (row.agent.unwrap(), row.figures)).collect()
}

async fn every_class_of_visit_is_counted_as_what_it_is(mut office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (other, other_phone) = office.online("+8613800138001").await;
    pass(10).await;
    let (ada, bob) = (office.messenger.person("+4915100000001"), office.messenger.person("+4915100000002"));
    ada.write(phone.address(), "hello");
    ada.write(phone.address(), "anybody there?");
    office.unread(session, 2).await;
    assert_eq!(counted(&office).await, (1, 0));
    pass(60).await;
    ada.write(other_phone.address(), "hello");
    office.unread(other, 1).await;
    assert_eq!(counted(&office).await, (1, 1), "a person is new once in the organisation");

    office.says(session, bob.address(), "an offer").await;
    eventually(|| bob.received().len() == 1).await;
    pass(60).await;
    bob.write(phone.address(), "interesting");
    office.unread(session, 3).await;
    office = closed_for(office, 2 * DAY).await;
    ada.write(phone.address(), "me again");
    office.unread(session, 4).await;
    let office = closed_for(office, DAY - 60).await;
    ada.write(phone.address(), "and again, within a day");
    office.unread(session, 5).await;

    let figures = total(&office).await;
    assert_eq!((figures.new, figures.duplicate, figures.returning, figures.outreach_replies), (1, 1, 1, 1));
    let rows = report(&office, query().by([Dimension::Class, Dimension::Session]).unwrap()).await.current.rows;
    let rows: Vec<_> = rows.iter().map(|row| (row.class.unwrap(), row.session.unwrap())).collect();
    use LeadClass::{Duplicate, New, OutreachReply, Returning};
    assert_eq!(rows, [(New, session), (Duplicate, other), (Returning, session), (OutreachReply, session)]);
}

async fn what_does_not_qualify_is_not_counted(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    pass(10).await;
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    ada.write(office.messenger.group("team", &[&phone]).address(), "hello all");
    ada.write(office.messenger.channel("news", &[&phone]).address(), "new prices");
    ada.send(phone.address(), Content::System("the encryption has changed".into()));
    phone.save(bob.address(), "Bob");
    phone.write(bob.address(), "hello Bob");
    ada.rename("Ada");
    office.settled(&phone).await;
    assert_eq!(total(&office).await, Figures::default());
    let id = office.says(session, bob.address(), "are you there?").await;
    eventually(|| bob.received().len() == 2).await;
    bob.read(phone.address(), &id);
    bob.react(phone.address(), &id, Some("👍"));
    office.settled(&phone).await;
    assert_eq!(total(&office).await, Figures::default(), "receipts and reactions are no message");
    ada.send(phone.address(), Content::Undecryptable);
    office.settled(&phone).await;
    assert_eq!(counted(&office).await, (1, 0), "what cannot be read is one");
}

async fn who_comes_while_the_session_is_stopped_counts_late_and_at_the_network_s_time(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    pass(10).await;
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    office.mei.stop(session).await.unwrap();
    pass(60).await;
    ada.write(phone.address(), "hello");
    let office = closed_for(office, DAY).await;
    assert_eq!(total(&office).await, Figures::default());
    office.mei.start(session, WhenFull::Fail).await.unwrap();
    office.unread(session, 1).await;
    pass(60).await;
    bob.write(phone.address(), "hello");
    office.unread(session, 2).await;
    let report = report(&office, query().by([Dimension::Day]).unwrap()).await.current;
    let days: Vec<(Day, u64, u64)> = report
        .rows
        .iter()
        .filter(|row| row.figures.new > 0)
        .map(|row| (row.day.unwrap(), row.figures.new, row.figures.late))
        .collect();
    assert_eq!(days, [("2023-11-14".parse().unwrap(), 1, 1), ("2023-11-15".parse().unwrap(), 1, 0)]);

    // A network that is away is not a session that is stopped.
    office.messenger.conditions(|now| now.down = true);
    office.reaches(session, CardStatus::Connecting).await;
    office.messenger.person("eve").write(phone.address(), "hello");
    pass(3600).await;
    office.messenger.conditions(|now| now.down = false);
    office.unread(session, 3).await;
    assert_eq!(total(&office).await.late, 1);
}

async fn only_the_time_at_which_somebody_wrote_decides_what_is_late(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    pass(10).await;
    let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| office.messenger.person(name));
    office.mei.stop(session).await.unwrap();
    pass(60).await;
    ada.write(phone.address(), "stopped");
    pass(60).await;
    office.messenger.conditions(|now| now.down = true);
    office.mei.start(session, WhenFull::Fail).await.unwrap();
    pass(60).await;
    bob.write(phone.address(), "started, and not yet online");
    let office = office.restart(false).await;
    pass(60).await;
    office.mei.stop(session).await.unwrap();
    office.mei.start(session, WhenFull::Fail).await.unwrap();
    eve.write(phone.address(), "started again");
    office.messenger.conditions(|now| now.down = false);
    office.unread(session, 3).await;
    let figures = total(&office).await;
    assert_eq!((figures.new, figures.late), (3, 1), "Ada alone");
}

async fn order_and_repetition_change_nothing(mut office: Office) {
    let mut reports = Vec::new();
    for (number, disorder) in ["+8613800138000", "+8613800138001"].into_iter().zip([false, true]) {
        let (session, phone) = office.online(number).await;
        pass(10).await;
        office.mei.stop(session).await.unwrap();
        // In each session people of its own: what they count as must be the same.
        let people: Vec<_> = (0..5).map(|one| office.messenger.person(&format!("{number}-{one}"))).collect();
        office = office
            .closed(async || {
                for step in 0..12 {
                    people[step % 5].write(phone.address(), step.to_string());
                    pass(DAY / 5).await;
                }
            })
            .await;
        phone.conditions(|now| {
            now.newest_first = disorder;
            now.duplicates = if disorder { 100 } else { 0 };
            now.lost_acks = if disorder { 50 } else { 0 };
            now.jitter = Duration::from_secs(if disorder { 600 } else { 0 });
        });
        office.mei.start(session, WhenFull::Fail).await.unwrap();
        office.unread(session, 12).await;
        office.settled(&phone).await;
        reports.push(report(&office, query().sessions([session]).by([Dimension::Class]).unwrap()).await.current.rows);
    }
    assert_eq!(reports[0], reports[1]);
    assert_eq!(reports[0][0].figures.new, 5);
    assert!(reports[0][1].figures.returning > 0);
}

async fn a_lead_belongs_to_the_agent_bound_when_it_came(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    pass(10).await;
    let person = |name: &str| office.messenger.person(name);
    person("nobody-s").write(phone.address(), "hello");
    office.unread(session, 1).await;
    pass(60).await;
    office.mei.assign(session, Some(&id("li"))).await.unwrap();
    pass(60).await;
    person("li-s").write(phone.address(), "hello");
    office.unread(session, 2).await;
    office.mei.stop(session).await.unwrap();
    pass(60).await;
    person("li-s too").write(phone.address(), "while it was stopped, and still hers");
    pass(60).await;
    office.mei.assign(session, Some(&id("wang"))).await.unwrap();
    pass(60).await;
    person("wang-s").write(phone.address(), "hello");
    office.mei.start(session, WhenFull::Fail).await.unwrap();
    office.unread(session, 4).await;
    office.mei.assign(session, None).await.unwrap();

    let rows: Vec<_> = by_agent(&office).await.into_iter().map(|(agent, figures)| (agent, figures.new)).collect();
    let agent = |name: &str| Attribution::Agent(id(name));
    assert_eq!(rows, [(agent("li"), 2), (agent("wang"), 1), (Attribution::Unassigned, 1)]);
    assert_eq!(rows.iter().map(|row| row.1).sum::<u64>(), total(&office).await.new);
    let only = report(&office, query().agents([id("li")])).await.current.total;
    assert_eq!((only.new, only.late), (2, 1));
}

async fn a_reply_belongs_to_whoever_wrote_it(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    office.mei.assign(session, Some(&id("wang"))).await.unwrap();
    pass(60).await;
    let people: Vec<_> = (0..5).map(|number| office.messenger.person(&format!("person-{number}"))).collect();
    for person in &people {
        person.write(phone.address(), "hello");
    }
    office.unread(session, 5).await;
    // Li after a minute and after two, though the leads are Wang's; the owner of the phone after ten. Two wait for ever.
    pass(60).await;
    office.says(session, people[0].address(), "yes?").await;
    pass(60).await;
    office.says(session, people[1].address(), "yes?").await;
    office.says(session, people[0].address(), "are you there?").await;
    pass(480).await;
    phone.write(people[2].address(), "yes?");
    eventually(|| people[..3].iter().all(|person| !person.received().is_empty())).await;
    office.settled(&phone).await;

    let figures = total(&office).await;
    assert_eq!((figures.new, figures.replied, figures.unanswered), (5, 3, 2));
    let times = figures.responses;
    assert_eq!((times.count, times.mean, times.p50, times.p90), (3, Some(260), Some(120), Some(600)));
    let rows = by_agent(&office).await;
    let of = |who: Attribution| rows.iter().find(|row| row.0 == who).map(|row| row.1).unwrap();
    let (li, wang) = (of(Attribution::Agent(id("li"))), of(Attribution::Agent(id("wang"))));
    assert_eq!((li.new, li.responses.count, li.responses.mean), (0, 2, Some(90)));
    assert_eq!((wang.new, wang.replied, wang.responses.count), (5, 3, 0));
    assert_eq!(of(Attribution::Device).responses.count, 1);
}

async fn a_reply_counts_once_the_network_has_taken_it(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    pass(60).await;
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    ada.write(phone.address(), "hello");
    bob.write(phone.address(), "hello");
    office.unread(session, 2).await;
    phone.conditions(|now| now.put_off = 100);
    pass(30).await;
    let cancelled = office.says(session, bob.address(), "no").await;
    office.says(session, ada.address(), "yes?").await;
    pass(600).await;
    assert_eq!(total(&office).await.replied, 0);
    office.li.cancel_send(session, bob.address(), &cancelled).await.unwrap();
    phone.conditions(|now| now.put_off = 0);
    eventually(|| ada.received().len() == 1).await;
    pass(1).await;
    let figures = total(&office).await;
    assert_eq!((figures.replied, figures.unanswered), (1, 1), "what was cancelled never answered anybody");
}

async fn who_was_known_before_the_first_login_is_no_lead(office: Office) {
    let phone = office.messenger.phone("+8613800138000");
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    ada.write(phone.address(), "an old friend");
    phone.write(bob.address(), "written to, long ago");
    let office = closed_for(office, DAY).await;
    let session = office.started().await;
    office.scan(session, &phone).await;
    office.reaches(session, CardStatus::Online).await;
    office.settled(&phone).await;
    assert_eq!(total(&office).await, Figures::default());
    let office = closed_for(office, DAY).await;
    for person in [&ada, &bob, &office.messenger.person("eve")] {
        person.write(phone.address(), "hello");
    }
    office.unread(session, 3).await;
    let office = closed_for(office, 3 * DAY).await;
    ada.write(phone.address(), "and again");
    office.unread(session, 4).await;
    let figures = total(&office).await;
    assert_eq!(
        (figures.new, figures.duplicate, figures.returning, figures.outreach_replies),
        (1, 0, 0, 0),
        "Eve alone"
    );
}

async fn what_only_the_history_brings_from_after_the_first_login_counts(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    pass(60).await;
    phone.log_out(session).unwrap();
    office.reaches(session, CardStatus::Blocked).await;
    office.messenger.person("ada").write(phone.address(), "while nobody was linked");
    pass(60).await;
    office.mei.refresh_login(session).await.unwrap();
    office.scan(session, &phone).await;
    office.reaches(session, CardStatus::Online).await;
    office.settled(&phone).await;
    assert_eq!(office.card(session).await.unread, 0);
    assert_eq!(counted(&office).await, (1, 0), "the first login was before she wrote");
}

async fn two_ids_of_one_person_are_counted_once_and_the_correction_is_shown(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    pass(10).await;
    let (known, hidden) = (office.messenger.person("+8613911111111"), office.messenger.person("hidden-17"));
    hidden.write(phone.address(), "hello");
    pass(60).await;
    known.write(phone.address(), "hello");
    office.unread(session, 2).await;
    assert_eq!(counted(&office).await, (2, 0), "nobody knows better yet");
    hidden.is_also(phone.address(), &known);
    office.settled(&phone).await;
    assert_eq!(counted(&office).await, (1, 0));
    let shown = office.mei.lead_adjustments(&query()).await.unwrap();
    let merged = shown.iter().filter(|shown| shown.adjustment.reason == AdjustmentReason::Merged);
    assert_eq!(merged.map(|shown| shown.adjustment.change).sum::<i64>(), -1, "{shown:?}");
    let office = office.restart(false).await;
    office.reaches(session, CardStatus::Online).await;
    hidden.write(phone.address(), "me again");
    office.unread(session, 3).await;
    assert_eq!(counted(&office).await, (1, 0));
}

async fn a_number_learned_later_makes_one_person_of_two_sessions(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (other, other_phone) = office.online("+8613800138001").await;
    pass(10).await;
    let (known, hidden) = (office.messenger.person("+8613911111111"), office.messenger.person("hidden-17"));
    hidden.write(phone.address(), "hello");
    office.unread(session, 1).await;
    pass(60).await;
    known.write(other_phone.address(), "hello");
    office.unread(other, 1).await;
    assert_eq!(counted(&office).await, (2, 0));
    hidden.reveal_number(phone.address(), "+8613911111111");
    office.settled(&phone).await;
    assert_eq!(counted(&office).await, (1, 1));
    assert!(!office.mei.lead_adjustments(&query()).await.unwrap().is_empty());
}

//! The data centre (数据中心): the figures on the page, and for supervisors only.

use seatport::leads::{AdjustmentReason, CsvOptions, Dimension, LeadQuery, LeadWindow};
use seatport::{Action, CardStatus, Error, Outcome, WhenFull};

use crate::leads::{DAY, closed_for, pass, query, report};
use crate::office::{Office, id};

super::on_every_storage![
    days_begin_where_the_zone_and_the_reset_say_and_the_totals_agree,
    a_window_lets_a_person_be_new_again,
    what_comes_after_the_day_was_sealed_is_a_correction_beside_it,
    agents_see_no_figures_and_the_attempt_is_on_record,
    the_csv_holds_the_rows_of_the_page,
    computing_anew_and_crashing_change_no_figure,
];

async fn days_begin_where_the_zone_and_the_reset_say_and_the_totals_agree(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    pass(10).await;
    // 22:13 on the 14th in London is 06:13 on the 15th in Shanghai; then every five hours for two days.
    let people: Vec<_> = (0..10).map(|one| office.messenger.person(&format!("person-{one}"))).collect();
    let office = office
        .closed(async || {
            for person in &people {
                person.write(phone.address(), "hello");
                pass(5 * 3600).await;
            }
        })
        .await;
    office.unread(session, 10).await;
    let first_day = async |zone: &str, reset: &str| {
        let query = LeadQuery::new("2023-11-13".parse().unwrap(), 10, zone).unwrap().reset(reset).unwrap();
        let report = office.mei.leads(&query.by([Dimension::Day]).unwrap()).await.unwrap().current;
        assert_eq!(report.total.new, 10, "{zone}");
        assert_eq!(report.rows.iter().map(|row| row.figures.new).sum::<u64>(), 10, "{zone}");
        report.rows.iter().find(|row| row.figures.new > 0).unwrap().day.unwrap().to_string()
    };
    assert_eq!(first_day("Europe/London", "00:00").await, "2023-11-14");
    assert_eq!(first_day("Asia/Shanghai", "00:00").await, "2023-11-15");
    assert_eq!(first_day("Asia/Shanghai", "06:30").await, "2023-11-14");
    assert_eq!(first_day("Asia/Kathmandu", "00:00").await, "2023-11-15");
    assert_eq!(first_day("America/Los_Angeles", "00:00").await, "2023-11-14");
}

async fn a_window_lets_a_person_be_new_again(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (other, other_phone) = office.online("+8613800138001").await;
    pass(10).await;
    let ada = office.messenger.person("+4915100000001");
    ada.write(phone.address(), "hello");
    office.unread(session, 1).await;
    let office = closed_for(office, 8 * DAY).await;
    ada.write(other_phone.address(), "hello");
    office.unread(other, 1).await;
    for (window, new) in
        [(LeadWindow::Lifetime, 1), (LeadWindow::Days7, 2), (LeadWindow::Days30, 1), (LeadWindow::Days90, 1)]
    {
        let total = report(&office, query().window(window)).await.current.total;
        assert_eq!((total.new, total.new + total.duplicate), (new, 2), "{window:?}");
    }
}

async fn what_comes_after_the_day_was_sealed_is_a_correction_beside_it(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    pass(10).await;
    let days = |from: &str| LeadQuery::new(from.parse().unwrap(), 1, "UTC").unwrap();
    office.messenger.person("ada").write(phone.address(), "in time");
    office.unread(session, 1).await;
    office.mei.stop(session).await.unwrap();
    pass(60).await;
    office.messenger.person("bob").write(phone.address(), "in time too, but stored five days later");
    let office = closed_for(office, 5 * DAY).await;
    let before = report(&office, days("2023-11-14")).await.current;
    assert_eq!((before.sealed, before.total.new), (true, 1));
    office.mei.start(session, WhenFull::Fail).await.unwrap();
    office.unread(session, 2).await;
    let after = report(&office, days("2023-11-14")).await.current;
    assert_eq!((after.sealed, after.total.new, after.total.late), (true, 2, 1));
    let shown = office.mei.lead_adjustments(&days("2023-11-14")).await.unwrap();
    let [shown] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!((shown.adjustment.reason, shown.adjustment.change), (AdjustmentReason::Late, 1));
    assert_eq!(shown.day, "2023-11-14".parse().unwrap());
    assert!(office.mei.lead_adjustments(&days("2023-11-15")).await.unwrap().is_empty());
}

async fn agents_see_no_figures_and_the_attempt_is_on_record(office: Office) {
    let query = query();
    let refusals = [
        office.li.leads(&query).await.map(drop),
        office.li.export_leads(&query, CsvOptions::default()).await.map(drop),
        office.li.lead_adjustments(&query).await.map(drop),
        office.li.rebuild_leads().await,
    ];
    for refused in refusals {
        assert!(matches!(refused, Err(Error::Denied { action: Action::ViewDataCentre, .. })), "{refused:?}");
    }
    let lines = office.mei.audit(0, 100).await.unwrap();
    let denied = lines.iter().filter(|line| line.entry.agent == id("li") && line.entry.outcome == Outcome::Denied);
    assert_eq!(denied.count(), 4);
}

async fn the_csv_holds_the_rows_of_the_page(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    office.mei.set_remark(session, "=1+1, 前台").await.unwrap();
    office.mei.assign(session, Some(&id("li"))).await.unwrap();
    pass(60).await;
    for name in ["ada", "bob"] {
        office.messenger.person(name).write(phone.address(), "hello");
    }
    office.unread(session, 2).await;
    let query = query().by([Dimension::Session, Dimension::Agent]).unwrap();
    let csv = office.mei.export_leads(&query, CsvOptions { bom: true, ..CsvOptions::default() }).await.unwrap();
    let csv = String::from_utf8(csv).unwrap();
    let lines: Vec<_> = csv.strip_prefix('\u{feff}').unwrap().split("\r\n").filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 1 + report(&office, query).await.current.rows.len(), "{csv}");
    assert!(lines[1].contains(&session.to_string()) && lines[1].contains("\"'=1+1, 前台\""), "{csv}");
    assert!(lines[1].contains(",2,0,0,0,0,0,2,"), "{csv}");
}

async fn computing_anew_and_crashing_change_no_figure(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let (other, other_phone) = office.online("+8613800138001").await;
    pass(60).await;
    let people: Vec<_> = (0..7).map(|one| office.messenger.person(&format!("person-{one}"))).collect();
    let office = office
        .closed(async || {
            for step in 0..20 {
                let to = if step % 3 == 0 { other_phone.address() } else { phone.address() };
                people[step % 7].write(to, "hello");
                pass(DAY / 4).await;
            }
        })
        .await;
    office.reaches(session, CardStatus::Online).await;
    office.reaches(other, CardStatus::Online).await;
    office.settled(&phone).await;
    office.settled(&other_phone).await;
    office.says(session, people[1].address(), "yes?").await;
    pass(60).await;
    let whole = || query().by([Dimension::Day, Dimension::Session, Dimension::Agent, Dimension::Class]).unwrap();
    let before = report(&office, whole()).await;
    assert_eq!(before.current.total.new, 7);
    office.mei.rebuild_leads().await.unwrap();
    assert_eq!(report(&office, whole()).await, before);
    let office = office.restart(false).await;
    office.mei.rebuild_leads().await.unwrap();
    assert_eq!(report(&office, whole()).await, before);
    office.mei.stop(other).await.unwrap();
}

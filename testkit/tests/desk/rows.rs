//! The rows of the manual, one case each.

use seatport::{
    Action, CardStatus, Environment, Error, Page, Platform, PortNumber, SendOptions, SessionFilter, WhenFull,
};

use crate::office::{Office, eventually, id, new_account};

super::on_every_storage![
    row_1_add_or_add_and_start_from_the_environment_dialog,
    row_2_an_agent_is_bound_at_creation_or_later_and_changed_at_any_time,
    row_3_a_started_session_holds_its_port_until_stopped_logged_in_or_not,
    row_4_stop_releases_the_port,
    row_5_the_card_shows_status_account_unread_remark_and_agent,
    row_6_what_is_not_started_can_be_started_reassigned_and_deleted,
    row_7_what_is_started_can_be_restarted_stopped_and_reassigned,
    row_8_scan_online_stop_offline_and_history_stays_readable,
    row_10_an_agent_neither_sees_the_data_centre_nor_binds,
];

async fn row_1_add_or_add_and_start_from_the_environment_dialog(office: Office) {
    let environment = Environment::new()
        .proxy("socks5://mei:hunter2@proxy.example:1080")
        .and_then(|environment| environment.device_name("Front desk 3"))
        .and_then(|environment| environment.locale("zh-CN"))
        .and_then(|environment| environment.time_zone("Asia/Shanghai"))
        .and_then(|environment| environment.label("team", "sales"))
        .unwrap()
        .platform(Platform::Windows);
    let added = office.mei.add_account(new_account().environment(environment.clone())).await.unwrap();
    let card = office.card(added).await;
    assert_eq!((card.status, card.port), (CardStatus::NotStarted, None));
    assert_eq!(card.environment.device_name.as_deref(), Some("Front desk 3"));
    assert!(card.environment.proxy.as_ref().unwrap().password.is_none(), "the password is not read back");

    let started = office.mei.add_and_start(new_account().environment(environment), WhenFull::Fail).await.unwrap();
    let view = office.until(started, |view| view.challenge.is_some()).await;
    assert_eq!(view.card.status, CardStatus::AwaitingLogin, "ready to be scanned");
    let journal = office.messenger.journal();
    let dial = journal.dials(started).next().unwrap();
    assert_eq!(dial.proxy.as_deref(), Some("socks5://mei@proxy.example:1080"), "it runs in its environment");
    assert_eq!(dial.device_name.as_deref(), Some("Front desk 3"));
    assert_eq!(dial.port, PortNumber(1), "the transport is told the number");
    assert_eq!(journal.dials(added).count(), 0);
    office.mei.start(added, WhenFull::Fail).await.unwrap();
    office.reaches(added, CardStatus::AwaitingLogin).await;
}

async fn row_2_an_agent_is_bound_at_creation_or_later_and_changed_at_any_time(office: Office) {
    let session = office.mei.add_account(new_account().bind(id("li"))).await.unwrap();
    assert_eq!(office.card(session).await.agent, Some(id("li")));
    let card = office.mei.assign(session, Some(&id("wang"))).await.unwrap();
    assert_eq!(card.agent, Some(id("wang")));

    let (running, _) = office.online("+8613800138000").await;
    assert_eq!(office.card(running).await.agent, None);
    for agent in [Some(id("li")), Some(id("wang")), None] {
        let card = office.mei.assign(running, agent.as_ref()).await.unwrap();
        assert_eq!((card.agent, card.status), (agent, CardStatus::Online), "the session runs on");
    }
    assert_eq!(office.messenger.journal().dials(running).count(), 2, "the pairing and the login, nothing since");
}

async fn row_3_a_started_session_holds_its_port_until_stopped_logged_in_or_not(office: Office) {
    let waiting = office.started().await;
    office.reaches(waiting, CardStatus::AwaitingLogin).await;
    assert_eq!(office.card(waiting).await.port, Some(PortNumber(1)));
    let (online, phone) = office.online("+8613800138000").await;
    assert_eq!(office.card(online).await.port, Some(PortNumber(2)));

    // The codes run out; the account is logged out: both keep their ports.
    office.reaches(waiting, CardStatus::Blocked).await;
    phone.log_out(online).unwrap();
    office.reaches(online, CardStatus::Blocked).await;
    let held: Vec<_> =
        office.seatport.ports().usage().await.unwrap().occupied.iter().map(|held| held.session).collect();
    assert_eq!(held, [waiting, online]);

    office.mei.stop(waiting).await.unwrap();
    let card = office.mei.restart(online).await.unwrap();
    assert_eq!(card.port, Some(PortNumber(2)));
    let card = office.reaches(online, CardStatus::AwaitingLogin).await;
    assert_eq!(card.port, Some(PortNumber(2)), "a restart keeps the number, though a lower one is free");
}

async fn row_4_stop_releases_the_port(office: Office) {
    let sessions = [office.started().await, office.started().await, office.online("+8613800138000").await.0];
    let fourth = office.mei.add_account(new_account()).await.unwrap();
    assert!(matches!(office.mei.start(fourth, WhenFull::Fail).await, Err(Error::PoolFull { capacity: 3, .. })));
    for (session, port) in sessions.into_iter().zip(1..) {
        assert_eq!(office.card(session).await.port, Some(PortNumber(port)));
        let card = office.mei.stop(session).await.unwrap();
        assert_eq!(card.port, None);
        assert_eq!(office.mei.start(fourth, WhenFull::Fail).await.unwrap().port, Some(PortNumber(port)));
        office.mei.stop(fourth).await.unwrap();
        assert_eq!(office.mei.start(session, WhenFull::Fail).await.unwrap().port, Some(PortNumber(port)));
    }
    for session in sessions {
        office.mei.stop(session).await.unwrap();
    }
    assert!(office.seatport.ports().usage().await.unwrap().occupied.is_empty());
}

async fn row_5_the_card_shows_status_account_unread_remark_and_agent(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    office.mei.assign(session, Some(&id("li"))).await.unwrap();
    office.li.set_remark(session, "VIP 客户").await.unwrap();
    let (ada, bob) = (office.messenger.person("ada"), office.messenger.person("bob"));
    for (person, text) in [(&ada, "hello"), (&bob, "你好"), (&ada, "still there?")] {
        person.write(phone.address(), text);
    }
    let card = office.unread(session, 3).await;
    assert_eq!((card.status, card.remark.as_str(), card.agent), (CardStatus::Online, "VIP 客户", Some(id("li"))));
    assert_eq!(card.account.unwrap().phone.as_deref(), Some("8613800138000"));

    office.li.mark_read(session, ada.address()).await.unwrap();
    assert_eq!(office.unread(session, 1).await.unread, 1);
    let online = SessionFilter { statuses: vec![CardStatus::Online], ..Default::default() };
    for filter in [
        online,
        SessionFilter { agent: Some(Some(id("li"))), ..Default::default() },
        SessionFilter { text: Some("vip".into()), ..Default::default() },
        SessionFilter { text: Some("客户".into()), ..Default::default() },
        SessionFilter { text: Some("138001380".into()), ..Default::default() },
    ] {
        let cards = office.li.cards(&filter, Page::first(10)).await.unwrap();
        assert_eq!(cards.iter().map(|card| card.session).collect::<Vec<_>>(), [session], "{filter:?}");
    }
    let blocked = SessionFilter { statuses: vec![CardStatus::Blocked], ..Default::default() };
    assert!(office.li.cards(&blocked, Page::first(10)).await.unwrap().is_empty());
}

async fn row_6_what_is_not_started_can_be_started_reassigned_and_deleted(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    office.messenger.person("ada").write(phone.address(), "hello");
    office.unread(session, 1).await;
    office.mei.stop(session).await.unwrap();
    let card = office.mei.assign(session, Some(&id("li"))).await.unwrap();
    for action in [Action::Start, Action::Assign, Action::Delete] {
        assert!(card.actions.contains(&action), "{action}");
    }
    for action in [Action::Stop, Action::Restart, Action::RefreshLogin, Action::LogOut] {
        assert!(!card.actions.contains(&action), "{action}");
    }
    office.li.delete(session).await.unwrap();
    assert!(matches!(office.mei.card(session).await, Err(Error::UnknownSession(_))));
    // Nothing of it is left but the lines that say who did what.
    assert!(office.storage.vault_scan(None, 10).await.unwrap().is_empty());
    assert!(office.storage.events(session, 0, 10).await.unwrap().is_empty());
    assert!(office.storage.contacts(session, Page::first(10)).await.unwrap().is_empty());
    assert!(office.storage.chats(session, Page::first(10)).await.unwrap().is_empty());
    let last = office.mei.audit(0, 100).await.unwrap().pop().unwrap().entry;
    assert_eq!((last.agent, last.action, last.session), (id("li"), Action::Delete, Some(session)));
}

async fn row_7_what_is_started_can_be_restarted_stopped_and_reassigned(office: Office) {
    let (session, _) = office.online("+8613800138000").await;
    let card = office.card(session).await;
    for action in [Action::Restart, Action::Stop, Action::Assign] {
        assert!(card.actions.contains(&action), "{action}");
    }
    for action in [Action::Start, Action::Delete] {
        assert!(!card.actions.contains(&action), "{action}");
    }
    assert!(matches!(office.mei.delete(session).await, Err(Error::IllegalTransition(_))));
    office.mei.restart(session).await.unwrap();
    let card = office.reaches(session, CardStatus::Online).await;
    assert_eq!(card.port, Some(PortNumber(1)));
    office.mei.assign(session, Some(&id("li"))).await.unwrap();
    assert_eq!(office.mei.stop(session).await.unwrap().status, CardStatus::Offline);
}

async fn row_8_scan_online_stop_offline_and_history_stays_readable(office: Office) {
    let (session, phone) = office.online("+8613800138000").await;
    let ada = office.messenger.person("ada");
    ada.write(phone.address(), "is it in stock?");
    office.unread(session, 1).await;
    office.says(session, ada.address(), "yes, in three colours").await;
    eventually(|| !ada.received().is_empty()).await;

    assert_eq!(office.mei.stop(session).await.unwrap().status, CardStatus::Offline);
    let contacts = office.li.contacts(session, Page::first(10)).await.unwrap();
    assert_eq!(contacts.iter().map(|contact| contact.name.as_deref()).collect::<Vec<_>>(), [Some("ada")]);
    let chats = office.li.chats(session, Page::first(10)).await.unwrap();
    assert_eq!((chats.len(), chats[0].unread), (1, 1));
    let messages = office.li.messages(session, ada.address(), Page::first(10)).await.unwrap();
    assert_eq!(messages.len(), 2, "newest first: {messages:?}");
    assert!(messages[0].message.at >= messages[1].message.at);
    let refused = office.li.send_text(session, ada.address(), "hello?", SendOptions::default()).await;
    assert!(matches!(refused, Err(Error::NotSending { .. })), "{refused:?}");

    office.mei.start(session, WhenFull::Fail).await.unwrap();
    office.reaches(session, CardStatus::Online).await;
    let journal = office.messenger.journal();
    assert_eq!(journal.logins(phone.address()).count(), 2, "online again without a scan");
    assert!(!journal.overlapped(phone.address()));
}

async fn row_10_an_agent_neither_sees_the_data_centre_nor_binds(office: Office) {
    let session = office.li.add_account(new_account()).await.unwrap();
    for (action, allowed) in [(Action::ViewDataCentre, false), (Action::Assign, false), (Action::Delete, true)] {
        assert_eq!(office.li.may(action).await.unwrap(), allowed);
        assert!(office.mei.may(action).await.unwrap());
    }
    let bind = office.li.assign(session, Some(&id("li"))).await;
    assert!(matches!(bind, Err(Error::Denied { action: Action::Assign, .. })), "{bind:?}");
    assert!(!office.card(session).await.actions.contains(&Action::ViewDataCentre));
    assert!(!office.li.card(session).await.unwrap().actions.contains(&Action::Assign));
    // Everything else is the same as for a supervisor.
    office.li.start(session, WhenFull::Fail).await.unwrap();
    office.scan(session, &office.messenger.phone("+8613800138000")).await;
    office.reaches(session, CardStatus::Online).await;
    office.li.restart(session).await.unwrap();
    office.li.set_remark(session, "mine").await.unwrap();
    office.li.stop(session).await.unwrap();
    office.li.delete(session).await.unwrap();
}

//! The policy at the door: every call of a desk, for every role, in both scopes.

use std::pin::Pin;
use std::sync::Arc;

use std::time::Duration;

use crate::scripted::{Dial, Scripted};
use seatport::conversation::{Media, MediaKind, SearchQuery};
use seatport::leads::{CsvOptions, LeadQuery};
use seatport::memory::MemoryStorage;
use seatport::storage::{SessionStore, StoredSession};
use seatport::{
    Action, Address, Agent, AgentId, AgentScope, CardStatus, ConsumerName, Cursors, Desk, Environment, Error, Event,
    EventStream, Export, LoginMethod, MessageId, NewAccount, Outcome, Page, Role, Seatport, SendOptions, SessionFilter,
    SessionId, WhenFull,
};

type Answer<'a> = Pin<Box<dyn Future<Output = Result<String, Error>> + Send + 'a>>;
/// A call with the action it needs; the name is the method's, and what is special about the call after a colon. Answers what
/// an agent gets to see of it.
pub(crate) type Call = (Action, &'static str, for<'a> fn(&'a Desk, SessionId) -> Answer<'a>);

macro_rules! calls {
    ($($action:ident $name:literal: |$desk:ident, $session:ident| $call:expr;)*) => {
        vec![$((Action::$action, $name, |$desk, $session| {
            Box::pin(async move { $call.await.map(|answer| format!("{answer:?}")) })
        })),*]
    };
}

fn chat() -> Address {
    Address::new("bob").unwrap()
}

fn message() -> MessageId {
    MessageId::new("1").unwrap()
}

pub(crate) fn li() -> AgentId {
    AgentId::new("li").unwrap()
}

fn bound() -> NewAccount {
    NewAccount::on("scripted").bind(li())
}

fn consumer() -> ConsumerName {
    ConsumerName::new("crm").unwrap()
}

fn picture() -> Media {
    Media::new(MediaKind::Image, "image/png")
}

fn in_session(session: SessionId) -> SearchQuery {
    SearchQuery { session: Some(session), ..SearchQuery::new("hello") }
}

fn query() -> LeadQuery {
    LeadQuery::new("2023-11-14".parse().unwrap(), 7, "UTC").unwrap()
}

/// Everything a stream has to say now.
async fn all_events(mut stream: EventStream) -> Result<Vec<Event>, Error> {
    let mut events = Vec::new();
    while let Ok(event) = tokio::time::timeout(Duration::from_millis(1), stream.next()).await {
        events.push(event?);
    }
    Ok(events)
}

async fn all_lines(mut export: Export) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    while let Some(line) = export.next().await? {
        lines.push(line);
    }
    Ok(lines)
}

/// Every call that concerns one session. A new one belongs here.
pub(crate) fn calls() -> Vec<Call> {
    calls! {
        View "card": |desk, session| desk.card(session);
        View "watch": |desk, session| async move { desk.watch(session).await?.next().await };
        View "login_code": |desk, session| desk.login_code(session);
        Start "start": |desk, session| desk.start(session, WhenFull::Fail);
        Stop "stop": |desk, session| desk.stop(session);
        Restart "restart": |desk, session| desk.restart(session);
        RefreshLogin "refresh_login": |desk, session| desk.refresh_login(session);
        RefreshLogin "refresh_login_by": |desk, session| desk.refresh_login_by(session, LoginMethod::Qr);
        LogOut "log_out": |desk, session| desk.log_out(session);
        Assign "assign": |desk, session| async move { desk.assign(session, Some(&li())).await };
        Assign "assign: nobody": |desk, session| desk.assign(session, None);
        SetRemark "set_remark": |desk, session| desk.set_remark(session, "seen");
        SetEnvironment "set_environment":
            |desk, session| async move { desk.set_environment(session, Environment::new().time_zone("Asia/Tokyo")?).await };
        Read "contacts": |desk, session| desk.contacts(session, Page::first(10));
        Read "contact": |desk, session| async move { desk.contact(session, &chat()).await };
        Read "chats": |desk, session| desk.chats(session, Page::first(10));
        Read "chat": |desk, session| async move { desk.chat(session, &chat()).await };
        Read "messages": |desk, session| async move { desk.messages(session, &chat(), Page::first(10)).await };
        Read "message": |desk, session| async move { desk.message(session, &chat(), &message()).await };
        Read "search_messages: in one session":
            |desk, session| async move { desk.search_messages(&in_session(session), None, 10).await };
        Read "search_contacts: in one session":
            |desk, session| async move { desk.search_contacts(&in_session(session), None, 10).await };
        Export "export_session": |desk, session| async move { all_lines(desk.export_session(session).await?).await };
        MarkRead "mark_read_up_to": |desk, session| async move { desk.mark_read_up_to(session, &chat(), &message()).await };
        MarkRead "mark_read": |desk, session| async move { desk.mark_read(session, &chat()).await };
        Send "send_text":
            |desk, session| async move { desk.send_text(session, &chat(), "hello", SendOptions::default()).await };
        Send "send_media":
            |desk, session| async move { desk.send_media(session, &chat(), picture(), SendOptions::default()).await };
        Send "cancel_send": |desk, session| async move { desk.cancel_send(session, &chat(), &message()).await };
        Assign "add_account: bound": |desk, _session| desk.add_account(bound());
        Assign "add_and_start: bound": |desk, _session| desk.add_and_start(bound(), WhenFull::Fail);
        Add "add_account": |desk, _session| desk.add_account(NewAccount::on("scripted"));
        Add "add_and_start": |desk, _session| desk.add_and_start(NewAccount::on("scripted"), WhenFull::Fail);
        Erase "erase": |desk, session| desk.erase(session);
        Delete "delete": |desk, session| desk.delete(session);
    }
}

/// Every other call. Those that hand out events come last: they tell of all that the others did.
pub(crate) fn calls_beside() -> Vec<Call> {
    calls! {
        View "agent": |desk, _session| desk.agent();
        View "may": |desk, _session| desk.may(Action::ViewDataCentre);
        View "cards": |desk, _session| async move { desk.cards(&SessionFilter::default(), Page::first(10)).await };
        Read "search_messages": |desk, _session| async move { desk.search_messages(&SearchQuery::new("hello"), None, 10).await };
        Read "search_contacts": |desk, _session| async move { desk.search_contacts(&SearchQuery::new("bob"), None, 10).await };
        ReadAudit "audit": |desk, _session| desk.audit(0, 1000);
        ReadAudit "verify_audit": |desk, _session| desk.verify_audit(None);
        ViewDataCentre "leads": |desk, _session| async move { desk.leads(&query()).await };
        ViewDataCentre "export_leads": |desk, _session| async move {
            Ok::<_, Error>(String::from_utf8(desk.export_leads(&query(), CsvOptions::default()).await?).unwrap())
        };
        ViewDataCentre "lead_adjustments": |desk, _session| async move { desk.lead_adjustments(&query()).await };
        ViewDataCentre "rebuild_leads": |desk, _session| desk.rebuild_leads();
        FollowEvents "cursors": |desk, _session| desk.cursors();
        FollowEvents "consume":
            |desk, _session| async move { desk.consume(&consumer()).await?.next_batch(usize::MAX).await };
        FollowEvents "consumers": |desk, _session| desk.consumers();
        FollowEvents "forget_consumer": |desk, _session| async move { desk.forget_consumer(&consumer()).await };
        FollowEvents "events": |desk, _session| async move { all_events(desk.events(Cursors::default()).await?).await };
    }
}

pub(crate) struct House {
    pub(crate) storage: MemoryStorage,
    pub(crate) seatport: Seatport,
    pub(crate) mei: Desk,
    pub(crate) li: Desk,
    /// Bound to nobody.
    pub(crate) session: SessionId,
}

pub(crate) async fn house(scope: AgentScope) -> House {
    let storage = MemoryStorage::new();
    let (transport, _) = Scripted::new(Dial::Hangs);
    let builder = Seatport::builder().shared_storage(Arc::new(storage.clone())).transport(transport).agent_scope(scope);
    let seatport = builder.build().await.unwrap();
    for (id, role) in [("mei", Role::Supervisor), ("li", Role::Agent)] {
        seatport.agents().put(Agent::new(id, id, role).unwrap()).await.unwrap();
    }
    let mei = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    let li = seatport.desk(&li()).await.unwrap();
    let session = mei.add_account(NewAccount::on("scripted")).await.unwrap();
    House { storage, seatport, mei, li, session }
}

async fn everything(house: &House) -> Vec<StoredSession> {
    house.storage.sessions(&SessionFilter::default(), Page::first(100)).await.unwrap()
}

/// Asserts that the call is refused, changes nothing, and is written down with the action it was refused for.
pub(crate) async fn refused(house: &House, call: &Call, action: Action) {
    let (_, name, run) = call;
    let before = everything(house).await;
    let lines = house.mei.audit(0, 1000).await.unwrap().len();
    match run(&house.li, house.session).await {
        Err(Error::Denied { agent, action: denied }) => assert_eq!((agent, denied), (li(), action), "{name}"),
        other => panic!("{name} was not refused: {other:?}"),
    }
    assert_eq!(everything(house).await, before, "{name} had an effect");
    let audit = house.mei.audit(0, 1000).await.unwrap();
    assert_eq!(audit.len(), lines + 1, "{name}");
    let entry = &audit.last().unwrap().entry;
    assert_eq!((&entry.agent, entry.action, entry.outcome), (&li(), action, Outcome::Denied), "{name}");
}

#[tokio::test(start_paused = true)]
async fn supervisors_are_never_denied() {
    for scope in [AgentScope::All, AgentScope::BoundOnly] {
        for (_, name, run) in calls().into_iter().chain(calls_beside()) {
            let house = house(scope).await;
            let answer = run(&house.mei, house.session).await;
            assert!(!matches!(answer, Err(Error::Denied { .. })), "{name}: {answer:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn agents_are_denied_exactly_what_the_table_says() {
    for call in calls().into_iter().chain(calls_beside()) {
        let house = house(AgentScope::All).await;
        match call.0 {
            action @ (Action::Assign | Action::ReadAudit | Action::ViewDataCentre) => {
                refused(&house, &call, action).await
            }
            _ => {
                let answer = call.2(&house.li, house.session).await;
                assert!(!matches!(answer, Err(Error::Denied { .. })), "{}: {answer:?}", call.1);
            }
        }
    }
    let house = house(AgentScope::All).await;
    for action in Action::all() {
        let expected = !matches!(action, Action::Assign | Action::ReadAudit | Action::ViewDataCentre);
        assert_eq!(house.li.may(action).await.unwrap(), expected, "{action}");
        assert!(house.mei.may(action).await.unwrap(), "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn bound_only_hides_what_is_bound_to_others_or_to_nobody() {
    for call in calls() {
        let house = house(AgentScope::BoundOnly).await;
        let binds = call.1.starts_with("add");
        refused(&house, &call, if binds { Action::Add } else { call.0 }).await;
    }
    // What a consumer acknowledges is gone for it: it must not be handed a part.
    for call in calls_beside().into_iter().filter(|(_, name, _)| name.contains("consume")) {
        refused(&house(AgentScope::BoundOnly).await, &call, Action::FollowEvents).await;
    }
    let house = house(AgentScope::BoundOnly).await;
    let everyone = SessionFilter::default();
    assert!(house.li.cards(&everyone, Page::first(10)).await.unwrap().is_empty());
    let nobody = SessionFilter { agent: Some(None), ..Default::default() };
    assert!(house.li.cards(&nobody, Page::first(10)).await.unwrap().is_empty());

    house.mei.assign(house.session, Some(&li())).await.unwrap();
    assert_eq!(house.li.cards(&everyone, Page::first(10)).await.unwrap().len(), 1);
    assert_eq!(house.li.card(house.session).await.unwrap().agent, Some(li()));
    let mut events = house.li.events(Cursors::default()).await.unwrap();
    assert_eq!(events.next().await.unwrap().session, house.session);

    house.mei.assign(house.session, None).await.unwrap();
    assert!(house.li.cards(&everyone, Page::first(10)).await.unwrap().is_empty());
    assert!(matches!(house.li.card(house.session).await, Err(Error::Denied { .. })));
}

#[tokio::test(start_paused = true)]
async fn who_is_demoted_or_removed_loses_the_desk_at_once() {
    let house = house(AgentScope::All).await;
    let agents = house.seatport.agents();
    agents.put(Agent::new("mei", "Mei", Role::Agent).unwrap()).await.unwrap();
    assert!(matches!(house.mei.assign(house.session, None).await, Err(Error::Denied { .. })));
    agents.remove(&li()).await.unwrap();
    assert!(matches!(house.li.card(house.session).await, Err(Error::UnknownAgent(agent)) if agent == li()));
    assert!(matches!(agents.remove(&li()).await, Err(Error::UnknownAgent(_))));
}

#[tokio::test(start_paused = true)]
async fn an_agent_who_is_bound_is_not_removed() {
    let house = house(AgentScope::All).await;
    house.mei.assign(house.session, Some(&li())).await.unwrap();
    let removed = house.seatport.agents().remove(&li()).await;
    assert!(matches!(removed, Err(Error::AgentBound { sessions: 1, .. })), "{removed:?}");
    house.mei.assign(house.session, None).await.unwrap();
    house.seatport.agents().remove(&li()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_card_offers_what_role_and_state_allow_now() {
    let house = house(AgentScope::All).await;
    let always = [
        Action::View,
        Action::SetRemark,
        Action::SetEnvironment,
        Action::Read,
        Action::Export,
        Action::Send,
        Action::MarkRead,
    ];
    let offered = |desk: Desk, session| async move {
        let actions = desk.card(session).await.unwrap().actions;
        actions.into_iter().filter(|action| !always.contains(action)).collect::<Vec<_>>()
    };
    // The manual: a session that is not started allows start, change agent, delete; a started one restart, stop, change agent.
    assert_eq!(
        offered(house.mei.clone(), house.session).await,
        [Action::Start, Action::Assign, Action::Delete, Action::Erase]
    );
    assert_eq!(offered(house.li.clone(), house.session).await, [Action::Start, Action::Delete, Action::Erase]);
    assert_eq!(house.li.start(house.session, WhenFull::Fail).await.unwrap().status, CardStatus::Connecting);
    assert_eq!(offered(house.mei.clone(), house.session).await, [Action::Stop, Action::Restart, Action::Assign]);
    assert_eq!(offered(house.li.clone(), house.session).await, [Action::Stop, Action::Restart]);
}

#[tokio::test(start_paused = true)]
async fn whatever_changed_something_is_on_record_and_what_changed_nothing_is_not() {
    for (action, name, run) in calls() {
        let house = house(AgentScope::All).await;
        let lines = house.mei.audit(0, 1000).await.unwrap().len();
        let before = everything(&house).await;
        let answer = run(&house.mei, house.session).await;
        let changed = everything(&house).await != before;
        let audit = house.mei.audit(0, 1000).await.unwrap().split_off(lines);
        let done: Vec<_> = audit.iter().filter(|line| line.entry.outcome == Outcome::Done).collect();
        // An export changes nothing, and carries everything off.
        assert_eq!(!done.is_empty(), changed || action == Action::Export, "{name}: {answer:?}");
        let is_for = |line: &&seatport::AuditLine| line.entry.action == action || name.ends_with("bound");
        assert!(done.iter().all(|line| line.entry.agent.as_str() == "mei"), "{name}");
        assert!(!changed || done.iter().any(is_for), "{name}: {done:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_pool_names_only_the_holders_that_the_agent_sees() {
    let house = house(AgentScope::BoundOnly).await;
    house.seatport.ports().resize(2).await.unwrap();
    let mine = house.mei.add_and_start(NewAccount::on("scripted").bind(li()), WhenFull::Fail).await.unwrap();
    house.mei.add_and_start(NewAccount::on("scripted"), WhenFull::Fail).await.unwrap();
    let waiting = house.mei.add_account(NewAccount::on("scripted").bind(li())).await.unwrap();
    match house.li.start(waiting, WhenFull::Fail).await {
        Err(Error::PoolFull { occupied: 2, holders, .. }) => {
            assert_eq!(holders.iter().map(|holder| holder.session).collect::<Vec<_>>(), [mine]);
        }
        other => panic!("{other:?}"),
    }
    let cursors = house.li.cursors().await.unwrap();
    assert_eq!(cursors.0.keys().copied().collect::<Vec<_>>(), [mine, waiting]);
}

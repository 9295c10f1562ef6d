//! The policy at the door: every call of a desk, for every role, in both scopes.

use std::pin::Pin;
use std::sync::Arc;

use crate::scripted::{Dial, Scripted};
use seatport::memory::MemoryStorage;
use seatport::storage::{MessagePage, SessionStore, StoredSession};
use seatport::{
    Action, Address, Agent, AgentId, AgentScope, CardStatus, Cursors, Desk, Environment, Error, NewAccount, Outcome,
    Page, Role, Seatport, SessionFilter, SessionId, WhenFull,
};

type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;
/// A call on a session, with the action it needs.
type Call = (Action, &'static str, for<'a> fn(&'a Desk, SessionId) -> Answer<'a>);

macro_rules! calls {
    ($($action:ident $name:literal: |$desk:ident, $session:ident| $call:expr;)*) => {
        [$((Action::$action, $name, |$desk, $session| Box::pin(async move { $call.await.map(|_| ()) }))),*]
    };
}

fn chat() -> Address {
    Address::new("bob").unwrap()
}

fn li() -> AgentId {
    AgentId::new("li").unwrap()
}

/// Every call that concerns one session. A new one belongs here.
fn calls() -> Vec<Call> {
    let calls: [Call; 26] = calls! {
        View "card": |desk, session| desk.card(session);
        View "watch": |desk, session| desk.watch(session);
        View "login_code": |desk, session| desk.login_code(session);
        Start "start": |desk, session| desk.start(session, WhenFull::Fail);
        Stop "stop": |desk, session| desk.stop(session);
        Restart "restart": |desk, session| desk.restart(session);
        RefreshLogin "refresh_login": |desk, session| desk.refresh_login(session);
        RefreshLogin "refresh_login_by": |desk, session| desk.refresh_login_by(session, seatport::LoginMethod::Qr);
        LogOut "log_out": |desk, session| desk.log_out(session);
        Assign "assign": |desk, session| async move { desk.assign(session, Some(&li())).await };
        Assign "unassign": |desk, session| desk.assign(session, None);
        SetRemark "set_remark": |desk, session| desk.set_remark(session, "seen");
        SetEnvironment "set_environment":
            |desk, session| async move { desk.set_environment(session, Environment::new().time_zone("Asia/Tokyo")?).await };
        Delete "delete": |desk, session| desk.delete(session);
        Read "contacts": |desk, session| desk.contacts(session, None, 10);
        Read "chats": |desk, session| desk.chats(session, None, 10);
        Read "messages": |desk, session| async move { desk.messages(session, &chat(), MessagePage::newest(10)).await };
        Read "chat": |desk, session| async move { desk.chat(session, &chat()).await };
        Read "message": |desk, session| async move {
            desk.message(session, &chat(), &seatport::MessageId::new("1")?).await
        };
        MarkRead "mark_read_up_to": |desk, session| async move {
            desk.mark_read_up_to(session, &chat(), &seatport::MessageId::new("1")?).await
        };
        MarkRead "mark_read": |desk, session| async move { desk.mark_read(session, &chat()).await };
        Send "send_text": |desk, session| async move { desk.send_text(session, &chat(), "hello").await };
        Assign "bind at creation":
            |desk, _session| async move { desk.add_account(NewAccount::on("scripted").bind(li())).await };
        Assign "bind at creation and start":
            |desk, _session| async move { desk.add_and_start(NewAccount::on("scripted").bind(li()), WhenFull::Fail).await };
        Add "add_account": |desk, _session| desk.add_account(NewAccount::on("scripted"));
        Add "add_and_start": |desk, _session| desk.add_and_start(NewAccount::on("scripted"), WhenFull::Fail);
    };
    calls.to_vec()
}

struct House {
    storage: MemoryStorage,
    _seatport: Seatport,
    mei: Desk,
    li: Desk,
    /// Bound to nobody.
    session: SessionId,
}

async fn house(scope: AgentScope) -> House {
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
    House { storage, _seatport: seatport, mei, li, session }
}

async fn everything(house: &House) -> Vec<StoredSession> {
    house.storage.sessions(&SessionFilter::default(), Page::first(100)).await.unwrap()
}

/// Asserts that the call is refused, changes nothing, and is written down with the action it was refused for.
async fn refused(house: &House, call: &Call, action: Action) {
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
        for (_, name, run) in calls() {
            let house = house(scope).await;
            let answer = run(&house.mei, house.session).await;
            assert!(!matches!(answer, Err(Error::Denied { .. })), "{name}: {answer:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn agents_are_denied_exactly_what_the_table_says() {
    for call in calls() {
        let house = house(AgentScope::All).await;
        match call.0 {
            Action::Assign => refused(&house, &call, Action::Assign).await,
            _ => {
                let answer = call.2(&house.li, house.session).await;
                assert!(!matches!(answer, Err(Error::Denied { .. })), "{}: {answer:?}", call.1);
            }
        }
    }
    let house = house(AgentScope::All).await;
    assert!(matches!(house.li.audit(0, 10).await, Err(Error::Denied { action: Action::ReadAudit, .. })));
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
        let binds = call.1.starts_with("bind");
        refused(&house, &call, if binds { Action::Add } else { call.0 }).await;
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
    let agents = house._seatport.agents();
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
    let removed = house._seatport.agents().remove(&li()).await;
    assert!(matches!(removed, Err(Error::AgentBound { sessions: 1, .. })), "{removed:?}");
    house.mei.assign(house.session, None).await.unwrap();
    house._seatport.agents().remove(&li()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_card_offers_what_role_and_state_allow_now() {
    let house = house(AgentScope::All).await;
    let always =
        [Action::View, Action::SetRemark, Action::SetEnvironment, Action::Read, Action::Send, Action::MarkRead];
    let offered = |desk: Desk, session| async move {
        let actions = desk.card(session).await.unwrap().actions;
        actions.into_iter().filter(|action| !always.contains(action)).collect::<Vec<_>>()
    };
    // The manual: a session that is not started allows start, change agent, delete; a started one restart, stop, change agent.
    assert_eq!(offered(house.mei.clone(), house.session).await, [Action::Start, Action::Assign, Action::Delete]);
    assert_eq!(offered(house.li.clone(), house.session).await, [Action::Start, Action::Delete]);
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
        assert_eq!(!done.is_empty(), changed, "{name}: {answer:?}");
        let is_for = |line: &&seatport::AuditLine| line.entry.action == action || name.contains("bind at creation");
        assert!(done.iter().all(|line| line.entry.agent.as_str() == "mei"), "{name}");
        assert!(!changed || done.iter().any(is_for), "{name}: {done:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_pool_names_only_the_holders_that_the_agent_sees() {
    let house = house(AgentScope::BoundOnly).await;
    house._seatport.ports().resize(2).await.unwrap();
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

//! Every call of a desk, once from the node that drives the session and once from another one: it comes to the same.

use seatport::conversation::{Media, MediaKind, MediaReference, MessageStatus, SearchQuery};
use seatport::leads::{CsvOptions, LeadQuery};
use seatport::storage::{AuditStore, EventStore, VaultStore};
use seatport::{
    AgentId, CardStatus, Clock, ConsumerName, Cursors, Desk, Environment, Error, EventBody, LoginMethod, NewAccount,
    Page, SendKey, SendOptions, SessionFilter, SessionId, WhenFull, WhenStopped,
};
use seatport_testkit::messenger::{Person, Phone};
use tokio::time::{Instant, sleep, timeout};

use crate::cluster::{Cluster, Node, eventually, secs};

/// A session that is online, and to which Ada has written; two nodes, one of which drives it.
struct Scene {
    cluster: Cluster,
    calls: Node,
    other: Node,
    session: SessionId,
    phone: Phone,
    ada: Person,
}

impl Scene {
    async fn set(by_owner: bool) -> Self {
        let mut cluster = Cluster::new(3);
        let owner = cluster.join().await;
        let (session, phone) = cluster.online(&owner, "+8613800138000").await;
        let other = cluster.join().await;
        let ada = cluster.messenger.person("ada");
        ada.write(phone.address(), "hello, is anybody there?");
        owner.until(session, |view| view.card.unread == 1).await;
        let (calls, other) = if by_owner { (owner, other) } else { (other, owner) };
        Self { cluster, calls, other, session, phone, ada }
    }

    fn desk(&self) -> &Desk {
        &self.calls.desk
    }

    async fn reaches(&self, status: CardStatus) {
        self.calls.reaches(self.session, status).await;
        self.other.reaches(self.session, status).await;
    }

    /// Waits until the network has logged it out, stopped, or whatever else it takes.
    async fn scan(&self) {
        self.phone.scan(&self.calls.code(self.session).await).unwrap();
        self.reaches(CardStatus::Online).await;
    }

    /// What the world looks like in the end; the same from both nodes.
    async fn world(&self) -> String {
        sleep(secs(10)).await;
        let cards = SessionFilter::default();
        let seen = self.calls.desk.cards(&cards, Page::first(9)).await.unwrap();
        assert_eq!(seen, self.other.desk.cards(&cards, Page::first(9)).await.unwrap());
        let mut world = String::new();
        for card in seen {
            world += &format!(
                "{} {:?} {:?} {:?} {} {:?} {:?} {:?} {:?}\n",
                card.status,
                card.port,
                card.login,
                card.reason,
                card.unread,
                card.remark,
                card.agent,
                card.environment,
                card.actions
            );
            let events = self.cluster.storage.events(card.session, 0, 1000).await.unwrap();
            world += &format!("{:?}\n", events.into_iter().map(|event| happened(&event.body)).collect::<Vec<_>>());
            let vault = self.cluster.storage.vault_list(card.session, "").await.unwrap();
            world += &format!("{:?}\n", vault.into_iter().map(|entry| entry.name).collect::<Vec<_>>());
        }
        let audit = self.cluster.storage.audit(0, 1000).await.unwrap();
        world +=
            &format!("{:?}\n", audit.iter().map(|line| (line.entry.action, line.entry.outcome)).collect::<Vec<_>>());
        let journal = self.cluster.messenger.journal();
        assert!(!journal.overlapped(self.phone.address()));
        let received: Vec<_> = self.ada.received().iter().map(|received| received.text().to_owned()).collect();
        let sent: Vec<_> = journal.sent.iter().map(|sent| sent.times).collect();
        let ends: Vec<_> = journal.connections.iter().map(|connection| connection.end.map(|(end, _)| end)).collect();
        world + &format!("{received:?} {sent:?} {ends:?} {} {}", journal.receipts, self.phone.devices().len())
    }
}

/// An event without the ids that differ from run to run.
fn happened(body: &EventBody) -> String {
    match body {
        EventBody::StatusChanged { .. } => format!("{body:?}"),
        other => format!("{other:?}").split(" {").next().unwrap_or_default().to_owned(),
    }
}

/// Runs the call in both places and compares what it answers, and what has become of the world.
async fn compare(call: impl AsyncFn(&Scene) -> String) {
    let mut ends = Vec::new();
    for by_owner in [true, false] {
        let scene = Scene::set(by_owner).await;
        let answer = call(&scene).await;
        ends.push((answer, scene.world().await));
    }
    let (there, here) = (ends.remove(0), ends.remove(0));
    assert_eq!(there.0, here.0, "what it answers");
    assert_eq!(there.1, here.1, "what becomes of the world");
}

/// The table: a test for each call.
macro_rules! calls {
    ($($name:ident: $call:expr;)*) => {
        $(#[tokio::test(start_paused = true)]
        async fn $name() {
            compare($call).await;
        })*
    };
}

calls! {
    add: async |s: &Scene| {
        let environment = Environment::new().proxy("http://mei:hunter2@proxy.example:8080").unwrap();
        let new = NewAccount::on("simulated").remark("new").bind(id("li")).environment(environment);
        let session = s.desk().add_account(new).await.unwrap();
        let card = s.other.desk.card(session).await.unwrap();
        format!("{} {:?} {:?}", card.status, card.agent, card.environment)
    };
    add_and_start: async |s: &Scene| {
        let session = s.desk().add_and_start(NewAccount::on("simulated"), WhenFull::Fail).await.unwrap();
        let code = s.other.code(session).await;
        assert_eq!(s.calls.code(session).await, code);
        s.cluster.messenger.phone("+4915100000000").scan(&code).unwrap();
        format!("{:?}", s.calls.reaches(session, CardStatus::Online).await.port)
    };
    start_of_a_started_one: async |s: &Scene| {
        let card = s.desk().start(s.session, WhenFull::Fail).await.unwrap();
        format!("{} {:?}", card.status, card.port)
    };
    stop_and_start: async |s: &Scene| {
        let begin = Instant::now();
        let card = s.desk().stop(s.session).await.unwrap();
        assert!(begin.elapsed() <= secs(5), "{:?}", begin.elapsed());
        assert_eq!(s.other.desk.card(s.session).await.unwrap().status, CardStatus::Offline);
        s.desk().start(s.session, WhenFull::Fail).await.unwrap();
        s.reaches(CardStatus::Online).await;
        format!("{} {:?}", card.status, card.port)
    };
    stop_though_the_network_hangs: async |s: &Scene| {
        s.phone.conditions(|now| now.hang = true);
        let begin = Instant::now();
        let card = s.desk().stop(s.session).await.unwrap();
        assert!(begin.elapsed() <= secs(5), "{:?}", begin.elapsed());
        format!("{} {:?}", card.status, card.port)
    };
    restart: async |s: &Scene| {
        let card = s.desk().restart(s.session).await.unwrap();
        s.reaches(CardStatus::Online).await;
        format!("{} {:?}", card.status, card.port)
    };
    log_out_and_refresh_login: async |s: &Scene| {
        let card = s.desk().log_out(s.session).await.unwrap();
        s.reaches(CardStatus::Blocked).await;
        let again = s.desk().refresh_login(s.session).await.unwrap();
        s.scan().await;
        format!("{} {}", card.status, again.status)
    };
    refresh_login_by: async |s: &Scene| {
        s.desk().log_out(s.session).await.unwrap();
        s.reaches(CardStatus::Blocked).await;
        let method = LoginMethod::pairing_code("+8613800138000").unwrap();
        s.desk().refresh_login_by(s.session, method).await.unwrap();
        s.phone.enter_pairing_code(&s.calls.code(s.session).await).unwrap();
        s.reaches(CardStatus::Online).await;
        String::new()
    };
    login_code_of_one_that_is_online: async |s: &Scene| {
        let begin = Instant::now();
        let answer = s.desk().login_code(s.session).await;
        assert!(matches!(answer, Err(Error::NoLoginCode(_))), "{answer:?}");
        format!("{:?}", begin.elapsed())
    };
    set_remark: async |s: &Scene| {
        s.desk().set_remark(s.session, "VIP").await.unwrap();
        s.other.desk.card(s.session).await.unwrap().remark.to_string()
    };
    set_environment: async |s: &Scene| {
        let environment = Environment::new().device_name("desk 7").unwrap();
        s.desk().set_environment(s.session, environment).await.unwrap();
        s.desk().restart(s.session).await.unwrap();
        s.reaches(CardStatus::Online).await;
        sleep(secs(1)).await;
        let journal = s.cluster.messenger.journal();
        format!("{:?}", journal.connections.last().unwrap().device_name)
    };
    assign: async |s: &Scene| {
        s.desk().assign(s.session, Some(&id("li"))).await.unwrap();
        s.ada.write(s.phone.address(), "who is there?");
        s.other.until(s.session, |view| view.card.unread == 2).await;
        format!("{:?}", s.other.desk.card(s.session).await.unwrap().agent)
    };
    delete: async |s: &Scene| {
        let refused = s.desk().delete(s.session).await.unwrap_err();
        s.desk().stop(s.session).await.unwrap();
        s.desk().delete(s.session).await.unwrap();
        let gone = s.other.desk.card(s.session).await;
        assert!(matches!(gone, Err(Error::UnknownSession(_))), "{gone:?}");
        refused.to_string()
    };
    erase: async |s: &Scene| {
        s.desk().stop(s.session).await.unwrap();
        s.desk().erase(s.session).await.unwrap();
        format!("{:?}", s.other.desk.cards(&SessionFilter::default(), Page::first(9)).await.unwrap())
    };
    send_text: async |s: &Scene| {
        let once = || SendOptions::default().key(SendKey::new("greeting").unwrap());
        let message = s.desk().send_text(s.session, s.ada.address(), "good day", once()).await.unwrap();
        // Asked for again, at the other node: it is the same message.
        assert_eq!(s.other.desk.send_text(s.session, s.ada.address(), "good day", once()).await.unwrap(), message);
        eventually("it arrives", || !s.ada.received().is_empty()).await;
        sleep(secs(5)).await;
        let stored = s.desk().message(s.session, s.ada.address(), &message).await.unwrap().unwrap();
        assert_eq!(s.ada.received().len(), 1, "once");
        format!("{:?}", stored.message.status)
    };
    send_media: async |s: &Scene| {
        let mut picture = Media::new(MediaKind::Image, "image/jpeg");
        picture.reference = Some(MediaReference::new("/srv/cat.jpg"));
        s.desk().send_media(s.session, s.ada.address(), picture, SendOptions::default()).await.unwrap();
        eventually("it arrives", || !s.ada.received().is_empty()).await;
        sleep(secs(5)).await;
        s.ada.received().len().to_string()
    };
    cancel_send: async |s: &Scene| {
        s.desk().stop(s.session).await.unwrap();
        let later = SendOptions::default().when_stopped(WhenStopped::Queue);
        let (ada, session) = (s.ada.address(), s.session);
        let message = s.desk().send_text(session, ada, "never mind", later.clone()).await.unwrap();
        let kept = s.other.desk.send_text(session, ada, "do mind", later).await.unwrap();
        s.desk().cancel_send(session, ada, &message).await.unwrap();
        s.other.desk.start(session, WhenFull::Fail).await.unwrap();
        s.reaches(CardStatus::Online).await;
        eventually("the other one arrives", || !s.ada.received().is_empty()).await;
        sleep(secs(5)).await;
        let cancelled = s.other.desk.message(session, ada, &message).await.unwrap().unwrap();
        assert_eq!(cancelled.message.status, MessageStatus::Failed);
        let refused = s.desk().cancel_send(session, ada, &kept).await;
        assert!(matches!(refused, Err(Error::AlreadySent { .. })), "{refused:?}");
        format!("{:?}", cancelled.failure)
    };
    mark_read: async |s: &Scene| {
        s.desk().mark_read(s.session, s.ada.address()).await.unwrap();
        s.other.until(s.session, |view| view.card.unread == 0).await;
        eventually("Ada sees it", || s.ada.seen_by(s.phone.address()).len() == 1).await;
        String::new()
    };
    read_and_search: async |s: &Scene| {
        let desk = s.desk();
        let chats = desk.chats(s.session, Page::first(9)).await.unwrap();
        let messages = desk.messages(s.session, s.ada.address(), Page::first(9)).await.unwrap();
        let contacts = desk.contacts(s.session, Page::first(9)).await.unwrap();
        let found = desk.search_messages(&SearchQuery::new("anybody"), None, 9).await.unwrap();
        let people = desk.search_contacts(&SearchQuery::new("ada"), None, 9).await.unwrap();
        format!("{chats:?} {messages:?} {contacts:?} {found:?} {people:?}").replace(&s.session.to_string(), "it")
    };
    export: async |s: &Scene| {
        let mut export = s.desk().export_session(s.session).await.unwrap();
        let mut lines = 0;
        while export.next().await.unwrap().is_some() {
            lines += 1;
        }
        lines.to_string()
    };
    events: async |s: &Scene| {
        let mut stream = s.desk().events(Cursors::default()).await.unwrap();
        let mut consumer = s.desk().consume(&ConsumerName::new("crm").unwrap()).await.unwrap();
        s.other.desk.set_remark(s.session, "changed there").await.unwrap();
        s.ada.write(s.phone.address(), "one more");
        let (mut told, mut consumed) = (Vec::new(), Vec::new());
        while let Ok(event) = timeout(secs(5), stream.next()).await {
            told.push(happened(&event.unwrap().body));
        }
        while let Ok(event) = timeout(secs(5), consumer.next()).await {
            consumed.push(happened(&event.unwrap().body));
        }
        consumer.acknowledge().await.unwrap();
        assert_eq!(told, consumed);
        let behind = s.other.desk.consumers().await.unwrap();
        format!("{told:?} {behind:?}")
    };
    leads: async |s: &Scene| {
        let query = LeadQuery::last(3, "UTC", s.cluster.clock.now()).unwrap();
        s.desk().send_text(s.session, s.ada.address(), "good day", SendOptions::default()).await.unwrap();
        eventually("it arrives", || !s.ada.received().is_empty()).await;
        sleep(secs(5)).await;
        let report = s.desk().leads(&query).await.unwrap();
        assert_eq!(report.current.total.new + report.current.total.outreach_replies, 1, "{report:?}");
        let csv = s.desk().export_leads(&query, CsvOptions::default()).await.unwrap();
        s.desk().rebuild_leads().await.unwrap();
        assert_eq!(s.other.desk.leads(&query).await.unwrap().current, report.current);
        format!("{:?} {}", report.current.total.new, csv.len())
    };
    cards: async |s: &Scene| {
        let online = SessionFilter { statuses: vec![CardStatus::Online], ..Default::default() };
        let cards = s.desk().cards(&online, Page::first(9)).await.unwrap();
        format!("{} {:?}", cards.len(), cards[0].actions)
    };
    ports: async |s: &Scene| {
        s.calls.seatport.ports().resize(7).await.unwrap();
        format!("{:?}", s.other.seatport.ports().usage().await.unwrap().range)
    };
    audit: async |s: &Scene| {
        let lines = s.desk().audit(0, 100).await.unwrap();
        s.desk().verify_audit(None).await.unwrap();
        lines.len().to_string()
    };
}

fn id(agent: &str) -> AgentId {
    AgentId::new(agent).unwrap()
}

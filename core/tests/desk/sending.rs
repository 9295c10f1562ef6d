//! Sending: once for each key, in order, not too fast, and not at all if it was cancelled in time.

use std::pin::pin;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use seatport::conversation::{
    ChatKind, Content, Media, MediaKind, MediaReference, MessageStatus, SendFailure, StoredMessage,
};
use seatport::lifecycle::{Reason, ReasonKind};
use seatport::memory::MemoryStorage;
use seatport::storage::{Expect, MessageUpdate, SessionCommit, SessionStore};
use seatport::transport::{Ack, ChallengeKind, LoginChallenge, SendError, Signal, TransportCommand};
use seatport::{
    Address, Agent, AgentId, CardStatus, Clock, Desk, Error, MessageId, NewAccount, Page, Role, Seatport, Secret,
    SendKey, SendOptions, SessionId, SystemClock, Timestamp, Timing, WhenFull, WhenStopped,
};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::scripted::{Dial, Line, Scripted, account, address, from, id, online, ready};
use crate::{add, office};

type Done = oneshot::Sender<Result<(), SendError>>;

fn plainly() -> SendOptions {
    SendOptions::default()
}

fn once(key: &str) -> SendOptions {
    plainly().key(SendKey::new(key).unwrap())
}

fn bob() -> Address {
    address("bob")
}

/// The next message that is handed to the network, and what waits for the answer.
async fn handed_over(line: &mut Line) -> (MessageId, Content, Done) {
    loop {
        if let TransportCommand::Send { id, content, done, .. } = line.commands.recv().await.unwrap() {
            return (id, content, done);
        }
    }
}

async fn stored(desk: &Desk, session: SessionId, message: &MessageId) -> StoredMessage {
    desk.message(session, &bob(), message).await.unwrap().unwrap()
}

async fn until(desk: &Desk, session: SessionId, message: &MessageId, status: MessageStatus) -> StoredMessage {
    loop {
        let found = stored(desk, session, message).await;
        if found.message.status == status {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn until_status(desk: &Desk, session: SessionId, status: CardStatus) {
    desk.watch(session).await.unwrap().until(|view| view.card.status == status).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn messages_leave_in_order_with_a_pause_after_each() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let (session, mut line) = online(&desk, &mut lines).await;
    let mut ids = Vec::new();
    for number in 0..40 {
        ids.push(desk.send_text(session, &bob(), format!("{number}"), plainly()).await.unwrap());
    }
    let (mut last, mut pauses) = (None, Vec::new());
    for expected in &ids {
        let (id, _, done) = handed_over(&mut line).await;
        assert_eq!(id, *expected);
        let now = Instant::now();
        pauses.extend(last.replace(now).map(|last| now.duration_since(last).as_millis()));
        done.send(Ok(())).unwrap();
    }
    assert!(pauses.iter().all(|pause| (499..=1502).contains(pause)), "{pauses:?}");
    assert!(pauses.iter().any(|pause| *pause < 800) && pauses.iter().any(|pause| *pause > 1200), "{pauses:?}");
    until(&desk, session, &ids[39], MessageStatus::Sent).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_messages_leave_as_fast_as_the_network_takes_them() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let timing = Timing { send_every: Duration::ZERO, ..Timing::default() };
    let seatport = Seatport::builder().storage(MemoryStorage::new()).transport(transport).timing(timing).build();
    let seatport = seatport.await.unwrap();
    seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
    let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    let (session, mut line) = online(&desk, &mut lines).await;
    for number in 0..40 {
        desk.send_text(session, &bob(), format!("{number}"), plainly()).await.unwrap();
    }
    let begin = Instant::now();
    for number in 0..40 {
        let (_, content, done) = handed_over(&mut line).await;
        assert_eq!(content, Content::Text(number.to_string()));
        done.send(Ok(())).unwrap();
    }
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_pause_goes_on_when_a_message_is_sent_again_on_a_new_connection() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let timing = Timing { send_every: Duration::from_secs(600), ..Timing::default() };
    let seatport = Seatport::builder().storage(MemoryStorage::new()).transport(transport).timing(timing).build();
    let seatport = seatport.await.unwrap();
    seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
    let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    let (session, mut line) = online(&desk, &mut lines).await;
    let message = desk.send_text(session, &bob(), "one", plainly()).await.unwrap();
    let begin = Instant::now();
    handed_over(&mut line).await.2.send(Err(SendError::Later("not now".to_owned()))).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(line);
    let mut line = ready(&desk, session, &mut lines).await;
    let signals = line.signals.clone();
    let alive = tokio::spawn(async move {
        while signals.send(Signal::Alive).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
    });
    assert_eq!(handed_over(&mut line).await.0, message);
    assert!((299..=901).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    alive.abort();
}

#[tokio::test(start_paused = true)]
async fn the_same_key_sends_once_and_only_the_same_message() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let (session, mut line) = online(&desk, &mut lines).await;
    let first = desk.send_text(session, &bob(), "your order", once("17")).await.unwrap();
    handed_over(&mut line).await.2.send(Ok(())).unwrap();
    until(&desk, session, &first, MessageStatus::Sent).await;
    let lines_before = desk.audit(0, 1000).await.unwrap().len();
    assert_eq!(desk.send_text(session, &bob(), "your order", once("17")).await.unwrap(), first);
    assert_eq!(desk.audit(0, 1000).await.unwrap().len(), lines_before, "nothing was done");
    for (chat, text) in [("bob", "another order"), ("ada", "your order")] {
        match desk.send_text(session, &address(chat), text, once("17")).await {
            Err(Error::KeyReused { key, message }) => assert_eq!((key.as_str(), message), ("17", first.clone())),
            other => panic!("{chat}: {other:?}"),
        }
    }
    let other = desk.send_text(session, &bob(), "your order", once("18")).await.unwrap();
    assert_ne!(other, first);
    desk.stop(session).await.unwrap();
    let again = desk.send_text(session, &bob(), "your order", once("17")).await;
    assert_eq!(again.unwrap(), first, "what was sent before needs nothing to be sent");
    assert!(matches!(desk.send_text(session, &bob(), "new", once("19")).await, Err(Error::NotSending { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_that_race_with_one_key_send_one_message() {
    let (mut transport, mut lines) = Scripted::new(Dial::Answers);
    // Both have found the key unused when they meet here.
    transport.meet = Some(Barrier::new(2));
    let (_seatport, desk) = office(transport, 1).await;
    let (session, _line) = online(&desk, &mut lines).await;
    let both = async |key: &'static str, texts: [&'static str; 2]| {
        let [one, other] = texts.map(|text| {
            let desk = desk.clone();
            tokio::spawn(async move { desk.send_text(session, &bob(), text, once(key)).await })
        });
        (one.await.unwrap(), other.await.unwrap())
    };
    let (one, other) = both("17", ["your order", "your order"]).await;
    assert_eq!(one.unwrap(), other.unwrap());
    match both("18", ["your order", "another order"]).await {
        (Ok(sent), Err(Error::KeyReused { message, .. })) | (Err(Error::KeyReused { message, .. }), Ok(sent)) => {
            assert_eq!(sent, message);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(desk.messages(session, &bob(), Page::first(1000)).await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_cancelled_before_its_turn_is_never_handed_over() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let (session, mut line) = online(&desk, &mut lines).await;
    let first = desk.send_text(session, &bob(), "one", plainly()).await.unwrap();
    let second = desk.send_text(session, &bob(), "two", plainly()).await.unwrap();
    let third = desk.send_text(session, &bob(), "three", plainly()).await.unwrap();
    handed_over(&mut line).await.2.send(Ok(())).unwrap();
    until(&desk, session, &first, MessageStatus::Sent).await;
    desk.cancel_send(session, &bob(), &second).await.unwrap();
    desk.cancel_send(session, &bob(), &second).await.unwrap();
    let found = stored(&desk, session, &second).await;
    assert_eq!((found.message.status, found.failure), (MessageStatus::Failed, Some(SendFailure::Cancelled)));
    let (handed, _, done) = handed_over(&mut line).await;
    assert_eq!(handed, third, "the second one is passed over");
    done.send(Err(SendError::Refused("no such number".to_owned()))).unwrap();
    until(&desk, session, &third, MessageStatus::Failed).await;
    for (late, status) in [(&first, MessageStatus::Sent), (&third, MessageStatus::Failed)] {
        match desk.cancel_send(session, &bob(), late).await {
            Err(Error::AlreadySent { message, status: found }) => assert_eq!((&message, found), (late, status)),
            other => panic!("{other:?}"),
        }
    }
    let nothing = desk.cancel_send(session, &bob(), &id("nothing")).await;
    assert!(matches!(nothing, Err(Error::UnknownMessage(_))), "{nothing:?}");
    let (ack, stored) = Ack::new();
    line.signals.send(Signal::Messages { messages: vec![from("bob", "theirs")], ack }).await.unwrap();
    stored.await.unwrap();
    let theirs = desk.cancel_send(session, &bob(), &id("theirs")).await;
    assert!(matches!(theirs, Err(Error::AlreadySent { .. })), "{theirs:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_cancelled_while_it_is_handed_over_may_still_turn_out_to_be_sent() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let (session, mut line) = online(&desk, &mut lines).await;
    let message = desk.send_text(session, &bob(), "one", plainly()).await.unwrap();
    let (_, _, done) = handed_over(&mut line).await;
    desk.cancel_send(session, &bob(), &message).await.unwrap();
    assert_eq!(stored(&desk, session, &message).await.message.status, MessageStatus::Failed);
    done.send(Ok(())).unwrap();
    assert_eq!(until(&desk, session, &message, MessageStatus::Sent).await.failure, None);

    let message = desk.send_text(session, &bob(), "two", plainly()).await.unwrap();
    let (_, _, done) = handed_over(&mut line).await;
    desk.cancel_send(session, &bob(), &message).await.unwrap();
    done.send(Err(SendError::Later("not now".to_owned()))).unwrap();
    let more = tokio::time::timeout(Duration::from_secs(30), line.commands.recv()).await;
    assert!(more.is_err(), "it is not tried again: {more:?}");
}

/// A clock that lets something happen, once, when somebody looks at it.
#[derive(Clone, Default)]
struct Interrupting(Arc<Mutex<Option<Happening>>>);

type Happening = Box<dyn FnOnce() + Send>;

impl std::fmt::Debug for Interrupting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interrupting")
    }
}

impl Clock for Interrupting {
    fn now(&self) -> Timestamp {
        if let Some(happens) = self.0.lock().unwrap().take() {
            happens();
        }
        SystemClock.now()
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_sent_while_somebody_cancels_it_is_not_said_to_be_cancelled() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (storage, clock) = (MemoryStorage::new(), Interrupting::default());
    let builder = Seatport::builder().storage(storage.clone()).transport(transport).clock(clock.clone());
    let seatport = builder.build().await.unwrap();
    seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
    let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    let (session, mut line) = online(&desk, &mut lines).await;
    let message = desk.send_text(session, &bob(), "one", plainly()).await.unwrap();
    let (_, _, _done) = handed_over(&mut line).await;
    let (chat, id, status) = (bob(), message.clone(), MessageStatus::Sent);
    *clock.0.lock().unwrap() = Some(Box::new(move || {
        let mut commit = SessionCommit::new(session, SystemClock.now(), Expect::Present);
        commit.updates.push(MessageUpdate { chat, id, status, failure: None });
        // This storage never waits.
        let landed = pin!(storage.commit(commit)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(landed, Poll::Ready(Ok(_))));
    }));
    let late = desk.cancel_send(session, &bob(), &message).await;
    assert!(matches!(late, Err(Error::AlreadySent { status: MessageStatus::Sent, .. })), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_will_not_connect_by_itself_refuses_unless_it_is_told_to_keep_the_message() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let patient = || plainly().when_stopped(WhenStopped::Queue);
    let session = add(&desk).await;
    let refused = async |options: SendOptions, expected: CardStatus| match desk
        .send_text(session, &bob(), "hello", options)
        .await
    {
        Err(Error::NotSending { state, .. }) => assert_eq!(state, expected),
        other => panic!("{expected}: {other:?}"),
    };
    refused(plainly(), CardStatus::NotStarted).await;
    refused(patient(), CardStatus::NotStarted).await;

    desk.start(session, WhenFull::Fail).await.unwrap();
    let line = ready(&desk, session, &mut lines).await;
    line.signals.send(Signal::Rejected(Reason::new(ReasonKind::LoggedOut))).await.unwrap();
    until_status(&desk, session, CardStatus::Blocked).await;
    refused(plainly(), CardStatus::Blocked).await;
    let one = desk.send_text(session, &bob(), "one", patient()).await.unwrap();

    desk.refresh_login(session).await.unwrap();
    let line = lines.recv().await.unwrap();
    refused(plainly(), CardStatus::Connecting).await;
    let code = LoginChallenge {
        kind: ChallengeKind::Qr,
        code: Secret::new("code"),
        sequence: 1,
        expires_at: SystemClock.now() + Duration::from_secs(60),
    };
    line.signals.send(Signal::Challenge(code)).await.unwrap();
    until_status(&desk, session, CardStatus::AwaitingLogin).await;
    refused(plainly(), CardStatus::AwaitingLogin).await;
    let two = desk.send_text(session, &bob(), "two", patient()).await.unwrap();

    desk.stop(session).await.unwrap();
    refused(plainly(), CardStatus::Offline).await;
    let three = desk.send_text(session, &bob(), "three", patient()).await.unwrap();
    assert_eq!(stored(&desk, session, &one).await.message.status, MessageStatus::Pending);

    desk.start(session, WhenFull::Fail).await.unwrap();
    let mut line = ready(&desk, session, &mut lines).await;
    for expected in [one, two, three] {
        let (id, _, done) = handed_over(&mut line).await;
        assert_eq!(id, expected, "in the order in which they were handed in");
        done.send(Ok(())).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_waits_while_the_session_connects() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let (session, line) = online(&desk, &mut lines).await;
    drop(line);
    until_status(&desk, session, CardStatus::Connecting).await;
    let message = desk.send_text(session, &bob(), "one", plainly()).await.unwrap();
    let mut line = ready(&desk, session, &mut lines).await;
    assert_eq!(handed_over(&mut line).await.0, message);
}

#[tokio::test(start_paused = true)]
async fn what_was_written_for_one_account_is_not_said_by_another() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let builder = Seatport::builder().storage(MemoryStorage::new()).transport(transport).allow_account_change();
    let seatport = builder.build().await.unwrap();
    seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
    let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    let (session, line) = online(&desk, &mut lines).await;
    desk.stop(session).await.unwrap();
    drop(line);
    let patient = plainly().when_stopped(WhenStopped::Queue);
    let before = desk.send_text(session, &bob(), "from a", patient).await.unwrap();
    desk.start(session, WhenFull::Fail).await.unwrap();
    let mut line = lines.recv().await.unwrap();
    line.signals.send(Signal::Ready { account: account("b") }).await.unwrap();
    until_status(&desk, session, CardStatus::Online).await;
    let after = desk.send_text(session, &bob(), "from b", plainly()).await.unwrap();
    assert_eq!(handed_over(&mut line).await.0, after);
    let found = stored(&desk, session, &before).await;
    assert_eq!((found.message.status, found.failure), (MessageStatus::Failed, Some(SendFailure::Cancelled)));
}

fn picture() -> Media {
    let mut picture = Media::new(MediaKind::Image, "image/jpeg");
    picture.reference = Some(MediaReference::new("/srv/picture.jpg"));
    picture
}

#[tokio::test(start_paused = true)]
async fn media_goes_where_the_transport_can_send_it() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let (session, _line) = online(&desk, &mut lines).await;
    let refused = desk.send_media(session, &bob(), picture(), plainly()).await.unwrap_err();
    assert_eq!(refused.to_string(), "transport scripted cannot send media; leave that out, or use another network");

    let (mut transport, mut lines) = Scripted::new(Dial::Answers);
    transport.media = true;
    let (_seatport, desk) = office(transport, 1).await;
    let (session, mut line) = online(&desk, &mut lines).await;
    let mut sound = picture();
    sound.caption = Some("two\r\nlines".to_owned());
    let message = desk.send_media(session, &bob(), sound.clone(), once("picture")).await.unwrap();
    let (handed, content, _done) = handed_over(&mut line).await;
    assert_eq!(handed, message);
    sound.caption = Some("two\nlines".to_owned());
    assert_eq!(content, Content::Media(sound.clone()));
    assert_eq!(desk.send_media(session, &bob(), sound, once("picture")).await.unwrap(), message);
    let other = desk.send_media(session, &bob(), picture(), once("picture")).await;
    assert!(matches!(other, Err(Error::KeyReused { .. })), "{other:?}");
}

#[tokio::test(start_paused = true)]
async fn media_that_makes_no_sense_is_refused() {
    let (mut transport, mut lines) = Scripted::new(Dial::Answers);
    transport.media = true;
    let (_seatport, desk) = office(transport, 1).await;
    let (session, _line) = online(&desk, &mut lines).await;
    let with = |change: fn(&mut Media)| {
        let mut media = picture();
        change(&mut media);
        media
    };
    for (media, field) in [
        (with(|media| media.reference = None), "media"),
        (with(|media| media.reference = Some(MediaReference::new(""))), "media"),
        (with(|media| media.mime_type = "jpeg".to_owned()), "MIME type"),
        (with(|media| media.mime_type = "image/".to_owned()), "MIME type"),
        (with(|media| media.mime_type = "image/j\np".to_owned()), "MIME type"),
        (with(|media| media.file_name = Some(String::new())), "file name"),
        (with(|media| media.file_name = Some("a\u{7}b".to_owned())), "file name"),
        (with(|media| media.caption = Some("x".repeat(70_000))), "caption"),
    ] {
        match desk.send_media(session, &bob(), media, plainly()).await {
            Err(Error::Invalid(invalid)) => assert_eq!(invalid.field, field, "{invalid}"),
            other => panic!("{field}: {other:?}"),
        }
    }
    assert!(desk.chats(session, Page::first(10)).await.unwrap().is_empty(), "nothing was stored");
}

#[tokio::test(start_paused = true)]
async fn an_answer_names_the_message_it_answers() {
    let (transport, mut lines) = Scripted::new(Dial::Answers);
    let (_seatport, desk) = office(transport, 1).await;
    let (session, mut line) = online(&desk, &mut lines).await;
    let (ack, stored) = Ack::new();
    let mut question = from("friends", "question");
    (question.kind, question.sender) = (ChatKind::Group, bob());
    line.signals.send(Signal::Messages { messages: vec![question], ack }).await.unwrap();
    stored.await.unwrap();
    let friends = address("friends");
    let unknown = desk.send_text(session, &friends, "yes", plainly().quoting(id("nothing"))).await;
    assert!(matches!(unknown, Err(Error::UnknownMessage(_))), "{unknown:?}");
    desk.send_text(session, &friends, "yes", plainly().quoting(id("question"))).await.unwrap();
    match line.commands.recv().await {
        Some(TransportCommand::Send { quoted, .. }) => assert_eq!(quoted, Some(id("question"))),
        other => panic!("{other:?}"),
    }
    assert_eq!(desk.chat(session, &friends).await.unwrap().kind, ChatKind::Group, "it stays what it is");
    let session = desk.add_account(NewAccount::on("scripted")).await.unwrap();
    assert!(matches!(desk.send_text(session, &bob(), "x", plainly()).await, Err(Error::NotSending { .. })));
}

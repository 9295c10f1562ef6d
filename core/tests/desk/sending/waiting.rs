//! What is handed in while the session is not online.

use std::time::Duration;

use seatport::conversation::{MessageStatus, SendFailure};
use seatport::lifecycle::{Reason, ReasonKind};
use seatport::memory::MemoryStorage;
use seatport::transport::{ChallengeKind, LoginChallenge, Signal};
use seatport::{
    Agent, AgentId, CardStatus, Clock, Error, Role, Seatport, Secret, SendOptions, SystemClock, WhenFull, WhenStopped,
};

use super::{bob, handed_over, plainly, stored, until_status};
use crate::scripted::{Dial, Scripted, account, online, ready};
use crate::{add, office};

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

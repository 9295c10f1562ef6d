//! Every write that carries a fence.

use seatport::conversation::{Amendment, AmendmentChange, ChatKind, ChatUpdate, ContactUpdate, MessageStatus};
use seatport::lifecycle::PortChange;
use seatport::storage::{
    ChatNews, Fence, Identity, MessageUpdate, ReadMark, SessionCommit, Storage, StorageError, StorageErrorKind,
    VaultWrite,
};
use seatport::{Action, AgentId, AuditEntry, EventBody, MessageId, Outcome, SessionId};

use crate::sample::{ANN, FROM_ANN, TO_ANN, address, commit, inbound, now, online};

/// A commit for each of its fields, and one with several. `mark` makes its content differ from that of other tries.
pub(crate) fn commits(session: SessionId, mark: &str) -> Vec<(&'static str, SessionCommit)> {
    let id = |text: &str| MessageId::new(text).unwrap();
    let seal = |text: &str| VaultWrite { name: "net/credentials".into(), sealed: Some(text.as_bytes().to_vec()) };
    let chat = ChatUpdate { archived: Some(true), ..ChatUpdate::new(address(ANN), ChatKind::Person) };
    let change = |change| Amendment {
        chat: address(ANN),
        target: id(FROM_ANN),
        id: id(&format!("amendment-{mark}")),
        sender: address(ANN),
        at: now(),
        change,
    };
    let update = MessageUpdate { chat: address(ANN), id: id(TO_ANN), status: MessageStatus::Sent, failure: None };
    let audit = AuditEntry {
        at: now(),
        agent: AgentId::new("mei").unwrap(),
        action: Action::Stop,
        session: Some(session),
        outcome: Outcome::Done,
    };
    let base = || commit(session);
    let mut commits = vec![
        ("events", SessionCommit { events: vec![EventBody::RemarkChanged], ..base() }),
        ("audit", SessionCommit { audit: vec![audit], ..base() }),
        ("record", SessionCommit { record: Some(online(session)), ..base() }),
        ("messages", SessionCommit { messages: vec![inbound(&format!("message-{mark}"))], ..base() }),
        (
            "contacts",
            SessionCommit {
                contacts: vec![ContactUpdate { saved_name: Some(mark.to_owned()), ..ContactUpdate::new(address(ANN)) }],
                ..base()
            },
        ),
        ("chats", SessionCommit { chats: vec![ChatNews { update: chat, person: None }], ..base() }),
        ("updates", SessionCommit { updates: vec![update], ..base() }),
        ("amendments", SessionCommit { amendments: vec![change(AmendmentChange::React(Some("👍".into())))], ..base() }),
        ("read", SessionCommit { read: vec![ReadMark { chat: address(ANN), up_to: None, tell: true }], ..base() }),
        ("told", SessionCommit { told: vec![(address(ANN), id(FROM_ANN))], ..base() }),
        ("vault", SessionCommit { vault: vec![seal(mark)], ..base() }),
        ("forget_credentials", SessionCommit { forget_credentials: true, ..base() }),
        (
            "identities",
            SessionCommit {
                identities: vec![Identity { address: address(ANN), canonical: address("anna@net"), persons: None }],
                ..base()
            },
        ),
        ("port released", SessionCommit { port: PortChange::Release, ..base() }),
        ("port claimed", SessionCommit { port: PortChange::Claim, ..base() }),
    ];
    let mut everything = base();
    everything.record = Some(online(session));
    everything.messages = vec![inbound(&format!("everything-{mark}"))];
    everything.vault = vec![seal("everything")];
    everything.events = vec![EventBody::RemarkChanged];
    commits.push(("everything", everything));
    commits
}

/// Tries all of them under this fence, one after the other; answers what came of each. `look` is called after each.
pub(crate) async fn try_all(
    storage: &dyn Storage,
    session: SessionId,
    fence: Fence,
    mut look: impl FnMut(&'static str, Result<(), StorageErrorKind>),
) {
    let kind = |result: Result<(), StorageError>| result.map_err(|error| error.kind());
    for (what, commit) in commits(session, &fence.node.to_string()) {
        let commit = SessionCommit { fence: Some(fence), ..commit };
        look(what, kind(storage.commit(commit).await.map(drop)));
    }
    let seal = VaultWrite { name: "net/more".into(), sealed: Some(b"more".to_vec()) };
    look("vault_write", kind(storage.vault_write(session, fence, vec![seal]).await));
}

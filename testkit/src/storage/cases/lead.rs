//! Leads: what the ledger is told by commits, and what comes of it.

use seatport::conversation::{Author, ChatKind, ChatUpdate, Content, MessageStatus};
use seatport::leads::{EntryClass, LeadEntry, LeadTotal, LeadWindow, Replier, Reply, Windows};
use seatport::lifecycle::Desired;
use seatport::storage::{ChatNews, Incoming, SessionCommit, Storage};
use seatport::{SessionRecord, Timestamp};

use crate::storage::Backend;
use crate::storage::sample::{
    about, adding, address, agent_id, at, commit, id, inbound, message_id, online, outbound, person, saying, storing,
    update,
};
use crate::storage::snapshot::ALWAYS;

const DAY: i64 = 24 * 60 * 60;

/// The second at which a quarter of an hour begins.
const QUARTER: i64 = 100;

/// The record of a running session that Mei is bound to, whose account logged in at second 0.
pub(super) fn of_mei(number: u64) -> SessionRecord {
    SessionRecord { agent: Some(agent_id("mei")), ..online(number) }
}

/// A commit that writes a record at this second.
pub(super) fn recording(record: SessionRecord, second: i64) -> SessionCommit {
    let commit = SessionCommit { at: at(second), ..commit(0) };
    SessionCommit { session: record.id, record: Some(record), ..commit }
}

/// Adds running sessions that Mei is bound to.
pub(super) async fn begin(storage: &dyn Storage, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        storage.commit(adding(of_mei(number))).await.unwrap();
    }
}

/// A message from the person of this number, in a chat of their own.
pub(super) fn wrote(number: u8, id: &str, second: i64) -> Incoming {
    about(inbound(&format!("p{number}@net"), id, second), number)
}

/// A message of Mei's to the person of this number, taken by the network.
pub(super) fn answered(number: u8, id: &str, second: i64) -> Incoming {
    let mut incoming = about(outbound(&format!("p{number}@net"), id, second), number);
    incoming.message.status = MessageStatus::Sent;
    incoming
}

pub(super) const ALL_WINDOWS: [LeadWindow; 4] = LeadWindow::ALL;

pub(super) fn lead(windows: &[LeadWindow]) -> EntryClass {
    EntryClass::Lead { new_in: windows.iter().fold(Windows::default(), |set, window| set.with(*window)) }
}

/// The entry of a visit to a running session that Mei is bound to.
pub(super) fn entry(session: u64, second: i64, class: EntryClass) -> LeadEntry {
    let quarter = (at(second).as_millis()).div_euclid(900_000) * 900_000;
    LeadEntry {
        quarter: Timestamp::from_millis(quarter),
        session: id(session),
        agent: Some(agent_id("mei")),
        class,
        late: false,
        reply: None,
    }
}

/// The totals with one visit of each entry.
pub(super) fn once(entries: impl IntoIterator<Item = LeadEntry>) -> Vec<LeadTotal> {
    let mut totals: Vec<_> = entries.into_iter().map(|entry| LeadTotal { entry, count: 1 }).collect();
    totals.sort();
    totals
}

pub(super) async fn totals(storage: &dyn Storage) -> Vec<LeadTotal> {
    storage.lead_totals(ALWAYS.0, ALWAYS.1).await.unwrap()
}

pub(crate) async fn the_first_message_is_new(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    begin(&*storage, [1]).await;
    let mut system = wrote(2, "s", 200);
    system.message.content = Content::System("encryption changed".into());
    let mut nobody = inbound("group@net", "g", 200);
    nobody.kind = ChatKind::Group;
    let mut sealed = wrote(3, "u", QUARTER + 900);
    sealed.message.content = Content::Undecryptable;
    storage.commit(storing(1, [wrote(1, "a", QUARTER), system, nobody, sealed])).await.unwrap();
    let expected = [entry(1, QUARTER, lead(&ALL_WINDOWS)), entry(1, QUARTER + 900, lead(&ALL_WINDOWS))];
    assert_eq!(totals(&*storage).await, once(expected.clone()));

    // The same once more, filled in, elsewhere in time, or the next of the same visit: nothing is counted twice.
    let again = [
        wrote(1, "a", QUARTER),
        wrote(1, "a", QUARTER + 9_000),
        saying(wrote(3, "u", QUARTER + 900), "decrypted"),
        wrote(1, "b", QUARTER + DAY - 1),
    ];
    storage.commit(storing(1, again)).await.unwrap();
    assert_eq!(totals(&*storage).await, once(expected));
}

pub(crate) async fn elsewhere_the_same_person_is_a_duplicate(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    begin(&*storage, [1, 2, 3]).await;
    storage.commit(storing(2, [wrote(1, "b", QUARTER + DAY)])).await.unwrap();
    storage.commit(storing(3, [wrote(1, "c", QUARTER + 8 * DAY)])).await.unwrap();
    // The first of them is told last.
    storage.commit(storing(1, [wrote(1, "a", QUARTER)])).await.unwrap();
    let expected = [
        entry(1, QUARTER, lead(&ALL_WINDOWS)),
        entry(2, QUARTER + DAY, lead(&[])),
        entry(3, QUARTER + 8 * DAY, lead(&[LeadWindow::Days7])),
    ];
    assert_eq!(totals(&*storage).await, once(expected));
}

pub(crate) async fn after_a_day_of_silence_it_is_a_returning_one(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    begin(&*storage, [1]).await;
    let messages = [wrote(1, "a", QUARTER), wrote(1, "b", QUARTER + 10), wrote(1, "c", QUARTER + 10 + DAY)];
    storage.commit(storing(1, messages)).await.unwrap();
    let expected = [entry(1, QUARTER, lead(&ALL_WINDOWS)), entry(1, QUARTER + 10 + DAY, EntryClass::Returning)];
    assert_eq!(totals(&*storage).await, once(expected.clone()));
    // A late one in between makes it one visit.
    storage.commit(storing(1, [wrote(1, "late", QUARTER + 20)])).await.unwrap();
    assert_eq!(totals(&*storage).await, once(expected[..1].to_vec()));
}

pub(crate) async fn who_was_there_before_counts_as_nothing(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    begin(&*storage, [1]).await;
    let historical = |incoming| Incoming { historical: true, ..incoming };
    let known = |number: u8, second| ChatNews {
        update: ChatUpdate {
            active_at: Some(at(second)),
            ..ChatUpdate::new(address(&format!("p{number}@net")), ChatKind::Person)
        },
        person: Some(person(number)),
    };
    storage.commit(storing(1, [historical(wrote(1, "old", -9)), historical(answered(2, "old", -9))])).await.unwrap();
    storage.commit(SessionCommit { chats: vec![known(3, -9), known(4, 9)], ..commit(1) }).await.unwrap();
    storage.commit(storing(1, [1, 2, 3, 4].map(|number| wrote(number, "new", QUARTER)))).await.unwrap();
    // Only the fourth was not there before the login. Of the fifth it is learnt afterwards.
    let new = entry(1, QUARTER, lead(&ALL_WINDOWS));
    assert_eq!(totals(&*storage).await, once([new.clone()]));
    storage.commit(storing(1, [wrote(5, "new", QUARTER), wrote(5, "back", QUARTER + 2 * DAY)])).await.unwrap();
    assert_eq!(totals(&*storage).await.len(), 2);
    storage.commit(storing(1, [historical(wrote(5, "old", -9))])).await.unwrap();
    assert_eq!(totals(&*storage).await, once([new]));
}

pub(crate) async fn who_answers_us_is_an_outreach_reply(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    begin(&*storage, [1]).await;
    let pending = about(outbound("p2@net", "ours", QUARTER), 2);
    let device = |mut incoming: Incoming| {
        incoming.message.author = Some(Author::Device);
        incoming
    };
    storage
        .commit(storing(1, [answered(1, "ours", QUARTER), pending, device(answered(3, "o", QUARTER))]))
        .await
        .unwrap();
    storage.commit(storing(1, [1, 2, 3].map(|number| wrote(number, "theirs", QUARTER + 60)))).await.unwrap();
    let reply = entry(1, QUARTER, EntryClass::OutreachReply);
    let mut expected = once([reply.clone(), entry(1, QUARTER, lead(&ALL_WINDOWS))]);
    expected.iter_mut().filter(|total| total.entry == reply).for_each(|total| total.count = 2);
    assert_eq!(totals(&*storage).await, expected, "the second was not taken by the network yet");

    // What failed never reached anybody; once the network has taken it, it counts from when it was written.
    let to = |status| SessionCommit { updates: vec![update("p2@net", "ours", status)], ..commit(1) };
    storage.commit(to(MessageStatus::Failed)).await.unwrap();
    assert_eq!(totals(&*storage).await, expected);
    storage.commit(to(MessageStatus::Delivered)).await.unwrap();
    assert_eq!(totals(&*storage).await, [LeadTotal { entry: reply, count: 3 }]);
}

pub(crate) async fn the_first_answer_is_kept_with_the_lead(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    begin(&*storage, [1]).await;
    let replied =
        |second, by, seconds| LeadEntry { reply: Some(Reply { by, seconds }), ..entry(1, second, lead(&ALL_WINDOWS)) };
    let mei = || Replier::Agent(agent_id("mei"));
    storage.commit(storing(1, [wrote(1, "a", QUARTER), wrote(2, "a", QUARTER + 900)])).await.unwrap();
    let mut device = answered(1, "o", QUARTER + 95);
    device.message.author = Some(Author::Device);
    storage.commit(storing(1, [device])).await.unwrap();
    let unanswered = entry(1, QUARTER + 900, lead(&ALL_WINDOWS));
    assert_eq!(totals(&*storage).await, once([replied(QUARTER, Replier::Device, 95), unanswered.clone()]));

    // An earlier one is learnt later; and one that the network takes later, of a chat whose person is remembered.
    let pending = Incoming::new(outbound("p2@net", "o", QUARTER + 907).message);
    storage
        .commit(storing(1, [answered(1, "p", QUARTER + 30), answered(1, "q", QUARTER + 99), pending]))
        .await
        .unwrap();
    assert_eq!(totals(&*storage).await, once([replied(QUARTER, mei(), 30), unanswered]));
    let updates = vec![update("p2@net", "o", MessageStatus::Sent)];
    storage.commit(SessionCommit { updates, ..commit(1) }).await.unwrap();
    let expected = once([replied(QUARTER, mei(), 30), replied(QUARTER + 900, mei(), 7)]);
    assert_eq!(totals(&*storage).await, expected);

    let updates = vec![update("p2@net", "o", MessageStatus::Read), update("p1@net", "a", MessageStatus::Read)];
    storage.commit(SessionCommit { updates, ..commit(1) }).await.unwrap();
    assert_eq!(totals(&*storage).await, expected);
}

pub(crate) async fn what_came_while_it_was_stopped_is_late(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    begin(&*storage, [1]).await;
    let mut stopped = of_mei(1);
    stopped.facts.desired = Desired::Stopped;
    storage.commit(recording(stopped, 1_000)).await.unwrap();
    storage.commit(recording(of_mei(1), 5_000)).await.unwrap();
    // All of them come once it runs again; the network's time decides.
    let seconds = [999, 1_000, 4_999, 5_000];
    let messages = (0..).zip(seconds).map(|(number, second)| wrote(number, "a", second));
    storage.commit(SessionCommit { at: at(6_000), ..storing(1, messages) }).await.unwrap();
    let late = |second| LeadEntry { late: true, ..entry(1, second, lead(&ALL_WINDOWS)) };
    let in_time = |second| entry(1, second, lead(&ALL_WINDOWS));
    assert_eq!(totals(&*storage).await, once([in_time(999), late(1_000), late(4_999), in_time(5_000)]));
}

pub(crate) async fn it_belongs_to_the_agent_bound_when_it_came(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    begin(&*storage, [1]).await;
    let bound = |agent: Option<&str>| SessionRecord { agent: agent.map(agent_id), ..of_mei(1) };
    storage.commit(recording(bound(Some("li")), 1_000)).await.unwrap();
    storage.commit(recording(bound(Some("li")), 2_000)).await.unwrap();
    storage.commit(recording(bound(None), 3_000)).await.unwrap();
    let messages = (0..).zip([900, 1_000, 2_999, 3_000, -500]).map(|(number, second)| wrote(number, "a", second));
    storage.commit(SessionCommit { at: at(6_000), ..storing(1, messages) }).await.unwrap();
    let of =
        |agent: Option<&str>, second| LeadEntry { agent: agent.map(agent_id), ..entry(1, second, lead(&ALL_WINDOWS)) };
    // What came before the session was added counts as nothing here, for the account had not logged in.
    let expected = [of(Some("mei"), 900), of(Some("li"), 1_000), of(Some("li"), 2_999), of(None, 3_000)];
    assert_eq!(totals(&*storage).await, once(expected));

    // Reassigning, later, rewrites nothing; a record and a message of one commit belong together.
    let mut both = recording(bound(Some("zoe")), 7_000);
    both.messages = vec![wrote(9, "a", 7_000)];
    storage.commit(both).await.unwrap();
    let last = totals(&*storage).await.pop().map(|total| (total.entry.agent, total.entry.quarter));
    assert_eq!(last, Some((Some(agent_id("zoe")), at(QUARTER + 7 * 900))));
}

pub(crate) async fn a_chat_known_by_another_key_is_of_one_person(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    begin(&*storage, [1, 2]).await;
    storage.commit(storing(1, [wrote(1, "a", QUARTER)])).await.unwrap();
    // The network has told the phone number by now: the same chat, another key.
    let renamed = Incoming { person: Some(person(7)), ..wrote(1, "b", QUARTER + 5) };
    storage.commit(storing(1, [renamed])).await.unwrap();
    storage.commit(storing(2, [wrote(7, "c", QUARTER + 60)])).await.unwrap();
    let expected = [entry(1, QUARTER, lead(&ALL_WINDOWS)), entry(2, QUARTER + 60, lead(&[]))];
    assert_eq!(totals(&*storage).await, once(expected));
    assert_eq!(storage.lead_adjustments(ALWAYS.0, ALWAYS.1).await.unwrap(), [], "it was never counted otherwise");
    let stored = storage.message(id(1), &address("p1@net"), &message_id("b")).await.unwrap();
    assert!(stored.is_some());
}

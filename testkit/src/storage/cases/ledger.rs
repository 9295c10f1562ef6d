//! The ledger of leads: its totals and corrections, what outlives a session, and its key.

use std::collections::{BTreeMap, BTreeSet};

use seatport::conversation::{ChatKind, ChatUpdate, Direction, MessageStatus};
use seatport::leads::{AdjustmentReason, EntryClass, Fact, LeadAdjustment, LeadEntry, LeadTotal, Tables, ledger};
use seatport::lifecycle::{Desired, Lifecycle};
use seatport::storage::{ChatNews, Deletion, Identity, Incoming, PersonIs, SessionCommit, Storage};
use seatport::{Action, Address, MessageId, Random, SessionId, SessionRecord};

use crate::storage::Backend;
use crate::storage::cases::lead::{ALL_WINDOWS, answered, begin, entry, lead, of_mei, once, recording, totals, wrote};
use crate::storage::sample::{address, agent_id, at, audit, commit, id, online, person, storing, update};
use crate::storage::snapshot::{ALWAYS, Snapshot};

const DAY: i64 = 24 * 60 * 60;
const QUARTER: i64 = 100;

async fn adjustments(storage: &dyn Storage) -> Vec<LeadAdjustment> {
    storage.lead_adjustments(ALWAYS.0, ALWAYS.1).await.unwrap()
}

/// Says that two keys are one person's, whatever the addresses.
fn same_person(session: u64, alias: u8, other: u8, second: i64) -> SessionCommit {
    let persons = Some(PersonIs { alias: person(alias), person: person(other) });
    let known = address(&format!("p{other}@net"));
    let identities = vec![Identity { address: known.clone(), canonical: known, persons }];
    SessionCommit { identities, at: at(second), ..commit(session) }
}

/// Brings a session to rest and deletes it.
async fn delete(storage: &dyn Storage, number: u64, deletion: Deletion) {
    let mut at_rest = of_mei(number);
    at_rest.facts.lifecycle = Lifecycle::Stopped;
    let revision = storage.commit(recording(at_rest, 50_000)).await.unwrap().revision;
    storage.delete(id(number), revision, deletion, audit(number, Action::Delete)).await.unwrap();
}

pub(crate) async fn totals_are_of_the_time_asked_for(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    assert_eq!(totals(&*storage).await, []);
    begin(&*storage, [2, 1]).await;
    // Two quarters of an hour with several visits each, told in no order.
    for (session, number, second) in
        [(2, 1, QUARTER + 900), (1, 2, QUARTER), (2, 3, QUARTER + 899), (1, 4, QUARTER + 1_799), (1, 5, QUARTER + 1)]
    {
        storage.commit(storing(session, [wrote(number, "a", second)])).await.unwrap();
    }
    let total = |session, second, count| LeadTotal { entry: entry(session, second, lead(&ALL_WINDOWS)), count };
    let (first, second) = (QUARTER, QUARTER + 900);
    let all = [total(1, first, 2), total(2, first, 1), total(1, second, 1), total(2, second, 1)];
    assert_eq!(totals(&*storage).await, all, "in the order of the entries");
    let between = async |from, until| storage.lead_totals(at(from), at(until)).await.unwrap();
    assert_eq!(between(first, second).await, all[..2], "from a time on, and before another");
    assert_eq!(between(second, second + 1).await, all[2..]);
    assert_eq!(between(first + 1, second).await, []);
    assert_eq!(between(second, first).await, []);
    assert_eq!(between(first, first).await, []);
}

pub(crate) async fn a_merge_is_corrected_visibly(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    begin(&*storage, [1, 2]).await;
    storage.commit(storing(1, [wrote(1, "a", QUARTER)])).await.unwrap();
    storage.commit(storing(2, [wrote(2, "b", QUARTER + 900)])).await.unwrap();
    let (first, was) = (entry(1, QUARTER, lead(&ALL_WINDOWS)), entry(2, QUARTER + 900, lead(&ALL_WINDOWS)));
    assert_eq!(totals(&*storage).await, once([first.clone(), was.clone()]));

    storage.commit(same_person(1, 1, 2, 777)).await.unwrap();
    let is = entry(2, QUARTER + 900, lead(&[]));
    assert_eq!(totals(&*storage).await, once([first, is.clone()]));
    let correction =
        |entry, change| LeadAdjustment { posted_at: at(777), reason: AdjustmentReason::Merged, entry, change };
    let mut expected = [correction(is, 1), correction(was, -1)];
    let mut found = adjustments(&*storage).await;
    expected.sort_by_key(|made| made.change);
    found.sort_by_key(|made| made.change);
    assert_eq!(found, expected);
    assert_eq!(storage.lead_adjustments(at(QUARTER), at(QUARTER + 900)).await.unwrap(), [], "of another time");
    let before = Snapshot::of(&*storage).await;
    for again in [same_person(1, 1, 2, 999), same_person(2, 2, 1, 999), same_person(2, 2, 2, 999)] {
        storage.commit(again).await.unwrap();
        assert_eq!(Snapshot::of(&*storage).await, before, "done before");
    }
    // Keys that nobody has heard of yet are remembered.
    storage.commit(same_person(1, 8, 9, 999)).await.unwrap();
    storage.commit(storing(1, [wrote(8, "c", QUARTER)])).await.unwrap();
    storage.commit(storing(2, [wrote(9, "d", QUARTER + 1_800)])).await.unwrap();
    let last = totals(&*storage).await.pop().map(|total| total.entry);
    assert_eq!(last, Some(entry(2, QUARTER + 1_800, lead(&[]))));
}

pub(crate) async fn what_is_learnt_after_two_days_is_a_correction(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    begin(&*storage, [1]).await;
    let told = |number, second, now| SessionCommit { at: at(now), ..storing(1, [wrote(number, "a", second)]) };
    storage.commit(told(1, QUARTER, QUARTER + 2 * DAY - 1)).await.unwrap();
    assert_eq!(adjustments(&*storage).await, [], "in time");
    storage.commit(told(2, QUARTER + 900, QUARTER + 5 * DAY)).await.unwrap();
    storage.commit(told(3, QUARTER, QUARTER + 4 * DAY)).await.unwrap();
    let late = |second, now| LeadAdjustment {
        posted_at: at(now),
        reason: AdjustmentReason::Late,
        entry: entry(1, second, lead(&ALL_WINDOWS)),
        change: 1,
    };
    let made = [late(QUARTER + 900, QUARTER + 5 * DAY), late(QUARTER, QUARTER + 4 * DAY)];
    assert_eq!(adjustments(&*storage).await, made, "in the order in which they were made");
    let between = async |from, until| storage.lead_adjustments(at(from), at(until)).await.unwrap();
    assert_eq!(between(QUARTER, QUARTER + 900).await, made[1..], "by the quarter of an hour they correct");
    assert_eq!(between(QUARTER + 900, QUARTER + 901).await, made[..1]);
    let counted: u64 = totals(&*storage).await.iter().map(|total| total.count).sum();
    assert_eq!(counted, 3, "the totals hold them already");
}

pub(crate) async fn after_a_deletion_a_person_is_still_known(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    begin(&*storage, [1, 2]).await;
    storage.commit(storing(1, [wrote(1, "a", QUARTER), answered(1, "b", QUARTER + 9)])).await.unwrap();
    let before = totals(&*storage).await;
    delete(&*storage, 1, Deletion::Delete).await;
    assert_eq!(totals(&*storage).await, before, "no total changes");
    storage.commit(storing(2, [wrote(1, "c", QUARTER + DAY)])).await.unwrap();
    let second = entry(2, QUARTER + DAY, lead(&[]));
    assert!(totals(&*storage).await.contains(&LeadTotal { entry: second, count: 1 }), "not new");
}

pub(crate) async fn after_an_erasure_a_person_is_new(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    begin(&*storage, [1, 2, 3]).await;
    let messages = [wrote(1, "a", QUARTER), answered(1, "b", QUARTER + 9), wrote(1, "back", QUARTER + 3 * DAY)];
    storage.commit(storing(1, messages)).await.unwrap();
    storage.commit(storing(1, [wrote(2, "a", QUARTER)])).await.unwrap();
    storage.commit(storing(3, [wrote(2, "b", QUARTER + 60)])).await.unwrap();
    let before = totals(&*storage).await;
    delete(&*storage, 1, Deletion::Erase).await;
    assert_eq!(totals(&*storage).await, before, "no total changes");
    storage.rebuild_leads().await.unwrap();
    assert_eq!(totals(&*storage).await, before, "nor on rebuilding");

    storage.commit(storing(2, [wrote(1, "c", QUARTER + 9 * DAY)])).await.unwrap();
    let new = entry(2, QUARTER + 9 * DAY, lead(&ALL_WINDOWS));
    assert!(totals(&*storage).await.contains(&LeadTotal { entry: new, count: 1 }), "nobody remembers the first time");
    begin(&*storage, [1]).await;
    storage.commit(storing(1, [wrote(2, "c", QUARTER + 9 * DAY)])).await.unwrap();
    let seen_elsewhere = totals(&*storage).await.into_iter().find(|total| {
        total.entry.session == id(1) && total.entry.quarter == entry(1, QUARTER + 9 * DAY, lead(&[])).quarter
    });
    let class = seen_elsewhere.map(|total| total.entry.class);
    assert_ne!(class, Some(lead(&ALL_WINDOWS)), "another session still knows this one");
}

pub(crate) async fn survives_a_restart(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    begin(&*storage, [1, 2]).await;
    storage.commit(storing(1, [wrote(1, "a", QUARTER), wrote(2, "b", QUARTER + DAY)])).await.unwrap();
    storage.commit(same_person(1, 1, 3, 777)).await.unwrap();
    storage.commit(storing(2, [wrote(2, "c", QUARTER)])).await.unwrap();
    let before = Snapshot::of(&*storage).await;
    assert!(!before.leads.is_empty());
    drop(storage);
    let storage = backend.open().await;
    assert_eq!(Snapshot::of(&*storage).await, before);
    storage.commit(storing(2, [wrote(3, "d", QUARTER + 60)])).await.unwrap();
    let duplicate = LeadTotal { entry: entry(2, QUARTER + 60, lead(&[])), count: 1 };
    assert!(totals(&*storage).await.contains(&duplicate), "it knows who is who, and who was bound");
    storage.rebuild_leads().await.unwrap();
    let rebuilt = totals(&*storage).await;
    assert!(rebuilt.contains(&duplicate) && rebuilt.len() == before.leads.len() + 1);
}

pub(crate) async fn the_key_is_replaced_only_if_unchanged(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    assert_eq!(storage.ledger_key().await.unwrap(), None);
    let replace = async |old: Option<&[u8]>, sealed: &[u8]| storage.replace_ledger_key(old, sealed).await.unwrap();
    assert!(!replace(Some(b"none yet"), b"x").await);
    assert!(!replace(Some(b""), b"x").await);
    assert_eq!(storage.ledger_key().await.unwrap(), None);
    assert!(replace(None, b"first\0").await);
    assert!(!replace(None, b"another").await, "there is one");
    assert!(!replace(Some(b"first"), b"another").await);
    assert_eq!(storage.ledger_key().await.unwrap().as_deref(), Some(&b"first\0"[..]));
    assert!(replace(Some(b"first\0"), b"").await);
    drop(storage);
    let storage = backend.open().await;
    assert_eq!(storage.ledger_key().await.unwrap().as_deref(), Some(&b""[..]));
    assert_eq!(storage.key_check().await.unwrap(), None, "another value altogether");
}

/// What [`equals_the_reference_told_the_same`] knows of the sessions, beside the reference.
#[derive(Default)]
struct Told {
    tables: Tables,
    records: BTreeMap<SessionId, SessionRecord>,
    stored: BTreeSet<(SessionId, Address, MessageId)>,
    statuses: BTreeMap<(SessionId, Address, MessageId), (Incoming, MessageStatus)>,
}

impl Told {
    /// Tells the reference what a commit says, in the order in which a storage does.
    fn tell(&mut self, commit: &SessionCommit) {
        let now = commit.at;
        if let Some(record) = &commit.record {
            let running = record.facts.desired == Desired::Started;
            self.tables.set_shift(commit.session, now, record.agent.clone(), running);
            self.records.insert(commit.session, record.clone());
        }
        let first_login = self.records.get(&commit.session).and_then(|record| record.first_login_at);
        let mut facts = Vec::new();
        for identity in commit.identities.iter().filter_map(|identity| identity.persons) {
            let Ok(()) = ledger::same_person(&mut self.tables, &identity.alias, &identity.person, now);
        }
        for news in &commit.chats {
            let known = news.update.active_at.map(|at| Fact::Known { at });
            facts.extend(news.person.zip(known));
        }
        for incoming in &commit.messages {
            let name = (commit.session, incoming.message.chat.clone(), incoming.message.id.clone());
            if self.stored.insert(name.clone()) {
                facts.extend(incoming.fact());
                self.statuses.insert(name, (incoming.clone(), incoming.message.status));
            }
        }
        for update in &commit.updates {
            let name = (commit.session, update.chat.clone(), update.id.clone());
            if let Some((incoming, status)) = self.statuses.get_mut(&name)
                && *status < update.status
            {
                facts.extend(incoming.person.zip(incoming.message.answered(*status, update.status)));
                *status = update.status;
            }
        }
        for (person, fact) in facts {
            let Ok(()) = ledger::record(&mut self.tables, &person, commit.session, first_login, &fact, now);
        }
    }
}

/// Random commits, and after each the totals and corrections that the reference has when it is told the same.
pub(crate) async fn equals_the_reference_told_the_same(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let random = Random::seeded(11);
    let draw = |below: u64| i64::try_from(random.below(below)).expect("a small number");
    let mut told = Told::default();
    for number in [1, 2, 3] {
        let commit = recording(online(number), 0);
        told.tell(&commit);
        storage.commit(SessionCommit { expect: seatport::storage::Expect::New, ..commit }).await.unwrap();
    }
    for step in 1..=250 {
        let session = 1 + random.below(3);
        let number = u8::try_from(1 + random.below(12)).expect("a small number");
        let now = step * 2_000;
        // Up to four days ago, in steps that make quarters of an hour and messages meet.
        let second = (now - draw(4) * draw(1_000) * 300).max(draw(300));
        let name = format!("m{}", random.below(400));
        let mut commit = SessionCommit { at: at(now), ..commit(session) };
        match random.below(16) {
            0 => {
                let mut record = told.records[&id(session)].clone();
                record.agent = [None, Some(agent_id("mei")), Some(agent_id("li"))][draw(3) as usize].clone();
                record.facts.desired = [Desired::Started, Desired::Stopped][draw(2) as usize];
                commit.record = Some(record);
            }
            1 if step > 200 => commit.identities = same_person(session, number, 1 + number % 12, now).identities,
            2 => {
                let update = ChatUpdate::new(address(&format!("p{number}@net")), ChatKind::Person);
                let update = ChatUpdate { active_at: Some(at(second)), ..update };
                commit.chats = vec![ChatNews { update, person: Some(person(number)) }];
            }
            3 | 4 => commit.messages = vec![answered(number, &name, second)],
            5 | 6 => {
                let mut pending = answered(number, &name, second);
                pending.message.status = MessageStatus::Pending;
                commit.messages = vec![pending];
            }
            7 | 8 => {
                let ours = told.statuses.iter().filter(|((in_session, ..), (incoming, _))| {
                    *in_session == id(session) && incoming.message.direction == Direction::Outbound
                });
                let status = [MessageStatus::Failed, MessageStatus::Sent, MessageStatus::Read][draw(3) as usize];
                let ours: Vec<_> = ours.map(|((_, chat, id), _)| update(chat.as_str(), id.as_str(), status)).collect();
                commit.updates = ours.into_iter().skip(draw(6) as usize).step_by(5).collect();
            }
            9 if number > 10 => commit.messages = vec![Incoming { historical: true, ..wrote(number, &name, -500) }],
            _ => commit.messages = vec![wrote(number, &name, second), wrote(number, &format!("{name}x"), second + 60)],
        }
        told.tell(&commit);
        storage.commit(commit.clone()).await.unwrap();
        let expected = told.tables.totals(ALWAYS.0, ALWAYS.1);
        assert_eq!(totals(&*storage).await, expected, "after step {step}, {commit:?}");
    }
    let corrections = adjustments(&*storage).await;
    assert_eq!(corrections, told.tables.adjustments(ALWAYS.0, ALWAYS.1));
    assert_says_something(&totals(&*storage).await, &corrections);
    let counted = totals(&*storage).await;
    storage.rebuild_leads().await.unwrap();
    assert_eq!(totals(&*storage).await, counted, "rebuilding changes nothing");

    let Ok(()) = ledger::erase(&mut told.tables, id(2));
    delete_as_it_is(&*storage, 2).await;
    let commit = storing(1, (1..6).map(|number| wrote(number, "after the erasure", 2_000_000)));
    told.tell(&commit);
    storage.commit(commit).await.unwrap();
    assert_eq!(totals(&*storage).await, told.tables.totals(ALWAYS.0, ALWAYS.1));
}

/// Checks that a random run came to something of everything.
fn assert_says_something(totals: &[LeadTotal], corrections: &[LeadAdjustment]) {
    let some = |is: &dyn Fn(&LeadEntry) -> bool| totals.iter().any(|total| is(&total.entry));
    let new = |entry: &LeadEntry| entry.class == lead(&ALL_WINDOWS);
    let duplicate = |entry: &LeadEntry| entry.class == lead(&[]);
    assert!(some(&new) && some(&duplicate) && some(&|entry| entry.class == EntryClass::Returning));
    assert!(some(&|entry| entry.class == EntryClass::OutreachReply) && some(&|entry| entry.reply.is_some()));
    assert!(some(&|entry| entry.late) && some(&|entry| entry.agent.is_none()) && some(&|entry| entry.agent.is_some()));
    for reason in [AdjustmentReason::Late, AdjustmentReason::Merged] {
        assert!(corrections.iter().any(|made| made.reason == reason), "{reason:?}");
    }
}

/// Erases a session without another word to the ledger.
async fn delete_as_it_is(storage: &dyn Storage, number: u64) {
    let row = storage.session(id(number)).await.unwrap().expect("the session is there");
    let mut record = row.record;
    record.facts.lifecycle = Lifecycle::Stopped;
    let at_rest = SessionCommit { record: Some(record), at: at(9_000_000), ..commit(number) };
    let revision = storage.commit(at_rest).await.unwrap().revision;
    storage.delete(id(number), revision, Deletion::Erase, audit(number, Action::Delete)).await.unwrap();
}

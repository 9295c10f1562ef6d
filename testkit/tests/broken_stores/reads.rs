//! Reads that answer something else than what is stored.

use seatport::lifecycle::Lifecycle;
use seatport::storage::{Storage, StorageError, StoredSession};
use seatport::{Action, CardStatus, Edge, Page, Secret, SessionFilter};
use seatport_testkit::storage::{Answer, Call};

use crate::Defect;
use crate::broken::Broken;

impl Broken {
    pub(crate) async fn read(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        let asked = call.clone();
        let answer = match self.ask(storage, call).await? {
            Answer::Session(row) => Answer::Session(row.map(|row| self.row(row))),
            Answer::Sessions(rows) => Answer::Sessions(rows.into_iter().map(|row| self.row(row)).collect()),
            Answer::Ports(mut usage) => {
                usage.occupied.iter_mut().for_each(|held| held.port = self.port(held.port));
                Answer::Ports(usage)
            }
            other => other,
        };
        Ok(self.distort(asked, answer))
    }

    fn row(&self, mut row: StoredSession) -> StoredSession {
        row.port = row.port.map(|port| self.port(port));
        let record = &mut row.record;
        match self.defect {
            Defect::MiscountsUnread if row.unread > 0 => row.unread += 1,
            Defect::ConfusesStates => {
                if let Lifecycle::Stopping { then, .. } = record.facts.lifecycle {
                    record.facts.lifecycle = Lifecycle::Stopping { then, log_out: false };
                }
            }
            Defect::TellsPasswords => {
                if let Some(proxy) = &mut record.environment.proxy {
                    proxy.password = Some(Secret::new("hunter2"));
                }
            }
            _ => {}
        }
        row
    }

    /// Asks for something else.
    async fn ask(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        match (self.defect, call) {
            (Defect::LosesTheKeyCheck, Call::KeyCheck) => Ok(Answer::Sealed(self.key_check.lock().clone())),
            (_, Call::PortQueue) => Ok(self.port_queue(storage).await?.into()),
            (Defect::IgnoresWhoDrives, Call::Sessions(filter, page)) => {
                let unfiltered = SessionFilter { statuses: vec![], ..filter.clone() };
                let mut rows = storage.sessions(&unfiltered, page).await?;
                rows.retain(|row| filter.statuses.contains(&CardStatus::of(&row.record.facts, true)));
                Ok(rows.into())
            }
            (Defect::TakesTextAsAPattern, Call::Sessions(filter, page)) => {
                let literal = filter.text.clone().filter(|text| !text.contains(['%', '_']));
                Ok(storage.sessions(&SessionFilter { text: literal, ..filter.clone() }, page).await?.into())
            }
            (Defect::TakesPrefixesAsPatterns, Call::VaultList(session, prefix)) => {
                let literal = prefix.split(['%', '_']).next().unwrap_or_default();
                Call::VaultList(session, literal).send(storage).await
            }
            (Defect::SortsByPlaceAlone, Call::Messages(session, chat, page)) => {
                let mut messages = storage.messages(session, chat, Page::first(u32::MAX)).await?;
                messages.sort_by_key(|message| std::cmp::Reverse(message.seq));
                messages.retain(|message| !matches!(page.edge, Edge::After(place) if message.seq >= place));
                messages.truncate(page.limit as usize);
                Ok(messages.into())
            }
            (Defect::RepeatsAnEntry, Call::VaultScan(Some(after), limit)) => {
                let mut entries = storage.vault_scan(None, u32::MAX).await?;
                entries.retain(|entry| (&entry.session, &entry.name) >= (&after.0, &after.1));
                entries.truncate(limit as usize);
                Ok(entries.into())
            }
            (_, call) => self.ask_for_list(storage, call).await,
        }
    }

    /// Changes what is answered.
    fn distort(&self, asked: Call<'_>, mut answer: Answer) -> Answer {
        match (self.defect, asked, &mut answer) {
            (Defect::LeavesMessagesOfDeleted, Call::Messages(session, chat, _), Answer::Messages(messages)) => {
                messages.extend(self.deleted.lock().get(&(session, chat.clone())).into_iter().flatten().cloned());
            }
            (Defect::LowersStatus, _, Answer::Message(Some(stored))) => {
                let last = self.statuses.lock().get(&stored.message.id).copied();
                stored.message.status = last.unwrap_or(stored.message.status);
            }
            (Defect::SortsAgentsByLanguage, _, Answer::Agents(agents)) => {
                agents.sort_by_key(|agent| agent.id.as_str().to_lowercase());
            }
            (Defect::HidesPending, Call::Pending(..), Answer::Messages(messages)) => {
                messages.pop();
            }
            (
                Defect::MindsLetterCase,
                Call::Sessions(SessionFilter { text: Some(text), .. }, _),
                Answer::Sessions(rows),
            ) => {
                rows.retain(|row| format!("{:?}", row.record).contains(text));
            }
            (Defect::HidesDeletions, _, Answer::Lines(lines)) => {
                lines.retain(|line| line.entry.action != Action::Delete);
            }
            (Defect::LeavesAGapInEvents, _, Answer::Events(events)) => {
                events.iter_mut().filter(|event| event.seq > 3).for_each(|event| event.seq += 1);
            }
            (Defect::ChangesEvents, _, Answer::Events(events)) => {
                let last = events.last().map(|event| event.at);
                events.iter_mut().for_each(|event| event.at = last.unwrap_or(event.at));
            }
            (Defect::HidesQuietSessions, _, Answer::Heads(heads)) => heads.retain(|head| head.last > 0),
            (Defect::FindsNoOrphans, _, Answer::Orphans(orphans)) => orphans.clear(),
            (Defect::UnpinsOrphans, _, Answer::Orphans(orphans)) => {
                orphans.iter_mut().for_each(|orphan| orphan.runs_on.clear());
            }
            (Defect::PinsOrphansForEver, _, Answer::Orphans(orphans)) => {
                let mut pins = self.pins.lock();
                for orphan in orphans {
                    orphan.runs_on = pins.entry(orphan.session).or_insert(orphan.runs_on.clone()).clone();
                }
            }
            (Defect::ListsNodesBackwards, _, Answer::Nodes(nodes)) => nodes.reverse(),
            (Defect::ListsNodesWithoutLabels, _, Answer::Nodes(nodes)) => {
                nodes.iter_mut().for_each(|node| node.profile.labels.clear());
            }
            (Defect::ListsDeadNodes, _, Answer::Nodes(nodes)) => {
                let mut known = self.nodes.lock();
                known.extend(nodes.drain(..).map(|node| (node.profile.id, node)));
                nodes.extend(known.values().cloned());
            }
            (_, asked, _) => return self.distort_list(asked, answer),
        }
        answer
    }
}

//! Lists of conversations and what is searched in them, answered wrongly.

use std::cmp::Reverse;

use seatport::conversation::{Content, Reaction, SearchQuery, StoredMessage};
use seatport::storage::{Storage, StorageError};
use seatport::{AuditHash, Edge, EventBody, Page};
use seatport_testkit::storage::{Answer, Call};

use crate::Defect;
use crate::broken::Broken;

/// The same page, if all pages began at the start of the list.
fn forwards<K>(page: Page<K>) -> Page<K> {
    match page.edge {
        Edge::Before(_) | Edge::Last => Page::first(page.limit),
        Edge::First | Edge::After(_) => page,
    }
}

fn without_first<T>(items: &mut Vec<T>) {
    items.drain(..items.len().min(1));
}

fn searchable(stored: &StoredMessage) -> String {
    stored.message.content.searchable().unwrap_or_default().into_owned()
}

impl Broken {
    /// Asks for another list.
    pub(crate) async fn ask_for_list(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        let call = match (self.defect, call) {
            (Defect::PagesSessionsForwards, Call::Sessions(filter, page)) => Call::Sessions(filter, forwards(page)),
            (Defect::PagesContactsForwards, Call::Contacts(session, page)) => Call::Contacts(session, forwards(page)),
            (Defect::PagesChatsForwards, Call::Chats(session, page)) => Call::Chats(session, forwards(page)),
            (Defect::PagesMessagesForwards, Call::Messages(session, chat, page)) => {
                Call::Messages(session, chat, forwards(page))
            }
            (Defect::GoesOnFromNowhere, Call::Messages(session, chat, page)) => {
                let there = match page.edge {
                    Edge::After(place) | Edge::Before(place) => {
                        let all = storage.messages(session, chat, Page::first(1000)).await?;
                        all.iter().any(|message| message.seq == place)
                    }
                    Edge::First | Edge::Last => true,
                };
                Call::Messages(session, chat, if there { page } else { Page::first(page.limit) })
            }
            (Defect::SortsChatsByAddress, Call::Chats(session, page)) => {
                let mut chats = storage.chats(session, page).await?;
                chats.sort_by(|a, b| a.address.cmp(&b.address));
                return Ok(chats.into());
            }
            (Defect::ForgetsTheOldAddress, Call::Chat(_, address)) if self.given_up.lock().contains(address) => {
                return Ok(Answer::Chat(None));
            }
            (Defect::FindsNoShortWords, Call::SearchMessages(query, after, limit)) => {
                let short = query.words().any(|word| word.chars().count() < 3);
                Call::SearchMessages(query, after, if short { 0 } else { limit })
            }
            (Defect::FindsAnyWord, Call::SearchMessages(query, after, limit)) => {
                let word = query.words().next().unwrap_or_default().to_owned();
                return Ok(storage
                    .search_messages(&SearchQuery { text: word, ..query.clone() }, after, limit)
                    .await?
                    .into());
            }
            (Defect::FindsSomethingForNothing, Call::SearchMessages(query, after, limit))
                if query.words().count() == 0 =>
            {
                return Ok(storage.search_messages(&SearchQuery::new("h"), after, limit).await?.into());
            }
            (Defect::TakesWordsAsPatterns, Call::SearchMessages(query, after, limit)) => {
                let text = query.text.replace(['%', '_', '*', '"'], " ");
                return Ok(storage.search_messages(&SearchQuery { text, ..query.clone() }, after, limit).await?.into());
            }
            (Defect::SearchesEverySession, Call::SearchMessages(query, after, limit)) => {
                let query = SearchQuery { session: None, ..query.clone() };
                return Ok(storage.search_messages(&query, after, limit).await?.into());
            }
            (Defect::SearchesForEverybody, Call::SearchMessages(query, after, limit)) => {
                let query = SearchQuery { bound_to: None, ..query.clone() };
                return Ok(storage.search_messages(&query, after, limit).await?.into());
            }
            (Defect::SearchesForEverybody, Call::SearchContacts(query, after, limit)) => {
                let query = SearchQuery { bound_to: None, ..query.clone() };
                return Ok(storage.search_contacts(&query, after, limit).await?.into());
            }
            (_, call) => return self.ask_ledger(storage, call).await,
        };
        call.send(storage).await
    }

    /// Changes a list, or one of its items.
    pub(crate) fn distort_list(&self, asked: Call<'_>, mut answer: Answer) -> Answer {
        match (self.defect, asked, &mut answer) {
            (Defect::SkipsASession, Call::Sessions(_, Page { edge: Edge::After(_), .. }), Answer::Sessions(rows)) => {
                without_first(rows);
            }
            (Defect::SkipsAContact, Call::Contacts(_, Page { edge: Edge::After(_), .. }), Answer::Contacts(rows)) => {
                without_first(rows);
            }
            (Defect::SkipsAChat, Call::Chats(_, Page { edge: Edge::After(_), .. }), Answer::Chats(rows)) => {
                without_first(rows);
            }
            (
                Defect::SkipsAMessage,
                Call::Messages(_, _, Page { edge: Edge::After(_), .. }),
                Answer::Messages(rows),
            ) => {
                without_first(rows);
            }
            (
                Defect::AnswersBackwards,
                Call::Messages(_, _, Page { edge: Edge::Before(_), .. }),
                Answer::Messages(rows),
            ) => {
                rows.reverse();
            }
            (Defect::SkipsAFoundMessage, Call::SearchMessages(_, Some(_), _), Answer::FoundMessages(hits)) => {
                without_first(hits);
            }
            (Defect::SkipsAFoundContact, Call::SearchContacts(_, Some(_), _), Answer::FoundContacts(hits)) => {
                without_first(hits);
            }
            (Defect::ShowsTheFirstChatsAgain, Call::Chats(_, page), Answer::Chats(chats))
                if page.edge == Edge::Last =>
            {
                chats.reverse();
            }
            (Defect::TellsTheLastCoverage, _, Answer::Chat(Some(chat))) => {
                chat.coverage = self.coverages.lock().get(&chat.address).copied();
            }
            (Defect::AnswersUnderTheOldAddress, Call::Chat(_, address), Answer::Chat(Some(chat))) => {
                chat.address = address.clone();
            }
            (Defect::KeepsReactionsOfDeleted, _, Answer::Message(Some(stored))) => {
                if stored.message.content == Content::Deleted {
                    let (sender, at) = (stored.message.chat.clone(), stored.message.at);
                    stored.reactions.push(Reaction { sender, emoji: "👍".into(), at });
                }
            }
            (Defect::SortsReactionsByTime, _, Answer::Message(Some(stored))) => {
                stored.reactions.sort_by_key(|reaction| Reverse(reaction.at));
            }
            (Defect::KeepsWhyItFailed, _, Answer::Message(Some(stored))) => {
                stored.failure = self.failures.lock().get(&stored.message.id).cloned();
            }
            (Defect::LosesReactionsOfMerged, _, Answer::Message(Some(stored))) => {
                if !self.given_up.lock().is_empty() {
                    stored.reactions.clear();
                }
            }
            (Defect::KeepsTheOldSender, _, Answer::Message(Some(stored))) => {
                let old = self.given_up.lock().first().cloned();
                stored.message.sender = old.unwrap_or_else(|| stored.message.sender.clone());
            }
            (Defect::ForgetsEditTimes, _, Answer::Message(Some(stored))) => stored.edited_at = None,
            (Defect::AmendsInSilence, _, Answer::Events(events)) => {
                events.retain(|event| !matches!(event.body, EventBody::MessageAmended { .. }));
            }
            (Defect::FoldsLatinLettersOnly, Call::SearchMessages(query, ..), Answer::FoundMessages(hits)) => {
                let holds = |text: &str, word: &str| text.to_ascii_lowercase().contains(&word.to_ascii_lowercase());
                hits.retain(|hit| query.words().all(|word| holds(&searchable(&hit.message), word)));
            }
            (Defect::SearchesTextsAlone, _, Answer::FoundMessages(hits)) => {
                hits.retain(|hit| matches!(hit.message.message.content, Content::Text(_)));
            }
            (Defect::SearchesByIdOfSession, _, Answer::FoundMessages(hits)) => hits.sort_by_key(|hit| hit.session),
            (Defect::SearchesByTime, _, Answer::FoundMessages(hits)) => {
                hits.sort_by_key(|hit| Reverse(hit.message.message.at));
            }
            (Defect::FindsPeopleByNameAlone, Call::SearchContacts(query, ..), Answer::FoundContacts(hits)) => {
                hits.retain(|hit| {
                    let name = hit.contact.name.as_deref().unwrap_or_default().to_lowercase();
                    query.words().all(|word| name.contains(&word.to_lowercase()))
                });
            }
            (Defect::FindsPeopleByIdOfSession, _, Answer::FoundContacts(hits)) => hits.sort_by_key(|hit| hit.session),
            (Defect::BreaksTheChain, _, Answer::Lines(lines)) => {
                let start = AuditHash::START;
                lines.iter_mut().for_each(|line| line.hash = start.followed_by(line.number, &line.entry));
            }
            (_, asked, _) => return self.distort_ledger(asked, answer),
        }
        answer
    }
}

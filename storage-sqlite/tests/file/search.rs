//! What the index of texts must find, in scripts and signs that one may not think of.

use crate::sample::{add, inbound, place, session_id};
use seatport::conversation::SearchQuery;
use seatport::storage::{ConversationStore, SessionStore, Storage};
use seatport_sqlite::SqliteStorage;

const TEXTS: [&str; 12] = [
    "Hello, World! 50% off: \"x\" OR (y*)",
    "我要申请退款，谢谢",
    "第一行\n第二行 ok退款ok",
    "👍👍🏽 👨‍👩‍👧 ❤️",
    "cafe\u{301} Zoë İstanbul ΟΔΟΣ STRASSE straße",
    "ขอบคุณครับ",
    "السلام عليكم",
    "한국어 カタカナ",
    "a\u{1}b\u{0}c\u{7f}d",
    "\u{e022}private\u{e041}",
    "{\"json\": [1, '--', ;]} NEAR/2 ^begin -not +plus",
    "𝒳 𠮷野家",
];

/// In lower case, whatever the case: at the end of a word the Greek sigma has a form of its own.
fn lower(text: &str) -> String {
    text.to_lowercase().replace('ς', "σ")
}

#[tokio::test]
async fn every_piece_of_every_text_is_found() {
    let (_directory, file) = place();
    let storage = SqliteStorage::open(&file).await.unwrap();
    let mut commit = add(session_id(1), "");
    commit.messages = TEXTS.iter().enumerate().map(|(n, text)| inbound("c@net", n.to_string(), text)).collect();
    storage.commit(commit).await.unwrap();

    for (number, text) in TEXTS.iter().enumerate() {
        for word in text.split_whitespace().map(|word| word.chars().collect::<Vec<_>>()) {
            for length in 1..=word.len() {
                for piece in word.windows(length) {
                    let piece: String = piece.iter().collect();
                    let hits = storage.search_messages(&SearchQuery::new(&piece), None, 100).await.unwrap();
                    let found = hits.iter().any(|hit| hit.message.seq == number as u64 + 1);
                    assert!(found, "{piece:?} in {text:?}");
                    for hit in hits {
                        let text = lower(TEXTS[hit.message.seq as usize - 1]);
                        assert!(text.contains(&lower(&piece)), "{piece:?} is not in {text:?}");
                    }
                }
            }
        }
    }
    storage.close().await.unwrap();
}

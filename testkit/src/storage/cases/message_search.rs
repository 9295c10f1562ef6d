//! Searching messages: words of any length, in every script.

use seatport::conversation::{
    ContactCard, Content, Location, Media, MediaKind, MediaReference, MessageHit, SearchQuery,
};
use seatport::storage::{Deletion, SessionCommit, Storage};
use seatport::{Action, Random, SessionRecord};

use crate::storage::Backend;
use crate::storage::sample::{
    add, adding, agent_id, amending, audit, commit, deletion, edit, id, identifying, identity, inbound, message,
    outbound, record, saying, storing,
};
use crate::storage::snapshot::check_pages_forwards;

/// The ids of the messages found, in the order in which they were found.
async fn found(storage: &dyn Storage, query: &SearchQuery) -> Vec<String> {
    let hits = storage.search_messages(query, None, 1000).await.unwrap();
    hits.into_iter().map(|hit| hit.message.message.id.as_str().to_owned()).collect()
}

/// Checks what is found of the messages of one session, the newest first.
async fn check(storage: &dyn Storage, cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        assert_eq!(found(storage, &SearchQuery::new(*text)).await, *expected, "searching for {text:?}");
    }
}

/// One session with a message of each of these texts, by their ids.
async fn fill(storage: &dyn Storage, texts: &[(&str, &str)]) {
    add(storage, [1]).await;
    let messages = texts.iter().map(|(id, text)| saying(inbound("ann@net", id, 1), text));
    storage.commit(storing(1, messages)).await.unwrap();
}

pub(crate) async fn chinese_words_of_any_length_are_found(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let texts = [
        ("a", "您好，我要退款"),
        ("b", "退"),
        ("c", "款项已退，请查收"),
        ("d", "客服在吗？订单号是 20231114 的退款还没有到账"),
        ("e", "𠮷野家 😀👩‍💻"),
    ];
    fill(&*storage, &texts).await;
    let cases: [(&str, &[&str]); 14] = [
        ("退", &["d", "c", "b", "a"]),
        ("款", &["d", "c", "a"]),
        ("退款", &["d", "a"]),
        ("款退", &[]),
        ("要退款", &["a"]),
        ("我要退款", &["a"]),
        ("的退款还没有到账", &["d"]),
        ("的退款没有到账", &[]),
        ("，", &["c", "a"]),
        ("号是", &["d"]),
        ("2023", &["d"]),
        ("𠮷", &["e"]),
        ("😀", &["e"]),
        ("訂單", &[]),
    ];
    check(&*storage, &cases).await;
}

pub(crate) async fn letter_case_does_not_matter(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let texts = [
        ("a", "Refund PLEASE"),
        ("b", "École à Zürich"),
        ("c", "ПРИВЕТ"),
        ("d", "prepaid x"),
        ("e", "X"),
        // A capital sigma is another small one at the end of a word.
        ("f", "ΟΔΟΣ"),
    ];
    fill(&*storage, &texts).await;
    let cases: [(&str, &[&str]); 15] = [
        ("refund", &["a"]),
        ("REFUND", &["a"]),
        ("fun", &["a"]),
        ("un", &["a"]),
        ("x", &["e", "d"]),
        ("école", &["b"]),
        ("ÉCOLE", &["b"]),
        ("É", &["b"]),
        ("ZÜ", &["b"]),
        ("привет", &["c"]),
        ("Ри", &["c"]),
        ("οδος", &["f"]),
        ("οδοσ", &["f"]),
        ("Σ", &["f"]),
        ("zurich", &[]),
    ];
    check(&*storage, &cases).await;
}

pub(crate) async fn each_word_has_to_be_there(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let texts = [("a", "order 17: refund 退款 in May"), ("b", "退款"), ("c", "may I ask"), ("d", "ma y\nor")];
    fill(&*storage, &texts).await;
    let cases: [(&str, &[&str]); 12] = [
        ("may", &["c", "a"]),
        ("退款 may", &["a"]),
        ("may 退款", &["a"]),
        ("  may\t退\n", &["a"]),
        ("refund refund", &["a"]),
        ("17 in", &["a"]),
        ("17: refund", &["a"]),
        ("退款 ask", &[]),
        ("m", &["d", "c", "a"]),
        ("ma y", &["d", "c", "a"]),
        ("or ma", &["d", "a"]),
        ("refundor", &[]),
    ];
    check(&*storage, &cases).await;
}

pub(crate) async fn a_query_without_a_word_finds_nothing(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage, &[("a", "hello"), ("b", ""), ("c", " ")]).await;
    check(&*storage, &[("", &[]), ("  \t\n", &[]), ("\u{3000}", &[])]).await;
}

pub(crate) async fn words_are_taken_literally(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let texts = [
        ("a", "100% sure"),
        ("b", "a_b"),
        ("c", r"c:\d"),
        ("d", "e*f'g\"[h]?"),
        ("e", "NOT (x OR y) AND z"),
        ("f", "-x +y ^z {col}:w"),
        ("g", "NEAR"),
    ];
    fill(&*storage, &texts).await;
    let cases: [(&str, &[&str]); 17] = [
        ("%", &["a"]),
        ("0%", &["a"]),
        ("_", &["b"]),
        ("a_b", &["b"]),
        ("\\", &["c"]),
        (r"c:\d", &["c"]),
        ("*", &["d"]),
        ("'", &["d"]),
        ("\"", &["d"]),
        ("f'g\"[", &["d"]),
        ("?", &["d"]),
        ("not", &["e"]),
        ("AND", &["e"]),
        ("OR", &["e"]),
        ("(x", &["e"]),
        ("-x +y {col}:w", &["f"]),
        ("near", &["g"]),
    ];
    check(&*storage, &cases).await;
}

pub(crate) async fn captions_and_names_are_texts_too(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let mut invoice = Media::new(MediaKind::Document, "application/pdf");
    invoice.caption = Some("for May".into());
    invoice.file_name = Some("发票.pdf".into());
    invoice.reference = Some(MediaReference::new("secret"));
    let (name, place) = (Some("Opera 歌剧院".to_owned()), Some("Bennelong Point".to_owned()));
    let contents = [
        ("media", Content::Media(invoice)),
        ("bare", Content::Media(Media::new(MediaKind::Image, "image/png"))),
        ("place", Content::Location(Location { latitude: 1, longitude: 2, name, address: place })),
        ("card", Content::Contact(ContactCard { name: "林 Mei".into(), phones: vec!["+86 138".into()] })),
        ("system", Content::System("林 joined for May".into())),
        ("unsupported", Content::Unsupported("Opera for May".into())),
    ];
    let messages = contents.map(|(name, content)| {
        let mut incoming = inbound("ann@net", name, 1);
        incoming.message.content = content;
        incoming
    });
    storage.commit(storing(1, messages)).await.unwrap();
    let cases: [(&str, &[&str]); 8] = [
        ("may 发票", &["media"]),
        ("pdf", &["media"]),
        ("Mayfapiao", &[]),
        ("opera", &["place"]),
        ("歌剧 point", &["place"]),
        ("林", &["card"]),
        ("138 mei", &["card"]),
        ("secret", &[]),
    ];
    check(&*storage, &cases).await;
}

pub(crate) async fn an_edited_message_is_found_by_what_it_says_now(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage, &[("a", "before")]).await;
    let early = edit("ann@net", "b", "e0", 9, "after 以后 as well");
    storage.commit(amending(1, [edit("ann@net", "a", "e1", 5, "after 以后"), early])).await.unwrap();
    storage.commit(storing(1, [saying(inbound("ann@net", "b", 1), "before")])).await.unwrap();
    check(&*storage, &[("before", &[]), ("after", &["b", "a"]), ("以", &["b", "a"]), ("well", &["b"])]).await;
    let hits = storage.search_messages(&SearchQuery::new("以后"), None, 9).await.unwrap();
    let shown = message(&*storage, 1, "ann@net", "a").await;
    assert_eq!(hits.last(), Some(&MessageHit { session: id(1), message: shown }), "as it is now");

    storage.commit(amending(1, [edit("ann@net", "a", "e2", 4, "older")])).await.unwrap();
    storage.commit(amending(1, [edit("ann@net", "a", "e3", 6, "newest")])).await.unwrap();
    check(&*storage, &[("older", &[]), ("after", &["b"]), ("newest", &["a"])]).await;
}

pub(crate) async fn a_deleted_message_is_not_found(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage, &[("a", "hello 你好"), ("b", "hello 你好"), ("c", "hello 你好")]).await;
    storage.commit(amending(1, [edit("ann@net", "b", "e", 5, "hello again 你好")])).await.unwrap();
    storage.commit(amending(1, ["a", "b", "d"].map(|name| deletion("ann@net", name, "d", 9)))).await.unwrap();
    storage.commit(storing(1, [saying(inbound("ann@net", "d", 1), "hello 你好")])).await.unwrap();
    check(&*storage, &[("hello", &["c"]), ("你", &["c"]), ("again", &[])]).await;
}

pub(crate) async fn what_was_filled_in_or_merged_is_found_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let mut sealed = inbound("old@net", "a", 1);
    sealed.message.content = Content::Undecryptable;
    storage.commit(storing(1, [sealed, saying(inbound("old@net", "b", 1), "kept 保留")])).await.unwrap();
    storage.commit(storing(1, [saying(inbound("new@net", "b", 1), "dropped 保留")])).await.unwrap();
    check(&*storage, &[("保留", &["b", "b"]), ("decrypted", &[])]).await;
    storage.commit(storing(1, [saying(inbound("old@net", "a", 1), "decrypted")])).await.unwrap();
    storage.commit(identifying(1, [identity("old@net", "new@net")])).await.unwrap();
    check(&*storage, &[("保留", &["b"]), ("kept", &["b"]), ("dropped", &[]), ("decrypted", &["a"])]).await;
}

/// Sessions added in an order that is not that of their ids, with a message each, and several in some.
async fn fill_sessions(storage: &dyn Storage) {
    for (number, agent) in [(7, Some("mei")), (2, None), (9, Some("li")), (4, Some("mei"))] {
        let record = SessionRecord { agent: agent.map(agent_id), ..record(number) };
        storage.commit(adding(record)).await.unwrap();
    }
    // Places and times run against one another.
    for (session, name, second) in [(9, "9a", 5), (7, "7a", 9), (2, "2a", 1), (4, "4a", 3), (7, "7b", 1), (9, "9b", 1)]
    {
        storage.commit(storing(session, [saying(inbound("ann@net", name, second), "hello 你好")])).await.unwrap();
        storage.commit(storing(session, [saying(outbound("bob@net", &format!("{name} o"), 0), "bye")])).await.unwrap();
    }
}

pub(crate) async fn the_session_added_last_and_the_newest_place_come_first(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill_sessions(&*storage).await;
    assert_eq!(found(&*storage, &SearchQuery::new("hello")).await, ["4a", "9b", "9a", "2a", "7b", "7a"]);
    let hits = storage.search_messages(&SearchQuery::new("你"), None, 9).await.unwrap();
    let places: Vec<_> = hits.iter().map(|hit| (hit.session, hit.message.seq)).collect();
    assert_eq!(places, [(id(4), 1), (id(9), 3), (id(9), 1), (id(2), 1), (id(7), 3), (id(7), 1)]);
    drop(storage);
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [saying(inbound("ann@net", "1a", 0), "hello")])).await.unwrap();
    let after_restart = found(&*storage, &SearchQuery::new("hello")).await;
    assert_eq!(after_restart, ["1a", "4a", "9b", "9a", "2a", "7b", "7a"]);
}

pub(crate) async fn only_where_it_was_asked_for(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill_sessions(&*storage).await;
    let hello = SearchQuery::new("hello");
    let of_mei = SearchQuery { bound_to: Some(agent_id("mei")), ..hello.clone() };
    assert_eq!(found(&*storage, &of_mei).await, ["4a", "7b", "7a"]);
    let in_nine = SearchQuery { session: Some(id(9)), ..hello.clone() };
    assert_eq!(found(&*storage, &in_nine).await, ["9b", "9a"]);
    let both = SearchQuery { session: Some(id(9)), ..of_mei.clone() };
    assert_eq!(found(&*storage, &both).await, [""; 0]);
    let nobody = SearchQuery { bound_to: Some(agent_id("zoe")), ..hello.clone() };
    assert_eq!(found(&*storage, &nobody).await, [""; 0]);

    // Who is bound counts as of now.
    let rebound = SessionRecord { agent: Some(agent_id("mei")), ..record(9) };
    storage.commit(SessionCommit { record: Some(rebound), ..commit(9) }).await.unwrap();
    assert_eq!(found(&*storage, &of_mei).await, ["4a", "9b", "9a", "7b", "7a"]);
}

pub(crate) async fn pages_show_each_hit_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill_sessions(&*storage).await;
    for query in [
        SearchQuery::new("hello"),
        SearchQuery::new("你"),
        SearchQuery { bound_to: Some(agent_id("mei")), ..SearchQuery::new("bye") },
    ] {
        check_pages_forwards(async |last: Option<MessageHit>, limit| {
            storage.search_messages(&query, last.map(|last| (last.session, last.message.seq)), limit).await
        })
        .await;
    }
}

pub(crate) async fn nothing_of_a_deleted_session_is_found(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill_sessions(&*storage).await;
    storage.delete(id(9), 1, Deletion::Delete, audit(9, Action::Delete)).await.unwrap();
    assert_eq!(found(&*storage, &SearchQuery::new("hello")).await, ["4a", "2a", "7b", "7a"]);
    add(&*storage, [9]).await;
    assert_eq!(found(&*storage, &SearchQuery { session: Some(id(9)), ..SearchQuery::new("你好") }).await, [""; 0]);
}

/// Random texts of few letters, in which random words are found by reading them all.
pub(crate) async fn what_is_found_equals_reading_everything(backend: &mut dyn Backend) {
    const LETTERS: [&str; 10] = ["a", "B", "é", "É", "退", "款", "项", " ", "1", "😀"];
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let random = Random::seeded(3);
    let text = |longest: u64| {
        let letters = 0..random.below(longest + 1);
        letters.map(|_| LETTERS[usize::try_from(random.below(10)).expect("a small number")]).collect::<String>()
    };
    let texts: Vec<String> = (0..120).map(|_| text(12)).collect();
    let messages = texts.iter().enumerate().map(|(n, text)| saying(inbound("ann@net", &n.to_string(), 1), text));
    storage.commit(storing(1, messages)).await.unwrap();
    for _ in 0..150 {
        let query = SearchQuery::new(text(5));
        let words: Vec<String> = query.words().map(str::to_lowercase).collect();
        let holds = |text: &str| !words.is_empty() && words.iter().all(|word| text.to_lowercase().contains(word));
        let all = texts.iter().enumerate().rev().filter(|(_, text)| holds(text));
        let expected: Vec<String> = all.map(|(n, _)| n.to_string()).collect();
        assert_eq!(found(&*storage, &query).await, expected, "searching for {:?}", query.text);
    }
}

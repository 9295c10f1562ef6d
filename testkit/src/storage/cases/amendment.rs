//! What happens to messages after they were sent, in whatever order it is told.

use seatport::conversation::{Amendment, AmendmentChange, Content, Media, MediaKind, Reaction};
use seatport::storage::Storage;
use seatport::{EventBody, Random};

use crate::storage::Backend;
use crate::storage::sample::{
    add, address, amending, amendment, at, deletion, edit, events_of, id, inbound, message, message_id, outbound,
    reaction, saying, storing,
};
use crate::storage::snapshot::Snapshot;

fn amended(message: &str) -> EventBody {
    EventBody::MessageAmended { chat: address("ann@net"), id: message_id(message) }
}

fn by(sender: &str, amendment: Amendment) -> Amendment {
    Amendment { sender: address(sender), ..amendment }
}

async fn text(storage: &dyn Storage, message_: &str) -> String {
    match message(storage, 1, "ann@net", message_).await.message.content {
        Content::Text(text) => text,
        other => format!("{other:?}"),
    }
}

/// The reactions, by sender: who, what, and at which second.
async fn reactions(storage: &dyn Storage) -> Vec<Reaction> {
    message(storage, 1, "ann@net", "a").await.reactions
}

fn reacted(sender: &str, emoji: &str, second: i64) -> Reaction {
    Reaction { sender: address(sender), emoji: emoji.into(), at: at(second) }
}

pub(crate) async fn an_edit_shows_what_it_says_now(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [inbound("ann@net", "a", 1), outbound("ann@net", "b", 2)])).await.unwrap();
    storage.commit(storing(1, [inbound("bob@net", "a", 1)])).await.unwrap();
    let mut expected = message(&*storage, 1, "ann@net", "a").await;
    let other = message(&*storage, 1, "bob@net", "a").await;

    let mut media = Media::new(MediaKind::Image, "image/png");
    media.caption = Some("改".into());
    let change = AmendmentChange::Edit(Content::Media(media.clone()));
    let edits = [amendment("ann@net", "a", "e1", 60, change), edit("ann@net", "b", "e2", 70, "")];
    assert_eq!(events_of(&*storage, amending(1, edits)).await, [amended("a"), amended("b")]);
    expected.message.content = Content::Media(media);
    expected.edited_at = Some(at(60));
    assert_eq!(message(&*storage, 1, "ann@net", "a").await, expected, "nothing but the content, and when");
    assert_eq!(message(&*storage, 1, "bob@net", "a").await, other, "the same id elsewhere is another message");
    let last = storage.chat(id(1), &address("ann@net")).await.unwrap().and_then(|chat| chat.last);
    assert_eq!(last, Some(message(&*storage, 1, "ann@net", "b").await), "the chat shows it, in its place");
    assert_eq!(text(&*storage, "b").await, "");
}

pub(crate) async fn of_two_edits_the_later_counts(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [inbound("ann@net", "a", 1)])).await.unwrap();
    for (edit_, shown, events) in [
        (edit("ann@net", "a", "m", 50, "first"), "first", 1),
        (edit("ann@net", "a", "z", 40, "older"), "first", 0),
        (edit("ann@net", "a", "b", 50, "smaller id"), "first", 0),
        (edit("ann@net", "a", "n", 50, "greater id"), "greater id", 1),
        (edit("ann@net", "a", "a", 51, "later"), "later", 1),
        (edit("ann@net", "a", "a", 51, "told once more"), "later", 0),
        (edit("ann@net", "a", "b", 52, "later"), "later", 1),
    ] {
        let told = edit_.clone();
        assert_eq!(events_of(&*storage, amending(1, [edit_])).await.len(), events, "{told:?}");
        assert_eq!(text(&*storage, "a").await, shown, "after {told:?}");
    }
    assert_eq!(message(&*storage, 1, "ann@net", "a").await.edited_at, Some(at(52)));
}

pub(crate) async fn a_deletion_is_final(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [inbound("ann@net", "a", 1), outbound("ann@net", "b", 2)])).await.unwrap();
    let mut expected = message(&*storage, 1, "ann@net", "a").await;
    let before = [edit("ann@net", "a", "e", 5, "changed"), reaction("ann@net", "a", "r", 6, Some("👍"))];
    storage.commit(amending(1, before)).await.unwrap();

    // Older than the edit, and still final.
    assert_eq!(events_of(&*storage, amending(1, [deletion("ann@net", "a", "d", 3)])).await, [amended("a")]);
    expected.message.content = Content::Deleted;
    assert_eq!(message(&*storage, 1, "ann@net", "a").await, expected, "no content, edit or reaction is kept");
    let after = [
        edit("ann@net", "a", "e2", 90, "again"),
        reaction("ann@net", "a", "r2", 91, Some("👍")),
        by("bob@net", reaction("ann@net", "a", "r3", 92, None)),
        deletion("ann@net", "a", "d2", 93),
    ];
    assert_eq!(events_of(&*storage, amending(1, after)).await, []);
    storage.commit(storing(1, [inbound("ann@net", "a", 1)])).await.unwrap();
    assert_eq!(message(&*storage, 1, "ann@net", "a").await, expected);
}

pub(crate) async fn a_sender_has_one_reaction(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [inbound("ann@net", "a", 1)])).await.unwrap();
    let react = async |sender, id, second, emoji| {
        let reaction = by(sender, reaction("ann@net", "a", id, second, emoji));
        events_of(&*storage, amending(1, [reaction])).await == [amended("a")]
    };
    assert!(react("me@net", "m", 5, Some("👍")).await);
    assert!(react("ann@net", "m", 4, Some("❤️")).await);
    assert_eq!(reactions(&*storage).await, [reacted("ann@net", "❤️", 4), reacted("me@net", "👍", 5)], "by sender");

    assert!(!react("me@net", "z", 4, Some("😀")).await, "older");
    assert!(!react("me@net", "l", 5, Some("😀")).await, "of the same time, with a smaller id");
    assert!(react("me@net", "n", 5, Some("😀")).await, "of the same time, with a greater id");
    assert!(!react("me@net", "n", 5, Some("😀")).await, "the same once more");
    assert_eq!(reactions(&*storage).await, [reacted("ann@net", "❤️", 4), reacted("me@net", "😀", 5)]);

    assert!(!react("ann@net", "x", 3, None).await, "older than what it takes away");
    assert!(react("ann@net", "x", 9, None).await);
    assert!(!react("ann@net", "x", 8, Some("❤️")).await, "taken away later");
    assert!(!react("bob@net", "x", 9, None).await, "there was none");
    assert_eq!(reactions(&*storage).await, [reacted("me@net", "😀", 5)]);
    assert!(react("ann@net", "x", 10, Some("林")).await, "and put there anew");
    assert_eq!(reactions(&*storage).await, [reacted("ann@net", "林", 10), reacted("me@net", "😀", 5)]);
}

pub(crate) async fn waits_for_its_message(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let early = [
        edit("ann@net", "a", "e", 5, "as it is now"),
        reaction("ann@net", "a", "r", 6, Some("👍")),
        deletion("ann@net", "b", "d", 7),
        edit("bob@net", "a", "e", 8, "another one's"),
    ];
    assert_eq!(events_of(&*storage, amending(1, early)).await, [], "there is nothing to show yet");
    assert_eq!(storage.chats(id(1), seatport::Page::first(9)).await.unwrap(), []);
    drop(storage);

    let storage = backend.open().await;
    let messages = ["a", "b", "c"].map(|name| saying(inbound("ann@net", name, 1), "as it was"));
    assert_eq!(events_of(&*storage, storing(1, messages)).await.len(), 3, "that they were stored says it all");
    let shown = message(&*storage, 1, "ann@net", "a").await;
    assert_eq!((shown.edited_at, shown.reactions), (Some(at(5)), vec![reacted("ann@net", "👍", 6)]));
    assert_eq!(text(&*storage, "a").await, "as it is now");
    assert_eq!(message(&*storage, 1, "ann@net", "b").await.message.content, Content::Deleted);
    assert_eq!(text(&*storage, "c").await, "as it was");
    assert_eq!(events_of(&*storage, amending(1, [edit("ann@net", "a", "d", 5, "smaller id")])).await, []);
}

pub(crate) async fn an_edit_outlasts_what_is_filled_in(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let mut sealed = inbound("ann@net", "a", 1);
    sealed.message.content = Content::Undecryptable;
    storage.commit(storing(1, [sealed])).await.unwrap();
    storage.commit(amending(1, [edit("ann@net", "a", "e", 5, "as it is now")])).await.unwrap();
    storage.commit(storing(1, [saying(inbound("ann@net", "a", 1), "as it was")])).await.unwrap();
    assert_eq!(text(&*storage, "a").await, "as it is now");
    assert_eq!(message(&*storage, 1, "ann@net", "a").await.edited_at, Some(at(5)));
}

/// The same message and changes, in ever other orders and pieces, with repetitions: always the same is shown.
pub(crate) async fn any_order_shows_the_same(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let random = Random::seeded(7);
    for deleted in [false, true] {
        let mut shown = None;
        for round in 0..12 {
            let session = round + if deleted { 100 } else { 200 };
            add(&*storage, [session]).await;
            let mut commits = vec![storing(session, [saying(inbound("ann@net", "a", 1), "as it was")])];
            let mut changes: Vec<Amendment> = Vec::new();
            for n in 0..4_i64 {
                changes.push(edit("ann@net", "a", &format!("e{n}"), n / 2, &format!("edit {n}")));
                let emoji = (n != 3).then_some("👍");
                changes.push(reaction("ann@net", "a", &format!("r{n}"), n, emoji));
                changes.push(by(
                    "me@net",
                    reaction("ann@net", "a", &format!("s{n}"), -n, Some(["❤️", "😀"][n as usize % 2])),
                ));
            }
            changes.extend(deleted.then(|| deletion("ann@net", "a", "d", 2)));
            commits.extend(changes.into_iter().map(|change| amending(session, [change])));
            for place in (1..commits.len()).rev() {
                commits.swap(place, usize::try_from(random.below(place as u64 + 1)).expect("a small number"));
            }
            for commit in &commits {
                storage.commit(commit.clone()).await.unwrap();
                if random.below(4) == 0 {
                    storage.commit(commits[0].clone()).await.unwrap();
                }
            }
            let now = message(&*storage, session, "ann@net", "a").await;
            assert_eq!(*shown.get_or_insert(now.clone()), now, "round {round}");
        }
        let shown = shown.expect("there were rounds");
        let expected = if deleted { Content::Deleted } else { Content::Text("edit 3".into()) };
        assert_eq!((shown.message.content, shown.reactions.len()), (expected, usize::from(!deleted)));
    }
}

pub(crate) async fn survives_a_restart(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, ["a", "b"].map(|name| inbound("ann@net", name, 1)))).await.unwrap();
    let changes = [
        edit("ann@net", "a", "e", 5, "changed"),
        reaction("ann@net", "a", "r", 6, Some("👍")),
        deletion("ann@net", "b", "d", 7),
    ];
    storage.commit(amending(1, changes.clone())).await.unwrap();
    let before = Snapshot::of(&*storage).await;
    drop(storage);
    let storage = backend.open().await;
    assert_eq!(Snapshot::of(&*storage).await, before);
    assert_eq!(events_of(&*storage, amending(1, changes)).await, []);
}

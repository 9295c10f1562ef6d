//! Following one session live.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::error::Error;
use crate::ids::SessionId;
use crate::runtime::desk::Desk;
use crate::runtime::login_codes::ASK_EVERY;
use crate::runtime::timing::after;
use crate::session::Card;
use crate::transport::LoginChallenge;

/// How often a follower looks by itself. Hints from other nodes may get lost, and none comes when the node that drove the
/// session has died; whoever looks at the screen should not wait longer than this to see it.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A session as it looks at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Its card.
    pub card: Card,
    /// The login code to show, while there is a valid one. Of a session that another node drives, this needs a
    /// [vault key](crate::SeatportBuilder::vault_key) that both have: without one there is none to show.
    pub challenge: Option<LoginChallenge>,
}

/// Follows one session: [`next`](Self::next) answers how it looks now, and then each time that changes. States that lasted
/// shorter than the follower took are passed over; the [event feed](crate::Desk::events) passes over nothing.
///
/// ```
/// use seatport::{CardStatus, Desk, Error, SessionId};
///
/// async fn show_codes(desk: &Desk, session: SessionId, draw: impl Fn(&str)) -> Result<(), Error> {
///     let mut watch = desk.watch(session).await?;
///     loop {
///         let view = watch.next().await?;
///         if let Some(challenge) = &view.challenge {
///             draw(challenge.code.expose()); // on the screen; it belongs in no log
///         }
///         if view.card.status == CardStatus::Online {
///             return Ok(());
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Watch {
    desk: Desk,
    session: SessionId,
    changed: watch::Receiver<u64>,
    seen: Option<View>,
}

impl Watch {
    pub(crate) fn new(desk: Desk, session: SessionId) -> Self {
        let changed = desk.node().hub.follow(session);
        Self { desk, session, changed, seen: None }
    }

    /// How the session looks now, if that was not answered yet, or else once it looks different. Cancel-safe.
    ///
    /// # Errors
    /// [`Error::UnknownSession`] once it was deleted; [`Error::Denied`] once the agent lost sight of it;
    /// [`Error::UnknownAgent`] once the agent was removed; [`Error::ShutDown`] once the node ends; [`Error::Storage`] when the
    /// storage fails, and then the call may be repeated.
    pub async fn next(&mut self) -> Result<View, Error> {
        loop {
            self.changed.borrow_and_update();
            let (view, missing) = self.desk.view(self.session).await?;
            if self.seen.as_ref() != Some(&view) {
                self.seen = Some(view.clone());
                return Ok(view);
            }
            if missing {
                self.desk.node().ask_for_login_code(self.session);
            }
            let look_again = sleep(if missing { ASK_EVERY } else { LOOK_AGAIN });
            // A login code goes out of date without anybody saying so.
            let expiry = view.challenge.map(|challenge| challenge.expires_at.since(self.desk.node().now()));
            let expired = async {
                match expiry {
                    Some(left) => tokio::time::sleep_until(after(left.saturating_add(Duration::from_millis(1)))).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                changed = self.changed.changed() => if changed.is_err() {
                    // The node let go of its followers: follow anew.
                    self.changed = self.desk.node().hub.follow(self.session);
                },
                () = expired => {}
                () = look_again => {}
            }
        }
    }

    /// Waits until the session looks as `wanted` says; answers that view.
    ///
    /// # Errors
    /// Those of [`next`](Self::next).
    pub async fn until(&mut self, wanted: impl Fn(&View) -> bool) -> Result<View, Error> {
        loop {
            let view = self.next().await?;
            if wanted(&view) {
                return Ok(view);
            }
        }
    }
}

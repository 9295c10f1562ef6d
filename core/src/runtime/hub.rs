//! Wakes whoever follows a session.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::ids::SessionId;

/// One counter per followed session; a change raises it.
#[derive(Debug, Default)]
pub(crate) struct Hub(Mutex<BTreeMap<SessionId, watch::Sender<u64>>>);

impl Hub {
    pub(crate) fn follow(&self, session: SessionId) -> watch::Receiver<u64> {
        let mut followed = self.0.lock();
        // Now and then, so that it costs nothing: whom nobody follows any more is forgotten.
        if !followed.contains_key(&session) && followed.len().is_power_of_two() {
            followed.retain(|_, counter| counter.receiver_count() > 0);
        }
        followed.entry(session).or_insert_with(|| watch::channel(0).0).subscribe()
    }

    /// Something about this session may have changed.
    pub(crate) fn poke(&self, session: SessionId) {
        let mut followed = self.0.lock();
        if let Some(counter) = followed.get(&session) {
            if counter.receiver_count() == 0 {
                followed.remove(&session);
            } else {
                counter.send_modify(|count| *count += 1);
            }
        }
    }

    /// Something about any session may have changed.
    pub(crate) fn poke_all(&self) {
        self.0.lock().retain(|_, counter| {
            counter.send_modify(|count| *count += 1);
            counter.receiver_count() > 0
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::random::Random;

    #[test]
    fn followers_that_left_are_forgotten_though_nothing_happens_to_what_they_followed() {
        let (hub, random) = (Hub::default(), Random::seeded(1));
        let session = |number| SessionId::generate(Timestamp::from_millis(number), &random);
        let staying: Vec<_> = (0..10).map(session).map(|session| (session, hub.follow(session))).collect();
        for number in 10..1000 {
            drop(hub.follow(session(number)));
        }
        assert!(hub.0.lock().len() <= 20, "{} are remembered, for ten who stay", hub.0.lock().len());
        for (session, follower) in staying {
            hub.poke(session);
            assert!(follower.has_changed().unwrap(), "who stays is told");
        }
    }
}

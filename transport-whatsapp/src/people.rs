//! Who turned out to be whom: the hidden addresses and phone numbers that belong together, told to Seatport.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use seatport::Address;
use seatport::transport::{SamePerson, Signal};
use tokio::sync::{Mutex, mpsc};

use crate::address::phone;

/// How many are told at once.
const AT_ONCE: usize = 256;

/// A hidden address with the phone number behind it, as the client learns them: users without a server.
pub(crate) type Learnt = (String, String);

/// Tells Seatport each pair once in a connection: what it did not store before the connection ended, it hears on the next, when
/// the person writes. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct People {
    signals: mpsc::Sender<Signal>,
    /// What was told. Held while it is told, so that a message under the one address never overtakes the news.
    told: Arc<Mutex<HashSet<u64>>>,
}

impl People {
    pub(crate) fn new(signals: mpsc::Sender<Signal>) -> Self {
        Self { signals, told: Arc::default() }
    }

    /// Tells of these pairs, hidden address first, but for those that it has told of, and the account's own.
    pub(crate) async fn tell(&self, own: Option<&Address>, mut pairs: Vec<(Address, Address)>) {
        pairs.retain(|(_, known)| Some(known) != own);
        if pairs.is_empty() {
            return;
        }
        let mut told = self.told.lock().await;
        let fresh: Vec<_> = pairs.into_iter().filter(|pair| told.insert(mark(pair))).collect();
        for some in fresh.chunks(AT_ONCE) {
            let same = some.iter().map(|(hidden, known)| SamePerson {
                address: hidden.clone(),
                canonical: known.clone(),
                phone: phone(known),
            });
            // An error means that Seatport has dropped the connection.
            let _ = self.signals.send(Signal::Identities(same.collect())).await;
        }
    }

    /// The same for what the client has learnt.
    pub(crate) async fn tell_learnt(&self, own: Option<&Address>, learnt: Vec<Learnt>) {
        let pair = |(lid, pn): Learnt| {
            let hidden = Address::new(format!("{lid}@lid")).ok()?;
            Some((hidden, Address::new(format!("{pn}@s.whatsapp.net")).ok()?))
        };
        self.tell(own, learnt.into_iter().filter_map(pair).collect()).await;
    }
}

fn mark(pair: &(Address, Address)) -> u64 {
    let mut hasher = DefaultHasher::new();
    pair.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_pair_but_the_accounts_own_is_told_once_and_a_new_number_again() {
        let (signals, mut heard) = mpsc::channel(8);
        let people = People::new(signals);
        let learnt = |pn: &str| vec![("95522".to_owned(), pn.to_owned())];
        let own = Address::new("5511@s.whatsapp.net").ok();
        for pn in ["5522", "5522", "5533", "5511"] {
            people.tell_learnt(own.as_ref(), learnt(pn)).await;
        }
        drop(people);
        let mut told = Vec::new();
        while let Some(Signal::Identities(same)) = heard.recv().await {
            told.extend(same);
        }
        assert_eq!(told.len(), 2);
        assert_eq!((told[0].address.as_str(), told[0].canonical.as_str()), ("95522@lid", "5522@s.whatsapp.net"));
        assert_eq!((told[0].phone.as_deref(), told[1].phone.as_deref()), (Some("5522"), Some("5533")));
    }

    #[tokio::test]
    async fn many_are_told_in_portions() {
        let (signals, mut heard) = mpsc::channel(8);
        let many = (0..600).map(|number| (format!("9{number}"), number.to_string())).collect();
        People::new(signals).tell_learnt(None, many).await;
        let mut portions = Vec::new();
        while let Some(Signal::Identities(same)) = heard.recv().await {
            portions.push(same.len());
        }
        assert_eq!(portions, [256, 256, 88]);
    }
}

//! A companion could not open a message and asks its sender for another copy.

use anyhow::Result;

use crate::mailbox::Parcel;
use crate::network::{Network, number_of};

/// Seals a message anew, in a fresh ratchet, and sends it under its old id.
pub(crate) async fn resend(network: &Network, number: &str, id: &str) -> Result<()> {
    let Some(account) = network.known_account(number) else { return Ok(()) };
    let mut account = account.lock().await;
    let account = &mut *account;
    let Some(companion) = &mut account.companion else { return Ok(()) };
    let Some(Parcel { envelope, content: Some(content), .. }) = companion.mailbox.recall(id).cloned() else {
        return Ok(());
    };
    let address = companion.address(number);
    let author = envelope.participant.as_deref().unwrap_or(&envelope.from).parse().map(|jid| number_of(&jid))?;
    if author == number {
        account.phone.forget(&address);
        companion.deliver(number, &mut account.phone, envelope, content).await
    } else {
        let person = network.person(&author);
        let mut person = person.lock().await;
        person.party.forget(&address);
        companion.deliver(number, &mut person.party, envelope, content).await
    }
}

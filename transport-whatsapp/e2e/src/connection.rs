//! One connection of a client, from the handshake to the end.

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use whatsapp_rust::buffa::Message as _;
use whatsapp_rust::wacore_binary::Node;
use whatsapp_rust::waproto::whatsapp as wa;

use crate::journal::Seen;
use crate::network::{Applicant, Network, Reach};
use crate::noise::Handshake;
use crate::party::DeviceKeys;
use crate::refusal::{Refusal, StreamEnd};
use crate::wire::{SecureWire, Wire};
use crate::{inbound, stanza};

/// What the rest of the server asks of a connection.
#[derive(Debug)]
enum Order {
    Say(Node),
    HangUp,
    Break,
}

/// The rest of the server's end of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    connection: u64,
    orders: mpsc::UnboundedSender<Order>,
}

impl Line {
    pub(crate) fn connection(&self) -> u64 {
        self.connection
    }

    /// Sends a stanza. One that comes too late is lost, as on any network.
    pub(crate) fn say(&self, stanza: Node) {
        let _ = self.orders.send(Order::Say(stanza));
    }

    /// Closes, after all that has been said before.
    pub(crate) fn hang_up(&self) {
        let _ = self.orders.send(Order::HangUp);
    }

    /// Ends without a word.
    pub(crate) fn cut(&self) {
        let _ = self.orders.send(Order::Break);
    }

    /// Says why, and closes.
    pub(crate) fn end(&self, why: StreamEnd) {
        self.say(why.stanza());
        self.hang_up();
    }

    /// Says why, and closes.
    pub(crate) fn refuse(&self, why: Refusal) {
        self.say(why.stanza());
        self.hang_up();
    }
}

/// Who is calling.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// A device that wants to be linked; its identity key.
    Applicant([u8; 32]),
    /// The companion of the account with this number.
    Companion(String),
    /// Somebody who was turned away.
    Nobody,
}

/// Serves a connection to its end.
pub(crate) async fn serve(network: Arc<Network>, stream: TcpStream, connection: u64) {
    if let Err(error) = run(&network, stream, connection).await {
        tracing::debug!(connection, "connection ended: {error:#}");
    }
    network.journal.record(Seen::Closed { connection });
}

async fn run(network: &Arc<Network>, stream: TcpStream, connection: u64) -> Result<()> {
    let mut reach = network.reach.subscribe();
    if reach.wait_for(|reach| *reach != Reach::Silent).await.is_ok_and(|reach| *reach == Reach::Down) {
        return Ok(());
    }
    let mut wire = Wire::accept(stream).await?;
    let handshake = network.identity.accept(&mut wire).await?;
    let (orders, mut inbox) = mpsc::unbounded_channel();
    let line = Line { connection, orders };
    let caller = admit(network, &handshake, &line).await?;
    let mut wire = wire.secure(handshake.inbound, handshake.outbound);
    let outcome = converse(network, &caller, &line, &mut inbox, &mut wire).await;
    leave(network, &caller, &line).await;
    outcome
}

/// Decides what a client gets for its payload.
async fn admit(network: &Arc<Network>, handshake: &Handshake, line: &Line) -> Result<Caller> {
    let connection = line.connection;
    let pattern = handshake.pattern;
    if let Some(registration) = handshake.payload.device_pairing_data.as_option() {
        let props =
            registration.device_props.as_deref().and_then(|props| wa::DeviceProps::decode_from_slice(props).ok());
        let os = props.and_then(|props| props.os);
        network.journal.record(Seen::Registration { connection, pattern, os });
        if let Some(refusal) = *network.refusal.lock() {
            line.refuse(refusal);
            return Ok(Caller::Nobody);
        }
        let keys = DeviceKeys::from_registration(registration)?;
        let identity = keys.identity;
        network.applicants.lock().insert(identity, Applicant { keys, line: line.clone() });
        line.say(stanza::pair_device(connection, *network.qr_codes.lock()));
        return Ok(Caller::Applicant(identity));
    }

    let number = handshake.payload.username.context("neither a registration nor a login")?.to_string();
    let outcome = log_in(network, &number, handshake.payload.device, line).await;
    let accepted = outcome.is_ok();
    network.journal.record(Seen::Login { connection, pattern, account: number.clone(), accepted });
    match outcome {
        Ok(()) => Ok(Caller::Companion(number)),
        Err(refusal) => {
            line.refuse(refusal);
            Ok(Caller::Nobody)
        }
    }
}

async fn log_in(network: &Network, number: &str, device: Option<u32>, line: &Line) -> Result<(), Refusal> {
    if let Some(refusal) = *network.refusal.lock() {
        return Err(refusal);
    }
    let account = network.known_account(number).ok_or(Refusal::LoggedOut)?;
    let mut account = account.lock().await;
    if let Some(refusal) = account.refusal {
        return Err(refusal);
    }
    let lid = account.lid.clone();
    let companion = account.companion.as_mut().ok_or(Refusal::LoggedOut)?;
    if device != Some(companion.device.into()) {
        return Err(Refusal::LoggedOut);
    }
    companion.active = false;
    companion.mailbox.reopen();
    // The network allows one connection per device: the newest wins.
    if let Some(before) = companion.line.replace(line.clone()) {
        before.end(StreamEnd::Replaced);
    }
    network.entered(number);
    line.say(stanza::success(&lid));
    Ok(())
}

async fn converse(
    network: &Arc<Network>,
    caller: &Caller,
    line: &Line,
    inbox: &mut mpsc::UnboundedReceiver<Order>,
    wire: &mut SecureWire<TcpStream>,
) -> Result<()> {
    let mut reach = network.reach.subscribe();
    loop {
        let now = *reach.borrow_and_update();
        match now {
            Reach::Up => {}
            Reach::Down => return Ok(()),
            Reach::Silent => {
                reach.changed().await?;
                continue;
            }
        }
        tokio::select! {
            changed = reach.changed() => changed?,
            order = inbox.recv() => match order {
                Some(Order::Say(stanza)) => wire.send_stanza(&stanza).await?,
                Some(Order::HangUp) => {
                    wire.close().await;
                    return Ok(());
                }
                Some(Order::Break) | None => return Ok(()),
            },
            stanza = wire.next_stanza() => match stanza? {
                Some(stanza) => inbound::handle(network, caller, line, &stanza).await?,
                None => return Ok(()),
            },
        }
    }
}

async fn leave(network: &Network, caller: &Caller, line: &Line) {
    match caller {
        Caller::Applicant(identity) => {
            let mut applicants = network.applicants.lock();
            if applicants.get(identity).is_some_and(|applicant| applicant.line.connection == line.connection) {
                applicants.remove(identity);
            }
            network.link_codes.lock().retain(|_, code| code.applicant.line.connection != line.connection);
        }
        Caller::Companion(number) => {
            network.left(number);
            let Some(account) = network.known_account(number) else { return };
            let mut account = account.lock().await;
            if let Some(companion) = &mut account.companion
                && companion.line.as_ref().is_some_and(|current| current.connection == line.connection)
            {
                companion.line = None;
                companion.active = false;
            }
        }
        Caller::Nobody => {}
    }
}

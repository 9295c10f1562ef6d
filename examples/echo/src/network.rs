//! The other side of the wire. Of a real network this is somebody else's, elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use seatport::lifecycle::Account;
use seatport::{Address, MessageId};
use tokio::sync::mpsc;

/// Where echoes come from.
pub const WALL: &str = "wall@echo";

/// The network never showed this login code, or nobody waits for it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchCode;

impl fmt::Display for NoSuchCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such login code; scan the one that is shown now")
    }
}

impl std::error::Error for NoSuchCode {}

/// A network on which everybody hears their own words. Its clones are the same network.
#[derive(Clone, Default)]
pub struct EchoNetwork(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Counts whatever needs a number that was never used before.
    numbers: u64,
    /// The connections that were not cut, by number.
    lines: BTreeMap<u64, mpsc::UnboundedSender<News>>,
    /// Which connection shows which login code.
    codes: BTreeMap<String, u64>,
    /// The devices that are linked, by the token that each was given.
    devices: BTreeMap<String, Device>,
}

/// A linked device.
struct Device {
    account: Account,
    /// Its connection, if it has one.
    line: Option<u64>,
    /// What it has not acknowledged.
    mailbox: BTreeMap<u64, Echo>,
    /// What it has sent.
    sent: BTreeSet<MessageId>,
}

/// What the network says on a connection. The end of it means that the connection was cut.
pub(crate) enum News {
    /// A phone has scanned the login code.
    Linked {
        account: Account,
        token: String,
    },
    /// The account is online.
    Online(Account),
    Echo(Echo),
    /// The phone has logged this device out.
    LoggedOut,
}

/// A text that comes back. It is said again at every login until it is acknowledged by its number.
#[derive(Clone)]
pub(crate) struct Echo {
    pub(crate) number: u64,
    pub(crate) text: String,
}

impl EchoNetwork {
    /// Scans a login code with the phone of this number, and answers the account on it.
    ///
    /// # Errors
    /// [`NoSuchCode`].
    pub fn scan(&self, phone: u32, code: &str) -> Result<Address, NoSuchCode> {
        let mut state = self.0.lock();
        let line = state.codes.remove(code).ok_or(NoSuchCode)?;
        let address = Address::new(format!("phone{phone}@echo")).map_err(|_| NoSuchCode)?;
        let account = Account { address: address.clone(), phone: None, name: None };
        let token = format!("token {}", state.number());
        let device = Device { account: account.clone(), line: None, mailbox: BTreeMap::new(), sent: BTreeSet::new() };
        state.devices.insert(token.clone(), device);
        state.say(line, News::Linked { account, token }).then_some(address).ok_or(NoSuchCode)
    }

    /// Logs out every device of an account, as its owner does on the phone.
    pub fn log_out(&self, account: &Address) {
        let mut state = self.0.lock();
        for line in state.take_lines(account) {
            state.say(line, News::LoggedOut);
            state.lines.remove(&line);
        }
        state.devices.retain(|_, device| device.account.address != *account);
    }

    /// Cuts the connections of an account.
    pub fn cut(&self, account: &Address) {
        let mut state = self.0.lock();
        for line in state.take_lines(account) {
            state.lines.remove(&line);
        }
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.lock().lines.values().filter(|line| !line.is_closed()).count()
    }

    /// How many echoes the devices of an account have not acknowledged.
    #[must_use]
    pub fn unacknowledged(&self, account: &Address) -> usize {
        let state = self.0.lock();
        let devices = state.devices.values().filter(|device| device.account.address == *account);
        devices.map(|device| device.mailbox.len()).sum()
    }

    // ---- what a transport asks for -----------------------------------------------------------------------------------

    /// Opens a connection: its number, and what the network says on it.
    pub(crate) fn dial(&self) -> (u64, mpsc::UnboundedReceiver<News>) {
        let mut state = self.0.lock();
        let (line, news) = mpsc::unbounded_channel();
        let number = state.number();
        state.lines.retain(|_, line| !line.is_closed());
        state.lines.insert(number, line);
        (number, news)
    }

    /// A login code for this connection.
    pub(crate) fn code(&self, line: u64) -> String {
        let mut state = self.0.lock();
        let code = format!("echo code {}", state.number());
        state.codes.insert(code.clone(), line);
        code
    }

    /// Logs a device in with its token; answers whether it is linked. It hears all that it has not acknowledged.
    pub(crate) fn log_in(&self, line: u64, token: &str) -> bool {
        let mut state = self.0.lock();
        let Some(device) = state.devices.get_mut(token) else { return false };
        let (account, waiting) = (device.account.clone(), device.mailbox.values().cloned().collect::<Vec<_>>());
        let before = device.line.replace(line);
        // One connection per device: who logs in last has it.
        before.map(|before| state.lines.remove(&before));
        state.say(line, News::Online(account));
        for echo in waiting {
            state.say(line, News::Echo(echo));
        }
        true
    }

    /// Takes a text from a device. The same id again is taken and not echoed.
    pub(crate) fn send(&self, token: &str, id: MessageId, text: String) {
        let mut state = self.0.lock();
        let number = state.number();
        let Some(device) = state.devices.get_mut(token) else { return };
        if device.sent.insert(id) {
            let echo = Echo { number, text };
            device.mailbox.insert(number, echo.clone());
            let line = device.line;
            line.map(|line| state.say(line, News::Echo(echo)));
        }
    }

    pub(crate) fn acknowledge(&self, token: &str, number: u64) {
        self.0.lock().devices.get_mut(token).map(|device| device.mailbox.remove(&number));
    }

    pub(crate) fn unlink(&self, token: &str) {
        self.0.lock().devices.remove(token);
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Says something on a connection, and answers whether somebody is there.
    fn say(&self, line: u64, news: News) -> bool {
        self.lines.get(&line).is_some_and(|line| line.send(news).is_ok())
    }

    /// The connections of an account, which its devices no longer have.
    fn take_lines(&mut self, account: &Address) -> Vec<u64> {
        let devices = self.devices.values_mut().filter(|device| device.account.address == *account);
        devices.filter_map(|device| device.line.take()).collect()
    }
}

impl fmt::Debug for EchoNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Codes and tokens stay out of it.
        f.write_str("EchoNetwork")
    }
}

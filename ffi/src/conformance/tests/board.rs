//! A network of a host.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::pending;
use std::time::SystemTime;

use parking_lot::{Mutex, MutexGuard};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::super::*;
use crate::card::{Account, ChallengeKind, LoginChallenge, Reason, ReasonKind};
use crate::conversation::{ChatKind, Content, InboundMessage};
use crate::transport::{
    AnyConnection, Capabilities, Connection, Dial, OutboundMessage, ReadMessage, Transport, TransportError,
};

const CHAT: &str = "bob@board";
const TOKEN: &str = "token";
/// How often somebody looks whether something has changed.
const LOOK: Duration = Duration::from_millis(2);

/// A network: whoever scans is logged in, and everybody hears bob.
#[derive(Clone, Default)]
pub(super) struct Board(Arc<Mutex<State>>);

#[derive(Default)]
pub(super) struct State {
    /// Whether it acknowledges before anything is stored: what the suite has to notice.
    pub(super) hasty: bool,
    /// Whether it does not tell what it can do.
    pub(super) silent: bool,
    down: bool,
    hanging: bool,
    numbers: u64,
    /// Which phone has scanned a code.
    codes: HashMap<String, Option<u32>>,
    /// By address.
    accounts: HashMap<String, Seat>,
    /// By number: the account, and how the network has ended it.
    lines: BTreeMap<u64, (Option<String>, Option<ReasonKind>)>,
}

#[derive(Default)]
struct Seat {
    tokens: HashSet<String>,
    waiting: BTreeMap<u64, String>,
    received: Vec<ReceivedText>,
    banned: bool,
}

impl State {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Ends the connections of this account, or all.
    fn end(&mut self, account: Option<&str>, why: ReasonKind) {
        for (whose, end) in self.lines.values_mut() {
            if account.is_none() || whose.as_deref() == account {
                *end = Some(why);
            }
        }
    }
}

impl Board {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }

    pub(super) fn network(&self) -> Arc<Network> {
        let capabilities = Capabilities { stores_credentials: true, ..Capabilities::default() };
        Network::hosted("board".to_owned(), capabilities, Arc::new(self.clone())).unwrap()
    }
}

fn because(kind: ReasonKind) -> Reason {
    Reason { kind, code: None, until: None }
}

fn whose(account: &str) -> Account {
    Account { address: account.to_owned(), phone: None, name: None }
}

/// A connection, as the network counts it.
struct Open(Board, u64);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.state().lines.remove(&self.1);
    }
}

impl Open {
    /// Waits while the network hangs; tells how it has ended the connection, if it has.
    async fn look(&self) -> Result<(), ReasonKind> {
        loop {
            let (hanging, end) = {
                let state = self.0.state();
                (state.hanging, state.lines.get(&self.1).and_then(|(_, end)| *end))
            };
            match end {
                Some(why) => return Err(why),
                None if hanging => sleep(LOOK).await,
                None => return Ok(()),
            }
        }
    }

    async fn live(self: Arc<Self>, dial: Dial, token: Option<String>) -> Result<(), TransportError> {
        let ended = match token {
            Some(token) => self.deliver(&dial, &token).await?,
            None => self.log_in(&dial).await?,
        };
        match ended {
            None => Ok(()),
            Some(kind @ ReasonKind::ConnectionLost) => dial.signals.lost(because(kind)).await,
            Some(kind) => dial.signals.rejected(because(kind)).await,
        }
    }

    /// Until somebody has scanned the code.
    async fn log_in(&self, dial: &Dial) -> Result<Option<ReasonKind>, TransportError> {
        let code = {
            let mut state = self.0.state();
            let code = format!("code number {}", state.number());
            state.codes.insert(code.clone(), None);
            code
        };
        let expires_at = SystemTime::now() + Duration::from_secs(60);
        let (kind, secret) = (ChallengeKind::Qr, Secret::new(code.clone()));
        dial.signals.challenge(LoginChallenge { kind, code: secret, sequence: 1, expires_at }).await?;
        loop {
            if let Err(why) = self.look().await {
                return Ok(Some(why));
            }
            let scanned = self.0.state().codes.get(&code).copied().flatten();
            let Some(phone) = scanned else {
                sleep(LOOK).await;
                continue;
            };
            let account = address(phone);
            let token = {
                let mut state = self.0.state();
                let token = format!("{account} device {}", state.number());
                state.accounts.entry(account.clone()).or_default().tokens.insert(token.clone());
                token
            };
            dial.vault.put(TOKEN.to_owned(), token.into_bytes()).await?;
            dial.signals.paired(whose(&account), true).await?;
            return Ok(None);
        }
    }

    /// What waits for the account, until the connection ends.
    async fn deliver(&self, dial: &Dial, token: &str) -> Result<Option<ReasonKind>, TransportError> {
        let account = token.split(' ').next().unwrap_or_default().to_owned();
        if let Err(why) = self.look().await {
            return Ok(Some(why));
        }
        {
            let mut state = self.0.state();
            let seat = state.accounts.entry(account.clone()).or_default();
            if seat.banned {
                return Ok(Some(ReasonKind::Banned));
            }
            if !seat.tokens.contains(token) {
                return Ok(Some(ReasonKind::LoggedOut));
            }
            state.lines.insert(self.1, (Some(account.clone()), None));
        }
        dial.signals.ready(whose(&account)).await?;
        let mut told = 0;
        loop {
            if let Err(why) = self.look().await {
                return Ok(Some(why));
            }
            let next = {
                let mut state = self.0.state();
                let hasty = state.hasty;
                let waiting = &mut state.accounts.entry(account.clone()).or_default().waiting;
                let next = waiting.range(told + 1..).next().map(|(number, text)| (*number, text.clone()));
                if let (true, Some((number, _))) = (hasty, &next) {
                    waiting.remove(number);
                }
                next
            };
            let Some((number, text)) = next else {
                sleep(LOOK).await;
                continue;
            };
            told = number;
            match dial.signals.messages(vec![letter(number, text)]).await {
                Ok(()) => drop(self.0.state().accounts.entry(account.clone()).or_default().waiting.remove(&number)),
                Err(TransportError::NotStored { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn address(phone: u32) -> String {
    format!("phone{phone}@board")
}

fn letter(number: u64, text: String) -> InboundMessage {
    InboundMessage {
        chat: CHAT.to_owned(),
        kind: ChatKind::Person,
        id: number.to_string(),
        sender: CHAT.to_owned(),
        content: Content::Text { text },
        at: SystemTime::now(),
        from_account: false,
        phone: None,
        sender_name: None,
        quoted: None,
    }
}

#[async_trait]
impl Transport for Board {
    async fn connect(&self, dial: Dial) -> Result<AnyConnection, TransportError> {
        let open = {
            let mut state = self.state();
            if state.down {
                return Err(TransportError::Lost { reason: because(ReasonKind::ConnectionLost) });
            }
            let number = state.number();
            state.lines.insert(number, (None, None));
            Arc::new(Open(self.clone(), number))
        };
        let token = dial.vault.get(TOKEN.to_owned()).await?;
        let token = token.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let living = tokio::spawn(open.clone().live(dial, token));
        Ok(AnyConnection(Arc::new(BoardLine(Mutex::new(Some(open)), living))))
    }
}

struct BoardLine(Mutex<Option<Arc<Open>>>, JoinHandle<Result<(), TransportError>>);

impl BoardLine {
    fn open(&self) -> Result<Arc<Open>, TransportError> {
        self.0.lock().clone().ok_or_else(TransportError::ended)
    }

    fn account(&self, state: &State) -> Result<String, TransportError> {
        let account = state.lines.get(&self.open()?.1).and_then(|(account, _)| account.clone());
        account.ok_or(TransportError::Later { problem: "nobody is logged in".to_owned() })
    }
}

#[async_trait]
impl Connection for BoardLine {
    async fn send(&self, message: OutboundMessage) -> Result<(), TransportError> {
        let open = self.open()?;
        open.look().await.map_err(|kind| TransportError::Lost { reason: because(kind) })?;
        let Content::Text { text } = message.content else {
            return Err(TransportError::Refused { problem: "texts only".to_owned() });
        };
        let mut state = open.0.state();
        let account = self.account(&state)?;
        let received = &mut state.accounts.entry(account).or_default().received;
        if received.iter().all(|before| before.id != message.id) {
            received.push(ReceivedText { chat: message.chat, id: message.id, text });
        }
        Ok(())
    }

    async fn mark_read(&self, _: String, _: Vec<ReadMessage>) -> Result<(), TransportError> {
        self.open().map(drop)
    }

    async fn log_out(&self) -> Result<(), TransportError> {
        let open = self.open()?;
        let mut state = open.0.state();
        let account = self.account(&state)?;
        state.accounts.entry(account).or_default().tokens.clear();
        Ok(())
    }

    async fn close(&self) -> Result<(), TransportError> {
        self.1.abort();
        *self.0.lock() = None;
        Ok(())
    }
}

#[async_trait]
impl TransportPeer for Board {
    async fn profile(&self) -> Result<PeerProfile, SeatportError> {
        if self.state().silent {
            pending::<()>().await;
        }
        Ok(PeerProfile {
            chat: CHAT.to_owned(),
            phone_numbers: Vec::new(),
            dead_proxy: None,
            scan: true,
            enter_pairing_code: false,
            codes_expire: false,
            two_accounts: true,
            write: true,
            echo: false,
            redeliver: true,
            count_unacknowledged: true,
            receive: true,
            show_once: true,
            cut: true,
            go_down: true,
            hang: true,
            log_out: true,
            block: true,
            count_connections: true,
            unhurried: false,
            patience: None,
            quiet: Some(Duration::from_millis(50)),
        })
    }

    async fn begin(&self) -> Result<(), SeatportError> {
        let mut state = self.state();
        (state.down, state.hanging) = (false, false);
        state.accounts.values_mut().for_each(|seat| seat.banned = false);
        Ok(())
    }

    async fn scan(&self, phone: u32, code: Arc<Secret>) -> Result<String, SeatportError> {
        let mut state = self.state();
        let Some(scanned) = state.codes.get_mut(code.0.expose()) else {
            return Err(SeatportError::Host { detail: "no such code".to_owned() });
        };
        *scanned = Some(phone);
        Ok(address(phone))
    }

    async fn enter_pairing_code(&self, _: u32, _: Arc<Secret>) -> Result<String, SeatportError> {
        pending().await
    }

    async fn write(&self, account: String, text: String) -> Result<Option<String>, SeatportError> {
        let mut state = self.state();
        let number = state.number();
        state.accounts.entry(account).or_default().waiting.insert(number, text);
        Ok(Some(number.to_string()))
    }

    async fn received(&self, account: String) -> Result<Vec<ReceivedText>, SeatportError> {
        Ok(self.state().accounts.entry(account).or_default().received.clone())
    }

    async fn unacknowledged(&self, account: String) -> Result<u32, SeatportError> {
        Ok(self.state().accounts.entry(account).or_default().waiting.len() as u32)
    }

    async fn cut(&self, account: String) -> Result<(), SeatportError> {
        self.state().end(Some(&account), ReasonKind::ConnectionLost);
        Ok(())
    }

    async fn set_down(&self, down: bool) -> Result<(), SeatportError> {
        let mut state = self.state();
        state.down = down;
        state.end(None, ReasonKind::ConnectionLost);
        Ok(())
    }

    async fn set_hanging(&self, hanging: bool) -> Result<(), SeatportError> {
        self.state().hanging = hanging;
        Ok(())
    }

    async fn log_out(&self, account: String) -> Result<(), SeatportError> {
        let mut state = self.state();
        state.accounts.entry(account.clone()).or_default().tokens.clear();
        state.end(Some(&account), ReasonKind::LoggedOut);
        Ok(())
    }

    async fn set_blocked(&self, account: String, blocked: bool) -> Result<(), SeatportError> {
        let mut state = self.state();
        state.accounts.entry(account.clone()).or_default().banned = blocked;
        if blocked {
            state.end(Some(&account), ReasonKind::Banned);
        }
        Ok(())
    }

    async fn connections(&self) -> Result<u32, SeatportError> {
        Ok(self.state().lines.values().filter(|(_, end)| end.is_none()).count() as u32)
    }
}

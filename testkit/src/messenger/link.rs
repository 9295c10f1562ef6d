//! One connection as the network sees it: from the dial over the login to the end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use seatport::lifecycle::{Reason, ReasonKind};
use seatport::{Address, LoginMethod, PortNumber};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::account::Device;
use super::journal::{ConnectionId, ConnectionRecord, End, Overlap};
use super::network::State;
use super::parcel::Parcel;
use super::settings::Conditions;
use super::talk::Words;
use super::wire::{Answer, CodeKind, Dial, FromNetwork, ToNetwork};

/// How long a connection that was replaced lives on. If its other side is gone, that shows within this time: then it was
/// dead when the next one logged in, and the two did not overlap.
const LAST_SIGN: Duration = Duration::from_millis(50);

/// A connection that has not ended.
pub(super) struct Link {
    /// Wakes the task that serves it.
    pub(super) wake: Arc<Notify>,
    pub(super) dial: Dial,
    pub(super) stage: Stage,
    pub(super) verdict: Option<Verdict>,
}

/// Why a connection is to end.
pub(super) struct Verdict {
    pub(super) reason: Reason,
    /// The login that took its place.
    pub(super) overlap: Option<Overlap>,
    pub(super) at: Instant,
}

pub(super) enum Stage {
    /// Nothing is answered before this moment.
    Dialled { answered_at: Instant },
    /// A login code is there, or is to be issued.
    Code { code: String, sequence: u32, expires: Instant },
    /// A phone used the code.
    Scanned { account: Address },
    /// Logged in.
    Online { account: Address, token: String, alive_at: Instant },
}

/// What a connection is told now.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) frames: Vec<FromNetwork>,
    /// How long saying it takes.
    pub(super) latency: Duration,
    /// How the connection ends after that.
    pub(super) end: Option<End>,
    /// When to ask again, if nothing happens before.
    pub(super) again_at: Option<Instant>,
}

impl Turn {
    fn reject(&mut self, reason: Reason) {
        self.frames.push(FromNetwork::Rejected(reason));
        self.end = Some(End::Rejected);
    }
}

impl State {
    /// Somebody dialled.
    pub(super) fn open(&mut self, dial: Dial) -> (ConnectionId, Arc<Notify>) {
        let id = ConnectionId(self.journal.connections.len() as u64 + 1);
        self.journal.connections.push(ConnectionRecord {
            id,
            session: dial.session,
            port: PortNumber(dial.port),
            proxy: dial.proxy.clone(),
            device_name: dial.device_name.clone(),
            dialled_at: self.now(),
            welcomed: false,
            login: None,
            end: None,
        });
        let answered_at = Instant::now() + self.settings.latency;
        let wake = Arc::new(Notify::new());
        let link = Link { wake: wake.clone(), dial, stage: Stage::Dialled { answered_at }, verdict: None };
        self.links.insert(id, link);
        (id, wake)
    }

    /// The connection is no more.
    pub(super) fn close(&mut self, id: ConnectionId, end: End) {
        self.links.remove(&id);
        self.accounts.values_mut().filter(|account| account.live == Some(id)).for_each(|account| account.live = None);
        let now = self.now();
        if let Some(connection) = self.journal.connection(id) {
            connection.end = Some((end, now));
        }
    }

    /// Handles what a connection said, unless the network hangs, and answers what it is told.
    pub(super) fn turn(&mut self, id: ConnectionId, heard: &mut VecDeque<ToNetwork>) -> Turn {
        // Out of the map while it is worked on: logging in touches other connections too.
        let Some(mut link) = self.links.remove(&id) else { return Turn { end: Some(End::Cut), ..Turn::default() } };
        let turn = self.link_turn(id, &mut link, heard);
        self.links.insert(id, link);
        turn
    }

    fn link_turn(&mut self, id: ConnectionId, link: &mut Link, heard: &mut VecDeque<ToNetwork>) -> Turn {
        let conditions = self.conditions_of(link);
        let mut turn = Turn { latency: self.settings.latency + conditions.slow, ..Turn::default() };
        if conditions.down {
            turn.end = Some(End::Cut);
            return turn;
        }
        if conditions.hang {
            return turn;
        }
        while let (Some(frame), None) = (heard.pop_front(), turn.end) {
            self.hear(link, &conditions, frame, &mut turn);
        }
        match &link.verdict {
            _ if turn.end.is_some() => {}
            None => self.advance(id, link, &conditions, &mut turn),
            Some(verdict) if Instant::now() < verdict.at => turn.again_at = Some(verdict.at),
            Some(verdict) => {
                turn.reject(verdict.reason.clone());
                self.journal.overlaps.extend(verdict.overlap.clone());
            }
        }
        turn
    }

    fn conditions_of(&self, link: &Link) -> Conditions {
        let account = match (&link.stage, &link.dial.token) {
            (Stage::Online { account, .. } | Stage::Scanned { account }, _) => self.accounts.get(account),
            (_, Some(token)) => self.accounts.values().find(|account| account.devices.contains_key(token)),
            _ => None,
        };
        account.map_or_else(|| self.conditions.clone(), |account| self.conditions.and(&account.conditions))
    }

    fn hear(&mut self, link: &mut Link, conditions: &Conditions, frame: ToNetwork, turn: &mut Turn) {
        let Stage::Online { account, token, .. } = &link.stage else {
            match frame {
                ToNetwork::Close | ToNetwork::LogOut => turn.end = Some(End::Closed),
                ToNetwork::Send { question, .. } | ToNetwork::MarkRead { question, .. } => {
                    turn.frames
                        .push(FromNetwork::Answer { question, answer: Answer::Later("not logged in yet".into()) });
                }
                ToNetwork::Dial(_) | ToNetwork::Pong | ToNetwork::Acknowledge(_) => {}
            }
            return;
        };
        match frame {
            ToNetwork::Close => turn.end = Some(End::Closed),
            ToNetwork::LogOut => {
                if let Some(account) = self.accounts.get_mut(account) {
                    account.devices.remove(token);
                }
                turn.end = Some(End::LoggedOut);
            }
            ToNetwork::Acknowledge(deliveries) => {
                let lost = self.chance(conditions.lost_acks);
                let device = self.accounts.get_mut(account).and_then(|account| account.devices.get_mut(token));
                if let (Some(device), false) = (device, lost) {
                    device.acknowledge(&deliveries);
                }
            }
            ToNetwork::Send { question, chat, id, content, quoted } => {
                let answer = self.take(account, chat, Words { id, content, quoted }, conditions);
                turn.frames.extend(answer.map(|answer| FromNetwork::Answer { question, answer }));
            }
            ToNetwork::MarkRead { question, messages, .. } => {
                let answer = self.see(account, messages, conditions);
                turn.frames.push(FromNetwork::Answer { question, answer });
            }
            ToNetwork::Dial(_) | ToNetwork::Pong => {}
        }
    }

    fn advance(&mut self, id: ConnectionId, link: &mut Link, conditions: &Conditions, turn: &mut Turn) {
        if let Stage::Dialled { answered_at } = link.stage {
            if Instant::now() < answered_at {
                turn.again_at = Some(answered_at);
                return;
            }
            self.answer_dial(id, link, conditions, turn);
        }
        if let Stage::Scanned { account } = &link.stage {
            let account = account.clone();
            self.pair(id, link, account, turn);
        }
        if let Stage::Code { .. } = link.stage {
            self.show_code(link, turn);
        }
        if let Stage::Online { .. } = link.stage
            && turn.end.is_none()
        {
            self.attend(id, link, conditions, turn);
        }
    }

    fn answer_dial(&mut self, id: ConnectionId, link: &mut Link, conditions: &Conditions, turn: &mut Turn) {
        if link.dial.proxy.as_ref().is_some_and(|proxy| self.refusing_proxies.contains(proxy)) {
            return turn.reject(Reason::new(ReasonKind::ProxyRefused).code("407"));
        }
        if conditions.outdated {
            return turn.reject(Reason::new(ReasonKind::ClientOutdated).code("405"));
        }
        turn.frames.push(FromNetwork::Welcome);
        if let Some(connection) = self.journal.connection(id) {
            connection.welcomed = true;
        }
        let Some(token) = link.dial.token.clone() else {
            link.stage = Stage::Code { code: String::new(), sequence: 0, expires: Instant::now() };
            return;
        };
        let owner = self.accounts.iter().find(|(_, account)| account.devices.contains_key(&token));
        match owner.map(|(address, _)| address.clone()) {
            Some(account) => self.log_in(id, link, account, token, turn),
            None => turn.reject(Self::logged_out()),
        }
    }

    /// Issues the next code of the round when the one before has run out.
    fn show_code(&mut self, link: &mut Link, turn: &mut Turn) {
        let Stage::Code { code, sequence, expires } = &mut link.stage else { return };
        if Instant::now() >= *expires {
            let (kind, life) = match &link.dial.method {
                LoginMethod::Qr => (CodeKind::Qr, self.settings.qr_codes.get(*sequence as usize)),
                LoginMethod::PairingCode { .. } => {
                    (CodeKind::Pairing, Some(&self.settings.pairing_code).filter(|_| *sequence == 0))
                }
            };
            let Some(life) = life.copied() else {
                turn.frames.push(FromNetwork::CodesRanOut);
                turn.end = Some(End::CodesRanOut);
                return;
            };
            *code = match kind {
                CodeKind::Qr => format!("simulated:{}", self.hex(24)),
                CodeKind::Pairing => self.hex(4),
            };
            *sequence += 1;
            *expires = Instant::now() + life;
            self.codes.insert(code.clone());
            let valid_for = life.saturating_sub(turn.latency);
            turn.frames.push(FromNetwork::Code { kind, code: code.clone(), sequence: *sequence, valid_for });
        }
        turn.again_at = Some(*expires);
    }

    fn pair(&mut self, id: ConnectionId, link: &mut Link, account: Address, turn: &mut Turn) {
        let (token, redial) = (self.hex(16), self.settings.redial_after_pairing);
        let Some(known) = self.accounts.get_mut(&account) else { return };
        let mut device = Device::new(link.dial.session, link.dial.device_name.clone());
        if self.settings.history {
            let jitter = self.conditions.and(&known.conditions).jitter;
            for piece in known.memory.pieces(self.settings.history_piece) {
                self.numbers += 1;
                device.keep(self.numbers, Parcel::History(piece), Instant::now() + self.random.up_to(jitter));
            }
        }
        known.devices.insert(token.clone(), device);
        turn.frames.push(FromNetwork::Paired { account: known.identity.clone(), token: token.clone(), redial });
        if redial {
            turn.end = Some(End::Paired);
        } else {
            self.log_in(id, link, account, token, turn);
        }
    }

    /// One connection per account: who logs in last stays.
    fn log_in(&mut self, id: ConnectionId, link: &mut Link, account: Address, token: String, turn: &mut Turn) {
        let now = self.now();
        let Some(known) = self.accounts.get_mut(&account) else { return };
        if let Some(reason) = known.ban(now) {
            return turn.reject(reason);
        }
        let identity = known.identity.clone();
        if let Some(first) = known.live {
            let overlap = Overlap { account: account.clone(), first, second: id, at: now };
            let at = Instant::now() + LAST_SIGN;
            self.sentence(&account, Verdict { reason: Self::replaced(), overlap: Some(overlap), at });
        }
        if let Some(known) = self.accounts.get_mut(&account) {
            known.live = Some(id);
        }
        if let Some(connection) = self.journal.connection(id) {
            connection.login = Some((account.clone(), now));
        }
        turn.frames.push(FromNetwork::Ready(identity));
        link.stage = Stage::Online { account, token, alive_at: Instant::now() + self.settings.keepalive };
    }

    /// Says what there is to say to a connection that is logged in.
    fn attend(&mut self, id: ConnectionId, link: &mut Link, conditions: &Conditions, turn: &mut Turn) {
        let Stage::Online { account, token, alive_at } = &mut link.stage else { return };
        let now = Instant::now();
        if now >= *alive_at {
            turn.frames.push(FromNetwork::Alive);
            *alive_at = now + self.settings.keepalive;
        }
        let device = self.accounts.get_mut(account).and_then(|account| account.devices.get_mut(token));
        let Some(device) = device else { return };
        let again_at = now + self.settings.redelivery;
        let deliveries = device.due(id, again_at, self.settings.batch, conditions.newest_first);
        turn.again_at = device.next_due(id).into_iter().chain([*alive_at]).min();
        for frame in deliveries {
            if self.chance(conditions.duplicates) {
                turn.frames.push(frame.clone());
            }
            turn.frames.push(frame);
        }
    }
}

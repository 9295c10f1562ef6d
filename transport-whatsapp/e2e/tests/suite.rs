//! The transport suite, run against WhatsApp and the fake server.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use seatport_testkit::transport::{Abilities, Peer, PeerError, Received, Subject};
use seatport_whatsapp::WhatsApp;
use seatport_whatsapp_e2e::{FakeServer, Person, Phone, Reach, Refusal, Seen};

const PHONES: [&str; 2] = ["5511999990001", "5531777770003"];
const BOB: &str = "5521888880002";

/// The phones, and Bob, on the other side of a fake server.
#[derive(Debug)]
struct Others(FakeServer);

impl Others {
    fn phone(&self, number: u32) -> Phone {
        self.0.phone(PHONES[number as usize - 1])
    }

    /// The phone with the account of this address.
    fn phone_of(&self, account: &str) -> Phone {
        self.0.phone(account.split(['@', ':']).next().unwrap_or_default())
    }

    fn bob(&self) -> Person {
        self.0.person(BOB)
    }
}

#[async_trait]
impl Peer for Others {
    fn abilities(&self) -> Abilities {
        let mut can = Abilities::default();
        (can.scan, can.enter_pairing_code, can.two_accounts) = (true, true, true);
        (can.write, can.receive, can.show_once) = (true, true, true);
        (can.redeliver, can.count_unacknowledged) = (true, true);
        (can.cut, can.go_down, can.hang, can.log_out, can.block) = (true, true, true, true, true);
        (can.count_connections, can.patience) = (true, Duration::from_secs(30));
        can
    }

    fn chat(&self) -> String {
        self.bob().jid()
    }

    fn phone_number(&self, phone: u32) -> String {
        format!("+{}", self.phone(phone).number())
    }

    async fn scan(&self, phone: u32, code: String) -> Result<String, PeerError> {
        let phone = self.phone(phone);
        phone.scan(&code).await.map_err(PeerError::new)?;
        Ok(phone.jid())
    }

    async fn enter_pairing_code(&self, phone: u32, code: String) -> Result<String, PeerError> {
        let phone = self.phone(phone);
        phone.enter_code(&code).await.map_err(PeerError::new)?;
        Ok(phone.jid())
    }

    async fn write(&self, account: String, text: String) -> Result<Option<String>, PeerError> {
        self.bob().write(&self.phone_of(&account), &text).await.map(Some).map_err(PeerError::new)
    }

    async fn received(&self, account: String) -> Result<Vec<Received>, PeerError> {
        let texts = self.0.journal().texts(self.phone_of(&account).number());
        // What comes twice under one id Bob's phone shows once.
        let mut ids = BTreeSet::new();
        let shown = texts.into_iter().filter(|(id, ..)| ids.insert(id.clone()));
        Ok(shown.map(|(id, chat, text)| Received { chat, id, text }).collect())
    }

    async fn unacknowledged(&self, account: String) -> Result<u32, PeerError> {
        u32::try_from(self.phone_of(&account).unacknowledged().await.len()).map_err(PeerError::new)
    }

    async fn cut(&self, account: String) -> Result<(), PeerError> {
        self.phone_of(&account).cut().await;
        Ok(())
    }

    async fn set_down(&self, down: bool) -> Result<(), PeerError> {
        self.0.set_reach(if down { Reach::Down } else { Reach::Up });
        Ok(())
    }

    async fn set_hanging(&self, hanging: bool) -> Result<(), PeerError> {
        self.0.set_reach(if hanging { Reach::Silent } else { Reach::Up });
        Ok(())
    }

    async fn log_out(&self, account: String) -> Result<(), PeerError> {
        self.phone_of(&account).log_out_companion().await;
        Ok(())
    }

    async fn set_blocked(&self, account: String, blocked: bool) -> Result<(), PeerError> {
        let phone = self.phone_of(&account);
        match blocked {
            true => phone.refuse_logins(Refusal::Locked).await,
            false => phone.accept_logins().await,
        }
        Ok(())
    }

    async fn connections(&self) -> Result<u32, PeerError> {
        let open = self.0.journal().pick(|seen| match seen {
            Seen::Opened { .. } => Some(1),
            Seen::Closed { .. } => Some(-1),
            _ => None,
        });
        u32::try_from(open.into_iter().sum::<i32>()).map_err(PeerError::new)
    }
}

async fn whatsapp() -> Subject {
    let server = FakeServer::start().await.expect("a free port");
    let transport = WhatsApp::default().server_url(&server.url()).expect("a URL").web_version(2, 3000, 1);
    Subject::new(transport, Others(server))
}

seatport_testkit::transport_suite! {
    subject: whatsapp(),
    left_out: [
        // These take minutes. The tests of login and of the runtime pass them faster.
        "login::a_round_of_codes_ends",
        "itself::gives_a_sign_of_life_every_minute",
    ]
}

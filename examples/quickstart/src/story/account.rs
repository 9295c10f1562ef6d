//! An account is added, started and logged in.

use anyhow::{Context, ensure};
use seatport::transport::LoginChallenge;
use seatport::{AgentId, Card, CardStatus, Clock, Environment, NewAccount, SessionId, SystemClock, View, WhenFull};

use super::Story;

impl Story<'_> {
    /// Answers the session of the hotline, online.
    pub(super) async fn add_an_account(&mut self) -> anyhow::Result<SessionId> {
        self.narrator.chapter("An account is added, and scanned").await?;
        let environment = Environment::new()
            .proxy("socks5://desk1:a-password@proxy.example:1080")?
            .device_name("Front desk 1")?
            .locale("zh-CN")?
            .time_zone("Asia/Shanghai")?;
        let hotline = NewAccount::on("simulated").environment(environment).bind(AgentId::new("li")?).remark("hotline");
        let hotline = self.office.mei.add_and_start(hotline, WhenFull::Fail).await?;
        let card = self.office.mei.card(hotline).await?;
        let proxy = card.environment.proxy.as_ref().context("the proxy got lost")?;
        self.narrator.say("Mei adds an account for the hotline, binds Li to it and starts it, in one step.").await?;
        self.narrator.say(format_args!("It lives in China and behind {proxy}; the password is in the vault.")).await?;
        self.narrator.say("It occupies a port from now on, though nobody has logged in yet:").await?;
        self.narrator.cards(&[card]).await?;

        let (card, code) = self.login_code(hotline).await?;
        self.narrator.say("The network sends a login code, and the desk shows it:").await?;
        self.narrator.code(&code, code.expires_at.since(SystemClock.now())).await?;
        self.narrator.cards(&[card]).await?;

        self.phone.scan(code.code.expose())?;
        let card = self.reach(hotline, CardStatus::Online).await?;
        self.narrator.say("Somebody scans it with the phone of the hotline. The account is online:").await?;
        self.narrator.cards(&[card]).await?;
        Ok(hotline)
    }

    /// Waits for a login code; answers it, and the card it belongs to.
    async fn login_code(&self, session: SessionId) -> anyhow::Result<(Card, LoginChallenge)> {
        let mut watch = self.office.mei.watch(session).await?;
        loop {
            let View { card, challenge } = watch.next().await?;
            match challenge {
                Some(code) => return Ok((card, code)),
                None => ensure!(card.status != CardStatus::Blocked, "there is no login code: {:?}", card.reason),
            }
        }
    }
}

//! An account is added, started and logged in.

use anyhow::Context;
use seatport::{AgentId, CardStatus, Clock, Environment, NewAccount, SessionId, SystemClock, WhenFull};

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

        let view = self.reach(hotline, CardStatus::AwaitingLogin).await?;
        let code = match view.challenge {
            Some(code) => code,
            None => self.office.mei.login_code(hotline).await?,
        };
        self.narrator.say("The network sends a login code, and the desk shows it:").await?;
        self.narrator.code(&code, code.expires_at.since(SystemClock.now())).await?;
        self.narrator.cards(&[view.card]).await?;

        self.phone.scan(code.code.expose())?;
        let card = self.reach(hotline, CardStatus::Online).await?.card;
        self.narrator.say("Somebody scans it with the phone of the hotline. The account is online:").await?;
        self.narrator.cards(&[card]).await?;
        Ok(hotline)
    }
}

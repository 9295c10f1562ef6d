//! What is found again, and what the data centre counts.

use anyhow::{Context, ensure};
use seatport::conversation::{Content, SearchQuery};
use seatport::leads::{Attribution, CsvOptions, Dimension, Figures, LeadQuery, LeadReport};
use seatport::{CardStatus, Clock, SessionId, SystemClock};

use super::{Story, refusal};

/// Where the office counts its days.
pub(super) const ZONE: &str = "Asia/Shanghai";

impl Story<'_> {
    /// Customers write to a second account.
    pub(super) async fn find_again(&mut self) -> anyhow::Result<()> {
        self.narrator.chapter("Found again").await?;
        let press = self.all_cards().await?.into_iter().find(|card| card.remark.as_str() == "press");
        let press = press.context("the third account is gone")?.session;
        let code = self.office.li.login_code(press).await?;
        let phone = self.network.phone("+8613900139000");
        phone.scan(code.code.expose())?;
        self.reach(press, CardStatus::Online).await?;
        self.network.person("蔡敏").write(phone.address(), "你好，上周的水壶可以退款吗？");
        self.bo.write(phone.address(), "The parcel was open when it came.");
        let card = self.unread(press, 2).await?;
        self.narrator.say("The third account is scanned too, and people write to it:").await?;
        self.narrator.cards(&[card]).await?;

        for (words, say) in [("parcel", "Li looks for a word, in all accounts at once:"), ("退款", "And for 退款:")]
        {
            let found = self.office.li.search_messages(&SearchQuery::new(words), None, 10).await?;
            ensure!(!found.is_empty(), "{words:?} is not found");
            self.narrator.say(say).await?;
            for hit in found {
                let remark = self.office.li.card(hit.session).await?.remark;
                let account = remark.as_str().split(',').next().unwrap_or_default();
                let Content::Text(text) = &hit.message.message.content else { continue };
                self.narrator.show(format_args!("{account}, {}: {text}", hit.message.message.chat)).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn count_leads(&mut self) -> anyhow::Result<()> {
        self.narrator.chapter("The data centre").await?;
        let query = LeadQuery::last(7, ZONE, SystemClock.now())?;
        let refused = refusal(self.office.li.leads(&query).await)?;
        self.narrator.say("Who wrote for the first time is a lead. Li would like to know how many there were:").await?;
        self.narrator.refused(&refused).await?;

        let by_session = self.office.mei.leads(&query.clone().by([Dimension::Session])?).await?;
        self.narrator.say("Mei, the supervisor, looks at the last seven days by account:").await?;
        self.show_leads(&by_session).await?;
        let by_agent = self.office.mei.leads(&query.clone().by([Dimension::Agent])?).await?;
        self.narrator
            .say("By agent: a lead belongs to whoever was bound when it came, an answer to whoever wrote it.")
            .await?;
        self.show_leads(&by_agent).await?;
        ensure!(by_session.current.total.new == by_agent.current.total.new, "the sums differ");

        let spreadsheet = self.office.mei.export_leads(&query.by([Dimension::Session])?, CsvOptions::default()).await?;
        self.narrator.say("The same for a spreadsheet:").await?;
        for line in String::from_utf8(spreadsheet)?.lines().take(2) {
            self.narrator.show(line).await?;
        }
        Ok(())
    }

    async fn show_leads(&mut self, report: &LeadReport) -> anyhow::Result<()> {
        for row in &report.current.rows {
            let name = match (row.session, &row.agent) {
                (Some(session), _) => self.called(session).await?,
                (None, Some(Attribution::Agent(agent))) => agent.to_string(),
                (None, Some(Attribution::Unassigned)) => "nobody".to_owned(),
                (None, _) => "the phone".to_owned(),
            };
            self.narrator.show(format_args!("{name:<8} {}", words(&row.figures))).await?;
        }
        self.narrator.show(format_args!("{:<8} {}", "all", words(&report.current.total))).await?;
        Ok(())
    }

    /// The first words of a session's remark.
    async fn called(&self, session: SessionId) -> anyhow::Result<String> {
        let remark = self.office.mei.card(session).await?.remark;
        Ok(remark.as_str().split(',').next().unwrap_or_default().to_owned())
    }
}

fn words(figures: &Figures) -> String {
    let Figures { new, duplicate, replied, responses, .. } = figures;
    let mean = responses.mean.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds} s"));
    format!("{new} new, {duplicate} duplicate, {replied} answered; mean answer {mean}")
}

//! How the story looks: chapters, sentences, cards and login codes.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anstyle::Style;
use seatport::transport::LoginChallenge;
use seatport::{Card, Error};

use crate::qr;

/// Prints the story, step by step, with a pause after each.
pub(crate) struct Narrator {
    out: Box<dyn Write + Send>,
    /// Whether `out` moves the cursor and shows colours.
    terminal: bool,
    pace: Duration,
    chapters: u32,
    /// Whether the columns of the cards were named in this chapter.
    columns_named: bool,
    /// Whether the last line can still be replaced.
    line_open: bool,
    /// The lines of a login code that nothing was printed below.
    code_lines: Option<usize>,
}

impl Narrator {
    pub(crate) fn on_stdout(pace: Duration) -> Self {
        let out = io::stdout();
        let terminal = out.is_terminal();
        Self::new(Box::new(out), terminal, pace)
    }

    pub(crate) fn new(out: Box<dyn Write + Send>, terminal: bool, pace: Duration) -> Self {
        Self { out, terminal, pace, chapters: 0, columns_named: false, line_open: false, code_lines: None }
    }

    /// Prints a heading without a number.
    pub(crate) async fn title(&mut self, text: impl Display) -> io::Result<()> {
        let bold = self.style(Style::new().bold());
        self.line(format_args!("{bold}{text}{bold:#}"))
    }

    /// Begins the next chapter.
    pub(crate) async fn chapter(&mut self, text: impl Display) -> io::Result<()> {
        self.chapters += 1;
        self.columns_named = false;
        self.line("")?;
        self.title(format!("{}. {text}", self.chapters)).await?;
        self.pause().await;
        Ok(())
    }

    /// Says what somebody does, or what happens.
    pub(crate) async fn say(&mut self, text: impl Display) -> io::Result<()> {
        self.line(format_args!(" · {text}"))?;
        self.pause().await;
        Ok(())
    }

    /// Shows a line of something: a message, an event.
    pub(crate) async fn show(&mut self, text: impl Display) -> io::Result<()> {
        self.line(format_args!("     {text}"))
    }

    /// Shows why something was refused.
    pub(crate) async fn refused(&mut self, error: &Error) -> io::Result<()> {
        let italic = self.style(Style::new().italic());
        self.show(format!("✗ {italic}{error}{italic:#}")).await?;
        self.pause().await;
        Ok(())
    }

    /// Shows cards as rows of a table.
    pub(crate) async fn cards(&mut self, cards: &[Card]) -> io::Result<()> {
        if !std::mem::replace(&mut self.columns_named, true) {
            let dim = self.style(Style::new().dimmed());
            let columns = Row { cells: ["account", "status", "unread", "remark", "agent", "port"].map(String::from) };
            self.show(format!("{dim}{columns}{dim:#}")).await?;
        }
        for card in cards {
            self.show(Row::of(card)).await?;
        }
        self.pause().await;
        Ok(())
    }

    /// Draws a login code, in place of the one before if nothing was printed since.
    pub(crate) async fn code(&mut self, code: &LoginChallenge, left: Duration) -> anyhow::Result<()> {
        let drawing = qr::draw(code.code.expose(), self.terminal)?;
        if let (true, Some(lines)) = (self.terminal, self.code_lines) {
            write!(self.out, "\r\u{1b}[{lines}A\u{1b}[J")?;
            self.line_open = false;
        }
        for line in &drawing {
            self.show(line).await?;
        }
        self.code_lines = Some(drawing.len());
        if self.terminal {
            self.seconds_left(code, left)?;
        } else {
            self.show(Remaining { code, left }).await?;
        }
        self.pause().await;
        Ok(())
    }

    /// Says how long the login code drawn last can still be used. Only a terminal can be told again and again.
    pub(crate) fn seconds_left(&mut self, code: &LoginChallenge, left: Duration) -> io::Result<()> {
        if self.terminal && self.code_lines.is_some() {
            write!(self.out, "\r\u{1b}[K     {}", Remaining { code, left })?;
            self.out.flush()?;
            self.line_open = true;
        }
        Ok(())
    }

    fn line(&mut self, text: impl Display) -> io::Result<()> {
        if std::mem::take(&mut self.line_open) {
            writeln!(self.out)?;
        }
        self.code_lines = None;
        writeln!(self.out, "{text}")
    }

    fn style(&self, style: Style) -> Style {
        if self.terminal { style } else { Style::new() }
    }

    async fn pause(&self) {
        tokio::time::sleep(self.pace).await;
    }
}

/// How long a login code can still be used.
struct Remaining<'a> {
    code: &'a LoginChallenge,
    left: Duration,
}

impl Display for Remaining<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded up: as long as it can be used it does not say zero.
        write!(f, "login code {}, {} s left", self.code.sequence, self.left.as_millis().div_ceil(1000))
    }
}

/// A line of the table of cards.
struct Row {
    cells: [String; 6],
}

impl Row {
    fn of(card: &Card) -> Self {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let account = card.account.as_ref().map(|account| match &account.phone {
            Some(phone) => format!("+{phone}"),
            None => account.address.to_string(),
        });
        let remark = card.remark.as_str().lines().next().map(str::to_owned);
        let agent = card.agent.as_ref().map(ToString::to_string);
        let port = card.port.map(|port| port.to_string());
        let unread = card.unread.to_string();
        Self {
            cells: [or_dash(account), card.status.to_string(), unread, or_dash(remark), or_dash(agent), or_dash(port)],
        }
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [account, status, unread, remark, agent, port] = &self.cells;
        write!(f, "{account:<15}  {status:<14}  {unread:>6}  {remark:<22}  {agent:<5}  {port}")
    }
}

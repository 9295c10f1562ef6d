//! How the story looks: a line for everything that happens, with its time and the node it happens to.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Color, Style};

/// Prints what happens, when it happens.
pub(crate) struct Timeline {
    begin: Instant,
    /// Whether the output shows colours.
    colour: bool,
}

impl Timeline {
    pub(crate) fn begin() -> Self {
        Self { begin: Instant::now(), colour: io::stdout().is_terminal() }
    }

    /// Prints a heading.
    pub(crate) fn title(&self, text: impl Display) -> io::Result<()> {
        let bold = self.style(Style::new().bold());
        writeln!(io::stdout(), "{bold}{text}{bold:#}")
    }

    /// Something happens to all.
    pub(crate) fn say(&self, text: impl Display) -> io::Result<()> {
        self.line("", Style::new(), text)
    }

    /// Something happens to a node.
    pub(crate) fn node(&self, name: &str, text: impl Display) -> io::Result<()> {
        self.line(name, colour_of(name), text)
    }

    /// Something bad happens to it.
    pub(crate) fn trouble(&self, name: &str, text: impl Display) -> io::Result<()> {
        let red = self.style(Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Red))));
        self.line(name, colour_of(name), format_args!("{red}{text}{red:#}"))
    }

    fn line(&self, who: &str, style: Style, text: impl Display) -> io::Result<()> {
        let (dim, style) = (self.style(Style::new().dimmed()), self.style(style));
        let seconds = self.begin.elapsed().as_secs_f64();
        writeln!(io::stdout(), "{dim}{seconds:>6.2} s{dim:#}  {style}{who:<5}{style:#}  {text}")
    }

    fn style(&self, style: Style) -> Style {
        if self.colour { style } else { Style::new() }
    }
}

/// Each node has its own.
fn colour_of(name: &str) -> Style {
    let colours = [AnsiColor::Cyan, AnsiColor::Yellow, AnsiColor::Magenta, AnsiColor::Green, AnsiColor::Blue];
    let number = name.bytes().map(usize::from).sum::<usize>() % colours.len();
    Style::new().fg_color(Some(Color::Ansi(colours[number])))
}

/// Times as people read them: the shortest, the median and the longest.
pub(crate) fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let [first, .., last] = times[..] else {
        return times.first().map_or_else(|| "nothing".to_owned(), |only| seconds(*only));
    };
    format!("{} to {}, half of them {} at most", seconds(first), seconds(last), seconds(times[(times.len() - 1) / 2]))
}

pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

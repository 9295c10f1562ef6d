//! The figures of a run: printed for people, and written down for `cargo xtask bench`.

use std::env;
use std::fmt::{self, Write as _};
use std::fs;

use anyhow::{Context, Result};

/// What a figure must keep to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// It must be this or more.
    AtLeast(f64),
    /// It must be this or less.
    AtMost(f64),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, ">= {bound}"),
            Self::AtMost(bound) => write!(f, "<= {bound}"),
        }
    }
}

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is of.
    pub of: String,
    /// How much.
    pub value: f64,
    /// In what; `x` for a ratio.
    pub unit: &'static str,
    /// What it must keep to, if anything.
    pub bound: Option<Bound>,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.value.abs() {
            0.0..10.0 => 2,
            10.0..100.0 => 1,
            _ => 0,
        };
        write!(f, "{:.digits$} {}", self.value, self.unit)
    }
}

/// The figures of one benchmark, in their order.
#[derive(Clone, Debug, Default)]
pub struct Figures(Vec<Figure>);

impl Figures {
    /// Adds a figure that is only shown.
    pub fn show(&mut self, of: impl Into<String>, value: f64, unit: &'static str) {
        self.add(Figure { of: of.into(), value, unit, bound: None });
    }

    /// Adds a ratio that must keep to a bound.
    pub fn bounded(&mut self, of: impl Into<String>, ratio: f64, bound: Bound) {
        self.add(Figure { of: of.into(), value: ratio, unit: "x", bound: Some(bound) });
    }

    fn add(&mut self, figure: Figure) {
        let bound = figure.bound.map(|bound| format!("   (bound {bound})")).unwrap_or_default();
        println!("{:<64} {figure}{bound}", figure.of);
        self.0.push(figure);
    }

    /// The lines that `cargo xtask bench` reads: what, how much, in what, and the bound, separated by tabs.
    #[must_use]
    pub fn lines(&self) -> String {
        self.0.iter().fold(String::new(), |mut lines, figure| {
            let bound = figure.bound.map(|bound| bound.to_string()).unwrap_or_default();
            // A String takes everything.
            let _ = writeln!(lines, "{}\t{}\t{}\t{bound}", figure.of, figure.value, figure.unit);
            lines
        })
    }

    /// Writes them to the file that `cargo xtask bench` named, if it runs this.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self) -> Result<()> {
        match env::var_os("SEATPORT_FIGURES") {
            Some(file) => fs::write(&file, self.lines()).with_context(|| format!("cannot write {}", file.display())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_hold_all_that_the_table_shows() {
        let mut figures = Figures::default();
        figures.bounded("ingest / bare", 0.75, Bound::AtLeast(0.6));
        figures.show("ingest", 12345.6, "messages/s");
        assert_eq!(figures.lines(), "ingest / bare\t0.75\tx\t>= 0.6\ningest\t12345.6\tmessages/s\t\n");
    }
}

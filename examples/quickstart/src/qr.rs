//! A QR code in characters.

use anstyle::{Ansi256Color, Style};
use anyhow::Context;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Black on white whatever the terminal's own colours are, for not every phone reads a negative. By number, because themes
/// change the named colours.
const PAPER: Style = Style::new()
    .fg_color(Some(anstyle::Color::Ansi256(Ansi256Color(16))))
    .bg_color(Some(anstyle::Color::Ansi256(Ansi256Color(231))));

/// Draws the code, two modules to a character; in colour for a terminal.
pub(crate) fn draw(code: &str, colour: bool) -> anyhow::Result<Vec<String>> {
    // Low error correction: nothing smears on a screen, and the smaller code fits into more of them.
    let code = QrCode::with_error_correction_level(code, EcLevel::L).context("the login code fits no QR code")?;
    let drawing = code.render::<Dense1x2>().build();
    let paper = if colour { PAPER } else { Style::new() };
    Ok(drawing.lines().map(|line| format!("{paper}{line}{paper:#}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whatsapp_code_fits_an_ordinary_terminal() {
        // Four parts in base64: about 240 characters.
        let drawing = draw(&"2@aB".repeat(60), false).unwrap();
        assert!(drawing.len() <= 33, "{} lines", drawing.len());
        assert!(drawing.iter().all(|line| line.chars().count() <= 66), "{}", drawing[0].chars().count());
    }

    #[test]
    fn only_a_terminal_gets_colours() {
        assert!(draw("seatport", true).unwrap().iter().all(|line| line.starts_with('\u{1b}') && line.ends_with('m')));
        assert!(draw("seatport", false).unwrap().iter().all(|line| !line.contains('\u{1b}')));
    }
}

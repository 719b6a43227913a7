//! How commands speak: a JSON value or lines for people on standard output, complaints on standard error.

use std::io::{self, Write as _};

use serde::Serialize;

/// Where a command's answer goes, and in which form.
#[derive(Clone, Copy)]
pub(super) struct Out {
    pub(super) json: bool,
}

impl Out {
    /// Says it as JSON or in words.
    pub(super) fn say(self, value: &impl Serialize, words: impl FnOnce() -> String) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string(value)? } else { harmless(&words()) };
        print(text.trim_end())
    }
}

/// Prints text and ends the line. A reader that went away (`| head`) has heard enough.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => Ok(printed?),
    }
}

/// Says what is wrong, where and what to do.
pub(super) fn complain(text: &str) {
    // There is no better place to say that this failed.
    let _ = writeln!(io::stderr().lock(), "qantara: {}", harmless(text));
}

/// Names come from shops, and a terminal obeys some characters: nobody else writes those on the operator's screen.
fn harmless(text: &str) -> String {
    text.replace(|letter: char| letter.is_control() && letter != '\n', "\u{fffd}")
}

/// Text from elsewhere where only this program may begin a new line.
pub(super) fn one_line(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// Columns as wide as their widest cell; the last one runs free.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = head.map(|title| title.chars().count());
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| one_line(cell))).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String; N]| {
        let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    line(&head.map(str::to_owned)) + &rows.iter().map(line).collect::<String>()
}

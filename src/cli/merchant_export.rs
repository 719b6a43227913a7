//! `merchant export`: all that is kept of a merchant, as files for whoever takes it along.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use super::{Ended, Session, open};
use crate::db::leave;

/// Each table as JSON, for programs, and as CSV, for people.
pub(super) fn export(session: &Session, slug: &str, folder: &Path) -> anyhow::Result<Ended> {
    let db = open::look(&session.config()?)?;
    let merchant = open::merchant_of(&db, slug)?;
    // A new one, so that nothing of another day is among the files.
    fs::DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("Cannot make the folder {}: name one that is not there yet", folder.display()))?;
    let mut counts = Map::new();
    // All files show the same moment.
    let written = db.read(|c| {
        let mut write = || -> anyhow::Result<()> {
            for (name, columns) in leave::files(c)? {
                let mut files = Files::new(folder, name, &columns)?;
                leave::rows(c, merchant.id, name, |row| files.write(&columns, row))?;
                counts.insert(name.to_owned(), files.finish()?.into());
            }
            Ok(())
        };
        Ok(write())
    })?;
    if let Err(error) = written {
        bail!("{error:#}: the files in {} are not whole", folder.display());
    }
    let answer = json!({ "merchant": merchant.slug, "folder": folder.display().to_string(), "rows": counts });
    session.out.say(&answer, || {
        let rows: Vec<String> = counts.iter().map(|(name, rows)| format!("{name}: {rows}")).collect();
        format!("All that is kept of {} is in {}\n{}", merchant.slug, folder.display(), rows.join("\n"))
    })?;
    Ok(Ended::Fine)
}

/// One table in both forms.
struct Files {
    json: BufWriter<File>,
    csv: BufWriter<File>,
    rows: u64,
}

impl Files {
    fn new(folder: &Path, name: &str, columns: &[String]) -> anyhow::Result<Self> {
        let make = |path: PathBuf| {
            let made = File::options().write(true).create_new(true).mode(0o600).open(&path);
            made.map(BufWriter::new).with_context(|| format!("Cannot write {}", path.display()))
        };
        let mut files = Self {
            json: make(folder.join(format!("{name}.json")))?,
            csv: make(folder.join(format!("{name}.csv")))?,
            rows: 0,
        };
        files.json.write_all(b"[")?;
        files.csv.write_all(line(columns.iter().map(String::as_str)).as_bytes())?;
        Ok(files)
    }

    fn write(&mut self, columns: &[String], row: &Map<String, Value>) -> anyhow::Result<()> {
        self.json.write_all(if self.rows == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut self.json, row)?;
        let text = |name: &String| match row.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        };
        let cells: Vec<String> = columns.iter().map(text).collect();
        self.csv.write_all(line(cells.iter().map(String::as_str)).as_bytes())?;
        self.rows += 1;
        Ok(())
    }

    /// What is not on the disk is not taken along.
    fn finish(mut self) -> anyhow::Result<u64> {
        self.json.write_all(b"\n]\n")?;
        for file in [self.json, self.csv] {
            file.into_inner().map_err(|error| error.into_error())?.sync_all()?;
        }
        Ok(self.rows)
    }
}

/// Quoted as RFC 4180 says; what a spreadsheet would take for a formula gets an apostrophe.
fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let cell = |text: &str| {
        let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']) && text.parse::<i64>().is_err();
        let guard = if is_formula || text.starts_with(['\t', '\r']) { "'" } else { "" };
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    };
    let cells: Vec<String> = cells.map(cell).collect();
    cells.join(",") + "\r\n"
}

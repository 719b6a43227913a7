//! `merchant coverage`: for which of a shop's variants a product is found in Daftra.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Ended, Session, open, out};
use crate::clock::Clock;
use crate::db::Db;
use crate::db::scope::Scope;
use crate::desk::{Wish, coverage, local};
use crate::domain::variant::Outcome;
use crate::text::Lang;

/// How often it is looked whether the server is through.
const EVERY: SignedDuration = SignedDuration::from_millis(500);
/// A shop of a hundred thousand variants takes Shopify half an hour.
const LONGEST: SignedDuration = SignedDuration::from_mins(45);

/// For which of the shop's variants a product is found in Daftra, by which rule, and for which none is; exits with 3 if there
/// are such
#[derive(clap::Args)]
pub(super) struct Coverage {
    /// The merchant
    slug: String,
    /// Print the variants without a product as CSV
    #[arg(long)]
    csv: bool,
    /// Show what the last look found, without looking again
    #[arg(long)]
    last: bool,
}

impl Coverage {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let config = session.config()?;
        let (db, clock) = (open::look(&config)?, Clock::real());
        let known = open::merchant_of(&db, &self.slug)?;
        let id = known.id;
        if !self.last {
            open::wish(&config, Wish::CoverageLook { slug: self.slug.clone() }, clock.now())?;
            if local::is_served(&config.data.folder) {
                wait(&db, &clock, id)?;
            } else {
                out::complain("No server runs: it looks at its start. What follows is what the last look found");
            }
        }
        let (found, since, rest) = db.see(&Scope::All, |sight| {
            Ok((sight.coverage(id)?, sight.coverage_under_way(id)?, sight.uncovered(id, 0, u32::MAX)?))
        })?;
        if let (Some(since), false) = (since, self.last) {
            out::complain(&format!("The look that began at {} goes on; see how it went with --last", second(since)));
        }
        let ended = if rest.is_empty() { Ended::Fine } else { Ended::FoundWrong };
        if self.csv {
            out::print(coverage::file(&rest).trim_end())?;
            return Ok(ended);
        }
        let answer = json!({
            "merchant": self.slug,
            "read_at": found.as_ref().map(|found| found.read_at),
            "whole": found.as_ref().map(|found| found.whole),
            "counts": found.as_ref().map(|found| &found.counts),
            "without_product": rest.len(),
        });
        session.out.say(&answer, || {
            let words = Lang::En.coverage();
            let Some(found) = &found else { return words.never.to_owned() };
            let counted = Outcome::ALL.into_iter().filter_map(|outcome| Some((outcome, found.counts.get(&outcome)?)));
            let rows: Vec<_> =
                counted.map(|(outcome, count)| [words.outcomes.of(outcome).to_owned(), count.to_string()]).collect();
            let scope = if found.whole { words.whole } else { words.of_orders };
            let table = out::table(["FOUND BY", "VARIANTS"], &rows);
            format!("{} (UTC): {}\n{scope}\n{table}", words.looked_at, second(found.read_at))
        })?;
        Ok(ended)
    }
}

fn second(at: Timestamp) -> String {
    crate::view::second(at)
}

fn wait(db: &Db, clock: &Clock, merchant_id: i64) -> anyhow::Result<()> {
    let until = clock.now() + LONGEST;
    while clock.now() < until && db.see(&Scope::All, |sight| sight.coverage_under_way(merchant_id))?.is_some() {
        clock.sleep(EVERY);
    }
    Ok(())
}

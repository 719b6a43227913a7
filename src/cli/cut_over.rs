//! `merchant cut-over`, `order adopt` and `order dismiss-invoice`: documents in Daftra that somebody else made of our orders.

use std::path::PathBuf;

use anyhow::Context as _;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Ended, Session, mapping, open, out};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::db::namesake::{Namesake, State};
use crate::db::scope::Scope;
use crate::desk::{AdoptRow, Wish, cut_over, local};
use crate::text::Lang;
use crate::text::refusal::Refusal;

/// How often it is looked whether the server is through, and for how long.
const EVERY: SignedDuration = SignedDuration::from_millis(500);
const LONGEST: SignedDuration = SignedDuration::from_mins(10);

/// Look in Daftra for invoices of the last 30 days that name this merchant's orders and were made by somebody else; exits with
/// 3 if one waits for a decision
#[derive(clap::Args)]
pub(super) struct CutOver {
    /// The merchant
    slug: String,
    /// Show what is known, without looking again
    #[arg(long)]
    last: bool,
}

/// Make invoices that somebody else wrote in Daftra the invoices of orders; exits with 3 if a line could not be done
#[derive(clap::Args)]
pub(super) struct Adopt {
    /// The merchant
    merchant: String,
    /// A CSV file with the columns order (its name or Shopify's id) and invoice (Daftra's id); "-" reads standard input
    #[arg(required_unless_present = "order")]
    file: Option<PathBuf>,
    /// One order instead of a file: its name or Shopify's id
    #[arg(long, conflicts_with = "file", requires = "invoice")]
    order: Option<String>,
    /// And its invoice: Daftra's id
    #[arg(long, conflicts_with = "file", requires = "order")]
    invoice: Option<i64>,
}

/// An invoice in Daftra that names an order is none of ours: the order is booked as if it were not there
#[derive(clap::Args)]
pub(super) struct Dismiss {
    /// The merchant
    merchant: String,
    /// Daftra's id of the invoice
    invoice: i64,
}

impl CutOver {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let config = session.config()?;
        let (db, clock) = (open::look(&config)?, Clock::real());
        let known = open::merchant_of(&db, &self.slug)?;
        if !self.last {
            open::wish(&config, Wish::CutOverLook { slug: self.slug.clone() }, clock.now())?;
            wait(&config, &clock, || {
                Ok(db.see(&Scope::All, |sight| sight.look_for_namesakes(known.id))?.since.is_some())
            })?;
        }
        let all = known_of(&db, known.id)?;
        let look = db.see(&Scope::All, |sight| sight.look_for_namesakes(known.id))?;
        let waits = all.iter().any(|one| matches!(one.state, State::Open | State::Adopting));
        let answer = json!({ "merchant": self.slug, "looked_at": look.looked_at, "documents": all.iter().map(told).collect::<Vec<_>>() });
        session.out.say(&answer, || {
            let words = Lang::En.cut_over();
            if look.looked_at.is_none() {
                return words.never.to_owned();
            }
            if all.is_empty() {
                return words.none.to_owned();
            }
            let cells = |one: &Namesake| {
                let fault = one.fault.as_ref().map(|fault| format!(". {}", words.fault(fault))).unwrap_or_default();
                [
                    one.order_name.clone(),
                    one.remote_id.to_string(),
                    one.remote_no.clone().unwrap_or_default(),
                    one.total.clone(),
                    format!("{}{fault}", words.state(one.state)),
                ]
            };
            out::table(["ORDER", "INVOICE", "NUMBER", "TOTAL", "STATE"], &all.iter().map(cells).collect::<Vec<_>>())
        })?;
        Ok(if waits { Ended::FoundWrong } else { Ended::Fine })
    }
}

impl Adopt {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let config = session.config()?;
        let clock = Clock::real();
        let rows = match (self.file, self.order.zip(self.invoice)) {
            (Some(file), _) => {
                cut_over::rows(&mapping::text_of(&file)?).with_context(|| format!("In {}", file.display()))?
            }
            (None, Some((order, invoice))) => vec![AdoptRow { line: 1, order, invoice: invoice.to_string() }],
            (None, None) => Vec::new(),
        };
        let db = open::look(&config)?;
        let merchant_id = open::merchant_of(&db, &self.merchant)?.id;
        let mut answer = open::wish(&config, Wish::OrderAdopt { slug: self.merchant, rows }, clock.now())?;
        let mine: Vec<i64> = invoices(&answer).collect();
        let is_waited_for = |one: &Namesake| mine.contains(&one.remote_id) && one.state == State::Adopting;
        wait(&config, &clock, || Ok(known_of(&db, merchant_id)?.iter().any(is_waited_for)))?;
        let known = known_of(&db, merchant_id)?;
        let mut is_all_well = true;
        let mut lines = Vec::new();
        for line in answer["lines"].as_array_mut().into_iter().flatten() {
            let said = said(line, &known);
            is_all_well &= said.starts_with(Lang::En.cut_over().adopted) || said.starts_with(WAITS);
            let (number, order, invoice) = (&line["line"], text(&line["order"]), text(&line["invoice"]));
            lines.push([number.to_string(), order.to_owned(), invoice.to_owned(), said.clone()]);
            line["outcome"] = said.into();
        }
        session.out.say(&answer, || out::table(["LINE", "ORDER", "INVOICE", "WHAT BECAME OF IT"], &lines))?;
        Ok(if is_all_well { Ended::Fine } else { Ended::FoundWrong })
    }
}

impl Dismiss {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let config = session.config()?;
        let wish = Wish::NamesakeDismiss { slug: self.merchant, invoice: self.invoice };
        let answer = open::wish(&config, wish, Clock::real().now())?;
        session.out.say(&answer, || format!("Invoice {} of Daftra is none of ours", self.invoice))?;
        Ok(Ended::Fine)
    }
}

/// Where the order itself has to wait, or no server runs.
const WAITS: &str = "waits for the next look at the order: see qantara order show";

/// What became of one line.
fn said(line: &Value, known: &[Namesake]) -> String {
    let words = Lang::En.cut_over();
    if let Ok(Some(refusal)) = serde_json::from_value::<Option<Refusal>>(line["refusal"].clone()) {
        return refusal.to_string();
    }
    let found = known.iter().find(|one| Some(one.remote_id) == text(&line["invoice"]).trim().parse().ok());
    match found {
        Some(Namesake { fault: Some(fault), .. }) => words.fault(fault),
        Some(Namesake { state: State::Adopting, .. }) => WAITS.to_owned(),
        Some(one) => words.state(one.state).to_owned(),
        None => String::new(),
    }
}

fn invoices(answer: &Value) -> impl Iterator<Item = i64> {
    let lines = answer["lines"].as_array().into_iter().flatten();
    lines.filter(|line| line["refusal"].is_null()).filter_map(|line| text(&line["invoice"]).trim().parse().ok())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn told(one: &Namesake) -> Value {
    json!({
        "order": one.order_name, "order_id": one.order_id, "invoice": one.remote_id, "number": one.remote_no,
        "total": one.total, "state": one.state, "fault": one.fault,
    })
}

fn known_of(db: &Db, merchant_id: i64) -> anyhow::Result<Vec<Namesake>> {
    Ok(db.see(&Scope::All, |sight| sight.namesakes(merchant_id, u32::MAX))?)
}

/// Until the running server is through. Without one nothing happens before its start.
fn wait(config: &Config, clock: &Clock, goes_on: impl Fn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let until = clock.now() + LONGEST;
    while goes_on()? && clock.now() < until {
        if !local::is_served(&config.data.folder) {
            out::complain("No server runs: it does this at its start");
            return Ok(());
        }
        clock.sleep(EVERY);
    }
    Ok(())
}

//! `statement`: every order of a day in one class.

use anyhow::Context as _;
use jiff::civil::Date;

use super::{Ended, Session, open, out};
use crate::db::scope::Scope;
use crate::view::{self, read};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// The statements, newest day first
    List {
        /// Of one merchant
        #[arg(long, value_name = "SLUG")]
        merchant: Option<String>,
        /// Only of days before this one: the next page
        #[arg(long, value_name = "DAY")]
        before: Option<Date>,
        /// Statements at most
        #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// One day of a merchant with all its orders
    Show {
        /// The merchant's slug
        merchant: String,
        /// In the merchant's own calendar: 2026-11-20
        day: Date,
    },
}

impl Command {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let db = open::look(&session.config()?)?;
        match self {
            Self::List { merchant, before, limit } => {
                let merchant = merchant.as_deref().map(|slug| open::merchant_of(&db, slug)).transpose()?;
                let id = merchant.map(|merchant| merchant.id);
                let rows = db.see(&Scope::All, |sight| read::statements(sight, id, before, limit))?;
                session.out.say(&rows, || list(&rows))?;
            }
            Self::Show { merchant, day } => {
                let known = open::merchant_of(&db, &merchant)?;
                let told = db.see(&Scope::All, |sight| read::statement(sight, known.id, day)).with_context(|| {
                    format!(
                        "There is no statement of {merchant} for {day}. It is drawn up in the night after the day, from \
                         four o'clock on; `qantara statement list --merchant {merchant}` shows those there are"
                    )
                })?;
                session.out.say(&told, || show(&told))?;
            }
        }
        Ok(Ended::Fine)
    }
}

fn list(rows: &[view::Statement]) -> String {
    let cells = |row: &view::Statement| {
        [row.day.to_string(), row.merchant.clone(), row.orders.to_string(), classes(row), numbers(row)]
    };
    out::table(
        ["DAY", "MERCHANT", "ORDERS", "WHERE THEY STAND", "NUMBERS NEVER SEEN"],
        &rows.iter().map(cells).collect::<Vec<_>>(),
    )
}

fn show(told: &view::Statement) -> String {
    let mut text = format!("{} of {}: {} orders, {}\n", told.day, told.merchant, told.orders, classes(told));
    text += if told.proven {
        "The shop itself was looked through to its end since: it has no others of this day.\n"
    } else {
        "Known are the orders that the shop told of; whether it has others, only its own list can say.\n"
    };
    if !told.missing.is_empty() {
        text += &format!("Numbers that nobody told of: {}\n", numbers(told));
    }
    let cells =
        |line: &view::StatementLine| [line.order.clone(), line.order_id.to_string(), line.class.word().to_owned()];
    let lines = told.lines.iter().flatten().map(cells).collect::<Vec<_>>();
    text + &out::table(["ORDER", "NUMBER", "CLASS"], &lines)
}

fn classes(statement: &view::Statement) -> String {
    let parts: Vec<String> =
        statement.classes.iter().map(|(class, count)| format!("{} {count}", class.word())).collect();
    parts.join(", ")
}

fn numbers(statement: &view::Statement) -> String {
    let one = |gap: &crate::domain::sequence::Gap| {
        if gap.from == gap.to { gap.from.to_string() } else { format!("{}-{}", gap.from, gap.to) }
    };
    statement.missing.iter().map(one).collect::<Vec<_>>().join(", ")
}

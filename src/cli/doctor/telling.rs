//! The ways by which people hear of alerts: whether any is configured, their secrets, and whether words get out.

use super::Row;
use crate::cli::alert;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, Error, notice};
use crate::outgoing::Outgoing;

const CHECK: &str = "alerts";

/// One row per way; one that says so where there is none.
pub(super) fn all(config: &Config, db: &Db) -> Vec<Row> {
    let tongue = Outgoing::new(&config.outgoing)
        .map_err(anyhow::Error::from)
        .and_then(|outgoing| alert::tongue(config, outgoing));
    let (open, has_mail) = match tongue {
        Ok(tongue) => (tongue.channels.open(), !tongue.mail_to.is_empty()),
        Err(error) => return vec![Row::bad(CHECK, format!("{error:#}"), "Correct it: the server does not start so")],
    };
    if open.is_empty() && !has_mail {
        return vec![Row::warning(
            CHECK,
            "nobody is told of them; they stand on their page only",
            "Set alerts.mail_to, alerts.telegram_token_file or alerts.webhook_url, then try: qantara alert test",
        )];
    }
    open.into_iter().map(|channel| row(db, channel.word()).unwrap_or_else(of_disk).of(channel.word())).collect()
}

fn row(db: &Db, channel: &str) -> Result<Row, Error> {
    let now = Clock::real().now();
    let (waiting, is_failing) =
        db.read(|c| Ok((notice::waiting_for(c, channel)?, notice::is_failing(c, channel, now)?)))?;
    Ok(if is_failing {
        let next = "qantara alert test says why; the page of alerts, too";
        Row::bad(CHECK, format!("does not get out, {waiting} wait"), next)
    } else {
        Row::good(CHECK, format!("{waiting} wait to be told"))
    })
}

fn of_disk(error: Error) -> Row {
    Row::bad(CHECK, error, "Look into the journal for errors of the disk")
}

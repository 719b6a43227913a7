//! Whether mails can go out, and whether any waits or failed.

use jiff::SignedDuration;

use super::Row;
use crate::cli::mail::server;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, mail};
use crate::engine::outbox::Rules;
use crate::mail::post::Post;
use crate::text::Lang;
use crate::text::label::mail::problem;

const CHECK: &str = "mail";
/// Longer than a few tries: something is wrong.
const LONG: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The server: it is greeted, with login, and hung up on.
pub(super) fn way_out(config: &Config, is_offline: bool) -> Row {
    let rules = match Rules::new(config) {
        Ok(Some(rules)) => rules,
        Ok(None) => return Row::good(CHECK, "off: mail.server is empty"),
        Err(error) => return Row::bad(CHECK, error, "Correct the section [mail]"),
    };
    if is_offline {
        return Row::good(CHECK, format!("by {}, which was not asked", server(config)));
    }
    let mut post = Post::new(rules.server);
    let greeted = post.greet();
    post.hang_up();
    match greeted {
        Ok(()) => Row::good(CHECK, format!("{} lets us in; qantara mail test sends one", server(config))),
        Err(found) => {
            let sentence = problem(Lang::En, &found);
            Row::bad(CHECK, format!("{}: {}", server(config), sentence.what), sentence.next_step)
        }
    }
}

/// The outbox; nothing where all is well.
pub(super) fn outbox(db: &Db) -> Option<Row> {
    const CHECK: &str = "outbox";
    let now = Clock::real().now();
    let standing = match db.read(|c| mail::standing(c, now - DAY)) {
        Ok(standing) => standing,
        Err(error) => return Some(Row::bad(CHECK, error, "Look into the journal for errors of the disk")),
    };
    let is_late = standing.oldest.is_some_and(|oldest| now.duration_since(oldest) > LONG);
    if standing.failed == 0 && !is_late {
        return None;
    }
    let found = format!("{} mails wait, {} failed within a day", standing.waiting, standing.failed);
    Some(Row::warning(CHECK, found, "The page of the merchant's mails says why, and sends them again"))
}

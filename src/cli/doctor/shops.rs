//! Each merchant's way to the API of its shop, as the server found it, and the end of the version that is spoken.

use super::Row;
use crate::cli::shop::is_near_its_end;
use crate::clock::Clock;
use crate::db::{Db, Error, merchant, shop_api};
use crate::shop::api::{VERSION, VERSION_ENDS};
use crate::text::Lang;

const CHECK: &str = "shop API";

/// Nothing where no merchant has one.
pub(super) fn all(db: &Db) -> Vec<Row> {
    match rows(db) {
        Ok(rows) => rows,
        Err(error) => vec![Row::bad(CHECK, error, "Look into the journal for errors of the disk")],
    }
}

fn rows(db: &Db) -> Result<Vec<Row>, Error> {
    let known = db.read(|c| {
        let ids = shop_api::all(c)?;
        ids.into_iter()
            .map(|id| Ok((merchant::get(c, id)?.slug, shop_api::get(c, id)?)))
            .collect::<Result<Vec<_>, Error>>()
    })?;
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    for (slug, api) in known {
        let Some(api) = api else { continue };
        let row = match (api.blocked, api.caught_up_at) {
            (Some(why), _) => {
                let said = Lang::En.words().blocked(&why);
                Row::bad(CHECK, said.what, said.next_step)
            }
            (None, Some(_)) if !api.unread.is_empty() => Row::warning(
                CHECK,
                format!("lists {} orders that it does not give", api.unread.len()),
                format!("See which: qantara merchant api {slug}. They are tried again each time"),
            ),
            (None, Some(at)) => Row::good(CHECK, format!("looked through at {} UTC", crate::view::second(at))),
            (None, None) => Row::warning(CHECK, "not looked through yet", "Start the server; it begins by itself"),
        };
        rows.push(row.of(&slug));
    }
    if is_near_its_end(Clock::real().now()) {
        rows.push(Row::warning(
            CHECK,
            format!("version {VERSION} ends on {VERSION_ENDS}"),
            "Install a newer Qantara before: afterwards Shopify answers with another version",
        ));
    }
    Ok(rows)
}

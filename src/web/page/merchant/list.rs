//! All merchants: in which mode, in what trouble, and whether something arrives.

use maud::{Markup, html};

use super::{address, badge, zone};
use crate::db::merchant::{Merchant, Mode};
use crate::db::scope::Scope;
use crate::db::seen::Progress;
use crate::db::user::Role;
use crate::desk::file::MerchantFile;
use crate::web::asked::Asked;
use crate::web::page::{Frame, code, maybe_time, page, table};
use crate::web::reply::{Problem, Reply};

struct Row {
    merchant: Merchant,
    progress: Progress,
    orders_today: i64,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let now = asked.now();
    let rows: Vec<Row> = asked.see(|sight| {
        let row = |merchant: Merchant| {
            // A day that begins nowhere has no orders of its own.
            let today = now.to_zoned(zone(&merchant)).start_of_day().map_or(now, |start| start.timestamp());
            Ok(Row {
                progress: sight.progress(merchant.id)?,
                orders_today: sight.orders_since(merchant.id, today)?,
                merchant,
            })
        };
        sight.merchants()?.into_iter().map(row).collect()
    })?;
    let title = asked.lang.merchants().title;
    Ok(page(&Frame::new(asked, false), title, &render(asked, &rows)))
}

fn render(asked: &Asked, rows: &[Row]) -> Markup {
    let words = asked.lang.merchants();
    let label = asked.lang.words().labels();
    let headings = [label.merchant, label.mode, label.shop, words.last_delivery, words.orders_today];
    let cells: Vec<Markup> = rows.iter().map(|row| cells(asked, row)).collect();
    let may_add = asked.viewer.is(Role::Owner) && asked.viewer.user().scope == Scope::All;
    html! {
        div.head {
            h1 { (words.title) }
            @if may_add { a.button.primary href="/merchants/new" { (words.add) } }
        }
        (table(&headings, &cells, words.none))
    }
}

fn cells(asked: &Asked, row: &Row) -> Markup {
    let Row { merchant, progress, orders_today } = row;
    let here = address(&merchant.slug);
    let file = MerchantFile::of(merchant, &progress.address);
    html! {
        td {
            a href=(here) { bdi { (merchant.name) } }
            @if let Some(trouble) = merchant.trouble.as_ref().filter(|_| merchant.mode != Mode::Closed) {
                @let sentence = asked.lang.words().trouble(trouble);
                p.trouble { (sentence.what) " " strong { (sentence.next_step) } }
            }
        }
        td { (badge(merchant.mode, &file, asked.lang)) }
        td { (code(&merchant.shop_domain)) }
        td { (maybe_time(progress.last_delivery, &zone(merchant))) }
        td { (orders_today) }
    }
}

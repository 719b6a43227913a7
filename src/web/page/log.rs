//! The sync log: the story of every order, row by row, newest first.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::{Frame, code, log_rows, page, table};
use crate::db::log::{self, Entry, Status};
use crate::db::merchant::Merchant;
use crate::text::Notice;
use crate::web::asked::Asked;
use crate::web::reply::{Problem, Reply};

/// Rows on one page.
const ROWS: u32 = 100;

/// Which rows of the log somebody wants to see.
struct Wish {
    merchant: Option<String>,
    status: Option<Status>,
    before: Option<i64>,
}

impl Wish {
    /// From the address; a word that means nothing leads nowhere.
    fn parse(asked: &Asked) -> Result<Self, Notice> {
        let mut wish = Self { merchant: None, status: None, before: None };
        for (name, value) in asked.wishes() {
            match &*name {
                "merchant" => wish.merchant = Some(value.into_owned()),
                "status" => wish.status = Some(Status::parse(&value).ok_or(Notice::NotFound)?),
                "before" => wish.before = Some(value.parse().map_err(|_| Notice::NotFound)?),
                _ => {}
            }
        }
        Ok(wish)
    }

    /// The same rows, continued.
    fn older_than(&self, id: i64) -> String {
        let mut query = form_urlencoded::Serializer::for_suffix("/log?".to_owned(), "/log?".len());
        query.append_pair("before", &id.to_string());
        if let Some(merchant) = &self.merchant {
            query.append_pair("merchant", merchant);
        }
        if let Some(status) = self.status {
            query.append_pair("status", status.word());
        }
        query.finish()
    }
}

struct View<'a> {
    frame: Frame<'a>,
    wish: &'a Wish,
    merchants: Vec<Merchant>,
    log: Vec<Entry>,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let wish = Wish::parse(asked)?;
    let view = asked.see(|sight| {
        let merchant_id = wish.merchant.as_ref().map(|slug| sight.merchant(slug)).transpose()?.map(|known| known.id);
        let filter = log::Filter { merchant_id, status: wish.status, order_id: None, before: wish.before };
        Ok(View {
            frame: Frame::new(asked, false),
            wish: &wish,
            merchants: sight.merchants()?,
            log: sight.log(filter, ROWS)?,
        })
    })?;
    let content = render(&view);
    Ok(page(&view.frame, asked.lang.shell().log, &content))
}

fn render(view: &View<'_>) -> Markup {
    let lang = view.frame.lang;
    let label = lang.words().labels();
    let log = log_rows(&view.log, &TimeZone::UTC, None, lang, false);
    let older = (u32::try_from(view.log.len()) == Ok(ROWS)).then(|| view.log.last()).flatten();
    html! {
        h1 { (lang.shell().log) }
        (filter(view))
        (table(&[label.time, label.merchant, label.order, label.status, label.what], &log, label.no_log))
        p.muted { (label.times_in) " " (code("UTC")) }
        @if let Some(last) = older { p { a href=(view.wish.older_than(last.id)) { (label.older) } } }
    }
}

fn filter(view: &View<'_>) -> Markup {
    let words = view.frame.lang.words();
    let label = words.labels();
    html! {
        form.filter method="get" action="/log" {
            label { (label.merchant) " "
                select name="merchant" {
                    option value="" { (label.all) }
                    @for merchant in &view.merchants {
                        option value=(merchant.slug) selected[view.wish.merchant.as_ref() == Some(&merchant.slug)] {
                            (merchant.name)
                        }
                    }
                }
            }
            label { (label.status) " "
                select name="status" {
                    option value="" { (label.all) }
                    @for status in Status::ALL {
                        option value=(status.word()) selected[view.wish.status == Some(status)] { (words.status(status)) }
                    }
                }
            }
            button { (label.show) }
        }
    }
}

//! Before many orders are looked at again: how many they are, whose, and what the button does.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{Frame, badge_of_mode, complaint, form, page, table};
use crate::db::merchant::{Merchant, Mode};
use crate::db::order::State;
use crate::domain::reason::Hold;
use crate::web::asked::Asked;
use crate::web::reply::{Problem, Reply};

/// The page this one stands before.
pub(super) const HERE: &str = "/attention";
const AGAIN: &str = "/attention/again";
const RELEASE: &str = "/attention/release";
const RETRY: &str = "/attention/retry";

/// Which orders are meant, as it stands in the address.
pub(super) struct Wish<'a> {
    /// None: all whom somebody sees.
    pub(super) merchant: Option<&'a str>,
    /// None: those that were given up.
    pub(super) cause: Option<&'a str>,
    /// None: whatever the cause is about.
    pub(super) about: Option<&'a str>,
}

impl Wish<'_> {
    pub(super) fn address(&self) -> String {
        let fields = [("merchant", self.merchant), ("cause", self.cause), ("about", self.about)];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let start = format!("{}?", AGAIN);
        let length = start.len();
        form_urlencoded::Serializer::for_suffix(start, length).extend_pairs(fields).finish()
    }
}

struct View<'a> {
    asked: &'a Asked,
    wish: Wish<'a>,
    /// How many orders of whom.
    rows: Vec<(Merchant, i64)>,
    /// One of the holds, for its words.
    hold: Option<Hold>,
    /// There are more held orders than were counted.
    is_cut: bool,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    // A hold may be about nothing: then the field is there and empty.
    let fields: BTreeMap<String, String> = form_urlencoded::parse(asked.query.as_bytes()).into_owned().collect();
    let field = |name: &str| fields.get(name).map(String::as_str);
    let wish = Wish {
        merchant: field("merchant").filter(|slug| !slug.is_empty()),
        cause: field("cause").filter(|cause| !cause.is_empty()),
        about: field("about"),
    };
    let view = View::of(asked, wish)?;
    let title = view.title();
    Ok(page(&Frame::new(asked, false), title, &render(&view)))
}

impl<'a> View<'a> {
    fn of(asked: &'a Asked, wish: Wish<'a>) -> Result<Self, Problem> {
        let (merchants, counts, hold, is_cut) = asked.see(|sight| {
            let chosen = wish.merchant.map(|slug| sight.merchant(slug)).transpose()?;
            let only = chosen.as_ref().map(|merchant| merchant.id);
            let (mut counts, mut first, mut is_cut) = (BTreeMap::<i64, i64>::new(), None, false);
            if let Some(cause) = wish.cause {
                let (causes, more) = sight.causes(only)?;
                is_cut = more;
                let is_meant = |about: &str| wish.about.is_none_or(|wanted| wanted == about);
                for one in causes.into_iter().filter(|one| one.cause == cause && is_meant(&one.about)) {
                    // Of one merchant an order may be held by several of a kind: then this is at most what it is.
                    *counts.entry(one.merchant_id).or_default() += i64::try_from(one.orders).unwrap_or(i64::MAX);
                    first.get_or_insert(one.hold);
                }
            } else {
                let standing = sight
                    .standing()?
                    .into_iter()
                    .filter(|(id, state, _)| *state == State::Failed && only.is_none_or(|only| only == *id));
                counts.extend(standing.map(|(id, _, count)| (id, count)));
            }
            Ok((sight.merchants()?, counts, first, is_cut))
        })?;
        // What is closed does not change.
        let open = merchants.into_iter().filter(|merchant| merchant.mode != Mode::Closed);
        let rows: Vec<(Merchant, i64)> = open
            .filter_map(|merchant| Some((counts.get(&merchant.id).copied().filter(|count| *count > 0)?, merchant)))
            .map(|(count, merchant)| (merchant, count))
            .collect();
        Ok(Self { asked, wish, rows, hold, is_cut })
    }

    fn title(&self) -> &'static str {
        let words = self.asked.lang.attention();
        if self.wish.cause.is_some() { words.look_again } else { words.retry_all }
    }

    fn action(&self) -> &'static str {
        if self.wish.cause.is_some() { RELEASE } else { RETRY }
    }
}

fn render(view: &View<'_>) -> Markup {
    let (lang, words) = (view.asked.lang, view.asked.lang.attention());
    let label = lang.words().labels();
    html! {
        h1 { (view.title()) }
        @if view.rows.is_empty() {
            (complaint(words.none_left))
            p { a.button href=(HERE) { (lang.shell().back) } }
        } @else {
            @if let Some(hold) = &view.hold {
                @let sentence = lang.words().hold(hold, None);
                div.reason {
                    @if view.wish.about.is_none() { p.muted { (words.for_example) } }
                    p { (sentence.what) }
                    p.next { strong { (lang.shell().next_step) ": " } (sentence.next_step) }
                }
            }
            @if view.is_cut { p.banner.calm { (words.cut) } }
            (table(&[label.merchant, label.mode, label.orders, words.what_happens], &rows(view), ""))
            section.card {
                h2 { (words.button_does) }
                p { @if view.wish.cause.is_some() { (words.release_does) } @else { (words.retry_does) } }
                p { (words.never_twice) }
                (form(view.asked, view.action(), &fields(view)))
            }
        }
    }
}

fn rows(view: &View<'_>) -> Vec<Markup> {
    let (lang, words) = (view.asked.lang, view.asked.lang.attention());
    let row = |(merchant, count): &(Merchant, i64)| {
        let happens = match merchant.mode {
            Mode::Live if merchant.trouble.is_some() => words.then_waits,
            Mode::Live => words.then_booked,
            Mode::Shadow => words.then_shown,
            Mode::Paused | Mode::Closed => words.then_paused,
        };
        html! {
            td { bdi { (merchant.name) } }
            td { (badge_of_mode(merchant.mode, lang)) }
            td { strong { (count) } }
            td.wide { (happens) }
        }
    };
    view.rows.iter().map(row).collect()
}

fn fields(view: &View<'_>) -> Markup {
    let words = view.asked.lang.attention();
    let all: i64 = view.rows.iter().map(|(_, count)| count).sum();
    html! {
        input type="hidden" name="merchant" value=(view.wish.merchant.unwrap_or_default());
        @if let Some(cause) = view.wish.cause { input type="hidden" name="cause" value=(cause); }
        @if let Some(about) = view.wish.about { input type="hidden" name="about" value=(about); }
        div.actions {
            button { (words.do_it) " (" (all) ")" }
            a.button href=(HERE) { (view.asked.lang.shell().cancel) }
        }
    }
}

//! What an operator must know: open alerts first, then those that are over, each with what to do.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::merchant::mails::{resending, standing};
use super::{Frame, code, done, page, table, time};
use crate::db;
use crate::db::alert::Alert;
use crate::db::mail::Mail;
use crate::db::merchant::Merchant;
use crate::db::notice::Told;
use crate::db::sight::Sight;
use crate::db::user::Role;
use crate::desk::Wish;
use crate::desk::mail::Opener;
use crate::text::{self, Lang, Notice, Said};
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::reply::{Problem, Reply};

/// Closed alerts on one page.
const ROWS: u32 = 100;
/// Mails to those who run the server that are shown.
const MAILS: u32 = 20;

/// Whom alerts are about.
pub(super) struct Subjects {
    /// Names and slugs by id.
    merchants: BTreeMap<i64, Merchant>,
    addresses: BTreeMap<String, String>,
}

struct View {
    lang: Lang,
    now: Timestamp,
    /// With what was told of each.
    open: Vec<(Alert, Vec<Told>)>,
    /// To those who run the server; with each its recipient, if that opens.
    mails: Vec<(Mail, Option<String>)>,
    past: Vec<Alert>,
    has_older: bool,
    /// Not the first page.
    is_later: bool,
    subjects: Subjects,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let before = asked.wishes().find(|(name, _)| name == "before").map(|(_, id)| id.parse::<i64>());
    let before = before.transpose().map_err(|_| Notice::NotFound)?;
    let view = asked.see(|sight| {
        let mut past = sight.past_alerts(before, ROWS + 1)?;
        let has_older = u32::try_from(past.len()).is_ok_and(|found| found > ROWS);
        past.truncate(usize::try_from(ROWS).unwrap_or(usize::MAX));
        let open = if before.is_none() { sight.alerts()? } else { Vec::new() };
        let open = open
            .into_iter()
            .map(|alert| sight.told_of(&alert).map(|told| (alert, told)))
            .collect::<Result<Vec<_>, _>>()?;
        let opener = Opener::of(sight, &asked.context.parts.vault)?;
        let mails = if before.is_none() { sight.mails_to_operators(MAILS)? } else { Vec::new() };
        let mails =
            mails.into_iter().map(|mail| (opener.recipient(&mail), mail)).map(|(to, mail)| (mail, to)).collect();
        let subjects = Subjects::of(sight)?;
        let (lang, now) = (asked.lang, asked.now());
        Ok(View { lang, now, open, mails, past, has_older, is_later: before.is_some(), subjects })
    })?;
    let frame = Frame::new(asked, false);
    let frame = if view.is_later { frame } else { frame.watched() };
    Ok(page(&frame, asked.lang.shell().alerts, &render(asked, &view)))
}

/// Sends a mail to those who run the server again.
pub(in crate::web) fn resend(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    let mail_id = asked.id()?;
    asked.see(|sight| sight.mail_to_operators(mail_id))?;
    asked.perform(actor, Wish::MailResend { slug: None, mail_id })?;
    Ok(done("/alerts", Said::Saved))
}

impl Subjects {
    pub(super) fn of(sight: &Sight<'_>) -> Result<Self, db::Error> {
        let merchants: BTreeMap<i64, Merchant> =
            sight.merchants()?.into_iter().map(|merchant| (merchant.id, merchant)).collect();
        let mut addresses = BTreeMap::new();
        for merchant in merchants.values() {
            if let (Some(id), Some(address)) = (merchant.account_id, sight.account_address(merchant)?) {
                addresses.insert(format!("account {id}"), address);
            }
        }
        Ok(Self { merchants, addresses })
    }

    /// In the reader's words: a merchant by its name, an account by its address, the server itself by nothing.
    pub(super) fn show(&self, alert: &Alert) -> Markup {
        let merchant = alert.merchant_id.and_then(|id| self.merchants.get(&id));
        let particular = alert.subject.split_once(": ").map(|(_, rest)| rest);
        html! {
            @match (merchant, self.addresses.get(&alert.subject)) {
                (Some(merchant), _) => {
                    a href={ "/merchants/" (merchant.slug) } { bdi { (merchant.name) } }
                    @if let Some(particular) = particular { ": " (code(particular)) }
                }
                (None, Some(address)) => (code(address)),
                (None, None) => @if alert.subject != SERVER { (code(&alert.subject)) },
            }
        }
    }
}

/// The subject of what is neither a merchant's nor an account's.
const SERVER: &str = "server";

fn render(asked: &Asked, view: &View) -> Markup {
    let words = view.lang.alerts();
    html! {
        h1 { (view.lang.shell().alerts) }
        p.hint { (words.hint) }
        @if !view.is_later {
            section {
                h2 { (words.open) }
                @if view.open.is_empty() { p.banner.good { (words.nothing_open) } }
                ul.plain.problems { @for (alert, told) in &view.open { li.banner.warn { (open(alert, told, view)) } } }
            }
        }
        @if !view.mails.is_empty() {
            section #mails {
                h2 { (view.lang.telling().mails) }
                @let mail = view.lang.mail();
                (table(&[mail.when, mail.about, mail.to, mail.state, mail.resend], &view.mails.iter().map(|(one, to)| mailed(asked, one, to.as_deref())).collect::<Vec<_>>(), ""))
            }
        }
        section #rows {
            h2 { (words.past) }
            (table(&past_headings(view.lang), &view.past.iter().map(|alert| past(alert, view)).collect::<Vec<_>>(), words.nothing_past))
            p.hint { (view.lang.words().labels().times_in) " " (code("UTC")) }
            (pager(view))
        }
    }
}

fn open(alert: &Alert, told: &[Told], view: &View) -> Markup {
    let (words, sentence) = (view.lang.alerts(), text::alert(view.lang, &alert.cause));
    html! {
        div {
            p { strong { (sentence.what) } " " (view.subjects.show(alert)) (times(alert)) }
            @if !sentence.next_step.is_empty() {
                p { (view.lang.shell().next_step) ": " (sentence.next_step) }
            }
            p.muted {
                (words.since) " " (time(alert.opened_at, &TimeZone::UTC))
                " (" bdi { (text::span(view.lang, view.now.duration_since(alert.opened_at).as_secs())) } ")"
                @if alert.seen_at > alert.opened_at { " · " (words.last) " " (time(alert.seen_at, &TimeZone::UTC)) }
            }
            @for word in told { (way(word, view.lang)) }
        }
    }
}

fn mailed(asked: &Asked, mail: &Mail, to: Option<&str>) -> Markup {
    let words = asked.lang.mail();
    html! {
        td { (time(mail.created_at, &TimeZone::UTC)) }
        td { (words.of(mail.kind).name) }
        td { @match to { Some(address) => (code(address)), None => span.muted { (words.unreadable) } } }
        td { (standing(asked.lang, mail, &TimeZone::UTC)) }
        td { @if asked.viewer.is(Role::Operator) { (resending(asked, mail, &format!("/alerts/mails/{}/again", mail.id))) } }
    }
}

/// By which way something was said of it, and what came of that.
fn way(told: &Told, lang: Lang) -> Markup {
    let words = lang.telling();
    html! {
        p.muted {
            (words.channels) ": " (words.channel(&told.channel)) ", " (words.stage(told.stage)) " · " (words.state(&told.state))
            " " (time(told.state_at, &TimeZone::UTC))
            @if let Some(problem) = &told.problem { " · " bdi { (problem) } }
        }
    }
}

fn past_headings(lang: Lang) -> [&'static str; 4] {
    let (label, words) = (lang.words().labels(), lang.alerts());
    [label.what, label.subject, words.opened, words.closed]
}

fn past(alert: &Alert, view: &View) -> Markup {
    html! {
        td.wide { (text::alert(view.lang, &alert.cause).what) (times(alert)) }
        td { (view.subjects.show(alert)) }
        td { (time(alert.opened_at, &TimeZone::UTC)) }
        td {
            @if let Some(closed) = alert.closed_at {
                (time(closed, &TimeZone::UTC))
                " " span.muted { "(" bdi { (text::span(view.lang, closed.duration_since(alert.opened_at).as_secs())) } ")" }
            }
        }
    }
}

fn times(alert: &Alert) -> Markup {
    html! { @if alert.count > 1 { " " span.muted.nowrap { "× " (alert.count) } } }
}

fn pager(view: &View) -> Markup {
    let words = view.lang.alerts();
    let last = view.past.last().filter(|_| view.has_older);
    html! {
        @if view.is_later || last.is_some() {
            div.pager role="navigation" aria-label=(words.pages) {
                span { @if view.is_later { a href="/alerts" { (words.newest) } } }
                @if let Some(last) = last {
                    a href={ "/alerts?before=" (last.id) } rel="next" { (view.lang.words().labels().older) }
                }
            }
        }
    }
}

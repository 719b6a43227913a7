//! The mails of a merchant: who gets them, the words, and the outbox with what became of each.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{Known, head, perform, steps};
use crate::db::mail::{Filter, Mail, Recipient, State};
use crate::db::merchant::Mode;
use crate::db::user::Role;
use crate::desk::Wish;
use crate::desk::mail::Opener;
use crate::domain::news::Kind;
use crate::text::label::mail::problem;
use crate::text::{Lang, Said};
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{Frame, code, done, form, page, table, time};
use crate::web::reply::{Problem, Reply};

/// Mails on a page.
const ROWS: u32 = 50;

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    render(asked, &Known::of(asked)?, None)
}

pub(in crate::web) fn add(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let wish = Wish::MailRecipientAdd {
        slug: known.merchant.slug.clone(),
        address: form.get("address").to_owned(),
        language: form.get("language").to_owned(),
        kinds: kinds(form),
    };
    after(asked, actor, &known, wish, Some(form))
}

pub(in crate::web) fn set(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let wish = Wish::MailRecipientSet {
        slug: known.merchant.slug.clone(),
        recipient_id: second(asked),
        language: form.get("language").to_owned(),
        kinds: kinds(form),
    };
    after(asked, actor, &known, wish, None)
}

pub(in crate::web) fn remove(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let wish = Wish::MailRecipientRemove { slug: known.merchant.slug.clone(), recipient_id: second(asked) };
    after(asked, actor, &known, wish, None)
}

pub(in crate::web) fn resend(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    let known = Known::of(asked)?;
    let wish = Wish::MailResend { slug: Some(known.merchant.slug.clone()), mail_id: second(asked) };
    after(asked, actor, &known, wish, None)
}

/// The number in the second open place: the route lets nothing else through.
fn second(asked: &Asked) -> i64 {
    asked.captured.get(1).and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn kinds(form: &Form) -> BTreeSet<Kind> {
    form.all("kind").filter_map(Kind::parse).collect()
}

fn after(asked: &Asked, actor: &Actor, known: &Known, wish: Wish, typed: Option<&Form>) -> Result<Reply, Problem> {
    match perform(asked, actor, wish)? {
        None => Ok(done(&here(known), Said::Saved)),
        Some(wrong) => render(asked, known, Some((&wrong, typed))),
    }
}

pub(super) fn here(known: &Known) -> String {
    format!("{}/mails", known.address())
}

fn render(asked: &Asked, known: &Known, wrong: Option<(&Wrong, Option<&Form>)>) -> Result<Reply, Problem> {
    let before = asked.wishes().find(|(name, _)| name == "before").and_then(|(_, id)| id.parse().ok());
    let filter = Filter { merchant_id: Some(known.merchant.id), state: None, before };
    let vault = &asked.context.parts.vault;
    let (opener, recipients, mails, own) = asked.see(|sight| {
        let mut own = BTreeSet::new();
        for kind in Kind::OF_ORDERS {
            for lang in Lang::ALL {
                if sight.mail_wording(known.merchant.id, kind, lang.tag())?.is_some() {
                    own.insert((kind, lang.tag()));
                }
            }
        }
        let recipients = sight.mail_recipients(known.merchant.id)?;
        Ok((Opener::of(sight, vault)?, recipients, sight.mails(filter, ROWS + 1)?, own))
    })?;
    let words = asked.lang.mail();
    let typed = wrong.and_then(|(_, typed)| typed);
    let content = html! {
        (head(asked, known))
        (steps(asked, known, None))
        h2 { (words.title) }
        p.hint { (words.hint) }
        @if asked.context.parts.config.mail.server.is_none() { p.banner.warn { (words.is_off) } }
        @else if known.merchant.mode != Mode::Live { p.banner.calm { (words.not_live) } }
        section.card #recipients {
            h3 { (words.recipients) }
            p.hint { (words.recipients_hint) }
            @if recipients.is_empty() { p.empty { (words.nobody) } }
            @for recipient in &recipients { (recipient_card(asked, known, &opener, recipient)) }
            @if may_change(asked, known) { (new_recipient(asked, known, typed)) }
        }
        @if may_change(asked, known) { (wordings(asked, known, &own)) }
        section.stack #outbox {
            h3 { (words.outbox) }
            (outbox(asked, known, &opener, &mails))
            @if let Some(last) = mails.get(ROWS as usize - 1).filter(|_| mails.len() > ROWS as usize) {
                p { a.button href={ (here(known)) "?before=" (last.id) } { (words.older) } }
            }
        }
    };
    let title = format!("{} · {}", words.title, known.merchant.name);
    let frame = Frame::new(asked, mails.iter().any(|mail| mail.state == State::Sending)).with_typing();
    Ok(match wrong {
        None => page(&frame, &title, &content),
        Some((wrong, _)) => wrong.reply(&frame, &title, &content),
    })
}

fn may_change(asked: &Asked, known: &Known) -> bool {
    asked.viewer.is(Role::Owner) && known.merchant.mode != Mode::Closed
}

fn recipient_card(asked: &Asked, known: &Known, opener: &Opener, recipient: &Recipient) -> Markup {
    let words = asked.lang.mail();
    let address = opener.address(recipient);
    let told = html! { @match &address { Some(address) => (code(address)), None => span.bad { (words.unreadable) } } };
    let action = format!("{}/recipients/{}", known.address(), recipient.id);
    html! {
        article {
            div.head { strong { (told) } }
            @if may_change(asked, known) {
                (form(asked, &action, &html! {
                    (choices(asked, &recipient.language, &|kind| recipient.kinds.contains(&kind)))
                    div.actions { button.second { (words.save) } }
                }))
                (form(asked, &format!("{action}/remove"), &html! {
                    button.danger aria-label={ (words.remove) ": " (address.as_deref().unwrap_or_default()) } { (words.remove) }
                }))
            } @else {
                p { (kinds_in_words(asked.lang, &recipient.kinds)) }
            }
        }
    }
}

fn kinds_in_words(lang: Lang, kinds: &BTreeSet<Kind>) -> String {
    let names: Vec<&str> = kinds.iter().map(|kind| lang.mail().of(*kind).name).collect();
    if names.is_empty() { "–".to_owned() } else { names.join(" · ") }
}

fn choices(asked: &Asked, language: &str, is_ticked: &dyn Fn(Kind) -> bool) -> Markup {
    let words = asked.lang.mail();
    html! {
        label.field {
            span { (words.language) }
            select name="language" {
                @for lang in Lang::ALL { option value=(lang.tag()) lang=(lang.tag()) selected[lang.tag() == language] { (lang.name()) } }
            }
        }
        fieldset {
            legend { (words.about) }
            @for kind in Kind::CHOSEN {
                label.choice { input type="checkbox" name="kind" value=(kind.word()) checked[is_ticked(kind)]; " " (words.of(kind).name) }
            }
        }
    }
}

fn new_recipient(asked: &Asked, known: &Known, typed: Option<&Form>) -> Markup {
    let words = asked.lang.mail();
    let typed_kinds = typed.map(kinds);
    let is_ticked = |kind: Kind| typed_kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
    let language = typed.map_or(asked.lang.tag(), |typed| typed.get("language"));
    form(
        asked,
        &format!("{}/recipients", known.address()),
        &html! {
            label.field {
                span { (words.address) }
                input name="address" type="email" dir="ltr" autocomplete="off" maxlength="254" required
                    value=(typed.map(|typed| typed.get("address")).unwrap_or_default());
            }
            (choices(asked, language, &is_ticked))
            div.actions { button { (words.add) } }
        },
    )
}

fn wordings(asked: &Asked, known: &Known, own: &BTreeSet<(Kind, &str)>) -> Markup {
    let words = asked.lang.mail();
    let row = |kind: Kind| {
        html! {
            td { (words.of(kind).name) }
            @for lang in Lang::ALL {
                td {
                    a href=(super::words::address(known, kind, lang)) aria-label={ (words.of(kind).name) ", " (lang.name()) } { (lang.name()) }
                    " " span.muted { @if own.contains(&(kind, lang.tag())) { (words.own_words) } @else { (words.our_words) } }
                }
            }
        }
    };
    let rows: Vec<Markup> = Kind::OF_ORDERS.into_iter().map(row).collect();
    html! {
        section.card #words {
            h3 { (words.wordings) }
            p.hint { (words.wordings_hint) }
            (table(&[words.about, Lang::ALL[0].name(), Lang::ALL[1].name()], &rows, ""))
        }
    }
}

fn outbox(asked: &Asked, known: &Known, opener: &Opener, mails: &[Mail]) -> Markup {
    let words = asked.lang.mail();
    let headings = [words.when, words.about, words.to, words.state, words.resend];
    let rows: Vec<Markup> = mails.iter().take(ROWS as usize).map(|mail| row(asked, known, opener, mail)).collect();
    table(&headings, &rows, words.nothing_sent)
}

fn row(asked: &Asked, known: &Known, opener: &Opener, mail: &Mail) -> Markup {
    let words = asked.lang.mail();
    let again = format!("{}/{}/again", here(known), mail.id);
    html! {
        td { (time(mail.created_at, &known.zone())) }
        td {
            (words.of(mail.kind).name)
            @if mail.count > 1 { " × " (mail.count) }
            @if let Some(order) = mail.order_id { br; a href={ "/orders/" (order) } { (words.open_order) } }
        }
        td { @match opener.recipient(mail) { Some(address) => (code(&address)), None => span.muted { (words.unreadable) } } }
        td { (standing(asked.lang, mail, &known.zone())) }
        td {
            @if asked.viewer.is(Role::Operator) { (resending(asked, mail, &again)) }
        }
    }
}

/// The button that sends a mail again, where there is something to send.
pub(in crate::web::page) fn resending(asked: &Asked, mail: &Mail, action: &str) -> Markup {
    let words = asked.lang.mail();
    html! {
        @if mail.content.is_some() && matches!(mail.state, State::Sent | State::Failed | State::Queued) {
            (form(asked, action, &html! { button.second aria-label={ (words.resend) ": " (words.of(mail.kind).name) " " (mail.id) } { (words.resend) } }))
        }
    }
}

/// Where a mail stands, and why it does not go on.
pub(in crate::web::page) fn standing(lang: Lang, mail: &Mail, zone: &jiff::tz::TimeZone) -> Markup {
    let words = lang.mail();
    let tone = match mail.state {
        State::Sent => "good",
        State::Failed => "bad",
        State::Queued if mail.failures > 0 => "warn",
        State::Queued | State::Sending => "calm",
    };
    html! {
        span class={ "badge " (tone) } { (words.state(mail.state)) }
        @if let Some(trouble) = &mail.problem {
            @let sentence = problem(lang, trouble);
            p.small { (sentence.what) " " (sentence.next_step) }
        }
        @if mail.failures > 0 { p.small { (words.tries.of(mail.failures)) } }
        @if mail.doubts > 0 { p.small { (words.perhaps_twice) } }
        @if let Some(due) = mail.due_at.filter(|_| mail.failures > 0) { p.small { (words.next_try) " " (time(due, zone)) } }
    }
}

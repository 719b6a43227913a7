//! The words of one kind of mail in one language: a form, how the mail looks with a real order, and a trial.

use maud::{Markup, PreEscaped, html};

use super::{Known, head, perform};
use crate::desk::Wish;
use crate::desk::mail::{LONGEST_SUBJECT, LONGEST_WORDS, Opener, Words, sample};
use crate::domain::news::Kind;
use crate::mail::render::{PLACES, STYLE, render as render_mail};
use crate::text::{Lang, Notice, Said};
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{Frame, code, done, form, page};
use crate::web::reply::{self, Problem, Reply};

/// Which words are meant.
struct Which {
    known: Known,
    kind: Kind,
    /// Of the mail, not of whoever reads the page.
    lang: Lang,
}

/// Where the words of a kind and language are.
pub(super) fn address(known: &Known, kind: Kind, lang: Lang) -> String {
    format!("{}/words/{}/{}", known.address(), kind.word(), lang.tag())
}

impl Which {
    fn of(asked: &Asked) -> Result<Self, Problem> {
        let known = Known::open(asked)?;
        let named = |at: usize| asked.captured.get(at).map(String::as_str);
        let kind = named(1).and_then(Kind::parse).filter(|kind| Kind::OF_ORDERS.contains(kind));
        let lang = named(2).and_then(Lang::of_tag);
        let (kind, lang) = kind.zip(lang).ok_or(Notice::NotFound)?;
        Ok(Self { known, kind, lang })
    }

    fn address(&self) -> String {
        address(&self.known, self.kind, self.lang)
    }
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    render(asked, &Which::of(asked)?, None)
}

/// The mail itself, as mail programs show it.
pub(in crate::web) fn preview(asked: &Asked) -> Result<Reply, Problem> {
    let which = Which::of(asked)?;
    let letter = asked
        .see(|sight| sample(sight, &which.known.merchant, which.kind, which.lang.tag(), origin(asked).as_deref()))?;
    let letter = letter.ok_or(Notice::NotFound)?;
    Ok(reply::mail(render_mail(&letter, 1).html, STYLE))
}

pub(in crate::web) fn set(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let which = Which::of(asked)?;
    let own = typed(form);
    wish(asked, actor, &which, Some(own.clone()), Some(&own))
}

pub(in crate::web) fn reset(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    wish(asked, actor, &Which::of(asked)?, None, None)
}

fn wish(
    asked: &Asked,
    actor: &Actor,
    which: &Which,
    own: Option<Words>,
    typed: Option<&Words>,
) -> Result<Reply, Problem> {
    let (slug, language) = (which.known.merchant.slug.clone(), which.lang.tag().to_owned());
    match perform(asked, actor, Wish::MailWords { slug, kind: which.kind, language, own })? {
        None => Ok(done(&which.address(), Said::Saved)),
        Some(wrong) => render(asked, which, Some((&wrong, typed))),
    }
}

pub(in crate::web) fn trial(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let which = Which::of(asked)?;
    let wish = Wish::MailTrial {
        slug: which.known.merchant.slug.clone(),
        kind: which.kind,
        language: which.lang.tag().to_owned(),
        recipient_id: form.get("recipient").parse().unwrap_or_default(),
        origin: origin(asked),
    };
    match perform(asked, actor, wish)? {
        None => Ok(done(&super::mails::here(&which.known), Said::Saved)),
        Some(wrong) => render(asked, &which, Some((&wrong, None))),
    }
}

fn typed(form: &Form) -> Words {
    let [subject, greeting, closing] = ["subject", "greeting", "closing"].map(|name| form.get(name).to_owned());
    Words { subject, greeting, closing }
}

fn origin(asked: &Asked) -> Option<String> {
    asked.context.parts.config.http.public_address.clone().or_else(|| asked.origin.clone())
}

fn render(asked: &Asked, which: &Which, wrong: Option<(&Wrong, Option<&Words>)>) -> Result<Reply, Problem> {
    let (words, merchant) = (asked.lang.mail(), &which.known.merchant);
    let vault = &asked.context.parts.vault;
    let (opener, kept, recipients, letter) = asked.see(|sight| {
        let letter = sample(sight, merchant, which.kind, which.lang.tag(), origin(asked).as_deref())?;
        let kept = sight.mail_wording(merchant.id, which.kind, which.lang.tag())?;
        Ok((Opener::of(sight, vault)?, kept, sight.mail_recipients(merchant.id)?, letter))
    })?;
    let is_own = kept.is_some();
    let kept = kept.map_or_else(
        || {
            let ours = which.lang.mail();
            let [subject, greeting, closing] =
                [ours.of(which.kind).subject, ours.greeting, ours.closing].map(str::to_owned);
            Words { subject, greeting, closing }
        },
        |kept| Words { subject: kept.subject, greeting: kept.greeting, closing: kept.closing },
    );
    let shown = wrong.and_then(|(_, typed)| typed).unwrap_or(&kept);
    let here = which.address();
    let content = html! {
        (head(asked, &which.known))
        p { a href=(super::mails::here(&which.known)) { (words.back) } }
        h2 { (words.of(which.kind).name) " · " bdi lang=(which.lang.tag()) { (which.lang.name()) } }
        section.card {
            (form(asked, &here, &fields(asked, which.lang, shown)))
            @if is_own { (form(asked, &format!("{here}/reset"), &html! { button.second { (words.reset) } })) }
        }
        section #preview {
            h3 { (words.preview) }
            @match &letter {
                None => p.empty { (words.no_preview) },
                Some(letter) => {
                    @let mail = render_mail(letter, 1);
                    p.hint { (words.preview_hint) @if let Some(order) = &letter.order { " " (words.preview_of) " " bdi { (order.name) } } }
                    p { strong lang=(which.lang.tag()) { bdi { (mail.subject) } } }
                    p { a.button href={ (here) "/preview" } { (words.as_shown) } }
                    details { summary { (words.as_text) } pre.code dir=(which.lang.direction()) lang=(which.lang.tag()) { (mail.text) } }
                    @if !recipients.is_empty() {
                        (form(asked, &format!("{here}/trial"), &html! {
                            p.hint { (words.trial_hint) }
                            label.field {
                                span { (words.to) }
                                select name="recipient" {
                                    @for one in &recipients { option value=(one.id) { (opener.address(one).unwrap_or_else(|| words.unreadable.to_owned())) } }
                                }
                            }
                            button.second { (words.send_trial) }
                        }))
                    }
                }
            }
        }
    };
    let title = format!("{} · {}", words.of(which.kind).name, merchant.name);
    let frame = Frame::new(asked, false).with_typing();
    Ok(match wrong {
        None => page(&frame, &title, &content),
        Some((wrong, _)) => wrong.reply(&frame, &title, &content),
    })
}

fn fields(asked: &Asked, lang: Lang, shown: &Words) -> Markup {
    let words = asked.lang.mail();
    let (tag, direction) = (lang.tag(), lang.direction());
    let many = |name: &str, label: &str, text: &str| {
        html! {
            label.field {
                span { (label) }
                textarea name=(name) rows="3" maxlength=(LONGEST_WORDS) lang=(tag) dir=(direction) { (PreEscaped("\n")) (text) }
            }
        }
    };
    html! {
        label.field {
            span { (words.subject) }
            input name="subject" value=(shown.subject) maxlength=(LONGEST_SUBJECT) required lang=(tag) dir=(direction);
        }
        (many("greeting", words.greeting_label, &shown.greeting))
        (many("closing", words.closing_label, &shown.closing))
        p.hint { (words.places) @for place in PLACES { " " (code(place)) } }
        div.actions { button { (words.save) } }
    }
}

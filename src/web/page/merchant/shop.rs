//! The first step: which shop, under which name, in which time zone; and the secret its deliveries are signed with.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use secrecy::SecretString;

use super::{Known, Step, address, perform, save, saved, show_step};
use crate::db::scope::Scope;
use crate::desk::file::MerchantFile;
use crate::desk::{self, Proposal, Secret, Secrets, Wish};
use crate::text::label::merchants::Merchants;
use crate::text::{Notice, Said};
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{Frame, done, form, page, time};
use crate::web::reply::{Problem, Reply};

const NEW: &str = "/merchants/new";
const USUAL_ZONE: &str = "Asia/Riyadh";
/// Of the countries in which Daftra is at home.
const ZONES: [&str; 14] = [
    "Asia/Riyadh",
    "Asia/Dubai",
    "Asia/Kuwait",
    "Asia/Qatar",
    "Asia/Bahrain",
    "Asia/Muscat",
    "Asia/Amman",
    "Asia/Baghdad",
    "Asia/Beirut",
    "Africa/Cairo",
    "Africa/Tripoli",
    "Africa/Tunis",
    "Africa/Algiers",
    "Africa/Casablanca",
];

/// What stands in the fields.
#[derive(Default)]
struct Typed {
    domain: String,
    name: String,
    slug: String,
    zone: String,
}

impl Typed {
    fn read(form: &Form) -> Self {
        let domain = form.get("domain").to_ascii_lowercase();
        // Pasted from the browser, as people do.
        let domain = domain.trim_start_matches("https://").trim_end_matches('/').to_owned();
        let text = |name| form.get(name).to_owned();
        Self { domain, name: text("name"), slug: text("slug"), zone: text("zone") }
    }

    /// The part of the domain that the shop chose.
    fn label(&self) -> &str {
        self.domain.strip_suffix(".myshopify.com").unwrap_or_default()
    }

    /// `wadi-home` reads as Wadi Home.
    fn name(&self) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
        };
        self.label().split('-').filter(|word| !word.is_empty()).map(capital).collect::<Vec<_>>().join(" ")
    }

    /// Typed, or else what of the typed name or of the domain may stand in an address.
    fn slug(&self) -> String {
        if !self.slug.is_empty() {
            return self.slug.to_ascii_lowercase();
        }
        let plain = |text: &str| {
            let letters = text.to_ascii_lowercase();
            let words = letters.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            words.collect::<Vec<_>>().join("-").chars().take(40).collect::<String>().trim_end_matches('-').to_owned()
        };
        Some(plain(&self.name)).filter(|slug| !slug.is_empty()).unwrap_or_else(|| plain(self.label()))
    }
}

pub(in crate::web) fn begin(asked: &Asked) -> Result<Reply, Problem> {
    may_add(asked)?;
    Ok(page(&Frame::new(asked, false), asked.lang.merchants().new_title, &beginning(asked, &Typed::default())))
}

pub(in crate::web) fn add(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    may_add(asked)?;
    let typed = Typed::read(form);
    let slug = typed.slug();
    let file = MerchantFile::begun(slug.clone(), typed.name(), typed.zone.clone(), typed.domain.clone());
    let secret = form.get("secret");
    let webhook = (!secret.is_empty()).then(|| Secret(SecretString::from(secret))).into_iter().collect();
    let wrong = if typed.label().is_empty() {
        Wrong::at("domain", asked.lang.merchants().domain_vanity)
    } else {
        let secrets = Secrets { webhook, daftra_key: None };
        match asked.perform(actor, Wish::MerchantAdd(Box::new(Proposal { file, secrets }))) {
            Ok(_) => return Ok(done(&format!("{}/{}", address(&slug), Step::Webhooks.word()), Said::Saved)),
            Err(desk::Error::Refused(refusal)) => super::wrong(&refusal, asked.lang),
            Err(error @ desk::Error::Db(_)) => return Err(error.into()),
        }
    };
    let content = beginning(asked, &typed);
    Ok(wrong.reply(&Frame::new(asked, false), asked.lang.merchants().new_title, &content))
}

/// Whoever is limited to some merchants would not see the one they made.
fn may_add(asked: &Asked) -> Result<(), Notice> {
    if asked.viewer.user().scope == Scope::All { Ok(()) } else { Err(Notice::Forbidden) }
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    render(asked, &known, &of(&known), None)
}

pub(in crate::web) fn set(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let typed = Typed::read(form);
    let mut file = known.file.clone();
    (file.name, file.time_zone) = (typed.name(), typed.zone.clone());
    file.shop.domain.clone_from(&typed.domain);
    let wrong = if typed.label().is_empty() {
        Some(Wrong::at("domain", asked.lang.merchants().domain_vanity))
    } else {
        save(asked, actor, file, Secrets::default())?
    };
    match wrong {
        None => Ok(saved(&known, Step::Shop)),
        Some(wrong) => render(asked, &known, &typed, Some(&wrong)),
    }
}

pub(in crate::web) fn rotate(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let secret = Secret(SecretString::from(form.get("secret")));
    let slug = known.merchant.slug.clone();
    match perform(asked, actor, Wish::SecretRotate { slug, secret })? {
        None => Ok(saved(&known, Step::Shop)),
        Some(wrong) => render(asked, &known, &of(&known), Some(&wrong)),
    }
}

pub(in crate::web) fn forget(asked: &Asked, actor: &Actor, _form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    asked.perform(actor, Wish::SecretForget { slug: known.merchant.slug.clone() })?;
    Ok(done(&known.step(Step::Shop), Said::Saved))
}

fn of(known: &Known) -> Typed {
    let file = &known.file;
    Typed {
        domain: file.shop.domain.clone(),
        name: file.name.clone(),
        slug: file.slug.clone(),
        zone: file.time_zone.clone(),
    }
}

fn beginning(asked: &Asked, typed: &Typed) -> Markup {
    let words = asked.lang.merchants();
    let content = html! {
        (domain_field(words, typed))
        (secret_field(words.secret, words.secret_hint, false))
        (name_field(words, typed))
        label.field {
            span { (words.slug) }
            input name="slug" value=(typed.slug) maxlength="40" dir="ltr" autocomplete="off" spellcheck="false";
            span.hint { (words.slug_hint) }
        }
        (zone_field(words, typed))
        div.actions { button { (asked.lang.shell().save) } a.button href="/merchants" { (asked.lang.shell().cancel) } }
    };
    html! {
        h1 { (words.new_title) }
        p.muted { (words.new_hint) }
        section.card { (form(asked, NEW, &content)) }
    }
}

fn render(asked: &Asked, known: &Known, typed: &Typed, wrong: Option<&Wrong>) -> Result<Reply, Problem> {
    let words = asked.lang.merchants();
    let trails = asked.context.parts.accounts.secrets(known.merchant.id)?;
    let here = known.step(Step::Shop);
    let fields = html! {
        (domain_field(words, typed))
        (name_field(words, typed))
        (zone_field(words, typed))
        button { (asked.lang.shell().save) }
    };
    let secret = html! {
        (secret_field(if trails.is_empty() { words.secret } else { words.secret_new }, words.secret_hint, true))
        @if !trails.is_empty() { p.hint { (words.secret_replace_hint) } }
        button { @if trails.is_empty() { (asked.lang.shell().save) } @else { (words.secret_replace) } }
    };
    let content = html! {
        section.card { h2 { (words.shop) } (form(asked, &here, &fields)) }
        section.card #secret {
            h2 { (words.secret) }
            @if trails.is_empty() { p.banner.warn { (words.secret_none) } }
            @else {
                dl {
                    @for (name, trail) in [words.secret_current, words.secret_previous].iter().zip(&trails) {
                        dt { (name) }
                        dd {
                            @if trail.ending.is_empty() { (words.secret_stored) }
                            @else { (words.secret_ends) " " bdi.code dir="ltr" { "…" (trail.ending) } }
                            " · "
                            @match trail.used_at {
                                Some(at) => { (words.secret_used) " " (time(at, &known.zone())) },
                                None => (words.secret_unused),
                            }
                        }
                    }
                }
                @if let [current, previous] = trails.as_slice() {
                    @if is_over(current.used_at, previous.used_at) { p.banner.good { (words.secret_may_go) } }
                    @else { p.hint { (words.secret_must_stay) } }
                }
            }
            (form(asked, &format!("{}/secret", known.address()), &secret))
            @if trails.len() > 1 {
                div.actions {
                    (form(asked, &format!("{}/forget", known.address()), &html! { button.second { (words.secret_forget) } }))
                }
            }
        }
    };
    Ok(show_step(asked, known, Step::Shop, wrong, &content))
}

/// Whether the shop signs with the current secret only: its uses are noted to the hour, so one hour alone says nothing.
fn is_over(current: Option<Timestamp>, previous: Option<Timestamp>) -> bool {
    const SURE: SignedDuration = SignedDuration::from_hours(2);
    current.is_some_and(|current| previous.is_none_or(|previous| current >= previous + SURE))
}

fn domain_field(words: &Merchants, typed: &Typed) -> Markup {
    html! {
        label.field {
            span { (words.domain) }
            input name="domain" value=(typed.domain) required dir="ltr" inputmode="url" autocomplete="off" autocapitalize="none"
                spellcheck="false" placeholder="wadi-home.myshopify.com";
            span.hint { (words.domain_hint) }
        }
    }
}

fn name_field(words: &Merchants, typed: &Typed) -> Markup {
    html! {
        label.field {
            span { (words.name) }
            input name="name" value=(typed.name) maxlength="100" dir="auto" autocomplete="off";
            span.hint { (words.name_hint) }
        }
    }
}

pub(super) fn secret_field(label: &str, hint: &str, required: bool) -> Markup {
    html! {
        label.field {
            span { (label) }
            input type="password" name="secret" required[required] dir="ltr" autocomplete="off" spellcheck="false";
            span.hint { (hint) }
        }
    }
}

fn zone_field(words: &Merchants, typed: &Typed) -> Markup {
    let chosen = if typed.zone.is_empty() { USUAL_ZONE } else { typed.zone.as_str() };
    let all = jiff::tz::db().available().map(|name| name.to_string());
    // The files of a system's zones are not all places.
    let all: Vec<String> = all.filter(|name| name.starts_with(char::is_uppercase) && name != "Factory").collect();
    let option = |name: &str| html! { option value=(name) selected[name == chosen] { (name) } };
    html! {
        label.field {
            span { (words.zone) }
            select name="zone" dir="ltr" {
                optgroup label=(words.zones_near) { @for name in ZONES { (option(name)) } }
                optgroup label=(words.zones_all) {
                    @for name in all.iter().filter(|name| !ZONES.contains(&name.as_str())) { (option(name)) }
                    @if !ZONES.contains(&chosen) && !all.iter().any(|name| name == chosen) { (option(chosen)) }
                }
            }
            span.hint { (words.zone_hint) }
        }
    }
}

//! The pages of one merchant: where it stands, and the steps in which it is set up and changed.
//!
//! A step is one form over a part of the merchant file: the stored merchant is read as its file, the part is changed, and
//! the whole is wished for. So a step can be left, and the same forms change a merchant later.

pub(in crate::web) mod api;
pub(in crate::web) mod close;
pub(in crate::web) mod codes;
pub(in crate::web) mod coverage;
pub(in crate::web) mod cut_over;
pub(in crate::web) mod daftra;
pub(in crate::web) mod list;
pub(in crate::web) mod live;
pub(in crate::web) mod mails;
pub(in crate::web) mod overview;
pub(in crate::web) mod payments;
pub(in crate::web) mod policies;
pub(in crate::web) mod shop;
pub(in crate::web) mod taxes;
pub(in crate::web) mod vendors;
pub(in crate::web) mod webhooks;
pub(in crate::web) mod words;

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::wrong::Wrong;
use super::{Frame, badge_of_mode, done, page};
use crate::db::merchant::{Merchant, Mode};
use crate::db::seen::Progress;
use crate::db::user::Role;
use crate::desk::account::Silence;
use crate::desk::file::{MerchantFile, Missing};
use crate::desk::{self, Proposal, Secrets, Wish};
use crate::text::label::merchants::Merchants;
use crate::text::refusal::{Form, Refusal, Why};
use crate::text::{Lang, Notice, Said};
use crate::web::asked::Asked;
use crate::web::auth::Actor;
use crate::web::reply::{Problem, Reply};

/// A merchant as its pages know it.
struct Known {
    merchant: Merchant,
    file: MerchantFile,
    progress: Progress,
}

/// The parts of a merchant, in the order in which they are set up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Shop,
    Webhooks,
    Daftra,
    Vendors,
    Codes,
    Taxes,
    Policies,
    Payments,
    Live,
}

impl Step {
    const ALL: [Self; 9] = [
        Self::Shop,
        Self::Webhooks,
        Self::Daftra,
        Self::Vendors,
        Self::Codes,
        Self::Taxes,
        Self::Policies,
        Self::Payments,
        Self::Live,
    ];

    /// As it stands in the address.
    fn word(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Webhooks => "webhooks",
            Self::Daftra => "daftra",
            Self::Vendors => "vendors",
            Self::Codes => "codes",
            Self::Taxes => "taxes",
            Self::Policies => "policies",
            Self::Payments => "payments",
            Self::Live => "live",
        }
    }

    fn name(self, lang: Lang) -> &'static str {
        let words = lang.merchants();
        match self {
            Self::Shop => words.shop,
            Self::Webhooks => words.webhooks,
            Self::Daftra => words.daftra,
            Self::Vendors => words.vendors,
            Self::Codes => lang.codes().title,
            Self::Taxes => words.taxes,
            Self::Policies => words.policies,
            Self::Payments => words.payments,
            Self::Live => words.live,
        }
    }

    /// What comes after it.
    fn next(self) -> Self {
        let mut after = Self::ALL.into_iter().skip_while(|step| *step != self).skip(1);
        after.next().unwrap_or(Self::Live)
    }

    /// Whether nothing is missing there; `None` where everything has a default.
    fn is_done(self, known: &Known) -> Option<bool> {
        match self {
            Self::Shop => Some(known.progress.webhook_secrets > 0),
            Self::Webhooks => Some(known.progress.last_delivery.is_some()),
            Self::Daftra => Some(
                known.progress.has_daftra_key
                    && !known.lacks(Missing::Account)
                    && !known.lacks(Missing::Store)
                    && !known.lacks(Missing::Client),
            ),
            Self::Vendors => Some(!known.lacks(Missing::Vendors)),
            Self::Codes | Self::Taxes | Self::Policies | Self::Payments => None,
            Self::Live => Some(known.merchant.mode == Mode::Live),
        }
    }
}

impl Known {
    /// The merchant of the address, if whoever asks may see it.
    fn of(asked: &Asked) -> Result<Self, Problem> {
        let slug = asked.captured.first().ok_or(Notice::NotFound)?;
        Ok(asked.see(|sight| {
            let merchant = sight.merchant(slug)?;
            let progress = sight.progress(merchant.id)?;
            Ok(Self { file: MerchantFile::of(&merchant, &progress.address), merchant, progress })
        })?)
    }

    /// The same for a form: what is closed does not change.
    fn open(asked: &Asked) -> Result<Self, Problem> {
        let known = Self::of(asked)?;
        if known.merchant.mode == Mode::Closed { Err(Notice::NotFound.into()) } else { Ok(known) }
    }

    fn lacks(&self, what: Missing) -> bool {
        self.file.missing().contains(&what)
    }

    /// Nothing was planned for it yet, for something is missing.
    fn is_begun_only(&self) -> bool {
        is_begun_only(self.merchant.mode, &self.file)
    }

    fn zone(&self) -> TimeZone {
        zone(&self.merchant)
    }

    fn address(&self) -> String {
        address(&self.merchant.slug)
    }

    fn step(&self, step: Step) -> String {
        format!("{}/{}", self.address(), step.word())
    }

    /// Where to go when a step was saved: on, while the merchant is set up.
    fn after(&self, step: Step) -> String {
        let is_set_up = self.progress.shadows > 0 || self.merchant.mode == Mode::Live;
        self.step(if is_set_up { step } else { step.next() })
    }
}

fn is_begun_only(mode: Mode, file: &MerchantFile) -> bool {
    mode == Mode::Paused && !file.missing().is_empty()
}

fn zone(merchant: &Merchant) -> TimeZone {
    TimeZone::get(&merchant.time_zone).unwrap_or(TimeZone::UTC)
}

/// Its page. A slug is a part of a host name, so it needs no escaping.
fn address(slug: &str) -> String {
    format!("/merchants/{slug}")
}

/// From where the beginning of a webhook address is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beginning {
    Configured,
    AddressBar,
    Unknown,
}

/// Where its webhooks go, and how the beginning of that is known.
fn webhook_address(asked: &Asked, slug: &str) -> (String, Beginning) {
    let public = asked.context.parts.config.http.public_address.as_deref();
    let (beginning, known) = match (public, &asked.origin) {
        (Some(public), _) => (public, Beginning::Configured),
        (None, Some(origin)) => (origin.as_str(), Beginning::AddressBar),
        (None, None) => ("", Beginning::Unknown),
    };
    (format!("{beginning}/webhook/{slug}"), known)
}

/// Wishes for the merchant of this file. What is wrong with it comes back as words.
fn save(asked: &Asked, actor: &Actor, file: MerchantFile, secrets: Secrets) -> Result<Option<Wrong>, Problem> {
    perform(asked, actor, Wish::MerchantSet(Box::new(Proposal { file, secrets })))
}

fn perform(asked: &Asked, actor: &Actor, wish: Wish) -> Result<Option<Wrong>, Problem> {
    match asked.perform(actor, wish) {
        Ok(_) => Ok(None),
        Err(desk::Error::Refused(refusal)) => Ok(Some(wrong(&refusal, asked.lang))),
        Err(error @ desk::Error::Db(_)) => Err(error.into()),
    }
}

/// What a refusal says, at the field of a form that has what it is about.
fn wrong(refusal: &Refusal, lang: Lang) -> Wrong {
    Wrong::of(refusal, in_words(refusal, lang), &FIELDS)
}

/// Keys of the merchant file, and the fields of the forms in which they are typed or chosen.
const FIELDS: [(&str, &str); 23] = [
    ("address", "address"),
    ("recipient", "recipient"),
    ("language", "language"),
    ("subject", "subject"),
    ("greeting", "greeting"),
    ("closing", "closing"),
    ("slug", "slug"),
    ("name", "name"),
    ("time_zone", "zone"),
    ("shop.domain", "domain"),
    ("shop.webhook_secret_files", "secret"),
    ("secret", "secret"),
    ("daftra.url", "address"),
    ("daftra.key_file", "key"),
    ("daftra.store_id", "store"),
    ("daftra.client_id", "client"),
    ("lines.vendors", "more"),
    ("lines.not_vendors", "but"),
    ("lines.strip_prefixes", "strip"),
    ("lines.add_prefix", "add"),
    ("lines.separators", "ends"),
    ("orders.tolerance_minor", "tolerance"),
    ("orders.live_from", "from"),
];

/// Where a page can say more than the refusal, it does.
fn in_words(refusal: &Refusal, lang: Lang) -> String {
    let words = lang.merchants();
    let is_typed = refusal.value.as_deref() != Some("\"\"");
    let form = if let Why::Form(form) = &refusal.why { Some(*form) } else { None };
    if form == Some(Form::ShopDomain) {
        words.domain_vanity.to_owned()
    } else if form == Some(Form::DaftraUrl) && is_typed {
        words.no_address.to_owned()
    } else if matches!(form, Some(Form::DaftraUrl | Form::DaftraId | Form::Vendors)) {
        words.missing.to_owned()
    } else {
        format!("{} {}", words.wrong, refusal.line(lang))
    }
}

fn silence(silence: Silence, words: &Merchants) -> &'static str {
    match silence {
        Silence::NoAddress => words.no_address,
        Silence::NoKey => words.no_key,
        Silence::BadKey => words.bad_key,
        Silence::Redirect => words.redirect,
        Silence::Page => words.page,
        Silence::Expired => words.expired,
        Silence::Unreached => words.unreached,
        Silence::Busy => words.busy,
        Silence::Unclear => words.unclear,
    }
}

/// A step with its neighbours around it.
fn around(asked: &Asked, known: &Known, step: Step, content: &Markup) -> Markup {
    html! {
        (head(asked, known))
        (steps(asked, known, Some(step)))
        (content)
    }
}

/// A step is shown, or shown again with what is wrong.
fn show_step(asked: &Asked, known: &Known, step: Step, wrong: Option<&Wrong>, content: &Markup) -> Reply {
    let frame = Frame::new(asked, false);
    let title = format!("{} · {}", step.name(asked.lang), known.merchant.name);
    let content = around(asked, known, step, content);
    wrong.map_or_else(|| page(&frame, &title, &content), |wrong| wrong.reply(&frame, &title, &content))
}

/// After a step: the next one, or the same again with what is wrong.
fn saved(known: &Known, step: Step) -> Reply {
    done(&known.after(step), Said::Saved)
}

fn head(asked: &Asked, known: &Known) -> Markup {
    html! {
        div.head {
            h1 {
                a.quiet href=(known.address()) { bdi { (known.merchant.name) } } " "
                (badge(known.merchant.mode, &known.file, asked.lang))
            }
        }
    }
}

/// The mode; one who was only begun is not paused in the eyes of people.
fn badge(mode: Mode, file: &MerchantFile, lang: Lang) -> Markup {
    html! {
        @if is_begun_only(mode, file) {
            span.badge.warn { (lang.merchants().setting_up) }
        } @else {
            (badge_of_mode(mode, lang))
        }
    }
}

/// The steps, for those who may change something.
fn steps(asked: &Asked, known: &Known, here: Option<Step>) -> Markup {
    let words = asked.lang.merchants();
    html! {
        @if asked.viewer.is(Role::Owner) && known.merchant.mode != Mode::Closed {
            nav aria-label=(words.steps) {
                ol.tabs {
                    @for step in Step::ALL {
                        li {
                            a href=(known.step(step)) aria-current=[(Some(step) == here).then_some("step")] {
                                (step.name(asked.lang))
                                @if step.is_done(known) == Some(true) { span.good role="img" aria-label=(words.is_done) { "✓" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// One line of a text field in which each line is a name.
fn names(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

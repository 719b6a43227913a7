//! The tokens of whoever reads the page: for scripts that speak to the API. A new one is shown once, on the page that
//! answers the form, and never again.

use jiff::tz::TimeZone;
use maud::{Markup, html};
use secrecy::ExposeSecret as _;

use super::{Frame, code, complaint, done, form, me, page, table, time};
use crate::db::merchant::Merchant;
use crate::db::token::Token;
use crate::db::user::Role;
use crate::desk::{self, Secret, Wish};
use crate::text::{Notice, Said};
use crate::vault;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::reply::{Problem, Reply};

const HERE: &str = "/me/tokens";
/// How long a token may live, in days; the second is offered first.
const DAYS: [u32; 3] = [30, 90, 365];
const USUAL_DAYS: u32 = 90;

pub(in crate::web) fn add(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let secret = vault::api_token();
    let wish = Wish::TokenAdd {
        user: actor.user().name.clone(),
        name: form.get("name").to_owned(),
        role: Role::parse(form.get("role")).ok_or(Notice::NotFound)?,
        merchant: Some(form.get("merchant").to_owned()).filter(|slug| !slug.is_empty()),
        days: form.get("days").parse().map_err(|_| Notice::NotFound)?,
        secret: Secret(secret.clone()),
    };
    match asked.perform(actor, wish) {
        Ok(_) => {
            let words = asked.lang.tokens();
            let content = html! {
                h1 { (words.made) }
                p.banner.warn { (words.shown_once) }
                pre.code dir="ltr" { (secret.expose_secret()) }
                p { (words.how_to_send) }
                pre.code dir="ltr" { "Authorization: Bearer " (words.your_token) }
                p { a.button href="/me" { (words.back) } }
            };
            Ok(page(&Frame::new(asked, false).with_typing(), words.made, &content))
        }
        Err(desk::Error::Refused(refusal)) => me::again(asked, &refusal.line(asked.lang)),
        Err(error @ desk::Error::Db(_)) => Err(error.into()),
    }
}

pub(in crate::web) fn revoke(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    let token_id = asked.id()?;
    // Somebody else's is not there.
    let own = asked.see(|sight| sight.tokens(actor.user().id))?;
    if !own.iter().any(|token| token.id == token_id) {
        return Err(Notice::NotFound.into());
    }
    asked.perform(actor, Wish::TokenRevoke { token_id })?;
    Ok(done("/me", Said::Saved))
}

/// The part of the own page that is about them.
pub(super) fn section(asked: &Asked, wrong: Option<&str>) -> Result<Markup, Problem> {
    let (tokens, merchants) = asked.see(|sight| Ok((sight.tokens(asked.viewer.user().id)?, sight.merchants()?)))?;
    let words = asked.lang.tokens();
    let headings = [words.name, asked.lang.me().role, words.merchant, words.ends, words.last_used, words.revoke];
    let rows: Vec<Markup> = tokens.iter().map(|token| row(asked, token)).collect();
    Ok(html! {
        section.card #tokens {
            h2 { (words.title) }
            p.hint { (words.hint) }
            @if let Some(wrong) = wrong { (complaint(wrong)) }
            (table(&headings, &rows, words.none))
            (form(asked, HERE, &fields(asked, &merchants)))
        }
    })
}

fn row(asked: &Asked, token: &Token) -> Markup {
    let words = asked.lang.tokens();
    let utc = TimeZone::UTC;
    let revoke = html! { button.danger aria-label={ (words.revoke) ": " (token.name) } { (words.revoke) } };
    html! {
        td { bdi { (token.name) } }
        td { (asked.lang.words().role(token.role.min(asked.viewer.user().role))) }
        td { @match &token.merchant { Some(slug) => (code(slug)), None => (words.all_i_see) } }
        td { @if token.is_good(asked.now()) { (time(token.expires_at, &utc)) } @else { (words.ended) } }
        td { @match token.used_at { Some(at) => (time(at, &utc)), None => (words.never) } }
        td { (form(asked, &format!("{HERE}/{}/revoke", token.id), &revoke)) }
    }
}

fn fields(asked: &Asked, merchants: &[Merchant]) -> Markup {
    let words = asked.lang.tokens();
    html! {
        label.field {
            span { (words.name) }
            input name="name" maxlength="64" required placeholder=(words.name_example);
        }
        label.field {
            span { (asked.lang.me().role) }
            select name="role" {
                @for role in Role::ALL.into_iter().filter(|role| asked.viewer.is(*role)) {
                    option value=(role.word()) { (asked.lang.words().role(role)) }
                }
            }
        }
        @if merchants.len() > 1 {
            label.field {
                span { (words.merchant) }
                select name="merchant" {
                    option value="" { (words.all_i_see) }
                    @for merchant in merchants { option value=(merchant.slug) { (merchant.name) } }
                }
            }
        }
        label.field {
            span { (words.days) }
            select name="days" {
                @for days in DAYS { option value=(days) selected[days == USUAL_DAYS] { (days) } }
            }
        }
        button { (words.make) }
    }
}

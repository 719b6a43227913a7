//! The tokens of whoever reads the page: for scripts that speak to the API. A new one is shown once, on the page that
//! answers the form, and never again.

use jiff::tz::TimeZone;
use maud::{Markup, html};
use secrecy::ExposeSecret as _;

use super::wrong::Wrong;
use super::{Frame, code, done, form, me, page, table, time};
use crate::db::merchant::Merchant;
use crate::db::token::Token;
use crate::db::user::{Role, User};
use crate::desk::{self, Secret, Wish};
use crate::text::{Notice, Said};
use crate::vault;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::reply::{Problem, Reply};

const HERE: &str = "/me/tokens";
/// What a refusal is about, and the field that has it.
const FIELDS: [(&str, &str); 4] = [("name", "name"), ("role", "role"), ("merchant", "merchant"), ("days", "days")];
/// How long a token may live, in days; the second is offered first.
const DAYS: [u32; 3] = [30, 90, 365];
const USUAL_DAYS: u32 = 90;

pub(in crate::web) fn add(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let secret = vault::api_token();
    let merchant = Some(form.get("merchant")).filter(|slug| !slug.is_empty());
    // One that is out of sight is not there.
    let merchant = merchant.map(|slug| asked.see(|sight| sight.merchant(slug))).transpose()?;
    let wish = Wish::TokenAdd {
        user: actor.user().name.clone(),
        name: form.get("name").to_owned(),
        role: Role::parse(form.get("role")).ok_or(Notice::NotFound)?,
        merchant: merchant.map(|merchant| merchant.slug),
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
        Err(desk::Error::Refused(refusal)) => {
            me::again(asked, &Wrong::of(&refusal, refusal.line(asked.lang), &FIELDS), form)
        }
        Err(error @ desk::Error::Db(_)) => Err(error.into()),
    }
}

pub(in crate::web) fn revoke(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    end(asked, actor, actor.user().id, asked.id()?)?;
    Ok(done("/me", Said::Saved))
}

/// Ends a token of this user. Somebody else's is not there.
pub(super) fn end(asked: &Asked, actor: &Actor, user_id: i64, token_id: i64) -> Result<(), Problem> {
    let theirs = asked.see(|sight| sight.tokens(user_id))?;
    if !theirs.iter().any(|token| token.id == token_id) {
        return Err(Notice::NotFound.into());
    }
    asked.perform(actor, Wish::TokenRevoke { token_id })?;
    Ok(())
}

/// The part of the own page that is about them, with what was typed if it was refused.
pub(super) fn section(asked: &Asked, typed: Option<&Form>) -> Result<Markup, Problem> {
    let (tokens, merchants) = asked.see(|sight| Ok((sight.tokens(asked.viewer.user().id)?, sight.merchants()?)))?;
    let words = asked.lang.tokens();
    let rows = list(asked, &tokens, asked.viewer.user(), HERE, words.all_i_see, words.none);
    Ok(html! {
        section.card #tokens {
            h2 { (words.title) }
            p.hint { (words.hint) }
            (rows)
            (form(asked, HERE, &fields(asked, &merchants, typed)))
        }
    })
}

/// The part of a user's page that is about them, for owners.
pub(super) fn of_user(asked: &Asked, user: &User, here: &str) -> Result<Markup, Problem> {
    let tokens = asked.see(|sight| sight.tokens(user.id))?;
    let words = asked.lang.users();
    Ok(html! {
        section.card #tokens {
            h2 { (words.tokens) }
            p.hint { (words.tokens_hint) }
            (list(asked, &tokens, user, here, asked.lang.tokens().all_of_user, words.no_token))
        }
    })
}

/// The tokens of a user, each with the button that ends it.
fn list(asked: &Asked, tokens: &[Token], user: &User, here: &str, all: &str, none: &str) -> Markup {
    let words = asked.lang.tokens();
    let headings =
        [words.name, asked.lang.me().role, words.merchant, words.created, words.last_used, words.ends, words.revoke];
    let rows: Vec<Markup> = tokens.iter().map(|token| row(asked, token, user, here, all)).collect();
    table(&headings, &rows, none)
}

fn row(asked: &Asked, token: &Token, user: &User, here: &str, all: &str) -> Markup {
    let words = asked.lang.tokens();
    let utc = TimeZone::UTC;
    let revoke = html! { button.danger aria-label={ (words.revoke) ": " (token.name) } { (words.revoke) } };
    html! {
        td { bdi { (token.name) } }
        td { (asked.lang.words().role(token.role.min(user.role))) }
        td { @match &token.merchant { Some(slug) => (code(slug)), None => (all) } }
        td { (time(token.created_at, &utc)) }
        td { @match token.used_at { Some(at) => (time(at, &utc)), None => (words.never) } }
        td { @if token.is_good(asked.now()) { (time(token.expires_at, &utc)) } @else { (words.ended) } }
        td { (form(asked, &format!("{here}/{}/revoke", token.id), &revoke)) }
    }
}

fn fields(asked: &Asked, merchants: &[Merchant], typed: Option<&Form>) -> Markup {
    let words = asked.lang.tokens();
    let typed = |name: &str| typed.map(|form| form.get(name)).unwrap_or_default();
    let days = typed("days").parse().unwrap_or(USUAL_DAYS);
    html! {
        label.field {
            span { (words.name) }
            input name="name" value=(typed("name")) maxlength="64" required placeholder=(words.name_example);
        }
        label.field {
            span { (asked.lang.me().role) }
            select name="role" {
                @for role in Role::ALL.into_iter().filter(|role| asked.viewer.is(*role)) {
                    option value=(role.word()) selected[typed("role") == role.word()] { (asked.lang.words().role(role)) }
                }
            }
        }
        @if merchants.len() > 1 {
            label.field {
                span { (words.merchant) }
                select name="merchant" {
                    option value="" { (words.all_i_see) }
                    @for merchant in merchants { option value=(merchant.slug) selected[typed("merchant") == merchant.slug] { (merchant.name) } }
                }
            }
        }
        label.field {
            span { (words.days) }
            select name="days" {
                @for offered in DAYS { option value=(offered) selected[offered == days] { (offered) } }
            }
        }
        button { (words.make) }
    }
}

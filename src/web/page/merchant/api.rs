//! The API of a merchant's shop: how it stands, connecting it, and looking for orders there.

use jiff::civil::Date;
use maud::{Markup, html};
use secrecy::SecretString;

use super::{Known, Step, names, perform};
use crate::db::shop_api::ShopApi;
use crate::desk::{Secret, Wish};
use crate::domain::connection::{SCOPE_OF_OLD_ORDERS, SCOPES};
use crate::text::Said;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{Frame, code, done, form, maybe_time, page};
use crate::web::reply::{Problem, Reply};

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    answer(asked, &Known::open(asked)?, None, &Typed::default())
}

/// By the credentials of an app, which makes its tokens.
pub(in crate::web) fn connect(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let typed = Typed { client: form.get("client"), ..Typed::default() };
    let client_id = Some(typed.client.to_owned()).filter(|id| !id.is_empty());
    let wish = match (client_id, typed_secret(form, "secret")) {
        (Some(id), Some(secret)) => {
            Wish::ShopConnect { slug: known.merchant.slug.clone(), client_id: Some(id), secret, signs: None }
        }
        (client_id, _) => {
            let missing = if client_id.is_none() { "client" } else { "secret" };
            return answer(asked, &known, Some(&Wrong::at(missing, asked.lang.shop_api().wants_one)), &typed);
        }
    };
    carry_out(asked, actor, &known, wish, &typed)
}

/// By a token that does not end.
pub(in crate::web) fn connect_by_token(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let (known, typed) = (Known::open(asked)?, Typed::default());
    let Some(token) = typed_secret(form, "access") else {
        return answer(asked, &known, Some(&Wrong::at("access", asked.lang.shop_api().wants_one)), &typed);
    };
    let slug = known.merchant.slug.clone();
    let wish = Wish::ShopConnect { slug, client_id: None, secret: token, signs: typed_secret(form, "secret") };
    carry_out(asked, actor, &known, wish, &typed)
}

fn typed_secret(form: &Form, name: &str) -> Option<Secret> {
    Some(form.get(name)).filter(|text| !text.is_empty()).map(|text| Secret(SecretString::from(text)))
}

pub(in crate::web) fn disconnect(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let wish = Wish::ShopDisconnect { slug: known.merchant.slug.clone() };
    carry_out(asked, actor, &known, wish, &Typed::default())
}

pub(in crate::web) fn look(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let typed = Typed { since: form.get("since"), orders: form.get("orders"), ..Typed::default() };
    let since = if typed.since.is_empty() {
        None
    } else {
        let day = typed.since.parse::<Date>().ok().and_then(|day| day.to_zoned(known.zone()).ok());
        let Some(day) = day else {
            let wrong = Wrong::at("since", asked.lang.shop_api().wrong_day);
            return answer(asked, &known, Some(&wrong), &typed);
        };
        Some(day.timestamp())
    };
    let wish = Wish::CatchUp { slug: known.merchant.slug.clone(), since, orders: names(typed.orders) };
    carry_out(asked, actor, &known, wish, &typed)
}

/// What was typed and is shown again; secrets never are.
#[derive(Default)]
struct Typed<'a> {
    client: &'a str,
    since: &'a str,
    orders: &'a str,
}

fn carry_out(asked: &Asked, actor: &Actor, known: &Known, wish: Wish, typed: &Typed<'_>) -> Result<Reply, Problem> {
    match perform(asked, actor, wish)? {
        None => Ok(done(&format!("{}/api", known.address()), Said::Saved)),
        Some(wrong) => answer(asked, known, Some(&wrong), typed),
    }
}

fn answer(asked: &Asked, known: &Known, wrong: Option<&Wrong>, typed: &Typed<'_>) -> Result<Reply, Problem> {
    let api = asked.see(|sight| sight.shop_api(known.merchant.id))?;
    let (frame, words) = (Frame::new(asked, false), asked.lang.shop_api());
    let title = format!("{} · {}", words.title, known.merchant.name);
    let content = html! {
        (super::head(asked, known))
        h2 { (words.title) }
        (state(asked, known, api.as_ref()))
        @if let Some(api) = &api { (looking(asked, known, api, typed)) }
        (connecting(asked, known, api.as_ref(), typed))
    };
    Ok(wrong.map_or_else(|| page(&frame, &title, &content), |wrong| wrong.reply(&frame, &title, &content)))
}

fn state(asked: &Asked, known: &Known, api: Option<&ShopApi>) -> Markup {
    let (words, zone) = (asked.lang.shop_api(), known.zone());
    let Some(api) = api else {
        return html! {
            p.banner.calm role="status" { strong { (words.none) } }
            ul { @for limit in words.none_means { li { (limit) } } }
        };
    };
    let missing: Vec<&str> = SCOPES.into_iter().filter(|scope| !api.scopes.contains(*scope)).collect();
    html! {
        @if let Some(why) = &api.blocked {
            @let said = asked.lang.words().blocked(why);
            p.banner.warn role="status" { strong { (said.what) } " " (said.next_step) }
        } @else {
            p.banner.good role="status" { strong { (words.open) } }
        }
        section.card {
            dl {
                dt { (words.looked_through) }
                dd { @if api.caught_up_at.is_some() { (maybe_time(api.caught_up_at, &zone)) } @else { (words.not_yet) } }
                @if let Some(expected) = api.expected {
                    dt { (words.under_way) }
                    dd {
                        progress value=(api.gone_through) max=(expected.max(1)) aria-label=(words.under_way) {}
                        " " bdi { (api.gone_through) " / " (expected) }
                    }
                }
                @if !api.unread.is_empty() {
                    dt { (words.unread) } dd { @for order in &api.unread { (code(&order.name)) " " } }
                }
                @if api.watches {
                    dt { (words.webhooks_whole) }
                    dd { @if api.watched_at.is_some() { (maybe_time(api.watched_at, &zone)) } @else { (words.not_yet) } }
                }
                @if api.client_id.is_some() {
                    dt { (words.token_until) }
                    dd { @if api.token_until.is_some() { (maybe_time(api.token_until, &zone)) } @else { (words.not_yet) } }
                }
                @if !api.scopes.is_empty() {
                    dt { (words.scopes) } dd { @for scope in &api.scopes { (code(scope)) " " } }
                    @if !missing.is_empty() {
                        dt { (words.scopes_missing) } dd { @for scope in &missing { (code(scope)) " " } }
                    }
                }
            }
            @if !api.watches {
                p.hint { (words.webhooks_by_hand) " " a href=(known.step(Step::Webhooks)) { (asked.lang.merchants().webhooks) } }
            }
        }
    }
}

fn looking(asked: &Asked, known: &Known, api: &ShopApi, typed: &Typed<'_>) -> Markup {
    let words = asked.lang.shop_api();
    let fields = html! {
        label.field {
            span { (words.since) }
            input type="date" name="since" value=(typed.since) dir="ltr";
            @if !api.scopes.contains(SCOPE_OF_OLD_ORDERS) { span.hint { (words.old_orders) } }
        }
        label.field {
            span { (words.orders) }
            textarea name="orders" rows="3" dir="ltr" spellcheck="false" { (typed.orders) }
            span.hint { (words.orders_hint) }
        }
        button { (words.look) }
    };
    html! {
        section.card {
            h2 { (words.look) }
            p.hint { (words.look_hint) }
            (form(asked, &format!("{}/catch-up", known.address()), &fields))
        }
    }
}

fn connecting(asked: &Asked, known: &Known, api: Option<&ShopApi>, typed: &Typed<'_>) -> Markup {
    let words = asked.lang.shop_api();
    let action = format!("{}/api", known.address());
    let secret = |name: &str, label: &str, hint: &str, required: bool| {
        html! {
            label.field {
                span { (label) }
                input type="password" name=(name) required[required] dir="ltr" autocomplete="off" spellcheck="false";
                span.hint { (hint) }
            }
        }
    };
    let stored = api.and_then(|api| api.client_id.as_deref()).unwrap_or_default();
    let client = if typed.client.is_empty() { stored } else { typed.client };
    let with_app = html! {
        label.field {
            span { (words.client_id) }
            input name="client" value=(client) required dir="ltr" autocomplete="off" spellcheck="false";
        }
        (secret("secret", words.client_secret, words.client_secret_hint, true))
        button.primary { (words.connect) }
    };
    let with_token = html! {
        (secret("access", words.token, words.token_hint, true))
        (secret("secret", words.signing, words.signing_hint, false))
        button { (words.connect) }
    };
    html! {
        section.card { h2 { (words.app) } p { (words.app_hint) } (form(asked, &action, &with_app)) }
        section.card { h2 { (words.token_title) } (form(asked, &format!("{action}/token"), &with_token)) }
        @if api.is_some() {
            section.card {
                h2 { (words.off) }
                p { (words.off_hint) }
                (form(asked, &format!("{action}/off"), &html! { button.danger { (words.off) } }))
            }
        }
    }
}

//! Who may sign in, and what they may do and see. For owners.

use maud::{Markup, html};
use secrecy::SecretString;

use super::wrong::Wrong;
use super::{Frame, done, form, me, page, tokens};
use crate::db::merchant::Merchant;
use crate::db::scope::Scope;
use crate::db::user::{Role, User};
use crate::desk::{self, Secret, Wish};
use crate::text::refusal::Refusal;
use crate::text::{Lang, Notice, Said};
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::reply::{Problem, Reply};

const HERE: &str = "/users";

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let content = list(asked, &everybody(asked)?, "", Role::Viewer)?;
    Ok(page(&Frame::new(asked, false), asked.lang.users().title, &content))
}

pub(in crate::web) fn add(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    // For those who see everybody.
    everybody(asked)?;
    let (name, role) = (form.get("name").to_owned(), Role::parse(form.get("role")).unwrap_or(Role::Viewer));
    let password = Secret(SecretString::from(form.raw("password")));
    match asked.perform(actor, Wish::UserAdd { name: name.clone(), role, password }) {
        Ok(_) => {
            let known = everybody(asked)?.into_iter().find(|user| user.name == name).ok_or(Notice::NotFound)?;
            Ok(done(&address(&known), Said::UserAdded))
        }
        Err(desk::Error::Refused(refusal)) => {
            let content = list(asked, &everybody(asked)?, &name, role)?;
            Ok(wrong(&refusal, asked.lang).reply(&Frame::new(asked, false), asked.lang.users().title, &content))
        }
        Err(error @ desk::Error::Db(_)) => Err(error.into()),
    }
}

pub(in crate::web) fn edit(asked: &Asked) -> Result<Reply, Problem> {
    let (user, merchants) = one(asked)?;
    let content = render(asked, &user, &merchants)?;
    Ok(page(&Frame::new(asked, false), &user.name, &content))
}

pub(in crate::web) fn set_rights(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let role = Role::parse(form.get("role")).ok_or(Notice::NotFound)?;
    let merchants = (form.get("scope") == "only").then(|| form.all("merchant").map(str::to_owned).collect());
    perform(asked, actor, Said::Saved, |name| Wish::UserRights { name, role, merchants })
}

pub(in crate::web) fn set_password(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let (password, end_tokens) = (Secret(SecretString::from(form.raw("password"))), me::ends_tokens(form));
    let said = Said::of_password(end_tokens);
    perform(asked, actor, said, |name| Wish::UserPasswd { name, password, end_tokens })
}

/// Ends a token of this user.
pub(in crate::web) fn revoke(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    let (user, _) = one(asked)?;
    let token_id = asked.captured.get(1).and_then(|text| text.parse().ok()).ok_or(Notice::NotFound)?;
    tokens::end(asked, actor, user.id, token_id)?;
    Ok(done(&address(&user), Said::Saved))
}

pub(in crate::web) fn disable(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    perform(asked, actor, Said::Saved, |name| Wish::UserDisable { name, disabled: true })
}

pub(in crate::web) fn enable(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    perform(asked, actor, Said::Saved, |name| Wish::UserDisable { name, disabled: false })
}

fn perform(asked: &Asked, actor: &Actor, said: Said, wish: impl FnOnce(String) -> Wish) -> Result<Reply, Problem> {
    let (user, merchants) = one(asked)?;
    match asked.perform(actor, wish(user.name.clone())) {
        Ok(_) => Ok(done(&address(&user), said)),
        Err(desk::Error::Refused(refusal)) => {
            let content = render(asked, &user, &merchants)?;
            Ok(wrong(&refusal, asked.lang).reply(&Frame::new(asked, false), &user.name, &content))
        }
        Err(error @ desk::Error::Db(_)) => Err(error.into()),
    }
}

/// Said at the field that it is about.
fn wrong(refusal: &Refusal, lang: Lang) -> Wrong {
    let fields = [("user", "name"), ("password", "password"), ("merchant", "merchant"), ("merchants", "scope")];
    Wrong::of(refusal, refusal.line(lang), &fields)
}

fn everybody(asked: &Asked) -> Result<Vec<User>, Problem> {
    Ok(asked.see(|sight| sight.users())?)
}

fn one(asked: &Asked) -> Result<(User, Vec<Merchant>), Problem> {
    let id = asked.id()?;
    let (users, merchants) = asked.see(|sight| Ok((sight.users()?, sight.merchants()?)))?;
    let user = users.into_iter().find(|user| user.id == id).ok_or(Notice::NotFound)?;
    Ok((user, merchants))
}

fn address(user: &User) -> String {
    format!("{HERE}/{}", user.id)
}

fn list(asked: &Asked, users: &[User], typed: &str, role: Role) -> Result<Markup, Problem> {
    let (lang, words) = (asked.lang, asked.lang.users());
    let tokens = asked.see(|sight| sight.good_tokens(asked.now()))?;
    let row = |user: &User| {
        html! {
            td { a href=(address(user)) { bdi { (user.name) } } }
            td { (lang.words().role(user.role)) }
            td {
                @match &user.scope {
                    Scope::All => (words.all_merchants),
                    Scope::Only(only) => { (words.only_these) " (" (only.len()) ")" },
                }
            }
            td { @match tokens.get(&user.id) { Some(0) | None => "–", Some(count) => (count) } }
            td {
                @if user.disabled_at.is_none() { span.badge.good { (words.active) } } @else { span.badge.calm { (words.disabled) } }
            }
        }
    };
    let rows: Vec<Markup> = users.iter().map(row).collect();
    let fields = html! {
        label.field { span { (words.name) } input name="name" value=(typed) required autocomplete="off" maxlength="64"; }
        (roles(asked, role))
        label.field { span { (words.password) } input type="password" name="password" required autocomplete="new-password"; }
        p.hint { (words.password_hint) }
        button { (words.add) }
    };
    Ok(html! {
        h1 { (words.title) }
        (super::table(&[words.name, words.role, words.merchants, words.tokens, words.state], &rows, lang.shell().nothing))
        section.card #add {
            h2 { (words.add) }
            p.hint { (words.add_hint) }
            (form(asked, HERE, &fields))
        }
    })
}

fn roles(asked: &Asked, chosen: Role) -> Markup {
    let words = asked.lang.users();
    html! {
        label.field {
            span { (words.role) }
            select name="role" {
                @for role in Role::ALL {
                    option value=(role.word()) selected[role == chosen] { (asked.lang.words().role(role)) }
                }
            }
        }
        p.hint { (words.role_hint) }
    }
}

fn render(asked: &Asked, user: &User, merchants: &[Merchant]) -> Result<Markup, Problem> {
    let (words, here) = (asked.lang.users(), address(user));
    let is_me = asked.viewer.user().id == user.id;
    let rights = html! {
        (roles(asked, user.role))
        fieldset {
            legend { (words.merchants) }
            label.choice {
                input type="radio" name="scope" value="all" checked[user.scope == Scope::All]; " " (words.all_merchants)
            }
            @if !merchants.is_empty() {
                label.choice {
                    input type="radio" name="scope" value="only" checked[user.scope != Scope::All]; " " (words.only_these)
                }
                div.below {
                    @for merchant in merchants {
                        label.choice {
                            input type="checkbox" name="merchant" value=(merchant.slug)
                                checked[user.scope != Scope::All && user.scope.has(merchant.id)];
                            " " bdi { (merchant.name) }
                        }
                    }
                }
            }
        }
        button { (asked.lang.shell().save) }
    };
    let password = html! {
        label.field { span { (words.new_password) } input type="password" name="password" required autocomplete="new-password"; }
        p.hint { (words.password_hint) }
        label.choice { input type="checkbox" name=(me::TOKENS) value=(me::END) checked; " " (words.end_tokens) }
        p.hint { (words.end_tokens_hint) }
        button.second { (words.set_password) }
    };
    let tokens = tokens::of_user(asked, user, &format!("{here}/tokens"))?;
    Ok(html! {
        p { a href=(HERE) { (words.title) } }
        h1 { bdi { (user.name) } }
        @if is_me { p.banner.calm { (words.yourself) } }
        section.card { h2 { (words.change) } (form(asked, &format!("{here}/rights"), &rights)) }
        section.card { h2 { (words.password) } (form(asked, &format!("{here}/password"), &password)) }
        (tokens)
        section.card {
            @if user.disabled_at.is_none() {
                h2 { (words.disable) }
                p.hint { (words.disable_hint) }
                (form(asked, &format!("{here}/disable"), &html! { button.danger { (words.disable) } }))
            } @else {
                h2 { (words.enable) }
                p.hint { (words.enable_hint) }
                (form(asked, &format!("{here}/enable"), &html! { button { (words.enable) } }))
            }
        }
    })
}

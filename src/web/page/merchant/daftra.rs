//! The account: address and key, tried before they are stored; then warehouse, branch and client, chosen from what the
//! account has.

use maud::{Markup, html};
use secrecy::SecretString;

use super::{Known, Step, save, saved, show_step, silence};
use crate::db::merchant::Mode;
use crate::desk::account::{Choices, Silence};
use crate::desk::file::{self, MerchantFile, Missing};
use crate::desk::{Secret, Secrets};
use crate::domain::offer::{Named, Tax};
use crate::text::Said;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{done, form};
use crate::web::reply::{Problem, Reply};

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let address = known.progress.address.clone();
    render(asked, &known, &known.file, &address, None)
}

/// Tries the key at its address, and stores both if somebody answers.
pub(in crate::web) fn connect(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let address = typed_address(form.get("address"));
    let key = Secret(SecretString::from(form.get("key")));
    if let Err(why) = asked.context.parts.accounts.meet(&address, &key) {
        return render(asked, &known, &known.file, form.get("address"), Some(&not_met(why, asked)));
    }
    let mut file = known.file.clone();
    if file.daftra.url != address && known.merchant.mode == Mode::Paused {
        // Numbers of another account mean nothing in this one.
        (file.daftra.store_id, file.daftra.client_id, file.daftra.branch_id) = (0, 0, None);
        file.tax.clear();
    }
    file.daftra.url.clone_from(&address);
    let wrong = save(asked, actor, file, Secrets { webhook: Vec::new(), daftra_key: Some(key) })?;
    match wrong {
        None => Ok(done(&known.step(Step::Daftra), Said::Saved)),
        Some(wrong) => render(asked, &known, &known.file, form.get("address"), Some(&wrong)),
    }
}

/// Stores warehouse, branch and client; the taxes of the account become the tax map if there is none yet.
pub(in crate::web) fn place(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let number = |name| form.get(name).parse::<i64>().ok().filter(|id| *id > 0);
    let mut file = known.file.clone();
    file.daftra.store_id = number("store").unwrap_or(file.daftra.store_id);
    file.daftra.client_id = number("client").unwrap_or(file.daftra.client_id);
    file.daftra.branch_id = number("branch");
    let is_chosen = file.daftra.store_id > 0 && file.daftra.client_id > 0;
    if file.tax.is_empty()
        && let Ok(taxes) = asked.context.parts.accounts.taxes(known.merchant.id)?
    {
        file.tax = unmistakable(&taxes);
    }
    let wrong = if is_chosen {
        save(asked, actor, file.clone(), Secrets::default())?
    } else {
        let field = if file.daftra.store_id > 0 { "client" } else { "store" };
        Some(Wrong::at(field, asked.lang.merchants().missing))
    };
    match wrong {
        None => Ok(saved(&known, Step::Daftra)),
        Some(wrong) => {
            let address = known.progress.address.clone();
            render(asked, &known, &file, &address, Some(&wrong))
        }
    }
}

/// Nobody answers at the address, or not to this key.
fn not_met(why: Silence, asked: &Asked) -> Wrong {
    let text = silence(why, asked.lang.merchants());
    match why {
        Silence::NoAddress | Silence::Redirect | Silence::Page | Silence::Unreached | Silence::Unclear => {
            Wrong::at("address", text)
        }
        Silence::NoKey | Silence::BadKey => Wrong::at("key", text),
        Silence::Expired | Silence::Busy => Wrong::new(text),
    }
}

/// As people paste it from the browser: without a scheme, with a slash at the end.
fn typed_address(text: &str) -> String {
    let text = text.trim().trim_end_matches('/').trim_end_matches("/api2").trim_end_matches('/');
    if text.is_empty() || text.contains("://") { text.to_owned() } else { format!("https://{text}") }
}

/// Where only one tax has a rate, whatever the shop calls a tax of this rate means it.
fn unmistakable(taxes: &[Tax]) -> Vec<file::Tax> {
    let is_alone =
        |tax: &&Tax| taxes.iter().filter(|other| other.rate == tax.rate && other.included == tax.included).count() == 1;
    let rule =
        |tax: &Tax| file::Tax { title: None, rate: tax.rate.to_string(), included: tax.included, daftra_id: tax.id };
    taxes.iter().filter(is_alone).map(rule).collect()
}

fn render(
    asked: &Asked,
    known: &Known,
    file: &MerchantFile,
    address: &str,
    wrong: Option<&Wrong>,
) -> Result<Reply, Problem> {
    let words = asked.lang.merchants();
    let has_key = known.progress.has_daftra_key;
    let fields = html! {
        label.field {
            span { (words.address) }
            input name="address" value=(address) required dir="ltr" inputmode="url" autocomplete="off" autocapitalize="none"
                spellcheck="false" placeholder="wadi.daftra.com";
            span.hint { (words.address_hint) }
        }
        label.field {
            span { (words.key) }
            input type="password" name="key" required dir="ltr" autocomplete="off" spellcheck="false";
            span.hint { @if has_key { (words.key_stays) " " } (words.key_hint) }
        }
        button.second[has_key] { (words.connect) }
    };
    let account = html! {
        section.card { h2 { (words.account) } (form(asked, &known.step(Step::Daftra), &fields)) }
    };
    let content = if has_key && !known.lacks(Missing::Account) {
        let search = asked.wishes().find(|(name, _)| name == "client").map(|(_, value)| value.into_owned());
        let search = search.unwrap_or_default();
        let chosen = file.daftra.client_id;
        match asked.context.parts.accounts.choices(known.merchant.id, &search, chosen)? {
            Ok(choices) => html! { (places(asked, known, file, &choices, &search)) (account) },
            Err(why) => html! { p.banner.bad role="alert" { (silence(why, words)) } (account) },
        }
    } else {
        account
    };
    Ok(show_step(asked, known, Step::Daftra, wrong, &content))
}

fn places(asked: &Asked, known: &Known, file: &MerchantFile, choices: &Choices, search: &str) -> Markup {
    let words = asked.lang.merchants();
    let daftra = &file.daftra;
    // What is alone in its list, or the primary warehouse, is what nearly everybody means.
    let store = choices.stores.iter().find(|one| one.id == daftra.store_id).or(choices.stores.first());
    let others = choices.client.iter().filter(|chosen| !choices.clients.iter().any(|one| one.id == chosen.id));
    let clients: Vec<&Named> = others.chain(&choices.clients).collect();
    let only = match clients.as_slice() {
        [one] => Some(one.id),
        _ => None,
    };
    let client = choices.client.as_ref().map(|one| one.id).or(only);
    let looking = html! {
        form.filter method="get" action=(known.step(Step::Daftra)) {
            label.field { span { (words.client_search) } input type="search" name="client" value=(search) dir="auto"; }
            button.second { (words.search) }
        }
    };
    let fields = html! {
        label.field {
            span { (words.store) }
            select name="store" required { @for one in &choices.stores { (option(one, store.map(|one| one.id))) } }
        }
        @if !choices.branches.is_empty() {
            label.field {
                span { (words.branch) }
                select name="branch" {
                    option value="" { (words.no_branch) }
                    @for one in &choices.branches { (option(one, daftra.branch_id)) }
                }
            }
        }
        @if clients.is_empty() {
            p.banner.warn { (words.client_none) }
        } @else {
            label.field {
                span { (words.client) }
                select name="client" required {
                    @if client.is_none() { option value="" { (words.choose) } }
                    @for one in &clients { (option(one, client)) }
                }
                span.hint { (words.client_hint) }
            }
        }
        button { (asked.lang.shell().save) }
    };
    html! {
        section.card #places {
            h2 { (words.places) }
            p.hint { (words.places_hint) }
            (looking)
            (form(asked, &format!("{}/places", known.address()), &fields))
        }
    }
}

fn option(one: &Named, chosen: Option<i64>) -> Markup {
    html! { option value=(one.id) selected[chosen == Some(one.id)] { (one.name) } }
}

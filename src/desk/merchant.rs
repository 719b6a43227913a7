//! Adding and changing merchants.
//!
//! - `live_from` is there exactly while a merchant is live, or paused from live: that is how `resume` knows where to
//!   go back to, and why a second go-live begins at its own time.
//! - The Daftra key belongs to its address: another address without another key leaves the merchant without one.
//! - Two shops never share a webhook secret: the shop stands in an unsigned header, so whoever can sign for one could
//!   sign for the other.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::Transaction;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Value, json};

use super::check::{Choice, EVERY_VENDOR};
use super::file::MerchantFile;
use super::{About, Done, Effects, Error, Moment, Refusal, Secret, Secrets, Why, go_live, way};
use crate::db::job::{self, Chore};
use crate::db::merchant::{self, Credential, CredentialKind, Merchant, Mode, Slot};
use crate::db::order::{self, Overview, State};
use crate::db::{self, account, leave, privacy};
use crate::domain::rules::{Rules, Vendors};
use crate::engine::credential_place;
use crate::vault;

/// A random key of so many bytes goes into every reference: short enough to be typed, long enough to be its own.
const KEY_BYTES: usize = 6;
/// Where the form for a new merchant is, among the pages of the merchants.
const NEW: &str = "new";
/// Two secrets may be live while one is being replaced.
const SLOTS: [Slot; 2] = [Slot::Current, Slot::Previous];

/// What became of a merchant.
#[derive(Serialize)]
struct Answer<'a> {
    merchant: &'a str,
    mode: Mode,
    /// Keys of the merchant file.
    changed: Vec<String>,
    /// Secrets that were replaced or forgotten.
    secrets: &'a [&'static str],
    /// What is still missing.
    notes: Vec<String>,
}

/// How far a change reaches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Nothing changed.
    Nothing,
    /// Undecided orders may come out otherwise, and the intake may know less than is true.
    Rules,
    /// The way to Daftra is another one, or is used again: the account is asked who it is.
    Way,
}

impl Reach {
    fn of_mode(mode: Mode) -> Self {
        if works(mode) { Self::Way } else { Self::Rules }
    }
}

pub(super) fn add(tx: &Transaction<'_>, moment: &Moment, choice: Choice, secrets: &Secrets) -> Result<Done, Error> {
    if merchant::by_slug(tx, &choice.slug)?.is_some() {
        return Err(Refusal::new("slug", &choice.slug, Why::SlugTaken).into());
    }
    if choice.slug == NEW {
        return Err(Refusal::new("slug", NEW, Why::SlugReserved).into());
    }
    let mode = choice.mode.unwrap_or(Mode::Shadow);
    check_whole(mode, &choice)?;
    check_vendors(tx, &choice, None)?;
    check_form(secrets)?;
    check_way(&choice, secrets)?;
    check_secrets(tx, moment, &choice.shop_domain, None, &secrets.webhook)?;

    let live_from = live_from(mode, choice.live_from, None, moment.now)?;
    let vendors = choice.vendor_names();
    let account_id = choice.address.as_deref().map(|address| account::at_address(tx, address)).transpose()?;
    let address = choice.address.unwrap_or_default();
    let mut added = Merchant {
        id: 0,
        slug: choice.slug,
        key: vault::random::<KEY_BYTES>().iter().map(|byte| format!("{byte:02x}")).collect(),
        name: choice.name,
        shop_domain: choice.shop_domain,
        account_id,
        time_zone: choice.time_zone,
        mode,
        live_from,
        rules: choice.rules,
        trouble: None,
        not_before: Timestamp::UNIX_EPOCH,
    };
    added.id = merchant::add(tx, &added, moment.now)?;
    merchant::own_vendors(tx, added.id, &added.shop_domain, &vendors)?;
    let replaced = store_secrets(tx, moment, added.id, &address, secrets)?;
    let file = MerchantFile::of(&added, &address);
    moment.write_down(tx, "merchant.add", json!({ "merchant": added.slug, "file": file, "secrets": replaced }))?;
    told(tx, moment, &added, Vec::new(), &replaced, Reach::of_mode(mode))
}

pub(super) fn set(tx: &Transaction<'_>, moment: &Moment, choice: Choice, secrets: &Secrets) -> Result<Done, Error> {
    let before = open_merchant(tx, &choice.slug)?;
    let address_before = address_of(tx, &before)?;
    let mode = choice.mode.unwrap_or(before.mode);
    check_whole(mode, &choice)?;
    go_live::check(tx, &before, mode, moment)?;
    check_vendors(tx, &choice, Some(before.id))?;
    check_form(secrets)?;
    check_way(&choice, secrets)?;
    let stored = webhook_secrets(tx, moment, before.id)?;
    let effective = if secrets.webhook.is_empty() { &stored } else { &secrets.webhook };
    check_secrets(tx, moment, &choice.shop_domain, Some(before.id), effective)?;

    let vendors = choice.vendor_names();
    let address = choice.address.unwrap_or_default();
    let mut after = Merchant {
        name: choice.name,
        shop_domain: choice.shop_domain,
        time_zone: choice.time_zone,
        mode,
        live_from: live_from(mode, choice.live_from, before.live_from, moment.now)?,
        rules: begun(choice.rules, &before.rules, moment.now),
        ..before.clone()
    };
    let moved = address != address_before;
    let stored_key = daftra_key(tx, moment, before.id, &address_before)?;
    let fresh = Secrets {
        webhook: if same(&secrets.webhook, &stored) { Vec::new() } else { secrets.webhook.clone() },
        daftra_key: match (&secrets.daftra_key, &stored_key) {
            (Some(given), Some(stored)) if !moved && given.is(stored) => None,
            (given, _) => given.clone(),
        },
    };
    let files = (MerchantFile::of(&before, &address_before), MerchantFile::of(&after, &address));
    let changes = differences(&json!(files.0), &json!(files.1));
    if changes.is_empty() && fresh.webhook.is_empty() && fresh.daftra_key.is_none() {
        return told(tx, moment, &before, Vec::new(), &[], Reach::Nothing);
    }

    after.account_id = if address.is_empty() { None } else { Some(account::at_address(tx, &address)?) };
    merchant::change(tx, &after)?;
    merchant::own_vendors(tx, after.id, &after.shop_domain, &vendors)?;
    let mut replaced = Vec::new();
    if moved && fresh.daftra_key.is_none() {
        merchant::forget_credentials(tx, after.id, CredentialKind::DaftraKey)?;
        replaced.extend(stored_key.map(|_| CredentialKind::DaftraKey.word()));
    }
    // A token is sealed for its shop.
    if after.shop_domain != before.shop_domain {
        way::forget(tx, after.id)?;
    }
    replaced.extend(store_secrets(tx, moment, after.id, &address, &fresh)?);
    let changed: Vec<String> = changes.iter().map(|(key, ..)| key.clone()).collect();
    let facts: Vec<Value> = changes.iter().map(|(key, was, is)| json!({ "key": key, "was": was, "is": is })).collect();
    moment.write_down(tx, "merchant.set", json!({ "merchant": after.slug, "changed": facts, "secrets": replaced }))?;
    // Which methods of payment there are, the account is asked together with its name.
    let asks_anew = after.rules.payments != before.rules.payments;
    let is_new_way = moved || fresh.daftra_key.is_some() || !works(before.mode) || asks_anew;
    let reach = if is_new_way { Reach::of_mode(after.mode) } else { Reach::Rules };
    told(tx, moment, &after, changed, &replaced, reach)
}

pub(super) fn pause(tx: &Transaction<'_>, moment: &Moment, slug: &str) -> Result<Done, Error> {
    let before = open_merchant(tx, slug)?;
    turn(tx, moment, before, Mode::Paused, "merchant.pause")
}

pub(super) fn resume(tx: &Transaction<'_>, moment: &Moment, slug: &str) -> Result<Done, Error> {
    let before = open_merchant(tx, slug)?;
    let mode = match before.mode {
        Mode::Paused if before.live_from.is_some() => Mode::Live,
        Mode::Paused => Mode::Shadow,
        running @ (Mode::Live | Mode::Shadow | Mode::Closed) => running,
    };
    let address = address_of(tx, &before)?;
    check_whole(mode, &MerchantFile::of(&before, &address).check()?)?;
    turn(tx, moment, before, mode, "merchant.resume")
}

/// Ends a merchant: its deliveries are refused, and its vendors are free for another. What was booked stays booked.
pub(super) fn close(tx: &Transaction<'_>, moment: &Moment, slug: &str) -> Result<Done, Error> {
    let before = open_merchant(tx, slug)?;
    merchant::own_vendors(tx, before.id, &before.shop_domain, &[])?;
    leave::closed(tx, before.id, moment.now)?;
    turn(tx, moment, Merchant { live_from: None, ..before }, Mode::Closed, "merchant.close")
}

/// A closed merchant takes deliveries in again, paused: somebody looks at it before anything is sent. Vendors that are
/// another merchant's by now stay there, and a webhook secret that is another shop's by now must be replaced.
pub(super) fn open(tx: &Transaction<'_>, moment: &Moment, slug: &str, secret: Option<Secret>) -> Result<Done, Error> {
    let before = any_merchant(tx, slug)?;
    if before.mode != Mode::Closed {
        // Said a second time it changes nothing.
        return match secret {
            Some(secret) => rotate(tx, moment, slug, secret),
            None => told(tx, moment, &before, Vec::new(), &[], Reach::Nothing),
        };
    }
    // Its books are gone: what it booked before would be booked once more.
    if let (_, Some(_)) = leave::times(tx, before.id)? {
        return Err(Refusal::of(About::Merchant(slug.to_owned()), Why::MerchantPurged).into());
    }
    let webhook = secrets_to_open(tx, moment, &before, secret)?;
    let (vendors, lost) = still_free(tx, &before)?;
    let rules = Rules { vendors, ..before.rules.clone() };
    let after = Merchant { mode: Mode::Paused, live_from: None, rules, ..before };
    let names = MerchantFile::of(&after, &address_of(tx, &after)?).check()?.vendor_names();
    merchant::change(tx, &after)?;
    merchant::own_vendors(tx, after.id, &after.shop_domain, &names)?;
    privacy::came_back(tx, after.id, moment.now, moment.now)?;
    leave::opened(tx, after.id)?;
    let replaced = store_secrets(tx, moment, after.id, "", &Secrets { webhook, daftra_key: None })?;
    let facts = json!({ "merchant": after.slug, "mode": after.mode, "vendors_lost": lost, "secrets": replaced });
    moment.write_down(tx, "merchant.open", facts)?;
    let mut done = told(tx, moment, &after, vec!["mode".to_owned()], &replaced, Reach::of_mode(after.mode))?;
    if let (false, Some(notes)) = (lost.is_empty(), done.answer["notes"].as_array_mut()) {
        let named: Vec<String> =
            lost.iter().map(|Lost { vendor, merchant }| format!("{vendor} ({merchant})")).collect();
        let named = named.join(", ");
        notes.push(format!("Other merchants of the shop have these vendors now, so they stay there: {named}").into());
    }
    done.answer["vendors_lost"] = json!(lost);
    Ok(done)
}

/// What is to prove deliveries from now on; empty: what is stored. A secret that another shop has by now proves nothing
/// of this one.
fn secrets_to_open(
    tx: &Transaction<'_>,
    moment: &Moment,
    closed: &Merchant,
    given: Option<Secret>,
) -> Result<Vec<Secret>, Error> {
    let stored = webhook_secrets(tx, moment, closed.id)?;
    let owner = |secret: &Secret| other_shop_with(tx, moment, &closed.shop_domain, Some(closed.id), secret);
    let Some(given) = given else {
        return match stored.iter().find_map(|secret| owner(secret).transpose()).transpose()? {
            Some(other) => Err(Refusal::of(webhook_secrets_key(), Why::SecretTaken(other)).into()),
            None => Ok(Vec::new()),
        };
    };
    let mut webhook = Vec::new();
    for old in &stored {
        if !given.is(&old.0) && owner(old)?.is_none() {
            webhook.push(old.clone());
        }
    }
    webhook.insert(0, given);
    webhook.truncate(SLOTS.len());
    let secrets = Secrets { webhook, daftra_key: None };
    check_form(&secrets)?;
    check_secrets(tx, moment, &closed.shop_domain, Some(closed.id), &secrets.webhook)?;
    Ok(if same(&secrets.webhook, &stored) { Vec::new() } else { secrets.webhook })
}

/// A vendor whom a merchant had before it was closed, and whose it is now.
#[derive(Serialize)]
struct Lost {
    vendor: String,
    merchant: String,
}

/// Of the vendors that a closed merchant had, those that nobody else owns, and those that are lost.
fn still_free(tx: &Transaction<'_>, closed: &Merchant) -> Result<(Vendors, Vec<Lost>), db::Error> {
    let owned = merchant::vendors_of_shop(tx, &closed.shop_domain)?;
    let mut others = merchant::all(tx)?;
    others
        .retain(|other| other.id != closed.id && other.shop_domain == closed.shop_domain && other.mode != Mode::Closed);
    let owner_of = |name: &str| {
        let (_, id) = owned.iter().find(|(known, _)| known == EVERY_VENDOR || known == name)?;
        others.iter().find(|other| other.id == *id).map(|other| other.slug.clone())
    };
    Ok(match &closed.rules.vendors {
        Vendors::AllBut(left_out) if others.is_empty() => (Vendors::AllBut(left_out.clone()), Vec::new()),
        Vendors::AllBut(_) => {
            let lost = |other: &Merchant| Lost { vendor: EVERY_VENDOR.to_owned(), merchant: other.slug.clone() };
            (Vendors::Only(BTreeSet::new()), others.iter().map(lost).collect())
        }
        Vendors::Only(own) => {
            let (mut free, mut lost) = (BTreeSet::new(), Vec::new());
            for vendor in own {
                match owner_of(vendor.as_str()) {
                    Some(merchant) => lost.push(Lost { vendor: vendor.as_str().to_owned(), merchant }),
                    None => drop(free.insert(vendor.clone())),
                }
            }
            (Vendors::Only(free), lost)
        }
    })
}

/// Another current webhook secret. The one it replaces still proves deliveries, for the shop goes on using it a while.
pub(super) fn rotate(tx: &Transaction<'_>, moment: &Moment, slug: &str, secret: Secret) -> Result<Done, Error> {
    let known = open_merchant(tx, slug)?;
    let mut webhook = webhook_secrets(tx, moment, known.id)?;
    webhook.retain(|stored| !secret.is(&stored.0));
    webhook.insert(0, secret);
    webhook.truncate(SLOTS.len());
    keep_secrets(tx, moment, &known, webhook)
}

/// From now on only the current webhook secret proves a delivery.
pub(super) fn forget_previous(tx: &Transaction<'_>, moment: &Moment, slug: &str) -> Result<Done, Error> {
    let known = open_merchant(tx, slug)?;
    let mut webhook = webhook_secrets(tx, moment, known.id)?;
    webhook.truncate(1);
    keep_secrets(tx, moment, &known, webhook)
}

fn keep_secrets(tx: &Transaction<'_>, moment: &Moment, known: &Merchant, webhook: Vec<Secret>) -> Result<Done, Error> {
    let secrets = Secrets { webhook, daftra_key: None };
    check_form(&secrets)?;
    check_secrets(tx, moment, &known.shop_domain, Some(known.id), &secrets.webhook)?;
    if same(&secrets.webhook, &webhook_secrets(tx, moment, known.id)?) {
        return told(tx, moment, known, Vec::new(), &[], Reach::Nothing);
    }
    let replaced = store_secrets(tx, moment, known.id, "", &secrets)?;
    moment.write_down(tx, "merchant.secret", json!({ "merchant": known.slug, "secrets": replaced }))?;
    told(tx, moment, known, Vec::new(), &replaced, Reach::Rules)
}

fn turn(
    tx: &Transaction<'_>,
    moment: &Moment,
    before: Merchant,
    mode: Mode,
    action: &'static str,
) -> Result<Done, Error> {
    if before.mode == mode {
        return told(tx, moment, &before, Vec::new(), &[], Reach::Nothing);
    }
    let after = Merchant { mode, ..before };
    merchant::change(tx, &after)?;
    moment.write_down(tx, action, json!({ "merchant": after.slug, "mode": mode }))?;
    told(tx, moment, &after, vec!["mode".to_owned()], &[], Reach::of_mode(mode))
}

/// Ends a change: what is due because of it, and what the person should know.
fn told(
    tx: &Transaction<'_>,
    moment: &Moment,
    merchant: &Merchant,
    changed: Vec<String>,
    secrets: &[&'static str],
    reach: Reach,
) -> Result<Done, Error> {
    let (is_change, is_way) = (reach != Reach::Nothing, reach == Reach::Way);
    if is_change {
        ask_undecided(tx, merchant.id, moment.now)?;
    }
    if is_way {
        job::ask_chore(tx, Chore::Account, merchant.id, moment.now)?;
    }
    // Whatever was missed meanwhile is looked for.
    let asks_shop = is_change && way::ask(tx, merchant.id, moment.now)?;
    let effects = Effects {
        doors_changed: is_change,
        orders_asked: is_change,
        chores_asked: is_way || asks_shop,
        ..Effects::default()
    };
    let notes = notes(tx, merchant)?;
    let answer = Answer { merchant: &merchant.slug, mode: merchant.mode, changed, secrets, notes };
    Ok(Done { answer: json!(answer), effects })
}

/// Orders whose outcome may be another one under the new rules. What was decided for good stays as it is: a person
/// asks for those one by one.
fn ask_undecided(tx: &Transaction<'_>, merchant_id: i64, now: Timestamp) -> Result<(), db::Error> {
    for state in [State::Held, State::Waiting, State::Shadow] {
        ask_orders(tx, merchant_id, state, now, |_| true)?;
    }
    Ok(())
}

/// Asks for the orders of a merchant that stand so and are meant. How many they are.
pub(super) fn ask_orders(
    tx: &Transaction<'_>,
    merchant_id: i64,
    state: State,
    now: Timestamp,
    is_meant: impl Fn(&Overview) -> bool,
) -> Result<usize, db::Error> {
    const PAGE: u32 = 500;
    let (mut before, mut asked) = (None, 0);
    loop {
        let filter = order::Filter { merchant_id: Some(merchant_id), state: Some(state), before };
        let page = order::list(tx, filter, PAGE)?;
        for order in page.iter().filter(|order| is_meant(order)) {
            job::ask(tx, order.id, merchant_id, now, false)?;
            asked += 1;
        }
        let Some(last) = page.last() else { return Ok(asked) };
        before = Some(last.id);
    }
}

fn notes(tx: &Transaction<'_>, merchant: &Merchant) -> Result<Vec<String>, db::Error> {
    let credentials = merchant::credentials(tx, Some(merchant.id))?;
    let has = |kind| credentials.iter().any(|credential| credential.kind == kind);
    let mut notes = Vec::new();
    if !has(CredentialKind::WebhookSecret) && !has(CredentialKind::StoreKey) {
        notes.push("No webhook secret yet, so no delivery is accepted: name shop.webhook_secret_files".to_owned());
    }
    if !has(CredentialKind::DaftraKey) {
        notes.push("No Daftra key for this address yet, so nothing is sent: name daftra.key_file".to_owned());
    }
    Ok(notes)
}

pub(super) fn any_merchant(tx: &Transaction<'_>, slug: &str) -> Result<Merchant, Error> {
    Ok(merchant::by_slug(tx, slug)?.ok_or_else(|| Refusal::new("merchant", slug, Why::NoMerchant))?)
}

pub(super) fn open_merchant(tx: &Transaction<'_>, slug: &str) -> Result<Merchant, Error> {
    let found = any_merchant(tx, slug)?;
    if found.mode == Mode::Closed {
        return Err(Refusal::of(About::Merchant(slug.to_owned()), Why::MerchantClosed).into());
    }
    Ok(found)
}

fn address_of(tx: &Transaction<'_>, merchant: &Merchant) -> Result<String, db::Error> {
    merchant.account_id.map_or_else(|| Ok(String::new()), |id| Ok(account::get(tx, id)?.address))
}

fn works(mode: Mode) -> bool {
    match mode {
        Mode::Live | Mode::Shadow => true,
        Mode::Paused | Mode::Closed => false,
    }
}

fn live_from(
    mode: Mode,
    given: Option<Timestamp>,
    was: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Refusal> {
    Ok(match (mode, given) {
        (Mode::Shadow | Mode::Closed, Some(at)) => {
            return Err(Refusal::new("orders.live_from", at, Why::LiveFromAlone));
        }
        (Mode::Shadow | Mode::Closed, None) => None,
        // As precise as it is stored, so that the same file changes nothing.
        (Mode::Live, given) => given.or(was).or(Some(now)).map(to_millisecond),
        (Mode::Paused, given) => given.or(was).map(to_millisecond),
    })
}

/// Who begins to record payments does so with the orders placed from then on: the money of the others is booked already.
fn begun(mut rules: Rules, was: &Rules, now: Timestamp) -> Rules {
    let payments = &mut rules.payments;
    if payments.record {
        let since = if was.payments.record { was.payments.from } else { Some(now) };
        payments.from = payments.from.or(since).map(to_millisecond);
    }
    rules
}

fn to_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// One owner per shop and vendor, and all lines only for the one merchant of a shop.
fn check_vendors(tx: &Transaction<'_>, choice: &Choice, own_id: Option<i64>) -> Result<(), Error> {
    let others: Vec<Merchant> = merchant::all(tx)?
        .into_iter()
        .filter(|other| Some(other.id) != own_id && other.shop_domain == choice.shop_domain)
        .collect();
    let owned = merchant::vendors_of_shop(tx, &choice.shop_domain)?;
    let names = choice.vendor_names();
    if names.is_empty() {
        return Ok(());
    }
    if let (true, Some(other)) =
        (names.iter().any(|name| name == EVERY_VENDOR), others.iter().find(|other| other.mode != Mode::Closed))
    {
        return Err(Refusal::new("lines.vendors", &names, Why::SharedShop(other.slug.clone())).into());
    }
    for other in &others {
        let owns = |name: &str| owned.iter().any(|(known, id)| known == name && *id == other.id);
        if let Some(name) = names.iter().find(|name| owns(name)) {
            return Err(Refusal::new("lines.vendors", name, Why::VendorOwned(other.slug.clone())).into());
        }
        if other.mode != Mode::Closed && owns(EVERY_VENDOR) {
            return Err(Refusal::new("lines.vendors", &names, Why::ShopOwned(other.slug.clone())).into());
        }
    }
    Ok(())
}

/// Nothing can be planned for a merchant without an account, a warehouse, a client and vendors.
fn check_whole(mode: Mode, choice: &Choice) -> Result<(), Refusal> {
    choice.missing.clone().filter(|_| works(mode)).map_or(Ok(()), Err)
}

/// A key is sealed for its address.
fn check_way(choice: &Choice, secrets: &Secrets) -> Result<(), Refusal> {
    if secrets.daftra_key.is_some() && choice.address.is_none() {
        return Err(Refusal::of(About::Key("daftra.key_file".to_owned()), Why::KeyAlone));
    }
    Ok(())
}

fn webhook_secrets_key() -> About {
    About::Key("shop.webhook_secret_files".to_owned())
}

fn check_form(secrets: &Secrets) -> Result<(), Refusal> {
    let count = secrets.webhook.len();
    if count > SLOTS.len() {
        return Err(Refusal::of(webhook_secrets_key(), Why::SecretsMany(count)));
    }
    if secrets.webhook.iter().chain(&secrets.daftra_key).any(Secret::is_empty) {
        return Err(Refusal::of(About::Secret, Why::SecretEmpty));
    }
    Ok(())
}

fn check_secrets(
    tx: &Transaction<'_>,
    moment: &Moment,
    shop_domain: &str,
    own_id: Option<i64>,
    secrets: &[Secret],
) -> Result<(), Error> {
    for secret in secrets {
        if let Some(other) = other_shop_with(tx, moment, shop_domain, own_id, secret)? {
            return Err(Refusal::of(webhook_secrets_key(), Why::SecretShared(other)).into());
        }
    }
    Ok(())
}

/// The merchant of another shop that has this webhook secret too.
fn other_shop_with(
    tx: &Transaction<'_>,
    moment: &Moment,
    shop_domain: &str,
    own_id: Option<i64>,
    secret: &Secret,
) -> Result<Option<String>, db::Error> {
    for other in merchant::all(tx)? {
        if Some(other.id) == own_id || other.shop_domain == shop_domain || other.mode == Mode::Closed {
            continue;
        }
        if webhook_secrets(tx, moment, other.id)?.iter().any(|their| secret.is(&their.0)) {
            return Ok(Some(other.slug));
        }
    }
    Ok(None)
}

/// The stored secrets, the current one first. One that does not open counts as none: it proves nothing any more.
fn webhook_secrets(tx: &Transaction<'_>, moment: &Moment, merchant_id: i64) -> Result<Vec<Secret>, db::Error> {
    let kind = CredentialKind::WebhookSecret;
    let place = credential_place(merchant_id, kind, None);
    let mut stored = merchant::credentials(tx, Some(merchant_id))?;
    stored.retain(|credential| credential.kind == kind);
    stored.sort_by_key(|credential| credential.slot == Slot::Previous);
    Ok(stored.iter().filter_map(|c| moment.vault.open_text(&place, &c.sealed).ok()).map(Secret).collect())
}

fn daftra_key(
    tx: &Transaction<'_>,
    moment: &Moment,
    merchant_id: i64,
    address: &str,
) -> Result<Option<SecretString>, db::Error> {
    let kind = CredentialKind::DaftraKey;
    let place = credential_place(merchant_id, kind, Some(address));
    let stored = merchant::credentials(tx, Some(merchant_id))?;
    let key = stored.iter().find(|credential| credential.kind == kind && credential.slot == Slot::Current);
    Ok(key.and_then(|key| moment.vault.open_text(&place, &key.sealed).ok()))
}

fn same(given: &[Secret], stored: &[Secret]) -> bool {
    given.len() == stored.len() && given.iter().zip(stored).all(|(given, stored)| given.is(&stored.0))
}

/// Seals what was given and names it.
fn store_secrets(
    tx: &Transaction<'_>,
    moment: &Moment,
    merchant_id: i64,
    address: &str,
    secrets: &Secrets,
) -> Result<Vec<&'static str>, db::Error> {
    let put = |kind, slot, address, secret: &Secret| {
        let sealed =
            moment.vault.seal(&credential_place(merchant_id, kind, address), secret.0.expose_secret().as_bytes());
        merchant::put_credential(tx, &Credential { merchant_id, kind, slot, sealed })
    };
    let mut replaced = Vec::new();
    if !secrets.webhook.is_empty() {
        let kind = CredentialKind::WebhookSecret;
        let stored = webhook_secrets(tx, moment, merchant_id)?;
        let uses = merchant::uses(tx, merchant_id, kind)?;
        let is_given = |old: &Secret| secrets.webhook.iter().any(|given| given.is(&old.0));
        if let Some(gone) = stored.iter().find(|old| !is_given(old)) {
            put(CredentialKind::ForgottenSecret, Slot::Current, None, gone)?;
        }
        merchant::forget_credentials(tx, merchant_id, kind)?;
        for (secret, slot) in secrets.webhook.iter().zip(SLOTS) {
            put(kind, slot, None, secret)?;
            let was = stored.iter().zip(SLOTS).find(|(old, _)| secret.is(&old.0)).map(|(_, slot)| slot);
            if let Some((_, used_at)) = uses.iter().find(|(slot, _)| Some(*slot) == was) {
                merchant::was_used(tx, merchant_id, kind, slot, *used_at)?;
            }
        }
        replaced.push(kind.word());
    }
    if let Some(key) = &secrets.daftra_key {
        put(CredentialKind::DaftraKey, Slot::Current, Some(address), key)?;
        replaced.push(CredentialKind::DaftraKey.word());
    }
    Ok(replaced)
}

/// The leaves that differ: key, what it was, what it is. Lists count as one leaf.
fn differences(was: &Value, is: &Value) -> Vec<(String, Value, Value)> {
    let (Some(old), Some(new)) = (was.as_object(), is.as_object()) else {
        return if was == is { Vec::new() } else { vec![(String::new(), was.clone(), is.clone())] };
    };
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let null = Value::Null;
    let inner = keys.into_iter().flat_map(|key| {
        let below = differences(old.get(key).unwrap_or(&null), new.get(key).unwrap_or(&null));
        below
            .into_iter()
            .map(move |(rest, was, is)| (if rest.is_empty() { key.clone() } else { format!("{key}.{rest}") }, was, is))
    });
    inner.collect()
}

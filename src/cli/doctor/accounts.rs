//! Each merchant's Daftra account: does the key open, and is there what the documents will name?
//!
//! Reads only. What is looked at here is what would hold or refuse orders later.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Row, machine};
use crate::cli::serve;
use crate::clock::Clock;
use crate::config::Config;
use crate::daftra::client::Client;
use crate::daftra::wire::Site;
use crate::db::merchant::{self, Merchant, Mode};
use crate::db::{Db, document};
use crate::desk::account::Silence;
use crate::domain::money::Currency;
use crate::domain::offer::{Places, Tax, WaysOfPaying};
use crate::engine::ask::Asked;
use crate::engine::{Engine, Settings};
use crate::outgoing::Outgoing;
use crate::vault::{MasterKey, Vault};
use crate::vitals::Vitals;
use crate::vitals::disk::Disk;

const CHECK: &str = "daftra";
/// Seconds. A wrong clock dates invoices wrongly and makes certificates invalid.
const CLOCK_MAY_DIFFER: i64 = 30;

pub(super) fn all(config: &Config, db: Db) -> Vec<Row> {
    let (key, outgoing) = (MasterKey::read(&config.vault.key_file), Outgoing::new(&config.outgoing));
    let (key, outgoing) = match (key, outgoing) {
        (Ok(key), Ok(outgoing)) => (key, outgoing),
        // Said by the row of the key.
        (Err(_), _) => return Vec::new(),
        (_, Err(error)) => return vec![Row::bad(CHECK, error, "Correct outgoing.extra_ca_file")],
    };
    let merchants = match db.read(merchant::all) {
        Ok(merchants) => merchants,
        Err(error) => return vec![Row::bad(CHECK, error, "Look into the journal for errors of the disk")],
    };
    let open: Vec<Merchant> = merchants.into_iter().filter(|merchant| merchant.mode != Mode::Closed).collect();
    if open.is_empty() {
        return vec![Row::warning(CHECK, "there is no merchant yet", "Add one: open /merchants/new in a browser")];
    }
    let clock = Clock::real();
    let vitals = Arc::new(Vitals::new(clock.clone(), Disk::of(&config.data.folder, config.data.min_free_bytes)));
    let client = Client::new(outgoing, serve::call_settings(config));
    let vault = Arc::new(Vault::new(key.current, key.previous));
    let engine = Engine::new(Arc::new(db), clock, Arc::clone(&vitals), vault, client, Settings::new(config));
    let mut rows: Vec<Row> = open.iter().map(|merchant| look(&engine, merchant).of(&merchant.slug)).collect();
    rows.extend(clock_row(&vitals));
    rows
}

/// What those who answered say of the time: the one that is farthest from ours.
fn clock_row(vitals: &Vitals) -> Option<Row> {
    const CHECK: &str = machine::CLOCK;
    let clocks = vitals.clocks();
    let (whose, said) = clocks.iter().max_by_key(|(_, said)| said.ahead.abs())?;
    let apart = said.ahead.abs().as_secs();
    Some(if apart > CLOCK_MAY_DIFFER {
        let found = format!("{apart} s from what {whose} says");
        Row::bad(CHECK, found, "Let the machine ask a time server: timedatectl set-ntp true")
    } else {
        Row::good(CHECK, format!("within {} s of what {whose} says", apart + 1))
    })
}

fn look(engine: &Engine, merchant: &Merchant) -> Row {
    let Some(account_id) = merchant.account_id else {
        return Row::warning(CHECK, "no account yet", format!("Open /merchants/{}/daftra", merchant.slug));
    };
    let site = match ask(engine, merchant.id, |client, door, pace| client.site_info(door, pace)) {
        Ok(site) => site,
        Err(why) => return silence(why, merchant),
    };
    let mut faults = Vec::new();
    let mut notes = vec![format!("{}, {}", site.host, site.currency)];
    notes.extend(decimals(&site, &mut faults));
    if site.is_expired {
        faults.push("its subscription ran out".to_owned());
    }
    let asked = ask(engine, merchant.id, |client, door, pace| client.places(door, pace))
        .and_then(|places| Ok((places, ask(engine, merchant.id, |client, door, pace| client.taxes(door, pace))?)))
        .and_then(|(places, taxes)| {
            let ways = ask(engine, merchant.id, |client, door, pace| client.ways_of_paying(door, pace))?;
            Ok((places, taxes, ways))
        });
    match asked {
        Ok((places, taxes, ways)) => missing(merchant, &places, &taxes, &ways, &mut faults),
        Err(why) => return silence(why, merchant),
    }
    match engine.db.read(|c| document::awaits_requisition(c, account_id)) {
        Ok(true) => notes.push("sales wait for the warehouse's requisitions".to_owned()),
        Ok(false) => {}
        Err(error) => faults.push(error.to_string()),
    }
    if faults.is_empty() {
        return Row::good(CHECK, notes.join("; "));
    }
    let next = format!("Put it right in Daftra, or choose anew: /merchants/{}", merchant.slug);
    Row::bad(CHECK, format!("{}; but {}", notes.join("; "), faults.join("; ")), next)
}

/// An account with fewer decimals than its currency cannot hold the amounts.
fn decimals(site: &Site, faults: &mut Vec<String>) -> Option<String> {
    let kept = site.decimals?;
    let digits = Currency::parse(&site.currency).map_or(2, Currency::digits);
    if kept < digits {
        faults.push(format!("it keeps {kept} decimals, and {} has {digits}", site.currency));
        return None;
    }
    Some(format!("{kept} decimals"))
}

/// What the rules name and the account has not.
fn missing(merchant: &Merchant, places: &Places, taxes: &[Tax], ways: &WaysOfPaying, faults: &mut Vec<String>) {
    let rules = &merchant.rules;
    if !places.stores.iter().any(|store| store.id == rules.store_id) {
        faults.push(format!("warehouse {} is not there or not active", rules.store_id));
    }
    let known: BTreeSet<i64> = taxes.iter().map(|tax| tax.id).collect();
    for rule in rules.taxes.iter().filter(|rule| !known.contains(&rule.daftra_id)) {
        faults.push(format!("tax {} is not there or not active", rule.daftra_id));
    }
    if !rules.payments.record {
        return;
    }
    for (gateway, rule) in &rules.payments.gateways {
        if !ways.methods.iter().any(|method| method.slug == rule.method) {
            faults.push(format!("the way of paying \"{}\" (for {gateway}) is not there or not active", rule.method));
        }
        if let Some(id) = rule.treasury_id
            && !ways.treasuries.iter().any(|treasury| treasury.id == id)
        {
            faults.push(format!("treasury {id} (for {gateway}) is not there or not active"));
        }
    }
}

fn silence(why: Silence, merchant: &Merchant) -> Row {
    let (found, next) = match why {
        Silence::NoAddress => ("its address is none", "Type the address anew"),
        Silence::NoKey => ("there is no key, or it does not open", "Type the API key anew"),
        Silence::BadKey => ("it does not accept the key", "Type the API key anew"),
        Silence::Redirect => ("its address sends elsewhere", "Type the address it sends to"),
        Silence::Page => (
            "a page for people answers instead",
            "Check the address, whether the account still exists, and whether its subscription runs",
        ),
        Silence::Expired => ("its subscription ran out", "Renew it in Daftra"),
        Silence::Unreached => ("it is not reached, or does not answer in time", "Try again; check DNS and the way out"),
        Silence::Busy => ("it wants to be left alone for a while", "Try again in some minutes"),
        Silence::Unclear => {
            ("it answers what cannot be understood", "Try again; if it stays so, report the account's address")
        }
    };
    Row::bad(CHECK, found, format!("{next} (/merchants/{}/daftra)", merchant.slug))
}

fn ask<T>(
    engine: &Engine,
    merchant_id: i64,
    question: impl FnOnce(
        &Client,
        &crate::daftra::client::Door,
        &dyn Fn(),
    ) -> crate::daftra::client::Answered<Result<T, crate::daftra::outcome::Unanswered>>,
) -> Result<T, Silence> {
    match engine.ask(merchant_id, question) {
        Ok(Asked::Answered(answered)) => answered.map_err(Silence::from),
        Ok(Asked::Busy) => Err(Silence::Busy),
        Ok(Asked::NoKey) | Err(_) => Err(Silence::NoKey),
    }
}

//! `merchant api` and `catch-up`: the API of a merchant's shop, and looking for orders there.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Ended, Session, open, secret};
use crate::clock::Clock;
use crate::db::scope::Scope;
use crate::db::shop_api::ShopApi;
use crate::desk::Wish;
use crate::domain::connection::{SCOPE_OF_OLD_ORDERS, SCOPES};
use crate::shop::api::{VERSION, VERSION_ENDS};
use crate::text::Lang;

/// So long before its end the version of the API that we speak is spoken of.
const NOTICE: SignedDuration = SignedDuration::from_hours(60 * 24);

/// Connect a merchant to the API of its shop; without options: how that stands
#[derive(clap::Args)]
pub(super) struct Api {
    /// The merchant
    slug: String,
    /// Of an app of the merchant's own: its client id
    #[arg(long, value_name = "ID", requires = "client_secret_file")]
    client_id: Option<String>,
    /// The secret of that app, which signs its webhooks, too; "-" reads standard input
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<PathBuf>,
    /// A token of an older app, which does not end; "-" reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "client_id")]
    token_file: Option<PathBuf>,
    /// With a token: the API secret of the same app, so that its webhooks are made and mended from here
    #[arg(long, value_name = "FILE", requires = "token_file")]
    signing_secret_file: Option<PathBuf>,
    /// Ask the shop no more: webhooks only
    #[arg(long, conflicts_with_all = ["client_id", "token_file"])]
    off: bool,
}

/// Look for orders in a merchant's shop now
#[derive(clap::Args)]
pub(super) struct CatchUp {
    /// The merchant
    slug: String,
    /// All orders that changed since this day, in the merchant's time zone: 2026-11-01
    #[arg(long, value_name = "DATE")]
    since: Option<Date>,
    /// These orders by name, as many as are given: 1042 '#1043'
    #[arg(value_name = "ORDER")]
    orders: Vec<String>,
}

impl Api {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<()> {
        let (config, slug) = (session.config()?, self.slug);
        let wish = if self.off {
            Wish::ShopDisconnect { slug }
        } else if let Some((client_id, file)) = self.client_id.zip(self.client_secret_file) {
            let secret = secret::read("--client-secret-file", &file)?;
            Wish::ShopConnect { slug, client_id: Some(client_id), secret, signs: None }
        } else if let Some(file) = self.token_file {
            let secret = secret::read("--token-file", &file)?;
            let signs = self.signing_secret_file.map(|file| secret::read("--signing-secret-file", &file));
            Wish::ShopConnect { slug, client_id: None, secret, signs: signs.transpose()? }
        } else {
            return show(session, &slug);
        };
        let answer = open::wish(&config, wish, Clock::real().now())?;
        session.out.say(&answer, || {
            let slug = answer["merchant"].as_str().unwrap_or_default();
            match (answer["connected"].as_bool(), answer["makes_subscriptions"].as_bool()) {
                (Some(true), Some(true)) => format!(
                    "Merchant {slug}: connected. Webhooks are made and mended by themselves, and orders that none told of are found. \
                     See how it goes: qantara merchant api {slug}"
                ),
                (Some(true), _) => format!(
                    "Merchant {slug}: connected. Orders that no webhook told of are found; the webhooks stay as they were made. \
                     See how it goes: qantara merchant api {slug}"
                ),
                _ => format!("Merchant {slug}: not connected, webhooks only"),
            }
        })
    }
}

impl CatchUp {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let config = session.config()?;
        let known = open::merchant_of(&open::look(&config)?, &self.slug)?;
        let since = self.since.map(|day| start_of(day, &known.time_zone)).transpose()?;
        let now = Clock::real().now();
        if since.is_some_and(|since| since > now) {
            bail!("--since is {}: it lies in the future, name an earlier day", self.since.unwrap_or_default());
        }
        let wish = Wish::CatchUp { slug: self.slug, since, orders: self.orders };
        let answer = open::wish(&config, wish, now)?;
        session.out.say(&answer, || words(&answer))?;
        Ok(Ended::Fine)
    }
}

fn words(answer: &Value) -> String {
    let slug = answer["merchant"].as_str().unwrap_or_default();
    let mut lines = vec![format!(
        "Merchant {slug}: the running server looks for them now; a stopped one at its start. How far it is: qantara merchant api {slug}"
    )];
    if let Some(limit) = answer["nothing_placed_before"].as_str() {
        lines.push(format!(
            "Shopify shows no order that was placed before {limit} (60 days), unless the app has the scope {SCOPE_OF_OLD_ORDERS}"
        ));
    }
    lines.join("\n")
}

fn start_of(day: Date, zone: &str) -> anyhow::Result<Timestamp> {
    let zone = TimeZone::get(zone).with_context(|| format!("The merchant's time zone {zone} is not known"))?;
    Ok(day.to_zoned(zone)?.timestamp())
}

/// How the way to a shop stands.
fn show(session: &Session, slug: &str) -> anyhow::Result<()> {
    let config = session.config()?;
    let db = open::look(&config)?;
    let found = open::merchant_of(&db, slug)?;
    let api = db.see(&Scope::All, |sight| sight.shop_api(found.id))?;
    let blocked = api.as_ref().and_then(|api| api.blocked.as_ref()).map(|why| Lang::En.words().blocked(why));
    let missing = api.as_ref().map(missing_scopes).unwrap_or_default();
    let answer = json!({
        "merchant": slug,
        "connected": api.is_some(),
        "client_id": api.as_ref().and_then(|api| api.client_id.clone()),
        "makes_subscriptions": api.as_ref().is_some_and(|api| api.watches),
        "scopes": api.as_ref().map(|api| &api.scopes),
        "missing_scopes": missing,
        "token_until": api.as_ref().and_then(|api| api.token_until),
        "caught_up_at": api.as_ref().and_then(|api| api.caught_up_at),
        "gone_through": api.as_ref().map(|api| api.gone_through),
        "expected": api.as_ref().and_then(|api| api.expected),
        "unread": api.as_ref().map(|api| api.unread.iter().map(|order| order.name.clone()).collect::<Vec<_>>()),
        "subscriptions_whole_at": api.as_ref().and_then(|api| api.watched_at),
        "blocked": blocked.as_ref().map(|why| json!({ "what": why.what, "next_step": why.next_step })),
        "version": VERSION,
        "version_ends": VERSION_ENDS.to_string(),
    });
    session.out.say(&answer, || {
        let Some(api) = &api else {
            return format!(
                "Merchant {slug} is not connected: webhooks only. A delivery that Shopify loses is not noticed then, and nobody \
                 sees that a webhook is gone"
            );
        };
        let time = |at: Option<Timestamp>| at.map_or_else(|| "not yet".to_owned(), crate::view::second);
        let mut lines = vec![
            format!("Merchant {slug}: connected, version {VERSION}"),
            format!("Looked through (UTC): {}", time(api.caught_up_at)),
        ];
        lines.extend(api.expected.map(|expected| progress(api.gone_through, expected)));
        if !api.unread.is_empty() {
            let names: Vec<_> = api.unread.iter().map(|order| order.name.as_str()).collect();
            lines.push(format!("Listed and not given, tried again each time: {}", names.join(", ")));
        }
        if !api.scopes.is_empty() && !api.scopes.contains(SCOPE_OF_OLD_ORDERS) {
            lines.push(format!("Orders placed more than 60 days ago: not shown without the scope {SCOPE_OF_OLD_ORDERS}"));
        }
        if api.watches {
            lines.push(format!("Webhooks whole (UTC): {}", time(api.watched_at)));
        }
        if api.client_id.is_some() {
            lines.push(format!("Token until (UTC): {}", time(api.token_until)));
        }
        if !missing.is_empty() {
            lines.push(format!("Missing scopes: {}", missing.join(", ")));
        }
        lines.extend(blocked.iter().map(|why| format!("{} {}", why.what, why.next_step)));
        if is_near_its_end(Clock::real().now()) {
            lines.push(format!("Version {VERSION} of the API ends on {VERSION_ENDS}: update Qantara before"));
        }
        lines.join("\n")
    })
}

/// How far a look through a shop is.
fn progress(gone_through: i64, expected: i64) -> String {
    const WIDTH: i64 = 30;
    let filled = (gone_through.clamp(0, expected) * WIDTH).checked_div(expected).unwrap_or(WIDTH);
    let bar: String = (0..WIDTH).map(|at| if at < filled { '#' } else { '.' }).collect();
    format!("Being looked through: [{bar}] {gone_through} of {expected} orders")
}

fn missing_scopes(api: &ShopApi) -> Vec<&'static str> {
    if api.scopes.is_empty() {
        return Vec::new();
    }
    SCOPES.into_iter().filter(|scope| !api.scopes.contains(*scope)).collect()
}

/// Whether it is time to speak of the end of the version that we speak.
pub(super) fn is_near_its_end(now: Timestamp) -> bool {
    let end = VERSION_ENDS.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |end| end.timestamp());
    end.duration_since(now) < NOTICE
}

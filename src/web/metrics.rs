//! `/metrics`: how everything is, in the text format of Prometheus (0.0.4), written by hand: a few lines of it are less than
//! a library.
//!
//! It names merchants and volumes, so it is for operators who see all, by name and password; on this machine itself, for
//! whoever asks without a proxy between. What lies in the database is read at that moment, ends of indexes and counters
//! only; durations are in memory. Ages are given as such, so that an alarm needs no arithmetic with clocks.

use std::fmt::{Display, Write as _};

use jiff::{SignedDuration, Timestamp};

use super::Parts;
use super::asked::Asked;
use super::reply::{self, Problem, Reply};
use crate::db::alert::Cause;
use crate::db::gauge::{Gauges, OfMerchant};
use crate::db::mail::Standing;
use crate::db::merchant::Mode;
use crate::db::scope::Scope;
use crate::db::{self, Db};
use crate::vitals::Vitals;
use crate::vitals::histogram::Histogram;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// For somebody who signed in.
pub(super) fn show(asked: &Asked) -> Result<Reply, Problem> {
    Ok(read(&asked.context.parts, &asked.viewer.user().scope)?)
}

/// For whoever is on this machine.
pub(super) fn here(parts: &Parts) -> Result<Reply, Problem> {
    Ok(read(parts, &Scope::All)?)
}

fn read(parts: &Parts, scope: &Scope) -> Result<Reply, db::Error> {
    let now = parts.clock.now();
    let (gauges, outbox) = parts.db.see(scope, |sight| Ok((sight.gauges(now)?, sight.outbox(now - DAY)?)))?;
    let mut text = Text::default();
    process(&mut text, &parts.vitals, &gauges, now);
    storage(&mut text, &parts.db, &parts.vitals, now)?;
    durations(
        &mut text,
        "qantara_intake_duration_seconds",
        "From a webhook's head to our answer.",
        &parts.vitals.intake,
    );
    durations(&mut text, "qantara_daftra_call_duration_seconds", "Calls to Daftra.", &parts.vitals.calls);
    queues(&mut text, &gauges, now);
    if let Some(outbox) = outbox {
        mails(&mut text, &outbox, now);
    }
    merchants(&mut text, &gauges.merchants, now);
    accounts(&mut text, &gauges, &parts.vitals, now);
    Ok(reply::metrics(text.0))
}

fn process(text: &mut Text, vitals: &Vitals, gauges: &Gauges, now: Timestamp) {
    text.family("qantara_build_info", "gauge", "Which version runs.");
    text.sample("qantara_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    text.one(
        "qantara_start_time_seconds",
        "When the server started, since 1970.",
        seconds(vitals.started_at.as_millisecond()),
    );
    if let Some(at) = gauges.heartbeat {
        text.one("qantara_heartbeat_age_seconds", "Since the last heartbeat reached the disk.", age(at, now));
    }
    if let Some(at) = gauges.backup.0 {
        text.one("qantara_backup_age_seconds", "Since the last good backup.", age(at, now));
    }
    if let Some(at) = gauges.backup.1 {
        text.one("qantara_backup_failure_age_seconds", "Since a backup last failed.", age(at, now));
    }
    if let Some(until) = vitals.certificate_until() {
        let left = seconds(until.duration_since(now).as_millis());
        text.one("qantara_certificate_left_seconds", "Until the certificate that is served ends.", left);
    }
    text.family("qantara_alerts", "gauge", "Open alerts by cause.");
    for cause in Cause::ALL {
        let open = gauges.alerts.get(cause.word()).copied().unwrap_or(0);
        text.sample("qantara_alerts", &[("cause", cause.word())], open);
    }
    text.family("qantara_notices_waiting", "gauge", "Words about alerts that are not sent yet, by channel.");
    for (channel, waiting) in &gauges.notices {
        text.sample("qantara_notices_waiting", &[("channel", channel)], waiting);
    }
}

fn storage(text: &mut Text, db: &Db, vitals: &Vitals, now: Timestamp) -> Result<(), db::Error> {
    text.family("qantara_database_size_bytes", "gauge", "The database, and its log of changes.");
    for (file, size) in ["database", "wal"].into_iter().zip(db.sizes()?) {
        text.sample("qantara_database_size_bytes", &[("file", file)], size);
    }
    if let Some(free) = vitals.disk.free(now) {
        text.one("qantara_disk_free_bytes", "What may still be written to the data folder's disk.", free);
    }
    let is_full = u8::from(vitals.disk.is_full(now));
    text.one("qantara_disk_full", "1 while nothing new is begun for want of room.", is_full);
    Ok(())
}

/// A histogram, with the sums that its format wants.
fn durations<const LABELS: usize>(text: &mut Text, name: &str, help: &str, histogram: &Histogram<LABELS>) {
    let all = histogram.read();
    if all.is_empty() {
        return;
    }
    text.family(name, "histogram", help);
    for (values, series) in all {
        let labels: Vec<(&str, &str)> = histogram.names.into_iter().zip(values).collect();
        let mut below = 0;
        let bounds = histogram.bounds_ms.iter().map(|bound| thousandths(*bound)).chain(["+Inf".to_owned()]);
        for (bound, count) in bounds.zip(&series.counts) {
            below += count;
            let labels = [labels.as_slice(), &[("le", &*bound)]].concat();
            text.sample(&format!("{name}_bucket"), &labels, below);
        }
        text.sample(&format!("{name}_sum"), &labels, thousandths(series.sum_ms));
        text.sample(&format!("{name}_count"), &labels, below);
    }
}

fn queues(text: &mut Text, gauges: &Gauges, now: Timestamp) {
    let orders = gauges.merchants.iter().map(|one| i64::from(one.queue.depth)).sum();
    let oldest = gauges.merchants.iter().filter_map(|one| one.queue.oldest).min();
    let mut kinds = vec![("order", orders, oldest)];
    kinds.extend(gauges.chores.iter().map(|due| (due.kind.as_str(), due.depth, Some(due.oldest))));
    text.family("qantara_queue_depth", "gauge", "What is due and not begun; of a merchant's orders 1000 are counted.");
    for (kind, depth, _) in &kinds {
        text.sample("qantara_queue_depth", &[("kind", kind)], depth);
    }
    text.family("qantara_queue_age_seconds", "gauge", "Since when the first of it is due.");
    for (kind, _, oldest) in &kinds {
        text.sample("qantara_queue_age_seconds", &[("kind", kind)], oldest.map_or_else(zero, |at| age(at, now)));
    }
    text.family(
        "qantara_documents_unsettled",
        "gauge",
        "Documents of which Daftra's answer is not known yet, or was lost.",
    );
    for state in UNSETTLED {
        let count = gauges.unsettled.iter().find(|one| one.state == state).map_or(0, |one| one.count);
        text.sample("qantara_documents_unsettled", &[("state", state)], count);
    }
    let doubts = gauges.unsettled.iter().filter(|one| one.state.ends_with("in_doubt"));
    let oldest = doubts.map(|one| one.since).min().map_or_else(zero, |since| age(since, now));
    text.one("qantara_in_doubt_age_seconds", "Since when the first document is in doubt.", oldest);
}

/// The outbox, whose counts end at ten thousand.
fn mails(text: &mut Text, outbox: &Standing, now: Timestamp) {
    text.family("qantara_mails", "gauge", "Mails that wait to be sent, and of the last day those that were given up.");
    for (state, count) in [("waiting", outbox.waiting), ("failed", outbox.failed)] {
        text.sample("qantara_mails", &[("state", state)], count);
    }
    let oldest = outbox.oldest.map_or_else(zero, |at| age(at, now));
    text.one("qantara_mail_age_seconds", "How old the oldest mail is that waits.", oldest);
}

/// The states of a document between sending and certainty.
const UNSETTLED: [&str; 4] = ["sending", "in_doubt", "replacing", "replace_in_doubt"];

fn merchants(text: &mut Text, all: &[OfMerchant], now: Timestamp) {
    if all.is_empty() {
        return;
    }
    let mut gauge = |name: &str, help: &str, value: &dyn Fn(&OfMerchant) -> String| {
        text.family(name, "gauge", help);
        for one in all {
            text.sample(name, &[("merchant", &one.merchant.slug)], value(one));
        }
    };
    gauge("qantara_merchant_queue_depth", "A merchant's orders that are due and not begun, 1000 at most.", &|one| {
        one.queue.depth.to_string()
    });
    gauge("qantara_merchant_queue_age_seconds", "Since when the first of them is due.", &|one| {
        one.queue.oldest.map_or_else(zero, |at| age(at, now))
    });
    gauge("qantara_merchant_hold_age_seconds", "Since when the order is held that came in first.", &|one| {
        one.oldest_hold.map_or_else(zero, |at| age(at, now))
    });
    gauge("qantara_merchant_trouble", "1 while a merchant's key or address does not work.", &|one| {
        u8::from(one.merchant.trouble.is_some()).to_string()
    });
    gauge("qantara_merchant_works", "1 while orders of a merchant are worked on, 0 while paused or closed.", &|one| {
        u8::from(match one.merchant.mode {
            Mode::Live | Mode::Shadow => true,
            Mode::Paused | Mode::Closed => false,
        })
        .to_string()
    });
    text.family("qantara_orders", "gauge", "Orders by where they stand now; held ones wait for a person.");
    for one in all {
        for (state, count) in &one.orders {
            text.sample("qantara_orders", &[("merchant", &one.merchant.slug), ("state", state)], count);
        }
    }
    if all.iter().all(|one| one.outcomes.is_empty()) {
        return;
    }
    text.family("qantara_outcomes_total", "counter", "Rows of the sync log by status; success is an invoice.");
    for one in all {
        for (status, count) in &one.outcomes {
            text.sample(
                "qantara_outcomes_total",
                &[("merchant", &one.merchant.slug), ("status", status.word())],
                count,
            );
        }
    }
}

fn accounts(text: &mut Text, gauges: &Gauges, vitals: &Vitals, now: Timestamp) {
    if gauges.accounts.is_empty() {
        return;
    }
    text.family(
        "qantara_account_paused_seconds",
        "gauge",
        "For how long nobody calls a Daftra account, by its own wish or for want of answers.",
    );
    for one in &gauges.accounts {
        let left = one.account.not_before.duration_since(now).max(SignedDuration::ZERO);
        text.sample("qantara_account_paused_seconds", &[("account", &one.account.address)], seconds(left.as_millis()));
    }
    text.family("qantara_account_out", "gauge", "1 while a Daftra account does not answer and its breaker is open.");
    for one in &gauges.accounts {
        text.sample("qantara_account_out", &[("account", &one.account.address)], u8::from(one.is_out));
    }
    let clocks = vitals.clocks();
    let mut told =
        gauges.accounts.iter().filter_map(|one| Some((&one.account.address, clocks.get(&one.account.address)?)));
    if let Some(first) = told.next() {
        text.family(
            "qantara_account_clock_ahead_seconds",
            "gauge",
            "How far the clock of a Daftra account is ahead of ours.",
        );
        for (address, clock) in [first].into_iter().chain(told) {
            text.sample(
                "qantara_account_clock_ahead_seconds",
                &[("account", address)],
                seconds(clock.ahead.as_millis()),
            );
        }
    }
}

/// The text format: families with what they mean, and their samples.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"{}\"", if at == 0 { '{' } else { ',' }, escaped(text));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }

    /// A gauge that stands alone.
    fn one(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn age(since: Timestamp, now: Timestamp) -> String {
    seconds(now.duration_since(since).as_millis())
}

fn zero() -> String {
    seconds(0_i64)
}

/// Seconds of milliseconds, with their thousandths.
fn seconds(ms: impl Into<i128>) -> String {
    let ms: i128 = ms.into();
    let sign = if ms < 0 { "-" } else { "" };
    format!("{sign}{}", thousandths(u64::try_from(ms.unsigned_abs()).unwrap_or(u64::MAX)))
}

fn thousandths(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

//! The server itself, for its owner: what it is, its certificate, its backups, and how long things are kept.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::{Frame, code, page, table, time};
use crate::config::Config;
use crate::db::{archive, setting};
use crate::text::{self, Lang};
use crate::web::asked::Asked;
use crate::web::reply::{Problem, Reply};
use crate::web::tls::facts::Facts;

/// Backups that are listed, the newest.
const ROWS: usize = 31;

struct View {
    lang: Lang,
    now: Timestamp,
    config: Arc<Config>,
    started_at: Timestamp,
    /// Bytes of the database, and of its log of changes.
    sizes: Option<[u64; 2]>,
    free: Option<u64>,
    certificate: Option<Arc<Facts>>,
    last_good: Option<Timestamp>,
    last_failure: Option<Timestamp>,
    /// None: the folder cannot be read.
    backups: Option<Vec<Backup>>,
}

struct Backup {
    at: Timestamp,
    file: PathBuf,
    bytes: u64,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let parts = &asked.context.parts;
    let now = asked.now();
    let (last_good, last_failure) =
        parts.db.read(|c| Ok((setting::time(c, setting::BACKUP_OK)?, setting::time(c, setting::BACKUP_FAILED)?)))?;
    let view = View {
        lang: asked.lang,
        now,
        config: Arc::clone(&parts.config),
        started_at: parts.vitals.started_at,
        sizes: parts.db.sizes().ok(),
        free: parts.vitals.disk.free(now),
        certificate: asked.context.tls.as_ref().map(|tls| tls.facts()),
        last_good,
        last_failure,
        backups: backups(&parts.config, now, last_good.is_some()),
    };
    Ok(page(&Frame::new(asked, false), asked.lang.server().title, &render(&view)))
}

/// The newest first. A folder that nobody made yet holds none.
fn backups(config: &Config, now: Timestamp, were_made: bool) -> Option<Vec<Backup>> {
    let listed = match archive::list(&config.backup_folder(), now) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !were_made => Vec::new(),
        listed => listed.ok()?,
    };
    let sized = listed.into_iter().rev().take(ROWS).map(|(at, file)| {
        let bytes = fs::metadata(&file).map(|about| about.len()).unwrap_or_default();
        Backup { at, file, bytes }
    });
    Some(sized.collect())
}

fn render(view: &View) -> Markup {
    let words = view.lang.server();
    html! {
        h1 { (words.title) }
        (about(view))
        section #certificate { h2 { (words.certificate) } (certificate(view)) }
        section #backups { h2 { (words.backups) } (copies(view)) }
        section #retention { h2 { (words.retention) } (retention(view)) }
        p.muted { (view.lang.words().labels().times_in) " " (code("UTC")) }
    }
}

fn about(view: &View) -> Markup {
    let words = view.lang.server();
    html! {
        dl {
            dt { (words.version) } dd { (code(env!("CARGO_PKG_VERSION"))) }
            dt { (words.running_since) } dd { (moment(view, view.started_at)) }
            dt { (words.address) }
            dd {
                @match &view.config.http.public_address {
                    Some(address) => (code(address)),
                    None => (words.unknown),
                }
            }
            dt { (words.database) }
            dd {
                @match view.sizes {
                    Some([database, log]) => {
                        (size(database))
                        @if log > 0 { span.muted { " + " (size(log)) " " (words.log_of_changes) } }
                    }
                    None => (words.unknown),
                }
            }
            dt { (words.free) }
            dd { @match view.free { Some(free) => (size(free)), None => (words.unknown) } }
        }
    }
}

fn certificate(view: &View) -> Markup {
    let words = view.lang.server();
    let Some(facts) = &view.certificate else { return html! { p { (words.plain) } } };
    let is_by_itself = view.config.acme.is_on();
    html! {
        @if is_by_itself && facts.is_self_signed { p.banner.warn { (words.stand_in) } }
        dl {
            dt { (words.names) } dd { @for name in &facts.names { (code(name)) " " } }
            dt { (words.issuer) } dd { (code(&facts.issuer)) }
            dt { (words.valid_until) }
            dd {
                (time(facts.not_after, &TimeZone::UTC))
                " " span.muted {
                    "(" bdi { (text::span(view.lang, facts.not_after.duration_since(view.now).as_secs().max(0))) } " " (words.left) ")"
                }
            }
        }
        p.hint { @if is_by_itself { (words.by_itself) } @else { (words.by_files) } }
    }
}

fn copies(view: &View) -> Markup {
    let words = view.lang.server();
    let row = |backup: &Backup| {
        let name = backup.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        html! { td { (moment(view, backup.at)) } td { (code(&name)) } td { (size(backup.bytes)) } }
    };
    html! {
        p.hint { (words.backups_hint) }
        @if view.config.backup.every_ms == 0 { p.banner.warn { (words.no_schedule) } }
        dl {
            dt { (words.last_good) }
            dd { @match view.last_good { Some(at) => (moment(view, at)), None => (words.none_yet) } }
            @if let Some(at) = view.last_failure { dt { (words.last_failure) } dd { (moment(view, at)) } }
            dt { (words.folder) } dd { (code(&view.config.backup_folder().display().to_string())) }
        }
        @match &view.backups {
            Some(backups) => {
                (table(&[words.made, words.file, words.size], &backups.iter().map(row).collect::<Vec<_>>(), words.none_yet))
            }
            None => p.banner.warn { (words.no_folder) },
        }
        p { strong { (words.key) } ". " (words.key_hint) }
    }
}

fn retention(view: &View) -> Markup {
    let words = view.lang.server();
    let kept = &view.config.retention;
    let rows = [
        (words.bodies, kept.bodies_days, "retention.bodies_days"),
        (words.buyers, kept.buyers_days, "retention.buyers_days"),
        (words.orders, kept.orders_days, "retention.orders_days"),
        (words.calls, kept.calls_days, "retention.calls_days"),
        (words.log, kept.log_days, "retention.log_days"),
        (words.closed, kept.closed_days, "retention.closed_days"),
    ];
    let row = |(what, days, key): &(&str, u32, &str)| {
        html! {
            td.wide { (what) }
            td { @if *days == 0 { (words.never) } @else { (view.lang.shell().after_days.of(u64::from(*days))) } }
            td { (code(key)) }
        }
    };
    html! {
        p.hint { (words.retention_hint) }
        (table(&[words.what, words.removed, words.setting], &rows.iter().map(row).collect::<Vec<_>>(), ""))
    }
}

/// A time, and how long ago it was.
fn moment(view: &View, at: Timestamp) -> Markup {
    html! {
        (time(at, &TimeZone::UTC))
        " " span.muted { "(" bdi { (text::span(view.lang, view.now.duration_since(at).as_secs().max(0))) } ")" }
    }
}

/// 1536 MiB is 1.5 GiB.
fn size(bytes: u64) -> Markup {
    html! { bdi dir="ltr" { (text::bytes(bytes)) } }
}

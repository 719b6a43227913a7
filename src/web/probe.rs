//! `/livez`: the process answers. `/readyz`: it can do its work. Open to anyone, hence without details; those are in the log.
//!
//! Not ready: the disk is nearly full, the database cannot be read, the writer does not answer or its heartbeat stays away,
//! or orders that may be worked on are due for long while none of their account is begun. Merchants that are paused, closed
//! or in trouble, and accounts that wait, do not count: no other server would do better.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::StatusCode;
use jiff::SignedDuration;

use super::context::Context;
use super::reply;
use crate::db::{self, condition, setting};

/// More than any commit takes on a disk that works.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many heartbeats in a row may be missing.
const BEATS: i32 = 3;

/// Why there is no work to be expected.
#[derive(Debug, thiserror::Error)]
enum Unready {
    #[error("the disk is nearly full")]
    Disk,
    #[error("the database does not answer in time")]
    Silent,
    #[error("the heartbeat does not reach the disk")]
    NoHeartbeat,
    #[error("orders are due and none is begun")]
    Stuck,
    #[error(transparent)]
    Db(#[from] db::Error),
}

pub(super) fn live() -> reply::Reply {
    reply::text(StatusCode::OK, "ok")
}

pub(super) async fn ready(context: &Context) -> reply::Reply {
    let readiness = &context.readiness;
    // One look at a time, however many ask: each look is a change for the writer, too.
    if let Ok(_only) = readiness.looking.try_lock() {
        let found = match tokio::time::timeout(PATIENCE, look(context)).await {
            Ok(found) => found,
            Err(_) => Err(Unready::Silent),
        };
        let was_ready = readiness.was_found.swap(found.is_ok(), Ordering::SeqCst);
        match found {
            Err(why) if was_ready => tracing::warn!(%why, "Not ready"),
            Ok(()) if !was_ready => tracing::info!("Ready"),
            Ok(()) | Err(_) => {}
        }
    }
    match readiness.was_found.load(Ordering::SeqCst) {
        true => reply::text(StatusCode::OK, "ok"),
        false => reply::text(StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    }
}

async fn look(context: &Context) -> Result<(), Unready> {
    let parts = &context.parts;
    if parts.vitals.is_disk_full() {
        return Err(Unready::Disk);
    }
    let ms = |value: u64| SignedDuration::from_millis(i64::try_from(value).unwrap_or(i64::MAX));
    let (heartbeat, queue_age) = (ms(parts.config.engine.heartbeat_ms), ms(parts.config.alerts.queue_age_ms));
    let (db, now) = (Arc::clone(&parts.db), parts.clock.now());
    let read = tokio::task::spawn_blocking(move || {
        db.read(|c| Ok((setting::time(c, setting::HEARTBEAT)?, condition::is_stuck(c, now - queue_age)?)))
    });
    let (beat, is_stuck) = read.await.map_err(|panic| db::Error::Panicked(panic.to_string()))??;
    // In a trial a minute may be over in a moment.
    if parts.clock.is_true() && beat.is_some_and(|beat| now.duration_since(beat) > heartbeat * BEATS) {
        return Err(Unready::NoHeartbeat);
    }
    if parts.clock.is_true() && is_stuck {
        return Err(Unready::Stuck);
    }
    parts.db.post(|_| Ok(())).map_err(db::Error::from)?.await?;
    Ok(())
}

//! `/livez`: the process answers. `/readyz`: the database can be read and the writer is not stuck. Open to anyone, hence
//! without details.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;

use super::context::Context;
use super::reply;
use crate::db::{self, setting};

/// More than any commit takes on a disk that works.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn live() -> reply::Reply {
    reply::text(StatusCode::OK, "ok")
}

pub(super) async fn ready(context: &Context) -> reply::Reply {
    match tokio::time::timeout(PATIENCE, try_database(context)).await {
        Ok(Ok(())) => reply::text(StatusCode::OK, "ok"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "Not ready");
            reply::text(StatusCode::SERVICE_UNAVAILABLE, "not ready")
        }
        Err(_) => {
            tracing::warn!("Not ready: the database does not answer in time");
            reply::text(StatusCode::SERVICE_UNAVAILABLE, "not ready")
        }
    }
}

async fn try_database(context: &Context) -> Result<(), db::Error> {
    let db = Arc::clone(&context.parts.db);
    let read = tokio::task::spawn_blocking(move || db.read(|c| setting::time(c, setting::HEARTBEAT)));
    read.await.map_err(|panic| db::Error::Panicked(panic.to_string()))??;
    context.parts.db.post(|_| Ok(()))?.await
}

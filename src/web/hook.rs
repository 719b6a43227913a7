//! `POST /webhook` and `/webhook/{slug}`: read, hand to the door, answer. The sender hears 200 only when the delivery is
//! on the disk; anything else makes it come again. Answers say nothing but their status.

use hyper::body::Incoming;
use hyper::{Request, StatusCode};

use super::context::Context;
use super::{Received, body, reply};

pub(super) async fn receive(context: &Context, slug: Option<&str>, request: Request<Incoming>) -> reply::Reply {
    let vitals = &context.parts.vitals;
    let began = vitals.now();
    let status = take_in(context, slug, request).await;
    vitals.intake.note([outcome(status)], vitals.since(began));
    reply::bare(status)
}

async fn take_in(context: &Context, slug: Option<&str>, request: Request<Incoming>) -> StatusCode {
    let (head, incoming) = request.into_parts();
    let limit = context.parts.config.http.max_body_bytes;
    let body::Body { bytes, held } = match body::read(context, &head, incoming, limit).await {
        Ok(body) => body,
        Err(notice) => return reply::status(notice),
    };
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let status = match context.parts.door.receive(slug, &headers, bytes) {
        Received::Pending(kept) => match kept.await {
            Ok(()) => StatusCode::OK,
            Err(()) => StatusCode::SERVICE_UNAVAILABLE,
        },
        Received::NotAuthentic => StatusCode::UNAUTHORIZED,
        Received::Busy => StatusCode::SERVICE_UNAVAILABLE,
    };
    drop(held); // the sealed body waited in the writer's inbox until now
    status
}

/// For those who measure.
fn outcome(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200 => "kept",
        401 => "not_authentic",
        503 => "busy",
        _ => "not_read",
    }
}

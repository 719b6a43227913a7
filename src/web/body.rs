//! Reads a request's body within the limits: size, time, and memory over all requests.

use std::sync::Arc;

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::header::CONTENT_ENCODING;
use hyper::http::request;
use tokio::sync::OwnedSemaphorePermit;

use super::context::{Context, read_timeout};
use super::stall::Unread;
use crate::text::Notice;

/// A whole body. Its bytes count as taken until `held` is dropped.
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) held: Option<OwnedSemaphorePermit>,
}

/// Reads the body, or says why not.
pub(super) async fn read(
    context: &Context,
    head: &request::Parts,
    body: Incoming,
    limit: usize,
) -> Result<Body, Notice> {
    // HMAC and forms are over the bytes as they came; a body that must be unpacked first is not what was signed.
    if head.headers.get(CONTENT_ENCODING).is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(Notice::Unsupported);
    }
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(Notice::TooLarge);
    }
    match tokio::time::timeout(read_timeout(context), collect(context, body, limit)).await {
        Ok(read) => {
            let whole = read?;
            head.extensions.get::<Unread>().inspect(|unread| unread.set(false));
            Ok(whole)
        }
        Err(_) => Err(Notice::TooSlow),
    }
}

async fn collect(context: &Context, mut body: Incoming, limit: usize) -> Result<Body, Notice> {
    let mut read = Body { bytes: Vec::new(), held: None };
    while let Some(frame) = body.frame().await {
        // The sender hung up or broke the framing: nobody hears the answer.
        let frame = frame.map_err(|_| Notice::TooSlow)?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit - read.bytes.len() {
            return Err(Notice::TooLarge);
        }
        // What has arrived counts, not what was announced: an announcement alone takes nothing from the others.
        let size = u32::try_from(data.len()).map_err(|_| Notice::TooLarge)?;
        let room = Arc::clone(&context.room).try_acquire_many_owned(size).map_err(|_| Notice::Busy)?;
        match &mut read.held {
            Some(held) => held.merge(room),
            None => read.held = Some(room),
        }
        read.bytes.extend_from_slice(&data);
    }
    Ok(read)
}

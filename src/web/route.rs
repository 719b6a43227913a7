//! Every address of the product: one match, the table of contents.
//!
//! Webhooks and probes are open; everything else, also what does not exist, lies behind the sign-in.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::ACCEPT_LANGUAGE;
use hyper::http::request;
use hyper::{Method, Request};

use super::auth::Viewer;
use super::blocking::blocking;
use super::context::Context;
use super::reply::{Problem, Reply};
use super::{body, hook, page, peer, probe, reply};
use crate::text::{Lang, Notice};

/// Forms here are a token and nothing else.
const FORM_BYTES: usize = 16 * 1024;

enum Route<'a> {
    Hook(Option<&'a str>),
    Live,
    Ready,
    Page(Page),
}

#[derive(Clone, Copy)]
enum Page {
    Home,
    Order(i64),
    Retry(i64),
    Style,
    Script,
}

fn find<'a>(method: &Method, segments: &[&'a str]) -> Option<Route<'a>> {
    Some(match (method, segments) {
        (&Method::POST, ["webhook"]) => Route::Hook(None),
        (&Method::POST, ["webhook", slug]) => Route::Hook(Some(slug)),
        (&Method::GET, ["livez"]) => Route::Live,
        (&Method::GET, ["readyz"]) => Route::Ready,
        (&Method::GET, [""]) => Route::Page(Page::Home),
        (&Method::GET, ["orders", id]) => Route::Page(Page::Order(id.parse().ok()?)),
        (&Method::POST, ["orders", id, "retry"]) => Route::Page(Page::Retry(id.parse().ok()?)),
        (&Method::GET, ["static", name]) if *name == page::style_name() => Route::Page(Page::Style),
        (&Method::GET, ["static", name]) if *name == page::script_name() => Route::Page(Page::Script),
        _ => return None,
    })
}

/// Answers one request.
pub(super) async fn answer(context: &Arc<Context>, request: Request<Incoming>, peer: IpAddr) -> Reply {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut reply = dispatch(context, request, peer).await;
    if let Some(origin) = &context.parts.playground {
        reply = reply::may_frame(reply, origin);
    }
    tracing::debug!(%method, path, status = reply.status().as_u16(), "Answered");
    reply
}

async fn dispatch(context: &Arc<Context>, request: Request<Incoming>, peer: IpAddr) -> Reply {
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(&path).split('/').collect();
    // A head is asked for like the page; the server leaves the body out.
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let lang =
        request.headers().get(ACCEPT_LANGUAGE).and_then(|wish| wish.to_str().ok()).map_or(Lang::En, Lang::accepted);
    let outcome = match find(method, &segments) {
        Some(Route::Hook(slug)) => return hook::receive(context, slug, request).await,
        Some(Route::Live) => return probe::live(),
        Some(Route::Ready) => return probe::ready(context).await,
        Some(Route::Page(page)) => signed_in(context, page, request, peer, lang).await,
        None => Err(nothing_here(context, &segments, &request, peer).await),
    };
    outcome.unwrap_or_else(|problem| reply::problem(problem, page::notice::render(context, problem.notice, lang)))
}

async fn nothing_here(context: &Context, segments: &[&str], request: &Request<Incoming>, peer: IpAddr) -> Problem {
    let allowed = [(Method::GET, "GET, HEAD"), (Method::POST, "POST")]
        .into_iter()
        .find_map(|(method, allow)| find(&method, segments).map(|route| (route, allow)));
    let (is_open, problem) = match allowed {
        Some((Route::Hook(_) | Route::Live | Route::Ready, allow)) => (true, wrong_method(allow)),
        Some((Route::Page(_), allow)) => (false, wrong_method(allow)),
        None => (false, Notice::NotFound.into()),
    };
    if is_open {
        return problem;
    }
    who(context, request.headers(), peer).await.err().unwrap_or(problem)
}

fn wrong_method(allow: &'static str) -> Problem {
    Problem { notice: Notice::WrongMethod, allow: Some(allow) }
}

async fn who(context: &Context, headers: &hyper::HeaderMap, peer: IpAddr) -> Result<Viewer, Problem> {
    let client = peer::address(peer, headers, &context.parts.config.http.trusted_proxies);
    context.guard.viewer(headers, client).await
}

async fn signed_in(
    context: &Arc<Context>,
    page: Page,
    request: Request<Incoming>,
    peer: IpAddr,
    lang: Lang,
) -> Result<Reply, Problem> {
    let viewer = who(context, request.headers(), peer).await?;
    let (head, incoming) = request.into_parts();
    match page {
        Page::Style => Ok(reply::style(page::STYLE)),
        Page::Script => Ok(reply::script(page::SCRIPT)),
        Page::Home => {
            let wish = page::home::Wish::parse(head.uri.query().unwrap_or_default())?;
            let context = Arc::clone(context);
            blocking(move || page::home::show(&context, &viewer, &wish, lang)).await
        }
        Page::Order(id) => {
            let context = Arc::clone(context);
            blocking(move || page::order::show(&context, &viewer, id, lang)).await
        }
        Page::Retry(id) => retry(context, viewer, id, &head, incoming).await,
    }
}

async fn retry(
    context: &Context,
    viewer: Viewer,
    id: i64,
    head: &request::Parts,
    incoming: Incoming,
) -> Result<Reply, Problem> {
    let form = body::read(context, &head.headers, incoming, FORM_BYTES).await?;
    let token = form_urlencoded::parse(&form.bytes).find(|(name, _)| name == "token").map(|(_, token)| token);
    let action = page::order::retry_address(id);
    let operator = context.guard.operator(viewer, &head.headers, &action, &token.unwrap_or_default())?;
    let desk = Arc::clone(&context.parts.desk);
    blocking(move || desk.retry(id, operator.user())).await?;
    Ok(reply::see(&page::order::address(id)))
}

//! Every address of the product in one table: its table of contents.
//!
//! Webhooks, probes and the stylesheet are open, and the figures to this machine itself; everything else, also what does not
//! exist, lies behind the sign-in. Tests walk the table: an address that is not in it does not exist, and one that is in it is attacked.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::ACCEPT_LANGUAGE;
use hyper::{Method, Request};
use tracing::Instrument as _;

use super::asked::{Asked, Form};
use super::auth::{Actor, Viewer};
use super::blocking::blocking;
use super::context::Context;
use super::peer::Peer;
use super::reply::{Problem, Reply};
use super::{api, body, hook, metrics, origin, page, probe, reply};
use crate::db::user::Role;
use crate::text::{Lang, Notice};

/// What people type, and what most scripts send.
const FORM_BYTES: usize = 1024 * 1024;
/// A mapping of a hundred thousand codes.
const FILE_BYTES: usize = 8 * FORM_BYTES;

/// One address and what it does.
pub struct Route {
    /// GET or POST; a HEAD is asked for like a GET.
    pub method: Method,
    /// Open places are in braces, and named for what must be there.
    pub path: &'static str,
    /// The smallest role that may; `None` is open to anyone.
    pub role: Option<Role>,
    /// The fields that it reads, in the query or in what is sent. A page gets no others, so none can be read that tests do
    /// not know of; the API refuses others by itself.
    pub reads: &'static [&'static str],
    /// The largest body that it takes, in bytes.
    pub takes: usize,
    run: Run,
}

/// What answers.
enum Run {
    Hook,
    Live,
    Ready,
    /// Open to whoever is on this machine; to others as `Show`.
    Metrics,
    Style,
    Script,
    /// Changes nothing.
    Show(fn(&Asked) -> Result<Reply, Problem>),
    /// Needs the proof that somebody pressed our button.
    Change(fn(&Asked, &Actor, &Form) -> Result<Reply, Problem>),
    /// For scripts; changes nothing.
    Read(fn(&Asked) -> Result<Reply, Problem>),
    /// For scripts; needs a token, and gets what was sent.
    Write(fn(&Asked, &Actor, &[u8]) -> Result<Reply, Problem>),
}

const fn open(method: Method, path: &'static str, run: Run) -> Route {
    Route { method, path, role: None, reads: &[], takes: FORM_BYTES, run }
}

const fn show(path: &'static str, role: Role, show: fn(&Asked) -> Result<Reply, Problem>) -> Route {
    Route { method: Method::GET, path, role: Some(role), reads: &[], takes: FORM_BYTES, run: Run::Show(show) }
}

const fn change(path: &'static str, role: Role, change: fn(&Asked, &Actor, &Form) -> Result<Reply, Problem>) -> Route {
    Route { method: Method::POST, path, role: Some(role), reads: &[], takes: FORM_BYTES, run: Run::Change(change) }
}

const fn read(path: &'static str, role: Role, read: fn(&Asked) -> Result<Reply, Problem>) -> Route {
    Route { method: Method::GET, path, role: Some(role), reads: &[], takes: FORM_BYTES, run: Run::Read(read) }
}

const fn write(path: &'static str, role: Role, write: fn(&Asked, &Actor, &[u8]) -> Result<Reply, Problem>) -> Route {
    Route { method: Method::POST, path, role: Some(role), reads: &[], takes: FORM_BYTES, run: Run::Write(write) }
}

/// All of them.
pub static ROUTES: &[Route] = &[
    open(Method::POST, "/webhook", Run::Hook),
    open(Method::POST, "/webhook/{slug}", Run::Hook),
    open(Method::GET, "/livez", Run::Live),
    open(Method::GET, "/readyz", Run::Ready),
    Route {
        method: Method::GET,
        path: "/metrics",
        role: Some(Role::Operator),
        reads: &[],
        takes: FORM_BYTES,
        run: Run::Metrics,
    },
    // Whoever is not let in reads a page, too.
    open(Method::GET, "/static/{style}", Run::Style),
    Route {
        method: Method::GET,
        path: "/static/{script}",
        role: Some(Role::Viewer),
        reads: &[],
        takes: FORM_BYTES,
        run: Run::Script,
    },
    show("/", Role::Viewer, page::home::show),
    show("/attention", Role::Viewer, page::attention::show).reading(&["merchant"]),
    show("/attention/again", Role::Operator, page::again::show).reading(&["merchant", "cause", "about"]),
    change("/attention/release", Role::Operator, page::attention::release).reading(&["merchant", "cause", "about"]),
    change("/attention/retry", Role::Operator, page::attention::retry).reading(&["merchant"]),
    show("/alerts", Role::Viewer, page::alerts::show).reading(&["before"]),
    change("/alerts/mails/{mail}/again", Role::Operator, page::alerts::resend),
    show("/log", Role::Viewer, page::log::show).reading(LOG),
    show("/log.csv", Role::Viewer, page::log::export::csv).reading(LOG),
    show("/log.json", Role::Viewer, page::log::export::json).reading(LOG),
    show("/statements", Role::Viewer, page::statements::show).reading(&["merchant", "before"]),
    show("/merchants/{merchant}/statements/{day}", Role::Viewer, page::statements::one),
    show("/merchants/{merchant}/statements/{day}/orders.csv", Role::Viewer, page::statements::csv),
    show("/orders/{order}", Role::Viewer, page::order::show),
    change("/orders/{order}/retry", Role::Operator, page::order::act::retry),
    change("/orders/{order}/note", Role::Operator, page::order::act::note).reading(&["note"]),
    change("/orders/{order}/dismiss", Role::Operator, page::order::act::dismiss).reading(&["note"]),
    change("/orders/{order}/import", Role::Operator, page::order::act::import).reading(&["note"]),
    change("/orders/{order}/documents/{document}/renew", Role::Operator, page::order::act::renew).reading(&["note"]),
    change("/orders/{order}/documents/{document}/leave", Role::Operator, page::order::act::leave).reading(&["note"]),
    change("/orders/{order}/documents/{document}/rewrite", Role::Operator, page::order::act::rewrite)
        .reading(&["note"]),
    show("/deliveries", Role::Viewer, page::deliveries::show).reading(&["merchant", "topic", "fate", "before"]),
    show("/deliveries/{delivery}/body", Role::Owner, page::delivery::body),
    change("/deliveries/{delivery}/replay", Role::Operator, page::delivery::replay),
    show("/privacy", Role::Owner, page::privacy::show),
    change("/privacy/{request}/data", Role::Owner, page::privacy::read),
    change("/privacy/{request}/answer", Role::Owner, page::privacy::answer),
    change("/privacy/{request}/redact", Role::Owner, page::privacy::redact),
    change("/privacy/shops/{merchant}/back", Role::Owner, page::privacy::back),
    show("/users", Role::Owner, page::users::show),
    change("/users", Role::Owner, page::users::add).reading(&["name", "role", "password"]),
    show("/users/{user}", Role::Owner, page::users::edit),
    change("/users/{user}/rights", Role::Owner, page::users::set_rights).reading(&["role", "scope", "merchant"]),
    change("/users/{user}/password", Role::Owner, page::users::set_password).reading(&["password", "tokens"]),
    change("/users/{user}/disable", Role::Owner, page::users::disable),
    change("/users/{user}/enable", Role::Owner, page::users::enable),
    change("/users/{user}/tokens/{token}/revoke", Role::Owner, page::users::revoke),
    show("/server", Role::Owner, page::server::show),
    show("/audit", Role::Owner, page::audit::show).reading(&["before"]),
    show("/merchants", Role::Viewer, page::merchant::list::show),
    show("/merchants/new", Role::Owner, page::merchant::shop::begin),
    change("/merchants/new", Role::Owner, page::merchant::shop::add)
        .reading(&["domain", "name", "slug", "zone", "secret"]),
    show("/merchants/{merchant}", Role::Viewer, page::merchant::overview::show),
    change("/merchants/{merchant}/pause", Role::Operator, page::merchant::overview::pause),
    change("/merchants/{merchant}/resume", Role::Operator, page::merchant::overview::resume),
    change("/merchants/{merchant}/close", Role::Owner, page::merchant::close::close).reading(&["confirm"]),
    change("/merchants/{merchant}/open", Role::Owner, page::merchant::close::open).reading(&["secret"]),
    show("/merchants/{merchant}/mapping", Role::Operator, page::mapping::show)
        .reading(&["code", "search", "rows", "changed", "orders"]),
    change("/merchants/{merchant}/mapping", Role::Operator, page::mapping::set).reading(&["code", "product"]),
    show("/merchants/{merchant}/mapping.csv", Role::Operator, page::mapping::file),
    change("/merchants/{merchant}/mapping.csv", Role::Operator, page::mapping::import)
        .reading(&["file"])
        .taking_a_file(),
    show("/merchants/{merchant}/coverage", Role::Operator, page::merchant::coverage::show),
    change("/merchants/{merchant}/coverage", Role::Operator, page::merchant::coverage::look),
    show("/merchants/{merchant}/coverage.csv", Role::Operator, page::merchant::coverage::csv),
    show("/merchants/{merchant}/shop", Role::Owner, page::merchant::shop::show),
    change("/merchants/{merchant}/shop", Role::Owner, page::merchant::shop::set)
        .reading(&["domain", "name", "slug", "zone"]),
    change("/merchants/{merchant}/secret", Role::Owner, page::merchant::shop::rotate).reading(&["secret"]),
    change("/merchants/{merchant}/forget", Role::Owner, page::merchant::shop::forget),
    show("/merchants/{merchant}/webhooks", Role::Owner, page::merchant::webhooks::show),
    show("/merchants/{merchant}/api", Role::Owner, page::merchant::api::show),
    change("/merchants/{merchant}/api", Role::Owner, page::merchant::api::connect).reading(&["client", "secret"]),
    change("/merchants/{merchant}/api/token", Role::Owner, page::merchant::api::connect_by_token)
        .reading(&["access", "secret"]),
    change("/merchants/{merchant}/api/off", Role::Owner, page::merchant::api::disconnect),
    change("/merchants/{merchant}/catch-up", Role::Owner, page::merchant::api::look).reading(&["since", "orders"]),
    show("/merchants/{merchant}/mails", Role::Operator, page::merchant::mails::show).reading(&["before"]),
    change("/merchants/{merchant}/mails/{mail}/again", Role::Operator, page::merchant::mails::resend),
    change("/merchants/{merchant}/recipients", Role::Owner, page::merchant::mails::add)
        .reading(&["address", "language", "kind"]),
    change("/merchants/{merchant}/recipients/{recipient}", Role::Owner, page::merchant::mails::set)
        .reading(&["language", "kind"]),
    change("/merchants/{merchant}/recipients/{recipient}/remove", Role::Owner, page::merchant::mails::remove),
    show("/merchants/{merchant}/words/{kind}/{language}", Role::Owner, page::merchant::words::show),
    show("/merchants/{merchant}/words/{kind}/{language}/preview", Role::Owner, page::merchant::words::preview),
    change("/merchants/{merchant}/words/{kind}/{language}", Role::Owner, page::merchant::words::set)
        .reading(&["subject", "greeting", "closing"]),
    change("/merchants/{merchant}/words/{kind}/{language}/reset", Role::Owner, page::merchant::words::reset),
    change("/merchants/{merchant}/words/{kind}/{language}/trial", Role::Owner, page::merchant::words::trial)
        .reading(&["recipient"]),
    show("/merchants/{merchant}/daftra", Role::Owner, page::merchant::daftra::show).reading(&["client"]),
    change("/merchants/{merchant}/daftra", Role::Owner, page::merchant::daftra::connect).reading(&["address", "key"]),
    change("/merchants/{merchant}/places", Role::Owner, page::merchant::daftra::place)
        .reading(&["store", "client", "branch"]),
    show("/merchants/{merchant}/vendors", Role::Owner, page::merchant::vendors::show),
    change("/merchants/{merchant}/vendors", Role::Owner, page::merchant::vendors::set)
        .reading(&["whose", "vendor", "more", "but"]),
    show("/merchants/{merchant}/codes", Role::Owner, page::merchant::codes::show),
    change("/merchants/{merchant}/codes", Role::Owner, page::merchant::codes::set)
        .reading(&["strip", "add", "end", "ends", "barcode"]),
    show("/merchants/{merchant}/taxes", Role::Owner, page::merchant::taxes::show),
    change("/merchants/{merchant}/taxes", Role::Owner, page::merchant::taxes::set)
        .reading(&["title", "rate", "included", "daftra"]),
    show("/merchants/{merchant}/policies", Role::Owner, page::merchant::policies::show),
    change("/merchants/{merchant}/policies", Role::Owner, page::merchant::policies::set).reading(POLICIES),
    show("/merchants/{merchant}/payments", Role::Owner, page::merchant::payments::show),
    change("/merchants/{merchant}/payments", Role::Owner, page::merchant::payments::set)
        .reading(&["record", "gateway", "method", "treasury", "refunds"]),
    show("/merchants/{merchant}/live", Role::Owner, page::merchant::live::show),
    change("/merchants/{merchant}/live", Role::Owner, page::merchant::live::set).reading(&["from", "mode"]),
    change("/merchants/{merchant}/cut-over", Role::Owner, page::merchant::cut_over::look),
    change("/merchants/{merchant}/cut-over/{invoice}/adopt", Role::Owner, page::merchant::cut_over::adopt),
    change("/merchants/{merchant}/cut-over/{invoice}/dismiss", Role::Owner, page::merchant::cut_over::dismiss),
    show("/me", Role::Viewer, page::me::show),
    change("/me/language", Role::Viewer, page::me::set_language).reading(&["language"]),
    change("/me/password", Role::Viewer, page::me::set_password).reading(&["current", "new", "again", "tokens"]),
    change("/me/tokens", Role::Viewer, page::tokens::add).reading(&["name", "role", "merchant", "days"]),
    change("/me/tokens/{token}/revoke", Role::Viewer, page::tokens::revoke),
    read("/api/v1/openapi.json", Role::Viewer, api::description),
    read("/api/v1/merchants", Role::Viewer, api::merchants::list),
    read("/api/v1/merchants/{merchant}", Role::Owner, api::merchants::show),
    write("/api/v1/merchants/{merchant}/pause", Role::Operator, api::merchants::pause),
    write("/api/v1/merchants/{merchant}/resume", Role::Operator, api::merchants::resume),
    read("/api/v1/merchants/{merchant}/mapping", Role::Operator, api::mapping::list).reading(&["after", "limit"]),
    write("/api/v1/merchants/{merchant}/mapping", Role::Operator, api::mapping::set).reading(&[
        "items",
        "code",
        "product_id",
        "note",
    ]),
    read("/api/v1/orders", Role::Viewer, api::orders::list).reading(&["merchant", "state", "q", "before", "limit"]),
    read("/api/v1/orders/{order}", Role::Viewer, api::orders::show),
    write("/api/v1/orders/{order}/retry", Role::Operator, api::orders::retry),
    read("/api/v1/log", Role::Viewer, api::log::list)
        .reading(&["merchant", "order", "status", "from", "to", "q", "before", "limit"]),
    read("/api/v1/holds", Role::Viewer, api::holds::list).reading(&["merchant"]),
];

/// The filters of the log.
const LOG: &[&str] = &["merchant", "status", "from", "to", "q", "before", "after"];
/// What is decided about orders in general.
const POLICIES: &[&str] = &[
    "shipping",
    "custom",
    "gift_card",
    "tip",
    "duty",
    "goodwill",
    "trigger",
    "price",
    "locked",
    "exchange",
    "gateway",
    "moment",
    "draft",
    "test_orders",
    "sources",
    "tags",
    "tolerance",
];

impl Route {
    /// The same, with fields that it reads.
    const fn reading(mut self, fields: &'static [&'static str]) -> Self {
        self.reads = fields;
        self
    }

    /// The same, for a file.
    const fn taking_a_file(mut self) -> Self {
        self.takes = FILE_BYTES;
        self
    }

    /// What is left of a query: what nobody reads does not reach anybody.
    fn read_of(&self, query: &str) -> String {
        match self.run {
            // Told about each field that it does not know.
            Run::Read(_) | Run::Write(_) => query.to_owned(),
            Run::Hook
            | Run::Live
            | Run::Ready
            | Run::Metrics
            | Run::Style
            | Run::Script
            | Run::Show(_)
            | Run::Change(_) => {
                let is_read = |name: &str| name == page::SAID || self.reads.contains(&name);
                let kept = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| is_read(name));
                form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish()
            }
        }
    }

    /// What stands in the open places, if the rest of the path fits.
    fn captures<'a>(&self, path: &[&'a str]) -> Option<Vec<&'a str>> {
        let pattern: Vec<&str> = self.path[1..].split('/').collect();
        if pattern.len() != path.len() {
            return None;
        }
        let mut captured = Vec::new();
        for (wanted, given) in pattern.into_iter().zip(path.iter().copied()) {
            let fits = match wanted {
                "{style}" => given == page::style_name(),
                "{script}" => given == page::script_name(),
                // Our own ids, and Daftra's.
                "{order}" | "{document}" | "{delivery}" | "{user}" | "{token}" | "{request}" | "{mail}"
                | "{recipient}" | "{invoice}" => given.parse::<i64>().is_ok(),
                _ if wanted.starts_with('{') => !given.is_empty(),
                _ => wanted == given,
            };
            if !fits {
                return None;
            }
            if wanted.starts_with('{') {
                captured.push(given);
            }
        }
        Some(captured)
    }
}

fn find<'a>(method: &Method, path: &[&'a str]) -> Option<(&'static Route, Vec<&'a str>)> {
    ROUTES.iter().filter(|route| route.method == method).find_map(|route| Some((route, route.captures(path)?)))
}

/// Whether a page is at this path, for somebody at least.
pub(super) fn is_page(path: &str) -> bool {
    page_at(&segments(path)).is_some()
}

/// The nearest page above this path that whoever asks may see; where what the path names is not there, one that names
/// nothing.
pub(super) fn page_above(path: &str, viewer: Option<&Viewer>, is_gone: bool) -> String {
    let segments = segments(path);
    let may = |route: &Route| viewer.is_some_and(|viewer| route.role.is_none_or(|role| viewer.is(role)));
    (1..segments.len())
        .rev()
        .map(|length| &segments[..length])
        .find(|above| page_at(above).is_some_and(|(route, names)| may(route) && (names.is_empty() || !is_gone)))
        .map_or_else(|| "/".to_owned(), |above| format!("/{}", above.join("/")))
}

fn page_at<'a>(path: &[&'a str]) -> Option<(&'static Route, Vec<&'a str>)> {
    find(&Method::GET, path).filter(|(route, _)| matches!(route.run, Run::Show(_)))
}

fn segments(path: &str) -> Vec<&str> {
    path.strip_prefix('/').unwrap_or(path).split('/').collect()
}

/// Answers one request.
pub(super) async fn answer(context: &Arc<Context>, request: Request<Incoming>, peer: IpAddr, is_tls: bool) -> Reply {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let peer = Peer::of(peer, is_tls, request.headers(), &context.parts.config.http);
    let id = context.requests.next();
    let span = id.span();
    let mut reply = dispatch(context, request, peer).instrument(span.clone()).await;
    id.stamp(&mut reply);
    if peer.is_https {
        reply = reply::over_https(reply);
    }
    if let Some(origin) = &context.parts.playground {
        reply = reply::may_frame(reply, origin);
    }
    span.in_scope(|| tracing::debug!(%method, path, status = reply.status().as_u16(), "Answered"));
    reply
}

async fn dispatch(context: &Arc<Context>, request: Request<Incoming>, peer: Peer) -> Reply {
    let path = request.uri().path().to_owned();
    let segments = segments(&path);
    // A head is asked for like the page; the server leaves the body out.
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let wished =
        request.headers().get(ACCEPT_LANGUAGE).and_then(|wish| wish.to_str().ok()).map_or(Lang::En, Lang::accepted);
    let is_api = api::is_below(&path);
    let sorry = |problem: &Problem, viewer: Option<&Viewer>, lang: Lang| {
        if is_api {
            return api::problem::told(problem);
        }
        reply::problem(problem, page::notice::render(context, viewer, problem, &path, lang))
    };
    let Some((route, captured)) = find(method, &segments) else {
        let (problem, viewer) = nothing_here(context, &segments, &request, peer).await;
        let lang = viewer.as_ref().map_or(wished, |viewer| language(viewer, wished));
        return sorry(&problem, viewer.as_ref(), lang);
    };
    match &route.run {
        Run::Hook => hook::receive(context, captured.first().copied(), request).await,
        Run::Live => probe::live(),
        Run::Ready => probe::ready(context).await,
        Run::Style => reply::style(page::STYLE),
        Run::Metrics if peer.is_local => {
            let asked = Arc::clone(context);
            let told = blocking(move || metrics::here(&asked.parts)).await;
            told.unwrap_or_else(|problem| sorry(&problem, None, wished))
        }
        Run::Metrics | Run::Script | Run::Show(_) | Run::Change(_) | Run::Read(_) | Run::Write(_) => {
            let viewer = match who(context, &path, request.headers(), peer).await {
                Ok(viewer) => viewer,
                Err(problem) => return sorry(&problem, None, wished),
            };
            let lang = language(&viewer, wished);
            let captured = captured.into_iter().map(str::to_owned).collect();
            let outcome = signed_in(context, route, viewer.clone(), captured, request, peer, lang).await;
            outcome.unwrap_or_else(|problem| sorry(&problem, Some(&viewer), lang))
        }
    }
}

/// Of the account, else of the browser.
fn language(viewer: &Viewer, wished: Lang) -> Lang {
    viewer.user().language.as_deref().and_then(Lang::of_tag).unwrap_or(wished)
}

/// What is not there is told to those who sign in only, but for what is open to anyone.
async fn nothing_here(
    context: &Context,
    segments: &[&str],
    request: &Request<Incoming>,
    peer: Peer,
) -> (Problem, Option<Viewer>) {
    let allowed = [(Method::GET, "GET, HEAD"), (Method::POST, "POST")]
        .into_iter()
        .find_map(|(method, allow)| find(&method, segments).map(|(route, _)| (route, allow)));
    let problem = match allowed {
        Some((_, allow)) => Problem { allow: Some(allow), ..Notice::WrongMethod.into() },
        None => Notice::NotFound.into(),
    };
    if allowed.is_some_and(|(route, _)| route.role.is_none()) {
        return (problem, None);
    }
    match who(context, request.uri().path(), request.headers(), peer).await {
        Ok(viewer) => (problem, Some(viewer)),
        Err(refused) => (refused, None),
    }
}

/// Tokens count for the API only: a page in a browser has somebody before it.
async fn who(context: &Context, path: &str, headers: &hyper::HeaderMap, peer: Peer) -> Result<Viewer, Problem> {
    if api::is_below(path) {
        return context.guard.caller(headers, peer.address).await;
    }
    context.guard.viewer(headers, peer.address).await
}

async fn signed_in(
    context: &Arc<Context>,
    route: &'static Route,
    viewer: Viewer,
    captured: Vec<String>,
    request: Request<Incoming>,
    peer: Peer,
    lang: Lang,
) -> Result<Reply, Problem> {
    let role = route.role.unwrap_or(Role::Owner);
    let (head, incoming) = request.into_parts();
    let asked = Asked {
        context: Arc::clone(context),
        client: peer.address,
        origin: origin::of(&head.headers, peer.is_https),
        viewer,
        lang,
        path: head.uri.path().to_owned(),
        query: route.read_of(head.uri.query().unwrap_or_default()),
        captured,
    };
    match route.run {
        Run::Script => Ok(reply::script(page::SCRIPT)),
        Run::Metrics => shown(asked, role, metrics::show).await,
        Run::Show(show) | Run::Read(show) => shown(asked, role, show).await,
        Run::Change(change) => {
            // Whoever may not press this button is not listened to, and what comes without its token is not read.
            let presser = context.guard.presser(&asked.viewer, role, &head.headers)?;
            let body::Body { bytes, held } = body::read(context, &head, incoming, route.takes).await?;
            let answer = blocking(move || {
                let token = Form::token(&head.headers, &bytes);
                let actor = asked.context.guard.actor(presser, &asked.path, &token)?;
                let form = Form::read(&head.headers, &bytes, route.reads)?;
                drop(bytes);
                change(&asked, &actor, &form)
            })
            .await;
            drop(held); // what was typed is in memory until now
            answer
        }
        Run::Write(write) => {
            let actor = context.guard.script(&asked.viewer, role)?;
            let body::Body { bytes, held } = body::read(context, &head, incoming, route.takes).await?;
            if !bytes.is_empty() && !api::is_json(&head.headers) {
                return Err(Notice::Unsupported.into());
            }
            let answer = blocking(move || write(&asked, &actor, &bytes)).await;
            drop(held);
            answer
        }
        Run::Hook | Run::Live | Run::Ready | Run::Style => Err(Notice::NotFound.into()),
    }
}

async fn shown(asked: Asked, role: Role, show: fn(&Asked) -> Result<Reply, Problem>) -> Result<Reply, Problem> {
    if !asked.viewer.is(role) {
        return Err(Notice::Forbidden.into());
    }
    blocking(move || show(&asked)).await
}

//! The two sites beside Qantara, on one port of this machine: pages to look at, and forms that a page of ours must have
//! sent. A page elsewhere must not be able to press "kill", nor a name that was made to point here.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::Builder;

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use maud::Markup;

use super::life::{Act, Playground};
use super::page;
use super::trouble::Trouble;
use crate::cli::demo::scenario::From;
use crate::sandbox::shop::cart::{LineId, OrderId};

/// Forms here are a few numbers.
const FORM_BYTES: usize = 16 * 1024;

type Reply = Response<Full<Bytes>>;

/// What everybody who asks needs.
struct Site {
    playground: Arc<Playground>,
    /// The one name these sites go by.
    authority: String,
    policy: HeaderValue,
    /// For the one page that Qantara's pages show inside theirs.
    policy_of_line: HeaderValue,
}

/// Serves until the process ends.
pub(super) fn start(playground: Arc<Playground>, listener: TcpListener) -> anyhow::Result<()> {
    let address: SocketAddr = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let policy = |frames: &str| {
        HeaderValue::from_str(&format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; \
             base-uri 'none'; frame-ancestors {frames}"
        ))
    };
    let (policy, policy_of_line) = (policy("'none'")?, policy(&playground.origin)?);
    let site = Arc::new(Site { playground, authority: address.to_string(), policy, policy_of_line });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let serving = async move {
        loop {
            // A failed accept concerns a browser that is gone already.
            let Ok((stream, _)) = listener.accept().await else { continue };
            let site = Arc::clone(&site);
            let service = service_fn(move |request| {
                let site = Arc::clone(&site);
                async move { Ok::<_, std::convert::Infallible>(site.answer(request).await) }
            });
            let connection =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
            // A browser that hangs up has seen enough.
            tokio::spawn(async move { drop(connection.await) });
        }
    };
    Builder::new().name("sites".to_owned()).spawn(move || runtime.block_on(serving))?;
    Ok(())
}

impl Site {
    async fn answer(self: &Arc<Self>, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
        let is_ours = head.headers.get(header::HOST).is_some_and(|host| host.as_bytes() == self.authority.as_bytes());
        if !is_ours {
            let text = format!("This site goes by another name: http://{}/shop", self.authority);
            return self.sentence(StatusCode::MISDIRECTED_REQUEST, &text);
        }
        let Ok(body) = Limited::new(body, FORM_BYTES).collect().await else {
            return self.sentence(StatusCode::PAYLOAD_TOO_LARGE, "That form is too large");
        };
        let (site, bytes) = (Arc::clone(self), body.to_bytes());
        // A page waits for locks and for SQLite; the thread that serves sockets does not.
        let made = tokio::task::spawn_blocking(move || match head.method {
            Method::GET | Method::HEAD => site.show(head.uri.path()),
            Method::POST if !site.is_same_origin(&head.headers) => {
                site.sentence(StatusCode::FORBIDDEN, "This form was sent from another site, so nothing was done")
            }
            Method::POST => site.press(head.uri.path(), &bytes),
            _ => site.sentence(StatusCode::METHOD_NOT_ALLOWED, "This address does not do that"),
        });
        made.await.unwrap_or_else(|_| self.sentence(StatusCode::INTERNAL_SERVER_ERROR, "The playground has a fault"))
    }

    fn show(&self, path: &str) -> Reply {
        match path {
            "/" => self.see("/shop"),
            "/shop" => self.page(page::shop::show(&self.playground)),
            "/daftra" => self.page(page::daftra::show(&self.playground)),
            "/line" => {
                let mut reply = self.page(page::line(&self.playground));
                reply.headers_mut().insert(header::CONTENT_SECURITY_POLICY, self.policy_of_line.clone());
                reply
            }
            "/style.css" => self.file("text/css; charset=utf-8", page::STYLE),
            "/live.js" => self.file("text/javascript; charset=utf-8", page::SCRIPT),
            _ => self.sentence(StatusCode::NOT_FOUND, "There is nothing here"),
        }
    }

    /// Does what a button says. What cannot be done is said on the page, beside everything else that happened.
    fn press(&self, path: &str, form: &[u8]) -> Reply {
        let Some(done) = press(&self.playground, path, form) else {
            return self.sentence(StatusCode::NOT_FOUND, "There is no such button");
        };
        if let Err(error) = done {
            self.playground.say(error.to_string());
        }
        self.see("/shop")
    }

    /// Browsers say where a form was sent from; one that says nothing is not believed.
    fn is_same_origin(&self, headers: &HeaderMap) -> bool {
        match headers.get("sec-fetch-site") {
            Some(site) => site == "same-origin",
            None => headers
                .get(header::ORIGIN)
                .and_then(|origin| origin.to_str().ok())
                .is_some_and(|origin| origin == format!("http://{}", self.authority)),
        }
    }

    fn page(&self, made: anyhow::Result<Markup>) -> Reply {
        match made {
            Ok(page) => self.make(StatusCode::OK, "text/html; charset=utf-8", page.into_string().into()),
            Err(error) => self.sentence(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        }
    }

    fn file(&self, kind: &'static str, text: &'static str) -> Reply {
        self.make(StatusCode::OK, kind, Bytes::from_static(text.as_bytes()))
    }

    fn sentence(&self, status: StatusCode, text: &str) -> Reply {
        self.make(status, "text/plain; charset=utf-8", format!("{text}\n").into())
    }

    fn see(&self, address: &'static str) -> Reply {
        let mut reply = self.make(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", Bytes::new());
        reply.headers_mut().insert(header::LOCATION, HeaderValue::from_static(address));
        reply
    }

    fn make(&self, status: StatusCode, kind: &'static str, body: Bytes) -> Reply {
        let mut reply = Response::new(Full::new(body));
        *reply.status_mut() = status;
        let headers: [(HeaderName, HeaderValue); 5] = [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CONTENT_SECURITY_POLICY, self.policy.clone()),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        reply.headers_mut().extend(headers);
        reply
    }
}

/// `None` when there is no such button.
fn press(playground: &Playground, path: &str, form: &[u8]) -> Option<anyhow::Result<()>> {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    Some(match segments.as_slice() {
        ["shop", "stream"] => {
            playground.stream();
            Ok(())
        }
        ["shop", "break", word] => playground.trouble(Trouble::parse(word)?),
        ["shop", "buy", shop] => buy(playground, page::shop::from(shop)?, form),
        ["shop", "orders", id, act] => playground.act(OrderId(id.parse().ok()?), self::act(act, form)?),
        _ => return None,
    })
}

/// One thing by its own button, or everything that was counted.
fn buy(playground: &Playground, from: From, form: &[u8]) -> anyhow::Result<()> {
    let fields: Vec<(String, String)> = form_urlencoded::parse(form).into_owned().collect();
    if let Some((_, sku)) = fields.iter().find(|(name, _)| name == "one") {
        return playground.buy(from, &[(sku, 1)]);
    }
    let counted = fields.iter().filter(|(_, units)| !units.is_empty()).map(|(sku, units)| {
        Ok((sku.as_str(), units.parse().with_context(|| format!("{units} is not a number of things"))?))
    });
    playground.buy(from, &counted.collect::<anyhow::Result<Vec<_>>>()?)
}

fn act(word: &str, form: &[u8]) -> Option<Act> {
    let line = form_urlencoded::parse(form).find(|(name, _)| name == "line").and_then(|(_, line)| line.parse().ok());
    Some(match (word, line.map(LineId)) {
        ("more", Some(line)) => Act::More(line),
        ("fewer", Some(line)) => Act::Fewer(line),
        ("give-back", Some(line)) => Act::GiveBack(line),
        ("add", _) => Act::Add,
        ("cancel", _) => Act::Cancel,
        _ => return None,
    })
}

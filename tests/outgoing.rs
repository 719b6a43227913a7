//! The way out, against real sockets that misbehave in every way we have a word for. Each failure is also checked for
//! what it must not say.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

use qantara::{
    config::keys,
    outgoing::{Answer, CaFileError, Call, Failure, Limits, Method, Outgoing},
    sys,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use secrecy::SecretString;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport};

const SECRET: &str = "key-hunter2-0123456789";
const QUERY: &str = "token=swordfish";
const LIMITS: Limits =
    Limits { call_timeout: Duration::from_secs(20), connect_timeout: Duration::from_secs(10), max_answer_bytes: 1_000 };
const HASTY: Limits =
    Limits { call_timeout: Duration::from_millis(300), connect_timeout: Duration::from_millis(200), ..LIMITS };

#[test]
fn a_call_arrives_and_its_answer_comes_back_whole() {
    let (address, seen) = server(|listener| {
        let (mut stream, _) = listener.accept().unwrap();
        let request = read_request(&mut stream);
        stream
            .write_all(b"HTTP/1.1 429 Slow Down\r\nRetry-After: 7\r\nX-A: 1\r\nContent-Length: 5\r\n\r\nhello")
            .unwrap();
        request
    });
    let url = format!("http://{address}/api2/invoices/1.json?{QUERY}");
    let call = Call {
        method: Method::Put,
        headers: &[("Content-Type", "application/json")],
        body: Some(b"{\"a\":1}"),
        ..get(&url)
    };
    let answer = local().exchange(&call, &LIMITS).unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (429, b"hello".as_slice()));
    assert_eq!(
        (answer.header("retry-after"), answer.header("x-a"), answer.header("x-b")),
        (Some("7"), Some("1"), None)
    );

    let request = seen.join().unwrap();
    assert!(request.starts_with(&format!("PUT /api2/invoices/1.json?{QUERY} HTTP/1.1\r\n")), "{request}");
    let lines = request.to_lowercase();
    for line in [
        "content-type: application/json",
        "content-length: 7",
        &format!("user-agent: qantara/{}", env!("CARGO_PKG_VERSION")),
        &format!("apikey: {SECRET}"),
    ] {
        assert!(lines.lines().any(|sent| sent == line), "{line} is missing in {request}");
    }
    assert!(request.ends_with("\r\n\r\n{\"a\":1}"), "{request}");
}

#[test]
fn each_call_has_its_own_connection() {
    let (address, served) = server(|listener| {
        // Both stay open, so a client that kept the first would have used it.
        [(); 2].map(|()| {
            let (mut stream, _) = listener.accept().unwrap();
            read_request(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n").unwrap();
            stream
        })
    });
    let outgoing = local();
    for _ in 0..2 {
        assert_eq!(outgoing.exchange(&get(&format!("http://{address}/")), &LIMITS).unwrap().status, 200);
    }
    served.join().unwrap();
}

#[test]
fn nobody_listens() {
    let (address, _held) = dead_end();
    assert_unsent(&format!("http://{address}/"), &LIMITS, "refused");
}

#[test]
fn a_name_that_does_not_resolve() {
    sys::pin_name_resolution();
    // Longer than a label may be: no name server is asked.
    let host = "a".repeat(64);
    let text = failed(&local(), &get(&format!("https://{host}/?{QUERY}")), &LIMITS, is_unsent);
    assert!(text.starts_with(&format!("{host}:443: ")), "{text}");
}

#[test]
fn a_connection_that_closes_without_a_word() {
    assert_unknown(b"", &LIMITS, "");
}

#[test]
fn half_an_answer() {
    assert_unknown(b"HTTP/1.1 200 OK\r\nContent-Le", &LIMITS, "");
    assert_unknown(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", &LIMITS, "");
    assert_unknown(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", &LIMITS, "");
    assert_unknown(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", &LIMITS, "not valid HTTP");
}

#[test]
fn an_answer_that_never_comes_or_never_ends() {
    for begun in [b"".as_slice(), b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"] {
        let (address, waiting) = server(move |listener| {
            let (mut stream, _) = listener.accept().unwrap();
            read_request(&mut stream);
            stream.write_all(begun).unwrap();
            until_closed(stream);
        });
        let text = failed(&local(), &get(&format!("http://{address}/?{QUERY}")), &HASTY, is_unknown);
        assert!(text.contains("time"), "{text}");
        waiting.join().unwrap();
    }
}

#[test]
fn an_answer_longer_than_the_limit() {
    let answer = |length: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length));
    assert_unknown(answer(LIMITS.max_answer_bytes + 1).as_bytes(), &LIMITS, "longer than what is read");
    let (address, served) = server_of(answer(LIMITS.max_answer_bytes).into_bytes());
    let exact = local().exchange(&get(&format!("http://{address}/")), &LIMITS).unwrap();
    assert_eq!(exact.body.len(), LIMITS.max_answer_bytes);
    served.join().unwrap();
}

#[test]
fn a_redirect_is_an_answer_and_the_key_stays_here() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = elsewhere.local_addr().unwrap();
    for status in [301, 302, 303, 307, 308] {
        let redirect = format!("HTTP/1.1 {status} Moved\r\nLocation: http://{target}/\r\nContent-Length: 0\r\n\r\n");
        let (address, served) = server_of(redirect.into_bytes());
        let url = format!("http://{address}/");
        let call = Call { method: Method::Post, body: Some(b"{}"), ..get(&url) };
        let answer = local().exchange(&call, &LIMITS).unwrap();
        assert_eq!((answer.status, answer.header("location")), (status, Some(&*format!("http://{target}/"))));
        served.join().unwrap();
    }
    elsewhere.set_nonblocking(true).unwrap();
    assert_eq!(elsewhere.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "somebody followed");
}

#[test]
fn a_handshake_that_fails_has_sent_nothing() {
    let hello_only = |listener: TcpListener, answer: &[u8]| {
        let (mut stream, _) = listener.accept().unwrap();
        let hello = stream.read(&mut [0; 4096]).unwrap();
        stream.write_all(answer).unwrap();
        hello
    };
    for answer in [b"".as_slice(), b"HTTP/1.1 400 Bad Request\r\n\r\n"] {
        let (address, served) = server(move |listener| hello_only(listener, answer));
        assert_unsent(&format!("https://{address}/"), &LIMITS, "");
        served.join().unwrap();
    }
    let (address, waiting) = server(|listener| until_closed(listener.accept().unwrap().0));
    assert_unsent(&format!("https://{address}/"), &HASTY, "time");
    waiting.join().unwrap();
}

#[test]
fn a_private_authority_is_trusted_when_named() {
    let trusting = keys::Outgoing { extra_ca_file: Some(fixture("authority.pem")), ..loopback() };
    let (address, served) = tls_server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let answer = Outgoing::new(&trusting).unwrap().exchange(&get(&format!("https://{address}/")), &LIMITS).unwrap();
    assert_eq!((answer.status, answer.body), (200, b"ok".to_vec()));
    assert!(served.join().unwrap().unwrap().contains(SECRET));

    let (address, served) = tls_server(b"");
    assert_unsent(&format!("https://{address}/"), &LIMITS, "an authority that is not known here");
    assert!(served.join().unwrap().is_err(), "the request was sent to a stranger");

    let (address, served) = tls_server(b"");
    let elsewhere = format!("https://[::ffff:127.0.0.1]:{}/", address.port());
    let failure = Outgoing::new(&trusting).unwrap().exchange(&get(&elsewhere), &LIMITS).err().unwrap();
    assert!(matches!(failure, Failure::Unsent(_)) && failure.to_string().contains("for another name"), "{failure}");
    assert!(served.join().unwrap().is_err(), "the request was sent to a stranger");
}

#[test]
fn a_bad_file_of_authorities_is_told_at_the_start() {
    let start = |file: PathBuf| Outgoing::new(&keys::Outgoing { extra_ca_file: Some(file), ..loopback() }).unwrap_err();
    assert!(matches!(start("/nowhere/ca.pem".into()), CaFileError::Unreadable { .. }));
    assert!(matches!(start(fixture("server.key.pem")), CaFileError::Empty { .. }));
}

#[test]
fn an_address_that_leads_inward_is_refused_before_anything_is_opened() {
    let (network, outgoing) = recording(&keys::Outgoing::default());
    for host in [
        "127.0.0.1",
        "127.9.9.9",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[::127.0.0.1]",
        "[fc00::1]",
        "[fd12:3456::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[3fff:fff::1]",
        "[2001::1]",
        "[2001:2::1]",
        "[100::1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::808:808]",
        "[2002:7f00:1::]",
        "[2002:c0a8:1::]",
    ] {
        let text = failed(&outgoing, &get(&format!("https://{host}/?{QUERY}")), &LIMITS, is_unsent);
        assert!(text.contains("is not a public address, and [outgoing] allow does not name it"), "{host}: {text}");
    }
    assert!(network.opened().is_empty(), "{:?}", network.opened());
}

#[test]
fn a_public_address_is_called() {
    let (network, outgoing) = recording(&keys::Outgoing::default());
    let public = [
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "223.255.255.255",
        "[2606:4700::1111]",
        "[2001:200::1]",
        "[64:ff9b::808:808]",
        "[2002:808:808::1]",
        "[::ffff:8.8.8.8]",
    ];
    for host in public {
        failed(&outgoing, &get(&format!("https://{host}/?{QUERY}")), &LIMITS, is_unsent);
    }
    let expected: Vec<IpAddr> = public.iter().map(|host| host.trim_matches(['[', ']']).parse().unwrap()).collect();
    assert_eq!(network.opened().iter().map(SocketAddr::ip).collect::<Vec<_>>(), expected);
    assert!(network.opened().iter().all(|address| address.port() == 443));
}

#[test]
fn exceptions_open_what_they_name_and_nothing_else() {
    let reaches = |allow: &str, url: &str| {
        let allow = vec![allow.parse().unwrap()];
        let (network, outgoing) = recording(&keys::Outgoing { allow, extra_ca_file: None });
        failed(&outgoing, &get(&format!("{url}/?{QUERY}")), &LIMITS, is_unsent);
        !network.opened().is_empty()
    };
    assert!(reaches("10.0.0.0/8", "https://10.1.2.3"));
    assert!(reaches("10.0.0.0/8", "http://10.1.2.3:8080"));
    assert!(reaches("127.0.0.0/8", "https://[::ffff:127.0.0.1]"));
    assert!(reaches("127.0.0.1", "http://2130706433"));
    assert!(reaches("[::1]:8080", "http://[::1]:8080"));
    assert!(reaches("127.0.0.1:80", "http://127.0.0.1"));
    assert!(reaches("8.8.8.8:8080", "http://8.8.8.8:8080"));
    assert!(!reaches("8.8.8.8:8080", "http://8.8.8.8"), "another port");
    assert!(!reaches("127.0.0.1:80", "http://2130706433"), "the same address by another name");
    assert!(!reaches("10.0.0.0/8", "https://11.0.0.1.0x0"), "no address at all");
    assert!(!reaches("10.0.0.0/8", "https://192.168.0.1"));
    assert!(!reaches("10.0.0.0/8", "http://8.8.8.8"), "public, but nothing would encrypt it");
}

#[test]
fn a_call_that_cannot_be_built_is_unsent() {
    for (url, expected) in [
        (format!("ftp://127.0.0.1/?{QUERY}"), "must begin with https://"),
        (format!("/invoices?{QUERY}"), "must begin with https://"),
        (format!("https://user:{SECRET}@127.0.0.1/?{QUERY}"), "user or password"),
        (format!("https://exa mple/?{QUERY}"), "not a valid URL"),
    ] {
        let text = failed(&local(), &get(&url), &LIMITS, is_unsent);
        assert!(text.contains(expected), "{url}: {text}");
    }
    let secret = SecretString::from(format!("{SECRET}\r\nX-Injected: 1"));
    let call = Call { secret_header: Some(("APIKEY", &secret)), ..get("https://127.0.0.1/") };
    let text = failed(&local(), &call, &LIMITS, is_unsent);
    assert!(text.contains("characters that cannot be sent"), "{text}");
}

#[test]
fn proxy_variables_are_ignored() {
    let (address, served) = server_of(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec());
    let (nobody, _held) = dead_end();
    let mut child = Command::new(std::env::current_exe().unwrap());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, format!("http://{nobody}"));
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy").env("QANTARA_TEST_URL", format!("http://{address}/"));
    let output = child.args(["--exact", "call_from_a_process_with_proxies", "--ignored"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    served.join().unwrap();
}

#[test]
#[ignore = "the child of proxy_variables_are_ignored"]
#[expect(clippy::disallowed_methods, reason = "what it is told by its parent")]
fn call_from_a_process_with_proxies() {
    let url = std::env::var("QANTARA_TEST_URL").unwrap();
    assert_eq!(local().exchange(&get(&url), &LIMITS).unwrap().status, 200);
}

#[test]
fn the_same_client_runs_on_a_simulated_network() {
    let network = Simulated(|request: &[u8]| match request.starts_with(b"GET /lost") {
        true => Err(ureq::Error::Timeout(ureq::Timeout::RecvResponse)),
        false => Ok(format!("HTTP/1.1 200 OK\r\nContent-Length: {0}\r\n\r\n{1}", request.len(), text(request))),
    });
    let outgoing = Outgoing::with_connector(&loopback(), network).unwrap();
    let answer: Answer = outgoing.exchange(&get("http://127.0.0.1:1/path"), &LIMITS).unwrap();
    assert!(text(&answer.body).starts_with("GET /path HTTP/1.1\r\n"));
    let lost = failed(&outgoing, &get(&format!("http://127.0.0.1:1/lost?{QUERY}")), &LIMITS, is_unknown);
    assert_eq!(lost, "127.0.0.1:1: no answer in time");
}

// The world of these tests

fn get(url: &str) -> Call<'_> {
    static KEY: std::sync::LazyLock<SecretString> = std::sync::LazyLock::new(|| SECRET.into());
    Call { method: Method::Get, url, headers: &[], secret_header: Some(("APIKEY", &KEY)), body: None }
}

fn loopback() -> keys::Outgoing {
    keys::Outgoing { allow: vec!["127.0.0.0/8".parse().unwrap()], extra_ca_file: None }
}

fn local() -> Outgoing {
    Outgoing::new(&loopback()).unwrap()
}

fn assert_unsent(url: &str, limits: &Limits, expected: &str) {
    let text = failed(&local(), &get(&format!("{url}?{QUERY}")), limits, is_unsent);
    assert!(text.contains(expected), "{text}");
}

/// A server which reads the request, answers this and closes leaves us not knowing.
fn assert_unknown(answer: &[u8], limits: &Limits, expected: &str) {
    let (address, served) = server_of(answer.to_vec());
    let text = failed(&local(), &get(&format!("http://{address}/?{QUERY}")), limits, is_unknown);
    assert!(text.contains(expected), "{text}");
    served.join().unwrap();
}

/// The text of the failure, once it is of the right kind and gives nothing away.
fn failed(outgoing: &Outgoing, call: &Call<'_>, limits: &Limits, is_expected: fn(&Failure) -> bool) -> String {
    let failure = match outgoing.exchange(call, limits) {
        Ok(answer) => panic!("{} was answered {}", call.url, answer.status),
        Err(failure) => failure,
    };
    assert!(is_expected(&failure), "{}: {failure:?}", call.url);
    let said = format!("{failure} {failure:?}");
    assert!(!said.contains("hunter2") && !said.contains("swordfish"), "{said}");
    failure.to_string()
}

fn is_unsent(failure: &Failure) -> bool {
    matches!(failure, Failure::Unsent(_))
}

fn is_unknown(failure: &Failure) -> bool {
    matches!(failure, Failure::Unknown(_))
}

fn server<T: Send + 'static>(behave: impl FnOnce(TcpListener) -> T + Send + 'static) -> (SocketAddr, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (address, thread::spawn(move || behave(listener)))
}

fn server_of(answer: Vec<u8>) -> (SocketAddr, JoinHandle<()>) {
    server(move |listener| {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream);
        // The client may stop reading before the end.
        let _ = stream.write_all(&answer);
    })
}

/// Serves one request under the certificate of our own authority; the handshake may fail.
fn tls_server(answer: &'static [u8]) -> (SocketAddr, JoinHandle<io::Result<String>>) {
    server(move |listener| {
        let chain = CertificateDer::pem_file_iter(fixture("server.pem")).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(fixture("server.key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = StreamOwned::new(connection, listener.accept().unwrap().0);
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request)?;
        stream.write_all(answer)?;
        Ok(text(&request[..length]).into_owned())
    })
}

/// An address that nobody listens on and, while the connection is held, nobody else can get.
fn dead_end() -> (SocketAddr, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let held = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (held.local_addr().unwrap(), held)
}

/// The head, and as much of a body as it announces.
fn read_request(stream: &mut TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut request).unwrap(), 0, "the request ends early: {request}");
    }
    let announced = request.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; announced.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    request + &text(&body)
}

/// However the client closes.
fn until_closed(mut stream: TcpStream) {
    let _ = io::copy(&mut stream, &mut io::sink());
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn fixture(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name);
    assert!(fs::exists(&path).unwrap(), "{path:?}");
    path
}

/// A network where nobody is at home; it remembers which addresses were tried.
#[derive(Debug, Clone, Default)]
struct Recording(Arc<Mutex<Vec<SocketAddr>>>);

fn recording(config: &keys::Outgoing) -> (Recording, Outgoing) {
    let network = Recording::default();
    let outgoing = Outgoing::with_connector(config, network.clone()).unwrap();
    (network, outgoing)
}

impl Recording {
    fn opened(&self) -> Vec<SocketAddr> {
        self.0.lock().unwrap().clone()
    }
}

impl Connector for Recording {
    type Out = Exchange<fn(&[u8]) -> Result<String, ureq::Error>>;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Self::Out>, ureq::Error> {
        self.0.lock().unwrap().extend(details.addrs.iter());
        Err(ureq::Error::Io(io::ErrorKind::ConnectionRefused.into()))
    }
}

/// A network where one function answers every request.
struct Simulated<F>(F);

impl<F: Fn(&[u8]) -> Result<String, ureq::Error> + Clone + Send + Sync + 'static> Connector for Simulated<F> {
    type Out = Exchange<F>;

    fn connect(&self, _: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Self::Out>, ureq::Error> {
        let buffers = LazyBuffers::new(16 * 1024, 16 * 1024);
        Ok(Some(Exchange { answer: self.0.clone(), sent: Vec::new(), buffers }))
    }
}

struct Exchange<F> {
    answer: F,
    sent: Vec<u8>,
    buffers: LazyBuffers,
}

impl<F: Fn(&[u8]) -> Result<String, ureq::Error> + Send + Sync + 'static> Transport for Exchange<F> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        self.sent.extend_from_slice(&self.buffers.output()[..amount]);
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let answer = (self.answer)(&self.sent)?;
        self.buffers.input_append_buf()[..answer.len()].copy_from_slice(answer.as_bytes());
        self.buffers.input_appended(answer.len());
        Ok(true)
    }

    fn is_open(&mut self) -> bool {
        false
    }
}

impl<F> std::fmt::Debug for Simulated<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Simulated")
    }
}

impl<F> std::fmt::Debug for Exchange<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exchange")
    }
}

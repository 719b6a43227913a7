//! Listens to everything that is logged while tests run, at every level and from everybody, and notes what must not be in
//! it: keys, secrets, passwords, and what the shop knows of the sample buyer. Each stage and each world looks at the notes
//! when it ends; what a process of ours has logged is read when that ends.

#![allow(dead_code, reason = "each test program uses its part")]

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, Once};

use qantara::sandbox::shop::cart::Buyer;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// What was logged and should not have been.
static LEAKS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on, in this process.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if tracing_subscriber::registry().with(Listener { secrets: secrets() }).try_init().is_err() {
            return; // this very file, as part of another module of the same program, was the first
        }
        // Who hears nothing finds nothing.
        tracing::trace!(hears = "hush", "a test of the listener");
        assert_eq!(std::mem::take(&mut *LEAKS.lock().unwrap()).len(), 1);
    });
}

/// What must not be in any log.
fn secrets() -> Vec<String> {
    let Buyer { first_name, last_name, email, phone, address1, .. } = Buyer::sample();
    let ours = ["hush", "key-one", "correct horse", "shpss-a-very-secret-secret"].map(str::to_owned);
    ours.into_iter().chain([first_name, last_name, address1]).chain(email).chain(phone).collect()
}

/// Nothing is in what a process logged.
#[track_caller]
pub(crate) fn search(log: &str) {
    let is_leak = |line: &&str| secrets().iter().any(|secret| line.contains(secret.as_str()));
    if let Some(line) = log.lines().find(is_leak) {
        panic!("logged, and must not be: {line}");
    }
}

/// Nothing was found.
pub(crate) fn check() {
    let leaks = LEAKS.lock().unwrap();
    assert!(leaks.is_empty(), "logged, and must not be: {leaks:#?}");
}

struct Listener {
    secrets: Vec<String>,
}

impl Listener {
    fn judge(&self, text: &str) {
        if self.secrets.iter().any(|secret| text.contains(secret.as_str())) {
            LEAKS.lock().unwrap().push(text.to_owned());
        }
    }
}

impl<S: Subscriber> Layer<S> for Listener {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut text = Text(String::new());
        attributes.record(&mut text);
        self.judge(&text.0);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text(event.metadata().target().to_owned());
        event.record(&mut text);
        self.judge(&text.0);
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

//! The log on standard error: text for people, or one JSON object per line for machines.

use std::io::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt};

use crate::clock::Clock;
use crate::config::keys::{Log, LogFormat};

/// Starts the log of this process. `is_stamped` says that whoever takes the lines stamps them with the time.
pub(super) fn start(log: &Log, is_stamped: bool) {
    let filter: Targets = log.filter.parse().expect("a Config that exists has a filter that parses");
    let text = || fmt::layer().with_ansi(false).with_writer(io::stderr);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match log.format {
        LogFormat::Text if is_stamped => text().without_time().with_filter(filter).boxed(),
        LogFormat::Text => text().with_filter(filter).boxed(),
        LogFormat::Json => JsonLines { clock: Clock::real() }.with_filter(filter).boxed(),
    };
    // Only a test that runs two servers in one process could have started it before.
    let _ = tracing_subscriber::registry().with(lines).try_init();
}

struct JsonLines {
    clock: Clock,
}

/// What a span says of itself, kept with it.
struct Said(Map<String, Value>);

impl<S> Layer<S> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut said = Map::new();
        attributes.record(&mut Fields(&mut said));
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Said(said));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Map::new();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(Said(said)) = span.extensions().get() {
                line.extend(said.clone());
            }
        }
        line.insert("at".to_owned(), self.clock.now().to_string().into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.insert("target".to_owned(), event.metadata().target().into());
        event.record(&mut Fields(&mut line));
        // A log that cannot be written has nowhere to say so.
        let _ = writeln!(io::stderr().lock(), "{}", Value::Object(line));
    }
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

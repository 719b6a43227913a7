//! An alert in words for somebody who looks at no page.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Lang, alert, isolated};
use crate::db::class::Class;
use crate::domain::telling::{Day, Facts, Stage};

/// The first line: what is the case, and where.
#[must_use]
pub fn headline(lang: Lang, stage: Stage, facts: &Facts) -> String {
    let words = lang.telling();
    let mut line = format!("{}: {}", words.stage(stage), alert(lang, &facts.cause).what);
    for name in facts.merchant.iter().map(|(name, _)| name).chain(&facts.particular) {
        line += &format!(" – {}", isolated(name));
    }
    line
}

/// What follows it, line by line: how much, since when, what to do.
#[must_use]
pub fn lines(lang: Lang, stage: Stage, facts: &Facts) -> Vec<String> {
    let words = lang.telling();
    let mut lines = Vec::new();
    if let Some(waiting) = facts.waiting.filter(|waiting| *waiting > 0 && stage != Stage::Over) {
        lines.push(words.waiting.of(i64::from(waiting)));
    }
    if facts.count > 1 {
        lines.push(words.times.of(facts.count));
    }
    let next_step = alert(lang, &facts.cause).next_step;
    if stage != Stage::Over && !next_step.is_empty() {
        lines.push(format!("{}: {next_step}", words.next_step));
    }
    // Figures with hyphens would be turned round in a sentence from right to left.
    let apart = |text: String| lang.words().isolate(&text);
    lines.push(match facts.closed_at {
        Some(closed) => {
            format!("{} {}", words.was, apart(format!("{} – {} UTC", minute(facts.opened_at), minute(closed))))
        }
        None => format!("{} {}", words.since, apart(format!("{} UTC", minute(facts.opened_at)))),
    });
    lines
}

/// All of it as one text, with the address of the page.
#[must_use]
pub fn text(lang: Lang, stage: Stage, facts: &Facts, page: &str) -> String {
    let mut all = vec![headline(lang, stage, facts)];
    all.extend(lines(lang, stage, facts));
    all.push(page.to_owned());
    all.join("\n")
}

/// A merchant's day: names and values, line by line.
#[must_use]
pub fn day(lang: Lang, day: &Day) -> Vec<(String, String)> {
    let words = lang.telling();
    let sum = day.classes.iter().map(|(_, count)| count).sum::<i64>();
    let mut lines = vec![(words.orders.to_owned(), sum.to_string())];
    for (word, count) in &day.classes {
        let name = Class::parse(word).map_or(word.as_str(), |class| lang.words().class(class));
        lines.push((name.to_owned(), count.to_string()));
    }
    if !day.missing.is_empty() {
        lines.push((words.missing.to_owned(), day.missing.join(", ")));
    }
    lines
}

/// The same for programs.
#[must_use]
pub fn body(lang: Lang, stage: Stage, facts: &Facts, page: &str, at: Timestamp) -> Value {
    json!({
        "type": format!("alert.{}", stage.word()),
        "timestamp": at.to_string(),
        "data": {
            "alert": facts.alert,
            "cause": facts.cause,
            "what": alert(lang, &facts.cause).what,
            "merchant": facts.merchant.as_ref().map(|(_, slug)| slug),
            "particular": facts.particular,
            "count": facts.count,
            "orders_waiting": facts.waiting,
            "opened_at": facts.opened_at.to_string(),
            "closed_at": facts.closed_at.map(|closed| closed.to_string()),
            "page": page,
        },
    })
}

fn minute(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string()
}

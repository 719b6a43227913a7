//! How a mail looks: a letter in words, as plain text and as HTML, in the recipient's language and direction.
//!
//! The layout is ours: one column that fits a phone, colours for light and dark, no picture and nothing that is loaded from
//! elsewhere. Subject, greeting and closing may be a merchant's own, with [`PLACES`] that are filled in.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::letter::{Change, Letter, Line, Paper, PaperKind};
use crate::domain::news::Kind;
use crate::domain::telling::{Day, Stage};
use crate::text::label::mail::Mail as Words;
use crate::text::{self, Lang, Sentence, telling};

/// What can stand in a merchant's own words for something of the order.
pub const PLACES: [&str; 4] = ["{order}", "{invoice}", "{total}", "{merchant}"];
/// A mail names no more lines than that; the rest is counted. The page has them all.
const MOST_LINES: usize = 100;

/// A mail in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// A place in somebody's words that stands for nothing; the first of them.
#[must_use]
pub fn unknown_place(words: &str) -> Option<&str> {
    let mut rest = words;
    while let Some(from) = rest.find('{') {
        rest = &rest[from..];
        let to = rest.find('}').map_or(rest.len(), |at| at + 1);
        if !PLACES.contains(&&rest[..to]) {
            return Some(&rest[..to]);
        }
        rest = &rest[to..];
    }
    None
}

/// Puts a letter into words. `count`: how many news it stands for.
#[must_use]
pub fn render(letter: &Letter, count: u32) -> Rendered {
    let lang = Lang::of_tag(&letter.language).unwrap_or(Lang::En);
    let view = View { letter, lang, words: lang.mail(), count };
    Rendered { subject: view.subject(), text: view.text(), html: view.html().into_string() }
}

struct View<'a> {
    letter: &'a Letter,
    lang: Lang,
    words: &'static Words,
    count: u32,
}

impl View<'_> {
    /// One line, whatever stands in the words.
    fn subject(&self) -> String {
        let own = self.letter.own.as_ref().map(|own| own.subject.as_str());
        let mut filled = match self.news() {
            Some(news) => news,
            None => self.fill(own.unwrap_or(self.words.of(self.letter.kind).subject)),
        };
        if self.letter.is_trial {
            filled = format!("{}: {filled}", self.words.trial.name);
        }
        filled.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn greeting(&self) -> String {
        self.fill(self.letter.own.as_ref().map_or(self.words.greeting, |own| &own.greeting))
    }

    fn closing(&self) -> String {
        // To those who run the server nobody writes in a merchant's name.
        if self.letter.merchant.is_empty() {
            return "Qantara".to_owned();
        }
        self.fill(self.letter.own.as_ref().map_or(self.words.closing, |own| &own.closing))
    }

    fn fill(&self, words: &str) -> String {
        let letter = self.letter;
        let order = letter.order.as_ref().map_or("", |order| &order.name);
        let paper = letter.paper.as_ref();
        let number = paper.and_then(|paper| paper.invoice.as_ref().or(paper.number.as_ref()));
        let total = paper.map(|paper| text::amount(self.lang, paper.total, Some(paper.currency))).unwrap_or_default();
        // One pass: a name with braces in it is no place.
        let (mut filled, mut rest) = (String::new(), words);
        while let Some(from) = rest.find('{') {
            filled.push_str(&rest[..from]);
            rest = &rest[from..];
            let to = rest.find('}').map_or(rest.len(), |at| at + 1);
            match &rest[..to] {
                "{order}" => filled.push_str(&self.apart(order)),
                "{invoice}" => filled.push_str(&self.apart(number.map_or("", String::as_str))),
                "{total}" => filled.push_str(&total),
                "{merchant}" => filled.push_str(&self.apart(&letter.merchant)),
                other => filled.push_str(other),
            }
            rest = &rest[to..];
        }
        filled + rest
    }

    /// A name with a direction of its own, where that may be another than the sentence's.
    fn apart(&self, name: &str) -> String {
        let may_turn = match self.lang {
            Lang::Ar => !name.is_empty(),
            Lang::En => !name.is_ascii(),
        };
        if may_turn { self.lang.words().isolate(name) } else { name.to_owned() }
    }

    /// The first line of what is told of no order.
    fn news(&self) -> Option<String> {
        if let Some((stage, facts)) = &self.letter.alert {
            return Some(telling::headline(self.lang, *stage, facts));
        }
        let first = self.letter.days.first()?;
        let date = self.lang.words().isolate(&first.day.to_string());
        let of = format!("{} {date}", self.lang.telling().day);
        Some(if self.letter.merchant.is_empty() {
            of
        } else {
            format!("{of} – {}", self.apart(&self.letter.merchant))
        })
    }

    fn heading(&self) -> String {
        if let Some(news) = self.news() {
            return news;
        }
        let of = self.words.of(self.letter.kind);
        let heading = match self.letter.paper.as_ref().map(|paper| paper.kind) {
            Some(PaperKind::Refund) => self.words.refunded,
            Some(PaperKind::Reversal) => self.words.reversed,
            Some(PaperKind::Cancel | PaperKind::Invoice) | None => of.heading,
        };
        heading.to_owned()
    }

    /// What an alert says below its first line, and how many are open.
    fn told(&self) -> Vec<String> {
        let words = self.lang.telling();
        let mut lines = Vec::new();
        if let Some((stage, facts)) = &self.letter.alert {
            lines.extend(telling::lines(self.lang, *stage, facts));
        }
        lines.extend(self.letter.open_alerts.map(|open| match open {
            0 => words.nothing_stands.to_owned(),
            open => words.standing.of(open),
        }));
        lines
    }

    /// Whether the shop vouches for a day.
    fn vouched(&self, day: &Day) -> &'static str {
        let words = self.lang.telling();
        if day.is_proven { words.proven } else { words.told_only }
    }

    fn day_text(&self, day: &Day) -> String {
        let mut lines = vec![format!("{} – {}", day.merchant, day.day)];
        lines.extend(telling::day(self.lang, day).into_iter().map(|(name, value)| format!("{name}: {value}")));
        lines.push(self.vouched(day).to_owned());
        lines.extend(day.page.iter().map(|page| format!("{}: {page}", self.lang.telling().statement)));
        lines.join("\n")
    }

    fn day_html(&self, day: &Day) -> Markup {
        html! {
            h2 { bdi { (day.merchant) } " – " bdi { (day.day) } }
            table.facts role="presentation" cellpadding="0" cellspacing="0" {
                @for (name, value) in telling::day(self.lang, day) { tr { td.name { (name) } td.value { bdi { (value) } } } }
            }
            p.muted { (self.vouched(day)) }
            @if let Some(page) = &day.page { p.links { a.button href=(page) { (self.lang.telling().statement) } } }
        }
    }

    /// What the mail is about, where no order says it.
    fn lead(&self) -> Option<String> {
        match self.letter.kind {
            Kind::More => {
                let of = self.letter.of.map_or("", |of| self.words.of(of).name);
                Some(format!("{}: {}", of, self.words.more.of(u64::from(self.count))))
            }
            Kind::Trial if self.letter.order.is_none() => Some(self.words.trial_text.to_owned()),
            Kind::Created
            | Kind::Updated
            | Kind::Cancelled
            | Kind::Held
            | Kind::Failed
            | Kind::Trial
            | Kind::Alert
            | Kind::Summary => None,
        }
    }

    /// Names and values above everything else.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let (words, letter) = (self.words, self.letter);
        let mut facts = Vec::new();
        if !letter.merchant.is_empty() && letter.days.is_empty() {
            facts.push((words.merchant, letter.merchant.clone()));
        }
        if let Some(order) = &letter.order {
            facts.push((words.order, order.name.clone()));
        }
        if let Some(paper) = &letter.paper {
            let number = paper.number.clone();
            match paper.kind {
                PaperKind::Invoice => facts.extend(number.map(|number| (words.invoice, number))),
                PaperKind::Refund | PaperKind::Cancel | PaperKind::Reversal => {
                    facts.extend(paper.invoice.clone().map(|number| (words.invoice, number)));
                    facts.extend(number.map(|number| (words.receipt, number)));
                }
            }
        }
        facts
    }

    fn reasons(&self) -> Vec<Sentence> {
        let currency = self.letter.paper.as_ref().map(|paper| paper.currency);
        self.letter.reason.as_ref().map(|reason| text::reason(self.lang, reason, currency)).unwrap_or_default()
    }

    fn links(&self) -> Vec<(&'static str, &str)> {
        let order = self.letter.order.as_ref().and_then(|order| order.page.as_deref());
        let paper = self.letter.paper.as_ref().and_then(|paper| paper.page.as_deref());
        let all = [
            (self.words.open_order, order),
            (self.words.open_daftra, paper),
            (self.words.open, self.letter.link.as_deref()),
        ];
        all.into_iter().filter_map(|(name, address)| Some((name, address?))).collect()
    }

    fn amount(&self, paper: &Paper, line: &Line) -> String {
        text::amount(self.lang, line.total, Some(paper.currency))
    }

    fn change(&self, paper: &Paper, change: &Change) -> (&'static str, String) {
        let words = self.words;
        let one = |line: &Line| format!("{} × {}, {}", self.apart(&line.title), line.units, self.amount(paper, line));
        let money = |amount| text::amount(self.lang, amount, Some(paper.currency));
        match change {
            Change::Added(line) => (words.added, one(line)),
            Change::Removed(line) => (words.removed, one(line)),
            Change::Changed { was, is } => {
                let arrow = self.words.arrow;
                let after = format!("{}, {}", is.units, self.amount(paper, is));
                (words.changed, format!("{} {arrow} {after}", one(was)))
            }
            Change::Total { was, is } => (words.total, format!("{} {} {}", money(*was), words.arrow, money(*is))),
        }
    }

    fn text(&self) -> String {
        let mut parts = vec![self.greeting(), self.heading()];
        parts.extend(self.lead());
        parts.push(self.told().join("\n"));
        parts.extend(self.letter.days.iter().map(|day| self.day_text(day)));
        let facts = self.facts().into_iter().map(|(name, value)| format!("{name}: {}", self.apart(&value)));
        parts.push(facts.collect::<Vec<_>>().join("\n"));
        for sentence in self.reasons() {
            parts.push(format!("{}\n{}", sentence.what, sentence.next_step).trim_end().to_owned());
        }
        if let Some(paper) = &self.letter.paper {
            let changes: Vec<_> = self.letter.changes.iter().map(|change| self.change(paper, change)).collect();
            if !changes.is_empty() {
                let lines = changes.iter().map(|(name, what)| format!("- {name}: {what}")).collect::<Vec<_>>();
                parts.push(format!("{}\n{}", self.words.what_changed, lines.join("\n")));
            }
            parts.push(self.paper_text(paper));
        }
        parts.extend(self.links().into_iter().map(|(name, address)| format!("{name}: {address}")));
        parts.push(self.closing());
        parts.retain(|part| !part.is_empty());
        parts.join("\n\n") + "\n"
    }

    fn paper_text(&self, paper: &Paper) -> String {
        let mut lines: Vec<String> = paper
            .lines
            .iter()
            .take(MOST_LINES)
            .map(|line| format!("- {} × {}: {}", self.apart(&line.title), line.units, self.amount(paper, line)))
            .collect();
        lines.extend(self.rest_of(paper));
        let money = |amount| text::amount(self.lang, amount, Some(paper.currency));
        lines.push(format!("{}: {}", self.words.tax, money(paper.tax)));
        lines.push(format!("{}: {}", self.words.total, money(paper.total)));
        lines.join("\n")
    }

    fn rest_of(&self, paper: &Paper) -> Option<String> {
        let rest = paper.lines.len().checked_sub(MOST_LINES).filter(|rest| *rest > 0)?;
        Some(self.words.more_lines.of(u64::try_from(rest).unwrap_or(u64::MAX)))
    }

    fn html(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(self.lang.tag()) dir=(self.lang.direction()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="supported-color-schemes" content="light dark";
                    title { (self.subject()) }
                    style { (PreEscaped(STYLE)) }
                }
                body dir=(self.lang.direction()) {
                    table.page role="presentation" width="100%" cellpadding="0" cellspacing="0" { tr { td align="center" {
                        table.card role="presentation" width="100%" cellpadding="0" cellspacing="0" { tr { td.card-body dir=(self.lang.direction()) {
                            (paragraphs(&self.greeting()))
                            h1 class=(self.tone()) { (self.heading()) }
                            @if let Some(lead) = self.lead() { p { (lead) } }
                            @for line in self.told() { p { (line) } }
                            @for day in &self.letter.days { (self.day_html(day)) }
                            (self.facts_html())
                            @for sentence in self.reasons() {
                                div.reason { p { strong { (sentence.what) } } @if !sentence.next_step.is_empty() { p { (sentence.next_step) } } }
                            }
                            @if let Some(paper) = &self.letter.paper {
                                (self.changes_html(paper))
                                (self.paper_html(paper))
                            }
                            @let links = self.links();
                            @if !links.is_empty() {
                                p.links { @for (name, address) in &links { a.button href=(address) { (name) } " " } }
                            }
                            div.closing { (paragraphs(&self.closing())) }
                        } } }
                    } } }
                }
            }
        }
    }

    /// The colour of the heading; its words say the same.
    fn tone(&self) -> &'static str {
        match self.letter.kind {
            Kind::Created | Kind::Updated | Kind::Cancelled | Kind::Trial | Kind::Summary => "calm",
            Kind::Held | Kind::More => "warn",
            Kind::Alert if self.letter.alert.as_ref().is_some_and(|(stage, _)| *stage == Stage::Over) => "calm",
            Kind::Failed | Kind::Alert => "bad",
        }
    }

    fn facts_html(&self) -> Markup {
        let facts = self.facts();
        html! {
            @if !facts.is_empty() {
                table.facts role="presentation" cellpadding="0" cellspacing="0" {
                    @for (name, value) in &facts { tr { td.name { (name) } td.value { bdi { (value) } } } }
                }
            }
        }
    }

    fn changes_html(&self, paper: &Paper) -> Markup {
        html! {
            @if !self.letter.changes.is_empty() {
                h2 { (self.words.what_changed) }
                ul {
                    @for change in &self.letter.changes {
                        @let (name, what) = self.change(paper, change);
                        li { strong { (name) } ": " (what) }
                    }
                }
            }
        }
    }

    fn paper_html(&self, paper: &Paper) -> Markup {
        let words = self.words;
        let money = |amount| text::amount(self.lang, amount, Some(paper.currency));
        html! {
            table.lines width="100%" cellpadding="0" cellspacing="0" {
                thead { tr { th scope="col" { (words.item) } th.number scope="col" { (words.units) } th.number scope="col" { (words.amount) } } }
                tbody {
                    @for line in paper.lines.iter().take(MOST_LINES) {
                        tr {
                            td { bdi { (line.title) } @if !line.sku.is_empty() { br; span.muted dir="ltr" { (line.sku) } } }
                            td.number { (line.units) }
                            td.number { bdi { (self.amount(paper, line)) } }
                        }
                    }
                    @if let Some(rest) = self.rest_of(paper) { tr { td.muted colspan="3" { (rest) } } }
                }
                tfoot {
                    tr { td colspan="2" { (words.tax) } td.number { bdi { (money(paper.tax)) } } }
                    tr.total { td colspan="2" { (words.total) } td.number { bdi { (money(paper.total)) } } }
                }
            }
        }
    }
}

/// Each line that somebody wrote is a line.
fn paragraphs(words: &str) -> Markup {
    html! {
        @for part in words.split("\n\n").map(str::trim).filter(|part| !part.is_empty()) {
            p { @for (number, line) in part.lines().enumerate() { @if number > 0 { br; } (line) } }
        }
    }
}

/// The one style of all mails.
pub const STYLE: &str = "
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0; padding: 0; background: #f2f4f3; color: #1c2321; font: 16px/1.6 system-ui, 'Segoe UI', Tahoma, Arial, sans-serif; }
.page { background: #f2f4f3; }
.page > tbody > tr > td { padding: 16px 8px; }
.card { max-width: 600px; background: #ffffff; border-radius: 12px; }
.card-body { padding: 24px 20px; text-align: start; }
p { margin: 0 0 12px; }
h1 { margin: 8px 0 16px; font-size: 22px; line-height: 1.35; }
h1.calm { color: #0b6b57; } h1.warn { color: #8a5200; } h1.bad { color: #a3212a; }
h2 { margin: 20px 0 8px; font-size: 16px; }
ul { margin: 0 0 16px; padding-inline-start: 20px; }
.facts { margin: 0 0 16px; }
.facts td { padding: 2px 0; vertical-align: top; }
.facts .name { color: #5a6662; padding-inline-end: 16px; white-space: nowrap; }
.facts .value { font-weight: 600; overflow-wrap: anywhere; }
.reason { margin: 0 0 12px; padding: 12px 14px 1px; border-radius: 8px; background: #fdf3e0; }
.lines { margin: 8px 0 20px; border-collapse: collapse; }
.lines th { padding: 6px 4px; font-size: 13px; font-weight: 600; color: #5a6662; text-align: start; border-bottom: 1px solid #d6dcd9; }
.lines td { padding: 8px 4px; vertical-align: top; border-bottom: 1px solid #e6eae8; overflow-wrap: anywhere; }
.lines .number { text-align: end; white-space: nowrap; }
.lines .total td { font-weight: 700; font-size: 17px; border-bottom: 0; }
.muted { color: #5a6662; font-size: 13px; }
.links { margin: 0 0 20px; }
.button { display: inline-block; margin: 0 0 8px; padding: 10px 18px; border-radius: 8px; background: #0b6b57; color: #ffffff; text-decoration: none; font-weight: 600; }
.closing { border-top: 1px solid #e6eae8; padding-top: 14px; color: #5a6662; font-size: 14px; }
@media (prefers-color-scheme: dark) {
  body, .page { background: #101514; color: #e6ecea; }
  .card { background: #1a211f; }
  h1.calm { color: #6fd3bb; } h1.warn { color: #f0b65c; } h1.bad { color: #ff8f8f; }
  .reason { background: #3a2d14; }
  .facts .name, .lines th, .muted, .closing { color: #a9b5b1; }
  .lines th, .lines td, .closing { border-color: #333d3a; }
  .button { background: #6fd3bb; color: #06231c; }
}
";

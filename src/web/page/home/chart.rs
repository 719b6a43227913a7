//! Orders over time as bars, drawn by the server: every bar says its figures in words, and colour is not all that tells
//! good from bad, for what is stuck stands on top.

use maud::{Markup, html};

use crate::db::pulse::Outcomes;
use crate::text::Lang;

const HEIGHT: i64 = 96;
const STEP: i64 = 10;
const BAR: i64 = 8;

/// A chart of steps, each with what it is called.
pub(super) fn chart(lang: Lang, title: &str, steps: &[(String, Outcomes)]) -> Markup {
    let words = lang.home();
    let tallest = steps.iter().map(|(_, step)| step.all()).max().unwrap_or_default().max(1);
    let width = STEP * i64::try_from(steps.len()).unwrap_or_default();
    let sum = steps.iter().fold(Outcomes::default(), |mut sum, (_, step)| {
        sum.plus(*step);
        sum
    });
    let told = |step: &Outcomes| {
        format!(
            "{}: {} · {}: {} · {}: {}",
            words.orders,
            step.all(),
            words.invoiced,
            step.done,
            words.stuck,
            step.stuck
        )
    };
    html! {
        figure.chart {
            figcaption { (title) (key(lang, &sum)) }
            // Time runs from left to right in both languages.
            svg viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label={ (title) ". " (told(&sum)) } {
                @for (at, (name, step)) in (0..).zip(steps) {
                    g {
                        title { (name) " – " (told(step)) }
                        rect.back x=(at * STEP) y="0" width=(STEP) height=(HEIGHT) {}
                        @for (class, from, count) in stacked(step) {
                            @if count > 0 {
                                @let (top, height) = (HEIGHT - (from + count) * HEIGHT / tallest, (count * HEIGHT / tallest).max(1));
                                rect class=(class) x=(at * STEP + 1) y=(top) width=(BAR) height=(height) {}
                            }
                        }
                    }
                }
            }
            @if let [(first, _), .., (last, _)] = steps {
                p.axis dir="ltr" aria-hidden="true" { span { (first) } span { (last) } }
            }
        }
    }
}

/// What the colours mean, with the sums; what there was nothing of needs no colour.
fn key(lang: Lang, sum: &Outcomes) -> Markup {
    let words = lang.home();
    let parts = [
        ("done", words.invoiced, sum.done),
        ("stuck", words.stuck, sum.stuck),
        ("open", words.open, sum.open),
        ("calm", words.ignored, sum.ignored),
    ];
    html! {
        span.key {
            span { (words.orders) ": " (sum.all()) }
            @for (class, name, count) in parts.into_iter().filter(|(_, _, count)| *count > 0) {
                span { i class=(class) {} (name) ": " (count) }
            }
        }
    }
}

/// From the bottom: class, what lies below, and how much.
fn stacked(step: &Outcomes) -> [(&'static str, i64, i64); 4] {
    let mut below = 0;
    [("calm", step.ignored), ("done", step.done), ("open", step.open), ("stuck", step.stuck)].map(|(class, count)| {
        let from = below;
        below += count;
        (class, from, count)
    })
}

//! The body of a delivery as the shop sent it, for owners; and reading one again.

use jiff::tz::TimeZone;
use maud::html;

use super::{Frame, code, done, order, page, time};
use crate::desk::Wish;
use crate::text::Said;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::reply::{Problem, Reply};

/// What the shop sent.
pub(in crate::web) fn body(asked: &Asked) -> Result<Reply, Problem> {
    let id = asked.id()?;
    let (kept, zone, name) = asked.see(|sight| {
        let kept = sight.delivery(id)?;
        let merchants = sight.merchants()?;
        let merchant = merchants.iter().find(|merchant| merchant.id == kept.merchant_id);
        let zone = merchant.and_then(|merchant| TimeZone::get(&merchant.time_zone).ok()).unwrap_or(TimeZone::UTC);
        let name = kept.order_id.map(|order_id| sight.order(order_id)).transpose()?.map(|order| order.name);
        Ok((kept, zone, name))
    })?;
    let body = if kept.body.is_some() { Some(asked.body(id)?) } else { None };
    let (label, words) = (asked.lang.words().labels(), asked.lang.order());
    let content = html! {
        h1 { (words.body) }
        dl {
            dt { (label.topic) } dd { (code(&kept.topic)) }
            dt { (label.received) } dd { (time(kept.received_at, &zone)) " " (code(zone.iana_name().unwrap_or("UTC"))) }
            @if let Some(order_id) = kept.order_id {
                dt { (label.order) } dd { (order::link(order_id, name.as_deref().unwrap_or_default())) }
            }
            dt { (label.event) } dd { (code(&kept.event_key)) }
        }
        @match body {
            Some(body) => {
                p.hint { (words.body_hint) }
                pre.whole dir="ltr" { (indented(&body)) }
            }
            None => p.empty { (words.no_body) },
        }
    };
    Ok(page(&Frame::new(asked, false), words.body, &content))
}

/// Takes a delivery in once more.
pub(in crate::web) fn replay(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    let delivery_id = asked.id()?;
    let order_id = asked.see(|sight| sight.delivery(delivery_id))?.order_id;
    let answer = asked.perform(actor, Wish::DeliveryReplay { delivery_id })?;
    // One that could not be read when it came is about an order only now.
    let order_id = order_id.or_else(|| answer["order"].as_i64());
    Ok(done(&order_id.map_or_else(|| "/log".to_owned(), order::address), Said::Replayed))
}

/// JSON on lines of its own, each value as it was written: a number that is parsed may come out as another one.
fn indented(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    let mut letters = json.chars().peekable();
    while let Some(letter) = letters.next() {
        if in_string {
            text.push(letter);
            in_string = is_escaped || letter != '"';
            is_escaped = !is_escaped && letter == '\\';
            continue;
        }
        match letter {
            ' ' | '\n' | '\r' | '\t' => {}
            '{' | '[' => {
                text.push(letter);
                while letters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                if let Some(end) = letters.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(end);
                } else {
                    depth += 1;
                    break_line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut text, depth);
                text.push(letter);
            }
            ',' => {
                text.push(letter);
                break_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            other => {
                in_string = other == '"';
                text.push(other);
            }
        }
    }
    text
}

fn break_line(text: &mut String, depth: usize) {
    text.push('\n');
    // Deeper than this nothing is meant, only made.
    text.push_str(&"  ".repeat(depth.min(32)));
}

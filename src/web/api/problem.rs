//! Problems as RFC 9457 tells them. `code` is for programs, `remedy` for whoever reads what the program printed; `type`
//! leads to the response of the same name in the description. Nothing that a person did not send is told.

use serde::Serialize;

use crate::text::refusal::About;
use crate::text::{Lang, Notice};
use crate::web::reply::{self, Because, Problem, Reply};

#[derive(Serialize)]
struct Told<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: String,
    code: &'static str,
    /// Why exactly, where a wish was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    remedy: String,
    /// Which field is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

pub(in crate::web) fn told(problem: &Problem) -> Reply {
    let (code, remedy) = words(problem.notice);
    let sentence = Lang::En.words().notice(problem.notice);
    let title = sentence.what.trim_end_matches('.');
    let (mut detail, mut remedy) = (format!("{title}."), remedy);
    let (mut field, mut reason) = (None, None);
    match problem.because.as_deref() {
        None => (),
        Some(Because::Refused(refusal)) => {
            (field, reason) = (Some(name(&refusal.about)), Some(refusal.code()));
            (detail, remedy) = (refusal.in_keys().what, refusal.in_keys().next_step);
        }
        Some(Because::Wrong(wrong)) => {
            field = Some(wrong.field.clone());
            (detail, remedy) = (format!("{} is {}", wrong.field, wrong.found), wrong.remedy.clone());
        }
    }
    let told = Told {
        r#type: format!("/api/v1/openapi.json#/components/responses/{code}"),
        title,
        status: reply::status(problem.notice).as_u16(),
        detail,
        code,
        reason,
        remedy,
        field,
    };
    reply::problem_json(problem, &told)
}

/// What a refusal is about, as a field of what was sent.
fn name(about: &About) -> String {
    match about {
        About::Key(key) => key.clone(),
        About::Line(number, key) => format!("items[{}].{key}", number.saturating_sub(1)),
        About::Text(_) => "body".to_owned(),
        About::Merchant(_) => "merchant".to_owned(),
        About::Order(_) => "order".to_owned(),
        About::Delivery(_) => "delivery".to_owned(),
        About::Secret => "secret".to_owned(),
    }
}

/// The code, and what a script or its author does about it.
fn words(notice: Notice) -> (&'static str, String) {
    let (code, remedy) = match notice {
        Notice::SignIn => ("sign_in", "Send a token that is not revoked and has not ended, or name and password."),
        Notice::TooManyTries { seconds } => {
            return ("too_many_tries", format!("Wait {seconds} seconds, and send the right token or password."));
        }
        Notice::Forbidden => ("forbidden", "Use a token of a larger role."),
        Notice::TokenNeeded => ("token_needed", "Make a token at /me and send it as Authorization: Bearer."),
        Notice::NotFound => ("not_found", "Take addresses and numbers from the lists."),
        Notice::Refused => ("refused", "Correct it and send it again."),
        Notice::WrongMethod => ("wrong_method", "Use a method that the header Allow names."),
        Notice::TooLarge => ("too_large", "Send less at once."),
        Notice::TooSlow => ("too_slow", "Send it again."),
        Notice::Unsupported => ("unsupported", "Send JSON, uncompressed, as Content-Type: application/json."),
        Notice::Busy => ("busy", "Send it again after the seconds that the header Retry-After names."),
        Notice::Fault => ("fault", "Send it again; the server's log has the details."),
        // Of forms, which no script sends.
        Notice::CrossSite | Notice::StaleForm => ("forbidden", "Use a token."),
    };
    (code, remedy.to_owned())
}

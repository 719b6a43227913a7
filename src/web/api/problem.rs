//! Problems as RFC 9457 tells them. `code` is for programs, `remedy` for whoever reads what the program printed; `type`
//! leads to the response of the same name in the description. Nothing that a person did not send is told.

use serde::Serialize;

use crate::text::{Lang, Notice};
use crate::web::reply::{self, Problem, Reply};

#[derive(Serialize)]
struct Told<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: String,
    code: &'static str,
    remedy: String,
    /// Which field is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

pub(in crate::web) fn told(problem: &Problem) -> Reply {
    let (code, remedy) = words(problem.notice);
    let sentence = Lang::En.words().notice(problem.notice);
    let title = sentence.what.trim_end_matches('.');
    let refusal = problem.refusal.as_ref();
    let told = Told {
        r#type: format!("/api/v1/openapi.json#/components/responses/{code}"),
        title,
        status: reply::status(problem.notice).as_u16(),
        detail: refusal.map_or_else(|| format!("{title}."), |refusal| format!("{} is {}", refusal.key, refusal.value)),
        code,
        remedy: refusal.map_or(remedy, |refusal| refusal.remedy.clone()),
        field: refusal.map(|refusal| refusal.key.as_str()),
    };
    reply::problem_json(problem, &told)
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

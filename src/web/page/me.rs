//! What everybody may do for themselves: choose a language, change the own password, keep tokens.

use maud::{Markup, html};
use secrecy::SecretString;

use super::wrong::Wrong;
use super::{Frame, done, form, page, tokens};
use crate::db::scope::Scope;
use crate::desk::{self, Secret, Wish};
use crate::text::{Lang, Said};
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::reply::{Problem, Reply};

const HERE: &str = "/me";
const LANGUAGE: &str = "/me/language";
const PASSWORD: &str = "/me/password";

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let content = render(asked, &merchants(asked)?, &tokens::section(asked, None)?);
    Ok(page(&Frame::new(asked, false).with_typing(), asked.lang.me().title, &content))
}

/// The page after a token was not made, and why.
pub(super) fn again(asked: &Asked, wrong: &Wrong, typed: &Form) -> Result<Reply, Problem> {
    let content = render(asked, &merchants(asked)?, &tokens::section(asked, Some(typed))?);
    Ok(wrong.reply(&Frame::new(asked, false), asked.lang.me().title, &content))
}

pub(in crate::web) fn set_language(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let language = Lang::of_tag(form.get("language")).map(|lang| lang.tag().to_owned());
    asked.perform(actor, Wish::UserLanguage { name: actor.user().name.clone(), language })?;
    Ok(done(HERE, Said::Saved))
}

pub(in crate::web) fn set_password(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let words = asked.lang.me();
    let current = SecretString::from(form.raw("current"));
    let wrong = if !asked.context.guard.is_password_of(actor.user(), &current)? {
        Wrong::at("current", words.wrong_password)
    } else if form.raw("new") != form.raw("again") {
        Wrong::at("again", words.not_the_same)
    } else {
        let (password, end_tokens) = (Secret(SecretString::from(form.raw("new"))), ends_tokens(form));
        match asked.perform(actor, Wish::UserPasswd { name: actor.user().name.clone(), password, end_tokens }) {
            Ok(_) => return Ok(done(HERE, Said::of_password(end_tokens))),
            Err(desk::Error::Refused(refusal)) => Wrong::of(&refusal, refusal.line(asked.lang), &[("password", "new")]),
            Err(error @ desk::Error::Db(_)) => return Err(error.into()),
        }
    };
    let content = render(asked, &merchants(asked)?, &tokens::section(asked, None)?);
    Ok(wrong.reply(&Frame::new(asked, false), words.title, &content))
}

/// The box beside a new password, and its value when it is ticked.
pub(super) const TOKENS: &str = "tokens";
pub(super) const END: &str = "end";

/// Whether the tokens are to end with the old password.
pub(super) fn ends_tokens(form: &Form) -> bool {
    form.get(TOKENS) == END
}

/// The names of the merchants to whom the reader is limited.
fn merchants(asked: &Asked) -> Result<Option<Vec<String>>, Problem> {
    match asked.viewer.user().scope {
        Scope::All => Ok(None),
        Scope::Only(_) => {
            Ok(Some(asked.see(|sight| Ok(sight.merchants()?.into_iter().map(|known| known.name).collect()))?))
        }
    }
}

fn render(asked: &Asked, merchants: &Option<Vec<String>>, tokens: &Markup) -> Markup {
    let (user, words, shell) = (asked.viewer.user(), asked.lang.me(), asked.lang.shell());
    let chosen = user.language.as_deref();
    let languages = html! {
        fieldset {
            legend { (shell.language) }
            label.choice {
                input type="radio" name="language" value="" checked[chosen.is_none()]; " " (words.as_the_browser)
            }
            @for lang in Lang::ALL {
                label.choice lang=(lang.tag()) {
                    input type="radio" name="language" value=(lang.tag()) checked[chosen == Some(lang.tag())];
                    " " (lang.name())
                }
            }
        }
        button { (shell.save) }
    };
    let password = |name: &str, label: &str, complete: &str| {
        html! {
            label.field {
                span { (label) }
                input type="password" name=(name) autocomplete=(complete) required;
            }
        }
    };
    let passwords = html! {
        (password("current", words.current_password, "current-password"))
        (password("new", words.new_password, "new-password"))
        (password("again", words.new_password_again, "new-password"))
        p.hint { (words.password_hint) }
        label.choice { input type="checkbox" name=(TOKENS) value=(END); " " (words.end_tokens) }
        p.hint { (words.end_tokens_hint) }
        button { (words.change_password) }
    };
    html! {
        h1 { bdi { (user.name) } }
        dl {
            dt { (words.role) } dd { (asked.lang.words().role(user.role)) }
            dt { (words.merchants) }
            dd {
                @match merchants {
                    None => (words.all_merchants),
                    Some(names) if names.is_empty() => (shell.nothing),
                    Some(names) => ul.plain { @for name in names { li { bdi { (name) } } } },
                }
            }
        }
        section.card { h2 { (shell.language) } (form(asked, LANGUAGE, &languages)) }
        section.card #password {
            h2 { (words.password) }
            (form(asked, PASSWORD, &passwords))
        }
        (tokens)
    }
}

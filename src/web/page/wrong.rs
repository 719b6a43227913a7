//! What is wrong with a form that was sent: said beside the field it is about, which has the focus when the form is shown
//! again; above everything where it is about no field, or about one that the page does not show.

use hyper::StatusCode;
use maud::{Markup, PreEscaped, Render, html};

use super::{Frame, complaint, layout};
use crate::text::refusal::{About, Refusal};
use crate::web::reply::{self, Reply};

/// Where the complaint stands, for its field to point at.
const ID: &str = "wrong";

/// What is wrong with a form, and the name of the field it is about.
pub(super) struct Wrong {
    text: String,
    field: Option<&'static str>,
}

impl Wrong {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), field: None }
    }

    pub(super) fn at(field: &'static str, text: impl Into<String>) -> Self {
        Self { text: text.into(), field: Some(field) }
    }

    /// At the field of this form that has what a refusal is about: what the refusal calls it, and its name.
    pub(super) fn of(refusal: &Refusal, text: impl Into<String>, fields: &[(&str, &'static str)]) -> Self {
        let key = match &refusal.about {
            About::Key(key) => key.split('[').next().unwrap_or(key),
            About::Secret => "secret",
            About::Line(..) | About::Text(_) | About::Merchant(_) | About::Order(_) | About::Delivery(_) => {
                return Self::new(text);
            }
        };
        let field = fields.iter().find(|(known, _)| *known == key).map(|(_, field)| *field);
        Self { text: text.into(), field }
    }

    /// The page that shows the form again. It answers at the address to which the form was sent.
    pub(super) fn reply(&self, frame: &Frame<'_>, title: &str, content: &Markup) -> Reply {
        let content = self.beside(frame.here, &content.0).unwrap_or_else(|| html! { (self) (content) });
        reply::html(StatusCode::UNPROCESSABLE_ENTITY, layout(frame, title, &content))
    }

    /// The content with its field marked. What people typed is escaped, so ` name="domain"` is an attribute of ours
    /// wherever it stands; this one place does what each field of each form would else have to be told.
    fn beside(&self, action: &str, content: &str) -> Option<Markup> {
        let form = content.find(&format!(" method=\"post\" action=\"{action}\""))?;
        let end = form + content.get(form..)?.find("</form>")?;
        let name = format!(" name=\"{}\"", self.field?);
        let is_shown = |at: &usize| {
            let tag = content.get(..*at).and_then(|before| before.rsplit('<').next());
            tag.is_some_and(|tag| !tag.contains(" type=\"hidden\""))
        };
        let mut named =
            content.match_indices(&name).map(|(at, _)| at + name.len()).filter(|at| (form..end).contains(at));
        let field = named.find(is_shown)?;
        let label = form + content.get(form..field)?.rfind("<label")?;
        Some(html! {
            (PreEscaped(content.get(..label)?))
            p.wrong id=(ID) role="alert" { (self.text) }
            (PreEscaped(content.get(label..field)?)) (PreEscaped(MARK)) (PreEscaped(content.get(field..)?))
        })
    }
}

/// Goes into the tag of the field.
const MARK: &str = " aria-invalid=\"true\" aria-describedby=\"wrong\" autofocus";

/// Above everything.
impl Render for Wrong {
    fn render(&self) -> Markup {
        complaint(&self.text)
    }
}

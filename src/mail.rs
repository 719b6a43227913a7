//! Mails: what they say ([`letter`]), how they look ([`render`]), and handing them to a mail server ([`post`]).
//!
//! A letter is all that a mail depends on, so the same letter is the same mail at every try. Where letters come from and where
//! they are kept until they are gone is not decided here.

pub mod letter;
pub mod post;
pub mod render;

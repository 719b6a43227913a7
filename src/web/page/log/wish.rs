//! Which rows of the log somebody wants to see, as it stands in the address.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::db::browse::{Place, Search};
use crate::db::log::Status;
use crate::text::Notice;
use crate::web::asked::Asked;

/// Every choice is in the address, so that a view can be kept, sent and come back to.
#[derive(Clone, Default)]
pub(super) struct Wish {
    pub(super) merchant: Option<String>,
    pub(super) status: Option<Status>,
    /// The first day and the last, in the zone of the page.
    pub(super) from: Option<Date>,
    pub(super) to: Option<Date>,
    pub(super) text: Option<String>,
    pub(super) place: Place,
}

impl Wish {
    /// From the address; a word that means nothing leads nowhere.
    pub(super) fn parse(asked: &Asked) -> Result<Self, Notice> {
        let mut wish = Self::default();
        for (name, value) in asked.wishes() {
            match &*name {
                "merchant" => wish.merchant = Some(value.into_owned()),
                "status" => wish.status = Some(Status::parse(&value).ok_or(Notice::NotFound)?),
                "from" => wish.from = Some(value.parse().map_err(|_| Notice::NotFound)?),
                "to" => wish.to = Some(value.parse().map_err(|_| Notice::NotFound)?),
                "q" => wish.text = Some(western(value.trim())).filter(|text| !text.is_empty()),
                "before" => wish.place = Place::Before(value.parse().map_err(|_| Notice::NotFound)?),
                "after" => wish.place = Place::After(value.parse().map_err(|_| Notice::NotFound)?),
                _ => {}
            }
        }
        Ok(wish)
    }

    /// The same for the database; a day is one of this zone.
    pub(super) fn search(&self, merchant_id: Option<i64>, zone: &TimeZone) -> Search {
        let begin = |day: Date| day.to_zoned(zone.clone()).ok().map(|begin| begin.timestamp());
        Search {
            merchant_id,
            status: self.status,
            from: self.from.and_then(begin),
            until: self.to.and_then(|day| begin(day.tomorrow().ok()?)),
            order_id: None,
            text: self.text.clone(),
        }
    }

    /// Anything but all rows is asked for.
    pub(super) fn is_narrow(&self) -> bool {
        let Self { merchant, status, from, to, text, place: _ } = self;
        merchant.is_some() || status.is_some() || from.is_some() || to.is_some() || text.is_some()
    }

    /// The same rows of another status, from the newest.
    pub(super) fn with_status(&self, status: Option<Status>) -> Self {
        Self { status, place: Place::Newest, ..self.clone() }
    }

    /// Another page of the same rows.
    pub(super) fn at(&self, place: Place) -> Self {
        Self { place, ..self.clone() }
    }

    /// As an address of this path.
    pub(super) fn address(&self, path: &str) -> String {
        let place = match self.place {
            Place::Newest => None,
            Place::Before(id) => Some(("before", id.to_string())),
            Place::After(id) => Some(("after", id.to_string())),
        };
        let fields = [
            place,
            self.merchant.clone().map(|slug| ("merchant", slug)),
            self.status.map(|status| ("status", status.word().to_owned())),
            self.from.map(|day| ("from", day.to_string())),
            self.to.map(|day| ("to", day.to_string())),
            self.text.clone().map(|text| ("q", text)),
        ];
        let mut fields = fields.into_iter().flatten().peekable();
        if fields.peek().is_none() {
            return path.to_owned();
        }
        let start = format!("{path}?");
        let length = start.len();
        form_urlencoded::Serializer::for_suffix(start, length).extend_pairs(fields).finish()
    }
}

/// Arabic keyboards write digits that order names and numbers do not have.
fn western(text: &str) -> String {
    text.chars()
        .map(|letter| match u32::from(letter) {
            code @ 0x0660..=0x0669 => char::from_digit(code - 0x0660, 10).unwrap_or(letter),
            code @ 0x06F0..=0x06F9 => char::from_digit(code - 0x06F0, 10).unwrap_or(letter),
            _ => letter,
        })
        .collect()
}

//! What in a body is about a person, so that it is found and taken out wherever it went.
//!
//! Orders are read without their buyers. But people put names into tags, titles and notes, and Daftra may repeat them: who
//! is to be forgotten is looked for by what the bodies say of them. Only text for people is touched, never what the planner
//! compares: no SKU, vendor, gateway, code or state.

use std::collections::BTreeSet;

use serde_json::Value;

use super::read::Buyer;

/// Stands where something was taken out.
pub const REMOVED: &str = "…";

/// A shorter word says nothing of anybody.
const SHORTEST: usize = 3;
/// What is longer than a name's usual prefix is looked for inside of words, too.
const WHOLE_WORDS_BELOW: usize = 6;
/// A property of a line that is shorter is a colour or a size.
const SHORTEST_PROPERTY: usize = 8;

/// Keys whose text is about a person wherever they stand.
const PERSONAL: [&str; 17] = [
    "address1",
    "address2",
    "browser_ip",
    "company",
    "contact_email",
    "credit_card_name",
    "display_name",
    "email",
    "first_name",
    "last_name",
    "latitude",
    "longitude",
    "note",
    "phone",
    "recipient",
    "staff_note",
    "vat_number",
];
/// Keys of our own columns whose text is for people; everything below any other key is left as it is.
const FOR_PEOPLE: [&str; 14] = [
    "daftra", "detail", "fields", "given", "back", "last", "line", "message", "note", "ours", "problem", "tags",
    "text", "title",
];
/// Below these a title is a key: taxes are found by theirs.
const KEYS: [&str; 2] = ["taxes", "tax_lines"];

/// What is known of a person, as it may stand in other texts.
#[derive(Clone, Default)]
pub struct Personal {
    /// Folded, none of them empty.
    words: BTreeSet<Vec<char>>,
}

/// One text of a body, and where it stands.
pub struct Found {
    pub path: String,
    pub text: String,
}

impl Personal {
    /// What a body says of people.
    #[must_use]
    pub fn of_body(body: &[u8]) -> Self {
        let mut personal = Self::default();
        for Found { text, .. } in in_body(body) {
            personal.add(&text);
        }
        personal
    }

    /// What is known of a buyer.
    pub fn add_buyer(&mut self, buyer: &Buyer) {
        let Buyer { name, email, phone, address } = buyer;
        for text in [name, email, phone, address] {
            self.add(text);
        }
        name.split_whitespace().for_each(|word| self.add(word));
    }

    /// All of another.
    pub fn extend(&mut self, other: Self) {
        self.words.extend(other.words);
    }

    /// Nothing is known of anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    fn add(&mut self, text: &str) {
        let word = folded(text.trim());
        let digits: Vec<char> = word.iter().copied().filter(char::is_ascii_digit).collect();
        let is_number = word.iter().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '(' | ')' | '.'));
        if is_number && digits.len() < WHOLE_WORDS_BELOW {
            return;
        }
        if is_number {
            self.words.insert(digits);
        }
        if word.len() >= SHORTEST {
            self.words.insert(word);
        }
    }

    /// Whether a text says anything of the person.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        self.without(text).is_some()
    }

    /// The text without the person; none if it says nothing of them.
    #[must_use]
    pub fn without(&self, text: &str) -> Option<String> {
        let letters: Vec<char> = text.chars().collect();
        let same = folded(text);
        let mut hidden = vec![false; letters.len()];
        for word in &self.words {
            let needs_edges = word.len() < WHOLE_WORDS_BELOW;
            for at in 0..(same.len() + 1).saturating_sub(word.len()) {
                let end = at + word.len();
                let is_edge = |neighbour: Option<&char>| neighbour.is_none_or(|letter| !letter.is_alphanumeric());
                let is_apart =
                    || is_edge(at.checked_sub(1).and_then(|before| same.get(before))) && is_edge(same.get(end));
                if same[at..end] == word[..] && (!needs_edges || is_apart()) {
                    hidden[at..end].fill(true);
                }
            }
        }
        if !hidden.contains(&true) {
            return None;
        }
        let mut kept = String::with_capacity(text.len());
        for (at, letter) in letters.into_iter().enumerate() {
            match (hidden[at], at.checked_sub(1).is_some_and(|before| hidden[before])) {
                (false, _) => kept.push(letter),
                (true, false) => kept.push_str(REMOVED),
                (true, true) => {}
            }
        }
        Some(kept)
    }

    /// Takes the person out of the texts of one of our own JSON columns, but for those (in small letters) that
    /// the planner compares. How many texts were changed.
    pub fn take_out(&self, value: &mut Value, compared: &BTreeSet<String>) -> u64 {
        self.walk(value, false, compared)
    }

    /// The texts of a JSON value that say something of the person.
    #[must_use]
    pub fn mentions(&self, value: &Value) -> Vec<String> {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
            Value::String(text) => Vec::from_iter(self.is_in(text).then(|| text.clone())),
            Value::Array(list) => list.iter().flat_map(|one| self.mentions(one)).collect(),
            Value::Object(fields) => fields.values().flat_map(|one| self.mentions(one)).collect(),
        }
    }

    fn walk(&self, value: &mut Value, is_for_people: bool, compared: &BTreeSet<String>) -> u64 {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) if is_for_people && !compared.contains(&text.trim().to_lowercase()) => {
                match self.without(text) {
                    Some(without) => {
                        *text = without;
                        1
                    }
                    None => 0,
                }
            }
            Value::String(_) => 0,
            Value::Array(list) => list.iter_mut().map(|one| self.walk(one, is_for_people, compared)).sum(),
            Value::Object(fields) => fields
                .iter_mut()
                .filter(|(key, _)| !KEYS.contains(&key.as_str()))
                .map(|(key, inner)| self.walk(inner, FOR_PEOPLE.contains(&key.as_str()), compared))
                .sum(),
        }
    }
}

/// The texts of a body that are about a person, each with its place.
#[must_use]
pub fn in_body(body: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_slice(body) {
        collect(&value, "", &mut found);
    }
    found
}

fn collect(value: &Value, path: &str, found: &mut Vec<Found>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        Value::Array(list) => {
            for (index, one) in list.iter().enumerate() {
                collect(one, &format!("{path}[{index}]"), found);
            }
        }
        Value::Object(fields) => {
            let is_person = fields.contains_key("first_name") || fields.contains_key("address1");
            let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default().trim();
            let mut note = |path: String, text: &str| {
                if !text.is_empty() {
                    found.push(Found { path, text: text.to_owned() });
                }
            };
            for (key, inner) in fields {
                let here = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match inner {
                    Value::String(text) if PERSONAL.contains(&key.as_str()) || (is_person && key == "name") => {
                        note(here, text);
                    }
                    // What a buyer typed.
                    Value::String(text) if key == "value" && fields.contains_key("name") => {
                        if path.contains("note_attributes[") || text.chars().count() >= SHORTEST_PROPERTY {
                            note(here, text);
                        }
                    }
                    Value::Number(number) if matches!(key.as_str(), "latitude" | "longitude") => {
                        note(here, &number.to_string());
                    }
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
                    Value::Array(_) | Value::Object(_) => {}
                }
            }
            if is_person {
                let whole = format!("{} {}", text("first_name"), text("last_name"));
                note(if path.is_empty() { "name".to_owned() } else { format!("{path}.name") }, whole.trim());
            }
            for (key, inner) in fields {
                let here = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(inner, &here, found);
            }
        }
    }
}

/// A letter for a letter, so that places in both texts are the same.
fn folded(text: &str) -> Vec<char> {
    text.chars().map(|letter| letter.to_lowercase().next().unwrap_or(letter)).collect()
}

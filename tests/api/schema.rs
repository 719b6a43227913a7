//! A small checker of JSON schemas: it knows the keywords that the description of the API uses, and stops at any other, so
//! that no rule of the description goes unchecked. An object has no field that its schema does not name.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// A description with its components.
pub(crate) struct Description(pub(crate) Value);

impl Description {
    /// What a reference means.
    pub(crate) fn at(&self, reference: &str) -> &Value {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference}: of another file"));
        self.0.pointer(pointer).unwrap_or_else(|| panic!("{reference}: there is no such thing"))
    }

    /// The thing itself, or what it refers to.
    pub(crate) fn resolved<'a>(&'a self, thing: &'a Value) -> &'a Value {
        thing.get("$ref").map_or(thing, |reference| self.at(reference.as_str().unwrap()))
    }

    /// Where a value is not what its schema says.
    pub(crate) fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(schema, value, "", &mut faults);
        faults
    }

    fn check(&self, schema: &Value, value: &Value, place: &str, faults: &mut Vec<String>) {
        let rules = schema.as_object().unwrap_or_else(|| panic!("{place}: {schema} is no schema"));
        for (keyword, rule) in rules {
            let fits = match (keyword.as_str(), value) {
                ("description" | "default" | "example", _) => true,
                ("$ref", _) => {
                    self.check(self.at(rule.as_str().unwrap()), value, place, faults);
                    true
                }
                ("anyOf", _) => rule.as_array().unwrap().iter().any(|one| self.faults(one, value).is_empty()),
                ("type", _) => {
                    let one = [rule.clone()];
                    rule.as_array()
                        .map_or(&one[..], Vec::as_slice)
                        .iter()
                        .any(|name| is_a(name.as_str().unwrap(), value))
                }
                ("enum", _) => rule.as_array().unwrap().contains(value),
                ("format", Value::String(text)) => is_written_as(rule.as_str().unwrap(), text),
                ("minimum", Value::Number(_)) => value.as_i64() >= rule.as_i64(),
                ("maximum", Value::Number(_)) => value.as_i64() <= rule.as_i64(),
                ("items", Value::Array(items)) => {
                    for (at, item) in items.iter().enumerate() {
                        self.check(rule, item, &format!("{place}[{at}]"), faults);
                    }
                    true
                }
                ("required", Value::Object(fields)) => {
                    rule.as_array().unwrap().iter().all(|name| fields.contains_key(name.as_str().unwrap()))
                }
                ("minProperties", Value::Object(fields)) => fields.len() as u64 >= rule.as_u64().unwrap(),
                ("maxProperties", Value::Object(fields)) => fields.len() as u64 <= rule.as_u64().unwrap(),
                // Beside the fields themselves, below.
                ("properties" | "additionalProperties", _) => true,
                // Of values of another type.
                ("format" | "minimum" | "maximum" | "items" | "required" | "minProperties" | "maxProperties", _) => {
                    true
                }
                (unknown, _) => panic!("{place}: the checker does not know {unknown}"),
            };
            if !fits {
                faults.push(format!("{place}: {value} breaks {keyword} {rule}"));
            }
        }
        if let Value::Object(fields) = value
            && ["properties", "additionalProperties"].iter().any(|keyword| rules.contains_key(*keyword))
        {
            self.check_fields(rules, fields, place, faults);
        }
    }

    fn check_fields(
        &self,
        rules: &Map<String, Value>,
        fields: &Map<String, Value>,
        place: &str,
        faults: &mut Vec<String>,
    ) {
        let others = rules.get("additionalProperties").unwrap_or(&Value::Bool(false));
        for (name, value) in fields {
            let here = format!("{place}.{name}");
            match (rules.get("properties").and_then(|known| known.get(name)), others) {
                (Some(schema), _) => self.check(schema, value, &here, faults),
                (None, Value::Bool(true)) => {}
                (None, Value::Bool(false)) => faults.push(format!("{here}: not described")),
                (None, schema) => self.check(schema, value, &here, faults),
            }
        }
    }
}

fn is_a(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("the checker does not know the type {unknown}"),
    }
}

fn is_written_as(format: &str, text: &str) -> bool {
    match format {
        "date-time" => text.parse::<Timestamp>().is_ok(),
        "date" => text.parse::<Date>().is_ok(),
        "decimal" => text.parse::<Decimal>().is_ok(),
        unknown => panic!("the checker does not know the format {unknown}"),
    }
}

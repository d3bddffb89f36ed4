//! A plugin's settings: a TOML table as the JSON that the plugin gets. It knows no plugin.

use serde_json::{Map, Number, Value as Json};
use toml::de::{DeTable, DeValue};

use super::document::Value;
use super::problem::Findings;

/// The JSON object of a table.
pub(super) fn object(table: &DeTable<'_>, findings: &mut Findings<'_>) -> Map<String, Json> {
    table.iter().map(|(key, value)| (key.get_ref().clone().into_owned(), json(value, findings))).collect()
}

fn json(value: &Value<'_>, findings: &mut Findings<'_>) -> Json {
    let mut cannot = |what: String, help: &str| {
        findings.at(&value.span(), what, help);
        Json::Null
    };
    match value.get_ref() {
        DeValue::String(text) => Json::String(text.clone().into_owned()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map(Json::from)
            .unwrap_or_else(|_| cannot(format!("`{integer}` is beyond 64 bits"), "choose a smaller number")),
        DeValue::Float(float) => float.as_str().parse().ok().and_then(Number::from_f64).map_or_else(
            || cannot(format!("`{}` is no number that settings can have", float.as_str()), "choose a finite number"),
            Json::Number,
        ),
        DeValue::Boolean(boolean) => Json::Bool(*boolean),
        DeValue::Datetime(date) => {
            cannot(format!("`{date}` is a date, which settings do not have"), "write it in quotes")
        }
        DeValue::Array(array) => array.iter().map(|entry| json(entry, findings)).collect(),
        DeValue::Table(table) => Json::Object(object(table, findings)),
    }
}

//! From the JSON text of a plugin's table to a configured policy, or to all faults of it at once.
//! It must never guess: a key that cannot be understood is a fault, not a default.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use alloc::{format, vec};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use crate::Policy;

/// At most this many keys are reported as faulty.
const FAULTY_KEYS_COUNT_MAX: usize = 32;

/// The policy with these settings.
///
/// # Errors
/// All faults of the settings, each a sentence that names the key.
pub(crate) fn configure<P: Policy>(text: &str) -> Result<P, Vec<String>> {
    match at_once(text) {
        Some(settings) => P::new(settings),
        None => with_care(text),
    }
}

/// Settings without a fault: each evaluation reads them again, and is not to wait for the search for faults.
fn at_once<S: DeserializeOwned>(text: &str) -> Option<S> {
    // A list of values in their order would do for a table, too.
    if text.trim_start().starts_with('{') { serde_json::from_str(text).ok() } else { None }
}

fn with_care<P: Policy>(text: &str) -> Result<P, Vec<String>> {
    let value = match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => value,
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            return Err(vec!["the settings are not a JSON object: write them as a table".to_owned()]);
        }
        Err(error) => return Err(vec![format!("the settings are not JSON: {error}")]),
    };
    match parse(&value) {
        Ok(settings) => P::new(settings),
        Err(first) => Err(all_faults::<P>(value, first)),
    }
}

/// JSON Schema of the settings; empty where there are none to make.
pub(crate) fn schema<S: JsonSchema>() -> String {
    let schema = schemars::schema_for!(S);
    let takes_none = schema.get("type").is_some_and(|kind| kind == "object")
        && schema.get("additionalProperties").is_some_and(|more| more == false)
        && schema.get("properties").is_none_or(|properties| properties.as_object().is_some_and(Map::is_empty));
    if takes_none { String::new() } else { schema.as_value().to_string() }
}

type Fault = serde_path_to_error::Error<serde_json::Error>;

fn parse<S: DeserializeOwned>(value: &Value) -> Result<S, Fault> {
    serde_path_to_error::deserialize(value)
}

/// Takes out one faulty key after the other, so that the operator sees all of them and not only the first.
fn all_faults<P: Policy>(mut settings: Value, first: Fault) -> Vec<String> {
    let mut faults = missing::<P::Settings>(&settings);
    let mut taken = Vec::new();
    let mut fault = first;
    while taken.len() < FAULTY_KEYS_COUNT_MAX {
        let Some((key, sentence)) = sentence(&fault, &settings) else {
            // What is left is a missing key: told above, or a consequence of what was taken out.
            if faults.is_empty() {
                faults.push(fault.into_inner().to_string());
            }
            return faults;
        };
        faults.push(sentence);
        if let Value::Object(table) = &mut settings {
            table.remove(&key);
        }
        taken.push(key);
        match parse(&settings) {
            Err(next) => fault = next,
            Ok(rest) => {
                // What the policy says about a key that was taken out is about its default, not about the text.
                let more = P::new(rest).err().unwrap_or_default();
                let is_about_text = |fault: &String| !taken.iter().any(|key| fault.contains(&format!("`{key}`")));
                faults.extend(more.into_iter().filter(is_about_text));
                return faults;
            }
        }
    }
    faults
}

/// Required keys that the table does not have.
fn missing<S: JsonSchema>(settings: &Value) -> Vec<String> {
    let schema = schemars::schema_for!(S);
    let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let absent = required.iter().filter_map(Value::as_str).filter(|key| settings.get(key).is_none());
    absent.map(|key| format!("`{key}` is missing")).collect()
}

/// The key of the table that a fault lies in, and the fault as a sentence; none if it lies in no key that is there.
fn sentence(fault: &Fault, settings: &Value) -> Option<(String, String)> {
    let message = fault.inner().to_string();
    let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    let mut place = fault.path().iter().filter_map(|segment| match segment {
        Segment::Map { key } => Some(key.clone()),
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    let mut path: Vec<String> = place.by_ref().collect();
    if let Some(unknown) = unknown
        && path.last().is_none_or(|last| last != unknown)
    {
        path.push(unknown.to_owned());
    }
    let key = path.first().filter(|key| settings.get(key.as_str()).is_some())?.clone();
    let path = path.join(".");
    let message = match message.split_once("`, expected ") {
        Some((_, expected)) if unknown.is_some() => format!("unknown key: expected {expected}"),
        _ if unknown.is_some() => "unknown key: there are none".to_owned(),
        _ => message,
    };
    Some((key, format!("`{path}`: {message}")))
}

//! From the cases that are written to those that are run: each combination of a matrix is a case of its own. It never runs
//! one.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::case::{CaseForm, Expect, Flex};
use super::CASES_MAX;

/// The keys of a case that a matrix can vary.
const AXES: [&str; 9] = ["asks", "cluster", "facts", "held", "now", "request", "requests", "settings", "subject"];
/// A label that stands for any.
const ANY: &str = "*";

/// All cases, each with a name of its own.
pub(super) fn all(written: Vec<CaseForm>) -> Result<Vec<(String, CaseForm)>, String> {
    let mut cases = Vec::new();
    for (index, case) in written.into_iter().enumerate() {
        let name = case.name.clone().unwrap_or_else(|| format!("case {}", index.saturating_add(1)));
        let wrong = |why: String| format!("case `{name}`: {why}");
        if case.matrix.is_empty() {
            if !case.expects.is_empty() {
                return Err(wrong("`expects` goes with a `matrix`: write `expect`".to_owned()));
            }
            cases.push((name, case));
        } else {
            cases.extend(combine(&name, &case).map_err(wrong)?);
        }
        if cases.len() > CASES_MAX {
            return Err(format!("there are more than {CASES_MAX} cases: divide the suite"));
        }
    }
    let mut names = BTreeSet::new();
    match cases.iter().find(|(name, _)| !names.insert(name.as_str())) {
        Some((twice, _)) => Err(format!("two cases are called `{twice}`: give one of them another `name`")),
        None => Ok(cases),
    }
}

/// Each combination of the matrix of a case.
fn combine(name: &str, case: &CaseForm) -> Result<Vec<(String, CaseForm)>, String> {
    if case.expect.is_some() && !case.expects.is_empty() {
        return Err("it has both `expect` and `expects`: keep one".to_owned());
    }
    let count = case.matrix.values().map(BTreeMap::len).fold(1_usize, usize::saturating_mul);
    if count == 0 || count > CASES_MAX {
        return Err(format!("its matrix has {count} combinations: it must have 1 to {CASES_MAX}"));
    }
    let plain = CaseForm { matrix: BTreeMap::new(), expects: BTreeMap::new(), ..case.clone() };
    let mut combined = vec![(Vec::new(), plain)];
    for (axis, values) in &case.matrix {
        let mut more = Vec::new();
        for (labels, form) in combined {
            for (label, value) in values {
                let mut labels: Vec<&str> = labels.clone();
                labels.push(label);
                let form = with(form.clone(), axis, value).map_err(|why| format!("`matrix.{axis}.{label}`: {why}"))?;
                more.push((labels, form));
            }
        }
        combined = more;
    }
    let mut unused: BTreeSet<&str> = case.expects.keys().map(String::as_str).collect();
    let mut cases = Vec::new();
    for (labels, mut form) in combined {
        let label = labels.join("/");
        if !case.expects.is_empty() {
            let Some((pattern, expect)) = expected(&case.expects, &labels) else {
                return Err(format!(
                    "nothing is expected of `{label}`: write `expects.\"{label}\"`, or with `*` in it"
                ));
            };
            unused.remove(pattern);
            form.expect = Some(expect.clone());
        }
        cases.push((format!("{name} [{label}]"), form));
    }
    match unused.first() {
        Some(unused) => {
            Err(format!("`expects.\"{unused}\"` is no combination of the matrix, or another one says the same"))
        }
        None => Ok(cases),
    }
}

/// What is expected of a combination: what names it with the fewest `*`.
fn expected<'a>(expects: &'a BTreeMap<String, Flex<Expect>>, labels: &[&str]) -> Option<(&'a str, &'a Flex<Expect>)> {
    let wild = |pattern: &str| pattern.split('/').filter(|label| *label == ANY).count();
    let fits = |pattern: &str| {
        let pattern: Vec<&str> = pattern.split('/').collect();
        pattern.len() == labels.len() && pattern.iter().zip(labels).all(|(word, label)| *word == ANY || word == label)
    };
    let fitting = expects.iter().filter(|(pattern, _)| fits(pattern));
    fitting.min_by_key(|(pattern, _)| wild(pattern)).map(|(pattern, expect)| (pattern.as_str(), expect))
}

/// The case with another value of a key.
fn with(mut case: CaseForm, axis: &str, value: &Value) -> Result<CaseForm, String> {
    match axis {
        "asks" => case.asks = Some(read(value)?),
        "cluster" => case.cluster = Some(read(value)?),
        "facts" => case.facts = Some(read(value)?),
        "held" => case.held = Some(read(value)?),
        "now" => case.now = Some(read(value)?),
        "request" => case.request = Some(read(value)?),
        "requests" => case.requests = Some(read(value)?),
        "settings" => case.settings = Some(read(value)?),
        "subject" => case.subject = Some(read(value)?),
        _ => {
            let axes = AXES.map(|axis| format!("`{axis}`")).join(", ");
            return Err(format!("a matrix cannot vary `{axis}`: it can vary {axes}"));
        }
    }
    Ok(case)
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

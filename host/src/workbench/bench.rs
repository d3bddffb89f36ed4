//! How long a policy takes over cases of growing size, and whether it takes longer than it did. Times are this host's and
//! compare with those of the same host only; instructions compare with those of any.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tribunal_core::case::Case;
use tribunal_engine::{Introduced, Limits, Solo};

use super::ask::Question;
use super::case::{CaseForm, Shared};
use super::syntax;
use super::{Component, Trouble, workshop};

/// Resources that the subject holds in the cases that are measured.
pub const SIZES: [usize; 4] = [1, 10, 100, 1_000];
/// Resources of a request.
const RESOURCES_EACH: usize = 10;
/// Evaluations of each size and question before any is counted.
const WARM_UP: usize = 10;
/// How old what was saved may be read.
const VERSION: u32 = 1;
/// The deadline under which is measured, in milliseconds.
const DEADLINE_MS: u64 = 10_000;
/// How much slower the median may be where nothing else is said, in percent.
pub const THRESHOLD_PERCENT_DEFAULT: f64 = 20.0;

/// What is measured of one size and one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Resources in the case.
    pub resources: usize,
    /// `review` or `enforce`.
    pub question: String,
    /// Evaluations that were counted.
    pub samples: usize,
    /// The median, in microseconds.
    pub p50_us: f64,
    /// Of twenty evaluations one took longer.
    pub p95_us: f64,
    /// Of a hundred evaluations one took longer.
    pub p99_us: f64,
    /// Evaluations that would have missed the deadline of a daemon.
    pub late: usize,
    /// Bytes of memory that an evaluation held at most.
    pub memory_bytes: usize,
    /// Wasm instructions of an evaluation, where they were counted.
    pub instructions: Option<u64>,
}

/// All that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Of this form.
    pub version: u32,
    /// Name and version of the policy.
    pub policy: String,
    /// Its SHA-256.
    pub digest: String,
    /// What was measured.
    pub rows: Vec<Row>,
}

/// Something that got slower.
#[derive(Clone, Debug, PartialEq)]
pub struct Slower {
    /// Resources in the case.
    pub resources: usize,
    /// `review` or `enforce`.
    pub question: String,
    /// The median before, in microseconds.
    pub before_us: f64,
    /// The median now.
    pub now_us: f64,
}

/// What is measured.
#[derive(Clone, Debug)]
pub struct What<'a> {
    /// `builtin:cap`, or a file.
    pub plugin: &'a str,
    /// A JSON object.
    pub settings: &'a str,
    /// Evaluations of each size and question, at most.
    pub samples: usize,
    /// The longest time for each size and question.
    pub time: Duration,
    /// Whether instructions are counted as well.
    pub instructions: bool,
    /// The limits of a daemon.
    pub limits: &'a Limits,
}

/// Measures a plugin; `told` hears of each row when it is done.
///
/// # Errors
/// Why it cannot be measured: it does not load, or faults.
pub fn measure(what: &What<'_>, mut told: impl FnMut(&Row)) -> Result<Measured, Trouble> {
    let component = Component::read(what.plugin, Path::new(""), what.limits)?;
    let trouble = |problem| Trouble::Plugin { plugin: component.label.clone(), problem: Box::new(problem) };
    let workshop = workshop();
    let configured = |introduced: Introduced| introduced.configured(what.settings, None);
    // What is late is counted, rather than cut off.
    let patient = Limits { deadline_ms: DEADLINE_MS, ..what.limits.clone() };
    let solo = Introduced::new(&workshop, component.spec(), patient.clone()).and_then(configured).map_err(trouble)?;
    let counting =
        what.instructions.then(|| Introduced::counting(&workshop, component.spec(), patient).and_then(configured));
    let counting = counting.transpose().map_err(trouble)?;
    let mut rows = Vec::new();
    for resources in SIZES {
        let case = Arc::new(case(resources).map_err(Trouble::Other)?);
        for question in Question::all(&case) {
            let word = match &question {
                Question::Review(_) => "review",
                Question::Enforce => "enforce",
                Question::EnforceIf(_) => continue,
            };
            let mut row = row(&solo, &case, &question, what)?;
            row.question = word.to_owned();
            row.resources = resources;
            row.instructions = counting.as_ref().and_then(|counting| question.ask(counting, &case).1.instructions);
            told(&row);
            rows.push(row);
        }
    }
    let info = solo.info();
    let policy = format!("{} {}", info.description.name, info.description.version);
    Ok(Measured { version: VERSION, policy, digest: info.digest.to_string(), rows })
}

fn row(solo: &Solo, case: &Arc<Case>, question: &Question, what: &What<'_>) -> Result<Row, Trouble> {
    let (mut memory_bytes, mut late) = (0, 0_usize);
    let mut times_us = Vec::new();
    let began = Instant::now();
    for round in 0..what.samples.max(1).saturating_add(WARM_UP) {
        let (answer, traces) = question.ask(solo, case);
        if let Some(fault) = answer.fault() {
            return Err(Trouble::Other(format!(
                "{question}: it ran into the fault `{}`: {}",
                fault.kind.as_str(),
                fault.detail
            )));
        }
        memory_bytes = memory_bytes.max(traces.memory_bytes);
        if round >= WARM_UP {
            times_us.push(traces.elapsed.as_secs_f64() * 1_000_000.0);
            late = late.saturating_add(usize::from(traces.elapsed > Duration::from_millis(what.limits.deadline_ms)));
        }
        if !times_us.is_empty() && began.elapsed() > what.time {
            break;
        }
    }
    times_us.sort_by(f64::total_cmp);
    Ok(Row {
        resources: 0,
        question: String::new(),
        samples: times_us.len(),
        p50_us: percentile(&times_us, 50),
        p95_us: percentile(&times_us, 95),
        p99_us: percentile(&times_us, 99),
        late,
        memory_bytes,
        instructions: None,
    })
}

/// The nearest rank of sorted values; 0 of none.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100).max(1);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// A subject who holds so many resources, in requests of ten, and asks for one more.
fn case(resources: usize) -> Result<Case, String> {
    let resource = |number: usize| {
        let env = if number.is_multiple_of(2) { "dev" } else { "prod" };
        json!({ "name": format!("node-{number}"), "labels": { "env": env, "team": "payments" } })
    };
    let numbers: Vec<usize> = (0..resources).collect();
    let held: Vec<_> = numbers
        .chunks(RESOURCES_EACH)
        .map(|numbers| {
            let resources: Vec<_> = numbers.iter().copied().map(resource).collect();
            json!({ "roles": ["node-access"], "resources": resources, "reason": "ticket 4711" })
        })
        .collect();
    let form = json!({
        "subject": { "name": "alice", "roles": ["access"], "traits": { "team": ["payments"] } },
        "held": held,
        "asks": { "roles": ["node-access"], "resources": [resource(resources)], "reason": "ticket 4712" },
    });
    let form: CaseForm = serde_json::from_value(form).map_err(|error| error.to_string())?;
    form.build(&Shared::default())
}

/// What was measured and saved before.
///
/// # Errors
/// That it cannot be read, or is of another form.
pub fn read(path: &Path) -> Result<Measured, Trouble> {
    let (text, syntax) = syntax::read(path)?;
    let measured: Measured = syntax.parse(&text).map_err(|why| Trouble::form(path, why))?;
    if measured.version != VERSION {
        return Err(Trouble::form(
            path,
            format!("it is of version {}, and this program reads {VERSION}", measured.version),
        ));
    }
    Ok(measured)
}

/// Saves what was measured.
///
/// # Errors
/// That it cannot be written.
pub fn write(path: &Path, measured: &Measured) -> Result<(), Trouble> {
    let text = serde_json::to_string_pretty(measured).map_err(|error| Trouble::unwritten(path, &error))?;
    std::fs::write(path, format!("{text}\n")).map_err(|error| Trouble::unwritten(path, &error))
}

/// Whose median is more than so many percent longer than before.
#[must_use]
pub fn slower(before: &Measured, now: &Measured, threshold_percent: f64) -> Vec<Slower> {
    let same =
        |row: &Row| before.rows.iter().find(|known| known.resources == row.resources && known.question == row.question);
    let compared = now.rows.iter().filter_map(|row| same(row).map(|known| (known.p50_us, row)));
    compared
        .filter(|(before_us, row)| row.p50_us > before_us * (1.0 + threshold_percent / 100.0))
        .map(|(before_us, row)| Slower {
            resources: row.resources,
            question: row.question.clone(),
            before_us,
            now_us: row.p50_us,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn measured(p50_us: f64) -> Measured {
        let row = |resources, p50_us| Row {
            resources,
            question: "review".to_owned(),
            samples: 1,
            p50_us,
            p95_us: p50_us,
            p99_us: p50_us,
            late: 0,
            memory_bytes: 1,
            instructions: None,
        };
        Measured { version: VERSION, policy: "p".into(), digest: "d".into(), rows: vec![row(1, 10.0), row(10, p50_us)] }
    }

    #[test]
    fn what_takes_longer_than_it_may_is_named() {
        assert_eq!(slower(&measured(100.0), &measured(120.0), 20.0), []);
        assert_eq!(slower(&measured(100.0), &measured(50.0), 0.0), []);
        let found = slower(&measured(100.0), &measured(121.0), 20.0);
        let expected = Slower { resources: 10, question: "review".into(), before_us: 100.0, now_us: 121.0 };
        assert_eq!(found, [expected]);
    }

    #[test]
    fn what_was_saved_is_read() {
        let path = tempfile::tempdir().unwrap().keep().join("before.json");
        write(&path, &measured(3.5)).unwrap();
        assert_eq!(read(&path).unwrap(), measured(3.5));
        std::fs::write(&path, "{}").unwrap();
        assert!(matches!(read(&path), Err(Trouble::Form { .. })));
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!([50, 95, 99].map(|percent| percentile(&values, percent)), [50.0, 95.0, 99.0]);
        assert_eq!((percentile(&[7.0], 99), percentile(&[], 50)), (7.0, 0.0));
    }

    #[test]
    fn cases_grow_by_what_is_held() {
        for resources in SIZES {
            let case = case(resources).unwrap();
            let held: usize = case.requests.iter().map(|entry| entry.request.resources.len()).sum();
            assert_eq!(held, resources + 1);
        }
    }
}

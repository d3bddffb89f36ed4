//! The corpus as it is declared in `corpus.toml`, and each guest's bytes. It never leaves out a guest: one without a line, or a
//! line without a guest, is an error.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::compiled::COMPILED;
use crate::harness::assemble;
use crate::made::MADE;

include!(concat!(env!("OUT_DIR"), "/texts.rs"));

const MANIFEST: &str = include_str!("../corpus.toml");
/// What settings that are to have some length are filled up with.
const FILLING: &str = "x";

/// When a guest strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strike {
    /// While it is loaded: inspected, compiled, described or configured.
    Load,
    /// When it is asked about a pending request.
    Review,
    /// When it is asked what to lock.
    Enforce,
}

/// A hostile guest, and what it must come to.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Lower case words joined by `-`.
    pub name: String,
    /// What it does, in a sentence.
    pub about: String,
    /// The component.
    pub component: Vec<u8>,
    /// When it strikes.
    pub strikes: Strike,
    /// What it must come to: the kind of a fault, what keeps it from being loaded, or `none`.
    pub fault: String,
    /// The limit that stops it, by name.
    pub limit: Option<String>,
    /// Limits that it runs into without a fault of theirs.
    pub covers: Vec<String>,
    /// All effects that it is granted, by name; none: all that it declares.
    pub effects: Option<Vec<String>>,
    /// Lower limits, or a longer deadline, by name.
    pub limits: BTreeMap<String, u64>,
    /// How often it is worth running in a long run.
    pub rounds_max: Option<u32>,
    /// Its settings, a JSON object.
    pub settings: String,
    /// How often it is asked before the answer counts.
    pub times: usize,
    /// How often it is asked at once.
    pub crowd: usize,
}

/// `corpus.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    load: BTreeMap<String, Row>,
    review: BTreeMap<String, Row>,
    enforce: BTreeMap<String, Row>,
}

/// A line of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Row {
    fault: String,
    limit: Option<String>,
    #[serde(default)]
    covers: Vec<String>,
    effects: Option<Vec<String>>,
    #[serde(default)]
    limits: BTreeMap<String, u64>,
    rounds: Option<u32>,
    #[serde(default)]
    settings_bytes: usize,
    #[serde(default = "once")]
    times: usize,
    #[serde(default = "once")]
    crowd: usize,
}

const fn once() -> usize {
    1
}

/// All guests, in the order of when they strike and of their names.
///
/// # Errors
/// Which guest cannot be built, or is not declared; this is a mistake of the corpus.
pub fn corpus() -> Result<Vec<Guest>, String> {
    let Manifest { load, review, enforce } =
        toml::from_str(MANIFEST).map_err(|error| format!("`corpus.toml` cannot be read: {error}"))?;
    let mut guests = Vec::new();
    for (strikes, rows) in [(Strike::Load, load), (Strike::Review, review), (Strike::Enforce, enforce)] {
        for (name, row) in rows {
            guests.push(guest(name, strikes, row)?);
        }
    }
    let declared: BTreeSet<&str> = guests.iter().map(|guest| guest.name.as_str()).collect();
    let texts = TEXTS.iter().map(|(name, _)| *name).chain(MADE.iter().map(|made| made.name));
    let there: BTreeSet<&str> = texts.chain(COMPILED.iter().map(|compiled| compiled.name)).collect();
    match there.difference(&declared).next() {
        None if declared.len() == guests.len() => Ok(guests),
        None => Err("a guest is declared twice in `corpus.toml`".to_owned()),
        Some(name) => Err(format!("guest `{name}` is not declared in `corpus.toml`")),
    }
}

fn guest(name: String, strikes: Strike, row: Row) -> Result<Guest, String> {
    let wrong = |error| format!("guest `{name}`: {error}");
    let compiled = COMPILED.iter().find(|compiled| compiled.name == name);
    let (about, component) = if let Some((_, text)) = TEXTS.iter().find(|(known, _)| *known == name) {
        let first = text.lines().next().unwrap_or_default();
        (first.trim_start_matches([';', ' ']).to_owned(), assemble(text).map_err(wrong)?)
    } else if let Some(made) = MADE.iter().find(|made| made.name == name) {
        (made.about.to_owned(), (made.make)().map_err(wrong)?)
    } else if let Some(compiled) = compiled {
        (compiled.about.to_owned(), compiled.component.to_vec())
    } else {
        return Err(wrong("it has no source".to_owned()));
    };
    let settings = match (row.settings_bytes, compiled.and_then(|compiled| compiled.settings)) {
        (0, settings) => settings.unwrap_or("{}").to_owned(),
        (bytes, _) => format!("{{\"a\":\"{}\"}}", FILLING.repeat(bytes)),
    };
    let Row { fault, limit, covers, effects, limits, rounds, settings_bytes: _, times, crowd } = row;
    Ok(Guest {
        name,
        about,
        component,
        strikes,
        fault,
        limit,
        covers,
        effects,
        limits,
        rounds_max: rounds,
        settings,
        times,
        crowd,
    })
}

// === impl Strike ===

impl Strike {
    /// As a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Review => "review",
            Self::Enforce => "enforce",
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use tribunal_core::opinion::FaultKind;

    use super::*;

    /// The limits of the sandbox, for people.
    const LIMITS: &str = include_str!("../../../host/engine/LIMITS.md");
    /// How many guests there are at least.
    const GUESTS_MIN: usize = 60;

    #[test]
    fn there_are_enough_guests_and_each_says_what_it_does() {
        let guests = corpus().unwrap();
        assert!(guests.len() >= GUESTS_MIN, "{}", guests.len());
        for guest in guests {
            assert!(guest.about.ends_with('.') && guest.about.len() > 10, "{}: {:?}", guest.name, guest.about);
        }
    }

    #[test]
    fn every_limit_is_run_into() {
        let guests = corpus().unwrap();
        let limits: BTreeSet<&str> =
            LIMITS.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        let met: BTreeSet<&str> =
            guests.iter().flat_map(|guest| guest.limit.iter().chain(&guest.covers)).map(String::as_str).collect();
        assert!(limits.len() >= 40, "{limits:?}");
        assert_eq!(met, limits);
    }

    #[test]
    fn every_kind_of_fault_is_caused() {
        let guests = corpus().unwrap();
        // A kind that is new here needs a guest: without one, this does not compile.
        let kinds = |kind: FaultKind| match kind {
            FaultKind::Trap => Some(FaultKind::Deadline),
            FaultKind::Deadline => Some(FaultKind::Memory),
            FaultKind::Memory => Some(FaultKind::Limit),
            FaultKind::Limit => Some(FaultKind::Nonsense),
            FaultKind::Nonsense => Some(FaultKind::NotGranted),
            FaultKind::NotGranted => Some(FaultKind::Settings),
            FaultKind::Settings => Some(FaultKind::Unavailable),
            FaultKind::Unavailable => None,
        };
        let mut kind = Some(FaultKind::Trap);
        while let Some(it) = kind {
            let causes = |guest: &&Guest| guest.strikes != Strike::Load && guest.fault == it.as_str();
            assert!(guests.iter().find(causes).is_some(), "{it:?}");
            kind = kinds(it);
        }
    }

    #[test]
    fn what_should_be_valid_is() {
        // A guest that a compiler refuses strikes with that alone.
        for guest in corpus().unwrap() {
            let is_meant = guest.strikes == Strike::Load && guest.limit.is_none();
            let valid = wasmparser::Validator::new().validate_all(&guest.component).map(drop);
            assert!(valid.is_ok() || is_meant || guest.name.ends_with("-bomb"), "{}: {valid:?}", guest.name);
        }
    }
}

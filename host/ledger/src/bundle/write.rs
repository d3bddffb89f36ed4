//! Making a bundle. It writes into a directory of its own, and never over anything.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};
use tribunal_core::Timestamp;

use super::{
    ABOUT, About, BUNDLE_RECORDS_MAX, BUNDLE_VERSION, BundleError, CHECKPOINT, OBJECT_KEYS, OBJECTS, Opened, PLUGINS,
    PUBLIC_KEY, Question, READABLE, README, RECORDS, SETTINGS, at, readable_path, record_path,
};
use crate::cases::{self, Contents, Unfit};
use crate::digest::{Digest, hex};
use crate::directory::{DIRECTORY_MODE, Segment};
use crate::note::PublicKey;
use crate::object::{Loose, key_of, unpack};
use crate::proof::Prover;
use crate::reader::{self, ReadError};
use crate::schema::{Body, Line, Panel, Time};
use crate::search::scan::scan;
use crate::search::{Filter, search};
use crate::store::SEGMENT_MODE;
use crate::verify::each;

/// What was put into a bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bundled {
    /// Records.
    pub records: usize,
    /// Objects that they refer to.
    pub objects: usize,
    /// Of them those that nobody can read any more.
    pub erased: usize,
}

/// A line that belongs to the answer.
pub(super) struct Chosen {
    segment: Segment,
    bytes: Vec<u8>,
}

/// As much of a line as choosing takes.
#[derive(Deserialize)]
struct Head {
    at: Time,
    #[serde(default)]
    decision: Option<String>,
}

/// Writes a bundle into the directory `to`, which must not exist yet.
///
/// # Errors
/// When the ledger cannot be read, a record not be proven, nothing fits, or a file not be written.
pub fn bundle(
    ledger: &Path,
    key: &PublicKey,
    question: &Question,
    to: &Path,
    made: Timestamp,
) -> Result<Bundled, BundleError> {
    let chosen = choose(ledger, question, BUNDLE_RECORDS_MAX)?;
    let prover = Prover::open(ledger, key)?;
    for directory in ["", RECORDS, OBJECTS, READABLE, PLUGINS, SETTINGS] {
        let path = to.join(directory);
        DirBuilder::new().mode(DIRECTORY_MODE).create(&path).map_err(at(&path))?;
    }
    let (mut contents, mut opened, mut panels) = (Contents::of(ledger), Opened::default(), BTreeSet::new());
    for Chosen { segment, bytes } in &chosen {
        let path = segment.path.clone();
        let damage = |why: String| ReadError::Damage { path: path.clone(), line: 0, why };
        let mut line = Line::parse(bytes).map_err(|error| damage(error.to_string()))?;
        put(&record_path(to, line.seq), prover.prove(line.seq, bytes)?.to_string().as_bytes())?;
        if let Body::Decided(decided) = &line.body {
            panels.extend(decided.panel);
            for name in cases::names(decided) {
                take(&mut contents, segment, &name, &mut opened)?;
            }
        }
        let seq = line.seq;
        cases::fill_in(&mut line, |name| opened.open(name)).map_err(|unfit| match unfit {
            Unfit::Unread(error) => damage(error.to_string()),
            Unfit::Content(_, why) => damage(why),
        })?;
        put(&readable_path(to, seq), &readable(&line))?;
    }
    for panel in panels {
        put_panel(ledger, &panel, to, &mut opened)?;
    }
    for (name, stored) in &opened.stored {
        put(&to.join(OBJECTS).join(name.to_string()), stored)?;
    }
    let sealed = opened.stored.iter().filter(|(_, stored)| crate::object::sealed_with(stored).is_some()).count();
    let done = Bundled {
        records: chosen.len(),
        objects: opened.stored.len(),
        erased: sealed.saturating_sub(opened.keys.len()),
    };
    put_around(to, key, question, made, &prover, &opened, &done)?;
    Ok(done)
}

/// A line as it stands in a readable file.
pub(super) fn readable(line: &Line) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(line).unwrap_or_default();
    text.push(b'\n');
    text
}

pub(super) fn choose(ledger: &Path, question: &Question, max: usize) -> Result<Vec<Chosen>, BundleError> {
    let Question { user, request, since, until } = question.clone();
    let within = move |at: Time| since.is_none_or(|since| at >= since) && until.is_none_or(|until| at < until);
    let of_somebody = user.is_some() || request.is_some();
    let (mut decided, mut ids) = (HashSet::new(), HashSet::new());
    if of_somebody {
        for found in search(ledger, &Filter { user, request, since, until, ..Filter::default() })? {
            let found = found?;
            decided.insert(found.seq);
            ids.insert(found.id);
        }
    }
    let count = AtomicUsize::new(0);
    let (needle, ids) = (if of_somebody { "\"kind\":" } else { "\"at\":" }, &ids);
    let chosen = each(&reader::segments(ledger)?, |segment| {
        let mut chosen = Vec::new();
        scan(segment, &[needle.as_bytes().to_vec()], |offset, bytes| {
            let head: Head = serde_json::from_slice(bytes)
                .map_err(|error| crate::search::damage(segment, offset, error.to_string()))?;
            let belongs = match (&head.decision, of_somebody) {
                (_, false) => within(head.at),
                (Some(decision), true) => ids.contains(decision),
                (None, true) => seq_of(bytes).is_some_and(|seq| decided.contains(&seq)),
            };
            if belongs && count.fetch_add(1, Ordering::Relaxed) < max {
                chosen.push(Chosen { segment: segment.clone(), bytes: bytes.to_vec() });
            }
            Ok(())
        })?;
        Ok(chosen)
    })?;
    match count.into_inner() {
        0 => Err(BundleError::Nothing),
        count if count > max => Err(BundleError::TooMany { count, max }),
        _ => Ok(chosen.into_iter().flatten().collect()),
    }
}

fn seq_of(line: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Seq {
        seq: u64,
    }
    serde_json::from_slice::<Seq>(line).ok().map(|line| line.seq)
}

/// An object of a pack, with its own key.
fn take(contents: &mut Contents, segment: &Segment, name: &Digest, into: &mut Opened) -> Result<(), BundleError> {
    if into.stored.contains_key(name) {
        return Ok(());
    }
    let stored = contents.stored(segment, name)?;
    if let Some(Some(key)) = key_of(&stored, contents.keys()).map_err(at(&segment.pack_path()))? {
        into.keys.insert(*name, key);
    }
    into.stored.insert(*name, stored);
    Ok(())
}

/// A panel's page and parts, as they are stored and in clear.
fn put_panel(ledger: &Path, panel: &Digest, to: &Path, into: &mut Opened) -> Result<(), BundleError> {
    let loose = Loose::of(ledger);
    let mut take = |name: &Digest| {
        let stored = loose.read(name).map_err(at(&loose.path_of(name)))?;
        let bytes = unpack(&stored).map_err(at(&loose.path_of(name)))?;
        into.stored.insert(*name, stored);
        Ok::<_, BundleError>(bytes)
    };
    let page: Panel = serde_json::from_slice(&take(panel)?).map_err(|error| at(&loose.path_of(panel))(error.into()))?;
    for policy in page.policies {
        for (artefact, directory) in [(policy.wasm, PLUGINS), (policy.settings, SETTINGS)] {
            let bytes = take(&artefact.object)?;
            let path = to.join(directory).join(artefact.sha256.to_string());
            if !path.exists() {
                put(&path, &bytes)?;
            }
        }
    }
    Ok(())
}

fn put_around(
    to: &Path,
    key: &PublicKey,
    question: &Question,
    made: Timestamp,
    prover: &Prover,
    opened: &Opened,
    done: &Bundled,
) -> Result<(), BundleError> {
    let keys: BTreeMap<String, String> =
        opened.keys.iter().map(|(name, key)| (name.to_string(), hex(&key.0))).collect();
    let Question { user, request, since, until } = question.clone();
    let about = About {
        v: BUNDLE_VERSION,
        ledger: key.name().to_owned(),
        made: made.into(),
        user,
        request,
        from: since,
        to: until,
        records: done.records,
    };
    let json =
        |path: &Path, text: serde_json::Result<Vec<u8>>| put(path, &text.map_err(|error| at(path)(error.into()))?);
    json(&to.join(OBJECT_KEYS), serde_json::to_vec_pretty(&keys))?;
    json(&to.join(ABOUT), serde_json::to_vec_pretty(&about))?;
    put(&to.join(PUBLIC_KEY), format!("{key}\n").as_bytes())?;
    put(&to.join(CHECKPOINT), prover.note.as_bytes())?;
    put(&to.join(README), include_bytes!("README.md"))
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), BundleError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(SEGMENT_MODE).open(path)?;
        file.write_all(bytes)
    };
    write().map_err(at(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_for_people_names_every_file_of_a_bundle() {
        let page = include_str!("README.md");
        for name in [PUBLIC_KEY, CHECKPOINT, OBJECT_KEYS, RECORDS, OBJECTS, READABLE, PLUGINS, SETTINGS, ABOUT] {
            assert!(page.contains(&format!("`{name}")), "{name}");
        }
    }
}

//! Whether a bundle is what it seems: every record proven, every object what its name says, every readable file what follows
//! from those. It never takes the bundle's word for anything, and believes no file that nothing vouches for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::write::readable;
use super::{
    ABOUT, BundleError, CHECKPOINT, FILE_BYTES_MAX, OBJECT_KEYS, OBJECTS, Opened, PLUGINS, PROOF, PUBLIC_KEY, README,
    RECORDS, SETTINGS, at, readable_path, record_path,
};
use crate::cases::{self, Unfit};
use crate::checkpoint::Checkpoint;
use crate::digest::{Digest, unhex};
use crate::note::PublicKey;
use crate::object::{Content, ObjectKey, sealed_with};
use crate::proof::Proof;
use crate::schema::{Body, Line, Panel};
use crate::verify::Finding;

/// What came of checking a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BundleVerdict {
    /// What is in it.
    pub report: BundleReport,
    /// What is wrong with it; empty, if nothing is.
    pub findings: Vec<Finding>,
}

/// What is in a bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BundleReport {
    /// Records that are proven.
    pub records: u64,
    /// The first and the last of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<(u64, u64)>,
    /// Whether none between those two is left out.
    pub without_gap: bool,
    /// How many records the checkpoint was signed for.
    pub vouched_for: u64,
    /// Objects.
    pub objects: u64,
    /// Of them those that cannot be read any more.
    pub erased: u64,
}

/// A bundle while it is checked.
struct Checking<'a> {
    bundle: &'a Path,
    /// Files that something vouches for.
    seen: BTreeSet<PathBuf>,
    opened: Opened,
    findings: Vec<Finding>,
}

/// Checks the bundle in this directory with nothing but the public key.
///
/// # Errors
/// When a file cannot be read, as opposed to being wrong.
pub fn check_bundle(bundle: &Path, key: &PublicKey) -> Result<BundleVerdict, BundleError> {
    let mut checking = Checking { bundle, seen: BTreeSet::new(), opened: Opened::default(), findings: Vec::new() };
    let mut report = BundleReport::default();
    checking.seen.extend([README, ABOUT, PUBLIC_KEY, CHECKPOINT, OBJECT_KEYS].map(|name| bundle.join(name)));
    checking.read_objects()?;
    let note = text(&bundle.join(CHECKPOINT))?;
    match Checkpoint::open(&note, key) {
        Ok(checkpoint) => report.vouched_for = checkpoint.size,
        Err(error) => checking.say(bundle.join(CHECKPOINT), None, format!("it cannot be believed: {error}")),
    }
    let mut seqs = BTreeSet::new();
    let mut panels = BTreeMap::new();
    for path in list(&bundle.join(RECORDS))? {
        match checking.record(&path, &note, key)? {
            Ok((line, panel)) => {
                if path != record_path(bundle, line) || !seqs.insert(line) {
                    checking.say(path, Some(line), format!("it proves record {line}"));
                }
                panels.extend(panel.map(|panel| (panel, line)));
            }
            Err(why) => checking.say(path, None, why),
        }
    }
    for (panel, record) in panels {
        if let Err((path, why)) = checking.panel(&panel)? {
            checking.say(path, Some(record), why);
        }
    }
    checking.all_vouched_for(bundle)?;
    report.records = seqs.len() as u64;
    report.range = seqs.first().copied().zip(seqs.last().copied());
    report.without_gap =
        report.range.is_some_and(|(first, last)| last.saturating_sub(first).saturating_add(1) == report.records);
    report.objects = checking.opened.stored.len() as u64;
    let sealed = checking.opened.stored.iter().filter(|(_, stored)| sealed_with(stored).is_some());
    report.erased = sealed.filter(|(name, _)| !checking.opened.keys.contains_key(name)).count() as u64;
    if seqs.is_empty() {
        checking.say(bundle.join(RECORDS), None, "there is no record in it".to_owned());
    }
    Ok(BundleVerdict { report, findings: checking.findings })
}

// === impl Checking ===

impl Checking<'_> {
    fn say(&mut self, path: PathBuf, record: Option<u64>, what: String) {
        self.findings.push(Finding { record, path, line: None, what });
    }

    /// All objects, each of which has to be what its name says, and their keys.
    fn read_objects(&mut self) -> Result<(), BundleError> {
        let path = self.bundle.join(OBJECT_KEYS);
        let keys: BTreeMap<String, String> = match serde_json::from_str(&text(&path)?) {
            Ok(keys) => keys,
            Err(error) => {
                self.say(path, None, format!("it is no list of keys: {error}"));
                BTreeMap::new()
            }
        };
        for (name, key) in keys {
            match (Digest::parse(&name), unhex(&key)) {
                (Some(name), Some(own)) => drop(self.opened.keys.insert(name, ObjectKey(own))),
                (_, _) => self.say(self.bundle.join(OBJECT_KEYS), None, format!("`{name}` has no key")),
            }
        }
        for path in list(&self.bundle.join(OBJECTS))? {
            let stored = bytes(&path)?;
            let name = path.file_name().and_then(|name| Digest::parse(name.to_str()?));
            match name {
                Some(name) if Digest::of(&stored) == name => drop(self.opened.stored.insert(name, stored)),
                Some(_) | None => self.say(path, None, "it is not what its name says".to_owned()),
            }
        }
        Ok(())
    }

    /// A record's number and panel, if it is proven and what it refers to is there, or what is wrong.
    fn record(
        &mut self,
        path: &Path,
        note: &str,
        key: &PublicKey,
    ) -> Result<Result<(u64, Option<Digest>), String>, BundleError> {
        if path.extension().is_none_or(|ending| ending != PROOF) {
            return Ok(Err("it is no proof".to_owned()));
        }
        self.seen.insert(path.to_owned());
        let proof = match text(path).map(|text| Proof::parse(&text)) {
            Ok(Ok(proof)) => proof,
            Ok(Err(error)) => return Ok(Err(error.to_string())),
            Err(error) => return Err(error),
        };
        if proof.checkpoint_note() != note {
            return Ok(Err("it stands on another checkpoint than the bundle's".to_owned()));
        }
        let record = match proof.check(key) {
            Ok(proven) => proven.record,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let mut line = match Line::parse(&record) {
            Ok(line) => line,
            Err(error) => return Ok(Err(format!("what it proves is no record: {error}"))),
        };
        let (mut panel, seq) = (None, line.seq);
        if let Body::Decided(decided) = &line.body {
            panel = decided.panel;
            self.seen.extend(cases::names(decided).map(|name| self.bundle.join(OBJECTS).join(name.to_string())));
        }
        if let Err(unfit) = cases::fill_in(&mut line, |name| self.opened.open(name).map_err(|error| (*name, error))) {
            let (name, why) = match unfit {
                Unfit::Unread((name, error)) => (name, error.to_string()),
                Unfit::Content(name, why) => (name, why),
            };
            return Ok(Err(format!("it refers to object `{name}`, which cannot be used: {why}")));
        }
        let in_clear = readable_path(self.bundle, seq);
        self.seen.insert(in_clear.clone());
        match fs::read(&in_clear) {
            Ok(there) if there == readable(&line) => {}
            Ok(_) => self.say(in_clear, Some(seq), "it does not say what is proven".to_owned()),
            Err(error) => self.say(in_clear, Some(seq), format!("it cannot be read: {error}")),
        }
        Ok(Ok((seq, panel)))
    }

    /// A panel's page and parts.
    fn panel(&mut self, name: &Digest) -> Result<Result<(), (PathBuf, String)>, BundleError> {
        let path_of = |name: &Digest| self.bundle.join(OBJECTS).join(name.to_string());
        let page = match self.opened.open(name) {
            Ok(Content::Bytes(page)) => serde_json::from_slice::<Panel>(&page).map_err(io::Error::from),
            Ok(Content::Erased) => Err(io::Error::other("it is sealed, and panels never are")),
            Err(error) => Err(error),
        };
        let page = match page {
            Ok(page) => page,
            Err(error) => return Ok(Err((path_of(name), format!("the panel cannot be used: {error}")))),
        };
        let mut seen = vec![path_of(name)];
        for policy in page.policies {
            for (artefact, directory) in [(policy.wasm, PLUGINS), (policy.settings, SETTINGS)] {
                let path = self.bundle.join(directory).join(artefact.sha256.to_string());
                seen.extend([path.clone(), path_of(&artefact.object)]);
                let stored = self.opened.open(&artefact.object);
                let in_clear = match fs::read(&path) {
                    Ok(bytes) => bytes,
                    Err(error) => return Ok(Err((path, format!("it cannot be read: {error}")))),
                };
                let same = matches!(&stored, Ok(Content::Bytes(bytes)) if *bytes == in_clear);
                if !same || Digest::of(&in_clear) != artefact.sha256 {
                    return Ok(Err((path, format!("it is not what `{}` was", policy.policy))));
                }
            }
        }
        self.seen.extend(seen);
        Ok(Ok(()))
    }

    /// A file that nothing vouches for has no place in a bundle: who reads it would believe it.
    fn all_vouched_for(&mut self, directory: &Path) -> Result<(), BundleError> {
        for path in list(directory)? {
            // What a link leads to is not in the bundle.
            if fs::symlink_metadata(&path).is_ok_and(|there| there.is_dir()) {
                self.all_vouched_for(&path)?;
            } else if !self.seen.contains(&path) {
                self.say(path, None, "nothing that is proven refers to it".to_owned());
            }
        }
        Ok(())
    }
}

fn list(directory: &Path) -> Result<Vec<PathBuf>, BundleError> {
    let entries = fs::read_dir(directory).map_err(at(directory))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
    let mut paths = paths.map_err(at(directory))?;
    paths.sort();
    Ok(paths)
}

fn bytes(path: &Path) -> Result<Vec<u8>, BundleError> {
    let length = fs::metadata(path).map_err(at(path))?.len();
    if length > FILE_BYTES_MAX {
        return Err(at(path)(io::Error::other(format!("{length} bytes are more than the {FILE_BYTES_MAX} of a file"))));
    }
    fs::read(path).map_err(at(path))
}

fn text(path: &Path) -> Result<String, BundleError> {
    String::from_utf8(bytes(path)?).map_err(|error| at(path)(io::Error::other(error)))
}

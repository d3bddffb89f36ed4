//! Whether the panels that decisions refer to are there, plugin by plugin. It never runs one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Finding, Ledger};
use crate::digest::Digest;
use crate::object::Loose;
use crate::schema::Panel;

/// What is wrong with these panels, named by the first record that refers to each.
pub(super) fn check(directory: &Path, panels: BTreeMap<Digest, u64>, ledger: &Ledger) -> Vec<Finding> {
    let loose = Loose::of(directory);
    let mut findings = Vec::new();
    for (panel, index) in panels {
        if let Err((object, what)) = check_one(&loose, &panel) {
            let line = ledger.place_of(index).map(|(checked, line)| (checked.segment.path.clone(), line));
            let (path, line) = line.map_or((PathBuf::new(), None), |(path, line)| (path, Some(line)));
            let what = format!("object `{object}`, of the panel that it refers to, {what}");
            findings.push(Finding { record: Some(ledger.first_seq.saturating_add(index)), path, line, what });
        }
    }
    findings
}

fn check_one(loose: &Loose, name: &Digest) -> Result<(), (Digest, String)> {
    let get = |name: &Digest| loose.get(name).map_err(|error| (*name, format!("cannot be used: {error}")));
    let page: Panel = serde_json::from_slice(&get(name)?).map_err(|error| (*name, format!("is no panel: {error}")))?;
    for policy in &page.policies {
        for artefact in [&policy.wasm, &policy.settings] {
            if Digest::of(&get(&artefact.object)?) != artefact.sha256 {
                return Err((artefact.object, format!("is not what `{}` was", policy.policy)));
            }
        }
    }
    Ok(())
}

//! The panel that decides, stored: its plugins, their settings and limits, and a page that names them all. It never decides
//! what a panel is.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use tribunal_core::opinion::Member;

use crate::digest::Digest;
use crate::object::Loose;
use crate::reader::ReadError;
use crate::schema::{Artefact, Panel, PanelPolicy};

/// The version of a panel's page.
const PANEL_VERSION: u32 = 1;

/// The parts of a panel.
#[derive(Clone, Debug)]
pub struct PanelParts {
    /// The version of the host.
    pub host: String,
    /// In the order of the configuration.
    pub policies: Vec<PolicyParts>,
}

/// The parts of a policy.
#[derive(Clone, Debug)]
pub struct PolicyParts {
    /// Its name, what is granted to it, and whether it counts.
    pub member: Member,
    /// What the plugin says its version is.
    pub version: String,
    /// The component.
    pub wasm: Vec<u8>,
    /// Its settings, a JSON text.
    pub settings: String,
    /// The limits that it runs under, by their names.
    pub limits: BTreeMap<String, u64>,
}

/// A plugin, or settings, or anything else that a panel's page names.
///
/// # Errors
/// When it is not there, or not what was stored.
pub fn object(ledger: &Path, name: &Digest) -> Result<Vec<u8>, ReadError> {
    let loose = Loose::of(ledger);
    let lacks =
        |error: io::Error| ReadError::Object { path: loose.path_of(name), object: *name, why: error.to_string() };
    loose.get(name).map_err(lacks)
}

/// The page of the panel that decisions refer to by this name.
///
/// # Errors
/// When it is not there, or none.
pub fn panel(ledger: &Path, name: &Digest) -> Result<Panel, ReadError> {
    let page = object(ledger, name)?;
    let lacks = |why: String| ReadError::Object { path: Loose::of(ledger).path_of(name), object: *name, why };
    serde_json::from_slice(&page).map_err(|error| lacks(error.to_string()))
}

// === impl PanelParts ===

impl PanelParts {
    /// Stores all of it; the name of the page.
    pub(crate) fn store(self, ledger: &Path) -> io::Result<Digest> {
        let Self { host, policies } = self;
        let loose = Loose::of(ledger);
        let put = |bytes: &[u8]| {
            let object = loose.put(bytes)?;
            Ok::<_, io::Error>(Artefact { sha256: Digest::of(bytes), object })
        };
        let mut page = Panel { v: PANEL_VERSION, host, policies: Vec::new() };
        for PolicyParts { member, version, wasm, settings, limits } in policies {
            page.policies.push(PanelPolicy {
                policy: member.name.as_str().to_owned(),
                version,
                mode: member.mode.into(),
                effects: member.effects.iter().copied().map(Into::into).collect(),
                wasm: put(&wasm)?,
                settings: put(settings.as_bytes())?,
                limits,
            });
        }
        let text = serde_json::to_vec(&page).map_err(io::Error::other)?;
        loose.put(&text)
    }
}

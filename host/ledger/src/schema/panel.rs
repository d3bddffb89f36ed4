//! The page of a panel: which policies decided, byte for byte. It never says what they decided.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Effect, Mode};
use crate::digest::Digest;

/// A panel, as decisions refer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panel {
    /// The version of this page's form: 1.
    pub v: u32,
    /// The version of the host.
    pub host: String,
    /// In the order of the configuration.
    pub policies: Vec<PanelPolicy>,
}

/// A policy of a panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanelPolicy {
    /// The plugin's name in the configuration.
    pub policy: String,
    /// What the plugin says its version is.
    pub version: String,
    /// Whether its answers count.
    pub mode: Mode,
    /// The effects granted to it, sorted.
    pub effects: Vec<Effect>,
    /// The component.
    pub wasm: Artefact,
    /// Its settings, a JSON text.
    pub settings: Artefact,
    /// The limits that it runs under, by their names.
    pub limits: BTreeMap<String, u64>,
}

/// Something that people know by its digest, and its stored object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// The SHA-256 of its bytes.
    pub sha256: Digest,
    /// The name of the object: the SHA-256 of its stored bytes.
    pub object: Digest,
}

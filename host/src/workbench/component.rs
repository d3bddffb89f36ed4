//! A plugin's bytes by what people call it, and where it is compiled: as the daemon has it. It judges nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tribunal_engine::{Limits, PluginSpec, Workshop};

use super::Trouble;
use crate::assembly;
use crate::config::{BUILTIN_PREFIX, CompiledCache};

/// The bytes of a plugin.
#[derive(Clone, Debug)]
pub struct Component {
    /// What people call it: `builtin:cap`, or a path.
    pub label: String,
    /// Its file; none: it is in this program.
    pub path: Option<PathBuf>,
    /// Its bytes, sound or not.
    pub bytes: Vec<u8>,
}

// === impl Component ===

impl Component {
    /// The plugin that `source` names: `builtin:NAME`, or a file, relative to `base`.
    ///
    /// # Errors
    /// That there is no such plugin, or that its file cannot be read.
    pub fn read(source: &str, base: &Path, limits: &Limits) -> Result<Self, Trouble> {
        if let Some(name) = source.strip_prefix(BUILTIN_PREFIX) {
            let found = tribunal_plugins::BUILTINS.iter().find(|builtin| builtin.name == name);
            let Some(builtin) = found else {
                let names =
                    tribunal_plugins::BUILTINS.iter().map(|builtin| format!("`{BUILTIN_PREFIX}{}`", builtin.name));
                let names = names.collect::<Vec<_>>().join(", ");
                return Err(Trouble::Other(format!("no policy `{name}` ships with the host: there are {names}")));
            };
            return Ok(Self { label: source.to_owned(), path: None, bytes: builtin.bytes.to_vec() });
        }
        let path = base.join(source);
        let bytes =
            assembly::read_component(&path, limits.component_bytes_max).map_err(|why| Trouble::unread(&path, &why))?;
        Ok(Self { label: path.display().to_string(), path: Some(path), bytes })
    }

    /// What the engine needs to load it.
    #[must_use]
    pub fn spec(&self) -> PluginSpec {
        PluginSpec::new("plugin", self.bytes.clone())
    }
}

/// Where the daemon of this user compiles plugins, and keeps their native code.
#[must_use]
pub fn workshop() -> Arc<Workshop> {
    assembly::workshop(&CompiledCache::Default)
}

//! The panels that decisions of a ledger name, loaded from what is stored of them. It never asks one, and never takes bytes
//! for a plugin that are not those which the panel's page names.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use tribunal_core::opinion::{Member, Mode, PolicyName};
use tribunal_core::scope::Scope;
use tribunal_engine::{Panel, PluginSpec, Workshop};
use tribunal_ledger::schema::{Panel as Page, PanelPolicy};
use tribunal_ledger::{Digest, object, panel};

use super::{Other, limits};
use crate::assembly::workshop;

/// Panels that are kept loaded: decisions come in order of time, so that few are in use at once.
const LOADED_MAX: usize = 4;

/// What is otherwise than recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Policies in shadow mode count.
    pub shadows_count: bool,
    /// Settings by plugin, key and value.
    pub settings: Vec<(String, String, Value)>,
    /// Other components, for plugins of these names.
    pub plugins: Vec<Substitute>,
}

/// Another component for a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitute {
    /// The plugin's name.
    pub plugin: String,
    /// The component.
    pub bytes: Arc<[u8]>,
}

/// A panel, ready to be asked, and what goes before it.
#[derive(Clone, Debug)]
pub(super) struct Seated<'a> {
    pub(super) panel: Shared<'a>,
    pub(super) members: Vec<Member>,
    /// Set where the configuration has a say about what is left to people.
    pub(super) guards: Option<(&'a Other, &'a Scope)>,
}

/// A panel of one's own, or of somebody else.
#[derive(Clone, Debug)]
pub(super) enum Shared<'a> {
    Own(Arc<Panel>),
    Of(&'a Panel),
}

/// A panel, or why it cannot be had.
type Had = Result<Arc<Seated<'static>>, Arc<str>>;

/// The panels of a ledger.
pub(super) struct Panels<'a> {
    ledger: &'a Path,
    change: Option<&'a Change>,
    threads: usize,
    workshop: Arc<Workshop>,
    loaded: Mutex<VecDeque<(Digest, Had)>>,
}

/// The panel of this name, as a ledger keeps it, for one thread of a crew.
///
/// # Errors
/// Why it cannot be had.
pub fn recorded_panel(ledger: &Path, name: &Digest) -> Result<Arc<Panel>, String> {
    match Panels::new(ledger, None, 1).load(name, None)?.panel {
        Shared::Own(panel) => Ok(panel),
        Shared::Of(_) => Err("a bug; please report it".to_owned()),
    }
}

// === impl Shared ===

impl Shared<'_> {
    pub(super) fn get(&self) -> &Panel {
        match self {
            Self::Own(panel) => panel,
            Self::Of(panel) => panel,
        }
    }
}

// === impl Seated ===

impl<'a> Seated<'a> {
    pub(super) fn other(other: &'a Other) -> Self {
        let members = other.panel.members();
        Self { panel: Shared::Of(&other.panel), members, guards: Some((other, &other.scope)) }
    }

    /// The place of a policy.
    pub(super) fn place(&self, name: &PolicyName) -> Option<usize> {
        self.members.iter().position(|member| member.name == *name)
    }
}

// === impl Panels ===

impl<'a> Panels<'a> {
    pub(super) fn new(ledger: &'a Path, change: Option<&'a Change>, threads: usize) -> Self {
        let workshop = workshop(&crate::config::CompiledCache::Default);
        Self { ledger, change, threads, workshop, loaded: Mutex::default() }
    }

    /// The panel of this name, or why it cannot be had.
    pub(super) fn get(&self, name: &Digest) -> Had {
        // Whoever waits here waits for just what is being loaded.
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, panel)) = loaded.iter().find(|(of, _)| of == name) {
            return panel.clone();
        }
        let before = loaded.back().and_then(|(_, panel)| panel.as_ref().ok().cloned());
        let panel = self.load(name, before.as_deref()).map(Arc::new).map_err(Arc::from);
        if loaded.len() >= LOADED_MAX {
            loaded.pop_front();
        }
        loaded.push_back((*name, panel.clone()));
        panel
    }

    fn load(&self, name: &Digest, before: Option<&Seated<'static>>) -> Result<Seated<'static>, String> {
        let page = panel(self.ledger, name).map_err(|error| error.to_string())?;
        let specs = page.policies.iter().map(|policy| self.spec(policy)).collect::<Result<Vec<_>, String>>()?;
        self.check(&page)?;
        let limits = limits::of_all(&page.policies).for_crew(self.threads);
        let before = before.map(|before| before.panel.get());
        let (panel, errors) =
            Panel::assemble(&self.workshop, specs, limits, before).map_err(|error| error.to_string())?;
        if !errors.is_empty() {
            return Err(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
        }
        Ok(Seated { members: panel.members(), panel: Shared::Own(Arc::new(panel)), guards: None })
    }

    /// A change of a plugin that the panel does not have is a mistake, not a change of nothing.
    fn check(&self, page: &Page) -> Result<(), String> {
        let Some(Change { shadows_count: _, settings, plugins }) = self.change else { return Ok(()) };
        let named = settings.iter().map(|(plugin, ..)| plugin).chain(plugins.iter().map(|other| &other.plugin));
        for name in named {
            if !page.policies.iter().any(|policy| policy.policy == *name) {
                let there: Vec<&str> = page.policies.iter().map(|policy| policy.policy.as_str()).collect();
                return Err(format!("it has no plugin `{name}` to change, only {}", there.join(", ")));
            }
        }
        Ok(())
    }

    /// A plugin as it was, with what is changed about it.
    fn spec(&self, policy: &PanelPolicy) -> Result<PluginSpec, String> {
        let PanelPolicy { policy: name, version: _, mode, effects, wasm, settings, limits: _ } = policy;
        let stored = |artefact: &tribunal_ledger::schema::Artefact| {
            let bytes = object(self.ledger, &artefact.object).map_err(|error| error.to_string())?;
            if Digest::of(&bytes) == artefact.sha256 {
                Ok(bytes)
            } else {
                Err(format!("plugin `{name}`: object `{}` is not what the panel's page names", artefact.object))
            }
        };
        let substitute =
            self.change.and_then(|change| change.plugins.iter().find(|substitute| substitute.plugin == *name));
        let bytes = match substitute {
            Some(substitute) => substitute.bytes.to_vec(),
            None => stored(wasm)?,
        };
        let settings = String::from_utf8(stored(settings)?).map_err(|error| format!("plugin `{name}`: {error}"))?;
        let shadows_count = self.change.is_some_and(|change| change.shadows_count);
        Ok(PluginSpec {
            settings: self.changed(name, settings)?,
            effects: Some(effects.iter().copied().map(Into::into).collect()),
            mode: if shadows_count { Mode::Enforce } else { (*mode).into() },
            limits: limits::of_one(policy),
            ..PluginSpec::new(name.as_str(), bytes)
        })
    }

    /// Settings with what is changed about them.
    fn changed(&self, plugin: &str, settings: String) -> Result<String, String> {
        let changes = self.change.iter().flat_map(|change| &change.settings).filter(|(of, ..)| of == plugin);
        let changes: Vec<_> = changes.collect();
        if changes.is_empty() {
            return Ok(settings);
        }
        let mut settings: Map<String, Value> =
            serde_json::from_str(&settings).map_err(|error| format!("plugin `{plugin}`: its settings: {error}"))?;
        for (_, key, value) in changes {
            settings.insert(key.clone(), value.clone());
        }
        Ok(Value::Object(settings).to_string())
    }
}

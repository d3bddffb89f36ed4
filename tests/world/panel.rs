//! The panel of a world: the policies that ship with the host, as components. It is loaded once for each combination of
//! settings, since compiling is what takes time; evaluations share nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tribunal_core::opinion::Mode;
use tribunal_engine::testing::Guest;
use tribunal_engine::{LimitOverrides, Limits, Panel, PluginSpec};

/// How long an evaluation of a guest may take.
const GUEST_DEADLINE_MS: u64 = 200;

/// Which policies, with their settings as JSON.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Panels {
    pub(crate) separation: Option<String>,
    pub(crate) cap: Option<String>,
    /// Guests of tests, before the others.
    pub(crate) guests: Vec<Seat>,
}

/// A guest's place in the panel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seat {
    name: String,
    component: Vec<u8>,
    settings: String,
    shadow: bool,
}

// === impl Seat ===

impl Seat {
    /// A guest whose opinions count.
    pub(crate) fn new(name: &str, guest: &Guest) -> Self {
        Self { name: name.to_owned(), component: guest.build(), settings: "{}".to_owned(), shadow: false }
    }

    /// A policy that ships with the host, with these settings as JSON.
    pub(crate) fn builtin(name: &str, settings: &str) -> Self {
        let builtin = tribunal_plugins::BUILTINS.iter().find(|builtin| builtin.name == name).unwrap();
        let (component, settings) = (builtin.bytes.to_vec(), settings.to_owned());
        Self { name: name.to_owned(), component, settings, shadow: false }
    }

    /// A guest who is asked but not listened to.
    pub(crate) fn shadow(name: &str, guest: &Guest) -> Self {
        Self { shadow: true, ..Self::new(name, guest) }
    }

    fn spec(&self) -> PluginSpec {
        PluginSpec {
            mode: if self.shadow { Mode::Shadow } else { Mode::Enforce },
            settings: self.settings.clone(),
            limits: LimitOverrides { deadline_ms: Some(GUEST_DEADLINE_MS), ..LimitOverrides::default() },
            ..PluginSpec::new(self.name.as_str(), self.component.clone())
        }
    }
}

// === impl Panels ===

impl Default for Panels {
    fn default() -> Self {
        Self {
            separation: Some(r#"{"classes":["prod","research"]}"#.to_owned()),
            cap: Some("{}".to_owned()),
            guests: Vec::new(),
        }
    }
}

static LOADED: OnceLock<Mutex<BTreeMap<Panels, Arc<Panel>>>> = OnceLock::new();

pub(crate) async fn load(wanted: &Panels) -> Arc<Panel> {
    let wanted = wanted.clone();
    // It blocks.
    tokio::task::spawn_blocking(move || {
        let mut loaded = LOADED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(loaded.entry(wanted.clone()).or_insert_with(|| Arc::new(compile(&wanted))))
    })
    .await
    .unwrap()
}

fn compile(wanted: &Panels) -> Panel {
    let plugin = |name: &str, bytes: &[u8], settings: &Option<String>| {
        let settings = settings.clone()?;
        Some(PluginSpec { settings, ..PluginSpec::new(name, bytes.to_vec()) })
    };
    let plugins = [
        plugin("separation", tribunal_plugins::SEPARATION, &wanted.separation),
        plugin("cap", tribunal_plugins::CAP, &wanted.cap),
    ];
    let guests = wanted.guests.iter().map(Seat::spec);
    // Debug builds on shared machines are slow, and slowness is not what is tested here.
    let limits = Limits { deadline_ms: 5_000, setup_deadline_ms: 10_000, ..Limits::default() };
    Panel::load(guests.chain(plugins.into_iter().flatten()).collect(), limits).unwrap()
}

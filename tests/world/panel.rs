//! The panel of a world: the policies that ship with the host, as components. It is loaded once for each combination of
//! settings, since compiling is what takes time; evaluations share nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tribunal_engine::{Limits, Panel, PluginSpec};

/// Which policies, with their settings as JSON.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Panels {
    pub(crate) separation: Option<String>,
    pub(crate) cap: Option<String>,
}

impl Default for Panels {
    fn default() -> Self {
        Self { separation: Some(r#"{"classes":["prod","research"]}"#.to_owned()), cap: Some("{}".to_owned()) }
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
    // Debug builds on shared machines are slow, and slowness is not what is tested here.
    let limits = Limits { deadline_ms: 5_000, setup_deadline_ms: 10_000, ..Limits::default() };
    Panel::load(plugins.into_iter().flatten().collect(), limits).unwrap()
}

//! From the plugins of a configuration to a panel: reads files, says where they are compiled, and which that do not load are
//! done without. It asks no policy about anything.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tribunal_core::opinion::{Effect, Member, Mode};
use tribunal_engine::{Health, LoadError, LoadProblem, Panel, PluginSpec, Workshop, passing_buffer};

use crate::config::{CompiledCache, Config, Plugin, Source, default_cache_dir};

/// Whether this process is the program `tribunal`, which can start itself to compile a plugin.
static IS_TRIBUNAL: AtomicBool = AtomicBool::new(false);

/// The first argument of a process that compiles a plugin.
pub(crate) const COMPILE_COMMAND: &str = "compile-a-plugin";

/// What is said where no policy could ever approve.
const NO_APPROVER: &str = "no plugin may approve: none of those that enforce declares and is granted `approve`; add one, or \
                           rehearse with `--dry-run`";

/// Says that this process is the program `tribunal`: it can start itself to compile a plugin, and keeps native code where
/// its user's caches are. What is built into another program, such as a test, does neither by itself.
pub fn this_is_tribunal() {
    IS_TRIBUNAL.store(true, Ordering::SeqCst);
}

/// Loads the panel of a configuration, all of it or none.
///
/// # Errors
/// All that is wrong with any plugin.
pub async fn load_panel(config: &Config) -> Result<Panel, Vec<String>> {
    let (panel, errors) = assemble(config, workshop(&config.cache), None).await.map_err(|error| vec![error])?;
    let mut errors = told(config, &errors);
    if errors.is_empty() && !config.dry_run && !may_approve(&panel) {
        errors.push(NO_APPROVER.to_owned());
    }
    if errors.is_empty() { Ok(panel) } else { Err(errors) }
}

/// Loads the panel of a configuration as far as it can be loaded: one bad plugin does not stop the start, as long as what is
/// left may approve anything. The seat of a bad one is vacant, and each of its answers a fault. A configuration that is wrong
/// by itself, such as settings that a plugin refuses, is told at once.
pub(super) async fn seat_panel(config: &Config) -> Result<(Panel, Arc<Workshop>), Vec<String>> {
    let (workshop, begun) = (workshop(&config.cache), Instant::now());
    let assembled = assemble(config, Arc::clone(&workshop), None).await;
    let (panel, errors) = assembled.map_err(|error| vec![error])?;
    tracing::info!(loaded = panel.policies().len(), ms = begun.elapsed().as_secs_f64() * 1_000.0, "Plugins loaded");
    let is_configured = !errors.iter().any(|error| error.problem.is_of_configuration());
    let mut errors = told(config, &errors);
    if !is_configured {
        return Err(errors);
    }
    if may_approve(&panel) || (config.dry_run && (errors.is_empty() || !panel.policies().is_empty())) {
        for error in errors {
            tracing::error!(error, "Plugin not loaded; what it might object to is left to people");
        }
        return Ok((panel, workshop));
    }
    if errors.is_empty() {
        errors.push(NO_APPROVER.to_owned());
    }
    Err(errors)
}

/// Loads the panel of a configuration, all of it or none, for a crew of so many threads that asks it directly.
///
/// # Errors
/// All that is wrong with any plugin.
pub async fn load_for_crew(config: &Config, threads: usize) -> Result<Panel, Vec<String>> {
    let mut config = config.clone();
    config.limits.engine = config.limits.engine.for_crew(threads);
    for plugin in &mut config.plugins {
        // How busy the machine is, is not to be an answer.
        (plugin.limits.deadline_ms, plugin.limits.granted_deadline_ms) = (None, None);
    }
    let (panel, errors) = assemble(&config, workshop(&config.cache), None).await.map_err(|error| vec![error])?;
    if errors.is_empty() { Ok(panel) } else { Err(told(&config, &errors)) }
}

/// Loads plugins as far as they can be; what is the same as in the panel `before` is taken over.
pub(super) async fn assemble(
    config: &Config,
    workshop: Arc<Workshop>,
    before: Option<Arc<Panel>>,
) -> Result<(Panel, Vec<LoadError>), String> {
    let (plugins, limits) = (config.plugins.clone(), config.limits.engine.clone());
    let loading = tokio::task::spawn_blocking(move || {
        let specs = plugins.iter().map(|plugin| spec(plugin, limits.component_bytes_max)).collect();
        Panel::assemble(&workshop, specs, limits, before.as_deref())
    });
    match loading.await {
        Ok(loaded) => loaded.map_err(|error| error.to_string()),
        Err(bug) => Err(format!("the policy engine ended in a bug; please report it: {bug}")),
    }
}

/// What went wrong, each with the place in the configuration.
pub(super) fn told(config: &Config, errors: &[LoadError]) -> Vec<String> {
    let tell = |error: &LoadError| {
        let plugin = config.plugins.iter().find(|plugin| Some(&plugin.name) == error.plugin.as_ref());
        match (plugin, &error.problem) {
            (Some(plugin), LoadProblem::Settings(faults)) => {
                faults.iter().map(|fault| refused(plugin, fault)).collect()
            }
            (Some(plugin), _) => vec![format!("{}: {error}", plugin.origin)],
            (None, _) => vec![error.to_string()],
        }
    };
    errors.iter().flat_map(tell).collect()
}

/// What a policy says against its settings, with the line of the setting that it names.
fn refused(plugin: &Plugin, fault: &str) -> String {
    let what = format!("plugin `{}`: refuses its settings: {fault}", plugin.name);
    let problem = plugin.places.problem(&plugin.places.named(fault), what, "");
    if problem.place.is_some() { problem.in_a_line() } else { format!("{}: {}", plugin.origin, problem.what) }
}

/// Whether an approval of any policy that is loaded would count.
pub(super) fn may_approve(panel: &Panel) -> bool {
    let approves = |member: &Member| match member.mode {
        Mode::Enforce => member.effects.contains(&Effect::Approve),
        Mode::Shadow => false,
    };
    let is_there = |health: &Health| match health {
        Health::Asked { .. } | Health::Quarantined { .. } => true,
        Health::Vacant(_) => false,
    };
    panel.members().iter().zip(panel.health()).any(|(member, seat)| approves(member) && is_there(&seat.health))
}

/// Where plugins are compiled, and where their native code is kept.
pub(crate) fn workshop(cache: &CompiledCache) -> Arc<Workshop> {
    let is_tribunal = IS_TRIBUNAL.load(Ordering::SeqCst);
    let workshop = match own_program().filter(|_| is_tribunal) {
        Some(program) => Workshop::child(program, vec![COMPILE_COMMAND.into()]),
        None => Workshop::here(),
    };
    let dir = match cache {
        CompiledCache::Dir(dir) => Some(dir.clone()),
        CompiledCache::Default if is_tribunal => {
            let dir = default_cache_dir();
            if dir.is_none() {
                tracing::info!("No place for native code; plugins are compiled at each start");
            }
            dir
        }
        CompiledCache::Default | CompiledCache::Off => None,
    };
    Arc::new(match dir {
        Some(dir) => workshop.with_cache(dir),
        None => workshop,
    })
}

/// This very program, even where its file was replaced by a newer one, which would make other native code.
fn own_program() -> Option<PathBuf> {
    let own = Path::new("/proc/self/exe");
    if own.exists() { Some(own.to_owned()) } else { std::env::current_exe().ok() }
}

/// What the engine needs to load a plugin.
pub(crate) fn spec(plugin: &Plugin, bytes_max: usize) -> PluginSpec {
    let (bytes, unread) = match &plugin.source {
        Source::Builtin(builtin) => (builtin.bytes.to_vec(), None),
        Source::File(path) => match read(path, bytes_max) {
            Ok(bytes) => (bytes, None),
            Err(why) => (Vec::new(), Some(format!("`{}` cannot be read: {why}", path.display()))),
        },
    };
    PluginSpec {
        name: plugin.name.clone(),
        bytes,
        unread,
        digest: plugin.digest,
        settings: serde_json::Value::Object(plugin.settings.clone()).to_string(),
        effects: plugin.effects.clone(),
        mode: plugin.mode,
        limits: plugin.limits.clone(),
    }
}

/// The bytes of a file; one more than there may be of one that is too long, which is enough to say so.
pub(crate) fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    if metadata.len() > most {
        return Err(format!("it has {} bytes, and the limit is {most} (`component_bytes_max`)", metadata.len()));
    }
    let mut bytes = passing_buffer(usize::try_from(metadata.len()).unwrap_or_default());
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

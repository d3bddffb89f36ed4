//! From a plugin's bytes to a policy that can be asked, and all that can be wrong on the way. Nothing of a plugin is
//! compiled before its digest, size and imports are checked, and none is half loaded.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, mpsc};

use tribunal_core::opinion::{Effect, Fault, FaultKind, PolicyName};

use crate::code::Code;
use crate::compile::{Job, Workshop};
use crate::description::Description;
use crate::digest::Digest;
use crate::engine::limits::{Limits, RaisedLimit, named};
use crate::engine::{OpenLane, Runtime};
use crate::inspect;
use crate::panel::PluginSpec;
use crate::policy::Policy;
use crate::session::{self, Sandbox};
use crate::solo::Traces;
use crate::text;

/// Faults of settings that are shown.
pub(crate) const SETTINGS_FAULTS_MAX: usize = 64;
/// Bytes that are shown of each of them, and of wasmtime's messages.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1_024;

/// What no allocator puts among smaller blocks: glibc's threshold between the heap and mappings grows to 32 MiB at most
/// (mallopt(3), `M_MMAP_THRESHOLD`), mimalloc's is half a MiB.
const NEVER_KEPT_BYTES: usize = 33 * 1024 * 1024;

/// Room for what is read, looked at and dropped while plugins are loaded. Memory that nobody writes to is none: only what was
/// read is ever resident, and a daemon does not keep for months what it needed for its start.
#[must_use]
pub fn passing_buffer(bytes: usize) -> Vec<u8> {
    Vec::with_capacity(bytes.max(NEVER_KEPT_BYTES))
}

/// Why a plugin is not loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// Which one; none: the engine itself did not start.
    pub plugin: Option<PolicyName>,
    /// What is wrong with it.
    pub problem: LoadProblem,
}

/// What can be wrong with a plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadProblem {
    /// The engine did not start.
    #[error("{0}")]
    Engine(String),
    /// Two plugins have one name.
    #[error("another plugin has the same name: give each its own")]
    SameName,
    /// Overrides that do not lower.
    #[error("{}", list(.0))]
    Raised(Vec<RaisedLimit>),
    /// The bytes are not those that the operator named.
    #[error("its digest is `{found}`, and the configuration says `{expected}`: check where the file comes from")]
    Digest {
        /// What the configuration says.
        expected: Digest,
        /// What the bytes are.
        found: Digest,
    },
    /// Larger than a limit.
    #[error("has {found} {what}, its limit is {max} (`{name}`)")]
    TooLarge {
        /// The limit.
        name: &'static str,
        /// What it counts.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there may be.
        max: u64,
    },
    /// It took more than it may to compile it.
    #[error("takes more than {max} {what}, its limit (`{name}`)")]
    Exceeded {
        /// The limit.
        name: &'static str,
        /// What it counts.
        what: &'static str,
        /// How many there may be.
        max: u64,
    },
    /// Its bytes cannot be had.
    #[error("{0}")]
    Unread(String),
    /// The process that should compile it failed, which may not be the plugin's fault.
    #[error("{0}")]
    Compiler(String),
    /// Not WebAssembly at all.
    #[error("is not WebAssembly: give the `.wasm` file of a component")]
    NotWasm,
    /// WebAssembly as text.
    #[error("is WebAssembly text: assemble it first, such as with `wasm-tools parse`")]
    Text,
    /// A core module.
    #[error("is a core module, not a component: build for `wasm32-wasip2`, or wrap it with `wasm-tools component new`")]
    CoreModule,
    /// Broken off or damaged.
    #[error("is damaged: {0}: copy it again")]
    Malformed(String),
    /// A component that is no policy.
    #[error(
        "is a component of another world: it does not export {}: build it against the world `policy` of \
         `tribunal:policy@0.1.0`",
        quoted(.missing)
    )]
    OtherWorld {
        /// What of our world it does not export.
        missing: Vec<&'static str>,
    },
    /// A component of another version of the contract.
    #[error("is built for version `{found}` of the contract, this host speaks `{ours}`: build it against that one")]
    OtherContract {
        /// Its version.
        found: String,
        /// Our version.
        ours: &'static str,
    },
    /// It wants something that policies do not get.
    #[error("imports `{import}`, which policies do not get: {remedy}")]
    Import {
        /// The import.
        import: String,
        /// What to do instead.
        remedy: &'static str,
    },
    /// It is not valid, or uses what is switched off.
    #[error("cannot be compiled: {0}")]
    Compile(String),
    /// Its imports or exports have other types than the contract's.
    #[error("does not fit the contract: {0}: build it against `tribunal:policy@0.1.0`")]
    Link(String),
    /// It did not get through `describe` or `configure`.
    #[error("{0}")]
    Setup(Fault),
    /// Its description breaks the contract.
    #[error("its description breaks the contract: {0}")]
    Description(String),
    /// Its settings are no JSON object.
    #[error("its settings are no JSON object: {0}")]
    SettingsForm(String),
    /// It refused its settings.
    #[error("refuses its settings: {}", list(.0))]
    Settings(Vec<String>),
    /// Effects are granted that it does not declare.
    #[error(
        "is granted {}, which it does not declare: it declares {}",
        quoted(&effect_names(.granted)),
        quoted(&effect_names(.declared))
    )]
    NotDeclared {
        /// What is granted beyond.
        granted: BTreeSet<Effect>,
        /// What it declares.
        declared: BTreeSet<Effect>,
    },
}

// === impl LoadProblem ===

impl LoadProblem {
    /// The limit that it is about; none: it is about none.
    #[must_use]
    pub fn limit(&self) -> Option<&'static str> {
        match self {
            Self::TooLarge { name, .. } | Self::Exceeded { name, .. } => Some(name),
            Self::Setup(fault) if fault.kind == FaultKind::Deadline => Some("setup_deadline_ms"),
            Self::Setup(fault) => named::limit_of(fault),
            Self::Description(what) => named::limit_in(what),
            Self::Engine(_)
            | Self::SameName
            | Self::Raised(_)
            | Self::Digest { .. }
            | Self::Unread(_)
            | Self::Compiler(_)
            | Self::NotWasm
            | Self::Text
            | Self::CoreModule
            | Self::Malformed(_)
            | Self::OtherWorld { .. }
            | Self::OtherContract { .. }
            | Self::Import { .. }
            | Self::Compile(_)
            | Self::Link(_)
            | Self::SettingsForm(_)
            | Self::Settings(_)
            | Self::NotDeclared { .. } => None,
        }
    }

    /// Whether it is the configuration that is wrong, whatever the plugin is like.
    #[must_use]
    pub fn is_of_configuration(&self) -> bool {
        match self {
            Self::SameName | Self::Raised(_) | Self::SettingsForm(_) | Self::Settings(_) | Self::NotDeclared { .. } => {
                true
            }
            Self::Engine(_)
            | Self::Digest { .. }
            | Self::TooLarge { .. }
            | Self::Exceeded { .. }
            | Self::Unread(_)
            | Self::Compiler(_)
            | Self::NotWasm
            | Self::Text
            | Self::CoreModule
            | Self::Malformed(_)
            | Self::OtherWorld { .. }
            | Self::OtherContract { .. }
            | Self::Import { .. }
            | Self::Compile(_)
            | Self::Link(_)
            | Self::Setup(_)
            | Self::Description(_) => false,
        }
    }
}

/// A plugin that has said what it is, and is not configured yet.
pub(crate) struct Prepared {
    pub(crate) digest: Digest,
    pub(crate) description: Description,
    pub(crate) sandbox: Arc<Sandbox>,
    /// What `describe` took.
    pub(crate) traces: Traces,
}

/// Loads one plugin. Its `describe` and `configure` run in `lane`.
pub(crate) fn load(
    runtime: &Runtime,
    workshop: &Workshop,
    spec: &PluginSpec,
    lane: &OpenLane,
    limits: Limits,
) -> Result<Policy, LoadProblem> {
    let prepared = prepare(runtime, workshop, spec, lane, limits)?;
    configure(&prepared, lane, &spec.settings, spec.effects.as_ref())
}

/// All that comes before the settings.
pub(crate) fn prepare(
    runtime: &Runtime,
    workshop: &Workshop,
    spec: &PluginSpec,
    lane: &OpenLane,
    limits: Limits,
) -> Result<Prepared, LoadProblem> {
    if let Some(why) = &spec.unread {
        return Err(LoadProblem::Unread(why.clone()));
    }
    let digest = Digest::of(&spec.bytes);
    if let Some(expected) = spec.digest
        && expected != digest
    {
        return Err(LoadProblem::Digest { expected, found: digest });
    }
    inspect::inspect(&spec.bytes, &limits)?;
    let job = Job { plugin: spec.name.as_str(), digest, bytes: &spec.bytes, limits: &limits };
    let component = workshop.component(&runtime.wasm, &job)?;
    let code = Code::link(&runtime.linker, &component)
        .map_err(|error| LoadProblem::Link(text::clip(&format!("{error:#}"), MESSAGE_BYTES_MAX)))?;
    let sandbox = Arc::new(Sandbox {
        name: spec.name.as_str().into(),
        wasm: runtime.wasm.clone(),
        ticker: Arc::clone(&runtime.ticker),
        code,
        limits,
        counting: runtime.counting,
    });

    let (given, traces) = on_worker(lane, &sandbox, |sandbox| {
        let mut traces = Traces::default();
        session::describe(sandbox, Some(&mut traces)).map(|given| (given, traces))
    })?;
    let description = Description::check(given).map_err(LoadProblem::Description)?;
    Ok(Prepared { digest, description, sandbox, traces })
}

/// The plugin with these settings, if it takes them, and these effects, if it declares them; none: all that it declares.
pub(crate) fn configure(
    prepared: &Prepared,
    lane: &OpenLane,
    settings: &str,
    effects: Option<&BTreeSet<Effect>>,
) -> Result<Policy, LoadProblem> {
    let Prepared { digest, description, sandbox, traces: _ } = prepared;
    let settings = self::settings(settings, &sandbox.limits)?;
    let effects = grant(effects, description)?;
    let tried = settings.clone();
    let refusals = on_worker(lane, sandbox, move |sandbox| session::try_settings(sandbox, &tried))?;
    if let Err(faults) = refusals {
        let faults = faults.iter().take(SETTINGS_FAULTS_MAX).map(|fault| text::clip(fault, MESSAGE_BYTES_MAX));
        return Err(LoadProblem::Settings(faults.collect()));
    }
    let (description, sandbox) = (description.clone(), Arc::clone(sandbox));
    Ok(Policy { digest: *digest, description, effects, settings, sandbox })
}

/// The settings as they are handed to the policy.
fn settings(settings: &str, limits: &Limits) -> Result<String, LoadProblem> {
    let max = limits.settings_bytes_max;
    if settings.len() > max {
        let (name, what) = ("settings_bytes_max", "bytes of settings");
        let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        return Err(LoadProblem::TooLarge { name, what, found: number(settings.len()), max: number(max) });
    }
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(settings) {
        Ok(_) => Ok(settings.to_owned()),
        Err(error) => Err(LoadProblem::SettingsForm(error.to_string())),
    }
}

/// Runs the guest on one of the engine's own threads and waits for it: the caller's stack may be anything.
pub(crate) fn on_worker<T: Send + 'static>(
    lane: &OpenLane,
    sandbox: &Arc<Sandbox>,
    call: impl FnOnce(&Sandbox) -> Result<T, Fault> + Send + 'static,
) -> Result<T, LoadProblem> {
    let (reply, answer) = mpsc::sync_channel(1);
    let sandbox = Arc::clone(sandbox);
    lane.submit(Box::new(move || {
        // Nobody listens any more only if the caller's thread is gone.
        let _ = reply.send(call(&sandbox));
    }));
    match answer.recv() {
        Ok(result) => result.map_err(LoadProblem::Setup),
        Err(mpsc::RecvError) => Err(LoadProblem::Engine("the engine gave no answer: see its log".into())),
    }
}

/// The effects that the policy gets: all that it declares, or what the operator grants of them.
fn grant(granted: Option<&BTreeSet<Effect>>, description: &Description) -> Result<BTreeSet<Effect>, LoadProblem> {
    let declared = &description.effects;
    let Some(granted) = granted else { return Ok(declared.clone()) };
    let beyond: BTreeSet<_> = granted.difference(declared).copied().collect();
    if beyond.is_empty() {
        return Ok(granted.clone());
    }
    Err(LoadProblem::NotDeclared { granted: beyond, declared: declared.clone() })
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.plugin {
            Some(plugin) => write!(f, "plugin `{plugin}`: {}", self.problem),
            None => write!(f, "policy engine: {}", self.problem),
        }
    }
}

impl std::error::Error for LoadError {}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn quoted(names: &[&str]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn effect_names(effects: &BTreeSet<Effect>) -> Vec<&'static str> {
    effects.iter().map(|effect| effect.as_str()).collect()
}

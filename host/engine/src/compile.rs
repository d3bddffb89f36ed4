//! From checked bytes to native code: from the cache, or compiled in a process of its own whose limits hold for what no
//! compiler bounds by itself. It never compiles what was not inspected, and never runs native code that this program
//! did not make.

mod cache;
mod child;
mod native;
mod parent;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::{info, warn};
use wasmtime::Engine;
use wasmtime::component::Component;

pub(crate) use self::cache::compatibility;
use self::cache::{Cache, Found, Key};
pub use self::child::compile_standard_input;
use crate::digest::Digest;
use crate::engine::limits::Limits;
use crate::load::{LoadProblem, MESSAGE_BYTES_MAX};
use crate::text;

/// Where components are compiled, and where the native code is kept.
#[derive(Debug)]
pub struct Workshop {
    place: Place,
    cache_dir: Option<PathBuf>,
    cache: OnceLock<Option<Cache>>,
    /// Held by whoever compiles: what one may take of memory and processors is not taken by several at once.
    compiling: Mutex<()>,
}

#[derive(Debug)]
enum Place {
    Here,
    Child { program: PathBuf, arguments: Vec<OsString> },
}

/// What is to be compiled, and for whom.
pub(crate) struct Job<'a> {
    pub(crate) plugin: &'a str,
    pub(crate) digest: Digest,
    pub(crate) bytes: &'a [u8],
    pub(crate) limits: &'a Limits,
}

// === impl Workshop ===

impl Workshop {
    /// Compiles in this process, within no limits but those of [`Limits`] on sizes: for components that one made oneself.
    #[must_use]
    pub const fn here() -> Self {
        Self { place: Place::Here, cache_dir: None, cache: OnceLock::new(), compiling: Mutex::new(()) }
    }

    /// Compiles in a process of its own: `program` with `arguments`, to which three more are added, has to call
    /// [`compile_standard_input`] with those and do nothing else.
    #[must_use]
    pub const fn child(program: PathBuf, arguments: Vec<OsString>) -> Self {
        Self {
            place: Place::Child { program, arguments },
            cache_dir: None,
            cache: OnceLock::new(),
            compiling: Mutex::new(()),
        }
    }

    /// The same, with native code kept in this directory, which is made if it is not there. Where it cannot be used, the
    /// log says so once, and everything is compiled anew.
    #[must_use]
    pub fn with_cache(self, dir: PathBuf) -> Self {
        Self { cache_dir: Some(dir), cache: OnceLock::new(), ..self }
    }

    /// Native code for these bytes, which were inspected.
    pub(crate) fn component(&self, wasm: &Engine, job: &Job<'_>) -> Result<Component, LoadProblem> {
        let cached = self.cache().map(|cache| (cache, Key::of(job.digest, wasm)));
        let look = || cached.as_ref().and_then(|(cache, key)| cached_component(wasm, job, cache, key));
        if let Some(component) = look() {
            return Ok(component);
        }
        let _turn = self.compiling.lock().unwrap_or_else(PoisonError::into_inner);
        // Who had the turn before may have compiled the very same.
        if let Some(component) = look() {
            return Ok(component);
        }
        let (component, code) = self.anew(wasm, job)?;
        if let Some((cache, key)) = &cached
            && let Err(error) = cache.put(key, &code)
        {
            warn!(policy.id = job.plugin, %error, "Native code cannot be cached");
        }
        Ok(component)
    }

    fn anew(&self, wasm: &Engine, job: &Job<'_>) -> Result<(Component, Vec<u8>), LoadProblem> {
        let code = match &self.place {
            Place::Here => wasm.precompile_component(job.bytes).map_err(|error| refused(&error, job.limits))?,
            Place::Child { program, arguments } => parent::compile(wasm, program, arguments, job)?,
        };
        let component = native::revive(wasm, &code).map_err(|error| refused(&error, job.limits))?;
        Ok((component, code))
    }

    fn cache(&self) -> Option<&Cache> {
        let open = || {
            let dir = self.cache_dir.as_deref()?;
            match Cache::open(dir) {
                Ok(cache) => Some(cache),
                Err(why) => {
                    info!(dir = %dir.display(), why, "No cache for native code; plugins are compiled at each start");
                    None
                }
            }
        };
        self.cache.get_or_init(open).as_ref()
    }
}

/// The component, if there is native code for it that fits.
fn cached_component(wasm: &Engine, job: &Job<'_>, cache: &Cache, key: &Key) -> Option<Component> {
    match cache.get(key, |code| native::revive(wasm, code)) {
        Found::Code(Ok(component)) => return Some(component),
        Found::Code(Err(error)) => {
            warn!(policy.id = job.plugin, %error, "Cached native code does not fit, compiled anew");
        }
        Found::Nothing => {}
        Found::Unfit(why) => warn!(policy.id = job.plugin, why, "Cached native code rejected, compiled anew"),
    }
    None
}

/// What wasmtime refuses: most often a component that is not valid, or one with more parts than a place to run in has. There
/// is no type for the latter, only words.
fn refused(error: &wasmtime::Error, limits: &Limits) -> LoadProblem {
    let text = format!("{error:#}");
    let parts = [
        ("core module instances", "core instances", "instances_max", limits.instances_max),
        ("linear memories", "memories", "memories_max", limits.memories_max),
        ("memories count", "memories", "memories_max", limits.memories_max),
        ("tables, which", "tables", "tables_max", limits.tables_max),
        ("tables count", "tables", "tables_max", limits.tables_max),
        ("minimum element size", "table elements", "table_elements_max", limits.table_elements_max),
    ];
    let known = parts.into_iter().find(|(sign, ..)| text.contains("exceeds") && text.contains(sign));
    known.map_or_else(
        || LoadProblem::Compile(text::clip(&text, MESSAGE_BYTES_MAX)),
        |(_, what, name, max)| LoadProblem::Exceeded { name, what, max: u64::try_from(max).unwrap_or(u64::MAX) },
    )
}

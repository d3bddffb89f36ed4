//! Looks at a plugin's bytes before anything is compiled: whether it is a component of our world, and what it wants from
//! the host. It reads and never runs.

use wasmparser::{
    ComponentExternalKind, ComponentTypeRef, Encoding, FunctionBody, Parser, Payload, TypeBounds, TypeRef,
};

use crate::engine::limits::Limits;
use crate::load::LoadProblem;
use crate::text;

/// The package of the contract.
const PACKAGE: &str = "tribunal:policy";
/// Its version that this host is built with.
pub(crate) const VERSION: &str = "0.1.0";
/// What the versions begin with that differ from it by additions alone. A component of an older one finds all that it knows
/// here; one of a newer one loads if it needs nothing that was added.
const LINE: &str = "0.1.";
/// What a policy exports.
const EXPORTS: [&str; 4] = ["describe", "configure", "review", "enforce"];
/// Components within components.
pub(crate) const NESTING_MAX: u32 = 16;
/// Core modules and components in a component.
pub(crate) const PARTS_MAX: u32 = 512;
/// Imports of a component.
pub(crate) const IMPORTS_MAX: u32 = 256;
/// Entries of one section.
pub(crate) const ITEMS_MAX: u32 = 1_000_000;
/// Bytes of one function's code: the largest interpreters have loops of a few hundred thousand.
pub(crate) const FUNCTION_BYTES_MAX: u32 = 1024 * 1024;
/// Locals of one function; Wasm itself allows five times as many, and compiling takes time with their number.
pub(crate) const FUNCTION_LOCALS_MAX: u32 = 10_000;
/// Bytes of the first 64 KiB page; memories count in them.
const PAGE_BYTES: u64 = 64 * 1024;

/// What of WASI is there, all of it inert or virtual: see `host/wasi.rs`.
const INERT: [(&str, &[&str]); 4] = [
    (
        "wasi:cli",
        &[
            "environment",
            "exit",
            "stdin",
            "stdout",
            "stderr",
            "terminal-input",
            "terminal-output",
            "terminal-stdin",
            "terminal-stdout",
            "terminal-stderr",
        ],
    ),
    ("wasi:clocks", &["monotonic-clock", "wall-clock"]),
    ("wasi:io", &["error", "poll", "streams"]),
    ("wasi:random", &["random", "insecure", "insecure-seed"]),
];

/// What a component's outermost layer shows.
#[derive(Default)]
struct Surface {
    imports: Vec<String>,
    functions: Vec<String>,
}

/// Says whether these bytes may be compiled.
pub(crate) fn inspect(bytes: &[u8], limits: &Limits) -> Result<(), LoadProblem> {
    let max = limits.component_bytes_max;
    if bytes.len() > max {
        return Err(LoadProblem::TooLarge {
            name: "component_bytes_max",
            what: "bytes",
            found: wide(bytes.len()),
            max: wide(max),
        });
    }
    check_kind(bytes)?;
    let surface = read(bytes, limits)?;
    for import in &surface.imports {
        check_import(import)?;
    }
    let missing = missing(&surface.functions);
    if missing.is_empty() { Ok(()) } else { Err(LoadProblem::OtherWorld { missing }) }
}

/// What of our world is not among these exports.
pub(crate) fn missing(exports: &[String]) -> Vec<&'static str> {
    EXPORTS.into_iter().filter(|export| !exports.iter().any(|found| found == export)).collect()
}

/// Tells a component from everything else by its first eight bytes.
pub(crate) fn check_kind(bytes: &[u8]) -> Result<(), LoadProblem> {
    let (Some(magic), Some(layer)) = (bytes.get(..4), bytes.get(4..8)) else { return Err(LoadProblem::NotWasm) };
    if magic != b"\0asm" {
        let start = bytes.trim_ascii_start();
        let is_text = start.starts_with(b"(module") || start.starts_with(b"(component") || start.starts_with(b";;");
        return Err(if is_text { LoadProblem::Text } else { LoadProblem::NotWasm });
    }
    // Two bytes of version, two of layer: 0 for core modules, 1 for components.
    match layer {
        [_, _, 1, 0] => Ok(()),
        [_, _, 0, 0] => Err(LoadProblem::CoreModule),
        _ => Err(LoadProblem::NotWasm),
    }
}

/// Walks through the bytes once.
fn read(bytes: &[u8], limits: &Limits) -> Result<Surface, LoadProblem> {
    let malformed = |error: wasmparser::BinaryReaderError| LoadProblem::Malformed(text::clip(&error.to_string(), 512));
    let mut surface = Surface::default();
    let (mut depth, mut parts, mut wanted, mut memories_here) = (0_u32, 0_u32, 0_u32, 0_u32);
    for payload in Parser::new(0).parse_all(bytes) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "wasmtime validates the sections that do not concern us")]
        match payload.map_err(malformed)? {
            Payload::Version { encoding, .. } if depth == 0 && encoding == Encoding::Module => {
                return Err(LoadProblem::CoreModule);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth += 1;
                memories_here = 0;
                parts += 1;
                too_many("nesting_max", "components within each other", depth, NESTING_MAX)?;
                too_many("parts_max", "modules and components", parts, PARTS_MAX)?;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::MemorySection(memories) => {
                memories_here = memories_here.saturating_add(memories.count());
                one_memory(memories_here)?;
                for memory in memories {
                    let initial = memory.map_err(malformed)?.initial.saturating_mul(PAGE_BYTES);
                    let max = wide(limits.memory_bytes_max);
                    if initial > max {
                        let (name, what) = ("memory_bytes_max", "bytes of memory from the start");
                        return Err(LoadProblem::TooLarge { name, what, found: initial, max });
                    }
                }
            }
            Payload::TypeSection(types) => items("types", types.count())?,
            Payload::ImportSection(imports) => {
                items("imports of a module", imports.count())?;
                for import in imports.into_imports() {
                    let is_memory = matches!(import.map_err(malformed)?.ty, TypeRef::Memory(_));
                    memories_here = memories_here.saturating_add(is_memory.into());
                }
                one_memory(memories_here)?;
            }
            Payload::FunctionSection(functions) => items("functions", functions.count())?,
            Payload::GlobalSection(globals) => items("globals", globals.count())?,
            Payload::ExportSection(exports) => items("exports of a module", exports.count())?,
            Payload::ElementSection(elements) => items("element segments", elements.count())?,
            Payload::DataSection(segments) => items("data segments", segments.count())?,
            Payload::CoreTypeSection(types) => items("core types", types.count())?,
            Payload::ComponentTypeSection(types) => items("component types", types.count())?,
            Payload::ComponentInstanceSection(instances) => items("instances", instances.count())?,
            Payload::ComponentAliasSection(aliases) => items("aliases", aliases.count())?,
            Payload::ComponentCanonicalSection(functions) => items("canonical functions", functions.count())?,
            Payload::CodeSectionEntry(body) => check_body(&body).map_err(malformed)??,
            Payload::ComponentImportSection(imports) if depth == 0 => {
                // Over all sections: a component may have any number of them.
                wanted = wanted.saturating_add(imports.count());
                too_many("imports_max", "imports", wanted, IMPORTS_MAX)?;
                for import in imports {
                    let import = import.map_err(malformed)?;
                    // A name for one of the contract's types, which the world itself `use`s: nothing is asked of us.
                    if !matches!(import.ty, ComponentTypeRef::Type(TypeBounds::Eq(_))) {
                        surface.imports.push(import.name.name.to_owned());
                    }
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    let export = export.map_err(malformed)?;
                    if export.kind == ComponentExternalKind::Func {
                        surface.functions.push(export.name.name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(surface)
}

/// INVARIANT: the engine compiles modules with several memories, which wasmtime makes itself; guests may not.
fn one_memory(memories: u32) -> Result<(), LoadProblem> {
    if memories <= 1 {
        return Ok(());
    }
    Err(LoadProblem::Compile("a module has multiple memories, and may have one".to_owned()))
}

fn items(what: &'static str, found: u32) -> Result<(), LoadProblem> {
    too_many("items_max", what, found, ITEMS_MAX)
}

/// One function's code: what takes a compiler more than linear time grows with the size of functions, not of modules.
fn check_body(body: &FunctionBody<'_>) -> Result<Result<(), LoadProblem>, wasmparser::BinaryReaderError> {
    let bytes = u32::try_from(body.range().len()).unwrap_or(u32::MAX);
    let mut count = 0_u32;
    for locals in body.get_locals_reader()? {
        count = count.saturating_add(locals?.0);
    }
    let size = too_many("function_bytes_max", "bytes of one function", bytes, FUNCTION_BYTES_MAX);
    Ok(size.and_then(|()| too_many("function_locals_max", "locals of one function", count, FUNCTION_LOCALS_MAX)))
}

fn too_many(name: &'static str, what: &'static str, found: u32, max: u32) -> Result<(), LoadProblem> {
    if found <= max {
        return Ok(());
    }
    Err(LoadProblem::TooLarge { name, what, found: found.into(), max: max.into() })
}

/// Whether this import exists for policies. INVARIANT: what is let through here is linked in `engine.rs`, and all of it is
/// inert.
pub(crate) fn check_import(import: &str) -> Result<(), LoadProblem> {
    let (path, version) = import.split_once('@').unwrap_or((import, ""));
    let (package, interface) = path.split_once('/').unwrap_or((path, ""));
    if package == PACKAGE {
        return match interface {
            "log" | "types" if speaks(version) => Ok(()),
            "log" | "types" => Err(LoadProblem::OtherContract { found: text::clip(version, 64), ours: VERSION }),
            _ => Err(refused(import, "the contract has no such interface")),
        };
    }
    let inert = INERT.iter().any(|(known, interfaces)| *known == package && interfaces.contains(&interface));
    if inert && version.starts_with("0.2.") {
        return Ok(());
    }
    Err(refused(import, remedy(package, inert)))
}

/// Whether components of this version of the contract may be linked.
fn speaks(version: &str) -> bool {
    let patch = version.strip_prefix(LINE).unwrap_or_default();
    !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit())
}

/// The version of the contract that an import is of, if it is of the contract.
pub(crate) fn contract_version(import: &str) -> Option<&str> {
    let (path, version) = import.split_once('@')?;
    path.strip_prefix(PACKAGE)?.starts_with('/').then_some(version)
}

fn refused(import: &str, remedy: &'static str) -> LoadProblem {
    LoadProblem::Import { import: text::clip(import, 256), remedy }
}

/// What to do instead.
fn remedy(package: &str, inert: bool) -> &'static str {
    match package {
        _ if inert => {
            "only version 0.2 of it is there: build for `wasm32-wasip2` or componentize with WASI stubbed out"
        }
        "wasi:filesystem" => "a policy has no files: put what it needs into its settings or into facts",
        "wasi:sockets" | "wasi:http" => "a policy has no network: let the operator configure what it needs as a fact",
        "wasi:clocks" => "a policy has no clock but `case.now`",
        _ => "remove it: a policy sees its case and nothing else",
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

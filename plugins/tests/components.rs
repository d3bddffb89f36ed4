//! What the built components are, read from their bytes.
//! It must never run them: that is the engine's.

#![expect(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "tests")]

use std::collections::BTreeSet;

use tribunal_plugins::{BUILTINS, Builtin};
use wasmparser::{ComponentTypeRef, Parser, Payload, Validator, WasmFeatures};

/// Largest component, in bytes: instances stay cheap, and a dependency that creeps in is noticed.
const COMPONENT_BYTES_MAX: usize = 640 * 1024;
/// The same of `window`, which carries the time zones of the world.
const WINDOW_BYTES_MAX: usize = 896 * 1024;

/// Names of the imports and exports of the component itself, without those of parts inside of it.
fn names(component: &[u8]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut imports, mut exports) = (BTreeSet::new(), BTreeSet::new());
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                // Types by themselves bring nothing: the contract's world names its own.
                let imported = section.into_iter().map(Result::unwrap);
                let imported = imported.filter(|import| !matches!(import.ty, ComponentTypeRef::Type(_)));
                imports.extend(imported.map(|import| import.name.name.to_owned()));
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                exports.extend(section.into_iter().map(|export| export.unwrap().name.name.to_owned()));
            }
            _ => {}
        }
    }
    (imports, exports)
}

fn is_inert(import: &str) -> bool {
    let interface = import.split('@').next().unwrap();
    match interface.split_once('/') {
        Some(("tribunal:policy", "log" | "types")) => true,
        Some(("wasi:cli", name)) => {
            matches!(name, "environment" | "exit" | "stdin" | "stdout" | "stderr") || name.starts_with("terminal-")
        }
        Some(("wasi:io", name)) => matches!(name, "error" | "poll" | "streams"),
        _ => false,
    }
}

#[test]
fn the_built_in_policies_are_valid_components_of_this_contract() {
    assert_eq!(BUILTINS.len(), 10);
    for Builtin { name, bytes } in BUILTINS {
        Validator::new_with_features(WasmFeatures::default()).validate_all(bytes).unwrap();
        let (imports, exports) = names(bytes);
        assert_eq!(exports, ["configure", "describe", "enforce", "review"].map(str::to_owned).into(), "{name}");
        assert!(imports.contains("tribunal:policy/types@0.1.0"), "{name}: {imports:?}");
    }
}

#[test]
fn the_built_in_policies_import_nothing_but_the_log_and_what_is_inert() {
    for Builtin { name, bytes } in BUILTINS {
        let foreign: Vec<_> = names(bytes).0.into_iter().filter(|import| !is_inert(import)).collect();
        assert_eq!(foreign, [""; 0], "{name}");
    }
}

#[test]
fn clocks_randomness_files_and_sockets_are_not_inert() {
    for import in [
        "wasi:clocks/wall-clock@0.2.6",
        "wasi:random/random@0.2.6",
        "wasi:filesystem/types@0.2.6",
        "wasi:sockets/tcp@0.2.6",
        "wasi:cli/run@0.2.6",
        "tribunal:policy/other@0.1.0",
        "env",
    ] {
        assert!(!is_inert(import), "{import}");
    }
}

#[test]
fn the_built_in_policies_stay_small() {
    for Builtin { name, bytes } in BUILTINS {
        let max = if *name == "window" { WINDOW_BYTES_MAX } else { COMPONENT_BYTES_MAX };
        assert!(bytes.len() <= max, "{name} has {} bytes", bytes.len());
    }
}

#[test]
fn the_built_in_policies_hold_no_path_of_the_machine_that_built_them() {
    let workspace = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let places = [Some(workspace.to_owned()), std::env::home_dir()];
    for place in places.iter().flatten().filter(|place| place.components().count() > 1) {
        let needle = format!("{}/", place.display());
        for Builtin { name, bytes } in BUILTINS {
            assert!(!bytes.windows(needle.len()).any(|part| part == needle.as_bytes()), "{name} holds `{needle}`");
        }
    }
}

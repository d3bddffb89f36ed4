//! Wraps a core module into a component, with an adapter for what its language's library imports of WASI's first preview. The
//! adapter is ours: its clock stands still, its chance is always the same, and there are no files.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const CONTRACT: &str = include_str!("../../../../wit/policy.wit");
const ADAPTER: &str = include_str!("preview1.wat");
const ADAPTER_WORLD: &str = include_str!("preview1.wit");
/// What modules call the first preview.
const PREVIEW1: &str = "wasi_snapshot_preview1";

/// The component that these bytes are already, or that is made of the module that they are.
pub(super) fn component(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    // Two bytes of layer follow two of version: 0 for core modules, 1 for components.
    if bytes.get(6..8) != Some(&[0, 0]) {
        return Ok(bytes);
    }
    wrap(bytes).map_err(|error| format!("the module cannot be made a component: {error:#}"))
}

fn wrap(module: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let module = with_world(module, "policy.wit", CONTRACT)?;
    let adapter = with_world(wat::parse_str(ADAPTER)?, "preview1.wit", ADAPTER_WORLD)?;
    ComponentEncoder::default().validate(true).module(&module)?.adapter(PREVIEW1, &adapter)?.encode()
}

/// The module with a section that says of which world it is.
fn with_world(mut module: Vec<u8>, path: &str, wit: &str) -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str(path, wit)?;
    let world = resolve.select_world(&[package], None)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    Ok(module)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// The contract's exports, which trap, and an import.
    const MODULE: &str = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open"
            (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
        (func (export "describe") (result i32) unreachable)
        (func (export "configure") (param i32 i32) (result i32) unreachable)
        (func (export "review") (param i32) (result i32) unreachable)
        (func (export "enforce")
            (param i64 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable))"#;

    fn imports(component: &[u8]) -> Vec<String> {
        let seen = tribunal_engine::Anatomy::of(component, &tribunal_engine::Limits::default());
        assert_eq!(seen.problem, None);
        seen.imports.into_iter().map(|import| import.name).collect()
    }

    #[test]
    fn a_module_becomes_a_component_without_files_or_clocks() {
        let component = component(wat::parse_str(MODULE).unwrap()).unwrap();
        let imports = imports(&component);
        let expected =
            ["tribunal:policy/types@0.1.0", "wasi:io/error@0.2.0", "wasi:io/streams@0.2.0", "wasi:cli/stderr@0.2.0"];
        assert!(imports.iter().all(|import| expected.contains(&import.as_str())), "{imports:?}");
    }

    #[test]
    fn a_module_that_imports_nothing_of_wasi_gets_nothing_of_it() {
        let lines = MODULE
            .lines()
            .filter(|line| !line.contains("import") && !line.contains("(func (param i32 i32 i32 i32 i32 i64"));
        let module: String = lines.collect();
        let imports = imports(&component(wat::parse_str(module).unwrap()).unwrap());
        assert!(imports.iter().all(|import| import.starts_with("tribunal:policy/")), "{imports:?}");
    }

    #[test]
    fn what_is_a_component_already_stays_as_it_is() {
        let bytes = wat::parse_str("(component)").unwrap();
        assert_eq!(component(bytes.clone()), Ok(bytes));
    }

    #[test]
    fn a_module_of_another_world_is_refused_with_what_is_missing() {
        let error = component(wat::parse_str("(module)").unwrap()).unwrap_err();
        assert!(error.starts_with("the module cannot be made a component: ") && error.contains("describe"), "{error}");
    }
}

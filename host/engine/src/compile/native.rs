//! The one unsafe call of this crate: native code becomes a component that can be run. It never looks for code itself.

use wasmtime::Engine;
use wasmtime::component::Component;

/// The component whose native code this is.
///
/// # Errors
/// If `code` was made by another wasmtime, for another machine or with other settings: wasmtime looks at its head.
#[expect(unsafe_code, reason = "native code is trusted: see the argument at the call")]
pub(super) fn revive(wasm: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `deserialize` must be given what `precompile_component` made, unchanged. All that calls this function is
    // `super::Workshop`, with bytes of three kinds, and it never takes any from the plugin, the network or the configuration:
    // * made by `precompile_component` in this process, never stored;
    // * read from the pipe of a child process that `parent` has just started from the operator's own program, with a SHA-256 in
    //   front that a torn or mixed output would not match. Cranelift in the child is memory safe and gives what it would give
    //   here: what comes from there is trusted exactly as far as compiling in this process would be;
    // * read from the cache: a regular file in a directory, both owned by our own user and writable by nobody else, whose
    //   SHA-256 over these very bytes (read once, into our memory) is right. Who can forge that can replace this program.
    unsafe { Component::deserialize(wasm, code) }
}

//! What the standard library would bring to a component: memory, and what becomes of a panic.
//! It must never be linked beside the standard library, which has its own.

mod memory;
mod message;

#[cfg(target_arch = "wasm32")]
mod wasm;

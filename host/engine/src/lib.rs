//! x
mod bindings;
mod host;

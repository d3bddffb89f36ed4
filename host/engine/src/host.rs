//! x
pub(crate) mod wasi;

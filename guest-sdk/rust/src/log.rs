//! Lines for the operator's log: to the host in a component, to [`testing::logs`](crate::testing::logs) in a native test.
//! It must never carry a decision: the host may drop lines, and nobody has to read them.

pub use crate::bindings::tribunal::policy::log::Level;

/// Details that help the policy's author.
pub fn debug(message: impl AsRef<str>) {
    write(Level::Debug, message.as_ref());
}

/// Something that the operator may want to know.
pub fn info(message: impl AsRef<str>) {
    write(Level::Info, message.as_ref());
}

/// Something that the operator should look at.
pub fn warn(message: impl AsRef<str>) {
    write(Level::Warn, message.as_ref());
}

#[cfg(target_arch = "wasm32")]
fn write(level: Level, message: &str) {
    crate::bindings::tribunal::policy::log::write(level, message);
}

#[cfg(not(target_arch = "wasm32"))]
fn write(level: Level, message: &str) {
    crate::testing::capture(level, message);
}

//! The policy `separation`: two classes of access are never held together.
//! It must never lock a request that conflicts with nothing.

use tribunal_guest::prelude::*;

/// The configured policy.
#[derive(Clone, Debug)]
pub struct Separation;

tribunal_guest::export!(Separation);

impl Policy for Separation {
    type Settings = NoSettings;

    fn describe() -> Description {
        description(
            "separation",
            env!("CARGO_PKG_VERSION"),
            "two classes of access are never held together",
        )
    }

    fn new(_settings: NoSettings) -> Result<Self, Vec<String>> {
        Ok(Self)
    }
}

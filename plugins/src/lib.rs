//! The reference policies as Wasm components, to be shipped inside of the host's binary.
//! It must never give the host anything but bytes: a built-in policy is loaded and distrusted like any other plugin.

/// The policy `cap`: at most so many resources for a user, the oldest give way.
pub const CAP: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/cap.wasm"));

/// The policy `separation`: two classes of access are never held together.
pub const SEPARATION: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/separation.wasm"));

/// A policy that ships with the host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Builtin {
    /// What stands behind `builtin:` in a configuration.
    pub name: &'static str,
    /// The component.
    pub bytes: &'static [u8],
}

/// All of them, in the order in which a panel asks them by default.
pub const BUILTINS: &[Builtin] =
    &[Builtin { name: "separation", bytes: SEPARATION }, Builtin { name: "cap", bytes: CAP }];

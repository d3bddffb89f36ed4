//! The policies that ship with the host, as Wasm components inside of its binary.
//! It must never give the host anything but bytes: a built-in policy is loaded and distrusted like any other plugin.

/// A policy that ships with the host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Builtin {
    /// What stands behind `builtin:` in a configuration.
    pub name: &'static str,
    /// The component. What no panel names is never looked at.
    pub bytes: &'static [u8],
}

macro_rules! builtin {
    ($name:literal) => {
        Builtin { name: $name, bytes: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".wasm")) }
    };
}

/// The policy `cap`: at most so many resources for a user, the oldest give way.
pub const CAP: &[u8] = builtin!("cap").bytes;

/// The policy `separation`: two classes of access are never held together.
pub const SEPARATION: &[u8] = builtin!("separation").bytes;

/// All of them: first the two of the Go program that tribunal replaces, in the order in which its flags ask them.
pub const BUILTINS: &[Builtin] = &[
    builtin!("separation"),
    builtin!("cap"),
    builtin!("allow-rules"),
    builtin!("break-glass"),
    builtin!("duration"),
    builtin!("reason-quality"),
    builtin!("throttle"),
    builtin!("ticket"),
    builtin!("two-person"),
    builtin!("window"),
];

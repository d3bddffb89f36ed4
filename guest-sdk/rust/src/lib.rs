//! What the author of a tribunal policy needs: the types of the contract, a trait with defaults, and an export macro.
//! It must never give a policy a clock, randomness, files or a network: a policy sees its settings and its case.
//!
//! A whole policy:
//!
//! ```
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//! use tribunal_guest::prelude::*;
//!
//! /// Leaves what is asked for outside of office hours to people.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct OfficeHours {
//!     /// First hour of the day, UTC.
//!     from: u64,
//!     /// The hour at which the office closes, UTC.
//!     until: u64,
//! }
//!
//! impl Policy for OfficeHours {
//!     type Settings = Self;
//!
//!     fn describe() -> Description {
//!         description("office-hours", "0.1.0", "leaves requests outside of office hours to people")
//!             .rule("office-closed", "asked for outside of office hours")
//!             .effect(Effect::Escalate)
//!     }
//!
//!     fn new(settings: Self) -> Result<Self, Vec<String>> {
//!         Ok(settings)
//!     }
//!
//!     fn review(&self, case: &Case, _request: &AccessRequest) -> Opinion {
//!         let hour = case.now / 3_600_000 % 24;
//!         if (self.from..self.until).contains(&hour) {
//!             return abstain();
//!         }
//!         escalate("office-closed", format!("the office is open from {} to {} h UTC", self.from, self.until))
//!     }
//! }
//!
//! tribunal_guest::export!(OfficeHours);
//! # fn main() {}
//! ```
//!
//! It is tested where it is written, by plain `cargo test`:
//!
//! ```
//! # use schemars::JsonSchema;
//! # use serde::Deserialize;
//! use tribunal_guest::prelude::*;
//! use tribunal_guest::testing::{case, configure, held, pending};
//! # #[derive(Debug, Deserialize, JsonSchema)]
//! # struct Frugal { most: usize }
//! # impl Policy for Frugal {
//! #     type Settings = Self;
//! #     fn describe() -> Description { description("frugal", "0.1.0", "").rule("greedy", "").effect(Effect::Deny) }
//! #     fn new(settings: Self) -> Result<Self, Vec<String>> { Ok(settings) }
//! #     fn review(&self, case: &Case, _request: &AccessRequest) -> Opinion {
//! #         if case.held().count() < self.most { abstain() } else { deny("greedy", "you hold enough") }
//! #     }
//! # }
//!
//! let case = case("alice").request(held("r1").nodes(["web-1"])).request(pending("r2").nodes(["web-2"])).build();
//! let policy = configure::<Frugal>(r#"{"most": 1}"#).unwrap();
//! assert_eq!(policy.review(&case, case.find("r2").unwrap()), deny("greedy", "you hold enough"));
//! ```
//!
//! Without the standard library a component imports nothing but the log, is smaller and answers sooner: leave the feature
//! `std` away, and begin the policy's crate with `#![cfg_attr(target_arch = "wasm32", no_std)]`. The prelude then
//! has what the standard library's would have. A panic's message goes to the operator's log, and memory is not taken back
//! before the instance ends, which is with its answer.

#![cfg_attr(all(target_arch = "wasm32", not(feature = "std")), no_std)]
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "tests"))]

extern crate alloc;

#[cfg(any(test, all(target_arch = "wasm32", not(feature = "std"))))]
mod bare;
#[doc(hidden)]
pub mod bindings;
mod case;
pub mod log;
mod opinion;
mod policy;
#[doc(hidden)]
pub mod runtime;
mod settings;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use bindings::tribunal::policy::types::{
    AccessRequest, Attribute, Case, Decider, Description, Effect, Fact, Ground, Lock, LockOrder, Opinion, RequestKind,
    RequestState, RequestedResource, Review, Rule, Subject, Timestamp,
};
pub use case::EXEMPT_ANNOTATION;
pub use opinion::{REASON_BYTES_MAX, abstain, approve, deny, deny_all, escalate, ground, lock};
pub use policy::{NoSettings, Policy, description};

/// All that a policy usually names, for `use tribunal_guest::prelude::*`.
pub mod prelude {
    pub use alloc::borrow::ToOwned;
    pub use alloc::boxed::Box;
    pub use alloc::string::{String, ToString};
    pub use alloc::vec::Vec;
    pub use alloc::{format, vec};

    pub use crate::{
        AccessRequest, Attribute, Case, Decider, Description, Effect, Fact, Ground, Lock, LockOrder, NoSettings,
        Opinion, Policy, RequestKind, RequestState, RequestedResource, Review, Rule, Subject, Timestamp, abstain,
        approve, deny, deny_all, description, escalate, ground, lock, log,
    };
}

/// Makes a [`Policy`] the one that this component exports. Once for each component.
///
/// Built for anything but Wasm, it only checks that the type is a policy, so that several policies can be linked into
/// one native test.
#[macro_export]
macro_rules! export {
    ($policy:ty) => {
        const _: () = {
            // Natively nothing calls the policy; without this the compiler would call it dead code.
            #[cfg(not(target_arch = "wasm32"))]
            #[used]
            static DESCRIBE: fn() -> $crate::Description = $crate::runtime::describe::<$policy>;

            #[cfg(target_arch = "wasm32")]
            static POLICY: $crate::runtime::Slot<$policy> = $crate::runtime::Slot::new();

            #[cfg(target_arch = "wasm32")]
            struct Exported;

            #[cfg(target_arch = "wasm32")]
            impl $crate::bindings::Guest for Exported {
                fn describe() -> $crate::Description {
                    $crate::runtime::describe::<$policy>()
                }

                fn configure(
                    settings: $crate::runtime::String,
                ) -> ::core::result::Result<(), $crate::runtime::Vec<$crate::runtime::String>> {
                    POLICY.configure(&settings)
                }

                // The instance ends with its answer, and so does its memory: a case is not taken apart piece by piece.
                fn review(case: $crate::Case, request: $crate::runtime::String) -> $crate::Opinion {
                    let case = ::core::mem::ManuallyDrop::new(case);
                    POLICY.review(&case, &request)
                }

                fn enforce(case: $crate::Case) -> $crate::runtime::Vec<$crate::LockOrder> {
                    let case = ::core::mem::ManuallyDrop::new(case);
                    POLICY.enforce(&case)
                }
            }

            #[cfg(target_arch = "wasm32")]
    $crate::bindings::__export_bindings!(Exported with_types_in $crate::bindings);
        };
    };
}

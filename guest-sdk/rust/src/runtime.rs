//! What [`export!`](crate::export) expands to calls: the one configured policy of this instance.
//! It must never decide anything; a call outside of the contract traps, which the host takes for a fault.

use alloc::borrow::ToOwned as _;
pub use alloc::string::String;
use alloc::vec;
pub use alloc::vec::Vec;
use core::cell::OnceCell;

use crate::{Case, Description, LockOrder, Opinion, Policy, settings};

/// Holds the policy between `configure` and the one call that follows.
#[derive(Debug)]
pub struct Slot<P> {
    policy: OnceCell<P>,
}

// === impl Slot ===

impl<P> Slot<P> {
    /// Not configured yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { policy: OnceCell::new() }
    }
}

// SAFETY: an instance has one thread; the host refuses memories that are shared.
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "a static has to be shareable, whether or not there is anybody to share it with")]
unsafe impl<P> Sync for Slot<P> {}

impl<P> Default for Slot<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Policy> Slot<P> {
    /// Takes the settings, a JSON text.
    ///
    /// # Errors
    /// All faults of the settings, each a sentence that names the key.
    pub fn configure(&self, text: &str) -> Result<(), Vec<String>> {
        let policy = settings::configure::<P>(text)?;
        self.policy.set(policy).map_err(|_policy| vec!["configured twice: a policy takes its settings once".to_owned()])
    }

    /// The policy's answer about the request with this id.
    ///
    /// # Panics
    /// Traps before `configure`, and on an id that the case does not have.
    #[must_use]
    pub fn review(&self, case: &Case, request: &str) -> Opinion {
        let Some(request) = case.find(request) else {
            outside_of_contract("`review` of a request that is not in the case")
        };
        self.policy().review(case, request)
    }

    /// The policy's lock orders.
    ///
    /// # Panics
    /// Traps before `configure`.
    #[must_use]
    pub fn enforce(&self, case: &Case) -> Vec<LockOrder> {
        self.policy().enforce(case)
    }

    fn policy(&self) -> &P {
        let Some(policy) = self.policy.get() else { outside_of_contract("called before `configure`") };
        policy
    }
}

/// The policy's description with the schema of its settings.
#[must_use]
pub fn describe<P: Policy>() -> Description {
    Description { settings_schema: settings::schema::<P::Settings>(), ..P::describe() }
}

#[expect(clippy::panic, reason = "the host breaks the contract: a trap is a fault, and no answer would be a true one")]
fn outside_of_contract(what: &str) -> ! {
    panic!("{what}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;
    use crate::testing::{case, pending};

    struct Yes;

    impl Policy for Yes {
        type Settings = NoSettings;

        fn describe() -> Description {
            description("yes", "0.1.0", "approves").rule("yes", "always").effect(Effect::Approve)
        }

        fn new(_settings: NoSettings) -> Result<Self, Vec<String>> {
            Ok(Self)
        }

        fn review(&self, _case: &Case, _request: &AccessRequest) -> Opinion {
            approve("yes", "always")
        }
    }

    #[test]
    fn a_configured_policy_answers() {
        let slot = Slot::<Yes>::new();
        slot.configure("{}").unwrap();
        let case = case("alice").request(pending("r1")).build();
        assert_eq!(slot.review(&case, "r1"), approve("yes", "always"));
        assert_eq!(slot.enforce(&case), vec![]);
    }

    #[test]
    fn settings_are_taken_once() {
        let slot = Slot::<Yes>::new();
        slot.configure("{}").unwrap();
        assert_eq!(slot.configure("{}"), Err(vec!["configured twice: a policy takes its settings once".to_owned()]));
    }

    #[test]
    #[should_panic(expected = "called before `configure`")]
    fn an_unconfigured_policy_traps() {
        let _opinion = Slot::<Yes>::new().review(&case("alice").request(pending("r1")).build(), "r1");
    }

    #[test]
    #[should_panic(expected = "not in the case")]
    fn an_unknown_request_traps() {
        let slot = Slot::<Yes>::new();
        slot.configure("{}").unwrap();
        let _opinion = slot.review(&case("alice").build(), "r1");
    }

    #[test]
    fn a_policy_without_settings_has_no_schema() {
        assert_eq!(describe::<Yes>().settings_schema, "");
    }
}

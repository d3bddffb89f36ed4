//! A hostile guest in Rust, built as everybody builds policies. Which of its attacks it is here for, its settings say; it strikes
//! whenever it is asked. What it must come to stands in `corpus.toml`.

mod attacks;

use schemars::JsonSchema;
use serde::Deserialize;
use tribunal_guest::prelude::*;

use crate::attacks::Attack;

/// The only rule.
const RULE: &str = "struck";

/// Which attack.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Hostile {
    attack: Attack,
}

tribunal_guest::export!(Hostile);

// === impl Hostile ===

impl Policy for Hostile {
    type Settings = Self;

    fn describe() -> Description {
        description("hostile", env!("CARGO_PKG_VERSION"), "attacks whoever asks it")
            .rule(RULE, "it struck")
            .effect(Effect::Deny)
            .effect(Effect::Lock)
    }

    fn new(settings: Self) -> Result<Self, Vec<String>> {
        Ok(settings)
    }

    fn review(&self, case: &Case, _request: &AccessRequest) -> Opinion {
        self.attack.strike(case);
        let reasons = self.attack.reasons().into_iter();
        deny_all(reasons.map(|reason| Ground { rule: RULE.into(), reason }).collect()).unwrap_or_else(abstain)
    }

    fn enforce(&self, case: &Case) -> Vec<LockOrder> {
        self.attack.strike(case);
        self.attack.orders().map(|request| lock(request, RULE, "because")).collect()
    }
}

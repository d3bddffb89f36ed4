//! my-policy: say here in one sentence what it is for.
//! It must never … (say here what it must not do).

use schemars::JsonSchema;
use serde::Deserialize;
use tribunal_guest::prelude::*;

/// The operator's settings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct MyPolicy {
    // @if review
    /// Fewest words of a request's reason.
    pub words_min: usize,
    // @end
    // @if enforce
    /// Most requests that a user holds at one time.
    pub held_max: usize,
    // @end
}

tribunal_guest::export!(MyPolicy);

impl Default for MyPolicy {
    fn default() -> Self {
        Self {
            // @if review
            words_min: 3,
            // @end
            // @if enforce
            held_max: 5,
            // @end
        }
    }
}

impl Policy for MyPolicy {
    type Settings = Self;

    fn describe() -> Description {
        description("my-policy", "0.1.0", "what an operator should know about it, in one line")
            // @if review
            .rule("reason-too-short", "the reason says too little")
            .effect(Effect::Deny)
            // @end
            // @if enforce
            .rule("too-many-held", "the user holds more requests than allowed, and this is one of the oldest")
            .effect(Effect::Lock)
            // @end
    }

    fn new(settings: Self) -> Result<Self, Vec<String>> {
        Ok(settings)
    }
    // @if review

    /// What about this pending request? Approving is left to others.
    fn review(&self, _case: &Case, request: &AccessRequest) -> Opinion {
        let (words, least) = (request.reason.split_whitespace().count(), self.words_min);
        if words >= least {
            return abstain();
        }
        let reason = format!("say in at least {least} words what the access is for: your reason has {words}");
        deny("reason-too-short", reason)
    }
    // @end
    // @if enforce

    /// Which held requests must be locked now? The host also asks this as if a pending request were held.
    fn enforce(&self, case: &Case) -> Vec<LockOrder> {
        let counted: Vec<_> = case.held().filter(|request| !request.is_exempt()).collect();
        let losers = counted.len().saturating_sub(self.held_max);
        let reason = format!("you hold more than {} requests: the oldest give way", self.held_max);
        counted.into_iter().take(losers).map(|request| lock(&request.id, "too-many-held", &reason)).collect()
    }
    // @end
}

#[cfg(test)]
mod tests {
    use super::*;
    use tribunal_guest::testing::*;

    #[test]
    fn the_description_keeps_the_contract() {
        assert!(faults_of_description(&MyPolicy::describe()).is_empty());
    }
    // @if review

    #[test]
    fn a_reason_that_says_too_little_is_denied() {
        let ask = |reason| {
            let case = case("alice").request(pending("r1").reason(reason)).build();
            MyPolicy::default().review(&case, &case.requests[0])
        };
        assert_eq!(ask("database is slow"), abstain());
        let reason = "say in at least 3 words what the access is for: your reason has 1";
        assert_eq!(ask(" please "), deny("reason-too-short", reason));
    }
    // @end
    // @if enforce

    #[test]
    fn the_oldest_give_way_and_the_exempt_do_not_count() {
        let requests = [held("a"), held("b").exempt("on call"), held("c"), held("d")];
        let case = requests.into_iter().fold(case("alice"), |case, request| case.request(request)).build();
        let policy = configure::<MyPolicy>(r#"{"held-max": 2}"#).expect("good settings");
        let ids: Vec<_> = policy.enforce(&case).into_iter().map(|order| order.request).collect();
        assert_eq!(ids, ["a"]);
    }
    // @end

    #[test]
    fn a_misspelt_key_of_the_settings_is_told() {
        assert_eq!(configure::<MyPolicy>(r#"{"no-such-key": 1}"#).err().map(|faults| faults.len()), Some(1));
    }
}

//! The policy as a Rust function. It must never do more than the component does.

use tribunal_cap::Cap;
use tribunal_core::case::Case;
use tribunal_guest::testing::{self, configure};
use tribunal_guest::{Opinion, Policy as _};

/// The policy with its settings, and the case as its own types have it.
pub(crate) struct Native {
    policy: Cap,
    case: tribunal_guest::Case,
}

// === impl Native ===

impl Native {
    pub(crate) fn new(settings: &str, case: &Case) -> Self {
        let nodes = case.requests.iter().flat_map(|entry| &entry.request.resources);
        let nodes: Vec<&str> = nodes.map(|resource| resource.name.as_str()).collect();
        let mut made = testing::case("alice").request(testing::pending("r1").nodes(nodes)).build();
        for request in &mut made.requests {
            for resource in &mut request.resources {
                let labels = [("env", "prod"), ("team", "payments")];
                let label = |(key, value): (&str, &str)| tribunal_guest::Attribute {
                    key: key.to_owned(),
                    values: vec![value.to_owned()],
                };
                resource.labels = Some(labels.map(label).into());
            }
        }
        Self { policy: configure(settings).unwrap(), case: made }
    }

    pub(crate) fn review(&self) -> Opinion {
        self.policy.review(&self.case, self.case.find("r1").unwrap())
    }
}

//! What must always hold, as data, and whether it does once a request is approved and what the panel wants locked is
//! locked. It knows requests, roles, resources and labels, and nothing of how any policy decides.

use std::collections::BTreeSet;

use serde::Deserialize;
use tribunal_classes::{Classes, Set, Setting};
use tribunal_core::case::{Case, CaseRequest};
use tribunal_core::decision::Because;
use tribunal_core::hearing::Hearing;
use tribunal_core::request::{EXEMPT_ANNOTATION, RequestId, RequestState};

/// What must always hold.
#[derive(Clone, Debug)]
pub struct Invariant {
    /// Its name, for people.
    pub name: String,
    /// What.
    pub holds: Holds,
}

/// What must always hold, in particular.
#[derive(Clone, Debug)]
pub enum Holds {
    /// Nobody holds more distinct resources than these; a request for whole roles counts as one. What the operator exempts
    /// does not count.
    HeldResourcesMax(usize),
    /// Nobody who asks holds two of these classes; standing roles, exempt and promoted access count.
    NeverTogether {
        /// As written.
        setting: Setting,
        /// Compiled.
        classes: Classes,
    },
    /// This role is approved only on a ground of this rule.
    OnlyByRule {
        /// The role.
        role: String,
        /// The rule, as `policy/rule`.
        rule: String,
    },
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Invariants(pub Vec<Invariant>);

/// What does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The invariant's name.
    pub invariant: String,
    /// In words.
    pub what: String,
}

/// An invariant as people write it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct InvariantForm {
    name: String,
    held_resources_max: Option<usize>,
    never_together: Option<Setting>,
    role: Option<String>,
    only_by_rule: Option<String>,
}

// === impl Invariant ===

impl TryFrom<InvariantForm> for Invariant {
    type Error = String;

    fn try_from(form: InvariantForm) -> Result<Self, String> {
        let InvariantForm { name, held_resources_max, never_together, role, only_by_rule } = form;
        let wrong = |why: &str| format!("invariant `{name}`: {why}");
        let holds = match (held_resources_max, never_together, role, only_by_rule) {
            (Some(max), None, None, None) => Holds::HeldResourcesMax(max),
            (None, Some(setting), None, None) => {
                let classes = Classes::new(&setting).map_err(|faults| wrong(&faults.join("; ")))?;
                Holds::NeverTogether { setting, classes }
            }
            (None, None, Some(role), Some(rule)) => Holds::OnlyByRule { role, rule },
            (None, None, Some(_), None) | (None, None, None, Some(_)) => {
                return Err(wrong("`role` and `only-by-rule` go together"));
            }
            (None, None, None, None) => {
                return Err(wrong(
                    "it says nothing: write `held-resources-max`, `never-together`, or `role` with `only-by-rule`",
                ));
            }
            _ => return Err(wrong("it says two things: write an `[[invariant]]` for each")),
        };
        Ok(Self { name, holds })
    }
}

// === impl Invariants ===

impl Invariants {
    /// What does not hold any more once this request is approved as the panel says.
    pub(super) fn broken(&self, case: &Case, request: &RequestId, hearing: &Hearing) -> Option<Broken> {
        let after = After::of(case, request, hearing)?;
        self.0.iter().find_map(|invariant| {
            let what = match &invariant.holds {
                Holds::HeldResourcesMax(max) => after.too_much(*max),
                Holds::NeverTogether { setting: _, classes } => after.together(classes),
                Holds::OnlyByRule { role, rule } => after.without_rule(role, rule, hearing),
            };
            what.map(|what| Broken { invariant: invariant.name.clone(), what })
        })
    }
}

/// What the subject holds once the request is approved, and what the panel wants locked is locked.
struct After<'a> {
    case: &'a Case,
    asked: &'a CaseRequest,
    /// Without the request.
    held: Vec<&'a CaseRequest>,
}

// === impl After ===

impl<'a> After<'a> {
    fn of(case: &'a Case, request: &RequestId, hearing: &Hearing) -> Option<Self> {
        let asked = case.find(request)?;
        let locked: BTreeSet<&RequestId> = hearing.orders.iter().map(|(_, order)| &order.request).collect();
        let held = case.requests.iter().map(|entry| &**entry).filter(|entry| {
            entry.request.is_granted(case.now) && entry.locks.is_empty() && !locked.contains(&entry.request.id)
        });
        Some(Self { case, asked, held: held.collect() })
    }

    fn too_much(&self, max: usize) -> Option<String> {
        if self.asked.request.access_starts.is_some_and(|start| start > self.case.now) {
            return None;
        }
        let counts = |entry: &&&CaseRequest| !entry.request.annotations.contains_key(EXEMPT_ANNOTATION);
        let all = self.held.iter().filter(counts).copied().chain([self.asked]);
        let things: BTreeSet<[&str; 4]> = all.flat_map(things).collect();
        (things.len() > max).then(|| {
            let names: Vec<String> = things.iter().map(name).collect();
            format!("{} would be held, and at most {max} may be: {}", things.len(), names.join(", "))
        })
    }

    fn together(&self, classes: &Classes) -> Option<String> {
        let of = |entry: &CaseRequest| classes_of(classes, entry);
        let asked = of(self.asked);
        let promoted = |entry: &&CaseRequest| {
            entry.request.state == RequestState::Promoted && !entry.request.is_over(self.case.now)
        };
        let standing = self.case.subject.roles.iter().flatten().map(|role| classes.of_role(role));
        // Access that begins later will be held with what is held then: what is held now counts for it as well.
        let promoted = self.case.requests.iter().map(|entry| &**entry).filter(promoted);
        let others = self.held.iter().copied().chain(promoted).map(of).chain(standing);
        let all = others.fold(Set::default(), Set::with);
        let together = asked.with(all);
        (asked.is_mixed() || asked.conflicts(all))
            .then(|| format!("{} would be held together", classes.versus(together)))
    }

    fn without_rule(&self, role: &str, rule: &str, hearing: &Hearing) -> Option<String> {
        if !self.asked.request.roles.iter().any(|asked| asked == role) {
            return None;
        }
        let fired = match hearing.decision.as_ref().map(|decision| &decision.because) {
            Some(because @ Because::Grounds(_)) => because.rules(),
            Some(Because::Faults(..) | Because::Guarded(_) | Because::LockImpossible(_) | Because::Silence) | None => {
                Vec::new()
            }
        };
        let by = fired.join(", ");
        (!fired.iter().any(|there| there == rule))
            .then(|| format!("role `{role}` is approved by {by}, and not by {rule}"))
    }
}

fn things(entry: &CaseRequest) -> Vec<[&str; 4]> {
    let request = &entry.request;
    if request.resources.is_empty() {
        return vec![[request.id.as_str(), "", "", ""]];
    }
    request
        .resources
        .iter()
        .map(|it| [it.cluster.as_str(), it.kind.as_str(), it.name.as_str(), it.sub_resource.as_str()])
        .collect()
}

fn name([cluster, kind, name, sub]: &[&str; 4]) -> String {
    match (kind.is_empty(), sub.is_empty()) {
        (true, _) => format!("request {cluster}"),
        (false, true) => format!("/{cluster}/{kind}/{name}"),
        (false, false) => format!("/{cluster}/{kind}/{name}/{sub}"),
    }
}

fn classes_of(classes: &Classes, entry: &CaseRequest) -> Set {
    let roles = entry.request.roles.iter().map(|role| classes.of_role(role));
    let labels = entry.request.resources.iter().map(|resource| {
        classes.of_labels(|key| resource.labels.as_ref().and_then(|labels| labels.get(key)).map(Vec::as_slice))
    });
    roles.chain(labels).fold(Set::default(), Set::with)
}

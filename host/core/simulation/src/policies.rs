//! The panel of the simulation: cap and separation as plain functions of a case, and one of any mind. They never look at
//! anything but the case.

use std::collections::BTreeSet;

use tribunal_core::case::{Case, CaseRequest};
use tribunal_core::opinion::{Effect, Ground, LockOrder, Member, Mode, Opinion, PolicyName};
use tribunal_core::request::{AccessRequest, EXEMPT_ANNOTATION, RequestId, RequestedResource};

/// At most this many resources in use by one user.
pub(crate) const CAP: usize = 3;

/// A policy of the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Prod and research are never held together; the newest wins.
    Separation,
    /// At most [`CAP`] resources; the oldest give way.
    Cap,
    /// Says something different about each request, and locks nothing.
    Moody,
    /// Like [`Self::Cap`] of one, and only watched.
    Shadow,
}

impl Policy {
    pub(crate) fn member(self) -> Member {
        let (name, effects, mode) = match self {
            Self::Separation => ("separation", Effect::ALL.as_slice(), Mode::Enforce),
            Self::Cap => ("cap", &[Effect::Approve, Effect::Deny, Effect::Lock][..], Mode::Enforce),
            Self::Moody => ("moody", &[Effect::Approve, Effect::Escalate][..], Mode::Enforce),
            Self::Shadow => ("shadow", Effect::ALL.as_slice(), Mode::Shadow),
        };
        Member { name: PolicyName::new(name), effects: effects.iter().copied().collect(), mode }
    }

    pub(crate) fn review(self, case: &Case, id: &RequestId) -> Opinion {
        let request = &case.find(id).expect("asked about a request of the case").request;
        match self {
            Self::Separation if class(request) == Some(Class::Both) => Opinion::Deny(vec![ground("both-classes")]),
            Self::Separation if case.requests.iter().any(|it| is_exempt(it) && conflicts(&it.request, request)) => {
                Opinion::Escalate(ground("held-by-exception"))
            }
            Self::Separation => Opinion::Abstain,
            Self::Cap if request.resources.len() > CAP => Opinion::Deny(vec![ground("over-alone")]),
            Self::Cap => Opinion::Approve(ground("within")),
            Self::Moody => match id.as_str().bytes().map(u32::from).sum::<u32>() % 4 {
                0 => Opinion::Escalate(ground("a-mood")),
                1 => Opinion::Approve(ground("a-mood")),
                _ => Opinion::Abstain,
            },
            Self::Shadow => Opinion::Deny(vec![ground("anything")]),
        }
    }

    pub(crate) fn enforce(self, case: &Case) -> Vec<LockOrder> {
        let mut held: Vec<_> = case.requests.iter().filter(|it| is_held(case, it)).collect();
        match self {
            Self::Separation => {
                let mut kept: Vec<_> = held.iter().filter(|it| is_exempt(it)).map(|it| &it.request).collect();
                let mut orders = Vec::new();
                for it in held.iter().rev().filter(|it| !is_exempt(it)) {
                    if class(&it.request) == Some(Class::Both) || kept.iter().any(|kept| conflicts(kept, &it.request)) {
                        orders.push(order(&it.request, "held-together"));
                    } else {
                        kept.push(&it.request);
                    }
                }
                orders
            }
            Self::Cap | Self::Shadow => {
                let cap = if self == Self::Cap { CAP } else { 1 };
                held.retain(|it| !is_exempt(it));
                let mut orders = Vec::new();
                while count(held.iter().map(|it| &it.request)) > cap {
                    orders.push(order(&held.remove(0).request, "held-over-cap"));
                }
                orders
            }
            Self::Moody => Vec::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Prod,
    Research,
    Both,
}

pub(crate) fn class(request: &AccessRequest) -> Option<Class> {
    let has = |word: &str| request.roles.iter().any(|role| role.contains(word));
    match (has("prod"), has("research")) {
        (true, true) => Some(Class::Both),
        (true, false) => Some(Class::Prod),
        (false, true) => Some(Class::Research),
        (false, false) => None,
    }
}

pub(crate) fn conflicts(a: &AccessRequest, b: &AccessRequest) -> bool {
    matches!((class(a), class(b)), (Some(a), Some(b)) if a != b)
}

/// How many distinct resources; a request without any counts as one.
pub(crate) fn count<'a>(requests: impl Iterator<Item = &'a AccessRequest>) -> usize {
    let key = |it: &RequestedResource| it.name.clone();
    let of = |it: &AccessRequest| match it.resources.as_slice() {
        [] => vec![it.id.as_str().to_owned()],
        some => some.iter().map(key).collect(),
    };
    requests.flat_map(of).collect::<BTreeSet<_>>().len()
}

fn is_exempt(entry: &CaseRequest) -> bool {
    entry.request.annotations.contains_key(EXEMPT_ANNOTATION)
}

fn is_held(case: &Case, entry: &CaseRequest) -> bool {
    entry.request.is_granted(case.now) && entry.locks.is_empty()
}

fn ground(rule: &str) -> Ground {
    Ground { rule: rule.to_owned(), reason: format!("because of {rule}") }
}

fn order(request: &AccessRequest, rule: &str) -> LockOrder {
    LockOrder { request: request.id.clone(), ground: ground(rule), until: None }
}

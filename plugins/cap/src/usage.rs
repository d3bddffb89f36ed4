//! What a request takes of the limit.
//! It must never look at state or time: whether a request counts at all is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use tribunal_guest::AccessRequest;

use crate::settings::{RoleOnlyRequests, Settings, Unit};

/// One thing that takes a unit of the limit; equal things in several requests take one together.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Item<'a> {
    /// Cluster, kind, name, sub-resource.
    Resource((&'a str, &'a str, &'a str, &'a str)),
    /// A request as such, by its id.
    Request(&'a str),
    Role(&'a str),
}

/// The distinct things that a request takes.
pub(crate) fn items<'a>(settings: &Settings, request: &'a AccessRequest) -> BTreeSet<Item<'a>> {
    let itself = || BTreeSet::from([Item::Request(&request.id)]);
    match (settings.unit, settings.role_only_requests) {
        (Unit::Requests, RoleOnlyRequests::Count | RoleOnlyRequests::Ignore) => itself(),
        (Unit::Roles, RoleOnlyRequests::Count | RoleOnlyRequests::Ignore) => {
            request.roles.iter().map(|role| Item::Role(role)).collect()
        }
        (Unit::Resources, RoleOnlyRequests::Count) if request.is_role_only() => itself(),
        (Unit::Resources, RoleOnlyRequests::Count | RoleOnlyRequests::Ignore) => request
            .resources
            .iter()
            .map(|resource| Item::Resource(resource.key()))
            .collect(),
    }
}

/// The distinct things of several requests, each with the number of requests that hold it.
#[derive(Debug, Default)]
pub(crate) struct Tally<'a> {
    holders: BTreeMap<Item<'a>, usize>,
}

// === impl Tally ===

impl<'a> Tally<'a> {
    /// Units in use.
    pub(crate) fn units(&self) -> usize {
        self.holders.len()
    }

    pub(crate) fn add(&mut self, items: impl IntoIterator<Item = Item<'a>>) {
        for item in items {
            *self.holders.entry(item).or_default() += 1;
        }
    }

    /// Takes back what one `add` of the same items has put in.
    pub(crate) fn remove(&mut self, items: &BTreeSet<Item<'a>>) {
        for item in items {
            if let Some(holders) = self.holders.get_mut(item) {
                *holders -= 1;
                if *holders == 0 {
                    self.holders.remove(item);
                }
            }
        }
    }

    /// Units that these would add.
    pub(crate) fn more(&self, items: &BTreeSet<Item<'a>>) -> usize {
        items
            .iter()
            .filter(|item| !self.holders.contains_key(*item))
            .count()
    }
}

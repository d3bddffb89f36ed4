//! What a request takes of the limit.
//! It must never look at state or time: whether a request counts at all is decided elsewhere.

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
pub(crate) fn items<'a>(settings: &Settings, request: &'a AccessRequest) -> Vec<Item<'a>> {
    let itself = || vec![Item::Request(&request.id)];
    let items = match (settings.unit, settings.role_only_requests) {
        (Unit::Requests, RoleOnlyRequests::Count | RoleOnlyRequests::Ignore) => itself(),
        (Unit::Roles, RoleOnlyRequests::Count | RoleOnlyRequests::Ignore) => {
            request.roles.iter().map(|role| Item::Role(role)).collect()
        }
        (Unit::Resources, RoleOnlyRequests::Count) if request.is_role_only() => itself(),
        (Unit::Resources, RoleOnlyRequests::Count | RoleOnlyRequests::Ignore) => {
            request.resources.iter().map(|resource| Item::Resource(resource.key())).collect()
        }
    };
    distinct(items)
}

/// The distinct things of several requests, each with the number of requests that hold it.
#[derive(Debug)]
pub(crate) struct Tally<'a> {
    /// Everything that can ever be added; sorted.
    items: Vec<Item<'a>>,
    /// For each of `items`.
    holders: Vec<usize>,
    units: usize,
}

// === impl Tally ===

impl<'a> Tally<'a> {
    /// Nothing held yet, of all that there is.
    pub(crate) fn new(all: impl Iterator<Item = Item<'a>>) -> Self {
        let items = distinct(all.collect());
        Self { holders: vec![0; items.len()], items, units: 0 }
    }

    /// Units in use.
    pub(crate) fn units(&self) -> usize {
        self.units
    }

    pub(crate) fn add(&mut self, items: &[Item<'_>]) {
        for item in items {
            if let Some(holders) = self.holders_of(item) {
                *holders += 1;
                if *holders == 1 {
                    self.units += 1;
                }
            }
        }
    }

    /// Takes back what one `add` of the same items has put in.
    pub(crate) fn remove(&mut self, items: &[Item<'_>]) {
        for item in items {
            if let Some(holders) = self.holders_of(item) {
                *holders -= 1;
                if *holders == 0 {
                    self.units -= 1;
                }
            }
        }
    }

    /// Units that these would add.
    pub(crate) fn more(&mut self, items: &[Item<'_>]) -> usize {
        items.iter().filter(|item| self.holders_of(item).is_none_or(|holders| *holders == 0)).count()
    }

    fn holders_of(&mut self, item: &Item<'_>) -> Option<&mut usize> {
        let index = self.items.binary_search(item).ok()?;
        self.holders.get_mut(index)
    }
}

fn distinct(mut items: Vec<Item<'_>>) -> Vec<Item<'_>> {
    items.sort_unstable();
    items.dedup();
    items
}

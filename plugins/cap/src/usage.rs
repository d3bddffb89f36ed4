//! What a request takes of the limit.
//! It must never look at state or time: whether a request counts at all is decided elsewhere.

use tribunal_guest::prelude::*;

use crate::settings::{RoleOnlyRequests, Settings, Unit};

/// One thing that takes a unit of the limit; equal things in several requests take one together.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Item<'a> {
    /// Name, sub-resource, kind, cluster: what most differ in stands first.
    Resource((&'a str, &'a str, &'a str, &'a str)),
    /// A request as such, by its id.
    Request(&'a str),
    Role(&'a str),
}

/// Everything that a request takes; the same thing may be named more than once.
pub(crate) fn items<'a>(settings: &Settings, request: &'a AccessRequest) -> Vec<Item<'a>> {
    let itself = || vec![Item::Request(&request.id)];
    match (settings.unit, settings.role_only_requests) {
        (Unit::Requests, RoleOnlyRequests::Count | RoleOnlyRequests::Ignore) => itself(),
        (Unit::Roles, RoleOnlyRequests::Count | RoleOnlyRequests::Ignore) => {
            request.roles.iter().map(|role| Item::Role(role)).collect()
        }
        (Unit::Resources, RoleOnlyRequests::Count) if request.is_role_only() => itself(),
        (Unit::Resources, RoleOnlyRequests::Count | RoleOnlyRequests::Ignore) => {
            let item = |(cluster, kind, name, sub_resource)| Item::Resource((name, sub_resource, kind, cluster));
            request.resources.iter().map(|resource| item(resource.key())).collect()
        }
    }
}

/// Numbers things from 0 on, equal things alike: strings are compared once, here. The numbers of each list, each number
/// once, and how many numbers there are.
pub(crate) fn numbered(lists: &[Vec<Item<'_>>]) -> (Vec<Vec<usize>>, usize) {
    let mut all: Vec<(Item<'_>, usize)> = Vec::with_capacity(lists.iter().map(Vec::len).sum());
    for (place, items) in lists.iter().enumerate() {
        all.extend(items.iter().map(|item| (*item, place)));
    }
    all.sort_unstable();
    all.dedup();
    let mut numbers: Vec<Vec<usize>> = lists.iter().map(|items| Vec::with_capacity(items.len())).collect();
    let (mut count, mut last) = (0, None);
    for (item, place) in all {
        if last.replace(item) != Some(item) {
            count += 1;
        }
        if let Some(numbers) = numbers.get_mut(place) {
            numbers.push(count - 1);
        }
    }
    (numbers, count)
}

/// The distinct things of several requests, each with the number of requests that hold it.
#[derive(Debug)]
pub(crate) struct Tally {
    /// By the numbers of things.
    holders: Vec<usize>,
    units: usize,
}

// === impl Tally ===

impl Tally {
    /// Nothing held yet, of so many things that there are.
    pub(crate) fn new(count: usize) -> Self {
        Self { holders: vec![0; count], units: 0 }
    }

    /// Units in use.
    pub(crate) fn units(&self) -> usize {
        self.units
    }

    pub(crate) fn add(&mut self, things: &[usize]) {
        for thing in things {
            if let Some(holders) = self.holders.get_mut(*thing) {
                *holders += 1;
                if *holders == 1 {
                    self.units += 1;
                }
            }
        }
    }

    /// Takes back what one `add` of the same things has put in.
    pub(crate) fn remove(&mut self, things: &[usize]) {
        for thing in things {
            if let Some(holders) = self.holders.get_mut(*thing) {
                *holders -= 1;
                if *holders == 0 {
                    self.units -= 1;
                }
            }
        }
    }

    /// Units that these would add.
    pub(crate) fn more(&self, things: &[usize]) -> usize {
        things.iter().filter(|thing| self.holders.get(**thing).is_none_or(|holders| *holders == 0)).count()
    }
}

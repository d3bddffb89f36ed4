//! What a request belongs to, by the configured classes.
//! It must never compare a name itself: that is for the classes.

use tribunal_classes::{Class, Set};
use tribunal_guest::prelude::*;

use crate::settings;

/// At most this many names of a class are listed in a reason.
const NAMES_COUNT_MAX: usize = 20;

/// The compiled classes, in configured order; named ones by name.
#[derive(Clone, Debug)]
pub(crate) struct Classes(tribunal_classes::Classes);

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content {
    pub(crate) set: Set,
    /// Classes are recognised by labels, and the labels of some resource could not be read.
    pub(crate) unread: bool,
}

// === impl Classes ===

impl Classes {
    /// # Errors
    /// All faults of the setting `classes`, each a sentence.
    pub(crate) fn new(settings: &settings::Classes) -> Result<Self, Vec<String>> {
        tribunal_classes::Classes::new(settings).map(Self)
    }

    /// The classes of a role.
    pub(crate) fn of_role(&self, role: &str) -> Set {
        self.0.of_role(role)
    }

    /// The classes of a request by its roles and by the labels of its resources.
    pub(crate) fn of_request(&self, request: &AccessRequest) -> Content {
        let roles = request.roles.iter().fold(Set::default(), |set, role| set.with(self.0.of_role(role)));
        let of_resource = |resource: &RequestedResource| self.0.of_labels(|key| resource.label(key));
        let set = request.resources.iter().fold(roles, |set, resource| set.with(of_resource(resource)));
        let unread = self.0.are_by_label() && request.resources.iter().any(|resource| resource.labels.is_none());
        Content { set, unread }
    }

    /// The names of these classes, as in `prod vs research`.
    pub(crate) fn versus(&self, set: Set) -> String {
        self.0.versus(set)
    }

    /// What of the request belongs to which class, as in `prod: [prod-admin prod-db], research: [/root/node/lab]`.
    pub(crate) fn details(&self, request: &AccessRequest) -> String {
        let set = self.of_request(request).set;
        let details: Vec<_> = self.0.members(set).map(|class| details(class, request)).collect();
        details.join(", ")
    }
}

fn details(class: &Class, request: &AccessRequest) -> String {
    let mut roles: Vec<_> = request.roles.iter().filter(|role| class.has_role(role)).cloned().collect();
    let resources = request.resources.iter().filter(|resource| class.has_labels(|key| resource.label(key)));
    let mut resources: Vec<_> = resources.map(RequestedResource::path).collect();
    for names in [&mut roles, &mut resources] {
        names.sort_unstable();
        names.dedup();
    }
    roles.append(&mut resources);
    let more = roles.len().saturating_sub(NAMES_COUNT_MAX);
    if more > 0 {
        roles.truncate(NAMES_COUNT_MAX);
        roles.push(format!("and {more} more"));
    }
    format!("{}: [{}]", class.name(), roles.join(" "))
}

//! What Teleport has to allow the daemon, derived from its configuration and its panel: the one source for `tribunal role`,
//! `tribunal doctor` and the daemon's start. It must never ask for more than the daemon uses.

mod files;
mod looks;
mod probe;
mod yaml;

use tribunal_core::action::ResolveWith;
use tribunal_core::controller::Release;
use tribunal_core::opinion::{Effect, Member, Mode};
use tribunal_core::scope::Pattern;
use tribunal_teleport::Rights;
use tribunal_teleport::rights::{
    Needed, TO_HOLD, TO_LOCK, TO_RELEASE, TO_RESOLVE, TO_SEE_HOLDERS, TO_SEE_LOCKS, TO_SEE_LOGINS, TO_SEE_REQUESTS,
    TO_SEE_USERS,
};

pub use self::files::{Files, InvalidRoleName, RoleName, files};
pub use self::probe::probe;

use self::looks::Looks;
use crate::config::Config;
use crate::daemon::lease;

const WHY_SEE_REQUESTS: &str = "sees all requests; with less, a server shows a part of them and does not say so";
const WHY_SEE_LOCKS: &str = "sees which requests are locked, whoever did it";
const WHY_RESOLVE: &str = "approves and denies, past review thresholds (`resolve-with = \"state\"` in `[teleport]`)";
const WHY_REVIEW: &str =
    "approves and denies by one review (`resolve-with = \"review\"` in `[teleport]`), as far as `[scope]` goes";
const WHY_RELEASE: &str = "releases locks of its own that no policy wants any more (`release` in `[locks]`)";
const WHY_HOLD: &str =
    "takes, keeps and gives back the lease, so that of several daemons one acts (`lease` in `[daemon]`)";
const WHY_SEE_HOLDERS: &str = "sees who holds the lease, so that another takes over at once when it is given back";

/// Everything that a role has to allow, and nothing more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Verbs on kinds of resources, in the order in which people read them; each verb of a kind once.
    pub rules: Vec<Need>,
    /// Which requests may be reviewed; none: reviews are not how this daemon resolves.
    pub review: Option<Review>,
    /// Why the labels of requested resources are looked at; none: they are not. They take `preview_as_roles` with a role
    /// that opens the resources, not a verb: listing is allowed to everybody.
    pub labels: Option<String>,
}

/// Verbs on one kind of resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The kind, as Teleport's rules name it.
    pub resource: &'static str,
    /// The verbs, as Teleport's rules name them.
    pub verbs: &'static [&'static str],
    /// What the daemon does by them: a phrase for people.
    pub why: String,
    /// What becomes of the daemon without them, where it goes on all the same; none: it cannot do its work.
    pub without: Option<&'static str>,
}

/// Which requests may be reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Patterns of roles, all of which together cover whatever may be requested.
    pub roles: Vec<String>,
    /// Patterns of roles that are none of the daemon's business, whatever the others say.
    pub not_roles: Vec<String>,
    /// A phrase for people.
    pub why: String,
}

/// What a role lacks of what is needed, and what it has beyond.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What the daemon cannot do its work without, each a text such as `lock: create, update (locks what …)`.
    pub missing: Vec<String>,
    /// What it goes on without, each with what becomes of that.
    pub missed: Vec<String>,
    /// What nobody needs, each a text such as `lock: delete`.
    pub excess: Vec<String>,
}

/// What a daemon of this configuration needs, whose panel has these members. Pure.
///
/// A rehearsal (`dry_run`) looks and never acts.
#[must_use]
pub fn needed(config: &Config, panel: &[Member]) -> Needs {
    let mut needs = Needs::default();
    needs.add(&[TO_SEE_REQUESTS], WHY_SEE_REQUESTS, None);
    needs.add(&[TO_SEE_LOCKS], WHY_SEE_LOCKS, None);
    if !config.dry_run {
        to_act(config, panel, &mut needs);
    }
    let Looks { standing, labels } = looks::of(&config.plugins);
    if !standing.is_empty() {
        let why = format!("shows policies the roles and traits that users have anyway ({})", standing.join(", "));
        let without = Some("policies see that they are unknown");
        needs.add(TO_SEE_LOGINS, &why, without);
        needs.add(TO_SEE_USERS, "the same of users who never logged in, such as bots", without);
    }
    needs.labels = (!labels.is_empty())
        .then(|| format!("shows policies the labels of requested resources ({})", labels.join(", ")));
    needs
}

fn to_act(config: &Config, panel: &[Member], needs: &mut Needs) {
    if !enforcing(panel, &[Effect::Approve, Effect::Deny]).is_empty() {
        match config.teleport.resolve_with {
            ResolveWith::State => needs.add(TO_RESOLVE, WHY_RESOLVE, None),
            ResolveWith::Review => needs.review = Some(review(config)),
        }
    }
    let lockers = enforcing(panel, &[Effect::Lock]);
    if !lockers.is_empty() {
        needs.add(TO_LOCK, &format!("makes and renews locks on what has to give way ({})", lockers.join(", ")), None);
    }
    match config.release {
        Release::WhenClear => needs.add(TO_RELEASE, WHY_RELEASE, None),
        Release::Never => {}
    }
    let alone = match config.lease.mode {
        lease::Mode::Auto => Some("it heeds no other daemon, and no other heeds it"),
        lease::Mode::Required => None,
        lease::Mode::Off => return,
    };
    needs.add(TO_HOLD, WHY_HOLD, alone);
    needs.add(TO_SEE_HOLDERS, WHY_SEE_HOLDERS, Some("who leads is unknown, and takes over later than it could"));
}

/// The names of those members that may bring one of these effects about, quoted.
fn enforcing(panel: &[Member], effects: &[Effect]) -> Vec<String> {
    let counts = |member: &&Member| match member.mode {
        Mode::Enforce => effects.iter().any(|effect| member.effects.contains(effect)),
        Mode::Shadow => false,
    };
    panel.iter().filter(counts).map(|member| format!("`{}`", member.name)).collect()
}

/// As the scope says, of which each role of a request has to be: others are never resolved.
fn review(config: &Config) -> Review {
    let texts = |patterns: &[Pattern]| patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect::<Vec<_>>();
    let roles = texts(&config.scope.roles.include);
    Review {
        roles: if roles.is_empty() { vec!["*".to_owned()] } else { roles },
        not_roles: texts(&config.scope.roles.exclude),
        why: WHY_REVIEW.to_owned(),
    }
}

// === impl Needs ===

impl Needs {
    /// The verbs of all rules, as [`Rights::missing`] and [`Rights::beyond`] take them.
    #[must_use]
    pub fn verbs(&self) -> Vec<Needed<'static>> {
        self.rules.iter().map(|need| (need.resource, need.verbs)).collect()
    }

    /// How rights differ from these needs.
    #[must_use]
    pub fn compare(&self, rights: &Rights) -> Difference {
        let mut difference = Difference { excess: rights.beyond(&self.verbs()), ..Difference::default() };
        for Need { resource, verbs, why, without } in &self.rules {
            for lacking in rights.missing(&[(resource, verbs)]) {
                match without {
                    None => difference.missing.push(format!("{lacking} ({why})")),
                    Some(without) => difference.missed.push(format!("{lacking}: {without}")),
                }
            }
        }
        if let Some(Review { roles, not_roles: _, why }) = &self.review {
            let lacking: Vec<&str> =
                roles.iter().map(String::as_str).filter(|pattern| !rights.may_review(pattern)).collect();
            if !lacking.is_empty() {
                difference.missing.push(format!("review_requests.roles: {} ({why})", lacking.join(", ")));
            }
        } else if !rights.reviewed().is_empty() {
            let roles: Vec<&str> = rights.reviewed().iter().map(String::as_str).collect();
            difference.excess.push(format!("review_requests.roles: {}", roles.join(", ")));
        }
        match (&self.labels, rights.previewed_as().is_empty()) {
            // Roles of the daemon's own may open the resources as well, which cannot be told from here.
            (Some(_), true) => difference.missed.push(
                "review_requests.preview_as_roles: policies see labels only of what the daemon's own roles open"
                    .to_owned(),
            ),
            (None, false) => {
                let roles: Vec<&str> = rights.previewed_as().iter().map(String::as_str).collect();
                difference.excess.push(format!("review_requests.preview_as_roles: {}", roles.join(", ")));
            }
            (Some(_), false) | (None, true) => {}
        }
        difference
    }

    fn add(&mut self, needed: &[Needed<'static>], why: &str, without: Option<&'static str>) {
        let rule = |(resource, verbs): &Needed<'static>| Need { resource, verbs, why: why.to_owned(), without };
        self.rules.extend(needed.iter().map(rule));
    }
}

#[cfg(test)]
mod tests;

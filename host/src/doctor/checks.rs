//! The checks, as data: names, what must not have failed before, deadlines. Their names are for programs, too: they must
//! never change without need.

use std::time::Duration;

use futures::future::BoxFuture;

use super::finding::Finding;
use super::seen::Seen;
use super::{cluster, facts, here, identity, ledger, rights, tls, way};

/// A check under way.
pub(super) type Looking<'a> = BoxFuture<'a, Vec<Finding>>;

/// Something to look at.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What it cannot be done without.
    pub needs: &'static [&'static str],
    /// How long it may take.
    pub deadline: Duration,
    pub(super) look: for<'a> fn(&'a mut Seen) -> Looking<'a>,
}

/// All of them, in order: none needs a later one.
#[must_use]
pub const fn checks() -> &'static [Check] {
    CHECKS
}

const CHECKS: &[Check] = &[
    check("configuration", &[], 5, here::configuration),
    // A plugin is compiled, which takes a slow machine a while.
    check("plugins", &["configuration"], 120, here::plugins),
    check("facts", &["configuration"], 5, facts::look),
    check("ledger", &["configuration"], 5, ledger::look),
    check("health-port", &["configuration"], 15, here::health_port),
    check("identity", &["configuration"], 5, identity::identity),
    check("identity-file", &["configuration"], 5, identity::file),
    check("dns", &["configuration"], 10, way::dns),
    check("tcp", &["dns"], 15, way::tcp),
    check("tls", &["tcp", "identity"], 20, tls::tls),
    check("discovery", &["tls"], 15, way::discovery),
    check("alpn", &["discovery"], 15, way::alpn),
    check("route", &["discovery"], 20, way::route),
    check("upgrade", &["route"], 20, way::upgrade),
    check("ssh", &["route"], 20, way::ssh),
    check("auth", &["upgrade", "ssh"], 25, way::auth),
    check("ping", &["auth"], 45, cluster::ping),
    check("version", &["ping"], 5, cluster::version),
    check("edition", &["ping"], 5, cluster::edition),
    check("rights", &["ping", "plugins"], 60, rights::rights),
    check("excess-rights", &["ping", "plugins"], 5, rights::excess),
    check("locks", &["ping", "plugins"], 5, rights::locks),
    check("view", &["ping"], 125, cluster::view),
    check("watch", &["ping"], 15, cluster::watch),
    check("clock", &["ping"], 30, cluster::clock),
    check("lease", &["ping"], 30, cluster::lease),
];

const fn check(
    name: &'static str,
    needs: &'static [&'static str],
    deadline_secs: u64,
    look: for<'a> fn(&'a mut Seen) -> Looking<'a>,
) -> Check {
    Check { name, needs, deadline: Duration::from_secs(deadline_secs), look }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_check_has_a_name_of_its_own_and_needs_only_earlier_ones() {
        let mut earlier = BTreeSet::new();
        for Check { name, needs, .. } in checks() {
            assert!(needs.iter().all(|need| earlier.contains(need)), "{name}");
            assert!(earlier.insert(name), "{name}");
        }
    }
}

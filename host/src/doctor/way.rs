//! The way to Auth, step by step. Each step is the daemon's own; it must never take one that the configuration rules out.

use std::net::IpAddr;

use futures::FutureExt as _;
use futures::future::join_all;
use tribunal_teleport::route::probe::{self, Candidate, Located, Shown, Told};
use tribunal_teleport::{Address, Choice, Route};

use super::checks::Looking;
use super::finding::Finding;
use super::here::gone;
use super::seen::Seen;

/// What is said of a step that is not on the way.
const NOT_THERE: &str = "not on this way";
const NETWORK: &str = "check the address, the port and the network between";

pub(super) fn dns(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(config) = &seen.config else { return gone() };
        let address = &config.teleport.address;
        seen.candidates = probe::candidates(address, config.teleport.reach.route);
        let Located { addresses, http_proxy } = match probe::locate(address, &seen.reach).await {
            Ok(located) => located,
            Err(error) => {
                let remedy = "check the name in `address` of `[teleport]`, and this machine's DNS";
                let what = Finding::failed_as(&error, remedy).what;
                return vec![Finding::failed(what, remedy)];
            }
        };
        let mut ips: Vec<String> = addresses.iter().map(|one| one.ip().to_string()).collect();
        ips.dedup();
        seen.addresses = addresses;
        seen.through_http_proxy = http_proxy.is_some();
        vec![match http_proxy {
            Some(proxy) => Finding::ok(format!("the HTTP proxy `{proxy}` of the environment is {}", ips.join(", "))),
            None if address.host().parse::<IpAddr>().is_ok() => {
                Finding::ok(format!("`{}` is an IP address", address.host()))
            }
            None => Finding::ok(format!("`{}` is {}", address.host(), ips.join(", "))),
        }]
    }
    .boxed()
}

pub(super) fn tcp(seen: &mut Seen) -> Looking<'_> {
    async move {
        let mut places: Vec<Address> = Vec::new();
        for candidate in &seen.candidates {
            if !places.contains(candidate.address()) {
                places.push(candidate.address().clone());
            }
        }
        let reach = &seen.reach;
        let reached = join_all(places.iter().map(|place| probe::reach(place, reach))).await;
        let mut answers = Vec::new();
        let mut errors = Vec::new();
        for (place, reached) in places.into_iter().zip(reached) {
            match reached {
                Ok(()) => answers.push(place),
                Err(error) => errors.push(error.to_string()),
            }
        }
        seen.candidates.retain(|candidate| answers.contains(candidate.address()));
        let Some(first) = answers.first() else {
            let what: Vec<String> = errors.iter().map(|error| Finding::failed_as(&error, NETWORK).what).collect();
            return vec![match errors.as_slice() {
                [only] => Finding::failed_as(only, NETWORK),
                _ => Finding::failed(what.join("; "), NETWORK),
            }];
        };
        let shown: Vec<String> = answers.iter().map(|place| format!("`{place}`")).collect();
        let what = format!("{} answers", shown.join(" and "));
        if seen.through_http_proxy {
            return vec![Finding::ok(format!("{what}, through the HTTP proxy"))];
        }
        let mut addresses = seen.addresses.clone();
        addresses.iter_mut().for_each(|one| one.set_port(first.port()));
        let each = probe::reach_each(&addresses, &seen.reach).await;
        let dead: Vec<String> = each
            .iter()
            .filter_map(|(one, reached)| reached.as_ref().err().map(|error| format!("`{one}`: {error}")))
            .collect();
        vec![if dead.is_empty() {
            Finding::ok(what)
        } else {
            let what = format!("{what}, but {} of {} addresses do not: {}", dead.len(), each.len(), dead.join(", "));
            Finding::warning(what, "have the dead ones taken out of DNS, or brought back")
        }]
    }
    .boxed()
}

/// The one that TLS left.
fn chosen(seen: &Seen) -> Option<&Candidate> {
    seen.candidates.first()
}

pub(super) fn discovery(seen: &mut Seen) -> Looking<'_> {
    async move {
        let (Some(candidate), Some(identity)) = (chosen(seen), &seen.identity) else { return gone() };
        if candidate.is_auth() {
            return vec![Finding::skipped(format!("{NOT_THERE}: an Auth server needs none"))];
        }
        let proxy = candidate.address().clone();
        let told = match probe::find(&proxy, &seen.reach).await {
            Ok(told) => told,
            Err(error) => return vec![Finding::failed_as(&error, "check that it is a proxy's web address")],
        };
        let Told { cluster, tls_routing, tunnel } = &told;
        let routing = if *tls_routing { "on" } else { "off" };
        let tunnel = tunnel.as_ref().map_or_else(|| "none".to_owned(), |tunnel| format!("`{tunnel}`"));
        let what = format!("proxy of cluster `{cluster}`, TLS routing {routing}, reverse tunnel {tunnel}");
        let ours = identity.authorities().contains(cluster);
        let names = identity.authorities().join("`, `");
        seen.told = Some(told);
        vec![if ours {
            Finding::ok(what)
        } else {
            let what = format!("{what}; the identity file is of cluster `{names}`");
            Finding::warning(what, "use the address of that cluster's proxy, or an identity of this cluster")
        }]
    }
    .boxed()
}

pub(super) fn alpn(seen: &mut Seen) -> Looking<'_> {
    async move {
        let (Some(candidate), Some(config)) = (chosen(seen), &seen.config) else { return gone() };
        if candidate.is_auth() {
            return vec![match seen.protocol.as_deref() {
                Some(protocol) => Finding::ok(format!("Auth agrees on `{protocol}`")),
                None => Finding::warning(
                    "Auth agrees on no application protocol, though `h2` was offered",
                    "check what stands before it: TLS has to come through to it unchanged",
                ),
            }];
        }
        if !seen.told.as_ref().is_some_and(|told| told.tls_routing) {
            return vec![Finding::skipped("of no use: the proxy's TLS routing is off")];
        }
        let (stripped, why) = match probe::needs_upgrade(candidate.address(), &seen.reach).await {
            Ok(found) => found,
            Err(error) => return vec![Finding::failed_as(&error, NETWORK)],
        };
        vec![match (stripped, config.teleport.reach.route) {
            (false, _) => Finding::ok(format!("application protocols come through to the proxy: {why}")),
            (true, Choice::TlsRouting) => Finding::failed(
                format!("{why}: a load balancer before the proxy ends TLS, and `route = \"tls-routing\"` rules an upgrade out"),
                "set `route = \"auto\"` or `\"upgrade\"`, or have the load balancer let TLS through to the proxy",
            ),
            (true, Choice::Auto | Choice::Auth | Choice::Upgrade | Choice::Ssh) => {
                Finding::ok(format!("{why}: a load balancer before the proxy ends TLS, so that connections are upgraded"))
            }
        }]
    }
    .boxed()
}

pub(super) fn route(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(candidate) = chosen(seen) else { return gone() };
        let (route, why) = match candidate.route(&seen.reach).await {
            Ok(found) => found,
            Err(error) => return vec![Finding::failed_as(&error, "set `route` in `[teleport]`")],
        };
        let what = format!("{route}: {why}");
        seen.route = Some(route);
        vec![Finding::ok(what)]
    }
    .boxed()
}

pub(super) fn upgrade(seen: &mut Seen) -> Looking<'_> {
    async move {
        match &seen.route {
            Some(route @ Route::ProxyUpgrade { proxy, .. }) => {
                opened(seen, route, format!("the proxy at `{proxy}` upgrades connections")).await
            }
            Some(Route::Auth { .. } | Route::ProxyTls { .. } | Route::ProxySsh { .. }) | None => {
                vec![Finding::skipped(NOT_THERE)]
            }
        }
    }
    .boxed()
}

pub(super) fn ssh(seen: &mut Seen) -> Looking<'_> {
    async move {
        match &seen.route {
            Some(route @ Route::ProxySsh { tunnel, .. }) => {
                let what = format!("`{tunnel}` shows a host certificate of the cluster, and opens a channel to Auth");
                opened(seen, route, what).await
            }
            Some(Route::Auth { .. } | Route::ProxyTls { .. } | Route::ProxyUpgrade { .. }) | None => {
                vec![Finding::skipped(NOT_THERE)]
            }
        }
    }
    .boxed()
}

async fn opened(seen: &Seen, route: &Route, what: String) -> Vec<Finding> {
    let Some(identity) = &seen.identity else { return gone() };
    vec![match probe::open(route, identity, &seen.reach).await {
        Ok(()) => Finding::ok(what),
        Err(error) => Finding::failed_as(&error, NETWORK),
    }]
}

pub(super) fn auth(seen: &mut Seen) -> Looking<'_> {
    async move {
        let (Some(route), Some(identity)) = (&seen.route, &seen.identity) else { return gone() };
        vec![match probe::auth(route, identity, &seen.reach).await {
            Ok(Shown { certificate, version, protocol }) => {
                let protocol = protocol.unwrap_or_else(|| "no application protocol".to_owned());
                Finding::ok(format!(
                    "Auth shows {certificate}, whose CA the identity file trusts; {version}, {protocol}"
                ))
            }
            Err(error) => Finding::failed_as(&error, NETWORK),
        }]
    }
    .boxed()
}

//! Which way is taken: the one that worked last, or else whatever the address and the proxy there tell.
//!
//! Must never take a way that the configuration rules out.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;
use tracing::{info, warn};

use super::find::{self, Found};
use super::stagger::{Miss, stagger};
use super::web::Web;
use super::{ByteStream, Choice, Dial, Reach, Route, upgrade};
use crate::address::{AUTH_PORT, Address, PROXY_PORTS};
use crate::connect::{self, ConnectError, Step, Target, Tried};
use crate::identity::Identity;

/// The way that worked last; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Last(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    /// What to try first.
    route: Option<Route>,
    /// What the log says.
    logged: Option<Route>,
}

/// A connection, and how it came about.
struct Arrived {
    stream: TlsStream<ByteStream>,
    route: Route,
    why: &'static str,
}

type Attempt<'a> = BoxFuture<'a, Result<Arrived, Miss<Tried>>>;

// === impl Last ===

impl Last {
    /// The way that worked last, unless nothing works since.
    #[must_use]
    pub fn get(&self) -> Option<Route> {
        self.memory().route.clone()
    }

    /// Whether `route` is another one than was taken before.
    fn set(&self, route: &Route) -> bool {
        let mut memory = self.memory();
        memory.route = Some(route.clone());
        memory.logged.replace(route.clone()).as_ref() != Some(route)
    }

    fn forget(&self) {
        self.memory().route = None;
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// TLS with Auth of `target`. What worked last is tried first; the choice is made anew as soon as that fails or takes long.
///
/// # Errors
/// What each way said.
pub(crate) async fn dial(target: &Target, identity: &Identity) -> Result<TlsStream<ByteStream>, ConnectError> {
    let reach = &target.reach;
    let dial = Dial { reach, identity };
    let deadline = Instant::now() + target.dial_timeout;
    let within = |way, attempt| within(target, deadline, way, attempt);
    let mut attempts = Vec::new();
    if let Some(route) = reach.last.get() {
        let label = format!("as it worked before, by {route}");
        attempts.push(within(label, go(route, "it worked before", dial).boxed()));
    }
    attempts
        .extend(ways(&target.address, reach.choice).into_iter().map(|way| within(way.to_string(), way.attempt(dial))));
    match stagger(attempts, reach.deadlines.head).await {
        Ok(Arrived { stream, route, why }) => {
            if reach.last.set(&route) {
                info!(%route, why, "Way to Teleport chosen");
                if reach.insecure && !matches!(route, Route::Auth { .. }) {
                    warn!(
                        "The proxy's certificate is NOT verified (`insecure = true`): anybody between may pose as the proxy; \
                         Auth itself is still verified by the identity's CAs. Never do this outside of a lab"
                    );
                }
            }
            Ok(stream)
        }
        Err(tried) => {
            // What worked once need not be what a reconfigured cluster offers.
            reach.last.forget();
            Err(told(&target.address, tried))
        }
    }
}

/// A way to try.
#[derive(Clone, Debug)]
pub(super) enum Way {
    Auth(Address),
    Proxy(Address, Choice),
}

/// The ways that the configuration leaves, the likelier first.
pub(super) fn ways(address: &Address, choice: Choice) -> Vec<Way> {
    let auth = || Way::Auth(address.at(address.port()));
    let proxies = || {
        let ports = address.port_given().map_or(PROXY_PORTS.to_vec(), |port| vec![port]);
        ports.into_iter().map(|port| Way::Proxy(address.at(port), choice))
    };
    match (choice, address.port_given()) {
        (Choice::Auth, _) => vec![auth()],
        (Choice::TlsRouting | Choice::Upgrade | Choice::Ssh, _) => proxies().collect(),
        (Choice::Auto, Some(port)) if port == AUTH_PORT || !PROXY_PORTS.contains(&port) => {
            std::iter::once(auth()).chain(proxies()).collect()
        }
        (Choice::Auto, Some(_) | None) => proxies().chain(std::iter::once(auth())).collect(),
    }
}

impl Way {
    fn attempt(self, dial: Dial<'_>) -> BoxFuture<'_, Result<Arrived, ConnectError>> {
        match self {
            Self::Auth(address) => {
                let why = why_auth(dial.reach);
                go(Route::Auth { address }, why, dial).boxed()
            }
            Self::Proxy(proxy, choice) => through(proxy, choice, dial).boxed(),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auth(address) => write!(f, "as an Auth server at `{address}`"),
            Self::Proxy(proxy, _) => write!(f, "as a proxy at `{proxy}`"),
        }
    }
}

const CONFIGURED: &str = "the configuration says so";
const DESPITE_ROUTING: &str = "the configuration says so, though the proxy has TLS routing";

/// Why an Auth server is spoken to where it answers.
pub(super) fn why_auth(reach: &Reach) -> &'static str {
    if reach.choice == Choice::Auth { CONFIGURED } else { "an Auth server answers there" }
}

async fn go(route: Route, why: &'static str, dial: Dial<'_>) -> Result<Arrived, ConnectError> {
    let stream = connect::tls(&route, dial).await?;
    Ok(Arrived { stream, route, why })
}

/// Through the proxy at `proxy`, as it tells or as `choice` has it.
async fn through(proxy: Address, choice: Choice, dial: Dial<'_>) -> Result<Arrived, ConnectError> {
    let (route, why) = plan(&proxy, choice, dial.reach).await?;
    let gone = go(route, why, dial).await;
    if why == DESPITE_ROUTING { gone.map_err(despite_routing) } else { gone }
}

/// No way by SSH, and the proxy told of another. What Auth said stands.
fn despite_routing(error: ConnectError) -> ConnectError {
    let alarm = match &error {
        ConnectError::Obstructed { alarm, .. } => *alarm,
        ConnectError::Unreachable { .. } | ConnectError::TimedOut { .. } | ConnectError::Tls { .. } => false,
        ConnectError::Identity(_)
        | ConnectError::Untrusted { .. }
        | ConnectError::WrongTime { .. }
        | ConnectError::WrongName { .. }
        | ConnectError::Refused { .. }
        | ConnectError::NoWay { .. } => return error,
    };
    let detail = format!(
        "{error}; the proxy says that it has TLS routing, and may have no tunnel port then: try it without `route = \"ssh\"`"
    );
    ConnectError::Obstructed { detail, alarm }
}

/// The route through the proxy at `proxy`, and why it is that one.
///
/// # Errors
/// If it is no proxy, or tells of no way.
pub(super) async fn plan(
    proxy: &Address,
    choice: Choice,
    reach: &Reach,
) -> Result<(Route, &'static str), ConnectError> {
    let web = Web::load(reach).await?;
    let Found { cluster, tls_routing, tunnel } = find::find(proxy, &web, reach).await?;
    let routed = |upgraded: bool| {
        let (proxy, cluster) = (proxy.clone(), cluster.clone());
        if upgraded { Route::ProxyUpgrade { proxy, cluster } } else { Route::ProxyTls { proxy, cluster } }
    };
    let (route, why) = match choice {
        Choice::Auto | Choice::Auth if tls_routing => {
            let (required, why) = upgrade::is_required(proxy, &web, reach).await;
            (routed(required), why)
        }
        Choice::TlsRouting => (routed(false), CONFIGURED),
        Choice::Upgrade => (routed(true), CONFIGURED),
        Choice::Auto | Choice::Auth | Choice::Ssh => {
            let Some(tunnel) = tunnel else {
                return Err(ConnectError::Obstructed {
                    detail: format!(
                        "the proxy at `{proxy}` tells no address of its reverse tunnel; set `tunnel_public_addr` in its configuration"
                    ),
                    alarm: true,
                });
            };
            let why = match choice {
                Choice::Ssh if tls_routing => DESPITE_ROUTING,
                Choice::Ssh => CONFIGURED,
                Choice::Auto | Choice::Auth | Choice::TlsRouting | Choice::Upgrade => "the proxy's TLS routing is off",
            };
            (Route::ProxySsh { proxy: proxy.clone(), tunnel, cluster }, why)
        }
    };
    Ok((route, why))
}

/// Bounds an attempt by the deadline of all, and tells whether its failure is the last word.
fn within<'a>(
    target: &'a Target,
    deadline: Instant,
    way: String,
    attempt: BoxFuture<'a, Result<Arrived, ConnectError>>,
) -> Attempt<'a> {
    async move {
        let late =
            || ConnectError::TimedOut { address: target.address.clone(), step: Step::All, after: target.dial_timeout };
        let ended = tokio::time::timeout_at(deadline, attempt).await.unwrap_or_else(|_| Err(late()));
        ended.map_err(|error| {
            let last_word = is_last_word(&error);
            let tried = Tried { way, error };
            if last_word { Miss::Stop(tried) } else { Miss::GoOn(tried) }
        })
    }
    .boxed()
}

/// Whether an error shows that an Auth server answered, so that no other way there would end better.
fn is_last_word(error: &ConnectError) -> bool {
    match error {
        ConnectError::Refused { .. }
        | ConnectError::WrongTime { of_teleport: true, .. }
        | ConnectError::Untrusted { of_teleport: true, .. } => true,
        ConnectError::Identity(_)
        | ConnectError::Unreachable { .. }
        | ConnectError::TimedOut { .. }
        | ConnectError::Untrusted { of_teleport: false, .. }
        | ConnectError::WrongTime { of_teleport: false, .. }
        | ConnectError::WrongName { .. }
        | ConnectError::Obstructed { .. }
        | ConnectError::Tls { .. }
        | ConnectError::NoWay { .. } => false,
    }
}

/// What was tried, with the same words only once.
fn told(address: &Address, tried: Vec<Tried>) -> ConnectError {
    let mut kept: Vec<Tried> = Vec::new();
    for tried in tried {
        if !kept.iter().any(|earlier| earlier.error.to_string() == tried.error.to_string()) {
            kept.push(tried);
        }
    }
    match (kept.pop(), kept.is_empty()) {
        (Some(only), true) => only.error,
        (last, _) => {
            kept.extend(last);
            ConnectError::NoWay { address: address.clone(), tried: kept }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn shown(address: &str, choice: Choice) -> Vec<String> {
        ways(&address.parse().unwrap(), choice).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_likelier_way_goes_first_and_a_port_that_is_written_is_the_only_one() {
        for (address, choice, expected) in [
            ("a:3025", Choice::Auto, vec!["as an Auth server at `a:3025`", "as a proxy at `a:3025`"]),
            ("a:7777", Choice::Auto, vec!["as an Auth server at `a:7777`", "as a proxy at `a:7777`"]),
            ("a:443", Choice::Auto, vec!["as a proxy at `a:443`", "as an Auth server at `a:443`"]),
            ("a:3080", Choice::Auto, vec!["as a proxy at `a:3080`", "as an Auth server at `a:3080`"]),
            (
                "[::1]",
                Choice::Auto,
                vec!["as a proxy at `[::1]:443`", "as a proxy at `[::1]:3080`", "as an Auth server at `[::1]:3025`"],
            ),
            ("a", Choice::Auth, vec!["as an Auth server at `a:3025`"]),
            ("a:443", Choice::Auth, vec!["as an Auth server at `a:443`"]),
            ("a", Choice::Upgrade, vec!["as a proxy at `a:443`", "as a proxy at `a:3080`"]),
            ("a:1", Choice::TlsRouting, vec!["as a proxy at `a:1`"]),
            ("a:1", Choice::Ssh, vec!["as a proxy at `a:1`"]),
        ] {
            assert_eq!(shown(address, choice), expected, "{address} {choice:?}");
        }
    }

    #[test]
    fn a_way_is_news_only_when_it_changes() {
        let last = Last::default();
        let auth = |port| Route::Auth { address: "a".parse::<Address>().unwrap().at(port) };
        assert!(last.set(&auth(1)));
        assert!(!last.clone().set(&auth(1)));
        last.forget();
        assert_eq!(last.get(), None);
        assert!(!last.set(&auth(1)));
        assert!(last.set(&auth(2)));
        assert_eq!(last.get(), Some(auth(2)));
    }
}

//! TLS with whoever answers at the address, which tells a proxy from an Auth server, and both from what is neither. It must
//! never take somebody for Auth whom the identity's CAs do not vouch for.

use futures::FutureExt as _;
use futures::future::join_all;
use tribunal_teleport::ConnectError;
use tribunal_teleport::route::probe::{self, Candidate, Shown};

use super::checks::Looking;
use super::finding::Finding;
use super::here::gone;
use super::seen::Seen;

const REMEDY: &str = "check that the address is that of a Teleport proxy or Auth server";
/// How TLS says that the other side turned it down.
const ALERT: &str = "received fatal alert";
/// What SSH servers begin with (RFC 4253).
const SSH: &str = "SSH-";

pub(super) fn tls(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(identity) = &seen.identity else { return gone() };
        let tried = join_all(seen.candidates.iter().map(|candidate| candidate.tls(identity, &seen.reach))).await;
        let mut tried: Vec<(Candidate, Result<Shown, ConnectError>)> =
            std::mem::take(&mut seen.candidates).into_iter().zip(tried).collect();
        if let Some(at) = tried.iter().position(|(_, shown)| shown.is_ok()) {
            let (candidate, shown) = tried.swap_remove(at);
            let finding = shown.map(|shown| {
                seen.protocol.clone_from(&shown.protocol);
                arrived(&candidate, &shown, seen.reach.insecure)
            });
            seen.candidates = vec![candidate];
            return vec![finding.unwrap_or_else(|error| Finding::failed_as(&error, REMEDY))];
        }
        for (candidate, _) in &tried {
            let greeting = probe::greeting(candidate.address(), &seen.reach).await;
            if let Some(said) = greeting.filter(|said| said.starts_with(SSH)) {
                let what = format!("`{}` speaks SSH (`{said}`), not TLS", candidate.address());
                let remedy = "use the proxy's web port (443 or 3080) or the Auth server's (3025), not 3022 to 3024";
                return vec![Finding::failed(what, remedy)];
            }
        }
        let errors: Vec<_> =
            tried.into_iter().filter_map(|(candidate, shown)| Some((candidate, shown.err()?))).collect();
        vec![failed(&errors)]
    }
    .boxed()
}

fn arrived(candidate: &Candidate, shown: &Shown, insecure: bool) -> Finding {
    let Shown { certificate, version, protocol: _ } = shown;
    let address = candidate.address();
    if candidate.is_auth() {
        return Finding::ok(format!(
            "an Auth server at `{address}` shows {certificate}, whose CA the identity file trusts; {version}"
        ));
    }
    if insecure {
        return Finding::warning(
            format!("a proxy at `{address}` shows {certificate}; it is NOT verified (`insecure = true`)"),
            "outside of a lab remove `insecure` from `[teleport]`, and name the CA with `proxy-ca-file`",
        );
    }
    Finding::ok(format!("a proxy at `{address}` shows {certificate}, which is trusted; {version}"))
}

/// What is said where nobody was believed.
fn failed(errors: &[(Candidate, ConnectError)]) -> Finding {
    if let Some((_, last_word)) = errors.iter().find(|(_, error)| stranger(error) == Some(false)) {
        return Finding::failed_as(last_word, REMEDY);
    }
    let is_proxy = |(candidate, _): &(Candidate, ConnectError)| !candidate.is_auth();
    // Who shows a certificate that is none of Teleport's own is a proxy, if anything.
    let foreign = errors.iter().any(|(candidate, error)| candidate.is_auth() && stranger(error) == Some(true));
    let only_proxies = foreign && errors.iter().any(is_proxy);
    let mut said: Vec<(String, String)> = Vec::new();
    for (candidate, error) in errors.iter().filter(|one| !only_proxies || is_proxy(one)) {
        let error = error.to_string();
        if !said.iter().any(|(_, earlier)| *earlier == error) {
            said.push((candidate.to_string(), error));
        }
    }
    match said.as_slice() {
        [(_, only)] => Finding::failed_as(only, REMEDY),
        several => {
            let numbered = (1..).zip(several).map(|(number, (candidate, error))| {
                format!("({number}) {candidate}: {}", Finding::failed_as(&error, REMEDY).what)
            });
            Finding::failed(numbered.collect::<Vec<_>>().join("; "), REMEDY)
        }
    }
}

/// Whether whoever answered showed the certificate of something else than a service of Teleport; none: there was no
/// certificate to tell by.
fn stranger(error: &ConnectError) -> Option<bool> {
    match error {
        ConnectError::Untrusted { of_teleport, .. } | ConnectError::WrongTime { of_teleport, .. } => Some(!of_teleport),
        ConnectError::WrongName { .. } => Some(true),
        ConnectError::Refused { .. } => Some(false),
        // It speaks TLS, and nothing of what an Auth server speaks.
        ConnectError::Tls { cause, .. } if cause.to_string().contains(ALERT) => Some(true),
        ConnectError::Identity(_)
        | ConnectError::Unreachable { .. }
        | ConnectError::TimedOut { .. }
        | ConnectError::Obstructed { .. }
        | ConnectError::Tls { .. }
        | ConnectError::NoWay { .. } => None,
    }
}

//! Finds out whether a server hung up because we are too old for it. Teleport closes the connection before its refusal is
//! sent (`lib/auth/middleware.go`, `ValidateClientVersion`), so that all that comes over is a broken connection.
//!
//! Must never be a way to go on with such a server: what is asked here without a version explains the refusal, no more.

use std::error::Error as _;
use std::time::Duration;

use tokio::time::Instant;
use tonic::{Code, Status};
use tribunal_proto::proto::PingRequest;
use tribunal_proto::proto::auth_service_client::AuthServiceClient;

use super::{Client, Connection};
use crate::connect::TELEPORT_VERSION;
use crate::failure::{TOO_OLD, is_alert, is_unconnected};

/// How long what was found out is taken for granted, in seconds.
const VERDICT_SECS: u64 = 60;

/// How long finding out may take, in seconds: it comes on top of a call that failed.
const VERDICT_SECS_MAX: u64 = 3;

/// What was found out when a server hung up on us, and when.
#[derive(Debug)]
pub(crate) struct Verdict {
    found: Instant,
    too_old: Option<Status>,
}

impl Client {
    /// The answer to a call, or why the server hung up instead, if that can be told.
    pub(crate) async fn answered<T>(&self, connection: &Connection, answer: Result<T, Status>) -> Result<T, Status> {
        let status = match answer {
            Ok(answer) => {
                connection.hears();
                return Ok(answer);
            }
            Err(status) => status,
        };
        if !hung_up(&status) {
            if !is_unconnected(&status) && status.code() != Code::DeadlineExceeded {
                connection.hears();
            }
            return Err(refused(status));
        }
        // Who spoke to us once over this connection has taken us.
        if connection.heard() {
            return Err(status);
        }
        // Boxed: it is rare, and every call would have to make room for it.
        Err(Box::pin(self.verdict(connection)).await.unwrap_or(status))
    }

    /// Why the server does not speak to us, if it is our version.
    async fn verdict(&self, connection: &Connection) -> Option<Status> {
        let mut verdict = connection.verdict.lock().await;
        let holds = Duration::from_secs(VERDICT_SECS);
        if let Some(known) = verdict.as_ref().filter(|verdict| verdict.found.elapsed() < holds) {
            return known.too_old.clone();
        }
        let mut auth = AuthServiceClient::new(connection.bare.clone());
        let after = self.limits.call.min(Duration::from_secs(VERDICT_SECS_MAX));
        let pong = tokio::time::timeout(after, auth.ping(PingRequest {})).await;
        let version = pong.ok().and_then(Result::ok).map(|pong| pong.into_inner().server_version);
        let too_old = version.as_deref().filter(|version| is_too_old_for(version)).map(too_old);
        verdict.insert(Verdict { found: Instant::now(), too_old }).too_old.clone()
    }
}

/// Whether the connection broke without an answer. TLS that refuses our certificate says so itself.
fn hung_up(status: &Status) -> bool {
    let broken = matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled);
    broken && status.source().is_some() && !is_unconnected(status) && !is_alert(status)
}

/// A refusal for our version, in case it comes over after all; nobody may take it for a missing right.
fn refused(status: Status) -> Status {
    let too_old = status.code() == Code::PermissionDenied && status.message().contains(TOO_OLD);
    if too_old { Status::unauthenticated(status.message()) } else { status }
}

fn too_old(server: &str) -> Status {
    Status::unauthenticated(format!(
        "{TOO_OLD}: the server's is `{server}`, this client speaks as `{TELEPORT_VERSION}`"
    ))
}

/// Whether a server of this version takes no clients of ours: those of the release line before its own are the oldest
/// that it takes (`MinClientSemVer` in `version.go`).
fn is_too_old_for(server: &str) -> bool {
    match (major(TELEPORT_VERSION), major(server)) {
        (Some(ours), Some(theirs)) => theirs > ours.saturating_add(1),
        (Some(_), None) | (None, _) => false,
    }
}

fn major(version: &str) -> Option<u64> {
    version.trim_start_matches('v').split(['.', '-', '+']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_16_to_19_take_us_and_those_after_do_not() {
        for version in
            ["16.0.0", "16.5.18", "17.0.0", "18.3.1", "v19.0.0-alpha.1", "19.2.0", "", "x", "99999999999999999999.0"]
        {
            assert!(!is_too_old_for(version), "{version}");
        }
        for version in ["20.0.0", "20.0.0-dev", "v21.1.1"] {
            assert!(is_too_old_for(version), "{version}");
        }
    }

    #[test]
    fn a_refusal_of_our_version_is_no_missing_right() {
        let status = refused(Status::permission_denied("client version is unsupported"));
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(refused(Status::permission_denied("access denied")).code(), Code::PermissionDenied);
    }
}

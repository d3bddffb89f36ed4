//! How long access and requests last, as the Auth server computes it from wishes, roles and limits. Pure arithmetic on moments.

use tribunal_proto::types::AccessRequestSpecV3;

use super::refusal::bad_parameter;
use super::{Caller, Refusal};
use crate::clock::Moment;

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Longest access (`MaxAccessDuration`).
pub(super) const ACCESS_MS_MAX: i64 = 14 * DAY_MS;
/// Longest wait for a decision.
pub(super) const PENDING_MS_MAX: i64 = 7 * DAY_MS;
/// Longest certificate (`MaxCertDuration`).
pub(super) const CERTIFICATE_MS_MAX: i64 = 30 * HOUR_MS;
/// A certificate's life when nobody asks for another.
const CERTIFICATE_MS_DEFAULT: i64 = 12 * HOUR_MS;
/// How far ahead of its creation a request may start.
pub(super) const START_AHEAD_MS_MAX: i64 = 7 * DAY_MS;

/// What the requested and standing roles allow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    /// The smallest `max_session_ttl`.
    pub(super) session_ms_max: Option<i64>,
    /// The largest `request.max_duration` that a standing role gives.
    pub(super) duration_ms_max: Option<i64>,
}

/// The computed ends of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    /// Of the access, and of its longest extension.
    pub(super) access: Moment,
    /// Of a single certificate.
    pub(super) session: Moment,
    /// Of the undecided request.
    pub(super) pending: Moment,
}

/// The ends of a new request made at `now`.
pub(super) fn ends(
    spec: &AccessRequestSpecV3,
    object_expiry: Option<Moment>,
    owner: Option<&Caller>,
    limits: Limits,
    now: Moment,
) -> Result<Ends, Refusal> {
    let session_ms = session_ms(spec, owner, limits, now)?;
    let wanted_ms = wanted_duration_ms(spec, limits, now)?;
    let (access_ms, session_ms) = match wanted_ms {
        Some(wanted) => (wanted, session_ms.min(wanted)),
        None => (session_ms, session_ms),
    };
    let access_ms = access_ms.min(ACCESS_MS_MAX);
    let pending_ms = match object_expiry {
        None => PENDING_MS_MAX,
        Some(expiry) if expiry <= now => {
            return Err(bad_parameter("the access request would expire in the past: its expiry must lie ahead"));
        }
        Some(expiry) => expiry.since_ms(now),
    };
    Ok(Ends {
        access: now.plus_ms(access_ms),
        session: now.plus_ms(session_ms),
        pending: now.plus_ms(pending_ms.min(PENDING_MS_MAX).min(access_ms)),
    })
}

fn session_ms(spec: &AccessRequestSpecV3, owner: Option<&Caller>, limits: Limits, now: Moment) -> Result<i64, Refusal> {
    let certificate_left =
        owner.and_then(|caller| caller.expires).map(|expires| expires.since_ms(now)).filter(|left| *left > 0);
    let longest = [Some(CERTIFICATE_MS_MAX), limits.session_ms_max, certificate_left]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(CERTIFICATE_MS_MAX);
    let wished = Moment::from_proto(spec.session_ttl.as_ref()).or_else(|| Moment::from_proto(spec.expires.as_ref()));
    match wished {
        None => Ok(CERTIFICATE_MS_DEFAULT.min(longest)),
        Some(wished) if wished <= now => {
            Err(bad_parameter("invalid request TTL: the access request cannot be created in the past"))
        }
        Some(wished) => Ok(wished.since_ms(now).min(longest)),
    }
}

/// The access that was asked for beyond a session; `None` when nothing was.
fn wanted_duration_ms(spec: &AccessRequestSpecV3, limits: Limits, now: Moment) -> Result<Option<i64>, Refusal> {
    let Some(wished) = Moment::from_proto(spec.max_duration.as_ref()) else { return Ok(None) };
    let wished_ms = wished.since_ms(now);
    if wished_ms < 0 {
        return Err(bad_parameter("invalid max duration: it must lie after the creation time"));
    }
    if wished_ms > ACCESS_MS_MAX {
        return Err(bad_parameter(format!("invalid max duration: at most {} hours", ACCESS_MS_MAX / HOUR_MS)));
    }
    // Without a role that gives a maximum, the wish beyond a session has no effect.
    Ok(limits.duration_ms_max.map(|longest| wished_ms.min(longest)))
}

/// Whether access may start at `start`.
pub(super) fn check_start(start: Option<Moment>, created: Moment, expires: Option<Moment>) -> Result<(), Refusal> {
    let Some(start) = start else { return Ok(()) };
    if start < created {
        return Err(bad_parameter("assume start time must not be before the creation time"));
    }
    if expires.is_some_and(|expires| start > expires) {
        return Err(bad_parameter("assume start time must be before the access expiry"));
    }
    if start.since_ms(created) > START_AHEAD_MS_MAX {
        return Err(bad_parameter("assume start time is too far in the future: at most 7 days after creation"));
    }
    Ok(())
}

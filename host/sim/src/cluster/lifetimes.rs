//! How long access and requests last, as the Auth server computes it from wishes, roles and limits. Pure arithmetic on moments.

use tribunal_proto::types::AccessRequestSpecV3;

use super::Refusal;
use super::refusal::bad_parameter;
use crate::clock::Moment;

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Longest access (`MaxAccessDuration`).
pub(super) const ACCESS_MS_MAX: i64 = 14 * DAY_MS;
/// Longest wait for a decision.
pub(super) const PENDING_MS_MAX: i64 = 7 * DAY_MS;
/// Longest certificate (`MaxCertDuration`).
pub(super) const CERTIFICATE_MS_MAX: i64 = 30 * HOUR_MS;
/// How far ahead of its creation a request may start.
pub(super) const START_AHEAD_MS_MAX: i64 = 7 * DAY_MS;

/// What roles allow.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    /// The smallest `max_session_ttl` of a requested role.
    pub(super) session_ms_max: Option<i64>,
    /// For each requested role the largest `request.max_duration` that a standing role gives for it; 0 where none does.
    pub(super) durations_ms_max: Vec<i64>,
}

/// The computed ends of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    /// Of the access.
    pub(super) access: Moment,
    /// Of a single certificate.
    pub(super) session: Moment,
    /// Of the undecided request.
    pub(super) pending: Moment,
}

/// The ends of a new request made at `now` by a holder whose certificate has `certificate_ms_left` (source: `lib/services/access_request.go`).
pub(super) fn ends(
    spec: &AccessRequestSpecV3,
    object_expiry: Option<Moment>,
    certificate_ms_left: Option<i64>,
    limits: &Limits,
    now: Moment,
) -> Result<Ends, Refusal> {
    let session_ms = session_ms(spec, certificate_ms_left, limits, now)?;
    let access_ms = access_ms(spec, session_ms, limits, now)?;
    let pending_ms = pending_ms(object_expiry, access_ms, now)?;
    Ok(Ends {
        access: now.plus_ms(access_ms),
        session: now.plus_ms(session_ms.min(access_ms)),
        pending: now.plus_ms(pending_ms),
    })
}

/// Life of a certificate: as long as allowed, or as long as wished if that is shorter. A longer wish is refused.
fn session_ms(
    spec: &AccessRequestSpecV3,
    certificate_ms_left: Option<i64>,
    limits: &Limits,
    now: Moment,
) -> Result<i64, Refusal> {
    let certificate_ms_left = certificate_ms_left.filter(|left| *left > 0);
    let longest = [limits.session_ms_max, certificate_ms_left].into_iter().flatten().fold(CERTIFICATE_MS_MAX, i64::min);
    let Some(wish) = Moment::from_proto(spec.expires.as_ref()) else { return Ok(longest) };
    match wish.since_ms(now) {
        ms if ms <= 0 => Err(bad_parameter("invalid session TTL: the access would expire in the past")),
        ms if ms > longest => {
            Err(bad_parameter(format!("invalid session TTL: {ms} ms is more than the allowed {longest} ms")))
        }
        ms => Ok(ms),
    }
}

/// Life of the access: what roles allow beyond a session, or as long as wished if that is shorter; without such roles a session.
fn access_ms(spec: &AccessRequestSpecV3, session_ms: i64, limits: &Limits, now: Moment) -> Result<i64, Refusal> {
    let wish_ms = match Moment::from_proto(spec.max_duration.as_ref()) {
        _ if spec.dry_run => Some(ACCESS_MS_MAX),
        None => None,
        Some(wish) if wish < now => {
            return Err(bad_parameter("invalid max duration: it must lie after the creation time"));
        }
        Some(wish) => Some(wish.since_ms(now)),
    };
    if wish_ms.is_some_and(|wish| wish > ACCESS_MS_MAX) {
        return Err(bad_parameter(format!("invalid max duration: at most {} hours", ACCESS_MS_MAX / HOUR_MS)));
    }
    // As Teleport folds it: a later role replaces a minimum of zero.
    let by_roles =
        limits.durations_ms_max.iter().fold(0, |least, role| if least == 0 || *role < least { *role } else { least });
    let access_ms = match wish_ms {
        Some(wish) if wish < by_roles => wish,
        Some(wish) if by_roles == 0 => wish.min(session_ms),
        Some(_) | None => by_roles,
    };
    Ok(if access_ms > 0 { access_ms } else { session_ms })
}

/// Life of the undecided request: as wished, but no longer than 7 days and than the access.
fn pending_ms(object_expiry: Option<Moment>, access_ms: i64, now: Moment) -> Result<i64, Refusal> {
    let longest = PENDING_MS_MAX.min(access_ms);
    let Some(wish) = object_expiry else { return Ok(longest) };
    match wish.since_ms(now) {
        ms if ms < 0 => Err(bad_parameter("invalid request TTL: the access request cannot be created in the past")),
        ms if ms > longest => {
            Err(bad_parameter(format!("invalid request TTL: {ms} ms is more than the allowed {longest} ms")))
        }
        ms => Ok(ms),
    }
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

//! What a failed call means for those who made it: try again, look again, or call a person.
//!
//! Must never hide what the server said; must never repeat it without bound either.

use std::error::Error;

use tonic::{Code, Status};
use tribunal_core::failure::{Failure, FailureClass};

use crate::connect::ConnectError;

/// What a server says that takes no client as old as this one (`lib/auth/middleware.go`).
pub(crate) const TOO_OLD: &str = "client version is unsupported";
/// What TLS says of an alert that came in.
const ALERT: &str = "received fatal alert";
/// How much of a server's words is repeated, in bytes.
const DETAIL_BYTES_MAX: usize = 1024;

/// A method, and what the caller's role needs for it (`lib/auth/auth_with_roles.go`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) needs: &'static str,
}

/// What a failed call means.
pub(crate) fn explain(method: Method, status: &Status) -> Failure {
    if connect_error(status).is_some() {
        return unconnected(status);
    }
    let (class, code) = classify(status.code());
    let said = words(status);
    // The server looks at our certificate after TLS 1.3 is up on our side, so that its no comes in here.
    if said.contains(ALERT) {
        return Failure::new(
            FailureClass::Alarm,
            format!(
                "the server refuses our identity: {said}; check that identity and address are of the same cluster, and have tbot write the identity anew"
            ),
        );
    }
    let Method { name, needs } = method;
    let remedy = match status.code() {
        // What it says of people, never of bots; and of whoever a lock is on. Rights would change neither.
        Code::PermissionDenied if is_for_mfa(&said) => {
            "; use an identity that tbot writes: Teleport asks bots for no second factor".to_owned()
        }
        Code::PermissionDenied if said.contains("lock targeting") => {
            "; somebody locked the daemon out: look at `tctl get locks`".to_owned()
        }
        Code::PermissionDenied if !needs.is_empty() => format!("; the daemon's role needs {needs}"),
        Code::Unauthenticated if said.contains(TOO_OLD) => "; update tribunal".to_owned(),
        Code::Unauthenticated => "; have tbot write the identity anew".to_owned(),
        Code::Unimplemented => "; the server is too old, or its edition lacks it".to_owned(),
        Code::OutOfRange => "; the answer is larger than this client takes".to_owned(),
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::InvalidArgument
        | Code::DeadlineExceeded
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => String::new(),
    };
    Failure::new(class, format!("`{name}`: {code}: {said}{remedy}"))
}

/// Whether administrative actions are refused for want of a second factor (`api/mfa`).
fn is_for_mfa(said: &str) -> bool {
    said.contains("requires MFA") || said.contains("multi-factor")
}

/// What it means that there is no connection.
pub(crate) fn unconnected(status: &Status) -> Failure {
    match connect_error(status) {
        Some(error) => Failure::new(class_of_connect(error), error.to_string()),
        None => Failure::new(FailureClass::Retry, format!("no connection: {}", words(status))),
    }
}

/// How to react to a code of gRPC, and its name (the codes that Teleport sends: `gravitational/trace`, `trail`).
fn classify(code: Code) -> (FailureClass, &'static str) {
    match code {
        Code::Unavailable => (FailureClass::Retry, "unavailable"),
        Code::DeadlineExceeded => (FailureClass::Retry, "too late"),
        // A lost race of writers.
        Code::FailedPrecondition => (FailureClass::Retry, "failed precondition"),
        Code::ResourceExhausted => (FailureClass::Retry, "limit exceeded"),
        Code::Unknown => (FailureClass::Retry, "unknown error"),
        Code::Internal => (FailureClass::Retry, "internal error"),
        Code::Aborted => (FailureClass::Retry, "aborted"),
        Code::Cancelled => (FailureClass::Retry, "cancelled"),
        // An error that says it is none.
        Code::Ok => (FailureClass::Retry, "ended without an answer"),
        Code::NotFound => (FailureClass::Settle, "not found"),
        Code::InvalidArgument => (FailureClass::Settle, "invalid argument"),
        Code::AlreadyExists => (FailureClass::Settle, "already exists"),
        Code::PermissionDenied => (FailureClass::Alarm, "permission denied"),
        Code::Unauthenticated => (FailureClass::Alarm, "not authenticated"),
        Code::Unimplemented => (FailureClass::Alarm, "not implemented"),
        // tonic's own, for a message beyond the limit: the next one will be no smaller.
        Code::OutOfRange => (FailureClass::Alarm, "out of range"),
        Code::DataLoss => (FailureClass::Alarm, "data loss"),
    }
}

/// Whether time may mend it, or a person has to.
fn class_of_connect(error: &ConnectError) -> FailureClass {
    match error {
        ConnectError::Unreachable { .. }
        | ConnectError::TimedOut { .. }
        | ConnectError::Tls { .. }
        | ConnectError::Obstructed { alarm: false, .. } => FailureClass::Retry,
        ConnectError::Identity(_)
        | ConnectError::Untrusted { .. }
        | ConnectError::WrongTime { .. }
        | ConnectError::WrongName { .. }
        | ConnectError::Refused { .. }
        | ConnectError::Obstructed { alarm: true, .. } => FailureClass::Alarm,
        ConnectError::NoWay { tried, .. } => {
            let alarm = tried.iter().all(|tried| class_of_connect(&tried.error) == FailureClass::Alarm);
            if alarm { FailureClass::Alarm } else { FailureClass::Retry }
        }
    }
}

/// Whether TLS refused us after it was up on our side.
pub(crate) fn is_alert(status: &Status) -> bool {
    words(status).contains(ALERT)
}

/// Whether there was no connection over which to ask.
pub(crate) fn is_unconnected(status: &Status) -> bool {
    connect_error(status).is_some()
}

fn connect_error(status: &Status) -> Option<&ConnectError> {
    sources(status).find_map(|error| error.downcast_ref())
}

/// What was said, with its causes, each once, bounded.
fn words(status: &Status) -> String {
    let mut said = status.message().to_owned();
    for cause in sources(status).map(ToString::to_string) {
        if !said.contains(&cause) && !cause.contains("status:") {
            said = if said.is_empty() { cause } else { format!("{said}: {cause}") };
        }
    }
    if said.is_empty() {
        return "no details".to_owned();
    }
    match said.get(..said.floor_char_boundary(DETAIL_BYTES_MAX)) {
        Some(start) if start.len() < said.len() => format!("{start}…"),
        Some(_) | None => said,
    }
}

/// What lies under an error, outermost first.
fn sources<'a>(status: &'a Status) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = status.source();
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: Method = Method { name: "GetLock", needs: "lock: read" };

    fn class(code: Code) -> FailureClass {
        explain(METHOD, &Status::new(code, "x")).class
    }

    #[test]
    fn no_right_is_named_where_none_would_help() {
        for (said, remedy) in [
            ("access denied to perform action", "the daemon's role needs lock: read"),
            ("admin-level API request requires MFA verification", "use an identity that tbot writes"),
            ("lock targeting User:\"bot-tribunal\" is in force", "somebody locked the daemon out"),
        ] {
            let failure = explain(METHOD, &Status::permission_denied(said));
            assert_eq!(failure.class, FailureClass::Alarm, "{failure}");
            assert!(failure.detail.contains(remedy), "{failure}");
            assert_eq!(failure.detail.contains("role needs"), remedy.contains("role needs"), "{failure}");
        }
    }

    #[test]
    fn each_code_has_its_class() {
        use Code::{
            Aborted, AlreadyExists, Cancelled, DataLoss, DeadlineExceeded, FailedPrecondition, Internal,
            InvalidArgument, NotFound, OutOfRange, PermissionDenied, ResourceExhausted, Unauthenticated, Unavailable,
            Unimplemented, Unknown,
        };
        let retry = [
            Unavailable,
            DeadlineExceeded,
            FailedPrecondition,
            ResourceExhausted,
            Unknown,
            Internal,
            Aborted,
            Cancelled,
        ];
        for code in retry {
            assert_eq!(class(code), FailureClass::Retry, "{code:?}");
        }
        for code in [NotFound, InvalidArgument, AlreadyExists] {
            assert_eq!(class(code), FailureClass::Settle, "{code:?}");
        }
        for code in [PermissionDenied, Unauthenticated, Unimplemented, OutOfRange, DataLoss] {
            assert_eq!(class(code), FailureClass::Alarm, "{code:?}");
        }
    }

    #[test]
    fn a_missing_right_is_named() {
        let failure = explain(METHOD, &Status::permission_denied("access denied"));
        assert_eq!(failure.detail, "`GetLock`: permission denied: access denied; the daemon's role needs lock: read");
    }

    #[test]
    fn a_refused_identity_needs_a_person() {
        let failure = explain(METHOD, &Status::unknown("transport error: received fatal alert: CertificateExpired"));
        assert_eq!(failure.class, FailureClass::Alarm);
        assert!(failure.detail.starts_with("the server refuses our identity: "), "{failure}");
    }

    #[test]
    fn a_long_answer_is_cut_between_characters() {
        let failure = explain(METHOD, &Status::internal("ö".repeat(5_000)));
        assert!(failure.detail.len() < DETAIL_BYTES_MAX + 64);
        assert!(failure.detail.ends_with("ö…"));
    }

    #[test]
    fn an_answer_without_words_still_says_what_failed() {
        assert_eq!(explain(METHOD, &Status::aborted("")).detail, "`GetLock`: aborted: no details");
    }
}

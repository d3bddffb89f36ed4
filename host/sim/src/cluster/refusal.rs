//! Refusals with the error kinds of Teleport's `trace` library and the gRPC codes that they travel as. A refusal never changes state.

use tonic::{Code, Status};

/// The error kinds of `gravitational/trace` that the Auth server answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// `PermissionDenied`
    AccessDenied,
    /// `AlreadyExists`
    AlreadyExists,
    /// `InvalidArgument`
    BadParameter,
    /// `FailedPrecondition`
    CompareFailed,
    /// `Unavailable`
    ConnectionProblem,
    /// `ResourceExhausted`
    LimitExceeded,
    /// `NotFound`
    NotFound,
    /// `Unimplemented`
    NotImplemented,
}

impl RefusalKind {
    /// The code of `gravitational/trace`'s `trail` package.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::AccessDenied => Code::PermissionDenied,
            Self::AlreadyExists => Code::AlreadyExists,
            Self::BadParameter => Code::InvalidArgument,
            Self::CompareFailed => Code::FailedPrecondition,
            Self::ConnectionProblem => Code::Unavailable,
            Self::LimitExceeded => Code::ResourceExhausted,
            Self::NotFound => Code::NotFound,
            Self::NotImplemented => Code::Unimplemented,
        }
    }
}

/// The server's no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind of no.
    pub kind: RefusalKind,
    /// For people.
    pub message: String,
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.kind.code(), refusal.message)
    }
}

macro_rules! constructors {
    ($($name:ident => $kind:ident),* $(,)?) => {
        $(pub(crate) fn $name(message: impl Into<String>) -> Refusal {
            Refusal { kind: RefusalKind::$kind, message: message.into() }
        })*
    };
}

constructors! {
    access_denied => AccessDenied,
    bad_parameter => BadParameter,
    compare_failed => CompareFailed,
    limit_exceeded => LimitExceeded,
    not_found => NotFound,
    not_implemented => NotImplemented,
}

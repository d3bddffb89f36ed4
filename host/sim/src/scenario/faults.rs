//! Faults in a scenario. Only their form; striking is done elsewhere.

use serde::Deserialize;

use super::Span;

/// What goes wrong, and how often.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct FaultDef {
    /// Seed of every probability here.
    pub seed: u64,
    /// Each call waits this long at least.
    pub latency: Span,
    /// Each call waits up to this long more, evenly distributed.
    pub latency_jitter: Span,
    /// The server's clock is ahead by this much (behind, when negative).
    pub clock_skew: Span,
    /// Lists of requests and locks trail the backend by this many changes.
    pub stale_list: usize,
    /// Each watch stream breaks after this many events; 0 for never.
    pub drop_watch_after: u64,
    /// Only the default ascending order can be listed.
    pub cache_down: bool,
    /// Calls that fail before anything happened.
    pub error: Vec<ErrorFault>,
    /// Calls whose effect happens and whose reply does not.
    pub lost_reply: Vec<LostReply>,
}

/// A call that fails before anything happened.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ErrorFault {
    /// The method's name, such as `UpsertLock`; `*` for all.
    pub method: String,
    /// The gRPC code, such as `unavailable`.
    pub code: FaultCode,
    /// The next so many calls fail.
    #[serde(default)]
    pub next: Option<u64>,
    /// A call fails with this probability, 0 to 1.
    #[serde(default)]
    pub probability: Option<f64>,
    /// For people.
    #[serde(default)]
    pub message: Option<String>,
}

/// A call whose effect happens and whose reply does not.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LostReply {
    /// The method's name; `*` for all.
    pub method: String,
    /// The next so many replies are lost.
    #[serde(default)]
    pub next: Option<u64>,
    /// A reply is lost with this probability, 0 to 1.
    #[serde(default)]
    pub probability: Option<f64>,
}

/// gRPC codes that a fault can answer with.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "gRPC's own names")]
pub enum FaultCode {
    Aborted,
    AlreadyExists,
    Cancelled,
    DeadlineExceeded,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    Unknown,
}

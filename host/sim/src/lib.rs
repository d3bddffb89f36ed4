//! A simulated Teleport Auth server: real gRPC over mutual TLS, Teleport's documented rules, refusals and expiries, and faults on demand. It must
//! never decide anything that a policy or the daemon should decide, and it never reaches outside this machine.
//!
//! * [`Cluster`] is the state and the rules: pure, synchronous, time passed in.
//! * [`SimServer`] puts it behind TLS and gRPC and gives a [`Running`] server, whose [`Handle`] is for embedding: acting without a client,
//!   observing every change, injecting faults.
//! * [`Proxy`] stands before a server as Teleport's proxy does, with [`SshTunnel`] beside it, and with faults of its own.
//! * [`Scenario`] is what it starts with, from TOML (see `SCENARIO.md`).

mod chance;
mod clock;
pub mod cluster;
mod faults;
mod pki;
pub mod proxy;
pub mod release;
pub mod scenario;
mod server;

pub use clock::{GO_ZERO_TIME_SECONDS, Moment, SimClock, go_zero_time};
pub use cluster::{Caller, Change, Cluster, Entry, Refusal, RefusalKind};
pub use faults::{Faults, Often};
pub use pki::authority::{API_DOMAIN, encoded_cluster_name};
pub use pki::identity_file::Identity;
pub use pki::rotation::RotationPhase;
pub use pki::{IdentityKey, IdentityOrder, KeyForm, PkiError};
pub use proxy::ssh::{SshTunnel, TunnelFault, TunnelSettings};
pub use proxy::{Balancer, Proxy, ProxySettings, Silence, TlsVersions, Upgrade, WebCertificate};
pub use release::Release;
pub use scenario::{DEFAULT_SCENARIO, InvalidScenario, Scenario, Span, default_scenario};
pub use server::{Handle, IssueOptions, RequestSpec, Running, SimServer, Snapshot, StartError};

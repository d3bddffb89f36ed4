//! Speaks to a Teleport Auth server: who we are, how to get there, what is asked, and what the answers mean.
//!
//! Must never decide anything about an access request; it says what is there, and does what it is told.

pub mod address;
pub mod client;
pub mod connect;
pub mod convert;
mod failure;
pub mod identity;
pub mod rights;
pub mod route;
pub mod skew;
mod tls;
mod watch;

pub use address::{Address, InvalidAddress};
pub use client::{Client, Cluster, Limits};
pub use connect::{ConnectError, Target};
pub use identity::{Held, Identity, IdentityError, IdentityFile, InvalidIdentity};
pub use rights::Rights;
pub use route::{Choice, Deadlines, Environment, Reach, Route};
pub use skew::Skew;

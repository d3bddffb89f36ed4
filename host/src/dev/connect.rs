//! Connects to a simulated cluster as one of its users, with mutual TLS and the user's identity file. It must never
//! speak to anything but the address that the cluster's directory names.

use std::path::Path;
use std::time::Duration;

use tonic::transport::Channel;
use tribunal_teleport::{Address, Choice, Reach, Target, connect};

use super::DevError;

/// How long a connection may take to come about.
const DIAL_MAX: Duration = Duration::from_secs(5);

/// A connection to `address` with this identity file.
///
/// # Errors
/// When the file cannot be used, or nothing answers there.
pub(super) async fn connect(address: &Address, identity: &Path) -> Result<Channel, DevError> {
    let reach = Reach { choice: Choice::Auth, ..Reach::default() };
    let target = Target { address: address.clone(), identity_file: identity.to_owned(), dial_timeout: DIAL_MAX, reach };
    connect::connect(&target).await.map_err(|failure| DevError::Unreachable(failure.detail))
}

/// What is at the bottom of an error; the layers above it only say that something failed.
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

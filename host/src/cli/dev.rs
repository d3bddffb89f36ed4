//! `tribunal dev`: a simulated cluster to try things out on.

use std::process::ExitCode;

use super::args::DevArgs;

/// Runs `tribunal dev`.
///
/// # Errors
/// What is wrong, and what to do.
#[expect(clippy::unused_async, reason = "the simulated server runs in it")]
pub async fn dev(args: DevArgs) -> anyhow::Result<ExitCode> {
    drop(args);
    anyhow::bail!("`tribunal dev` is not part of this build: use `tribunal run` against a cluster")
}

//! `tribunal dev --serve`: only the simulated cluster, for a daemon of one's own. It must never decide anything.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::json;
use tokio_util::sync::CancellationToken;
use tribunal_sim::{Release, SimClock, SimServer};

use super::dir::Dir;
use super::{DevError, scenario};

/// What to serve, and where.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where to listen; port 0: any that is free.
    pub listen: SocketAddr,
    /// Where the identity files and the file `address` go.
    pub dir: PathBuf,
    /// The scenario file; none: the built-in scenario.
    pub scenario: Option<PathBuf>,
    /// The release of Teleport that is simulated; none: that of the scenario.
    pub release: Option<Release>,
    /// Say that it is ready in JSON.
    pub json: bool,
}

/// Serves a simulated cluster until `stop`. Prints one line when it is ready.
///
/// # Errors
/// When the scenario cannot be used, the directory not be written or the address not be listened on.
pub async fn serve(options: ServeOptions, stop: CancellationToken) -> Result<(), DevError> {
    let ServeOptions { listen, dir, scenario: path, release, json } = options;
    let scenario = scenario::load(path.as_deref(), release)?;
    let cluster = scenario.cluster.clone();
    writable(&dir)?;
    let server = SimServer::start(scenario, listen, Some(dir.clone()), SimClock::real()).await?;
    Dir::new(&dir).write_address(&server.addr().to_string())?;
    ready(&cluster, server.addr(), &dir, json)?;
    stop.cancelled().await;
    server.shutdown().await;
    Ok(())
}

/// So that the error says what to do, and comes before anything listens.
fn writable(dir: &Path) -> Result<(), DevError> {
    std::fs::create_dir_all(dir).map_err(|source| DevError::File {
        verb: "write",
        path: dir.to_owned(),
        source,
        remedy: "choose a directory with `--dir` that you may write to",
    })
}

fn ready(cluster: &str, address: SocketAddr, dir: &Path, json: bool) -> Result<(), DevError> {
    let dir = dir.display().to_string();
    let line = if json {
        json!({ "address": address.to_string(), "cluster": cluster, "dir": dir }).to_string()
    } else {
        format!("cluster `{cluster}` listens on {address}, identities are in {dir}")
    };
    let mut stdout = anstream::stdout();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(DevError::Output)
}

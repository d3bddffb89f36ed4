//! `tribunal dev`: a simulated cluster and the daemon side by side, a scenario told as it happens, and the users of a
//! served cluster. It must never decide anything about a request, nor touch a cluster that is not simulated.

mod cast;
pub mod commands;
mod connect;
mod dir;
mod error;
mod evidence;
mod safety;
mod scenario;
mod serve;
mod shown;
mod stage;
mod story;
mod table;
mod user;
mod wire;

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;
use tribunal_sim::Release;

pub use error::DevError;
pub use serve::{ServeOptions, serve};
pub use shown::{FinalState, ShownLock, ShownRequest};
pub use user::Wish;

use dir::Dir;
use stage::Stage;
use story::Story;

/// How `tribunal dev` is played.
#[derive(Clone, Debug, Default)]
pub struct PlayOptions {
    /// A scenario file: its own requests are waited for, instead of the built-in story.
    pub scenario: Option<PathBuf>,
    /// A configuration whose panel judges, instead of the built-in one.
    pub config: Option<PathBuf>,
    /// The release of Teleport that is simulated; none: that of the scenario.
    pub release: Option<Release>,
    /// Where the identity files and the ledger go; none: where they are removed in the end.
    pub dir: Option<PathBuf>,
    /// Print the final state as one JSON object, and the story on standard error.
    pub json: bool,
    /// End when the scenario has; otherwise stay up until a stop is asked for.
    pub once: bool,
}

/// Plays the scenario on a simulated cluster with the daemon beside it, and prints how things stand in the end. Gives
/// what is not as expected; nothing for a scenario file, of which nothing is expected.
///
/// # Errors
/// When the cluster or the daemon does not start or breaks, or `stop` comes before the end with `once`.
pub async fn play(options: PlayOptions, stop: CancellationToken) -> Result<Vec<String>, DevError> {
    let PlayOptions { scenario, config, release, dir, json, once } = options;
    let mut story = if json { Story::on_stderr() } else { Story::on_stdout() };
    let is_built_in = scenario.is_none();
    let scenario = scenario::load(scenario.as_deref(), release)?;
    let interrupted = || if once { Err(DevError::Interrupted) } else { Ok(Vec::new()) };
    let mut stage = tokio::select! {
        set = Stage::set(scenario, config.as_deref(), dir) => set?,
        () = stop.cancelled() => return interrupted(),
    };
    let performed = tokio::select! {
        performed = perform(&mut stage, &mut story, is_built_in, json) => Some(performed),
        () = stop.cancelled() => None,
    };
    let ended = match performed {
        Some(Ok(wrong)) if once => Ok(wrong),
        Some(Ok(wrong)) => stay(&mut stage, &mut story, &stop).await.map(|()| wrong),
        Some(Err(error)) => Err(error),
        None => interrupted(),
    };
    let cleared = stage.clear().await;
    // The first failure is the one that tells most.
    let wrong = ended?;
    cleared?;
    Ok(wrong)
}

/// Plays to the end and prints the final state.
async fn perform(stage: &mut Stage, story: &mut Story, is_built_in: bool, json: bool) -> Result<Vec<String>, DevError> {
    let (cluster, addr) = (stage.cluster().to_owned(), stage.addr());
    story.line(&format!("cluster `{cluster}` listens on {addr}; tribunal watches it: {}\n", stage.panel()))?;
    let played = if is_built_in { cast::play(stage, story).await } else { stage.settled().await };
    let mut wrong = match played {
        Ok(()) => Vec::new(),
        // The final state shows how far it came.
        Err(late @ DevError::TooLate { .. }) => vec![late.to_string()],
        Err(error) => return Err(error),
    };
    if is_built_in {
        wrong.extend(cast::check_history(stage, story)?);
    }
    let state = stage.state()?;
    if is_built_in {
        wrong.extend(cast::differences(&state));
    }
    if json {
        commands::print_json(&state)?;
    } else {
        story.line(&format!("\n{}", table::of_requests(&state.requests)))?;
    }
    Ok(wrong)
}

/// Waits for a stop, while a newcomer tries things out.
async fn stay(stage: &mut Stage, story: &mut Story, stop: &CancellationToken) -> Result<(), DevError> {
    story.line(&invitation(stage.cluster(), stage.dir()))?;
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        error = stage.broken() => Err(error),
    }
}

fn invitation(cluster: &str, dir: &Dir) -> String {
    let dir = dir.path().display();
    format!(
        "
The cluster and tribunal stay up. Try, in another terminal:
  tribunal dev request --dir {dir} --user alice --resource /{cluster}/node/node-1 --reason 'to have a look'
  tribunal dev request --dir {dir} --user alice --role prod-admin --role research-admin
  tribunal dev requests --dir {dir}
  tribunal dev locks --dir {dir}
  tribunal dev approve --dir {dir} ID
Ctrl-C ends it."
    )
}

//! Users, who ask when it is time to, whether or not those before them were answered. A thread of its own, so that nobody
//! holds it up. It must never wait for the daemon.

use std::time::{Duration, Instant};

use tribunal_sim::Handle;

use super::Args;
use super::chance::Chance;
use super::cluster;
use super::relay::await_time;

/// Chance is drawn from so many numbers.
const DRAWN: u64 = 1 << 32;

/// A request that was made.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) id: String,
    /// When it was to be made.
    pub(crate) intended: Instant,
    /// When it was.
    pub(crate) made: Instant,
    /// What it should come to.
    pub(crate) approved: bool,
}

/// Makes all requests, at the rate that is wanted.
pub(crate) fn ask(args: &Args, server: &Handle) -> Result<Vec<Asked>, String> {
    let mut chance = Chance::new(args.seed);
    let all = args.warm_up + args.requests;
    let mut asked = Vec::new();
    let begun = Instant::now();
    let mut due = Duration::ZERO;
    for number in 0..all {
        due += pause(args, &mut chance);
        let intended = begun + due;
        await_time(intended);
        let (wish, approved) = cluster::request(number, all);
        let made = Instant::now();
        let request = server.create_request(&wish).map_err(|refusal| format!("a request is refused: {refusal:?}"))?;
        let id = request.metadata.map(|metadata| metadata.name).unwrap_or_default();
        asked.push(Asked { id, intended, made, approved });
    }
    Ok(asked)
}

/// Until the next one.
fn pause(args: &Args, chance: &mut Chance) -> Duration {
    let mean = 1.0 / args.rate as f64;
    if args.even {
        return Duration::from_secs_f64(mean);
    }
    let drawn = (chance.below(DRAWN) as f64 + 0.5) / DRAWN as f64;
    // Distances of a Poisson process are distributed exponentially.
    Duration::from_secs_f64(-mean * drawn.ln())
}

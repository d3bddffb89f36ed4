//! Which held requests give way when together they exceed the limit.
//! It must never lock a request that adds nothing to what is kept.

use tribunal_guest::prelude::*;

use crate::usage::Tally;

/// A request that counts, with the numbers of what it takes, each once.
#[derive(Debug)]
pub(crate) struct Holding<'a> {
    pub(crate) request: &'a AccessRequest,
    pub(crate) things: Vec<usize>,
}

/// The oldest give way until what is left fits beside what is permanent. Holdings and answer: oldest first.
pub(crate) fn oldest_first<'a>(max: usize, mut kept: Tally, holdings: &[Holding<'a>]) -> Vec<&'a AccessRequest> {
    // Those that cannot fit even alone go first: no older one has to give way for them.
    let too_much = |holding: &Holding<'_>| {
        let more = kept.more(&holding.things);
        more > 0 && kept.units() + more > max
    };
    let mut goes: Vec<bool> = holdings.iter().map(too_much).collect();
    for (holding, goes) in holdings.iter().zip(&goes) {
        if !goes {
            kept.add(&holding.things);
        }
    }
    for (holding, goes) in holdings.iter().zip(&mut goes) {
        if kept.units() > max && !*goes {
            kept.remove(&holding.things);
            *goes = true;
        }
    }
    // One that newer requests cover altogether made no room by going.
    let losers = holdings.iter().zip(goes).filter(|(holding, goes)| *goes && kept.more(&holding.things) > 0);
    losers.map(|(holding, _)| holding.request).collect()
}

/// From the newest to the oldest, what does not fit beside what was kept. Holdings and answer: oldest first.
pub(crate) fn skip_fit<'a>(max: usize, mut kept: Tally, holdings: &[Holding<'a>]) -> Vec<&'a AccessRequest> {
    let mut losers = Vec::new();
    for holding in holdings.iter().rev() {
        let more = kept.more(&holding.things);
        if more == 0 || kept.units() + more <= max {
            kept.add(&holding.things);
        } else {
            losers.push(holding.request);
        }
    }
    losers.reverse();
    losers
}

//! Which held requests give way when together they exceed the limit.
//! It must never lock a request that adds nothing to what is kept.

use tribunal_guest::AccessRequest;

use crate::usage::{Item, Tally};

/// A request that counts, with what it takes.
#[derive(Debug)]
pub(crate) struct Holding<'a> {
    pub(crate) request: &'a AccessRequest,
    /// Distinct and sorted.
    pub(crate) items: Vec<Item<'a>>,
}

// === impl Holding ===

impl Holding<'_> {
    /// Units that the request takes alone.
    pub(crate) fn units(&self) -> usize {
        self.items.len()
    }
}

/// The oldest give way until what is left fits beside what is permanent. Holdings and answer: oldest first.
pub(crate) fn oldest_first<'a>(max: usize, permanent: &[Item<'a>], holdings: &[Holding<'a>]) -> Vec<&'a AccessRequest> {
    let mut kept = tally(permanent, holdings);

    // Those that cannot fit even alone go first: no older one has to give way for them.
    let (fitting, mut losers): (Vec<_>, Vec<_>) = holdings.iter().partition(|holding| {
        let more = kept.more(&holding.items);
        more == 0 || kept.units() + more <= max
    });
    for holding in &fitting {
        kept.add(&holding.items);
    }
    let mut oldest = fitting.into_iter();
    while kept.units() > max {
        // Only what is permanent is left.
        let Some(holding) = oldest.next() else { break };
        kept.remove(&holding.items);
        losers.push(holding);
    }
    // One that newer requests cover altogether made no room by going.
    losers.retain(|holding| kept.more(&holding.items) > 0);
    in_order(losers)
}

/// From the newest to the oldest, what does not fit beside what was kept. Holdings and answer: oldest first.
pub(crate) fn skip_fit<'a>(max: usize, permanent: &[Item<'a>], holdings: &[Holding<'a>]) -> Vec<&'a AccessRequest> {
    let mut kept = tally(permanent, holdings);
    let mut losers = Vec::new();
    for holding in holdings.iter().rev() {
        let more = kept.more(&holding.items);
        if more == 0 || kept.units() + more <= max {
            kept.add(&holding.items);
        } else {
            losers.push(holding);
        }
    }
    in_order(losers)
}

fn tally<'a>(permanent: &[Item<'a>], holdings: &[Holding<'a>]) -> Tally<'a> {
    let all = permanent.iter().chain(holdings.iter().flat_map(|holding| &holding.items));
    let mut kept = Tally::new(all.copied());
    kept.add(permanent);
    kept
}

fn in_order<'a>(mut losers: Vec<&Holding<'a>>) -> Vec<&'a AccessRequest> {
    losers.sort_unstable_by(|a, b| a.request.age().cmp(&b.request.age()));
    losers.into_iter().map(|holding| holding.request).collect()
}

//! What comes of many decisions, added up. It never leaves one out of a count.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use tribunal_ledger::Digest;

use super::flip::Flip;

/// Differences, and flips, that are kept one by one; all are counted.
const KEPT_MAX: usize = 1_000_000;

/// A decision that is not the same when it is made again, or cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// The number of its record; none, where that cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// What is different.
    pub what: String,
}

/// How often each flip comes, by its name (`approve->deny`).
pub type Turns = BTreeMap<String, u64>;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Decisions that were looked at.
    pub decisions: u64,
    /// Those that were made again.
    pub remade: u64,
    /// Those about which no policy was asked.
    pub unasked: u64,
    /// Those of which the case was erased with all that is personal of its user.
    pub erased: u64,
    /// Those that stand on a fault of the moment: a deadline, a queue, a plugin that was not loaded. Time is no part of a
    /// decision; where nothing else is changed, they are made again with those faults as they were, and counted here, too.
    pub of_time: u64,
    /// Those of older ledgers, which name no panel.
    pub without_panel: u64,
    /// Decisions that are not as they are recorded, or cannot be read, oldest first.
    pub differences: Vec<Difference>,
    /// How many there are.
    pub differences_count: u64,
    /// What would have been otherwise, oldest first.
    pub flips: Vec<Flip>,
    /// How many there are of each kind.
    pub turns: Turns,
    /// The same by user.
    pub by_user: BTreeMap<String, Turns>,
    /// The same by role.
    pub by_role: BTreeMap<String, Turns>,
    /// The same by rule.
    pub by_rule: BTreeMap<String, Turns>,
}

/// What came of one decision.
pub(super) enum Remade {
    /// It was made again; these are the flips, and whether it stands on a fault of the moment.
    Again { flips: Vec<Flip>, of_time: bool },
    /// It was made again, and is not what it was.
    Differs(Difference),
    /// No policy was asked.
    Unasked,
    /// What the policies were shown is erased.
    Erased,
    /// It stands on a fault of the moment, so that nothing can be held against it.
    OfTime,
    /// It names no panel.
    WithoutPanel,
    /// Its panel cannot be had.
    Unloadable(Digest, Arc<str>),
}

/// What one thread has found.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) decisions: u64,
    report: Report,
    unloadable: BTreeMap<Digest, (Arc<str>, u64)>,
}

// === impl Tally ===

impl Tally {
    pub(super) fn take(&mut self, remade: Remade) {
        let report = &mut self.report;
        match remade {
            Remade::Again { flips, of_time } => {
                report.remade += 1;
                report.of_time += u64::from(of_time);
                flips.into_iter().for_each(|flip| report.flip(flip));
            }
            Remade::Differs(difference) => {
                report.remade += 1;
                report.differ(difference);
            }
            Remade::Unasked => report.unasked += 1,
            Remade::Erased => report.erased += 1,
            Remade::OfTime => report.of_time += 1,
            Remade::WithoutPanel => report.without_panel += 1,
            Remade::Unloadable(panel, why) => self.unloadable.entry(panel).or_insert((why, 0)).1 += 1,
        }
    }

    pub(super) fn unreadable(&mut self, what: String) {
        self.report.differ(Difference { seq: None, decision: None, what });
    }

    pub(super) fn add(&mut self, other: Self) {
        let Self { decisions, report, unloadable } = other;
        self.decisions += decisions;
        self.report.add(report);
        for (panel, (why, count)) in unloadable {
            self.unloadable.entry(panel).or_insert((why, 0)).1 += count;
        }
    }

    pub(super) fn report(self) -> Report {
        let Self { decisions, mut report, unloadable } = self;
        report.decisions = decisions;
        for (panel, (why, count)) in unloadable {
            let what = format!("panel `{panel}`, which made {count} decisions, cannot be seated: {why}");
            report.differ(Difference { seq: None, decision: None, what });
            report.differences_count += count.saturating_sub(1);
        }
        report.differences.sort();
        report.flips.sort();
        report
    }
}

// === impl Report ===

impl Report {
    /// Whether every decision could be made again, and none differs.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.differences_count == 0
    }

    fn flip(&mut self, flip: Flip) {
        let turn = flip.turn();
        let count = |turns: &mut Turns| *turns.entry(turn.clone()).or_default() += 1;
        count(&mut self.turns);
        count(self.by_user.entry(flip.user.clone()).or_default());
        flip.roles.iter().for_each(|role| count(self.by_role.entry(role.clone()).or_default()));
        flip.because().iter().for_each(|rule| count(self.by_rule.entry(rule.clone()).or_default()));
        if self.flips.len() < KEPT_MAX {
            self.flips.push(flip);
        }
    }

    fn differ(&mut self, difference: Difference) {
        self.differences_count += 1;
        if self.differences.len() < KEPT_MAX {
            self.differences.push(difference);
        }
    }

    fn add(&mut self, other: Self) {
        let Self {
            decisions: _, // counted beside it
            remade,
            unasked,
            erased,
            of_time,
            without_panel,
            differences,
            differences_count,
            flips,
            turns,
            by_user,
            by_role,
            by_rule,
        } = other;
        self.remade += remade;
        self.unasked += unasked;
        self.erased += erased;
        self.of_time += of_time;
        self.without_panel += without_panel;
        self.differences.extend(differences);
        self.differences_count += differences_count;
        self.flips.extend(flips);
        add(&mut self.turns, turns);
        for (all, more) in [(&mut self.by_user, by_user), (&mut self.by_role, by_role), (&mut self.by_rule, by_rule)] {
            more.into_iter().for_each(|(name, turns)| add(all.entry(name).or_default(), turns));
        }
    }
}

fn add(turns: &mut Turns, more: Turns) {
    more.into_iter().for_each(|(turn, count)| *turns.entry(turn).or_default() += count);
}

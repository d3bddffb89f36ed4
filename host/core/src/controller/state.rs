//! Where the judging of one subject stands. Types that make a wrong state unwritable; no decisions.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::action::{Action, Resolution, Ticket};
use crate::case::Case;
use crate::decision::Because;
use crate::decision::Decision;
use crate::lock::{Lock, LockName};
use crate::opinion::{Evaluation, FaultKind, LockOrder, Panel, PolicyName};
use crate::record::{DecisionId, Enforcement};
use crate::request::{AccessRequest, Background, RequestId, ResourceKey, UserName};
use crate::time::Timestamp;

use super::sight::Basis;

/// The first pause after a failed round; doubles up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(250);
/// The longest pause after a failed round.
const RETRY_MAX: Duration = Duration::from_secs(30);

/// One call of the controller, as far as it is about one subject.
pub(crate) struct Turn<'a> {
    pub(crate) now: Timestamp,
    pub(crate) user: &'a UserName,
    /// What is to be done.
    pub(crate) out: &'a mut Vec<Action>,
}

/// A subject of which nothing changes is judged anew after so many poll intervals at the latest: policies see the time and
/// standing roles, and neither tells of its change.
const REST_INTERVALS: u32 = 10;

/// After so many failed rounds in a row, newer requests of a user do not wait for the older one that fails: 16 s or so.
const PATIENT_ROUNDS: u32 = 6;

/// What is kept about one subject.
#[derive(Clone, Debug, Default)]
pub(crate) struct SubjectState {
    pub(crate) progress: Progress,
    /// What is known of the user beside their requests.
    pub(crate) known: Option<Known>,
    /// What the ledger was last told about requests that stay as they are.
    pub(crate) told: BTreeMap<RequestId, Decision>,
    /// Why held requests could not be put in order, as the ledger was last told.
    pub(crate) told_standing: Option<Because>,
    /// What policies in shadow mode would have locked, as the ledger was last told where nothing else was to be told.
    pub(crate) told_shadows: Vec<ShadowSaid>,
    /// Pending requests that Teleport would not let us resolve.
    pub(crate) refused: BTreeMap<RequestId, Refused>,
    /// The locks and releases that a dry run last told the ledger of.
    pub(crate) told_rehearsal: Option<(Vec<LockName>, Vec<LockName>)>,
    /// Something changed that no round has seen yet.
    dirty: bool,
    /// This round changed something on the server: what it left pending before may stand otherwise now.
    pub(crate) enforced: bool,
    /// When what is held was as it has to be: every policy that may lock said so in this round, of a case of this time.
    pub(crate) in_order_at: Option<Timestamp>,
    /// Since when nothing waits for us and all is in order, as far as anything has changed.
    rests_since: Option<Timestamp>,
    queued: bool,
    due: Option<Timestamp>,
    failures: u32,
}

/// Who in shadow mode would lock what by which rule, or failed how.
pub(crate) type ShadowSaid = (PolicyName, Result<Vec<(RequestId, String)>, FaultKind>);

/// A request that Teleport would not let us resolve: to try again at once would lock and release what is held, for
/// nothing.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    /// As it was then; once it changes, it is judged anew.
    pub(crate) request: Arc<AccessRequest>,
    /// How often in a row.
    pub(crate) times: u32,
    /// When it is tried again.
    pub(crate) until: Timestamp,
}

/// What is known of a user beside their requests, and since when.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) background: Background,
    /// The resources of which labels were asked for; not all may have been seen.
    pub(crate) asked: BTreeSet<ResourceKey>,
    /// When the answer came.
    pub(crate) read: Timestamp,
}

/// What a subject's round waits for.
#[derive(Clone, Debug, Default)]
pub(crate) enum Progress {
    /// Nothing: no round is under way.
    #[default]
    Idle,
    /// The subject's standing roles, and the labels of these resources.
    Introducing(BTreeSet<ResourceKey>),
    /// Opinions about a pending request.
    Judging(Round, Box<Judging>),
    /// Lock orders, one policy after the other.
    Planning(Round, Box<Planning>),
    /// A step of a plan.
    Acting(Round, Box<Plan>, Phase),
}

/// One round: every pending request of a subject, oldest first, then the held ones.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    pub(crate) background: Background,
    /// Pending requests still to be judged.
    pub(crate) waiting: VecDeque<RequestId>,
    /// How often something changed under our hands.
    pub(crate) restarts: u32,
    /// Something failed, so that the round has to be repeated after a pause.
    pub(crate) failed: bool,
    /// What failed may pass by itself: locks that were made for it are not released meanwhile.
    pub(crate) unfinished: bool,
}

/// Opinions about one pending request come in.
#[derive(Clone, Debug)]
pub(crate) struct Judging {
    /// Who is asked, to the end of the decision.
    pub(crate) panel: Arc<Panel>,
    pub(crate) request: Arc<AccessRequest>,
    pub(crate) case: Arc<Case>,
    pub(crate) basis: Basis,
    pub(crate) asked: BTreeMap<Ticket, usize>,
    pub(crate) answers: BTreeMap<usize, Evaluation>,
}

/// Lock orders come in, one policy after the other.
#[derive(Clone, Debug)]
pub(crate) struct Planning {
    /// Who is asked, to the end of the decision.
    pub(crate) panel: Arc<Panel>,
    /// The request that would be approved; none: only what is held.
    pub(crate) approving: Option<Approving>,
    /// The place in the panel of the policy that is being asked.
    pub(crate) asking: usize,
    pub(crate) case: Arc<Case>,
    pub(crate) basis: Basis,
    pub(crate) enforcements: Vec<Enforcement>,
    /// Orders that count, with who gave them.
    pub(crate) orders: Vec<(PolicyName, LockOrder)>,
}

/// A request that every policy would have approved.
#[derive(Clone, Debug)]
pub(crate) struct Approving {
    /// Who reviewed it.
    pub(crate) panel: Arc<Panel>,
    pub(crate) request: Arc<AccessRequest>,
    pub(crate) decision: Decision,
    pub(crate) evaluations: Vec<Evaluation>,
    /// What the policies saw when they reviewed it.
    pub(crate) case: Arc<Case>,
}

/// What is about to be done, and what it relies on.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) id: DecisionId,
    /// The time that policies were shown.
    pub(crate) judged: Timestamp,
    /// What policies were shown must still be so in the view when the plan is carried out.
    pub(crate) basis: Basis,
    /// Requests that must still be so on the server; the first is the one that is resolved, if any.
    pub(crate) requests: Vec<Arc<AccessRequest>>,
    /// How the first of `requests` is resolved.
    pub(crate) resolution: Option<Resolution>,
    /// Locks to be written, and what is there by that name now.
    pub(crate) writes: Vec<(Lock, Option<Lock>)>,
    /// Locks to be deleted, as they are now.
    pub(crate) releases: Vec<Lock>,
    /// Locks that are there already and that must still be there.
    pub(crate) relies_on: Vec<Lock>,
}

/// The step of a plan that is under way.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    /// The intent is being made durable.
    Recording,
    /// Everything that the plan touches is read once more.
    Checking,
    /// Locks are being written and deleted.
    Locking(Locking),
    /// Locks of which the write failed are read: it may have been done all the same.
    VerifyingLocks(Vec<(LockName, crate::failure::Failure)>),
    /// The locks and the request are read once more.
    Confirming,
    /// The request is being resolved.
    Resolving,
    /// The request of which the resolution failed is read: it may have been done all the same.
    VerifyingResolution(crate::failure::Failure),
    /// The request that was reviewed is read: it may be resolved by that, or still pending.
    ReadingReviewed,
}

/// Locks are being written and deleted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locking {
    pub(crate) under_way: BTreeMap<Ticket, LockName>,
    pub(crate) failed: Vec<(LockName, crate::failure::Failure)>,
}

// === impl SubjectState ===

impl SubjectState {
    /// Marks it as changed; returns whether it has to be put into the queue.
    #[must_use]
    pub(crate) fn wake(&mut self) -> bool {
        self.dirty = true;
        let enqueue = !self.queued && self.progress.is_idle();
        self.queued |= enqueue;
        enqueue
    }

    /// A round begins: it will see all that changed until now.
    pub(crate) fn begin(&mut self) {
        self.queued = false;
        self.dirty = false;
        self.enforced = false;
        self.in_order_at = None;
        self.rests_since = None;
    }

    /// A round ended; returns the pause after which it has to be repeated, if it failed.
    pub(crate) fn end(&mut self, failed: bool, user: &str) -> Option<Duration> {
        self.progress = Progress::Idle;
        if !failed {
            self.failures = 0;
            return None;
        }
        let pause = RETRY_MIN.saturating_mul(1 << self.failures.min(10)).min(RETRY_MAX);
        self.failures = self.failures.saturating_add(1);
        Some(pause + jitter(pause, user, self.failures))
    }

    /// Whether newer requests still wait for an older one that fails.
    pub(crate) fn is_patient(&self) -> bool {
        self.failures < PATIENT_ROUNDS
    }

    /// Whether something changed since the round began.
    pub(crate) fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Whether a round is under way or waits for its turn.
    pub(crate) fn is_busy(&self) -> bool {
        self.queued || !self.progress.is_idle()
    }

    pub(crate) fn is_retrying(&self) -> bool {
        self.failures > 0
    }

    /// Its round found nothing to do, and nothing waits for another. Labels of resources are most of what is known of many
    /// subjects; whoever asks for more names resources that have to be read then anyway.
    pub(crate) fn rest(&mut self, now: Timestamp) {
        self.rests_since = Some(now);
        self.known.take_if(|known| !known.asked.is_empty());
    }

    /// Whether a full list that says nothing new of it need not have it judged anew.
    pub(crate) fn rests(&self, now: Timestamp, poll_interval: Duration, user: &str) -> bool {
        let longest = poll_interval.saturating_mul(REST_INTERVALS);
        // From half as long on, so that those who were judged together are not for ever.
        let rest = longest.saturating_sub(jitter(longest, user, 0).saturating_mul(2));
        self.rests_since.is_some_and(|since| now.since(since) < rest)
    }

    pub(crate) fn set_due(&mut self, at: Timestamp) {
        self.due = Some(at);
    }

    pub(crate) fn clear_due(&mut self) -> Option<Timestamp> {
        self.due.take()
    }
}

/// Up to a quarter of a pause, different for each user and attempt, so that many do not come back at once. FNV-1a: the
/// core has no randomness, and needs none.
fn jitter(pause: Duration, user: &str, attempt: u32) -> Duration {
    let seed = user
        .bytes()
        .chain(attempt.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let quarter = u64::try_from(pause.as_millis() / 4).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(seed % quarter)
}

// === impl Progress ===

impl Progress {
    pub(crate) const fn is_idle(&self) -> bool {
        match self {
            Self::Idle => true,
            Self::Introducing(_) | Self::Judging(..) | Self::Planning(..) | Self::Acting(..) => false,
        }
    }
}

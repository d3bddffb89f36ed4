//! Mistakes that the controller can be made to make, each of which the simulation must catch: a law that no test could
//! break is not tested. They exist in tests alone.

use std::cell::Cell;

/// One mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// The request is approved first and locks are written later, as the sample watcher does.
    ApproveBeforeLock,
    /// A lock lasts for an hour, as the sample watcher's do.
    LockForAnHour,
    /// What was seen once is believed: that it changed meanwhile does not matter.
    TrustTheSnapshot,
    /// Nothing is read once more before a request is resolved.
    SkipTheReread,
    /// A reply that did not come is answered by doing it again, without a look.
    RepeatBlindly,
    /// Locks of others do not take away access.
    IgnoreForeignLocks,
    /// A policy is not shown what earlier policies lock.
    CountLockedRequests,
    /// Locks that somebody else edited are overwritten.
    OverwriteEditedLocks,
    /// A policy that did not answer does not matter.
    JudgeOnAFault,
    /// Nobody waits until an intent is durable.
    ForgetIntents,
    /// An intent that could not be recorded is carried out.
    IgnoreTheLedger,
    /// It acts although the view may be incomplete.
    ActBlindly,
    /// A list may take back what was resolved after it was made.
    BelieveStaleLists,
    /// What a person approved is locked like anything else.
    LockWhatPeopleApproved,
    /// What is not ours to give is given.
    ForgetTheGuards,
    /// Locks end when they end: nothing is due before.
    LetLocksLapse,
    /// Locks are never given back.
    NeverRelease,
    /// It goes on although the breaker tripped.
    IgnoreTheBreaker,
    /// What would have to be locked if a request were approved is not.
    ApproveWithoutLocks,
    /// A decision asks whoever is in the panel at each question.
    MixPanels,
    /// Who rests is not woken by what a list says, only by the stream.
    SleepThroughLists,
}

impl Mutant {
    pub(crate) const ALL: [Self; 21] = [
        Self::ApproveBeforeLock,
        Self::LockForAnHour,
        Self::TrustTheSnapshot,
        Self::SkipTheReread,
        Self::RepeatBlindly,
        Self::IgnoreForeignLocks,
        Self::CountLockedRequests,
        Self::OverwriteEditedLocks,
        Self::JudgeOnAFault,
        Self::ForgetIntents,
        Self::IgnoreTheLedger,
        Self::ActBlindly,
        Self::BelieveStaleLists,
        Self::LockWhatPeopleApproved,
        Self::ForgetTheGuards,
        Self::LetLocksLapse,
        Self::NeverRelease,
        Self::IgnoreTheBreaker,
        Self::ApproveWithoutLocks,
        Self::MixPanels,
        Self::SleepThroughLists,
    ];

    /// Makes this mistake in what `run` does on this thread.
    pub(crate) fn during<T>(self, run: impl FnOnce() -> T) -> T {
        MUTANT.set(Some(self));
        let done = run();
        MUTANT.set(None);
        done
    }

    pub(crate) fn is_on(self) -> bool {
        MUTANT.get() == Some(self)
    }
}

thread_local! {
    static MUTANT: Cell<Option<Mutant>> = const { Cell::new(None) };
}

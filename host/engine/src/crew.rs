//! Threads on which a panel is asked directly, question after question: for whoever asks a million of them and waits for
//! nobody else. No queue, no quarantine; never for a daemon's decisions, and never on a thread of anybody else.

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::thread;

use tribunal_core::case::Case;
use tribunal_core::hearing::Answers;
use tribunal_core::opinion::{Fault, LockOrder, Opinion};
use tribunal_core::request::RequestId;

use crate::engine::limits::{CREW_STACK_BYTES, Limits};
use crate::panel::{self, Panel};
use crate::policy::Policy;
use crate::seat::{Seat, Taken, unavailable};

/// Says that this is a thread of a crew, whose stack is large enough for any guest. It stays on its thread.
#[derive(Debug)]
pub struct Hand {
    _of_this_thread: PhantomData<*const ()>,
}

/// Does `work` on so many threads at once, and waits for all of them. A panel that they ask has to have room for as many:
/// [`Limits::concurrency`].
///
/// # Errors
/// When a thread cannot be started, or panicked.
pub fn crew<T: Send>(threads: usize, work: impl Fn(&Hand) -> T + Sync) -> io::Result<Vec<T>> {
    thread::scope(|scope| {
        let started: Vec<_> = (0..threads.max(1))
            .map(|number| {
                let builder = thread::Builder::new().name(format!("crew-{number}")).stack_size(CREW_STACK_BYTES);
                builder.spawn_scoped(scope, || work(&Hand { _of_this_thread: PhantomData }))
            })
            .collect();
        let panicked = || io::Error::other("a thread panicked, which is a bug: please report it");
        started.into_iter().map(|thread| thread?.join().map_err(|_| panicked())).collect()
    })
}

/// A panel, asked on a thread of a crew.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// Who is asked.
    pub panel: &'a Panel,
    /// By whom.
    pub hand: &'a Hand,
}

impl Answers for Asking<'_> {
    fn review(&mut self, policy: usize, case: &Arc<Case>, request: &RequestId) -> Result<Opinion, Fault> {
        self.panel.review_here(self.hand, policy, case, request)
    }

    fn enforce(&mut self, policy: usize, case: &Arc<Case>) -> Result<Vec<LockOrder>, Fault> {
        self.panel.enforce_here(self.hand, policy, case)
    }
}

impl Limits {
    /// These limits, with room for a crew of so many threads, and with a deadline that only a guest without an end
    /// exceeds: how busy the machine is, is not to be an answer.
    #[must_use]
    pub fn for_crew(self, threads: usize) -> Self {
        Self { concurrency: threads.max(1), deadline_ms: Self::DEADLINE_MS_CEILING, ..self }
    }
}

impl Panel {
    /// Asks the policy at this place about a pending request, here and now.
    ///
    /// # Errors
    /// Why it does not answer.
    pub fn review_here(
        &self,
        _hand: &Hand,
        policy: usize,
        case: &Arc<Case>,
        request: &RequestId,
    ) -> Result<Opinion, Fault> {
        let (seat, policy) = self.occupied(policy)?;
        panel::review(policy, &seat.member, case, request)
    }

    /// Asks the policy at this place what must be locked, here and now.
    ///
    /// # Errors
    /// Why it does not answer.
    pub fn enforce_here(&self, _hand: &Hand, policy: usize, case: &Arc<Case>) -> Result<Vec<LockOrder>, Fault> {
        let (seat, policy) = self.occupied(policy)?;
        panel::enforce(policy, &seat.member, case)
    }

    fn occupied(&self, policy: usize) -> Result<(&Seat, &Policy), Fault> {
        let seat = self.seat(policy)?;
        match &seat.taken {
            Taken::By(occupant) => Ok((seat, &occupant.policy)),
            Taken::Vacant { why } => Err(unavailable(format!("is not loaded: {why}"))),
        }
    }
}

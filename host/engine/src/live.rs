//! The newest panel, and the way in which it is replaced: whoever decides pins one for the whole of a decision, so that
//! none is ever made by two. It never replaces one by itself, and remembers no more than the last cases.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tribunal_core::case::Case;
use tribunal_core::opinion::{self, Fault, LockOrder, Member, Opinion};
use tribunal_core::request::RequestId;
use tribunal_ports::Engine;

use crate::panel::{self, Panel};
use crate::seat::{Occupant, Seat, Taken};

/// Questions of each kind that are remembered, so that a new plugin can be tried on them.
pub const RECORDED_MAX: usize = 16;

/// A panel that can be replaced. Clones share it.
#[derive(Clone)]
pub struct LivePanel {
    shared: Arc<Shared>,
    /// Asked whatever is newest; none: the newest is.
    pinned: Option<Arc<Panel>>,
}

struct Shared {
    newest: watch::Sender<Arc<Panel>>,
    reviews: Mutex<VecDeque<(RequestId, Arc<Case>)>>,
    enforcements: Mutex<VecDeque<Arc<Case>>>,
}

/// What came of trying a panel on the last cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// Questions that its new plugins were asked.
    pub asked: usize,
    /// Those that they answer otherwise than what they replace.
    pub changed: usize,
}

// === impl LivePanel ===

impl LivePanel {
    /// This panel, until it is replaced.
    #[must_use]
    pub fn new(panel: Panel) -> Self {
        let newest = watch::Sender::new(Arc::new(panel));
        Self {
            shared: Arc::new(Shared { newest, reviews: Mutex::default(), enforcements: Mutex::default() }),
            pinned: None,
        }
    }

    /// The newest panel.
    #[must_use]
    pub fn newest(&self) -> Arc<Panel> {
        Arc::clone(&self.shared.newest.borrow())
    }

    /// Replaces the newest panel; what is pinned to another stays so. Threads of one that nobody needs any more end.
    pub fn replace(&self, panel: Panel) {
        let before = self.shared.newest.send_replace(Arc::new(panel));
        drop(before);
    }

    fn asked(&self) -> Arc<Panel> {
        self.pinned.clone().unwrap_or_else(|| self.newest())
    }

    /// Tries the new plugins of `next` on the last cases of this run. What they answer is theirs to say; a fault where
    /// what they replace has an answer, or where they replace nothing, is a failure. One that comes of the machine being
    /// busy does not come twice.
    ///
    /// # Errors
    /// Which plugin failed, and how.
    pub async fn rehearse(&self, next: &Panel) -> Result<Rehearsal, String> {
        let newest = self.newest();
        let reviews: Vec<_> =
            self.shared.reviews.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        let enforcements: Vec<_> =
            self.shared.enforcements.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        let mut rehearsal = Rehearsal::default();
        for Seat { member, taken } in next.seats() {
            let Taken::By(fresh) = taken else { continue };
            let before = newest.seats().iter().find(|seat| seat.member.name == member.name);
            let before = before.and_then(|seat| match &seat.taken {
                Taken::By(occupant) => Some((&seat.member, occupant)),
                Taken::Vacant { .. } => None,
            });
            if before.is_some_and(|(_, occupant)| Arc::ptr_eq(occupant, fresh)) {
                continue;
            }
            let scene = Scene { member, fresh, before };
            for (request, case) in &reviews {
                rehearsal.count(scene.review(request, case).await?);
            }
            for case in &enforcements {
                rehearsal.count(scene.enforce(case).await?);
            }
        }
        Ok(rehearsal)
    }

    fn remember<T: Clone>(memory: &Mutex<VecDeque<T>>, question: T, is_known: impl Fn(&T) -> bool) {
        let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
        // Each policy of a panel is asked the same.
        if memory.iter().rev().any(is_known) {
            return;
        }
        if memory.len() >= RECORDED_MAX {
            memory.pop_front();
        }
        memory.push_back(question);
    }
}

impl Engine for LivePanel {
    async fn review(&self, policy: usize, request: RequestId, case: Arc<Case>) -> Result<Opinion, Fault> {
        let known = |(asked, of): &(RequestId, Arc<Case>)| Arc::ptr_eq(of, &case) && *asked == request;
        Self::remember(&self.shared.reviews, (request.clone(), Arc::clone(&case)), known);
        self.asked().review(policy, request, case).await
    }

    async fn enforce(&self, policy: usize, case: Arc<Case>) -> Result<Vec<LockOrder>, Fault> {
        Self::remember(&self.shared.enforcements, Arc::clone(&case), |of| Arc::ptr_eq(of, &case));
        self.asked().enforce(policy, case).await
    }

    fn pinned(&self) -> Option<(Self, opinion::Panel)> {
        let newest = self.newest();
        let panel = opinion::Panel { generation: 0, id: newest.id().cloned(), members: newest.members() };
        Some((Self { shared: Arc::clone(&self.shared), pinned: Some(newest) }, panel))
    }

    async fn replaced(&self) {
        let Some(pinned) = &self.pinned else { return std::future::pending().await };
        let mut newest = self.shared.newest.subscribe();
        // The sender is ours: it does not go away while somebody waits here.
        if newest.wait_for(|newest| !Arc::ptr_eq(newest, pinned)).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl fmt::Debug for LivePanel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LivePanel").field(&self.asked()).finish()
    }
}

/// A new plugin, and what it replaces.
struct Scene<'a> {
    member: &'a Member,
    fresh: &'a Arc<Occupant>,
    before: Option<(&'a Member, &'a Arc<Occupant>)>,
}

// === impl Scene ===

impl Scene<'_> {
    async fn review(&self, request: &RequestId, case: &Arc<Case>) -> Result<bool, String> {
        let ask = async |member: &Member, occupant: &Arc<Occupant>| {
            let (request, case) = (request.clone(), Arc::clone(case));
            occupant.try_out(member, move |policy, member| panel::review(policy, member, &case, &request)).await
        };
        let mut answer = ask(self.member, self.fresh).await;
        if answer.is_err() {
            answer = ask(self.member, self.fresh).await;
        }
        let before = match self.before {
            Some((member, occupant)) => Some(ask(member, occupant).await),
            None => None,
        };
        self.weigh(answer, before)
    }

    async fn enforce(&self, case: &Arc<Case>) -> Result<bool, String> {
        let ask = async |member: &Member, occupant: &Arc<Occupant>| {
            let case = Arc::clone(case);
            occupant.try_out(member, move |policy, member| panel::enforce(policy, member, &case)).await
        };
        let mut answer = ask(self.member, self.fresh).await;
        if answer.is_err() {
            answer = ask(self.member, self.fresh).await;
        }
        let before = match self.before {
            Some((member, occupant)) => Some(ask(member, occupant).await),
            None => None,
        };
        self.weigh(answer, before)
    }

    /// Whether the answer is another one than before.
    fn weigh<T: PartialEq>(&self, answer: Result<T, Fault>, before: Option<Result<T, Fault>>) -> Result<bool, String> {
        match (answer, before) {
            (Ok(answer), Some(Ok(before))) => Ok(answer != before),
            (Ok(_), Some(Err(_)) | None) => Ok(true),
            // It is no worse than what it replaces.
            (Err(_), Some(Err(_))) => Ok(false),
            (Err(fault), Some(Ok(_)) | None) => {
                Err(format!("policy `{}` faults on a case of this run: {fault}", self.member.name))
            }
        }
    }
}

// === impl Rehearsal ===

impl Rehearsal {
    const fn count(&mut self, changed: bool) {
        self.asked += 1;
        if changed {
            self.changed += 1;
        }
    }
}

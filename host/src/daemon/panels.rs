//! Which panel a question goes to: a decision asks one, from its first question to its last, whatever replaces it meanwhile.
//! It never gives one panel's answer for another's.

use std::collections::VecDeque;
use std::sync::Arc;

use tribunal_core::action::Event;
use tribunal_core::opinion::{Fault, FaultKind, Panel};
use tribunal_ports::Engine;

/// Panels that are kept: the newest, and the one before it, with which decisions may be under way. What was begun with an older
/// one is judged anew in any case.
const KEPT_MAX: usize = 2;

/// The last panels of one controller.
#[derive(Debug)]
pub(super) struct Panels<E> {
    /// Of the newest; those before it count down.
    generation: u64,
    /// The newest comes first.
    kept: VecDeque<Arc<E>>,
    newest: Arc<E>,
}

// === impl Panels ===

impl<E: Engine> Panels<E> {
    /// Begins with the newest panel, the first of a controller; and who it is, if it may be another than that of the settings.
    pub(super) fn begin(engine: &Arc<E>) -> (Self, Option<Panel>) {
        let (newest, panel) = match engine.pinned() {
            Some((newest, panel)) => (Arc::new(newest), Some(Panel { generation: 0, ..panel })),
            None => (Arc::clone(engine), None),
        };
        (Self { generation: 0, kept: VecDeque::from([Arc::clone(&newest)]), newest }, panel)
    }

    /// The newest panel.
    pub(super) fn newest(&self) -> Arc<E> {
        Arc::clone(&self.newest)
    }

    /// Goes over to the newest panel; what the controller has to hear of it.
    pub(super) fn replace(&mut self, engine: &Arc<E>) -> Event {
        let Some((newest, panel)) = engine.pinned() else { return Event::Tick };
        self.generation = self.generation.saturating_add(1);
        self.newest = Arc::new(newest);
        self.kept.push_front(Arc::clone(&self.newest));
        self.kept.truncate(KEPT_MAX);
        Event::PanelChanged(Panel { generation: self.generation, ..panel })
    }

    /// The panel of this generation; a fault, if it is gone.
    pub(super) fn of(&self, generation: u64) -> Result<Arc<E>, Fault> {
        let age = self.generation.checked_sub(generation).and_then(|age| usize::try_from(age).ok());
        let panel = age.and_then(|age| self.kept.get(age)).cloned();
        panel.ok_or_else(|| {
            Fault::new(FaultKind::Unavailable, "its panel was replaced while the request was judged, which begins anew")
        })
    }
}

#[cfg(test)]
mod tests;

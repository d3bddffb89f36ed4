//! The expiry service: removes requests past their end, and locks and semaphores past their storage life. It never touches what is still valid,
//! and access itself does not depend on it.

use tribunal_proto::types::RequestState;

use super::{Cluster, SYSTEM, object_expiry, spec_of};
use crate::clock::Moment;

impl Cluster {
    /// Removes what is over at `now`, and says how many objects that were.
    pub fn sweep(&mut self, now: Moment) -> usize {
        let grace_ms = self.settings.sweep.pending_grace.ms();
        let over: Vec<String> = self
            .requests
            .iter()
            .filter(|(_, request)| {
                let pending = spec_of(request).state == i32::from(RequestState::Pending);
                let extra_ms = if pending { grace_ms } else { 0 };
                object_expiry(request).is_some_and(|expiry| expiry.plus_ms(extra_ms) <= now)
            })
            .map(|(id, _)| id.clone())
            .take(self.settings.sweep.requests_max)
            .collect();
        let ended = |metadata: Option<&tribunal_proto::types::Metadata>| {
            metadata
                .and_then(|metadata| Moment::from_proto(metadata.expires.as_ref()))
                .is_some_and(|expires| expires <= now)
        };
        let locks: Vec<String> =
            self.locks.iter().filter(|(_, lock)| ended(lock.metadata.as_ref())).map(|(name, _)| name.clone()).collect();
        let semaphores: Vec<(String, String)> = self
            .semaphores
            .iter()
            .filter(|(_, semaphore)| ended(semaphore.metadata.as_ref()))
            .map(|(key, _)| key.clone())
            .collect();
        self.plugin_data.retain(|_, data| !ended(data.metadata.as_ref()));
        for id in &over {
            self.remove_request(now, SYSTEM, id);
        }
        for name in &locks {
            self.remove_lock(now, SYSTEM, name);
        }
        for key in &semaphores {
            self.remove_semaphore(now, SYSTEM, key);
        }
        over.len() + locks.len() + semaphores.len()
    }
}

//! The requests of the last full list: the next one does not hold a second time what is as it was. It must never put what a
//! request was in the place of what it is.

use std::sync::{Arc, Mutex, PoisonError};

use tribunal_core::request::AccessRequest;

/// Where the last full list is kept.
#[derive(Debug, Default)]
pub(super) struct Recall(Mutex<Last>);

/// What a full list had, in the order of the ids.
#[derive(Clone, Debug, Default)]
pub(super) struct Last(Arc<[Arc<AccessRequest>]>);

// === impl Recall ===

impl Recall {
    /// The last full list.
    pub(super) fn last(&self) -> Last {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a full list in the place of the last.
    pub(super) fn keep(&self, listed: &[Arc<AccessRequest>]) {
        let mut sorted = listed.to_vec();
        sorted.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Last(sorted.into());
    }
}

// === impl Last ===

impl Last {
    /// The request, to be shared: the one that is there already, if it is the very same.
    pub(super) fn share(&self, request: AccessRequest) -> Arc<AccessRequest> {
        let found = self.0.binary_search_by(|known| known.id.cmp(&request.id));
        match found.ok().and_then(|at| self.0.get(at)).filter(|known| ***known == request) {
            Some(known) => Arc::clone(known),
            None => Arc::new(request),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use tribunal_core::request::RequestState;
    use tribunal_proto::types::{AccessRequestSpecV3, AccessRequestV3, Metadata};

    use super::*;

    fn request(id: &str, state: RequestState) -> AccessRequest {
        let metadata = Some(Metadata { name: id.to_owned(), ..Metadata::default() });
        let spec = Some(AccessRequestSpecV3 { user: "alice".to_owned(), ..AccessRequestSpecV3::default() });
        let read = crate::convert::access_request(AccessRequestV3 { metadata, spec, ..AccessRequestV3::default() });
        AccessRequest { state, ..read.unwrap() }
    }

    #[test]
    fn what_is_as_it_was_is_there_once_and_what_changed_is_what_it_is() {
        let recall = Recall::default();
        let listed = ["b", "a"].map(|id| Arc::new(request(id, RequestState::Pending)));
        recall.keep(&listed);
        let last = recall.last();
        assert!(Arc::ptr_eq(&last.share(request("a", RequestState::Pending)), &listed[1]));
        assert_eq!(last.share(request("b", RequestState::Approved)).state, RequestState::Approved);
        assert_eq!(*last.share(request("c", RequestState::Pending)), request("c", RequestState::Pending));
        recall.keep(&[]);
        assert!(recall.last().0.is_empty());
    }
}

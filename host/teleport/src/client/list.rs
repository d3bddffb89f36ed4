//! Reads requests and locks: all of them, or some by their names.
//!
//! Must never return a part of a list as if it were the whole.

use tribunal_core::action::{Fresh, Listing};
use tribunal_core::failure::Failure;
use tribunal_core::lock::LockName;
use tribunal_core::request::RequestId;
use tribunal_proto::types;

use super::Client;
use super::page::PAGE_TRIES_MAX;
use crate::failure::explain;

/// Entries in a page. Requests are large, and the server's own default of 1000 may exceed what gRPC takes.
pub(super) const PAGE_ENTRIES: i32 = 200;
/// The most reads under way at once.
const READS_MAX: usize = 8;

impl Client {
    /// Everything live: locks before requests, so that a lock made meanwhile is at worst not seen yet.
    pub(super) async fn list_all(&self) -> Result<Listing, Failure> {
        let connection = self.connection();
        let after = self.limits().list;
        let list = async {
            self.check_sight(&connection).await?;
            let locks = self.list_locks(&connection, PAGE_TRIES_MAX).await?;
            let everything = types::AccessRequestFilter::default();
            let requests = self.list_requests(&connection, everything, PAGE_TRIES_MAX, &self.recall.last()).await?;
            self.recall.keep(&requests);
            self.timing.saw(requests.iter().map(AsRef::as_ref));
            Ok(Listing { requests, locks })
        };
        match tokio::time::timeout(after, list).await {
            Ok(listing) => listing,
            Err(_) => Err(explain(super::requests::LIST_REQUESTS, &connection.too_late(after))),
        }
    }

    /// These locks and requests, read from the server's own state. Locks first, as the port demands.
    pub(super) async fn read_all(&self, requests: &[RequestId], locks: &[LockName]) -> Result<Fresh, Failure> {
        let connection = self.connection();
        let after = self.limits().list;
        let read = async {
            let mut fresh = Fresh::default();
            for names in locks.chunks(READS_MAX) {
                let reads = names.iter().map(|name| self.read_lock(&connection, name));
                fresh.locks.extend(futures::future::try_join_all(reads).await?);
            }
            for ids in requests.chunks(READS_MAX) {
                let reads = ids.iter().map(|id| self.read_request(&connection, id));
                fresh.requests.extend(futures::future::try_join_all(reads).await?);
            }
            Ok(fresh)
        };
        // Each call has a deadline of its own; many calls, each just in time, would still take too long together.
        match tokio::time::timeout(after, read).await {
            Ok(fresh) => fresh,
            Err(_) => Err(explain(super::requests::LIST_REQUESTS, &connection.too_late(after))),
        }
    }
}

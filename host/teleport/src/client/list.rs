//! Reads requests and locks: all of them in pages, or one by its name.
//!
//! Must never return a part of a list as if it were the whole.

use std::sync::atomic::Ordering;

use tonic::{Code, Status};
use tribunal_core::action::{Fresh, Listing};
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_core::lock::{Lock, LockName};
use tribunal_core::request::{AccessRequest, RequestId};
use tribunal_proto::{proto, types};

use super::page::{PAGE_TRIES_MAX, READ_TRIES_MAX};
use super::timing::created_at;
use super::{Client, Connection};
use crate::convert;
use crate::failure::{Method, explain};

/// Entries in a page. Requests are large, and the server's own default of 1000 may exceed what gRPC takes.
pub(super) const PAGE_ENTRIES: i32 = 200;
/// The most requests, and the most locks, that a list may have.
const LIST_ENTRIES_MAX: usize = 200_000;
/// The most reads under way at once.
const READS_MAX: usize = 8;

const LIST_REQUESTS: Method = Method { name: "ListAccessRequests", needs: "access_request: list, read" };
const STREAM_REQUESTS: Method = Method { name: "GetAccessRequestsV2", needs: "access_request: list, read" };
const LIST_LOCKS: Method = Method { name: "ListLocks", needs: "lock: list, read" };
const GET_LOCKS: Method = Method { name: "GetLocks", needs: "lock: list, read" };
const GET_LOCK: Method = Method { name: "GetLock", needs: "lock: read" };

impl Client {
    /// Everything live: locks before requests, so that a lock made meanwhile is at worst not seen yet.
    pub(super) async fn list_all(&self) -> Result<Listing, Failure> {
        let connection = self.connection();
        let after = self.limits().list;
        let list = async {
            self.check_sight(&connection).await?;
            let locks = self.list_locks(&connection, PAGE_TRIES_MAX).await?;
            let everything = types::AccessRequestFilter::default();
            let requests = self.list_requests(&connection, everything, PAGE_TRIES_MAX).await?;
            self.timing.saw(&requests);
            Ok(Listing { requests, locks })
        };
        match tokio::time::timeout(after, list).await {
            Ok(listing) => listing,
            Err(_) => Err(explain(LIST_REQUESTS, &connection.too_late(after))),
        }
    }

    /// These locks and requests, read from the server's own state. Locks first, as the port demands.
    pub(super) async fn read_all(&self, requests: &[RequestId], locks: &[LockName]) -> Result<Fresh, Failure> {
        let connection = self.connection();
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
    }

    /// A filter by id is answered from the backend, not from the cache, and with nothing where nothing is.
    async fn read_request(&self, connection: &Connection, id: &RequestId) -> Result<Option<AccessRequest>, Failure> {
        let filter = types::AccessRequestFilter { id: id.as_str().to_owned(), ..types::AccessRequestFilter::default() };
        let requests = self.list_requests(connection, filter, READ_TRIES_MAX).await?;
        self.timing.saw(&requests);
        Ok(requests.into_iter().find(|request| request.id == *id))
    }

    async fn read_lock(&self, connection: &Connection, name: &LockName) -> Result<Option<Lock>, Failure> {
        let mut auth = connection.auth();
        let request = proto::GetLockRequest { name: name.as_str().to_owned() };
        match self.call(connection, auth.get_lock(request)).await {
            Ok(message) => {
                let made = created_at(&message);
                let lock = understood(convert::lock(message))?;
                self.timing.read(&lock, made);
                Ok(Some(lock))
            }
            Err(status) if status.code() == Code::NotFound => Ok(None),
            // A server that only lists locks says as much, at more cost.
            Err(status) if status.code() == Code::Unimplemented => {
                let locks = self.list_locks(connection, READ_TRIES_MAX).await?;
                Ok(locks.into_iter().find(|lock| lock.name == *name))
            }
            Err(status) => Err(explain(GET_LOCK, &status)),
        }
    }

    async fn list_requests(
        &self,
        connection: &Connection,
        filter: types::AccessRequestFilter,
        tries: u32,
    ) -> Result<Vec<AccessRequest>, Failure> {
        if !connection.streams_requests.load(Ordering::Relaxed) {
            match self.page_requests(connection, filter.clone(), tries).await {
                Err(Partial::Refused(status)) if status.code() == Code::Unimplemented => {
                    connection.streams_requests.store(true, Ordering::Relaxed);
                }
                listed => return listed.map_err(|partial| partial.explain(LIST_REQUESTS)),
            }
        }
        self.stream_requests(connection, filter).await.map_err(|partial| partial.explain(STREAM_REQUESTS))
    }

    async fn page_requests(
        &self,
        connection: &Connection,
        filter: types::AccessRequestFilter,
        tries: u32,
    ) -> Result<Vec<AccessRequest>, Partial> {
        let auth = connection.auth();
        let mut requests = Vec::new();
        let mut start_key = String::new();
        loop {
            let page = proto::ListAccessRequestsRequest {
                filter: Some(filter.clone()),
                sort: proto::AccessRequestSort::Default.into(),
                descending: false,
                limit: PAGE_ENTRIES,
                start_key: start_key.clone(),
            };
            let ask = || {
                let (mut auth, page) = (auth.clone(), page.clone());
                async move { auth.list_access_requests(page).await }
            };
            let page = self.page(connection, LIST_REQUESTS, tries, ask).await?;
            take(&mut requests, page.access_requests, convert::access_request)?;
            if page.next_key.is_empty() {
                return Ok(requests);
            }
            start_key = next(&start_key, page.next_key)?;
        }
    }

    /// As old servers list: all in one stream.
    async fn stream_requests(
        &self,
        connection: &Connection,
        filter: types::AccessRequestFilter,
    ) -> Result<Vec<AccessRequest>, Partial> {
        let mut auth = connection.auth();
        let mut stream = self.call(connection, auth.get_access_requests_v2(filter)).await?;
        let mut requests = Vec::new();
        let after = self.limits().call;
        loop {
            let message =
                tokio::time::timeout(after, stream.message()).await.map_err(|_| connection.too_late(after))??;
            match message {
                Some(request) => take(&mut requests, vec![request], convert::access_request)?,
                None => return Ok(requests),
            }
        }
    }

    async fn list_locks(&self, connection: &Connection, tries: u32) -> Result<Vec<Lock>, Failure> {
        if !connection.lists_locks_at_once.load(Ordering::Relaxed) {
            match self.page_locks(connection, tries).await {
                Err(Partial::Refused(status)) if status.code() == Code::Unimplemented => {
                    connection.lists_locks_at_once.store(true, Ordering::Relaxed);
                }
                listed => return listed.map_err(|partial| partial.explain(LIST_LOCKS)),
            }
        }
        self.get_locks(connection).await.map_err(|partial| partial.explain(GET_LOCKS))
    }

    async fn page_locks(&self, connection: &Connection, tries: u32) -> Result<Vec<Lock>, Partial> {
        let auth = connection.auth();
        let mut locks = Vec::new();
        let mut page_token = String::new();
        loop {
            let page =
                proto::ListLocksRequest { page_size: PAGE_ENTRIES, page_token: page_token.clone(), filter: None };
            let ask = || {
                let (mut auth, page) = (auth.clone(), page.clone());
                async move { auth.list_locks(page).await }
            };
            let page = self.page(connection, LIST_LOCKS, tries, ask).await?;
            take(&mut locks, page.locks, convert::lock)?;
            if page.next_page_token.is_empty() {
                return Ok(locks);
            }
            page_token = next(&page_token, page.next_page_token)?;
        }
    }

    /// As old servers list: all at once.
    async fn get_locks(&self, connection: &Connection) -> Result<Vec<Lock>, Partial> {
        let mut auth = connection.auth();
        let all = proto::GetLocksRequest { targets: Vec::new(), in_force_only: false };
        let mut locks = Vec::new();
        take(&mut locks, self.call(connection, auth.get_locks(all)).await?.locks, convert::lock)?;
        Ok(locks)
    }
}

/// Why a list did not become whole.
#[derive(Debug)]
pub(super) enum Partial {
    /// A call failed.
    Refused(Status),
    /// It has more entries than [`LIST_ENTRIES_MAX`].
    TooLong,
    /// A page says that it is followed by itself.
    Circular,
    /// An entry cannot be understood.
    Garbled(String),
}

// === impl Partial ===

impl From<Status> for Partial {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

impl Partial {
    pub(super) fn explain(self, method: Method) -> Failure {
        let Method { name, needs: _ } = method;
        let detail = match self {
            Self::Refused(status) => return explain(method, &status),
            Self::TooLong => {
                format!("`{name}`: more than {LIST_ENTRIES_MAX} entries; delete old ones, a list in part is no list")
            }
            Self::Circular => format!("`{name}`: a page that is followed by itself; check the server"),
            Self::Garbled(detail) => format!("`{name}`: {detail}"),
        };
        Failure::new(FailureClass::Alarm, detail)
    }
}

/// Adds a page's entries to those before.
pub(super) fn take<M, T, E: std::fmt::Display>(
    entries: &mut Vec<T>,
    page: Vec<M>,
    convert: impl Fn(M) -> Result<T, E>,
) -> Result<(), Partial> {
    if entries.len().saturating_add(page.len()) > LIST_ENTRIES_MAX {
        return Err(Partial::TooLong);
    }
    for message in page {
        entries.push(convert(message).map_err(|error| Partial::Garbled(error.to_string()))?);
    }
    Ok(())
}

/// The key of the next page, which must be another than this one's, or the list would never end.
pub(super) fn next(this: &str, next: String) -> Result<String, Partial> {
    if next == this { Err(Partial::Circular) } else { Ok(next) }
}

/// What was read by name.
fn understood<T, E: std::fmt::Display>(read: Result<T, E>) -> Result<T, Failure> {
    read.map_err(|error| Failure::new(FailureClass::Alarm, error.to_string()))
}

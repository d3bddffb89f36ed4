//! Reads access requests: in pages, or in one stream from servers that have no pages.
//!
//! Must never return a part of a list as if it were the whole.

use std::sync::Arc;

use tribunal_core::failure::Failure;
use tribunal_core::request::{AccessRequest, RequestId};
use tribunal_proto::{proto, types};

use super::list::PAGE_ENTRIES;
use super::page::READ_TRIES_MAX;
use super::recall::Last;
use super::whole::{Partial, Whole};
use super::{Client, Connection};
use crate::convert;
use crate::failure::Method;

pub(super) const LIST_REQUESTS: Method = Method { name: "ListAccessRequests", needs: "access_request: list, read" };
const STREAM_REQUESTS: Method = Method { name: "GetAccessRequestsV2", needs: "access_request: list, read" };

impl Client {
    /// A filter by id is answered from the backend, not from the cache, and with nothing where nothing is.
    pub(super) async fn read_request(
        &self,
        connection: &Connection,
        id: &RequestId,
    ) -> Result<Option<AccessRequest>, Failure> {
        let filter = types::AccessRequestFilter { id: id.as_str().to_owned(), ..types::AccessRequestFilter::default() };
        let requests = self.list_requests(connection, filter, READ_TRIES_MAX, &Last::default()).await?;
        self.timing.saw(requests.iter().map(AsRef::as_ref));
        Ok(requests.into_iter().find(|request| request.id == *id).map(Arc::unwrap_or_clone))
    }

    /// All that `filter` lets through.
    pub(super) async fn list_requests(
        &self,
        connection: &Connection,
        filter: types::AccessRequestFilter,
        tries: u32,
        last: &Last,
    ) -> Result<Vec<Arc<AccessRequest>>, Failure> {
        let pages = self.page_requests(connection, filter.clone(), tries, last);
        match connection.lacks.request_pages.or_older(&connection.dials, pages).await {
            Some(listed) => listed.map_err(|partial| partial.explain(LIST_REQUESTS)),
            None => {
                let stream = || self.stream_requests(connection, filter.clone(), last);
                self.again(STREAM_REQUESTS, tries, stream).await.map_err(|partial| partial.explain(STREAM_REQUESTS))
            }
        }
    }

    async fn page_requests(
        &self,
        connection: &Connection,
        filter: types::AccessRequestFilter,
        tries: u32,
        last: &Last,
    ) -> Result<Vec<Arc<AccessRequest>>, Partial> {
        let auth = connection.auth();
        let mut requests = Whole::new();
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
            requests.take(page.access_requests, shared(last))?;
            if page.next_key.is_empty() {
                return Ok(requests.end());
            }
            start_key = requests.next(&start_key, page.next_key)?;
        }
    }

    /// As old servers list: all in one stream. One that broke begins anew: it has no pages to go on from.
    async fn stream_requests(
        &self,
        connection: &Connection,
        filter: types::AccessRequestFilter,
        last: &Last,
    ) -> Result<Vec<Arc<AccessRequest>>, Partial> {
        let mut auth = connection.auth();
        let mut stream = self.call(connection, auth.get_access_requests_v2(filter)).await?;
        let mut requests = Whole::new();
        let after = self.limits().call;
        loop {
            let message =
                tokio::time::timeout(after, stream.message()).await.map_err(|_| connection.too_late(after))??;
            match message {
                Some(request) => requests.take(vec![request], shared(last))?,
                None => return Ok(requests.end()),
            }
        }
    }
}

/// Made to be shared from the first: of a list of many no copy is ever needed.
fn shared(last: &Last) -> impl Fn(types::AccessRequestV3) -> Result<Arc<AccessRequest>, convert::InvalidRequest> {
    |request| convert::access_request(request).map(|request| last.share(request))
}

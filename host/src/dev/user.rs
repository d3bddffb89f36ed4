//! A user of a simulated cluster: asks, looks and resolves over gRPC with an identity of their own, as `tsh` and `tctl`
//! do. It must never use rights that the user does not have.

use std::time::Duration;

use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use tribunal_proto::proto::auth_service_client::AuthServiceClient;
use tribunal_proto::proto::{
    AccessRequestSort, GetLocksRequest, ListAccessRequestsRequest, ListLocksRequest, RequestStateSetter,
};
use tribunal_proto::types::{AccessRequestSpecV3, AccessRequestV3, LockV2, Metadata, RequestState};
use tribunal_sim::cluster::resource_id;
use uuid::Uuid;

use super::DevError;
use super::connect::{connect, root_cause};
use super::dir::Dir;

/// How long a call may take. A scenario may make the server slow on purpose.
const CALL_MAX: Duration = Duration::from_secs(30);
/// Entries in a page.
const PAGE_ENTRIES: i32 = 1_000;
/// The most pages that are read.
const PAGES_MAX: usize = 1_000;
/// The largest message that is taken.
const MESSAGE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A user with a connection.
#[derive(Debug)]
pub(super) struct User {
    name: String,
    auth: AuthServiceClient<Channel>,
}

/// What a user asks for.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Roles.
    pub roles: Vec<String>,
    /// Resources, as `/cluster/kind/name[/sub]`.
    pub resources: Vec<String>,
    /// Why.
    pub reason: String,
}

// === impl User ===

impl User {
    /// Connects as this user to the cluster of this directory.
    ///
    /// # Errors
    /// When there is no such user, or no such cluster.
    pub(super) async fn connect(dir: &Dir, name: &str) -> Result<Self, DevError> {
        let channel = connect(&dir.address()?, &dir.identity(name)?).await?;
        let auth = AuthServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Self { name: name.to_owned(), auth })
    }

    /// Asks for access; gives the request as the server stored it.
    ///
    /// # Errors
    /// When a resource is not understood, or the server refuses.
    pub(super) async fn ask(&mut self, wish: &Wish) -> Result<AccessRequestV3, DevError> {
        let resources: Result<Vec<_>, _> = wish
            .resources
            .iter()
            .map(|text| resource_id::parse(text).ok_or_else(|| DevError::Resource(text.clone())))
            .collect();
        let spec = AccessRequestSpecV3 {
            user: self.name.clone(),
            roles: wish.roles.clone(),
            state: RequestState::Pending.into(),
            request_reason: wish.reason.clone(),
            requested_resource_ids: resources?,
            ..AccessRequestSpecV3::default()
        };
        let request = AccessRequestV3 {
            kind: "access_request".to_owned(),
            version: "v3".to_owned(),
            // Teleport refuses a request without a name, and names it anew.
            metadata: Some(Metadata { name: Uuid::new_v4().to_string(), ..Metadata::default() }),
            spec: Some(spec),
            ..AccessRequestV3::default()
        };
        let call = self.auth.create_access_request_v2(request);
        in_time(call).await.map_err(|status| refused(&self.name, "ask for access", &status))
    }

    /// All requests that the user may see, in order of creation.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) async fn requests(&mut self) -> Result<Vec<AccessRequestV3>, DevError> {
        let mut requests = Vec::new();
        let mut start_key = String::new();
        for _page in 0..PAGES_MAX {
            let page = ListAccessRequestsRequest {
                sort: AccessRequestSort::Created.into(),
                limit: PAGE_ENTRIES,
                start_key,
                ..ListAccessRequestsRequest::default()
            };
            let call = self.auth.list_access_requests(page);
            let page = in_time(call).await.map_err(|status| refused(&self.name, "list requests", &status))?;
            requests.extend(page.access_requests);
            start_key = page.next_key;
            if start_key.is_empty() {
                break;
            }
        }
        Ok(requests)
    }

    /// All locks.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) async fn locks(&mut self) -> Result<Vec<LockV2>, DevError> {
        let mut locks = Vec::new();
        let mut page_token = String::new();
        for _page in 0..PAGES_MAX {
            let page = ListLocksRequest { page_size: PAGE_ENTRIES, page_token, filter: None };
            let page = match in_time(self.auth.list_locks(page)).await {
                // An old server lists them all at once.
                Err(status) if status.code() == Code::Unimplemented => return self.locks_at_once().await,
                page => page.map_err(|status| refused(&self.name, "list locks", &status))?,
            };
            locks.extend(page.locks);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        Ok(locks)
    }

    async fn locks_at_once(&mut self) -> Result<Vec<LockV2>, DevError> {
        let call = self.auth.get_locks(GetLocksRequest::default());
        let all = in_time(call).await.map_err(|status| refused(&self.name, "list locks", &status))?;
        Ok(all.locks)
    }

    /// Approves or denies a request, past all reviews, as `tctl requests approve` does.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) async fn resolve(&mut self, id: &str, approve: bool, reason: &str) -> Result<(), DevError> {
        let state = if approve { RequestState::Approved } else { RequestState::Denied };
        let update = RequestStateSetter {
            id: id.to_owned(),
            state: state.into(),
            reason: reason.to_owned(),
            ..RequestStateSetter::default()
        };
        let what = if approve { "approve the request" } else { "deny the request" };
        let call = self.auth.set_access_request_state(update);
        in_time(call).await.map_err(|status| refused(&self.name, what, &status))
    }
}

async fn in_time<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
    match tokio::time::timeout(CALL_MAX, call).await {
        Ok(answer) => answer.map(Response::into_inner),
        Err(_elapsed) => Err(Status::deadline_exceeded(format!("no answer within {} s", CALL_MAX.as_secs()))),
    }
}

fn refused(user: &str, what: &'static str, status: &Status) -> DevError {
    // The server's own words have no cause beneath them; a broken connection has.
    let cause = match std::error::Error::source(status) {
        Some(deeper) => root_cause(deeper),
        None => status.message().to_owned(),
    };
    DevError::Refused { user: user.to_owned(), what, cause }
}

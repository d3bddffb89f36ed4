//! What every call goes through: faults, who calls, locks on the caller, the cluster, lost replies, the `version` header. Nothing method-specific.

use std::sync::Arc;

use tonic::metadata::MetadataValue;
use tonic::{Request, Response, Status};

use super::connection::Peer;
use super::shared::Shared;
use crate::clock::Moment;
use crate::cluster::{Caller, Cluster, Refusal};

/// The answer to a call whose reply is lost on purpose.
const LOST_REPLY: &str = "connection lost after the request was sent: injected fault";

impl Shared {
    /// A unary call.
    pub(super) async fn call<Q, R>(
        &self,
        method: &'static str,
        request: Request<Q>,
        act: impl FnOnce(&mut Cluster, &Caller, Moment, Q) -> Result<R, Refusal> + Send,
    ) -> Result<Response<R>, Status> {
        let peer = self.enter(method, &request).await?;
        let (result, version) = self.with(|cluster, now| {
            let version = cluster.settings().version.clone();
            let result =
                cluster.admit(&peer.caller, now).and_then(|()| act(cluster, &peer.caller, now, request.into_inner()));
            (result, version)
        });
        if self.with_faults(|faults| faults.loses_reply(method)) {
            tracing::debug!(method, "Reply lost on purpose");
            return Err(Status::unavailable(LOST_REPLY));
        }
        let value = MetadataValue::try_from(version).ok();
        match result {
            Ok(answer) => {
                let mut response = Response::new(answer);
                if let Some(value) = value {
                    response.metadata_mut().insert("version", value);
                }
                Ok(response)
            }
            Err(refusal) => {
                tracing::debug!(method, user = %peer.caller.user, kind = ?refusal.kind, "Call refused");
                let mut status = Status::from(refusal);
                if let Some(value) = value {
                    status.metadata_mut().insert("version", value);
                }
                Err(status)
            }
        }
    }

    /// The part before anything happens: delay, injected error, and who calls.
    pub(super) async fn enter<Q>(&self, method: &'static str, request: &Request<Q>) -> Result<Peer, Status> {
        let peer = request
            .extensions()
            .get::<Peer>()
            .cloned()
            .ok_or_else(|| Status::unauthenticated("no client certificate"))?;
        let (delay, error) = self.with_faults(|faults| (faults.delay(), faults.error(method)));
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        match error {
            Some(status) => {
                tracing::debug!(method, code = ?status.code(), "Call failed on purpose");
                Err(status)
            }
            None => Ok(peer),
        }
    }
}

/// `Arc` contents for a message that owns its parts.
pub(super) fn owned<T: Clone>(shared: Vec<Arc<T>>) -> Vec<T> {
    shared.into_iter().map(Arc::unwrap_or_clone).collect()
}

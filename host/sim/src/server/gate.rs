//! What a release decides before a call reaches its method: whether there is such a method, and whether it takes a client as
//! old as this one. It must never know what a call asks for.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{Either, Ready, ready};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tower::{Layer, Service};

use super::connection::Peer;
use super::shared::Shared;
use crate::release::{method_of, numbers};

/// What Teleport says to a client that is too old, if it still can: it has closed the connection by then
/// (`lib/auth/middleware.go`, `ValidateClientVersion`).
const TOO_OLD: &str = "client version is unsupported";

/// Puts a [`Gate`] before the services.
#[derive(Clone, Debug)]
pub(super) struct Gates {
    pub(super) shared: Arc<Shared>,
}

/// The services of a release.
#[derive(Clone, Debug)]
pub(super) struct Gate<S> {
    services: S,
    shared: Arc<Shared>,
}

impl<S> Layer<S> for Gates {
    type Service = Gate<S>;

    fn layer(&self, services: S) -> Gate<S> {
        Gate { services, shared: Arc::clone(&self.shared) }
    }
}

impl<S: Service<Request<Body>, Response = Response<Body>>> Service<Request<Body>> for Gate<S> {
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.services.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.shared.refusal(&request) {
            None => Either::Left(self.services.call(request)),
            Some(status) => Either::Right(ready(Ok(status.into_http()))),
        }
    }
}

impl Shared {
    fn refusal<B>(&self, request: &Request<B>) -> Option<Status> {
        let path = request.uri().path();
        let told = request.headers().get("version").and_then(|version| version.to_str().ok());
        let (lacking, too_old) = self.with(|cluster, _| {
            let settings = cluster.settings();
            let lacking = method_of(path).is_some_and(|method| settings.lacks.contains(&method));
            // Whoever tells no version is taken; one that cannot be understood is not.
            let oldest = settings.oldest_client.as_deref().and_then(numbers);
            let too_old =
                oldest.is_some_and(|oldest| told.is_some_and(|told| numbers(told).is_none_or(|it| it < oldest)));
            (lacking, too_old)
        });
        if lacking {
            let (service, method) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
            return Some(Status::unimplemented(format!("unknown method {method} for service {service}")));
        }
        if too_old {
            tracing::debug!(version = told, "Client is too old; its connection is closed");
            if let Some(peer) = request.extensions().get::<Peer>() {
                peer.cut.cancel();
            }
            return Some(Status::permission_denied(TOO_OLD));
        }
        None
    }
}
